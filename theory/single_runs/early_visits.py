r"""A single run's gate over its first visits: log-odds and label counts together, visit by visit.

The pair (log-odds, number of noisy labels so far) is a Markov chain: exactly with at most two labels; with several
noisy labels what the next one costs is drawn afresh given that number (``theory.single_runs.label_counts``).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from theory.gating.cell import GateCell
from theory.gating.label_spread import spread_moments
from theory.in_context import LossLaw
from theory.numerics.special import binomial_law, log_rising
from theory.single_runs.label_counts import LabelCounts, label_counts, likely_counts
from theory.single_runs.walk_grid import WalkGrid
from theory.transitions.crossing import geometric_integers

Array = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]

CELLS_PER_DEVIATION: Final = 7
"""Cells in a standard deviation of a step."""
REACH: Final = 4.5
"""Standard deviations above the mean that the cells reach up to: 4e-6 lie beyond."""
NOTHING: Final = 1e-4
"""A probability below which a law is not followed any further."""
_MOST_VISITS: Final = 300
_MOST_ROWS: Final = 900
_UNLIKELY: Final = 1e-8
_MOST_COUNTS: Final = 128


@dataclass(frozen=True, eq=False)
class EarlyVisits:
    """The first visits of a gate cell that sees every visit and adds log-odds at rate 1.

    Parameters
    ----------
    cell : GateCell
        The gate cell.
    visits : int
        How many visits are followed one by one.
    """

    cell: GateCell
    visits: int

    @classmethod
    def of(cls, cell: GateCell, most: int) -> EarlyVisits:
        """As many first visits, up to ``most``, as 900 pairs of a visit and a likely count allow."""
        rows, visits = 0, 0
        while visits < min(most, _MOST_VISITS):
            rows += likely_counts(cell.labels, visits + 1, _UNLIKELY)[1].size
            if rows > _MOST_ROWS:
                break
            visits += 1
        return cls(cell, visits)

    @cached_property
    def counts(self) -> LabelCounts:
        """Law of the counts of noisy labels."""
        first, weights = likely_counts(self.cell.labels, self.visits, _UNLIKELY)
        return label_counts(first + weights.size, self.cell.labels.noisy_labels, self.cell.pseudo_count)

    def likely(self, visits: int) -> tuple[NDArray[np.int64], Array]:
        """Likely numbers of noisy labels after so many visits, and their probabilities."""
        first, weights = likely_counts(self.cell.labels, visits, _UNLIKELY)
        return first + np.arange(weights.size), weights

    def known(self, visits: int, noisy: NDArray[np.int64]) -> Array:
        """Log-odds without the in-context losses, mean given the number of noisy labels."""
        b, total = self.cell.pseudo_count, self.cell.labels.total_labels
        rise = log_rising(b, visits - noisy) + self.counts.rise[noisy] - log_rising(total * b, visits)
        return np.asarray(self.cell.prior_log_odds + rise, dtype=np.float64)

    def moments(self, visits: int) -> tuple[float, float]:
        """Mean and variance of the log-odds after so many visits."""
        noisy, weights = self.likely(visits)
        own, seldom = self.cell.loss.own, self.cell.loss.noisy
        mean = self.known(visits, noisy) + (visits - noisy) * own.mean + noisy * seldom.mean
        within = (visits - noisy) * own.variance + noisy * seldom.variance + self.counts.rise_variance[noisy]
        centre = float(weights @ mean) / float(weights.sum())
        return centre, float(weights @ (within + (mean - centre) ** 2)) / float(weights.sum())

    def grid(self, width: float, most_cells: int = 3000) -> WalkGrid:
        """Cells that the log-odds of all these visits need; wider ones where there would be too many."""
        moments = [self.moments(n) for n in geometric_integers(1, self.visits, 1.1).tolist()]
        highest = max(mean + REACH * math.sqrt(variance) for mean, variance in moments)
        lowest = min(mean - 6 * math.sqrt(variance) for mean, variance in moments)
        highest = max(highest, self.cell.prior_log_odds, width)
        width = max(width, highest / most_cells)
        cells = math.ceil(highest / width) + 1
        below = max(cells, math.ceil(-lowest / width)) + 8
        return WalkGrid(width, 0.0, cells, below, max(cells, math.ceil(0.5 * highest / width) + 8))


@dataclass(frozen=True, eq=False)
class Stepper:
    """One visit forth or back on a grid."""

    early: EarlyVisits
    grid: WalkGrid

    @cached_property
    def own(self) -> ComplexArray:
        """Characteristic function of the in-context loss on an own label."""
        return self.grid.characteristic(self.grid.clipped(self.early.cell.loss.own))

    @cached_property
    def noisy(self) -> ComplexArray:
        """Characteristic function of the in-context loss on a noisy label."""
        return self.grid.characteristic(self.grid.clipped(self.early.cell.loss.noisy))

    @cached_property
    def gains(self) -> ComplexArray:
        """Characteristic functions of the in-weight gain of a noisy label, one row for each number before it."""
        return np.array([self.grid.characteristic(self.grid.clipped(law)) for law in self.early.counts.gains])

    def steps(self, visits: int, noisy: NDArray[np.int64]) -> tuple[ComplexArray, ComplexArray]:
        """What the visit after so many adds, given the noisy labels so far: with an own label, with a noisy one.

        Weighted with the probabilities of the label.
        """
        b, labels = self.early.cell.pseudo_count, self.early.cell.labels
        normaliser = math.log(visits + labels.total_labels * b)
        own = (1 - labels.noise) * self.own * self.grid.shift(np.log(visits - noisy + b) - normaliser)
        if labels.noise == 0:
            return own, np.zeros_like(own)
        seldom = labels.noise * self.noisy * self.grid.shift(-normaliser) * self.gains[noisy]
        return own, seldom

    def law(self, visits: int, noisy: NDArray[np.int64]) -> ComplexArray:
        """Characteristic functions of the log-odds after so many visits, given the noisy labels."""
        early, t = self.early, self.grid.frequencies
        own, seldom = self._logarithms
        return np.asarray(
            np.exp(
                (visits - noisy)[:, None] * own
                + noisy[:, None] * seldom
                + 1j * t * early.known(visits, noisy)[:, None]
                - 0.5 * t * t * early.counts.rise_variance[noisy][:, None]
            )
        )

    @cached_property
    def _logarithms(self) -> tuple[ComplexArray, ComplexArray]:
        """Of the characteristic functions of the in-context loss, however long it is."""
        loss = self.early.cell.loss
        return log_characteristic(self.grid, loss.own), log_characteristic(self.grid, loss.noisy)


def log_characteristic(grid: WalkGrid, law: LossLaw, refinement: int = 0) -> ComplexArray:
    """Logarithm of a characteristic function on a grid; where it is 0, of 1e-300."""
    values = grid.characteristic(law, refinement)
    return np.asarray(np.log(np.where(np.abs(values) < 1e-300, 1e-300, values)))


def backward(stepper: Stepper, later: Array | None, until: int = 0) -> tuple[list[tuple[int, float]], Array | None]:
    """Probability that the gate is at or above 1/2 from a visit on, for some of the first visits.

    Parameters
    ----------
    stepper : Stepper
        The first visits on their grid.
    later : ndarray, shape (cells,) or (numbers of noisy labels, cells), optional
        Probability of not being below 1/2 after these visits, given the log-odds (and the noisy labels) at the last of
        them; by default 1.
    until : int
        Visits to stop at.

    Returns
    -------
    found : list of (int, float)
        Visits and probabilities, from the last visit down to the one before ``until``, or to where nothing is left.
    values : ndarray or None
        What ``later`` is, at the visit ``until``; ``None`` where nothing is left.
    """
    early, grid = stepper.early, stepper.grid
    asked = set(geometric_integers(1, early.visits, 1.1).tolist())
    noisy, weights = early.likely(early.visits)
    values = np.array(np.broadcast_to(1.0 if later is None else later, (noisy.size, grid.cells)))
    found: list[tuple[int, float]] = []
    for visits in range(early.visits, until, -1):
        transformed = grid.transform(values)
        if visits == 1:
            found.append((1, _from_first_visit(early.cell, grid.centres, values, int(noisy[0]))))
        elif visits in asked:
            given = grid.expectation(transformed, stepper.law(visits, noisy))
            found.append((visits, float(weights @ given) / float(weights.sum())))
            if found[-1][1] < NOTHING:
                return found, None
        if visits > 1:
            first, (noisy, weights) = int(noisy[0]), early.likely(visits - 1)
            own, seldom = stepper.steps(visits - 1, noisy)
            last = transformed.shape[0] - 1
            after = own * transformed[np.clip(noisy - first, 0, last)]
            after += seldom * transformed[np.clip(noisy + 1 - first, 0, last)]
            values = np.clip(grid.inverse(after)[:, : grid.cells], 0.0, 1.0)
    return found, values


def _from_first_visit(cell: GateCell, centres: Array, values: Array, first: int) -> float:
    total = 0.0
    for noisy, log_odds, weights in after_first_visit(cell):
        if 0 <= noisy - first < values.shape[0]:
            stays = np.interp(log_odds, centres, values[noisy - first])
            total += float(weights @ np.where(log_odds >= 0, stays, 0.0))
    return total


@dataclass(frozen=True, eq=False)
class Survivors:
    """Runs whose gate has been at or above 1/2 at every visit so far.

    Parameters
    ----------
    visits : int
        Visits so far.
    first : int
        The smallest number of noisy labels that has a row.
    masses : ndarray, shape (numbers of noisy labels, cells)
        Probability of surviving with these labels in these cells.
    """

    visits: int
    first: int
    masses: Array

    @property
    def probability(self) -> float:
        """Probability of surviving."""
        return float(self.masses.sum())

    def on(self, old: WalkGrid, new: WalkGrid) -> Survivors:
        """The same on other cells."""
        place = np.minimum((old.centres / new.width).astype(np.intp), new.cells - 1)
        moved = [np.bincount(place, weights=row, minlength=new.cells) for row in self.masses]
        return Survivors(self.visits, self.first, np.array(moved))


def after_first_visit(cell: GateCell) -> list[tuple[int, Array, Array]]:
    """Number of noisy labels after the first visit, and with each the log-odds that may be, and their probabilities.

    One by one: which of them are below 0 is exact here, even where a prior makes one that is likely nearly 0.
    """
    labels, laws = cell.labels, (cell.loss.own, cell.loss.noisy)
    known = cell.prior_log_odds - math.log(labels.total_labels)
    chances = (1 - labels.noise, labels.noise)
    return [
        (noisy, known + law.values, chance * law.probabilities)
        for noisy, law, chance in zip((0, 1), laws, chances, strict=True)
        if chance > _UNLIKELY
    ]


def first_survivors(stepper: Stepper) -> Survivors:
    """Runs that are at or above 1/2 after the first visit."""
    grid = stepper.grid
    rows = after_first_visit(stepper.early.cell)
    masses = np.zeros((len(rows), grid.cells))
    for row, (_, values, weights) in enumerate(rows):
        above = values >= 0
        place = np.clip(values[above] / grid.width - 0.5, 0.0, grid.cells - 1.001)
        low = np.floor(place).astype(np.intp)
        masses[row] += np.bincount(low, weights=weights[above] * (1 - place + low), minlength=grid.cells)
        masses[row] += np.bincount(low + 1, weights=weights[above] * (place - low), minlength=grid.cells)
    return Survivors(1, rows[0][0], masses)


def forward(stepper: Stepper, runs: Survivors) -> Survivors:
    """The runs that are at or above 1/2 after the next visit too."""
    early, grid = stepper.early, stepper.grid
    whole = np.zeros((runs.masses.shape[0], grid.length))
    whole[:, : grid.cells] = runs.masses
    transformed = fft.rfft(whole, axis=1)
    before = runs.first + np.arange(runs.masses.shape[0])
    noisy, _ = early.likely(runs.visits + 1)
    arrived = np.zeros((noisy.size, transformed.shape[1]), dtype=np.complex128)
    for more, step in zip((0, 1), stepper.steps(runs.visits, before), strict=True):
        row = before + more - noisy[0]
        inside = (row >= 0) & (row < noisy.size)
        arrived[row[inside]] += transformed[inside] * np.conj(step[inside])
    spread = np.maximum(grid.inverse(arrived), 0.0)
    masses = spread[:, : grid.cells]
    # What leaves the cells above stays above: it is kept in the last one.
    masses[:, -1] += spread[:, grid.cells : grid.length - grid.below].sum(axis=1)
    return Survivors(runs.visits + 1, int(noisy[0]), masses)


def excess_law(cell: GateCell) -> LossLaw:
    r"""Law of :math:`\ell_h + \log y^*(y)`, what a late visit adds to the log-odds but for slow terms."""
    noise, number = cell.labels.noise, cell.labels.noisy_labels
    values, weights = [], []
    for weight, probability, law in (
        (1 - noise, 1 - noise, cell.loss.own),
        (noise, noise / number, cell.loss.noisy),
    ):
        if weight > 0:
            values.append(law.values + math.log(probability))
            weights.append(weight * law.probabilities)
    return LossLaw(np.concatenate(values), np.concatenate(weights))


def log_odds_variance(cell: GateCell, visits: int) -> float:
    """Variance of the log-odds after any number of visits, for a cell that sees every visit at rate 1."""
    noisy, weights = binomial_law(visits, cell.labels.noise)
    stride = max(1, noisy.size // _MOST_COUNTS)
    count, weights = noisy[::stride].astype(np.float64), weights[::stride] / weights[::stride].sum()
    rise, variance = log_rising(cell.pseudo_count, count), np.zeros(count.size)
    if cell.several:
        rise, variance, _ = spread_moments(count, cell.labels.noisy_labels, cell.pseudo_count)
    own = visits - count
    mean = log_rising(cell.pseudo_count, own) + rise + own * cell.loss.own.mean + count * cell.loss.noisy.mean
    within = own * cell.loss.own.variance + count * cell.loss.noisy.variance + variance
    return float(weights @ (within + (mean - weights @ mean) ** 2))
