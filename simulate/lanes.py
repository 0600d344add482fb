"""Lanes: the learners that run side by side, one for each replicate of each setting."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from theory.errors import SettingError
from theory.setting import EpisodeDistribution, GatedPredictor, TaskDistribution

Array = NDArray[np.float64]


MOST_REPLICATES = 1_000_000


def check_setting(task: object, model: object) -> None:
    """Raise :class:`SettingError` for what is no task or no model, such as a preset's name."""
    if not isinstance(task, TaskDistribution | EpisodeDistribution):
        raise SettingError(
            "task", task, "a TaskDistribution or EpisodeDistribution (theory.load makes one from a name)"
        )
    if not isinstance(model, GatedPredictor):
        raise SettingError("model", model, "a GatedPredictor")


@dataclass(frozen=True, eq=False)
class Lanes:
    """A grid of settings times replicates; lane ``s * replicates + r`` is replicate ``r`` of setting ``s``.

    All settings have as many classes, labels and context examples, and the same kinds of parts; numbers may differ.

    Parameters
    ----------
    tasks : tuple of TaskDistribution or EpisodeDistribution, shape (settings,)
        What each world is like.
    models : tuple of GatedPredictor, shape (settings,)
        What learns in it.
    replicates : int
        Independent repetitions of each.

    Raises
    ------
    SettingError
        The settings do not fit together.

    Examples
    --------
    >>> from theory.setting import BayesGate, TaskDistribution
    >>> task = TaskDistribution(num_high=1, num_low=1, p_high=0.5)
    >>> models = tuple(GatedPredictor(gate=BayesGate(prior_in_weight=prior)) for prior in (0.2, 0.7))
    >>> lanes = Lanes((task, task), models, replicates=3)
    >>> lanes.count, lanes.numbers("gate", "prior_in_weight").tolist()
    (6, [0.2, 0.2, 0.2, 0.7, 0.7, 0.7])
    """

    tasks: tuple[Any, ...]
    models: tuple[GatedPredictor, ...]
    replicates: int

    def __post_init__(self) -> None:
        if not self.models:
            raise SettingError("settings", (), "at least one task with its model")
        for what in ("total_classes", "total_labels", "context_length"):
            self._check_common(what, [getattr(task, what) for task in self.tasks])
        for role in ("in_weight", "in_context", "gate"):
            self._check_common(f"model.{role}", [type(getattr(model, role)).__name__ for model in self.models])

    @staticmethod
    def _check_common(what: str, values: Sequence[object]) -> None:
        for value in values:
            if value != values[0]:
                raise SettingError(what, value, f"{values[0]!r}, as in the first of the settings that run side by side")

    @property
    def count(self) -> int:
        """Number of lanes."""
        return len(self.models) * self.replicates

    @property
    def classes(self) -> int:
        """Number of classes."""
        return int(self.tasks[0].total_classes)

    @property
    def labels(self) -> int:
        """Number of labels."""
        return int(self.tasks[0].total_labels)

    @property
    def context_length(self) -> int:
        """Examples in a context."""
        return int(self.tasks[0].context_length)

    def numbers(self, role: str, name: str) -> Array:
        """A numerical setting of a part, for every lane; shape (lanes,)."""
        values = [getattr(getattr(model, role), name) for model in self.models]
        return np.repeat(np.array(values, dtype=np.float64), self.replicates)

    def common(self, role: str, name: str) -> Any:
        """A setting of a part that has to be the same in all settings, such as what its gate cells are."""
        values = [getattr(getattr(model, role), name) for model in self.models]
        self._check_common(f"model.{role}.{name}", values)
        return values[0]

    def of_tasks(self, values: Sequence[float]) -> Array:
        """A number for each task, for every lane; shape (lanes,)."""
        return np.repeat(np.array(values, dtype=np.float64), self.replicates)
