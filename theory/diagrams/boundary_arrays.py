r"""Boundaries of many problems at once: sharp, instantaneous and asymptotic, in visits of one class."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.special import lambertw

from theory.diagrams.gate_arrays import GateRows, rough_gates
from theory.diagrams.gate_inversion import OpenGates, all_nodes, open_gates, resolved_log_odds
from theory.diagrams.gate_search import last_rises
from theory.gating.curve import LARGEST_VISITS
from theory.in_weight import limit_constants
from theory.numerics.special import frullani_nodes, log_rising
from theory.transitions.crossing import FROM_THE_START, NOT_YET, last_rise

Array = NDArray[np.float64]
Indices = NDArray[np.intp]

_ROUGH_RATIO, _RATIO = 1.35, 1.2
_TEETH = 16
_FAR = 0.25
_CHUNK = 1 << 12
_BLOCK = 1 << 17


def asymptotic_boundaries(gates: GateRows, risk: Array) -> Array:
    r"""``theory.transitions.boundaries.asymptotic_visits`` for every problem; infinite where it has no value.

    Parameters
    ----------
    gates : GateRows
        The problems.
    risk : ndarray, shape (problems,)
        In-context risk of each.
    """
    gap = risk - gates.entropy
    a, kappa = limit_constants(gates.total_labels, gates.pseudo_count, gates.noise, gates.noisy_labels)
    possible = gap > 0
    width = a / np.where(possible, gap, 1.0)
    u = np.where(possible, (kappa - gates.prior_log_odds / gates.rate) / a + np.log(width), 0.0)
    root = np.full(risk.shape, NOT_YET)
    solvable = u >= 1
    root[solvable] = width[solvable] * _lower_lambert(u[solvable])
    return root


def _lower_lambert(u: Array) -> Array:
    """Larger root of w - log w = u for u of at least 1: ``theory.transitions.boundaries.lower_lambert`` for arrays."""
    argument = np.maximum(-np.exp(-np.minimum(u, 700.0)), -np.exp(-1.0))
    near = -np.asarray(lambertw(np.where(argument > -np.exp(-1.0), argument, -0.1), -1)).real
    far = u.copy()
    for _ in range(8):
        far = u + np.log(far)
    return np.where(u >= 700, far, np.where(argument > -np.exp(-1.0), near, 1.0))


def instantaneous_boundaries(gates: GateRows, risk: Array) -> Array:
    r"""Visits at which the in-weight risk last falls through the in-context risk, exactly, for every problem.

    Returns
    -------
    ndarray, shape (problems,)
        ``NOT_YET`` where it is never below, ``FROM_THE_START`` where it is below from the first visit on.
    """
    a, _ = limit_constants(gates.total_labels, gates.pseudo_count, gates.noise, gates.noisy_labels)
    result = np.full(risk.size, NOT_YET)
    open_ = np.flatnonzero(risk > gates.entropy)
    gap = risk[open_] - gates.entropy[open_]
    guess = np.minimum(np.ceil(1.5 * a[open_] / gap) + 4, LARGEST_VISITS)

    def advantage(which: Indices, n: Array) -> Array:
        return 0.5 + (risk[open_[which]] - in_weight_risks(gates, open_[which], n))

    def linear(value: Array) -> Array:
        return value - 0.5

    result[open_] = last_rises(advantage, guess, ratio=1.25, largest=LARGEST_VISITS, fine=0.0, transform=linear)
    return result


def in_weight_risks(gates: GateRows, problems: Indices, visits: Array) -> Array:
    """Exact risk of the table after a number of visits of each problem: ``theory.in_weight.risk`` for arrays."""
    noise, labels = gates.noise[problems], gates.noisy_labels[problems]
    b, total = gates.pseudo_count[problems], (gates.total_labels * gates.pseudo_count)[problems]
    result = np.log1p((total - b) / (visits + b))
    noisy = np.flatnonzero(noise > 0)
    if not noisy.size:
        return result
    nodes, step = frullani_nodes(float((visits + total).max()) + 1, float(b.min()))
    rows = max(1, _BLOCK // nodes.size)
    for start in range(0, noisy.size, rows):
        some = noisy[start : start + rows]
        n, eta, number = visits[some, None], noise[some, None], labels[some, None]
        value = -np.exp(-(n + total[some, None]) * nodes)
        decay, fall = b[some, None] * nodes, np.expm1(-nodes)
        for count, probability in ((1.0, 1 - eta), (number, eta / number)):
            # The clip only keeps log1p off its pole, see theory.numerics.special.log_generating.
            generating = np.log1p(np.maximum(probability * fall, -1 + 1e-16))
            value += count * probability * np.exp(n * generating - decay)
        result[some] = step * value.sum(axis=1)
    return result


def sharp_boundaries(gates: GateRows, risk: Array, undecided: NDArray[np.bool_]) -> Array:
    r"""Last rise of the mean gate through 1/2 in visits, for every problem.

    Parameters
    ----------
    gates : GateRows
        The problems.
    risk : ndarray, shape (problems,)
        In-context risk of each.
    undecided : ndarray of bool, shape (problems,)
        Which problems have a boundary at all; the others get ``NOT_YET``.

    Returns
    -------
    ndarray, shape (problems,)
        See ``theory.transitions.crossing.last_rise``.
    """
    result = np.full(risk.size, NOT_YET)
    problems = np.flatnonzero(undecided)
    guess = np.clip(np.ceil(1.5 * _won_for_certain(gates, risk)[problems]) + 4, 1, LARGEST_VISITS)
    rough = last_rises(
        lambda which, n: rough_gates(gates, problems[which], n), guess,
        ratio=_ROUGH_RATIO, largest=LARGEST_VISITS, fine=1e-2,
    )  # fmt: skip
    start = np.where(rough == FROM_THE_START, guess, np.ceil(1.4 * rough) + 6)
    start = np.minimum(start, LARGEST_VISITS)
    lower = np.where(rough == FROM_THE_START, 1.0, np.maximum(np.floor(0.5 * np.minimum(rough, start)), 1.0))
    far = _FAR
    while problems.size:
        found = _search(gates, problems, lower, start)
        result[problems] = found
        # A boundary above the start lies where the nodes are too coarse, one far below it where they may be too few,
        # being made for all that lies between: once more from there.
        again = np.flatnonzero(np.isfinite(found) & ((found > start) | (found < far * start)))
        lower, start = np.maximum(np.floor(0.5 * found[again]), 1.0), np.ceil(1.4 * found[again]) + 6
        problems, far = problems[again], 0.0
    return result


def _won_for_certain(gates: GateRows, risk: Array) -> Array:
    r"""Visits, up to a factor of 2, from which on the expected log-odds are positive, whatever they did before.

    :math:`E\Lambda_n \le nH + V(n)` with the concave pointwise redundancy :math:`V` (``theory.numerics.redundancy``):
    once :math:`d_0/\lambda + n\Delta - V(n)` is positive and grows, it stays so.
    """
    advantage, gap = gates.prior_log_odds / gates.rate, risk - gates.entropy

    def surplus(n: Array) -> Array:
        return np.asarray(advantage + n * gap - _redundancy(gates, n), dtype=np.float64)

    visits = np.full(risk.shape, 4.0)
    here = surplus(visits)
    for _ in range(64):
        later = surplus(2 * visits)
        open_ = (here <= 0) | (later <= here)
        if not open_.any():
            break
        visits = np.where(open_, np.minimum(2 * visits, LARGEST_VISITS), visits)
        here = np.where(open_, surplus(visits), here)
    return visits


def _redundancy(gates: GateRows, n: Array) -> Array:
    """``theory.numerics.redundancy.pointwise_redundancy`` for every problem."""
    b = gates.pseudo_count
    support = 1 + np.where(gates.noise > 0, gates.noisy_labels, 0)
    common = log_rising(gates.total_labels * b, n) - log_rising(np.maximum(b, 0.5), n)
    spread = support * (log_rising(0.5, n / support) - log_rising(b, n / support))
    return np.asarray(common + np.where(b < 0.5, spread, 0.0), dtype=np.float64)


def _search(gates: GateRows, problems: Indices, lower: Array, start: Array) -> Array:
    result = np.empty(problems.size)
    for which, part in gates_at_nodes(gates, problems, lower, start):
        found = last_rises(part.mean_gates, start[which], ratio=_RATIO, largest=LARGEST_VISITS)
        result[which] = _later_rises(part, found)
    return result


def _later_rises(part: OpenGates, found: Array) -> Array:
    """The same boundaries, or later ones where a gate with teeth falls below 1/2 once more."""
    teeth = np.isfinite(found) & ~part.is_smooth(
        np.arange(found.size), np.maximum(np.nan_to_num(found, posinf=1.0), 1.0)
    )
    chosen = np.flatnonzero(teeth)
    after = np.floor(found[chosen, None]) + 1
    grid = np.concatenate([after + np.arange(_TEETH), np.rint(after * 1.06 ** np.arange(1, 9))], axis=1)
    grid.sort(axis=1)
    gate = part.mean_gates(np.repeat(chosen, grid.shape[1]), grid.ravel()).reshape(grid.shape)
    for index in np.flatnonzero((gate < 0.5).any(axis=1)).tolist():
        points, first = np.unique(grid[index], return_index=True)
        found[chosen[index]] = last_rise(points, gate[index, first], 0.5)
    return found


def gates_at_nodes(
    gates: GateRows, problems: Indices, lower: Array, upper: Array
) -> Iterator[tuple[Indices, OpenGates]]:
    """Problems in parts that are resolved by equally many nodes between two numbers of visits, with their tables.

    Yields
    ------
    which : ndarray of int
        Positions in ``problems``.
    part : OpenGates
        These problems.
    """
    reach = resolved_log_odds(gates, problems, lower, upper)
    every = all_nodes(gates, problems, reach)
    for nodes in np.unique(every).tolist():
        chosen = np.flatnonzero(every == nodes)
        for begin in range(0, chosen.size, _CHUNK):
            chunk = chosen[begin : begin + _CHUNK]
            table = open_gates(gates, problems[chunk], reach[chunk], nodes)
            yield chunk, table
