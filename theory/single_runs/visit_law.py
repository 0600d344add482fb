r"""Law of a single run's boundaries in visits: where its gate is below 1/2 for the last, and for the first time.

The probability :math:`F(n)` that the gate is at or above 1/2 after :math:`n` visits and after all later ones is
computed backwards from where it is decided: the first visits one by one, with the label counts
(``theory.single_runs.early_visits``), the later ones in blocks, with the law of a walk that dips below in between
(``theory.single_runs.late_visits``).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from theory.gating.cell import GateCell, logit_spread, mean_logit
from theory.gating.curve import LARGEST_VISITS
from theory.single_runs import early_visits, late_visits
from theory.single_runs.early_visits import CELLS_PER_DEVIATION, NOTHING, EarlyVisits, Stepper, excess_law
from theory.single_runs.late_visits import LateVisits
from theory.transitions.crossing import geometric_integers, last_rise_between_integers

Array = NDArray[np.float64]

_DECIDED = 7.0
_FEW, _FINER = 12, 8
MOST_VISITS_TO_EMERGE = 2000
"""Visits within which a single run's emergence is looked for."""


@dataclass(frozen=True, eq=False)
class VisitLaw:
    r"""Probability that something has come to pass after :math:`n` visits of a class.

    Parameters
    ----------
    visits : ndarray of int, shape (k,)
        Increasing numbers of visits.
    probability : ndarray, shape (k,)
        Probability at each, not falling; 0 before the first one, that of the last one afterwards.
    """

    visits: NDArray[np.int64]
    probability: Array

    def at(self, visits: ArrayLike) -> Array:
        """Probability after numbers of visits, interpolated in their logarithm."""
        n = np.asarray(visits, dtype=np.float64)
        within = np.interp(np.log1p(n), np.log1p(self.visits), self.probability)
        return np.asarray(np.where(n < self.visits[0], 0.0, within), dtype=np.float64)


def stays_above(cell: GateCell) -> VisitLaw | None:
    r"""Probability :math:`F(n)` that a run's gate is at or above 1/2 after :math:`n \ge 1` visits and ever after.

    Parameters
    ----------
    cell : GateCell
        Gate of the class; it has to see all visits.

    Returns
    -------
    VisitLaw or None
        ``None`` for a cell that sees a share of the visits, and where in-context learning persists.

    Notes
    -----
    No constant is fitted. What is approximate: late visits (from 40 to 300 on, depending on the label noise) forget how
    many labels were noise; a block's dips are those of a Brownian path; see docs/agreement.md for the error.
    """
    if cell.share < 1 or cell.loss.risk <= cell.labels.entropy * (1 + 1e-14):
        return None
    cell = _at_unit_rate(cell)
    decided = _decided(cell)
    if decided is None:
        return None
    certain = _certain(cell, decided)
    if certain is not None:
        return certain
    early = EarlyVisits.of(cell, decided)
    width = _width(early)
    found: list[tuple[int, float]] = []
    later: tuple[Array, Array] | None = None
    if early.visits < decided:
        found, later = late_visits.backward(LateVisits(early, decided), width)
    if later is not None or early.visits == decided:
        found += _backward(early, width, later)
    table = dict(sorted(found))
    visits = np.array([*table, decided], dtype=np.int64) if decided not in table else np.array(list(table))
    probability = np.array([*table.values(), 1.0]) if decided not in table else np.array(list(table.values()))
    return VisitLaw(visits, np.minimum.accumulate(probability[::-1])[::-1].clip(0.0, 1.0))


def has_been_below(cell: GateCell) -> VisitLaw | None:
    r"""Probability that a run's gate has been below 1/2 at one of its first :math:`n` visits.

    Parameters
    ----------
    cell : GateCell
        Gate of the class; it has to see all visits.

    Returns
    -------
    VisitLaw or None
        From 0 visits on, up to where (nearly) every run has been below, or none will be any more, or 2,000 visits.
        ``None`` for a cell that sees a share of the visits.
    """
    if cell.share < 1:
        return None
    cell = _at_unit_rate(cell)
    most = min(_decided(cell) or MOST_VISITS_TO_EMERGE, MOST_VISITS_TO_EMERGE)
    early = EarlyVisits.of(cell, most)
    width = _width(early)
    fine, coarse = _steppers(early, width)
    few = fine.early
    runs = early_visits.first_survivors(fine)
    above = [1.0, runs.probability]
    while runs.visits < early.visits and above[-1] > NOTHING:
        if runs.visits == few.visits:
            runs = runs.on(fine.grid, coarse.grid)
        runs = early_visits.forward(fine if runs.visits < few.visits else coarse, runs)
        above.append(runs.probability)
    if runs.visits < most and above[-1] > NOTHING:
        grid = coarse.grid if early.visits > few.visits else fine.grid
        above += late_visits.forward(LateVisits(early, most), grid, runs.masses.sum(axis=0))
    probability = 1 - np.minimum.accumulate(above)
    return VisitLaw(np.arange(probability.size), probability)


def _steppers(early: EarlyVisits, width: float) -> tuple[Stepper, Stepper]:
    """A few visits on finer cells, and all of them.

    A few visits leave few values, some of them close to 0: finer cells tell their sides apart.
    """
    few = EarlyVisits(early.cell, min(_FEW, early.visits))
    return Stepper(few, few.grid(width / _FINER, 12_000)), Stepper(early, early.grid(width))


def _backward(early: EarlyVisits, width: float, later: tuple[Array, Array] | None) -> list[tuple[int, float]]:
    fine, coarse = _steppers(early, width)
    start = None if later is None else np.interp(coarse.grid.centres, *later)
    if early.visits == fine.early.visits:
        return early_visits.backward(fine, None if later is None else np.interp(fine.grid.centres, *later))[0]
    found, rows = early_visits.backward(coarse, start, fine.early.visits)
    if rows is None:
        return found
    finer = np.array([np.interp(fine.grid.centres, coarse.grid.centres, row) for row in rows])
    return found + early_visits.backward(fine, finer)[0]


def _at_unit_rate(cell: GateCell) -> GateCell:
    """A cell whose log-odds are those of this one, divided by its rate: of the same sign."""
    return replace(cell, prior_log_odds=cell.advantage, rate=1.0, _cache={})


_UNSEEN, _NARROW = 1e-3, 0.05
"""Expected noisy labels that are none, and scatter in visits that is none."""


def _width(early: EarlyVisits) -> float:
    """Width of cells that resolve the steps of the log-odds."""
    _, variance = early.moments(early.visits)
    steps = np.abs(np.diff(mean_logit(early.cell, np.arange(early.visits + 1))))
    deviation = math.sqrt(max(excess_law(early.cell).variance, variance / early.visits))
    return max(deviation / CELLS_PER_DEVIATION, float(steps.max()) / 64)


def _decided(cell: GateCell) -> int | None:
    """Visits from which on the gate is above 1/2 but for about 1e-11; ``None`` if that is too far."""
    grid = geometric_integers(1, LARGEST_VISITS, 1.1)
    open_ = np.flatnonzero(mean_logit(cell, grid) <= _DECIDED * logit_spread(cell, grid))
    if not open_.size:
        return 1
    return int(grid[open_[-1] + 1]) if open_[-1] + 1 < grid.size else None


def _certain(cell: GateCell, decided: int) -> VisitLaw | None:
    """The law where (nearly) nothing is random, so that every run has the same boundary; else ``None``.

    The log-odds have one value for each number of visits if all labels are alike, and scatter by less than they gain at
    a visit if the losses do, so that a grid of cells as wide as their steps would only blur them.
    """
    labels = cell.labels
    grid = geometric_integers(1, decided, 1.05)
    values = mean_logit(cell, grid)
    last = last_rise_between_integers(lambda n: float(mean_logit(cell, n)), grid, values, 0.0)
    visits = max(math.floor(last), 1)
    all_alike = labels.noise * visits < _UNSEEN or (labels.noise == 1 and labels.noisy_labels == 1)
    gained = float(mean_logit(cell, visits + 1) - mean_logit(cell, visits))
    scatter = math.sqrt(visits * excess_law(cell).variance)
    if not all_alike or scatter > _NARROW * gained:
        return None
    return VisitLaw(np.array([math.floor(last) + 1]), np.ones(1))
