"""The flip of an out-of-base evaluation: every label moves to the next one within its frequency group."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from theory.errors import SettingError
from theory.setting.task_episodes import AnyTask

Labels = NDArray[np.intp]


def flip_within_groups(distribution: AnyTask) -> Labels:
    r"""The label that each label becomes, when labels move within the groups of classes of one frequency.

    The labels of the high-frequency classes move in a cycle among themselves, those of the low-frequency classes and
    those of the held-out classes likewise. Where groups share labels, and where there are no groups, all labels make
    one cycle: :math:`y \mapsto (y + 1) \bmod C`.

    Parameters
    ----------
    distribution : TaskDistribution or EpisodeDistribution
        Any one.

    Returns
    -------
    ndarray of int, shape (labels,)
        A permutation without a fixed point.

    Raises
    ------
    SettingError
        A group has a single label, which has nowhere to go.

    Examples
    --------
    >>> from theory.setting import TaskDistribution
    >>> flip_within_groups(TaskDistribution(num_high=2, num_low=3, p_high=0.9)).tolist()
    [1, 0, 3, 4, 2]
    """
    for name, members in _label_groups(distribution).items():
        if members.size < 2:
            raise SettingError(f"labels of the {name} classes", members.tolist(), "at least two, to be flipped")
    return flip_where_possible(distribution)


def flip_where_possible(distribution: AnyTask) -> Labels:
    r"""The same, where a label that is the only one of its group stays.

    Parameters
    ----------
    distribution : TaskDistribution or EpisodeDistribution
        Any one.

    Returns
    -------
    ndarray of int, shape (labels,)
        A permutation.

    Examples
    --------
    >>> from theory.setting import TaskDistribution
    >>> flip_where_possible(TaskDistribution(num_high=1, num_low=3, p_high=0.9)).tolist()
    [0, 2, 3, 1]
    """
    flipped = np.arange(distribution.total_labels, dtype=np.intp)
    for members in _label_groups(distribution).values():
        flipped[members] = np.roll(members, -1)
    return flipped


def _label_groups(distribution: AnyTask) -> dict[str, Labels]:
    """Labels of each group of classes; one group of all labels if groups share some."""
    classes, labels = distribution.total_classes, distribution.total_labels
    everything = {"": np.arange(labels, dtype=np.intp)}
    high, low = distribution.num_high, distribution.num_low
    if high is None or low is None:
        sizes = {"occurring": classes - _held_out(distribution), "held-out": _held_out(distribution)}
    else:
        sizes = {"high-frequency": high, "low-frequency": low, "held-out": _held_out(distribution)}
    ends = np.cumsum([0, *sizes.values()])
    found = {
        name: np.unique(np.arange(ends[i], ends[i + 1]) % labels) for i, name in enumerate(sizes) if sizes[name] > 0
    }
    return found if sum(group.size for group in found.values()) == labels else everything


def _held_out(distribution: AnyTask) -> int:
    return getattr(distribution, "held_out_classes", 0)
