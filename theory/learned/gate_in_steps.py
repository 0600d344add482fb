r"""Mean gate over the steps of the stream while attention learns its temperature.

Given the deterministic path of the temperature (``theory.learned.temperature``), the visits of a class within :math:`N`
steps are a random subset of the steps, independent of the labels, and the table's losses depend on label counts alone.
So given the number :math:`n` of visits, :math:`S_n` is a sum of losses at :math:`n` random steps: were the steps drawn
with replacement, its characteristic function would be :math:`\bar\varphi^n` with the average over time
:math:`\bar\varphi`. Without replacement two visits are a little different from each other,

.. math:: E\prod_{i=1}^n \varphi_{t_i} \approx \bar\varphi^{\,n}
    \exp\Bigl(-\frac{n(n-1)}{2(N-1)}\,\overline{(\varphi_t/\bar\varphi - 1)^2}\Bigr),

exact to first order in :math:`n/N`, and for at most one visit. The mean over the binomial number of visits is
:math:`E\alpha(N)`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from theory.gating.cell import GateCell, Spectrum, logit_spread
from theory.gating.curve import LARGEST_STEPS
from theory.gating.mean_gate import mean_gate
from theory.in_weight import expected_cumulative_loss
from theory.learned.loss_history import AverageLoss, LossHistory, LossWaves
from theory.learned.temperature import TemperaturePath
from theory.numerics.special import binomial_law
from theory.transitions.crossing import geometric_integers

Array = NDArray[np.float64]

_LARGEST_RISE = 0.03
_FIRST_NODES = 13
_SINGLE_VISITS = 8
_LEAST_TAIL = 1e-9


@dataclass(frozen=True, eq=False)
class _VisitsWithin(GateCell):
    """A gate cell after so many visits of its class within the first steps, no step visited twice."""

    steps: int = field(kw_only=True)
    visits: int = field(kw_only=True)
    waves: Callable[[int], tuple[Array, LossWaves]] = field(kw_only=True)

    def spectrum(self, level: int) -> Spectrum:
        nodes, waves = self.waves(level)
        # Every visit of the cell with every other one, half of what they share to each, label counts at their mean.
        pairs = 0.5 * max(self.visits * self.share - 1, 0.0) / max(self.steps - 1, 1)
        noise = self.labels.noise
        own = np.exp(-pairs * ((1 - noise) * waves.own_spread + noise * waves.cross_spread))
        noisy = np.exp(-pairs * ((1 - noise) * waves.cross_spread + noise * waves.noisy_spread))
        groups = tuple(np.asarray(group * noisy, dtype=np.complex128) for group in waves.groups)
        return Spectrum(nodes, waves.own * own, waves.noisy * noisy, groups)


@dataclass(frozen=True, eq=False)
class LearnedCell:
    """A gate cell of a class whose in-context losses change with time.

    Parameters
    ----------
    cell : GateCell
        Prior, labels, table and share of the cell; its in-context loss is not used.
    history : LossHistory
        The in-context losses.
    """

    cell: GateCell
    history: LossHistory

    def within(self, steps: int) -> Callable[[int], float]:
        r"""Function from visits :math:`n` to the mean gate, given that they came within the first steps."""
        average = self.history.average(steps)
        averaged = replace(self.cell, loss=average.loss, _cache={})
        waves = _waves_of(averaged, average)
        own = {entry.name: getattr(averaged, entry.name) for entry in fields(averaged) if entry.name != "_cache"}

        def mean_gate_after(visits: int) -> float:
            return mean_gate(_VisitsWithin(**own, steps=steps, visits=visits, waves=waves), visits)

        return mean_gate_after

    def is_open(self, steps: int, probability: float) -> bool:
        """Whether the gate may still be undecided after the steps (with a wide margin, for bracketing only)."""
        visits = steps * probability
        lost = float(expected_cumulative_loss(visits, self.cell.labels, self.cell.pseudo_count))
        gap = self.cell.rate * self.cell.share * (probability * self.history.total_risk(steps) - lost)
        averaged = replace(self.cell, loss=self.history.average_law(steps), _cache={})
        # What the number of visits adds to the spread: its own, times the gap at one visit.
        spread = float(logit_spread(averaged, visits)) + abs(gap) / math.sqrt(max(visits, 1.0))
        return abs(self.cell.prior_log_odds + gap) <= 9 * spread + 40

    def final_gate(self, path: TemperaturePath, probability: float) -> float:
        r"""Limit of the mean gate after infinitely many steps: 0 or 1.

        Without noise and floor the in-context risk falls to 0 like :math:`c/(p_x t)`, and the in-context predictor's
        losses grow like :math:`c\log t`, those of the table like :math:`(C - 1)b\log t`.
        """
        limit, entropy = self.history.risk_at(path.limit), self.cell.labels.entropy
        if limit > 0 or entropy > 0:
            return float(limit > entropy * (1 + 1e-14))
        late = 1e12 * max(1.0, 1 / probability)
        growth = probability * late * self.history.risk_at(float(path.at(np.array([late]))[0]))
        return float(growth > (self.cell.labels.total_labels - 1) * self.cell.pseudo_count)


def _waves_of(cell: GateCell, average: AverageLoss) -> Callable[[int], tuple[Array, LossWaves]]:
    known: dict[int, tuple[Array, LossWaves]] = {}

    def waves(level: int) -> tuple[Array, LossWaves]:
        if level not in known:
            nodes = cell.spectrum(level).nodes
            known[level] = nodes, average.waves(cell.rate * nodes)
        return known[level]

    return waves


@dataclass(frozen=True, eq=False)
class LearnedCurve:
    r"""Mean gate :math:`E\alpha(N)` of one class against the steps of the stream.

    Parameters
    ----------
    cells : mapping
        Gate cells of the class by name, with the probability that a prompt is of the cell; these sum to one.
    """

    cells: Mapping[str, tuple[float, LearnedCell]]

    @cached_property
    def prior(self) -> float:
        """Mean gate before the first step."""
        return sum(weight * float(expit(cell.cell.prior_log_odds)) for weight, cell in self.cells.values())

    def last_open_step(self, class_probability: float) -> int:
        """Steps after which the gate of every cell is decided, with a margin."""
        grid = geometric_integers(1, LARGEST_STEPS, 1.5)
        is_open = [any(cell.is_open(int(n), class_probability) for _, cell in self.cells.values()) for n in grid]
        last = np.flatnonzero(is_open)
        return int(grid[min(int(last[-1]) + 1, grid.size - 1)]) if last.size else 2

    def at_steps(self, steps: int, class_probability: float) -> float:
        r""":math:`E\alpha(N)` of a class of probability :math:`p_x`."""
        visits, weights = _central(*binomial_law(steps, class_probability))
        if steps == 0 or visits[-1] == 0:
            return self.prior
        functions = [(weight, cell.within(steps)) for weight, cell in self.cells.values()]
        return float(weights @ _interpolated(lambda n: sum(w * gate(n) for w, gate in functions), visits))


@dataclass(frozen=True, eq=False)
class LearnedGroupCurve:
    """Mean gate over a group of equally frequent classes, against the steps of the stream.

    Parameters
    ----------
    parts : sequence of (float, LearnedCurve)
        Curves of the kinds of classes in the group, with the share of classes of each kind; the shares sum to one.
    path : TemperaturePath
        The temperature.
    num_classes : int
        Number of classes in the group.
    class_probability : float
        Probability of one of them.
    """

    parts: Sequence[tuple[float, LearnedCurve]]
    path: TemperaturePath
    num_classes: int
    class_probability: float

    def at_steps(self, steps: int, class_probability: float) -> float:
        """Mean gate after N steps, for classes of the given probability."""
        return sum(share * curve.at_steps(steps, class_probability) for share, curve in self.parts)

    @cached_property
    def last_open_step(self) -> int:
        """Steps after which the gate of every class is decided, with a margin."""
        return max(curve.last_open_step(self.class_probability) for _, curve in self.parts)

    @property
    def final_gate(self) -> float:
        """Limit of the mean gate after infinitely many steps."""
        return sum(
            share * weight * cell.final_gate(self.path, self.class_probability)
            for share, curve in self.parts
            for weight, cell in curve.cells.values()
        )

    def risk_at(self, beta: float) -> float:
        """Mean in-context risk at an inverse temperature, in nats."""
        return sum(
            share * weight * cell.history.risk_at(beta)
            for share, curve in self.parts
            for weight, cell in curve.cells.values()
        )


def _central(visits: NDArray[np.int64], weights: Array) -> tuple[NDArray[np.int64], Array]:
    """All but what is rarer than 1e-9 at either end."""
    below = np.cumsum(weights)
    first, last = np.searchsorted(below, [_LEAST_TAIL, 1 - _LEAST_TAIL])
    kept = slice(int(first), min(int(last), visits.size - 1) + 1)
    return visits[kept], weights[kept] / weights[kept].sum()


def _interpolated(function: Callable[[int], float], visits: NDArray[np.int64]) -> Array:
    """Values of a smooth function of visits: monotone interpolation between nodes at most 0.03 apart in value."""
    from scipy.interpolate import PchipInterpolator

    # The first few visits move the gate up and down; after them it is smooth in the logarithm.
    single = np.flatnonzero(visits <= _SINGLE_VISITS)
    places = np.union1d(single, np.linspace(0, visits.size - 1, _FIRST_NODES).round().astype(np.int64))
    known = {place: function(int(visits[place])) for place in places.tolist()}
    while True:
        places = np.array(sorted(known))
        values = np.array([known[place] for place in places.tolist()])
        steep = (np.abs(np.diff(values)) > _LARGEST_RISE) & (np.diff(places) > 1)
        if not steep.any():
            break
        for low, high in zip(places[:-1][steep].tolist(), places[1:][steep].tolist(), strict=True):
            known[(low + high) // 2] = function(int(visits[(low + high) // 2]))
    if places.size == visits.size:
        return values
    return np.asarray(PchipInterpolator(np.log1p(visits[places]), values)(np.log1p(visits)), dtype=np.float64)
