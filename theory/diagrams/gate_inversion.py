r"""Mean gate of many classes and settings at once, by inversion of the characteristic function.

The inversion of ``theory.gating.mean_gate`` with a coarser step: :math:`h` such that the log-odds stay within the
period but for a probability of about 1e-4 rather than 1e-10, and at most 64 nodes (256 for losses of few values),
beyond which lattice laws may still contribute. The errors are in docs/agreement.md.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from theory.diagrams.gate_arrays import (
    GateRows,
    LabelCounts,
    count_stride,
    label_counts,
    log_ratio,
    number_of_counts,
    rough_gates,
    rough_moments,
)
from theory.diagrams.prompt_arrays import PromptRows, loss_laws
from theory.diagrams.spread_waves import label_groups, skewed, spread_factor

Array = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]
Indices = NDArray[np.intp]

_MOST_NODES, _MOST_LATTICE_NODES = 64, 256
_FEW_LOSSES = 16
_FEW_NOISY = 8.0
_NODE_STEP = 8
_REACH, _TAIL = 8.0, 14.0
_LARGEST_FREQUENCY = 3.6
_DECAYED, _REVIVED, _TEETH = -14.0, -7.0, -4.0
_MOST_LOSSES = 256
_BLOCK = 1 << 18


@dataclass(frozen=True, eq=False)
class OpenGates:
    """Characteristic functions of some problems' in-context losses, on nodes that suit a range of visits.

    Parameters
    ----------
    gates : GateRows
        All problems.
    problems : ndarray of int, shape (k,)
        Which of them.
    step : ndarray, shape (k,)
        Distance of the nodes, the first of which lies at half of it.
    reach : ndarray, shape (k,)
        Log-odds that the nodes resolve.
    log_own, log_noisy : ndarray, complex, shape (rows, nodes)
        Logarithms of the characteristic functions of the two loss laws.
    first : ndarray of int, shape (k,)
        Where the rows of each problem start.
    groups : dict
        Filled as needed: for a row, the groups of noisy labels with different losses.
    """

    gates: GateRows
    problems: Indices
    step: Array
    reach: Array
    log_own: NDArray[np.complex128]
    log_noisy: NDArray[np.complex128]
    first: Indices
    groups: dict[int, list[tuple[int, ComplexArray]]] = field(default_factory=dict, repr=False)

    def mean_gates(self, which: Indices, visits: Array) -> Array:
        """Mean gates after a number of visits, for problems given by their position among these; shape as given."""
        problems = self.problems[which]
        _, at = self.gates.rows_of(problems)
        moments = rough_moments(self.gates, problems, visits)
        spread, distance = np.sqrt(moments.variance), np.abs(moments.mean)
        farthest, nearest = np.zeros(which.size), np.full(which.size, np.inf)
        np.maximum.at(farthest, at, distance + 0.5 * _REACH * spread)
        np.minimum.at(nearest, at, distance - 0.75 * _REACH * spread)
        # Beyond the reach the wave would turn; there, and where the sign is certain, the rough gate does.
        decided = (farthest + 0.5 * _TAIL > self.reach[which]) | (nearest > _TAIL)
        result = rough_gates(self.gates, problems, visits)
        still_open = np.flatnonzero(~decided)
        result[still_open] = self._inverted(which[still_open], visits[still_open])
        return result

    def _inverted(self, which: Indices, visits: Array) -> Array:
        """Mean gates by inversion, where this is needed."""
        problems = self.problems[which]
        tables, at = self._tables(which)
        left, smooth = self._size_left(tables, which[at], visits[at])
        matters = smooth | (left > _REVIVED)
        revivals = np.bincount(at, weights=(matters & ~smooth).any(axis=1), minlength=which.size) > 0
        number, complete = number_of_counts(self.gates, problems, visits, revivals)
        # Where some counts stand for all of them, their sum would have revivals of its own at later nodes.
        matters &= smooth | complete[at, None]
        gate = np.full(tables.size, 0.5)
        for size in np.unique(number).tolist():
            row, node = np.nonzero(matters & (number[at] == size)[:, None])
            for start in range(0, row.size, max(1, _BLOCK // size)):
                pairs = slice(start, start + max(1, _BLOCK // size))
                some, again = np.unique(at[row[pairs]], return_inverse=True)
                waves = self._waves(which[some], visits[some], size, again, tables[row[pairs]], node[pairs])
                gate += np.bincount(row[pairs], weights=waves, minlength=gate.size)
        rows, _ = self.gates.rows_of(problems)
        mean = np.bincount(at, weights=gate * self.gates.weight[rows], minlength=which.size)
        return np.asarray(np.clip(mean, 0.0, 1.0), dtype=np.float64)

    def is_smooth(self, which: Indices, visits: Array) -> NDArray[np.bool_]:
        """Whether the mean gate has no steps or teeth of a lattice law near a number of visits."""
        tables, at = self._tables(which)
        left, smooth = self._size_left(tables, which[at], visits[at])
        teeth = np.bincount(at, weights=((left > _TEETH) & ~smooth).any(axis=1), minlength=which.size)
        return np.asarray(teeth == 0)

    def _size_left(self, tables: Indices, at: Indices, visits: Array) -> tuple[Array, NDArray[np.bool_]]:
        """Logarithm of about the integrand's size, and which nodes come before the first at which it is negligible."""
        problems = self.problems[at]
        noise, ratio = self.gates.noise[problems][:, None], log_ratio(self.gates, problems, visits)
        t = self.step[at][:, None] * (np.arange(self.log_own.shape[1]) + 0.5)
        # Square of the characteristic function, as if the label counts added to the log-odds in proportion.
        own, noisy = self.log_own[tables], self.log_noisy[tables]
        turn = np.cos(noisy.imag - own.imag + t * (self.gates.rate[problems] * ratio)[:, None])
        # The table's losses are no such proportion while noisy labels are few: then the largest that it can be.
        turn[visits * self.gates.noise[problems] <= _FEW_NOISY] = 1.0
        both = (1 - noise) * np.exp(own.real), noise * np.exp(noisy.real)
        square = both[0] * both[0] + both[1] * both[1] + 2 * both[0] * both[1] * turn
        left = 0.5 * visits[:, None] * np.log(np.maximum(square, 1e-300))
        # Neighbouring counts, some of which are left out, have to be less than half a turn apart.
        rows = self.gates.first[problems] + tables - self.first[at]
        gap = ratio + self.gates.noisy.mean[rows] - self.gates.own.mean[rows]
        apart = self.gates.rate[problems] * np.abs(gap) * count_stride(self.gates, problems, visits)
        smooth = np.logical_and.accumulate((left > _DECAYED) & (t * apart[:, None] < math.pi), axis=1)
        # 1/sinh(pi t), which weighs the integrand, falls like exp(-pi t).
        return left - math.pi * t, smooth

    def _tables(self, which: Indices) -> tuple[Indices, Indices]:
        """Rows of the tables for some of the problems, and the position of its problem for each."""
        problems = self.problems[which]
        rows, at = self.gates.rows_of(problems)
        return self.first[which][at] + rows - self.gates.first[problems][at], at

    def _waves(self, which: Indices, visits: Array, number: int, at: Indices, tables: Indices, node: Indices) -> Array:
        """Integrand at some nodes, for rows of the tables and the positions of their problems."""
        problems = self.problems[which]
        counts = label_counts(self.gates, problems, visits, number)
        step, rate = self.step[which], self.gates.rate[problems][:, None]
        shift = self.gates.prior_log_odds[problems][:, None] + rate * counts.shift
        t = (node + 0.5) * step[at]
        own, noisy = counts.own[at], counts.noisy[at]
        log_own, log_noisy = self.log_own[tables, node][:, None], self.log_noisy[tables, node][:, None]
        # In turns: single precision is enough once whole turns are taken off.
        turns = t[:, None] * (shift / (2 * math.pi))[at]
        turns += own * (log_own.imag / (2 * math.pi))
        turns += noisy * (log_noisy.imag / (2 * math.pi))
        log_size = own * log_own.real
        log_size += noisy * log_noisy.real
        if np.any(counts.slow_variance):
            spread = self._log_spread(which, counts, at, tables, node)
            log_size += spread.real
            turns += spread.imag / (2 * math.pi)
        turns -= np.rint(turns)
        wave = np.exp(log_size.astype(np.float32))
        wave *= np.sin(np.float32(2 * math.pi) * turns.astype(np.float32))
        wave *= counts.weight.astype(np.float32)[at]
        return np.asarray(wave.sum(axis=1) * step[at] / np.sinh(math.pi * t), dtype=np.float64)

    def _log_spread(
        self, which: Indices, counts: LabelCounts, at: Indices, tables: Indices, node: Indices
    ) -> ComplexArray:
        """Logarithm of the characteristic function of how noise spreads over labels, at each node for each count.

        Where the losses depend on the noisy label, what they have beyond losses of labels drawn anew is part of it.
        """
        problems, visits = self.problems[which], counts.own[:, 0] + counts.noisy[:, 0]
        t = (node + 0.5) * self.step[which][at]
        variance = self.gates.rate[problems][:, None] ** 2 * counts.slow_variance
        result = (-0.5 * t * t)[:, None] * variance[at] + 0j
        exact = np.flatnonzero(skewed(self.gates, problems, visits, counts)[at])
        # A problem may be asked for at several visits: then its tables are at several places.
        for place, table in sorted(set(zip(at[exact].tolist(), tables[exact].tolist(), strict=True))):
            pairs = exact[(at[exact] == place) & (tables[exact] == table)]
            groups = [(number, law[node[pairs]]) for number, law in self._groups(int(which[place]), table)]
            factor = spread_factor(self.gates, int(problems[place]), counts, place, t[pairs], groups)
            result[pairs] = np.log(np.maximum(np.abs(factor), 1e-300)) + 1j * np.angle(factor)
            if groups:
                result[pairs] -= counts.noisy[place] * self.log_noisy[table, node[pairs]][:, None]
        return np.asarray(result, dtype=np.complex128)

    def _groups(self, position: int, table: int) -> list[tuple[int, ComplexArray]]:
        """Characteristic functions of the losses for each group of noisy labels, on all nodes; kept."""
        if table not in self.groups:
            problem, nodes = self.problems[position], self.log_own.shape[1]
            row = int(self.gates.first[problem] + table - self.first[position])
            step = self.gates.rate[[problem]] * self.step[[position]]
            self.groups[table] = [
                (number, np.exp(_log_characteristic(prompts, step, nodes, noisy=True)[0]))
                for number, prompts in label_groups(self.gates.prompts, row)
            ]
        return self.groups[table]


def resolved_log_odds(gates: GateRows, problems: Indices, lower: Array, upper: Array) -> Array:
    """Log-odds to be resolved between two numbers of visits of each problem."""
    _, at = gates.rows_of(problems)
    largest, farthest = np.zeros(problems.size), np.zeros(problems.size)
    for visits in (lower, upper):
        moments = rough_moments(gates, problems, visits)
        np.maximum.at(largest, at, np.sqrt(moments.variance))
        np.maximum.at(farthest, at, np.abs(moments.mean))
    reach = _REACH * largest + _TAIL
    return np.asarray(reach + np.minimum(farthest, 0.5 * reach), dtype=np.float64)


def all_nodes(gates: GateRows, problems: Indices, reach: Array) -> NDArray[np.int64]:
    """How many nodes there are, for each problem: more where the loss takes few values, as lattice laws do."""
    first = gates.first[problems]
    relevant, length = gates.prompts.relevant_examples[first], gates.prompts.context_length[first]
    few = (relevant > 0) & ((relevant + 1) * (length - relevant + 1) <= _FEW_LOSSES)
    nodes = np.ceil(_LARGEST_FREQUENCY * reach / (2 * math.pi) / _NODE_STEP) * _NODE_STEP
    most = np.where(few, _MOST_LATTICE_NODES, _MOST_NODES)
    return np.asarray(np.minimum(nodes, most), dtype=np.int64)


def open_gates(gates: GateRows, problems: Indices, reach: Array, nodes: int) -> OpenGates:
    """Characteristic functions for some problems.

    Parameters
    ----------
    gates : GateRows
        All problems.
    problems : ndarray of int, shape (k,)
        Which of them.
    reach : ndarray, shape (k,)
        Log-odds to be resolved.
    nodes : int
        Number of nodes.
    """
    rows, at = gates.rows_of(problems)
    step = 2 * math.pi / reach
    table_step = (gates.rate[problems] * step)[at]
    prompts = gates.prompts.take(rows)
    own = _log_characteristic(prompts, table_step, nodes, noisy=False)
    some_noise = gates.noise[problems][at] > 0
    noisy = np.zeros_like(own)
    if some_noise.any():
        noisy[some_noise] = _log_characteristic(
            prompts.take(np.flatnonzero(some_noise)), table_step[some_noise], nodes, noisy=True
        )
    number = gates.number[problems]
    return OpenGates(gates, problems, step, reach, own, noisy, np.cumsum(number) - number)


def _log_characteristic(prompts: PromptRows, step: Array, nodes: int, *, noisy: bool) -> NDArray[np.complex128]:
    """Logarithm of the characteristic function of a loss law, shape (rows, nodes)."""
    result = np.empty((step.size, nodes), dtype=np.complex128)
    for block, losses, weights in loss_laws(prompts, noisy=noisy):
        values, chances = _condensed(losses, weights)
        half_turn = np.exp(0.5j * step[block, None] * values)
        turn, wave = half_turn * half_turn, half_turn * chances
        for node in range(nodes):
            result[block, node] = wave.sum(axis=1)
            wave *= turn
    size = np.maximum(np.abs(result), 1e-300)
    return np.asarray(np.log(size) + 1j * np.angle(result), dtype=np.complex128)


def _condensed(losses: Array, weights: Array) -> tuple[Array, Array]:
    """At most 256 losses for each row: more are merged within narrow intervals at their mean."""
    if losses.shape[1] <= _MOST_LOSSES:
        return losses, weights
    possible = weights > 0
    low = np.where(possible, losses, np.inf).min(axis=1, keepdims=True)
    width = np.where(possible, losses, -np.inf).max(axis=1, keepdims=True) - low
    interval = ((losses - low) / np.where(width > 0, width, 1.0) * _MOST_LOSSES).astype(np.intp)
    interval = np.clip(interval, 0, _MOST_LOSSES - 1) + _MOST_LOSSES * np.arange(losses.shape[0])[:, None]
    cells = losses.shape[0] * _MOST_LOSSES
    total = np.asarray(np.bincount(interval.ravel(), weights=weights.ravel(), minlength=cells), dtype=np.float64)
    moment = np.bincount(interval.ravel(), weights=(weights * losses).ravel(), minlength=cells)
    values = np.asarray(moment / np.where(total > 0, total, 1.0), dtype=np.float64)
    return values.reshape(-1, _MOST_LOSSES), total.reshape(-1, _MOST_LOSSES)
