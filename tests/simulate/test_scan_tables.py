"""What the scan engine looks up or numbers in place of computing it: against direct computation."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulate import pairs as module
from simulate import predictors
from simulate.checkpoints import checkpoints
from simulate.curves import GroupCurves
from simulate.finite_law import finite_laws
from simulate.log_rising import LogRising
from simulate.pairs import outcome_pairs, pair_sums
from simulate.predictors import TabledLosses, in_context_losses
from simulate.prompts import PromptStatistics
from simulate.runs import Runs
from simulate.scan_records import GateChanges
from simulate.simulation import run
from simulate.statistics import possible_numbers, statistics_sampler
from theory.in_context import relevant_law
from theory.numerics.special import log_rising
from theory.setting import Attention, TaskDistribution

TASK = TaskDistribution(num_high=2, num_low=4, p_high=0.8, context_length=6, label_noise=0.1)


@settings(derandomize=True, max_examples=40, deadline=None)
@given(st.integers(1, 9), st.integers(1, 7), st.integers(1, 300), st.integers(0, 10**6))
def test_pairs_are_the_same_counted_or_sorted(cells: int, intervals: int, steps: int, seed: int) -> None:
    """To the last digit: which way is taken may depend on the block without the numbers depending on it."""
    generator = np.random.default_rng(seed)
    key, weights = generator.integers(0, cells * intervals, steps), generator.normal(size=steps)
    some = np.flatnonzero(generator.random(steps) < 0.3)
    with pytest.MonkeyPatch.context() as patch:
        found = []
        for limit in (10**9, 0):
            patch.setattr(module, "_DENSE_LIMIT", limit)
            pairs = pair_sums(key, cells, intervals)
            sums = pairs.sums(weights), pairs.sums_at(some), pairs.sums_at(some, weights[some])
            found.append((pairs.cell, pairs.interval, pairs.steps, *sums))
    assert all(np.array_equal(a, b) for a, b in zip(*found, strict=True))
    cell, interval, number, total = (part.tolist() for part in found[0][:4])
    for c, i, n, s in zip(cell, interval, number, total, strict=True):
        here = key == c * intervals + i
        assert n == here.sum() > 0
        assert s == pytest.approx(weights[here].sum(), rel=1e-12, abs=1e-12)
    assert len(number) == np.unique(key).size


def test_outcomes_are_counted_in_their_pairs() -> None:
    generator = np.random.default_rng(1)
    key, outcome, values = generator.integers(0, 12, 50), generator.integers(0, 5, 50), generator.normal(size=5)
    pairs = outcome_pairs(key, outcome, (4, 3), 5)
    for place, (cell, interval) in enumerate(zip(pairs.cell, pairs.interval, strict=True)):
        here = key == cell * 3 + interval
        assert pairs.counts[:, place].tolist() == np.bincount(outcome[here], minlength=5).tolist()
        assert pairs.steps[place] == here.sum()
        assert pairs.sums(values)[place] == pytest.approx(values[outcome[here]].sum(), rel=1e-12, abs=1e-13)
    assert pairs.cell.size == np.unique(key).size


def test_running_sums_within_runs() -> None:
    """Against a loop; the wrong variant takes the sums of other cells along."""
    cell, gained, carried = np.array([0, 0, 2, 5, 5, 5]), np.array([1.5, 2, 4, 8, 16, 32]), np.arange(6) * 100.0
    total, expected = dict(enumerate(carried.tolist())), []
    for place, value in zip(cell.tolist(), gained.tolist(), strict=True):
        total[place] += value
        expected.append(total[place])
    assert Runs.of(cell).running(gained, carried).tolist() == expected
    assert Runs.of(np.sort(cell % 5)).running(gained, carried).tolist() != expected


@pytest.mark.parametrize("starts", [[50.0, 0.5, 0.5], [3e5, 0.01, 0.01]])
def test_rising_factorials_on_both_sides_of_the_table(starts: list[float]) -> None:
    """Rows with other numbers of large counts, none among them; the wrong variant has another start."""
    counts = [np.array(row) for row in ([0, 15, 16, 17, 10**6], [1, 2, 3, 4, 16], [0, 1, 2, 3, 15])]
    found = LogRising(starts, 17)(*counts)
    for start, row, values in zip(starts, counts, found, strict=True):
        assert values == pytest.approx(log_rising(start, row), rel=1e-12, abs=1e-11)
    other = LogRising([start * 1.001 for start in starts], 17)(*counts)
    assert all(np.abs(a - b).max() > 1e-4 for a, b in zip(found, other, strict=True))


def every_prompt(task: TaskDistribution) -> PromptStatistics:
    length = task.context_length
    numbers = range(length + 1) if task.relevant_examples is None else sorted({0, task.relevant_examples})
    if task.p_relevant == 1:
        numbers = [m for m in numbers if m > 0]
    rows = [(m, a, b) for m in numbers for a, b in product(range(m + 1), range(length - m + 1))]
    m, a, b = (np.array(column) for column in zip(*rows, strict=True))
    return PromptStatistics(np.zeros_like(m), np.zeros_like(m), m, a, b)


@pytest.mark.parametrize("changes", [{}, {"relevant_examples": 2}, {"p_relevant": 0.5}, {"context_length": 1}])
def test_looked_up_losses_are_the_computed_ones(changes: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """For all prompts there are, each with an outcome of its own; the wrong variant has other odds."""
    task, part = replace(TASK, **changes), Attention(odds=3.7, floor=0.01)
    drawn = every_prompt(task)
    looked_up = in_context_losses(part, task)
    assert isinstance(looked_up, TabledLosses)
    assert np.unique(looked_up.outcomes(drawn)).size == drawn.query.size
    monkeypatch.setattr(predictors, "_tabled", lambda *_: None)
    computed = in_context_losses(part, task)
    assert not isinstance(computed, TabledLosses)
    assert looked_up(drawn) == pytest.approx(computed(drawn), rel=1e-12, abs=1e-15)
    other = in_context_losses(Attention(odds=3.8, floor=0.01), task)(drawn)
    assert task.context_length == 1 or np.abs(looked_up(drawn) - other).max() > 1e-4


def test_numbers_without_tables_cannot_be_drawn() -> None:
    """The largest uniform variate leads to a tabulated number, and what is left out has no weight in doubles."""
    task = replace(TASK, context_length=256, p_high=0.1)
    sampler = statistics_sampler(task)
    assert sampler.number is not None
    possible = possible_numbers(task, sampler.number)
    assert possible[0] == 1
    assert 20 < possible[-1] < 256
    for probability in np.unique(task.class_probabilities).tolist():
        values, weights = relevant_law(task, probability)
        assert weights[values > possible[-1]].sum() < 1e-15
    rows = np.arange(2)
    assert (1 + sampler.number.draw(np.full(2, 1 - 1e-15), rows)).max() <= possible[-1]


def test_reach_of_laws() -> None:
    assert finite_laws(np.array([[0.5, 0.5, 0.0, 0.0], [0.2, 0.3, 0.5, 0.0]])).reach == 3
    assert finite_laws(np.array([[1.0, 0.0]])).reach == 1
    assert finite_laws(np.array([[0.0, 1.0]])).reach == 2


def test_kept_checkpoints_cannot_be_changed() -> None:
    points = checkpoints(1000)
    with pytest.raises(ValueError, match="read-only"):
        points[0] = 7
    assert checkpoints(1000)[0] == 1


@pytest.mark.parametrize("group", [np.array([0, 0, 1]), np.array([1, 0, 1])])
def test_changes_of_some_replicates_reach_their_own_curves(group: np.ndarray) -> None:
    """Replicates 2 and 4 of 6 at once equal each for itself; the others' curves stay at the prior."""
    points, generator = checkpoints(50), np.random.default_rng(2)
    together, apart = (GroupCurves(group, 2, 6, 0.5, points) for _ in range(2))
    replicate, classes = np.repeat([2, 4], 30), np.tile(np.repeat(np.arange(3), 10), 2)
    checkpoint, change = np.tile(np.arange(10, 20), 6), generator.normal(0, 0.01, 60)
    together.add(replicate, classes, GateChanges(classes, checkpoint, change), change)
    for number in (2, 4):
        own = replicate == number
        changes = GateChanges(classes[own], checkpoint[own], change[own])
        apart.add(number, classes[own], changes, change[own])
    for one, other in zip(together.curves(), apart.curves(), strict=True):
        assert np.array_equal(one.gate, other.gate)
        assert np.all(one.gate[[0, 1, 3, 5]] == 0.5)
        assert np.ptp(one.gate[2]) > 0


def test_a_class_outside_all_groups_is_named() -> None:
    curves = GroupCurves(np.array([0, -1]), 1, 1, 0.5, checkpoints(5))
    changes = GateChanges(np.array([1]), np.array([2]), np.array([0.1]))
    with pytest.raises(ValueError, match="outside all groups"):
        curves.add(0, np.array([1]), changes, changes.change)


def test_replicates_are_the_same_whatever_their_number() -> None:
    """To the last digit, though they learn side by side in groups; the wrong variant is another replicate."""
    few, many = (run(TASK, steps=20_000, replicates=number, seed=3) for number in (2, 30))
    for name in ("high", "low"):
        assert np.array_equal(few[name].curve.gate, many[name].curve.gate[:2])
        assert not np.array_equal(few[name].curve.gate[0], few[name].curve.gate[1])
