r"""Kinds of classes: which classes of a task the mathematics cannot tell apart, and what collides with their labels.

An irrelevant example of a prompt about class :math:`x` carries label :math:`y` with the *collision probability*
:math:`b_y = \sum_{x' \ne x} p_{x'} y^*_y(x') / (1 - p_x)`. Classes with the same frequency and the same collision
probabilities behave alike; the two-level task has at most six kinds, whatever its number of classes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from theory.label_masses import LabelMasses, label_runs, members
from theory.setting import TaskDistribution

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class ClassKind:
    r"""Classes that behave alike.

    Parameters
    ----------
    representative : int
        One of them.
    size : int
        How many they are.
    probability : float
        :math:`p_x` of one of them.
    own_collision : float
        Probability that an irrelevant example carries the own label.
    noisy_collisions : ndarray, shape (j,)
        The same for the labels that noise leads to; distinct values.
    noisy_weights : ndarray, shape (j,)
        Share of the noisy labels with each of these values; sums to one.
    """

    representative: int
    size: int
    probability: float
    own_collision: float
    noisy_collisions: Array
    noisy_weights: Array


def class_kinds(task: TaskDistribution) -> tuple[list[ClassKind], NDArray[np.intp]]:
    """Kinds of the task's classes, and the kind of each *representative candidate* (see :func:`candidates`).

    Returns
    -------
    kinds : list of ClassKind
        Distinct kinds.
    kind_of : ndarray of int, shape (number of candidates,)
        Position in ``kinds`` for each candidate.

    Examples
    --------
    >>> task = TaskDistribution(num_high=5, num_low=95, p_high=0.9, context_length=8)
    >>> kinds, _ = class_kinds(task)
    >>> [(kind.representative, kind.size) for kind in kinds]
    [(0, 1), (1, 3), (4, 1), (5, 1), (6, 93), (99, 1)]
    """
    chosen, sizes = candidates(task)
    masses = LabelMasses(task)
    surroundings = _surroundings(masses, chosen)
    signatures = surroundings if task.label_noise_kind == "cyclic" else surroundings[:, [1, 3]]
    if task.grouped:
        # Groups are reported apart even if their frequencies are equal.
        signatures = np.column_stack([signatures, chosen < (task.num_high or 0)])
    _, first, kind_of = np.unique(signatures, axis=0, return_index=True, return_inverse=True)
    # Number the kinds in the order of their first class, not of their signature.
    order = np.argsort(first)
    position = np.empty_like(order)
    position[order] = np.arange(order.size)
    kind_of = position[kind_of.reshape(-1)]
    totals = np.bincount(kind_of, weights=sizes).astype(int)
    labels = masses.distinct()
    kinds = [
        _kind(masses, labels, int(chosen[first[k]]), int(totals[i]), surroundings[first[k]])
        for i, k in enumerate(order)
    ]
    return kinds, kind_of


def kinds_at(task: TaskDistribution, classes: NDArray[np.intp]) -> list[ClassKind]:
    """Kinds of single classes, each of size 1: for tasks with so many classes that not all of them can be looked at.

    Examples
    --------
    >>> task = TaskDistribution(frequencies="zipf", num_classes=10**6, zipf_exponent=1.5, context_length=8)
    >>> [kind.representative for kind in kinds_at(task, np.array([0, 10**5]))]
    [0, 100000]
    """
    masses = LabelMasses(task)
    labels, surroundings = masses.distinct(), _surroundings(masses, classes)
    return [_kind(masses, labels, int(x), 1, near) for x, near in zip(classes, surroundings, strict=True)]


def candidates(task: TaskDistribution) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Classes that stand for all, with how many each stands for: every class, but few of a two-level task.

    The classes of a group of a two-level task whose labels are in the same run (``theory.label_masses.label_runs``)
    are alike.
    """
    if not task.grouped:
        everything = np.arange(task.total_classes)
        return everything, np.ones_like(everything)
    chosen = [(first, size) for first, size, _ in _two_level_candidates(task)]
    return np.array([first for first, _ in chosen]), np.array([size for _, size in chosen])


def _two_level_candidates(task: TaskDistribution) -> list[tuple[int, int, tuple[int, bool]]]:
    """A class for every run of labels and group, in increasing order: the class, how many it stands for, and for what.

    What it stands for is the position of the run, and whether the group is that of the high-frequency classes.
    """
    num_high, total = task.num_high or 0, task.total_labels
    chosen = []
    for run, (label, length) in enumerate(label_runs(task)):
        high, low = (int(number) for number in members(task, np.array(label)))
        # The first class of each group that has the label.
        for number, first, is_high in ((high, label, True), (low, num_high + (label - num_high) % total, False)):
            if number > 0:
                chosen.append((first, length * number, (run, is_high)))
    return sorted(chosen)


def _surroundings(masses: LabelMasses, classes: NDArray[np.intp]) -> Array:
    """What decides about collisions, shape (classes, 4).

    Mass of the label before, probability of the class, mass of the label after, mass of the other classes with its
    label.
    """
    total = masses.task.total_labels
    before, after = (masses.of_labels((classes + step) % total) for step in (-1, 1))
    return np.column_stack([before, masses.of_classes(classes), after, masses.of_companions(classes)])


def _kind(
    masses: LabelMasses, labels: tuple[Array, Array], representative: int, size: int, surroundings: Array
) -> ClassKind:
    task = masses.task
    before, own, after, companions = (float(value) for value in surroundings)
    noise = task.noise_in_context
    if task.label_noise_kind == "cyclic":
        # The own label is noise of the label before, and the label after has noise from the other classes of the own.
        own_collision = (companions * (1 - noise) + before * noise) / (1 - own)
        noisy = np.array([(after * (1 - noise) + companions * noise) / (1 - own)])
        weights = np.ones(1)
    else:
        values, numbers = labels
        spread = noise / task.noisy_labels
        share = min(companions / (1 - own), 1.0)
        own_collision = share * (1 - noise) + (1 - share) * spread
        # 1 - p_x - P_y is a sum of other probabilities: never negative, whatever the rounding.
        others = np.maximum(1 - own - values, 0.0)
        noisy = (values * (1 - noise) + others * spread) / (1 - own)
        numbers = numbers - (values == masses.of_labels(np.array([representative % task.total_labels])))
        weights = numbers / task.noisy_labels
        noisy, weights = noisy[numbers > 0], weights[numbers > 0]
    return ClassKind(
        representative=representative,
        size=size,
        probability=own,
        own_collision=min(own_collision, 1.0),
        noisy_collisions=np.minimum(noisy, 1.0),
        noisy_weights=weights,
    )


def kind_of_class(task: TaskDistribution) -> NDArray[np.intp]:
    """Position of every class's kind in :func:`class_kinds`, shape (number of classes,)."""
    return kinds_of_classes(task)[1]


def kinds_of_classes(task: TaskDistribution) -> tuple[list[ClassKind], NDArray[np.intp]]:
    """Kinds of the task's classes, and the position of every class's kind among them, shape (number of classes,).

    Examples
    --------
    >>> kinds_of_classes(TaskDistribution(num_high=1, num_low=3, p_high=0.5, label_noise_kind="symmetric"))[1].tolist()
    [0, 1, 1, 1]
    """
    found, kind_of = class_kinds(task)
    if not task.grouped:
        return found, kind_of
    runs = label_runs(task)
    kinds = np.full((len(runs), 2), -1)
    for (_, _, (run, is_high)), kind in zip(_two_level_candidates(task), kind_of.tolist(), strict=True):
        kinds[run, int(is_high)] = kind
    classes = np.arange(task.total_classes)
    run_of = np.searchsorted([first for first, _ in runs], classes % task.total_labels, side="right") - 1
    return found, np.asarray(kinds[run_of, (classes < (task.num_high or 0)).astype(int)])
