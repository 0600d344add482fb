r"""The scan engine: online learning of the stylized model without a loop over time.

Given the stream, the log-odds of a Bayes or Hedge gate cell are a sum over the cell's past visits, times a rate that
depends on their number at most, and the in-weight table's part of that sum depends on counts alone (a Dirichlet table
is exchangeable). So a block of steps is reduced to sums over (gate cell, interval between checkpoints); only the pairs
that occur are touched. A cell that does not see all visits of a query, and no others, needs the in-weight losses step
by step, and so the running counts: the steps are then grouped by query with a stable sort.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, log_expit

from simulate.gate_cells import number_of_cells
from simulate.log_rising import LogRising
from simulate.pair_counts import LabelCounts
from simulate.pairs import PairSums, outcome_pairs, pair_keys, pair_sums
from simulate.predictors import TabledLosses, in_context_losses, in_weight_pseudo_count, summing_gate
from simulate.prompts import PromptStatistics
from simulate.runs import EarlierSteps, Runs, earlier_steps
from simulate.scan_records import GateChanges, LossTotals
from theory.setting import DecreasingHedgeGate, GatedPredictor, LearnedAttention, TaskDistribution

Array = NDArray[np.float64]
Indices = NDArray[np.intp]
Counts = NDArray[np.int64]

_COUNTED = 1
"""Triples (gate cell, interval, outcome) for each step of a block up to which all of them are counted."""
_TABULATED = 1 << 10
"""Counts up to which log rising factorials are looked up."""


@dataclass(frozen=True, eq=False)
class _Sums:
    """What is known at every touched pair, one entry each: its place, and sums over all steps of its cell so far."""

    cell: Indices
    interval: Indices
    runs: Runs
    visits: Counts
    in_context: Array
    in_weight: Array


class Scan:
    """Learning state of a few replicates; :meth:`advance` takes the next block of their streams.

    Cell ``c`` of the replicate in lane ``l`` has the number ``l * cells + c``, and the same holds for classes. What a
    lane gives does not depend on the lanes that follow it, to the last digit.

    Parameters
    ----------
    task, model : TaskDistribution, GatedPredictor
        The setting.
    checkpoints : ndarray of int, shape (k,)
        Increasing numbers of steps; the last one is the number of steps.
    lanes : int
        Replicates that learn side by side, so that short ones share the fixed cost of a block. A part of the model that
        learns step by step has to be alone.

    Raises
    ------
    NoEngineError
        A part of the model is not one of Dirichlet table, attention, Bayes or Hedge gate (with a fixed or a decreasing
        rate).
    """

    def __init__(
        self, task: TaskDistribution, model: GatedPredictor, checkpoints: NDArray[np.int64], lanes: int = 1
    ) -> None:
        if lanes > 1 and isinstance(model.in_context, LearnedAttention):
            raise ValueError("an in-context part that learns step by step needs a scan of its own for every replicate")
        self._task, self._lanes = task, lanes
        self._losses = in_context_losses(model.in_context, task)
        self._pseudo_count = in_weight_pseudo_count(model.in_weight)
        gate = self._gate = summing_gate(model.gate)
        self._prior_log_odds = float(np.log(gate.prior_in_weight) - np.log1p(-gate.prior_in_weight))
        self._decreasing = isinstance(gate, DecreasingHedgeGate)
        self._telescopes = gate.rate == 1 and not self._decreasing
        # Whether visits and noisy labels are all that the in-weight losses depend on.
        self._counts_tell = self._telescopes and gate.per == "query" and task.noisy_labels == 1
        self._checkpoints = checkpoints
        self._steps = 0
        classes = task.total_classes
        self.cells = number_of_cells(gate.per, classes)
        size = max(min(int(checkpoints[-1]), _TABULATED), 16) + 1
        b = self._pseudo_count
        self._rise = LogRising([b * task.total_labels, b, b], size)
        places, tables = lanes * self.cells, lanes * classes
        self._visits = np.zeros(places, dtype=np.int64)
        self._in_weight = np.zeros(places)
        self._in_context = np.zeros(places)
        self._gated = np.zeros(places)
        self._alpha = np.full(places, gate.prior_in_weight)
        # In-weight, in-context and gated losses of the classes, where these have no cells of their own.
        self._by_class = np.zeros((3, tables)) if gate.per == "shared" else None
        # The table: how often each class was seen, how often with noise, and with which noisy label.
        self._seen = np.zeros(tables, dtype=np.int64)
        self._noisy = np.zeros(tables, dtype=np.int64)
        self._noisy_rise = np.zeros(tables)
        self._labels = LabelCounts(tables, task.total_labels) if task.noisy_labels > 1 else None

    def advance(self, drawn: PromptStatistics) -> GateChanges:
        """Learn from the next prompts of the streams.

        Parameters
        ----------
        drawn : PromptStatistics
            The prompts, as many for every lane, lane after lane; all their steps must lie within the checkpoints.
        """
        steps = drawn.steps // self._lanes
        first, ends = self._intervals(steps)
        if self._lanes > 1:
            lane = np.repeat(np.arange(self._lanes), steps)
            drawn = replace(drawn, query=drawn.query + lane * self._task.total_classes)
        cell = self._cells_of(drawn)
        key = pair_keys(cell, ends, self._lanes)
        outcomes = 2 * self._losses.values.size if isinstance(self._losses, TabledLosses) else 0
        if self._counts_tell and 0 < self._visits.size * ends.size * outcomes <= _COUNTED * key.size:
            sums = self._from_outcomes(drawn, key, ends.size)
        else:
            sums = self._from_steps(drawn, cell, key, ends.size)
        changes = self._moved(sums)
        self._steps += steps
        return replace(changes, checkpoint=first + changes.checkpoint)

    def _from_outcomes(self, drawn: PromptStatistics, key: Indices, intervals: int) -> _Sums:
        """Sums from how often each outcome occurred: a third less work where pairs and outcomes are few."""
        losses = self._losses
        if not isinstance(losses, TabledLosses):
            raise TypeError("outcomes of losses that have no table")
        outcome = losses.outcomes(drawn)
        outcome += drawn.label_offset * losses.values.size
        pairs = outcome_pairs(key, outcome, (self._visits.size, intervals), 2 * losses.values.size)
        runs = Runs.of(pairs.cell)
        visits = runs.running(pairs.steps, self._visits)
        in_context = runs.running(pairs.sums(np.tile(losses.values, 2)), self._in_context)
        noisy = pairs.counts[losses.values.size :].sum(axis=0)
        in_weight = self._risen(visits, self._noisy_so_far(noisy, runs))
        return _Sums(pairs.cell, pairs.interval, runs, visits, in_context, in_weight)

    def _from_steps(self, drawn: PromptStatistics, cell: Indices, key: Indices, intervals: int) -> _Sums:
        """Sums over the steps."""
        pairs = pair_sums(key, self._visits.size, intervals)
        runs = Runs.of(pairs.cell)
        visits = runs.running(pairs.steps, self._visits)
        losses = self._losses(drawn)
        in_context = runs.running(pairs.sums(losses), self._in_context)
        if self._gate.per == "query" and self._telescopes:
            in_weight = self._exchangeable_losses(drawn, pairs, runs, visits)
        else:
            in_weight = runs.running(pairs.sums(self._stepwise(drawn, cell, losses, pairs, runs)), self._in_weight)
        return _Sums(pairs.cell, pairs.interval, runs, visits, in_context, in_weight)

    def _moved(self, sums: _Sums) -> GateChanges:
        """Changes of the gate, counted in the block's intervals; what the next block needs is kept."""
        runs = sums.runs
        alpha = expit(self._log_odds(sums.visits, sums.in_context - sums.in_weight))
        change = alpha - runs.previous(alpha, self._alpha)
        for carried, values in (
            (self._visits, sums.visits),
            (self._in_context, sums.in_context),
            (self._in_weight, sums.in_weight),
            (self._alpha, alpha),
        ):
            runs.keep_last(carried, values)
        return GateChanges(sums.cell, sums.interval, change)

    def totals(self) -> LossTotals:
        r"""Losses so far; with a Bayes gate those of :math:`f` telescope, since it is a mixture of the two sequences.

        Source: ``cesabianchi2006prediction``;
        :math:`\sum \text{loss}(f) = -\log(\pi e^{-\Lambda} + (1-\pi) e^{-S})` in every gate cell.
        """
        visits, in_weight, in_context, gated = self.sums()
        regret_in_weight, regret_in_context = self._regrets()
        return LossTotals(
            visits=visits,
            in_weight=in_weight,
            in_context=in_context,
            gated=gated,
            regret_in_weight=regret_in_weight,
            regret_in_context=regret_in_context,
            cell_visits=self._visits.copy(),
        )

    def sums(self) -> tuple[Counts, Array, Array, Array]:
        """Visits, in-weight, in-context and gated losses so far, as :meth:`totals` has them, without the regrets."""
        if self._by_class is not None:
            in_weight, in_context, gated = self._by_class.copy()
            return self._seen.copy(), in_weight, in_context, gated
        return self._visits.copy(), self._in_weight.copy(), self._in_context.copy(), self._gated_so_far()

    def by_class(self, values: NDArray[Any]) -> NDArray[Any]:
        """Sums over the lanes, and over the cells of each class, of what :meth:`totals` has; shape (classes,)."""
        return np.asarray(values.reshape(self._lanes, self._task.total_classes, -1).sum(axis=(0, 2)))

    @property
    def gates(self) -> Array:
        """The gate of every cell now, shape (lanes * cells,); read-only copy."""
        return self._alpha.copy()

    def _gated_so_far(self) -> Array:
        """Gated losses of the gate cells."""
        if not self._telescopes:
            return self._gated.copy()
        log_in_weight, log_in_context = self._log_priors()
        return -_log_sum(log_in_weight - self._in_weight, log_in_context - self._in_context)

    def _regrets(self) -> tuple[Array, Array]:
        """Regrets of the gate cells against both parts."""
        if not self._telescopes:
            return self._gated - self._in_weight, self._gated - self._in_context
        log_in_weight, log_in_context = self._log_priors()
        gap = self._in_weight - self._in_context
        # Not as a difference of large sums: the regret is small, and its bound holds to the last digit.
        return -_log_sum(log_in_context + gap, log_in_weight), -_log_sum(log_in_weight - gap, log_in_context)

    def _log_priors(self) -> tuple[float, float]:
        prior = self._gate.prior_in_weight
        return float(np.log(prior)), float(np.log1p(-prior))

    def _cells_of(self, drawn: PromptStatistics) -> Indices:
        if self._gate.per == "shared":
            return drawn.query // self._task.total_classes
        if self._gate.per == "query-and-relevance":
            return np.asarray(2 * drawn.query + (drawn.relevant_examples > 0))
        return drawn.query

    def _log_odds(self, visits: Counts, gap: Array) -> Array:
        """Log-odds before the next visit, after so many visits whose in-context losses exceed the others by ``gap``."""
        rate = self._gate.rate / np.sqrt(visits + 1.0) if self._decreasing else self._gate.rate
        return np.asarray(self._prior_log_odds + rate * gap)

    def _intervals(self, steps: int) -> tuple[int, Indices]:
        """Checkpoint that ends the first interval of the next steps, and where the intervals end, counted from here."""
        first = int(np.searchsorted(self._checkpoints, self._steps + 1))
        last = int(np.searchsorted(self._checkpoints, self._steps + steps))
        return first, np.minimum(self._checkpoints[first : last + 1] - self._steps, steps)

    def _exchangeable_losses(self, drawn: PromptStatistics, pairs: PairSums, runs: Runs, visits: Counts) -> Array:
        """In-weight losses so far at every touched pair, from the counts alone."""
        steps = np.flatnonzero(drawn.label_offset != 0)
        noisy = self._noisy_so_far(pairs.sums_at(steps), runs)
        if self._labels is None:
            return self._risen(visits, noisy)
        before = self._labels.count(drawn.query[steps], drawn.label_offset[steps])
        rise = runs.running(pairs.sums_at(steps, np.log(before + self._pseudo_count)), self._noisy_rise)
        runs.keep_last(self._noisy_rise, rise)
        return self._risen(visits, noisy, rise)

    def _noisy_so_far(self, gained: Counts, runs: Runs) -> Counts:
        """Noisy labels so far at every touched pair."""
        noisy = runs.running(gained, self._noisy)
        runs.keep_last(self._noisy, noisy)
        return noisy

    def _risen(self, visits: Counts, noisy: Counts, rise: Array | None = None) -> Array:
        """In-weight losses of so many visits, of which so many had noisy labels: by default all the same one."""
        of_all, of_own, of_noisy = self._rise(visits, visits - noisy, noisy)
        return np.asarray(of_all - of_own - (of_noisy if rise is None else rise))

    def _stepwise(
        self, drawn: PromptStatistics, cell: Indices, in_context: Array, pairs: PairSums, runs: Runs
    ) -> Array:
        """In-weight losses of the steps; what else has to be known step by step is added up on the way."""
        earlier = earlier_steps(drawn.query)
        in_weight = self._ranked_losses(drawn, earlier)
        if self._telescopes and self._by_class is None:
            return in_weight
        same_cell = earlier if cell is drawn.query else earlier_steps(cell)
        gated = self._gated_losses(same_cell, in_weight, in_context)
        runs.keep_last(self._gated, runs.running(pairs.sums(gated), self._gated))
        if self._by_class is not None:
            for total, losses in zip(self._by_class, (in_weight, in_context, gated), strict=True):
                earlier.add_sums(losses, total)
        return in_weight

    def _gated_losses(self, same_cell: EarlierSteps, in_weight: Array, in_context: Array) -> Array:
        """Losses of :math:`f` at the steps of a block, from the log-odds before each step."""
        gap = same_cell.sums(in_context - in_weight, self._in_context - self._in_weight)
        log_odds = self._log_odds(same_cell.counts(self._visits), gap)
        return np.asarray(-np.logaddexp(log_expit(log_odds) - in_weight, log_expit(-log_odds) - in_context))

    def _ranked_losses(self, drawn: PromptStatistics, earlier: EarlierSteps) -> Array:
        """In-weight loss of every step, from the counts before it."""
        noise = drawn.label_offset != 0
        steps = np.flatnonzero(noise)
        marks = noise.astype(np.int64)
        seen, noisy_before = earlier.counts(self._seen), earlier.sums(marks, self._noisy)
        label_seen = seen - noisy_before
        if self._labels is None:
            label_seen[steps] = noisy_before[steps]
        else:
            label_seen[steps] = self._labels.count(drawn.query[steps], drawn.label_offset[steps])
        earlier.add_counts(self._seen)
        earlier.add_sums(marks, self._noisy)
        total = self._task.total_labels * self._pseudo_count
        return np.asarray(np.log((seen + total) / (label_seen + self._pseudo_count)), dtype=np.float64)


def _log_sum(a: Array, b: Array | float) -> Array:
    """What ``np.logaddexp`` gives, in vectorised passes: a fifth of its time, which many classes feel."""
    return np.asarray(np.maximum(a, b) + np.log1p(np.exp(-np.abs(a - b))), dtype=np.float64)
