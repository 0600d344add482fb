r"""The scan engine: online learning of the stylized model without a loop over time.

Given the stream, the log-odds of a Bayes gate cell are a sum over the cell's past visits, and the in-weight table's
part of that sum depends on counts alone (a Dirichlet table is exchangeable). So a block of steps is reduced to sums
over (gate cell, interval between checkpoints); only the pairs that occur are touched. A gate per query and relevance
sees a share of its query's visits, so that its in-weight losses need the running counts: the steps are then grouped
by query with a stable sort.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, log_expit

from simulate.predictors import in_context_losses, in_weight_pseudo_count, summing_gate
from simulate.prompts import PromptStatistics
from theory.numerics.special import log_rising, stirling_remainder, stirling_series
from theory.setting import GatedPredictor, TaskDistribution

Array = NDArray[np.float64]
Indices = NDArray[np.intp]
Counts = NDArray[np.int64]

_DENSE_LIMIT = 16
"""Pairs (gate cell, interval) for each step of a block up to which they are counted in a dense array."""
_LARGE_START = 1e5
_TABULATED = 1 << 13
"""Counts up to which log rising factorials are looked up."""


@dataclass(frozen=True, eq=False)
class GateChanges:
    """How gate cells moved: one entry for each gate cell and checkpoint interval with a visit.

    Parameters
    ----------
    cell : ndarray of int, shape (k,)
        Gate cell, in increasing order; cells of one class lie together.
    checkpoint : ndarray of int, shape (k,)
        Index of the checkpoint that ends the interval, increasing within a cell.
    change : ndarray, shape (k,)
        Gate after the interval minus gate before it.
    """

    cell: Indices
    checkpoint: Indices
    change: Array


@dataclass(frozen=True, eq=False)
class LossTotals:
    """Sums over a replicate's steps so far, for each gate cell; shape (cells,), losses and regrets in nats.

    A regret is the gated predictor's loss minus that of one of its two parts.
    """

    visits: NDArray[np.int64]
    in_weight: Array
    in_context: Array
    gated: Array
    regret_in_weight: Array
    regret_in_context: Array


class Scan:
    """Learning state of one replicate; :meth:`advance` takes the next block of the stream.

    Parameters
    ----------
    task, model : TaskDistribution, GatedPredictor
        The setting.
    checkpoints : ndarray of int, shape (k,)
        Increasing numbers of steps; the last one is the number of steps.

    Raises
    ------
    NoEngineError
        A part of the model is not one of Dirichlet table, attention, Bayes or Hedge gate.
    """

    def __init__(self, task: TaskDistribution, model: GatedPredictor, checkpoints: NDArray[np.int64]) -> None:
        self._task = task
        self._losses = in_context_losses(model.in_context, task)
        self._pseudo_count = in_weight_pseudo_count(model.in_weight)
        self._gate = summing_gate(model.gate)
        self._checkpoints = checkpoints
        self._steps = 0
        classes = task.total_classes
        self._split = self._gate.per == "query-and-relevance"
        self.cells = classes * (2 if self._split else 1)
        size = max(min(int(checkpoints[-1]), _TABULATED), 16) + 1
        self._rise_total = _LogRising(self._pseudo_count * task.total_labels, size)
        self._rise_label = _LogRising(self._pseudo_count, size)
        self._visits = np.zeros(self.cells, dtype=np.int64)
        self._in_weight = np.zeros(self.cells)
        self._in_context = np.zeros(self.cells)
        self._gated = np.zeros(self.cells)
        self._alpha = np.full(self.cells, self._gate.prior_in_weight)
        # The table: how often each class was seen, how often with noise, and with which noisy label.
        self._seen = np.zeros(classes, dtype=np.int64)
        self._noisy = np.zeros(classes, dtype=np.int64)
        self._noisy_rise = np.zeros(classes)
        self._pairs = _PairCounts(task.total_labels)

    def advance(self, drawn: PromptStatistics) -> GateChanges:
        """Learn from the next prompts of the stream.

        Parameters
        ----------
        drawn : PromptStatistics
            The prompts; all their steps must lie within the checkpoints.
        """
        interval, first, count = self._intervals(drawn.steps)
        cell = 2 * drawn.query + (drawn.relevant_examples > 0) if self._split else drawn.query
        # A power of two in place of the number of intervals: shifts are cheaper than divisions.
        shift = (count - 1).bit_length()
        pairs = _Pairs.of((cell << shift) + interval, self.cells << shift)
        runs = _Runs.of(pairs.touched >> shift)
        visits = runs.running(pairs.steps, self._visits)
        losses = self._losses(drawn)
        in_context = runs.running(pairs.sums(losses), self._in_context)
        if self._split or self._gate.rate != 1:
            ranked = self._ranked_losses(drawn)
            in_weight = runs.running(pairs.sums(ranked), self._in_weight)
            if self._gate.rate != 1:
                self._add_gated_losses(cell, ranked, losses)
        else:
            in_weight = self._exchangeable_losses(drawn, pairs, runs, visits)
        alpha = expit(self._gate.prior_log_odds + self._gate.rate * (in_context - in_weight))
        change = alpha - runs.previous(alpha, self._alpha)
        for carried, values in (
            (self._visits, visits),
            (self._in_context, in_context),
            (self._in_weight, in_weight),
            (self._alpha, alpha),
        ):
            runs.keep_last(carried, values)
        self._steps += drawn.steps
        return GateChanges(pairs.touched >> shift, first + (pairs.touched & ((1 << shift) - 1)), change)

    def totals(self) -> LossTotals:
        r"""Losses so far; with a Bayes gate those of :math:`f` telescope, since it is a mixture of the two sequences.

        Source: ``cesabianchi2006prediction``;
        :math:`\sum \text{loss}(f) = -\log(\pi e^{-\Lambda} + (1-\pi) e^{-S})` in every gate cell.
        """
        if self._gate.rate != 1:
            return LossTotals(
                visits=self._visits.copy(),
                in_weight=self._in_weight.copy(),
                in_context=self._in_context.copy(),
                gated=self._gated.copy(),
                regret_in_weight=self._gated - self._in_weight,
                regret_in_context=self._gated - self._in_context,
            )
        prior = self._gate.prior_in_weight
        log_in_weight, log_in_context = np.log(prior), np.log1p(-prior)
        gap = self._in_weight - self._in_context
        return LossTotals(
            visits=self._visits.copy(),
            in_weight=self._in_weight.copy(),
            in_context=self._in_context.copy(),
            gated=-np.logaddexp(log_in_weight - self._in_weight, log_in_context - self._in_context),
            # Not as a difference of large sums: the regret is small, and its bound holds to the last digit.
            regret_in_weight=-np.logaddexp(log_in_weight, log_in_context + gap),
            regret_in_context=-np.logaddexp(log_in_weight - gap, log_in_context),
        )

    def by_class(self, values: NDArray[Any]) -> NDArray[Any]:
        """Sums of the cells' values over the cells of each class, shape (classes,)."""
        return np.asarray(values.reshape(self._seen.size, -1).sum(axis=1))

    @property
    def gates(self) -> Array:
        """The gate of every cell now, shape (cells,); read-only copy."""
        return self._alpha.copy()

    def _intervals(self, steps: int) -> tuple[Indices, int, int]:
        """Interval of every step (counted from the first one of the block), index of that one, and their number."""
        first = int(np.searchsorted(self._checkpoints, self._steps + 1))
        last = int(np.searchsorted(self._checkpoints, self._steps + steps))
        ends = np.minimum(self._checkpoints[first : last + 1] - self._steps, steps)
        return np.repeat(np.arange(ends.size), np.diff(ends, prepend=0)), first, int(ends.size)

    def _exchangeable_losses(self, drawn: PromptStatistics, pairs: _Pairs, runs: _Runs, visits: Counts) -> Array:
        """In-weight losses so far at every touched pair, from the counts alone."""
        steps = np.flatnonzero(drawn.label_offset.astype(np.bool_))
        noisy = runs.running(pairs.sums(at=steps), self._noisy)
        runs.keep_last(self._noisy, noisy)
        if self._task.noisy_labels == 1:
            noisy_rise = self._rise_label(noisy)
        else:
            before = self._pairs.count(drawn.query[steps], drawn.label_offset[steps])
            noisy_rise = runs.running(pairs.sums(np.log(before + self._pseudo_count), at=steps), self._noisy_rise)
            runs.keep_last(self._noisy_rise, noisy_rise)
        return self._rise_total(visits) - self._rise_label(visits - noisy) - noisy_rise

    def _add_gated_losses(self, cell: Indices, in_weight: Array, in_context: Array) -> None:
        """Add the losses of :math:`f` at the steps of a block, from the log-odds before each step."""
        gap = in_context - in_weight
        before = earlier_marks(cell, gap, self._in_context - self._in_weight)
        log_odds = self._gate.prior_log_odds + self._gate.rate * before
        gated = -np.logaddexp(log_expit(log_odds) - in_weight, log_expit(-log_odds) - in_context)
        self._gated += np.bincount(cell, weights=gated, minlength=self.cells)

    def _ranked_losses(self, drawn: PromptStatistics) -> Array:
        """In-weight loss of every step, from the counts before it."""
        seen = earlier_occurrences(drawn.query, self._seen)
        noisy_steps = np.flatnonzero(drawn.label_offset != 0)
        noisy_before = earlier_marks(drawn.query, (drawn.label_offset != 0).astype(np.int64), self._noisy)
        label_seen = seen - noisy_before
        if self._task.noisy_labels == 1:
            label_seen[noisy_steps] = noisy_before[noisy_steps]
        else:
            label_seen[noisy_steps] = self._pairs.count(drawn.query[noisy_steps], drawn.label_offset[noisy_steps])
        self._seen += np.bincount(drawn.query, minlength=self._seen.size)
        self._noisy += np.bincount(drawn.query[noisy_steps], minlength=self._noisy.size)
        total = self._task.total_labels * self._pseudo_count
        return np.asarray(np.log((seen + total) / (label_seen + self._pseudo_count)), dtype=np.float64)


@dataclass(frozen=True, eq=False)
class _Pairs:
    """Pairs (gate cell, interval) that a block of steps touches, in increasing order, and sums over their steps."""

    touched: Indices
    steps: Counts
    key: Indices
    width: int

    @classmethod
    def of(cls, key: Indices, possible: int) -> _Pairs:
        if possible > _DENSE_LIMIT * key.size:
            touched, inverse, steps = np.unique(key, return_inverse=True, return_counts=True)
            return cls(touched, steps, inverse, touched.size)
        steps = np.bincount(key, minlength=possible)
        touched = np.flatnonzero(steps > 0)
        return cls(touched, steps[touched], key, possible)

    def sums(self, weights: Array | None = None, at: Indices | None = None) -> NDArray[Any]:
        """Sum of the steps' weights (or number of steps) in every touched pair; of the steps ``at`` only, if given."""
        key = self.key if at is None else self.key[at]
        summed = np.bincount(key, weights=weights, minlength=self.width)
        return summed if self.width == self.touched.size else summed[self.touched]


@dataclass(frozen=True, eq=False)
class _Runs:
    """Runs of the same gate cell in the sorted pairs; what happened before the block is carried by cell."""

    cells: Indices
    starts: Indices
    lengths: Indices

    @classmethod
    def of(cls, cell_of: Indices) -> _Runs:
        starts = np.flatnonzero(np.diff(cell_of, prepend=-1))
        return cls(cell_of[starts], starts, np.diff(starts, append=cell_of.size))

    def running(self, gained: NDArray[Any], carried: NDArray[Any]) -> NDArray[Any]:
        """Carried value plus running sum within each run."""
        total = np.cumsum(gained)
        offset = carried[self.cells] - (total[self.starts] - gained[self.starts])
        return np.asarray(total + np.repeat(offset, self.lengths))

    def previous(self, values: Array, carried: Array) -> Array:
        """The value one entry earlier, which for the first of a run is the carried one."""
        shifted = np.empty_like(values)
        shifted[1:] = values[:-1]
        shifted[self.starts] = carried[self.cells]
        return shifted

    def keep_last(self, carried: NDArray[Any], values: NDArray[Any]) -> None:
        """Carry the last value of each run into the next block."""
        carried[self.cells] = values[self.starts + self.lengths - 1]


class _LogRising:
    r""":math:`\log\Gamma(x+k) - \log\Gamma(x)` at a fixed :math:`x`, looked up for small counts."""

    def __init__(self, start: float, size: int) -> None:
        self._start = start
        self._table = log_rising(start, np.arange(size))
        self._of_start = (start - 0.5) * np.log(start) - start + float(stirling_remainder(start))

    def __call__(self, counts: Counts) -> Array:
        values = self._table.take(counts, mode="clip")
        large = np.flatnonzero(counts >= self._table.size)
        if large.size:
            values[large] = self._beyond(counts[large])
        return values

    def _beyond(self, counts: Counts) -> Array:
        if self._start > _LARGE_START:
            return log_rising(self._start, counts)
        # A few passes less; it would cancel at a large start.
        x = np.asarray(counts + self._start, dtype=np.float64)
        return np.asarray((x - 0.5) * np.log(x) - x + stirling_series(x) - self._of_start, dtype=np.float64)


class _PairCounts:
    """How often each (class, noisy label) was seen; memory grows with the pairs that occur, not with all of them."""

    def __init__(self, labels: int) -> None:
        self._labels = labels
        self._keys = np.zeros(0, dtype=np.int64)
        self._counts = np.zeros(0, dtype=np.int64)

    def count(self, query: Indices, offset: Indices) -> Counts:
        """Earlier occurrences of each step's pair; the steps are counted in."""
        keys, pair = np.unique(query.astype(np.int64) * self._labels + offset, return_inverse=True)
        merged = np.union1d(self._keys, keys)
        counts = np.zeros(merged.size, dtype=np.int64)
        counts[np.searchsorted(merged, self._keys)] = self._counts
        here = np.searchsorted(merged, keys)
        before = earlier_occurrences(pair, counts[here])
        counts[here] += np.bincount(pair, minlength=keys.size)
        self._keys, self._counts = merged, counts
        return before


def earlier_occurrences(keys: Indices, carried: Counts) -> Counts:
    """How often each step's key occurred before it; ``carried`` counts earlier blocks, shape (number of keys,).

    Examples
    --------
    >>> earlier_occurrences(np.array([1, 0, 1, 1]), np.array([5, 0])).tolist()
    [0, 5, 1, 2]
    """
    return earlier_marks(keys, np.ones(keys.size, dtype=np.int64), carried)


def earlier_marks(keys: Indices, marks: NDArray[Any], carried: NDArray[Any]) -> NDArray[Any]:
    """Sum of the marks of earlier steps with the same key, by a stable sort and a running sum within groups."""
    # A stable sort of 16-bit integers is a radix sort.
    narrow = keys.astype(np.uint16) if carried.size <= 1 << 16 else keys
    order = np.argsort(narrow, kind="stable")
    runs = _Runs.of(keys[order])
    sorted_marks = marks[order]
    result = np.empty(keys.size, dtype=marks.dtype)
    result[order] = runs.running(sorted_marks, carried) - sorted_marks
    return result
