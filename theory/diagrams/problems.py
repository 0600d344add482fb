"""Everything that has to be solved for a grid of settings: one problem for each different setting and each group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from theory.coverage import in_context_theory
from theory.diagrams.diagram_grid import Grid
from theory.diagrams.gate_arrays import GateRows
from theory.diagrams.kind_arrays import KindRows, kind_rows, prompt_rows
from theory.diagrams.prompt_arrays import loss_moments
from theory.errors import NoTheoryError
from theory.setting import Attention, GatedPredictor

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Problems:
    """The different settings of a grid, one problem for each of them and each group.

    Parameters
    ----------
    gates : GateRows
        The problems: settings in order, groups within.
    probability : ndarray, shape (problems,)
        Probability of one class.
    settings : ndarray of int, shape (settings,)
        Code of each setting: position of its task times the number of models, plus that of its model.
    groups : int
        Number of groups.
    """

    gates: GateRows
    probability: Array
    settings: NDArray[np.intp]
    groups: int

    @classmethod
    def of(cls, grid: Grid, names: Sequence[str]) -> Problems:
        """Problems of the named groups or classes at all points of a grid that are possible."""
        used = grid.possible
        settings = np.unique(grid.task[used] * len(grid.models) + grid.model[used])
        of_task, of_model = settings // len(grid.models), settings % len(grid.models)
        # Only tasks of possible points; numbered anew.
        kept, of_task = np.unique(of_task, return_inverse=True)
        tasks = [task for i in kept.tolist() if (task := grid.tasks[i]) is not None]
        kinds = kind_rows(tasks, names)
        start, number = _runs(kinds, len(tasks), len(names))
        problem = (of_task.reshape(-1)[:, None] * len(names) + np.arange(len(names))).ravel()
        model = np.repeat(of_model, len(names))
        rows_of = number[problem]
        first = np.cumsum(rows_of) - rows_of
        row = np.repeat(start[problem] - first, rows_of) + np.arange(int(rows_of.sum()))
        prompts = prompt_rows(kinds, tasks, [fixed_attention(m) for m in grid.models], row, np.repeat(model, rows_of))
        task_of = problem // len(names)
        gates = GateRows(
            noise=np.array([task.label_noise for task in tasks])[task_of],
            noisy_labels=np.array([float(task.noisy_labels) for task in tasks])[task_of],
            total_labels=np.array([float(task.total_labels) for task in tasks])[task_of],
            pseudo_count=np.array([m.in_weight.pseudo_count for m in grid.models])[model],
            prior_log_odds=np.array([m.gate.prior_log_odds for m in grid.models])[model],
            rate=np.array([float(getattr(m.gate, "rate", 1.0)) for m in grid.models])[model],
            first=first,
            number=rows_of,
            weight=kinds.weight[row],
            prompts=prompts,
            own=loss_moments(prompts, noisy=False),
            noisy=loss_moments(prompts, noisy=True),
        )
        return cls(gates, prompts.probability[first], settings, len(names))

    def at_point(self, grid: Grid) -> NDArray[np.intp]:
        """Problem of each group at each point of the grid, shape (groups, points); -1 where the point is impossible."""
        setting = np.searchsorted(self.settings, grid.task * len(grid.models) + grid.model)
        setting = np.where(grid.possible, setting, -1)
        place = setting * self.groups + np.arange(self.groups)[:, None]
        return np.asarray(np.where(grid.possible, place, -1), dtype=np.intp)


def fixed_attention(model: GatedPredictor) -> Attention:
    """The in-context part, if it does not learn; a diagram of one that learns would need its whole history."""
    attention = in_context_theory(model.in_context)
    if not isinstance(attention, Attention):
        raise NoTheoryError("in_context", attention)
    return attention


def _runs(kinds: KindRows, tasks: int, groups: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Where the kinds of each group of each task start, and how many they are."""
    number = np.bincount(kinds.task * groups + kinds.group, minlength=tasks * groups)
    return np.cumsum(number) - number, number
