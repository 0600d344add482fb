r"""Mean gate over the steps of the stream, for many problems at once.

After :math:`N` steps the visits of a class are Binomial(:math:`N`, :math:`p_x`), so that
:math:`E\alpha(N) = E f(n)` with :math:`f(n) = E\alpha_n`. Here :math:`f` is a broken line through nodes that are dense
around its last rise; the expectation of each of its kinks, :math:`E(n - a)^+`, is known.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit, ndtr

from theory.diagrams.boundary_arrays import gates_at_nodes
from theory.diagrams.gate_arrays import GateRows
from theory.diagrams.gate_search import last_rises
from theory.gating.curve import LARGEST_STEPS
from theory.numerics.special import binomial_log_probability
from theory.transitions.crossing import NOT_YET, geometric_integers

Array = NDArray[np.float64]
Indices = NDArray[np.intp]

_AROUND = np.array([-0.75, -0.55, -0.37, -0.22, -0.11, -0.04, 0.0, 0.04, 0.11, 0.22, 0.37, 0.6, 1.0, 2.2])
_FIRST = np.arange(4.0)
_LATE = 100.0
_DEVIATIONS = np.array([-6.0, -4.0, -2.6, -1.6, -0.75, 0.0, 0.75, 1.6, 2.6, 4.0, 6.0])
"""Beyond so many visits, nodes at these standard deviations of the visits around the boundary are enough."""
_EVERY_UP_TO = 10
_FINER = 4
_MOST_VISITS = 84
_FEW_VISITS = 32.0
_RATIO = 1.25


@dataclass(frozen=True, eq=False)
class StepGates:
    """Mean gates of problems as broken lines over the visits.

    Parameters
    ----------
    nodes, values : ndarray, shape (problems, nodes)
        Visits, increasing (neighbours may be equal), from 0 on, and the mean gate there.
    probability : ndarray, shape (problems,)
        Probability of one class of the problem.
    sharp : ndarray, shape (problems,)
        Boundary in visits.
    """

    nodes: Array
    values: Array
    probability: Array
    sharp: Array

    def mean_gates(self, problems: Indices, steps: Array) -> Array:
        """Mean gates after a number of steps of each problem, arrays of shape (k,)."""
        p = self.probability[problems]
        mean = steps * p
        result = np.empty(problems.size)
        few = mean <= _FEW_VISITS
        for chosen, kinks in ((np.flatnonzero(few), _few_visits), (np.flatnonzero(~few), _many_visits)):
            if chosen.size:
                rows = problems[chosen]
                tail = kinks(self.nodes[rows], steps[chosen], p[chosen])
                width = np.diff(self.nodes[rows], axis=1)
                slope = np.diff(self.values[rows], axis=1) / np.where(width > 0, width, 1.0)
                result[chosen] = self.values[rows, 0] + (slope * (tail[:, :-1] - tail[:, 1:])).sum(axis=1)
        return np.clip(result, 0.0, 1.0)

    def boundaries(self) -> Array:
        """Last rise of each mean gate through 1/2 over the steps, shape (problems,)."""
        result = np.full(self.sharp.size, NOT_YET)
        known = np.flatnonzero(np.isfinite(self.sharp) & (self.probability > 0))
        start = np.ceil((1.2 * self.sharp[known] + 4) / np.maximum(self.probability[known], 1e-290))
        result[known] = last_rises(
            lambda which, steps: self.mean_gates(known[which], steps),
            np.minimum(start, LARGEST_STEPS),
            ratio=_RATIO,
            largest=float(LARGEST_STEPS),
        )
        return result


def _few_visits(nodes: Array, steps: Array, p: Array) -> Array:
    """Expected excess of the visits over each node, by summing their law."""
    visits = np.arange(_MOST_VISITS)
    inside = visits <= steps[:, None]
    law = np.where(
        inside, np.exp(binomial_log_probability(np.minimum(visits, steps[:, None]), steps[:, None], p[:, None])), 0.0
    )
    later = np.cumsum(law[:, ::-1], axis=1)[:, ::-1]
    # E(n - a)^+ is the sum of P(n > i) over i >= a.
    excess = np.append(np.cumsum(later[:, :0:-1], axis=1)[:, ::-1], np.zeros((steps.size, 1)), axis=1)
    place = np.minimum(nodes, _MOST_VISITS - 1).astype(np.intp)
    return np.take_along_axis(excess, place, axis=1)


def _many_visits(nodes: Array, steps: Array, p: Array) -> Array:
    """The same by an Edgeworth expansion of their law on the integers."""
    mean = (steps * p)[:, None]
    spread = np.sqrt(mean * (1 - p[:, None]))
    spread = np.maximum(spread, 1e-9)
    z = (nodes - mean) / spread
    density = np.exp(-0.5 * z * z) / math.sqrt(2 * math.pi)
    skew = (1 - 2 * p[:, None]) / 6
    # The last term: a kink on a lattice point counts a twelfth of the density more than its integral.
    return np.asarray(spread * (density - z * ndtr(-z)) + skew * z * density + density / (12 * spread))


def step_gates(gates: GateRows, sharp: Array, probability: Array, most_steps: float = 0.0) -> StepGates:
    """Broken lines of the mean gates of all problems.

    Parameters
    ----------
    gates : GateRows
        The problems.
    sharp : ndarray, shape (problems,)
        Their boundaries in visits.
    probability : ndarray, shape (problems,)
        Probability of one class of each.
    most_steps : float
        Steps up to which the mean gate is asked for, beyond what its boundary needs.
    """
    nodes = _nodes(sharp, float((most_steps * probability).max(initial=0.0)))
    values = np.empty_like(nodes)
    values[:, 0] = expit(gates.prior_log_odds)
    # Few nodes for one set of characteristic functions where they reach far beyond the last rise.
    together = nodes.shape[1] - 1 if most_steps == 0 else 4
    everything = np.arange(sharp.size)
    for first in range(1, nodes.shape[1], together):
        columns = slice(first, first + together)
        low, high = (nodes[:, columns].min(axis=1), nodes[:, columns].max(axis=1))
        if most_steps == 0:
            centre = np.where(np.isfinite(sharp), sharp, 1.0)
            low, high = np.maximum(np.floor(0.5 * centre), 1.0), np.ceil(2.0 * centre) + 3
        for which, part in gates_at_nodes(gates, everything, np.maximum(low, 1.0), high):
            inside = np.arange(which.size)
            for column in range(first, min(first + together, nodes.shape[1])):
                # Neighbouring nodes may be the same.
                values[which, column] = values[which, column - 1]
                new = inside[nodes[which, column] != nodes[which, column - 1]]
                values[which[new], column] = part.mean_gates(new, nodes[which[new], column])
    return StepGates(*finer_nodes(nodes, values), probability, sharp)


def finer_nodes(nodes: Array, values: Array) -> tuple[Array, Array]:
    """More nodes between, on which the logit of the gate is linear in the logarithm of the visits."""
    share = np.arange(_FINER) / _FINER
    x, y = np.log1p(nodes), logit(np.clip(values, 1e-9, 1 - 1e-9))
    width = np.diff(x, axis=1)[:, :, None]
    inner = np.rint(np.expm1(x[:, :-1, None] + width * share))
    weight = (np.log1p(inner) - x[:, :-1, None]) / np.where(width > 0, width, 1.0)
    gate = expit(y[:, :-1, None] + np.clip(weight, 0.0, 1.0) * np.diff(y, axis=1)[:, :, None])
    size = nodes.shape[0]
    return (
        np.append(inner.reshape(size, -1), nodes[:, -1:], axis=1),
        np.append(gate.reshape(size, -1), values[:, -1:], axis=1),
    )


def _nodes(sharp: Array, most_visits: float) -> Array:
    centre = np.where(np.isfinite(sharp) & (sharp > 0), sharp, 4.0)[:, None]
    around = np.append(_FIRST, np.zeros(_AROUND.size)) + np.append(np.zeros(_FIRST.size), 1 + _AROUND) * centre
    around = np.maximum(np.rint(around), 0.0)
    every = np.arange(around.shape[1], dtype=np.float64)
    nodes = np.where(centre <= _EVERY_UP_TO, every, around)
    if most_visits == 0:
        late = np.rint(centre + np.sqrt(centre) * _DEVIATIONS)
        late = np.concatenate([np.zeros_like(centre), late], axis=1)
        late = np.pad(late, ((0, 0), (0, nodes.shape[1] - late.shape[1])), mode="edge")
        nodes = np.where(centre > _LATE, late, nodes)
    if most_visits > 0:
        reach = math.ceil(most_visits + 8 * math.sqrt(most_visits) + 20)
        wide = geometric_integers(1, reach, 1.3).astype(np.float64)
        nodes = np.concatenate([nodes, np.broadcast_to(wide, (sharp.size, wide.size))], axis=1)
    return np.asarray(np.sort(nodes, axis=1), dtype=np.float64)
