"""The scan engine equals the reference twin on the same draws, whatever the blocks; regret bounds always hold."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from simulate import pair_counts
from simulate import scan as module
from simulate.checkpoints import checkpoints
from simulate.pairs import outcome_pairs, pair_keys
from simulate.predictors import NoEngineError
from simulate.prompts import PromptStatistics, draw_prompts, statistics_of
from simulate.reference import ReferenceStep, reference_run
from simulate.runs import earlier_occurrences
from simulate.scan import Scan
from simulate.simulation import run
from theory.setting import (
    Attention,
    BayesGate,
    DecreasingHedgeGate,
    DirichletTable,
    GatedPredictor,
    HedgeGate,
    LearnedAttention,
    TaskDistribution,
)

CYCLIC = TaskDistribution(num_high=3, num_low=7, p_high=0.8, context_length=5, p_relevant=0.7, label_noise=0.2)
TASKS = {
    "cyclic": CYCLIC,
    "noiseless": replace(CYCLIC, label_noise=0.0, relevant_examples=2),
    "symmetric": replace(CYCLIC, label_noise_kind="symmetric", context_label_noise=0.3, relevant_examples=3),
    "zipf": TaskDistribution(frequencies="zipf", num_classes=300, zipf_exponent=1.2, context_length=4, label_noise=0.1),
    "shared": replace(CYCLIC, num_labels=3),
    "shared, symmetric": replace(CYCLIC, num_labels=4, label_noise_kind="symmetric", relevant_examples=3),
}
GATES = {
    "query": BayesGate(),
    "query, prior": BayesGate(prior_in_weight=0.9),
    "relevance": BayesGate(prior_in_weight=0.3, per="query-and-relevance"),
    "slow Hedge": HedgeGate(rate=0.3, prior_in_weight=0.6),
    "fast Hedge": HedgeGate(rate=2.5),
    "Hedge, relevance": HedgeGate(rate=0.7, per="query-and-relevance"),
    "one for all": BayesGate(prior_in_weight=0.6, per="shared"),
    "Hedge, one for all": HedgeGate(rate=0.4, per="shared"),
    "decreasing": DecreasingHedgeGate(rate=0.8, prior_in_weight=0.7),
    "decreasing, relevance": DecreasingHedgeGate(rate=2.0, per="query-and-relevance"),
    "decreasing, one for all": DecreasingHedgeGate(prior_in_weight=0.2, per="shared"),
}
STEPS = 6000


def blocks(drawn: PromptStatistics, size: int) -> list[PromptStatistics]:
    fields = PromptStatistics.__dataclass_fields__
    return [
        PromptStatistics(*(getattr(drawn, name)[start : start + size] for name in fields))
        for start in range(0, drawn.steps, size)
    ]


def cell_of(step: ReferenceStep, model: GatedPredictor) -> int:
    if model.gate.per == "shared":
        return 0
    return 2 * step.query + step.relevant if model.gate.per == "query-and-relevance" else step.query


def reference_curves(
    steps: list[ReferenceStep], model: GatedPredictor, cells: int, points: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Gate of every cell at the checkpoints, and losses (in-weight, in-context, gated) summed for each cell.

    For a gate that all queries share, losses are summed for each class.
    """
    shared = model.gate.per == "shared"
    sums = 1 + max(step.query for step in steps) if shared else cells
    gates, losses, curve = np.full(cells, model.gate.prior_in_weight), np.zeros((3, sums)), []
    wanted = set(points.tolist())
    for number, step in enumerate(steps, start=1):
        cell = cell_of(step, model)
        gates[cell] = step.gate_after
        losses[:, step.query if shared else cell] += step.in_weight, step.in_context, step.gated
        if number in wanted:
            curve.append(gates.copy())
    return np.array(curve).T, losses


@pytest.mark.parametrize("gate", GATES)
@pytest.mark.parametrize("name", TASKS)
@pytest.mark.parametrize("block", [STEPS, 1000, 7])
def test_scan_equals_the_reference_twin(name: str, gate: str, block: int) -> None:
    task = TASKS[name]
    model = GatedPredictor(in_weight=DirichletTable(pseudo_count=0.3), gate=GATES[gate])
    steps = STEPS if block > 7 else 500
    prompts = draw_prompts(task, steps, np.random.default_rng(11))
    points = checkpoints(steps)
    scan = Scan(task, model, points)
    moved = np.zeros((scan.cells, points.size))
    for part in blocks(statistics_of(task, prompts), block):
        changes = scan.advance(part)
        np.add.at(moved, (changes.cell, changes.checkpoint), changes.change)
    curve, losses = reference_curves(reference_run(task, model, prompts), model, scan.cells, points)
    assert np.abs(model.gate.prior_in_weight + moved.cumsum(axis=1) - curve).max() < 1e-10
    assert np.abs(scan.gates - curve[:, -1]).max() < 1e-10
    totals = scan.totals()
    for value, exact in zip((totals.in_weight, totals.in_context, totals.gated), losses, strict=True):
        assert not value[exact.size :].any()
        assert np.abs(value[: exact.size] - exact).max() < 1e-10 * max(1.0, np.abs(exact).max())


def gates_after(task: TaskDistribution, model: GatedPredictor, drawn: PromptStatistics) -> np.ndarray:
    scan = Scan(task, model, checkpoints(drawn.steps))
    scan.advance(drawn)
    return np.concatenate([scan.gates, scan.totals().in_context])


@pytest.mark.parametrize(
    ("gate", "wrong"),
    [
        (DecreasingHedgeGate(rate=0.8), HedgeGate(rate=0.8)),
        (DecreasingHedgeGate(rate=0.8), DecreasingHedgeGate(rate=0.801)),
        (HedgeGate(rate=0.01, per="shared"), HedgeGate(rate=0.01, per="shared", prior_in_weight=0.501)),
    ],
)
def test_the_comparison_sees_another_gate(gate: Any, wrong: Any) -> None:
    """The wrong variants: a rate that does not fall, another rate, another prior."""
    drawn = statistics_of(CYCLIC, draw_prompts(CYCLIC, 60, np.random.default_rng(11)))
    right, other = (gates_after(CYCLIC, GatedPredictor(gate=one), drawn) for one in (gate, wrong))
    assert np.abs(right - other).max() > 1e-5


@pytest.mark.parametrize("name", ["cyclic", "noiseless", "shared"])
def test_counting_outcomes_equals_summing_over_steps(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways are taken here, and give the same gates and losses."""
    task = TASKS[name]
    drawn = statistics_of(task, draw_prompts(task, 3000, np.random.default_rng(5)))
    ways = []
    monkeypatch.setattr(module, "outcome_pairs", lambda *given: (ways.append("outcomes"), outcome_pairs(*given))[1])
    results = []
    for limit in (1e9, 0):
        monkeypatch.setattr(module, "_COUNTED", limit)
        results.append(gates_after(task, GatedPredictor(), drawn))
    assert ways == ["outcomes"]
    assert np.abs(results[0] - results[1]).max() < 1e-10 * np.abs(results[1]).max()


def test_an_infinite_loss_that_does_not_come_costs_nothing() -> None:
    key, outcome = np.array([0, 1, 1, 0, 2]), np.array([0, 0, 1, 0, 0])
    pairs = outcome_pairs(key, outcome, (3, 1), 2)
    assert pairs.sums(np.array([0.5, np.inf])).tolist() == [1.0, np.inf, 0.5]
    task = TaskDistribution(num_high=2, num_low=3, p_high=0.9)
    result = run(task, GatedPredictor(in_context=Attention(floor=0.0)), 20_000, 2, 0, engine="scan")
    assert [entry.loss.in_context for entry in result.entries] == [0.0, 0.0]
    assert result["high"].gate_mean < 1e-6


@pytest.mark.parametrize("gate", GATES)
@pytest.mark.parametrize("name", ["cyclic", "symmetric"])
def test_lanes_are_replicates_of_their_own(name: str, gate: str) -> None:
    """Three streams side by side: gates and losses of three scans, and the first lanes' own to the last digit."""
    task, model, points = TASKS[name], GatedPredictor(gate=GATES[gate]), checkpoints(900)
    streams = [statistics_of(task, draw_prompts(task, 900, np.random.default_rng(seed))) for seed in range(3)]

    def run_side_by_side(lanes: list[PromptStatistics]) -> Scan:
        scan = Scan(task, model, points, len(lanes))
        for parts in zip(*(blocks(lane, 300) for lane in lanes), strict=True):
            fields = PromptStatistics.__dataclass_fields__
            scan.advance(PromptStatistics(*(np.concatenate([getattr(p, f) for p in parts]) for f in fields)))
        return scan

    together, two = run_side_by_side(streams), run_side_by_side(streams[:2])
    alone = [run_side_by_side([stream]) for stream in streams]
    for name_of_sum in ("visits", "in_weight", "in_context", "gated", "regret_in_weight"):
        whole = getattr(together.totals(), name_of_sum)
        each = np.concatenate([getattr(scan.totals(), name_of_sum) for scan in alone])
        assert np.abs(whole - each).max() < 1e-9
    assert np.abs(together.gates - np.concatenate([scan.gates for scan in alone])).max() < 1e-10
    assert np.array_equal(together.gates[: two.gates.size], two.gates)


def test_a_part_that_learns_step_by_step_is_alone() -> None:
    with pytest.raises(ValueError, match="a scan of its own"):
        Scan(CYCLIC, GatedPredictor(in_context=LearnedAttention(learning_rate=0.1)), checkpoints(10), 2)


def test_a_block_within_an_interval_and_one_over_many() -> None:
    """Keys are the same whether intervals are numbered one by one or all at once."""
    generator = np.random.default_rng(3)
    cell, ends = generator.integers(0, 9, 600), np.arange(5, 305, 5)[:60]
    expected = cell * 60 + np.tile(np.repeat(np.arange(60), 5), 2)
    assert np.array_equal(pair_keys(cell, ends, 2), expected)
    few = pair_keys(cell, np.array([100, 300]), 2)
    assert np.array_equal(few, cell * 2 + np.tile(np.repeat([0, 1], [100, 200]), 2))


@pytest.mark.parametrize("limit", [0, 10**9])
def test_running_counts_of_labels(limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """In an array or in a list of those that occur: as a plain dictionary counts."""
    monkeypatch.setattr(pair_counts, "_LARGEST_ARRAY", limit)
    counts, seen = pair_counts.LabelCounts(40, 30), Counter[tuple[int, int]]()
    generator = np.random.default_rng(1)
    for size in (1, 500, 0, 700):
        query, offset = generator.integers(0, 40, size), generator.integers(0, 30, size) // 3
        expected = []
        for pair in zip(query.tolist(), offset.tolist(), strict=True):
            expected.append(seen[pair])
            seen[pair] += 1
        assert counts.count(query, offset).tolist() == expected


def test_the_comparison_sees_a_wrong_pseudo_count() -> None:
    """The wrong variant: a table with another pseudo-count differs by much more than the tolerance."""
    prompts = draw_prompts(CYCLIC, 300, np.random.default_rng(11))
    scan = Scan(CYCLIC, GatedPredictor(in_weight=DirichletTable(pseudo_count=0.5001)), checkpoints(300))
    scan.advance(statistics_of(CYCLIC, prompts))
    steps = reference_run(CYCLIC, GatedPredictor(in_weight=DirichletTable(pseudo_count=0.5)), prompts)
    _, losses = reference_curves(steps, GatedPredictor(), scan.cells, checkpoints(300))
    assert np.abs(scan.totals().in_weight - losses[0]).max() > 1e-4


def test_the_comparison_sees_classes_that_do_not_share() -> None:
    """The wrong variant: a table and an attention with as many labels as classes."""
    shared = TASKS["shared"]
    prompts = draw_prompts(shared, 300, np.random.default_rng(11))
    scan = Scan(CYCLIC, GatedPredictor(), checkpoints(300))
    scan.advance(statistics_of(shared, prompts))
    _, losses = reference_curves(
        reference_run(shared, GatedPredictor(), prompts), GatedPredictor(), scan.cells, checkpoints(300)
    )
    assert np.abs(scan.totals().in_weight - losses[0]).max() > 0.1
    assert np.abs(scan.totals().in_context - losses[1]).max() > 1e-5


def test_beyond_the_table_of_rising_factorials(monkeypatch: pytest.MonkeyPatch) -> None:
    prompts = draw_prompts(CYCLIC, 5000, np.random.default_rng(4))
    drawn = statistics_of(CYCLIC, prompts)
    full = Scan(CYCLIC, GatedPredictor(), checkpoints(5000))
    full.advance(drawn)
    monkeypatch.setattr(module, "_TABULATED", 16)
    short = Scan(CYCLIC, GatedPredictor(), checkpoints(5000))
    short.advance(drawn)
    assert np.abs(full.totals().in_weight - short.totals().in_weight).max() < 1e-9


@pytest.mark.parametrize(
    "gate", [name for name, gate in GATES.items() if gate.rate <= 1 and gate.kind != "decreasing-hedge"]
)
def test_regret_bound_on_every_trajectory_at_every_step(gate: str) -> None:
    """Stepwise gated losses of the twin, on every prefix and cell: no exception; the bound is nearly reached."""
    model = GatedPredictor(gate=GATES[gate])
    prior, rate = model.gate.prior_in_weight, model.gate.rate
    tightest = np.inf
    for seed in range(40):
        prompts = draw_prompts(CYCLIC, 250, np.random.default_rng(seed))
        sums: dict[int, np.ndarray] = {}
        for step in reference_run(CYCLIC, model, prompts):
            total = sums.setdefault(cell_of(step, model), np.zeros(3))
            total += step.in_weight, step.in_context, step.gated
            slack = min(total[0] - np.log(prior) / rate, total[1] - np.log1p(-prior) / rate) - total[2]
            assert slack > -1e-9
            tightest = min(tightest, slack)
    # A slow gate does not use its allowance up.
    assert tightest < (0.05 if rate == 1 else 2.0)


def test_fast_hedge_breaks_the_bound_of_slow_ones() -> None:
    """Above the rate 1 log loss is no longer mixable for it: no bound of this form is reported, and rightly."""
    model = GatedPredictor(gate=HedgeGate(rate=2.5))
    scan = Scan(CYCLIC, model, checkpoints(3000))
    scan.advance(statistics_of(CYCLIC, draw_prompts(CYCLIC, 3000, np.random.default_rng(1))))
    totals = scan.totals()
    assert max(totals.regret_in_weight.max(), totals.regret_in_context.max()) > np.log(2) / 2.5


def test_regret_test_rejects_half_the_bound() -> None:
    """The wrong variant: half of log(1/prior) is exceeded."""
    scan = Scan(CYCLIC, GatedPredictor(), checkpoints(3000))
    scan.advance(statistics_of(CYCLIC, draw_prompts(CYCLIC, 3000, np.random.default_rng(1))))
    totals = scan.totals()
    largest = max(totals.regret_in_weight.max(), totals.regret_in_context.max())
    assert np.log(2) / 2 < largest <= np.log(2)


def test_adversarial_losses_keep_the_bound() -> None:
    """Prompts made against the gate: the query's label alternates between what g and what h expect."""
    steps = 400
    offset = np.arange(steps) % 2
    matches = np.where(np.arange(steps) // 7 % 2 == 0, 2, 0)
    drawn = PromptStatistics(
        query=np.zeros(steps, dtype=np.intp),
        label_offset=offset,
        relevant_examples=np.full(steps, 2),
        relevant_matches=matches,
        irrelevant_matches=np.zeros(steps, dtype=np.intp),
    )
    task = replace(CYCLIC, relevant_examples=2, p_relevant=1.0)
    scan = Scan(task, GatedPredictor(in_context=Attention(floor=1e-6)), checkpoints(steps))
    for part in blocks(drawn, 1):
        scan.advance(part)
        totals = scan.totals()
        assert totals.regret_in_weight.max() <= np.log(2)
        assert totals.regret_in_context.max() <= np.log(2)


def test_earlier_occurrences_over_many_keys() -> None:
    generator = np.random.default_rng(2)
    keys, carried = generator.integers(0, 70_000, 5000), generator.integers(0, 9, 70_000)
    seen = carried.copy()
    expected = []
    for key in keys.tolist():
        expected.append(seen[key])
        seen[key] += 1
    assert earlier_occurrences(keys, carried).tolist() == expected


class OwnPart:
    kind = "my-own"


@pytest.mark.parametrize("role", ["in_weight", "in_context", "gate"])
def test_part_without_implementation_is_named(role: str) -> None:
    with pytest.raises(NoEngineError, match=rf"model\.{role} = 'my-own' has no implementation"):
        Scan(CYCLIC, GatedPredictor(**{role: OwnPart()}), checkpoints(10))
