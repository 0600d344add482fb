r"""A single run's gate over its later visits: the log-odds alone, in blocks of visits.

Late visits add independent steps :math:`\ell_h + \log y^*(y)`, with a drift that follows the exact mean of the log-odds
and a clock that runs with their variance.
Visits are taken one by one first and in growing blocks then. Within a block the log-odds may dip below 0 and come back.
Seen as a Brownian path with barrier at minus the mean overshoot (``theory.single_runs.overshoot``), the chance of
arriving at :math:`y'` from :math:`y` (both above the barrier) without having been below it is, by reflection,

.. math:: p(y' - y) - e^{-2\mu y/\sigma^2}\, p(y' + y)

with the block's mean :math:`\mu`, variance :math:`\sigma^2` and density :math:`p`. The first term uses the exact law of
the block's steps; so does the second, but for rare steps that are large beside the block's diffusion: a path that makes
one hardly has time to return within the block, so only paths without them are reflected.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from theory.gating.cell import mean_logit
from theory.in_context import LossLaw
from theory.single_runs.early_visits import (
    CELLS_PER_DEVIATION,
    NOTHING,
    REACH,
    EarlyVisits,
    excess_law,
    log_characteristic,
    log_odds_variance,
)
from theory.single_runs.overshoot import mean_overshoot
from theory.single_runs.walk_grid import WalkGrid
from theory.transitions.crossing import geometric_integers

Array = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]

_ONE_BY_ONE: Final = 200
_RATIO: Final = 0.05
_LARGEST_DRIFT: Final = 0.4
"""What a block may drift, in standard deviations of the log-odds there."""
_SMALLEST_RATIO: Final = 1 / 400
_LARGE_STEP: Final = 3.0
"""Standard deviations of a block's diffusion beyond which a step counts as large."""
_RARE: Final = 0.5
"""How many large steps a block may hold on average."""
_FINEST_BLOCK: Final = 0.01
_MOST_REFINEMENTS: Final = 7
_LARGEST_EXPONENT: Final = 25.0


@dataclass(frozen=True, eq=False)
class Diffusion:
    """The steps that are not rare and large.

    Parameters
    ----------
    probability : float
        That a step is one of them.
    law : LossLaw
        Their law.
    overshoot : float
        Their mean overshoot.
    """

    probability: float
    law: LossLaw
    overshoot: float


@dataclass(frozen=True, eq=False)
class LateVisits:
    """Visits after the first ones, up to where the gate is decided.

    Parameters
    ----------
    early : EarlyVisits
        The first visits.
    last : int
        Visits at which the gate is decided.
    """

    early: EarlyVisits
    last: int
    _diffusions: dict[bytes, Diffusion] = field(default_factory=dict, repr=False)

    @cached_property
    def excess(self) -> LossLaw:
        """Law of a visit's step."""
        return excess_law(self.early.cell)

    def clock(self, times: NDArray[np.int64]) -> Array:
        """Visits since the first ones, counted by the variance that they add to the log-odds.

        Where noise spreads over several labels, how often each of them came adds to it, for long.
        """
        since = (times - self.early.visits).astype(np.float64)
        if not self.early.cell.several or self.variance == 0:
            return since
        points = geometric_integers(self.early.visits, int(times[-1]), 1.1)
        variance = np.array([log_odds_variance(self.early.cell, int(n)) for n in points])
        grown = np.maximum.accumulate(variance - variance[0]) / self.variance
        return np.asarray(np.interp(times, points, grown), dtype=np.float64)

    @cached_property
    def variance(self) -> float:
        """Variance of a step."""
        return self.excess.variance

    @cached_property
    def moments(self) -> tuple[float, float]:
        """Mean and variance of the log-odds after the first visits."""
        return self.early.moments(self.early.visits)

    @cached_property
    def times(self) -> NDArray[np.int64]:
        """Ends of the blocks, from the last of the first visits to the visit at which the gate is decided."""
        first = self.early.visits
        points = geometric_integers(first, self.last + 1, 1.05)
        drift = np.diff(mean_logit(self.early.cell, points)) / np.diff(points)
        times = [first]
        position = 0
        while times[-1] < self.last:
            visits = times[-1]
            while position < drift.size - 1 and points[position + 1] <= visits:
                position += 1
            times.append(min(visits + self._block(visits, float(drift[position])), self.last))
        return np.array(times)

    def _block(self, visits: int, drift: float) -> int:
        if visits < _ONE_BY_ONE:
            return 1
        size = int(_RATIO * visits)
        if self.variance > 0:
            size = min(size, int(_LARGEST_DRIFT * self.deviation(visits) / max(abs(drift), 1e-300)))
            large = 1 - self.diffusion(size, math.inf).probability
            if large > 0:
                size = min(size, max(int(0.95 * _RARE / large), int(_FINEST_BLOCK * visits)))
            if drift < 0:
                size = min(size, int(self.variance / drift**2))
        return max(size, int(_SMALLEST_RATIO * visits), 1)

    def deviation(self, visits: int) -> float:
        """Standard deviation of the log-odds."""
        return math.sqrt(self.moments[1] + (visits - self.early.visits) * self.variance)

    def diffusion(self, block: float, most: float = _RARE) -> Diffusion:
        """Steps that are not large beside the diffusion of a block; all of them where large ones are not rare."""
        values, weights = self.excess.values, self.excess.probabilities
        kept = np.ones(values.size, dtype=bool)
        while True:
            probability = float(weights[kept].sum())
            mean = float(values[kept] @ weights[kept]) / probability
            variance = float(weights[kept] @ (values[kept] - mean) ** 2) / probability
            smaller = kept & (np.abs(values - mean) <= _LARGE_STEP * math.sqrt(variance * max(block, 1)))
            if smaller.sum() in (kept.sum(), 0) or block * float(weights[~smaller].sum()) > most:
                break
            kept = smaller
        key = kept.tobytes()
        if key not in self._diffusions:
            law = LossLaw(values[kept], weights[kept] / probability)
            self._diffusions[key] = Diffusion(probability if not kept.all() else 1.0, law, mean_overshoot(law))
        return self._diffusions[key]


@dataclass(frozen=True, eq=False)
class _Stage:
    """Blocks that share a grid."""

    late: LateVisits
    grid: WalkGrid
    refinement: int
    reflecting: bool
    _reflected: dict[int, ComplexArray] = field(default_factory=dict, repr=False)

    @cached_property
    def step(self) -> ComplexArray:
        """Logarithm of the characteristic function of a step without its mean."""
        law = self.late.excess
        if self.refinement > _MOST_REFINEMENTS:
            t = self.grid.frequencies
            third = float(law.probabilities @ (law.values - law.mean) ** 3)
            return np.asarray(-0.5 * t * t * law.variance - 1j * t**3 * third / 6)
        return self._centred(law)

    def _centred(self, law: LossLaw) -> ComplexArray:
        moved = LossLaw(law.values - self.late.excess.mean, law.probabilities)
        logarithm = log_characteristic(self.grid, moved, self.refinement)
        # A clock may run between whole visits: the logarithm has to be continuous then.
        return np.asarray(logarithm.real + 1j * np.unwrap(logarithm.imag))

    @cached_property
    def start(self) -> ComplexArray:
        """Characteristic function of the log-odds after the first visits."""
        early, t = self.late.early, self.grid.frequencies
        if self.refinement > _MOST_REFINEMENTS:
            mean, variance = self.late.moments
            return np.asarray(np.exp(1j * t * mean - 0.5 * t * t * variance))
        noisy, weights = early.likely(early.visits)
        own = log_characteristic(self.grid, early.cell.loss.own, self.refinement)
        seldom = log_characteristic(self.grid, early.cell.loss.noisy, self.refinement)
        known, variance_of = early.known(early.visits, noisy), early.counts.rise_variance[noisy]
        total = np.zeros(t.size, dtype=np.complex128)
        for count, weight, shift, variance in zip(noisy.tolist(), weights, known, variance_of, strict=True):
            total += weight * np.exp(
                (early.visits - count) * own + count * seldom + 1j * t * shift - t * t * variance / 2
            )
        return np.asarray(total / weights.sum())

    def back(self, values: Array, block: float, drift: float) -> Array:
        """Expectation of a function after a block, over paths that are not below in between."""
        grid = self.grid
        moved = grid.shift(drift) if self.refinement == 0 else np.exp(1j * grid.frequencies * drift)
        transformed = grid.transform(values)
        everything = np.exp(block * self.step) * moved
        result = grid.inverse(transformed * self._smooth(everything))
        if not self.reflecting:
            return np.clip(result[: grid.cells], 0.0, 1.0)
        diffusion = self.late.diffusion(block)
        alone = result
        if diffusion.probability < 1:
            alone = grid.inverse(transformed * self._smooth(np.exp(block * self._step_of(diffusion)) * moved))
        return np.clip(result[: grid.cells] - self._image(result, alone, diffusion, block, drift), 0.0, 1.0)

    def _step_of(self, diffusion: Diffusion) -> ComplexArray:
        key = id(diffusion)
        if key not in self._reflected:
            self._reflected[key] = self._centred(diffusion.law) + math.log(diffusion.probability)
        return self._reflected[key]

    def _smooth(self, characteristic: ComplexArray) -> ComplexArray:
        """Without what the cells are too wide for: a function with jumps would ring."""
        if self.refinement == 0 or abs(characteristic[-1]) < 1e-3:
            return characteristic
        return np.asarray(characteristic * np.exp(-0.5 * (self.grid.frequencies * self.grid.width) ** 2))

    def _image(self, result: Array, alone: Array, diffusion: Diffusion, block: float, drift: float) -> Array:
        grid = self.grid
        height = grid.centres + diffusion.overshoot
        mean = drift + block * (diffusion.law.mean - self.late.excess.mean)
        variance = block * diffusion.law.variance
        if variance == 0:
            return np.zeros(grid.cells)
        exponent = -2 * mean * height / variance
        places = grid.start + (np.arange(-grid.below, grid.cells) + 0.5) * grid.width
        mirrored = np.interp(
            -grid.centres - 2 * diffusion.overshoot,
            places,
            np.concatenate([alone[grid.length - grid.below :], alone[: grid.cells]]),
        )
        image = np.maximum(mirrored, 0.0) * np.exp(np.clip(exponent, -700, _LARGEST_EXPONENT))
        here = np.maximum(result[: grid.cells], 0.0)
        image = np.where(exponent < _LARGEST_EXPONENT, np.minimum(image, here), 0.0)
        return np.asarray(np.where(height > 0, image, here))


def backward(late: LateVisits, width: float) -> tuple[list[tuple[int, float]], tuple[Array, Array] | None]:
    """Probability that the gate is at or above 1/2 from a visit on, at the ends of the blocks.

    Parameters
    ----------
    late : LateVisits
        The later visits.
    width : float
        Width of the finest cells.

    Returns
    -------
    found : list of (int, float)
        Visits and probabilities.
    at_first : (ndarray, ndarray) or None
        Log-odds, and the probability given them, at the last of the first visits; ``None`` where nothing was left
        before.
    """
    times = late.times
    blocks = np.diff(times)
    mean = mean_logit(late.early.cell, times)
    clock = late.clock(times)
    ticks = np.diff(clock)
    deviation = np.sqrt(late.moments[1] + clock * late.variance)
    stages = _stages(late, blocks, ticks, np.diff(mean), width)
    found: list[tuple[int, float]] = []
    values, points = np.ones(1), np.zeros(1)
    for stage in np.unique(stages)[::-1].tolist():
        members = np.flatnonzero(stages == stage)[::-1]
        open_ = members[mean[members] + 4 * deviation[members] > 0]
        if not open_.size:
            return found, None
        grid = _grid(late, width * 2.0 ** (stage // 2), bool(stage % 2), open_, (mean, deviation, ticks))
        here = _Stage(late, grid, stage // 2, bool(stage % 2))
        values = np.interp(grid.centres, points, values)
        for i in open_.tolist():
            values = here.back(values, float(ticks[i]), float(mean[i + 1] - mean[i]))
            since = np.exp(clock[i] * here.step + 1j * grid.frequencies * (mean[i] - mean[0]))
            probability = float(grid.expectation(grid.transform(values * grid.not_below), here.start * since))
            found.append((int(times[i]), min(max(probability, 0.0), 1.0)))
            if probability < NOTHING:
                return found, None
        if open_.size < members.size:
            return found, None
        points = grid.centres
    return found, (points, values)


def forward(late: LateVisits, first: WalkGrid, masses: Array) -> list[float]:
    """Probability that the gate has not been below 1/2, at each later visit, down to where nothing is left.

    Parameters
    ----------
    late : LateVisits
        The later visits; all are taken one by one.
    first : WalkGrid
        Cells of the first visits.
    masses : ndarray, shape (cells,)
        Probability of each of them, and of not having been below, after the first visits.
    """
    times = np.arange(late.early.visits, late.last + 1)
    mean = mean_logit(late.early.cell, times)
    clock = late.clock(times)
    deviation = np.sqrt(late.moments[1] + clock * late.variance)
    members = np.arange(times.size - 1)[::-1]
    grid = _grid(late, first.width, False, members, (mean, deviation, np.diff(clock)))
    kept = np.zeros(max(grid.cells, masses.size))
    kept[: masses.size] = masses
    masses = kept[: grid.cells]
    masses[-1] += float(kept[grid.cells :].sum())
    step = _Stage(late, grid, 0, False).step
    above: list[float] = []
    for drift, ticks in zip(np.diff(mean).tolist(), np.diff(clock).tolist(), strict=True):
        whole = np.zeros(grid.length)
        whole[: grid.cells] = masses
        spread = np.maximum(grid.inverse(np.fft.rfft(whole) * np.conj(np.exp(ticks * step) * grid.shift(drift))), 0.0)
        masses = spread[: grid.cells]
        masses[-1] += float(spread[grid.cells : grid.length - grid.below].sum())
        above.append(min(float(masses.sum()), above[-1] if above else 1.0))
        # With a rising mean, what has stayed above for half of all visits stays there.
        settled = drift > 0 and len(above) > 50 and above[len(above) // 2] - above[-1] < NOTHING / 10
        if above[-1] < NOTHING or settled:
            break
    return above


def _stages(
    late: LateVisits, blocks: NDArray[np.int64], ticks: Array, drifts: Array, width: float
) -> NDArray[np.int64]:
    """For each block twice the refinement of its grid, plus one where it is reflected; these do not fall with time."""
    spread = np.maximum(np.sqrt(ticks * late.variance) / CELLS_PER_DEVIATION, np.abs(drifts) / 64)
    refinement = np.maximum(np.floor(np.log2(np.maximum(spread / width, 1.0))), 0).astype(np.int64)
    refinement = np.maximum.accumulate(refinement)
    reflecting = np.maximum.accumulate(blocks > 1) & (late.variance > 0)
    return np.maximum.accumulate(2 * refinement + reflecting)


def _grid(
    late: LateVisits,
    width: float,
    reflecting: bool,
    members: NDArray[np.intp],
    course: tuple[Array, Array, Array],
) -> WalkGrid:
    mean, deviation, ticks = course
    ends = np.append(members, members[0] + 1)
    highest = max(float((mean[ends] + REACH * deviation[ends]).max()), width)
    lowest = float((mean[members] - 6 * deviation[members]).min())
    overshoot = late.diffusion(1 << 60).overshoot if reflecting else 0.0
    cells = math.ceil((highest + overshoot) / width) + 1
    steps = 8 * np.sqrt(ticks[members] * late.variance) + np.abs(np.diff(mean)[members])
    reach = math.ceil(float(steps.max()) / width) + 8
    below = max(
        reach, math.ceil(-lowest / width) + 8, cells + math.ceil(2 * overshoot / width) + 8 if reflecting else 0
    )
    return WalkGrid(width, -overshoot, cells, below, max(reach, cells // 2))
