"""Runs as a whole: what they depend on, what they do not, and their edges."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from simulate import scan_engine
from simulate.agreements import agreement
from simulate.boundary import simulated_boundary
from simulate.checkpoints import RATIO, checkpoints
from simulate.curves import GateCurve
from simulate.prompts import draw_prompts
from simulate.reference import reference_run
from simulate.result_file import save
from simulate.run_result import Run
from simulate.simulation import run
from simulate.statistics import StatisticsSampler
from theory.errors import OutputError, SettingError
from theory.setting import Attention, BayesGate, DecreasingHedgeGate, GatedPredictor, TaskDistribution
from theory.solver import predict

TASK = TaskDistribution(num_high=3, num_low=7, p_high=0.8, context_length=4, relevant_examples=2, label_noise=0.1)
COUNTED = TaskDistribution(
    frequencies="counts", counts=[60, 25, 0, 9, 6], class_names=["a", "b", "never", "d", "e"], context_length=4,
    relevant_examples=2, label_noise=0.1,
)  # fmt: skip


def numbers(result: Run) -> dict[str, Any]:
    data = result.to_dict()
    del data["steps_per_second"]
    return data


@pytest.mark.parametrize("task", [TASK, COUNTED])
def test_block_size_does_not_matter(task: TaskDistribution, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = run(task, steps=3000, replicates=3, seed=5)
    monkeypatch.setattr(scan_engine, "BLOCK", 64)
    parts = run(task, steps=3000, replicates=3, seed=5)
    for first, second in zip(whole.strata, parts.strata, strict=True):
        assert np.abs(first.curve.gate - second.curve.gate).max() < 1e-9
    for first, second in zip(whole.entries, parts.entries, strict=True):
        boundaries = np.array([first.boundary.steps, second.boundary.steps], dtype=float)
        assert boundaries[0] == pytest.approx(boundaries[1], rel=1e-6, nan_ok=True)
        losses = np.array([list(vars(result.loss).values()) for result in (first, second)], dtype=float)
        assert losses[0] == pytest.approx(losses[1], rel=1e-9, nan_ok=True)


def test_same_seed_same_numbers_other_seed_others() -> None:
    first, again, other = (run(TASK, steps=2000, replicates=4, seed=seed) for seed in (1, 1, 2))
    assert numbers(first) == numbers(again)
    assert numbers(first)["groups"] != numbers(other)["groups"]


def test_replicates_are_addressable() -> None:
    """Replicate r is the same in a run of 2 and of 5."""
    few, many = run(TASK, steps=1000, replicates=2, seed=3), run(TASK, steps=1000, replicates=5, seed=3)
    for small, large in zip(few.entries, many.entries, strict=True):
        assert np.array_equal(small.curve.gate, large.curve.gate[:2])


def test_a_run_equals_the_twin_in_law() -> None:
    """Mean gates of runs on statistics and of the twin on explicit prompts agree within 4.9 standard errors."""
    steps, replicates = 200, 300
    result = run(TASK, steps=steps, replicates=replicates, seed=8)
    curves = {name: [] for name in ("high", "low")}
    for replicate in range(replicates):
        gates = np.full(10, 0.5)
        for step in reference_run(TASK, GatedPredictor(), draw_prompts(TASK, steps, np.random.default_rng(replicate))):
            gates[step.query] = step.gate_after
        curves["high"].append(gates[:3].mean())
        curves["low"].append(gates[3:].mean())
    for name, values in curves.items():
        ours = result[name].curve
        error = np.hypot(np.std(values) / np.sqrt(replicates), ours.standard_error[-1])
        assert abs(np.mean(values) - ours.mean[-1]) < 4.9 * error


def test_losses_and_gate_are_means_over_the_last_tenth() -> None:
    """Against the twin on the very same draws: the whole stream is fed as explicit prompts."""
    steps = 400
    prompts = draw_prompts(TASK, steps, np.random.default_rng(0))
    from simulate.prompts import PromptStatistics, statistics_of

    drawn = statistics_of(TASK, prompts)
    taken = [0]

    def next_block(_: StatisticsSampler, size: int, __: object) -> PromptStatistics:
        start = taken[0]
        taken[0] += size
        fields = PromptStatistics.__dataclass_fields__
        return PromptStatistics(*(getattr(drawn, name)[start : start + size] for name in fields))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(StatisticsSampler, "draw", next_block)
        result = run(TASK, steps=steps, replicates=1, seed=0)
    twin = reference_run(TASK, GatedPredictor(), prompts)
    for name, members in (("high", range(3)), ("low", range(3, 10))):
        late = [step for step in twin[360:] if step.query in members]
        loss = result[name].loss
        assert loss.in_weight == pytest.approx(np.mean([step.in_weight for step in late]), rel=1e-9)
        assert loss.in_context == pytest.approx(np.mean([step.in_context for step in late]), rel=1e-9)
        assert loss.gated == pytest.approx(np.mean([step.gated for step in late]), rel=1e-9)
    assert result["high"].boundary.interval is None


def test_class_curves_equal_group_curves() -> None:
    """The same classes kept one by one and together: the two gatherers agree."""
    listed = TaskDistribution(
        frequencies="weights", weights=TASK.class_probabilities.tolist(), context_length=4, relevant_examples=2,
        label_noise=0.1,
    )  # fmt: skip
    grouped, single = run(TASK, steps=2000, replicates=2, seed=4), run(listed, steps=2000, replicates=2, seed=4)
    points = checkpoints(2000)
    for name, members in (("high", range(3)), ("low", range(3, 10))):
        dense = np.mean(
            [
                [np.interp(points, single.entries[x].curve.steps, row) for row in single.entries[x].curve.gate]
                for x in members
            ],
            axis=0,
        )
        assert np.abs(dense - grouped[name].curve.gate).max() < 1e-6


def test_class_that_never_occurs_stays_at_the_prior() -> None:
    model = GatedPredictor(gate=BayesGate(prior_in_weight=0.3))
    result = run(COUNTED, model, steps=2000, replicates=2, seed=1)["never"]
    assert result.gate_mean == pytest.approx(0.3)
    assert result.boundary.steps is None
    assert vars(result.loss) == {"in_weight": None, "in_context": None, "gated": None}


@pytest.mark.parametrize("steps", [1, 2, 9, 10, 11, 501])
@pytest.mark.parametrize("replicates", [1, 2])
@pytest.mark.parametrize("task", [TASK, COUNTED])
def test_few_steps(task: TaskDistribution, steps: int, replicates: int) -> None:
    data = run(task, steps=steps, replicates=replicates, seed=1).to_dict()
    json.dumps(data, allow_nan=False)
    assert data["steps"] == steps


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"steps": 0}, "steps = 0 is not allowed: expected a whole number of at least 1"),
        ({"steps": 2.5}, r"steps = 2\.5"),
        ({"steps": True}, "steps = True"),
        ({"replicates": 0}, "replicates = 0"),
        ({"seed": -1}, "seed = -1"),
        ({"model": GatedPredictor(in_context=Attention(floor=0.1))}, r"expected less than 1/C = 0\.1"),
    ],
)
def test_bad_arguments(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        run(TASK, **{"steps": 10, "replicates": 1, **arguments})


def test_checkpoints_grow_slowly_and_end_at_the_end() -> None:
    for steps in (1, 10, 12_345, 10**9):
        points = checkpoints(steps)
        assert points[-1] == steps
        assert np.all(np.diff(points) >= 1)
        late = points[points > 500]
        assert np.all(late[1:] <= late[:-1] * RATIO + 1e-9)


def test_bootstrap_interval_covers() -> None:
    """Coverage of the 95 % interval for a known curve: 400 trials, false-alarm rate 1e-6 on either side."""
    from scipy.stats import binom

    generator = np.random.default_rng(9)
    steps = np.arange(1, 101)
    covered = 0
    for _ in range(400):
        centres = generator.normal(50, 8, size=(40, 1))
        curve = GateCurve(steps, 1 / (1 + np.exp(-(steps[None, :] - centres) / 4)))
        interval = simulated_boundary(curve, generator, 0.95).interval
        assert interval is not None
        covered += interval[0] <= 50 <= interval[1]
    assert binom.cdf(covered, 400, 0.95) > 1e-6
    assert covered < 400


def test_no_interval_where_resamples_have_not_crossed() -> None:
    steps = np.arange(1, 21)
    early, late = np.where(steps > 5, 1.0, 0.0), np.where(steps > 40, 1.0, 0.0)
    curve = GateCurve(steps, np.array([early, early, late, early]))
    boundary = simulated_boundary(curve, np.random.default_rng(0), 0.95)
    assert boundary.steps == pytest.approx(5 + 2 / 3, abs=0.1)
    assert boundary.interval is None


def test_agreement_of_a_setting() -> None:
    rows = agreement(predict(TASK), run(TASK, steps=3000, replicates=30, seed=1))
    assert [row.name for row in rows] == ["high", "low"]
    for row in rows:
        assert abs(row.relative_error) < 0.2
        assert set(row.to_dict()) >= {"predicted_steps", "simulated_steps", "relative_error", "inside_interval"}
    with pytest.raises(SettingError, match="own task and model"):
        agreement(predict(TASK), run(COUNTED, steps=10, replicates=1))


def test_result_file_holds_everything_without_pickle(tmp_path: Any) -> None:
    result = run(COUNTED, steps=500, replicates=3, seed=1)
    path = tmp_path / "result.anything"
    save(result, path)
    with np.load(path, allow_pickle=False) as stored:
        assert json.loads(str(stored["summary"])) == result.to_dict()
        assert stored["names"].tolist() == [stratum.name for stratum in result.strata]
        assert np.array_equal(stored["curve_0_mean"], result.strata[0].curve.mean)
    assert [entry.name for entry in tmp_path.iterdir()] == ["result.anything"]
    with pytest.raises(OutputError, match="cannot write"):
        save(result, tmp_path / "missing" / "result.npz")


def test_gate_mean_of_a_class_that_rarely_moves() -> None:
    """Its gate is flat for most of the last tenth, which counts all the same: against a plain sum over the steps."""
    rare = TaskDistribution(
        frequencies="counts", counts=[100_000, 30_000, 1, 2, 5], context_length=4, relevant_examples=2, label_noise=0.05
    )
    steps = 20_000
    for seed in range(5):
        result = run(rare, steps=steps, replicates=1, seed=seed)
        for entry in result.entries:
            points = checkpoints(steps)
            dense = np.interp(points, entry.curve.steps, entry.curve.mean)
            late = points >= steps * 0.9
            mean = np.trapezoid(dense[late], points[late]) / (points[late][-1] - points[late][0])
            assert entry.gate_mean == pytest.approx(mean, abs=1e-9)


def test_interval_of_few_replicates_is_widened() -> None:
    """Eight replicates, 600 trials: the widened interval covers nearly 95 %, the plain percentile interval does not."""
    from scipy.stats import binom

    generator = np.random.default_rng(12)
    steps = np.arange(1, 101)
    covered = {"widened": 0, "plain": 0}
    for _ in range(600):
        centres = generator.normal(50, 8, size=(8, 1))
        curve = GateCurve(steps, 1 / (1 + np.exp(-(steps[None, :] - centres) / 4)))
        # A plain percentile interval reads the same resamples at the tail that the widened one has at 0.95.
        plain = 1 - 2 * norm_tail_that_widens_to(0.025, 8)
        for name, confidence in (("widened", 0.95), ("plain", plain)):
            interval = simulated_boundary(curve, generator, confidence).interval
            assert interval is not None
            covered[name] += interval[0] <= 50 <= interval[1]
    assert binom.cdf(covered["widened"], 600, 0.95) > 1e-4
    assert binom.cdf(covered["plain"], 600, 0.95) < 1e-4


def norm_tail_that_widens_to(tail: float, replicates: int) -> float:
    """Nominal tail whose widened interval is the plain percentile interval at the given tail."""
    from scipy.special import ndtri, stdtr

    return float(stdtr(replicates - 1, ndtri(tail) * np.sqrt((replicates - 1) / replicates)))


@pytest.mark.parametrize("gate", [BayesGate(), BayesGate(per="shared"), DecreasingHedgeGate()])
def test_memory_does_not_grow_with_the_steps(gate: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Eight times the steps: the same blocks, and only more checkpoints; a block eight times as large is seen."""
    import tracemalloc

    def peak(steps: int, block: int = 1 << 12) -> int:
        monkeypatch.setattr(scan_engine, "BLOCK", block)
        tracemalloc.start()
        run(TASK, GatedPredictor(gate=gate), steps=steps, replicates=1, seed=1)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    monkeypatch.setattr(scan_engine, "_keep_freed_memory", lambda: None)
    peak(1000)
    few, many, wrong = peak(40_000), peak(320_000), peak(320_000, 1 << 15)
    assert many < 1.5 * few < wrong


@pytest.mark.parametrize("task", [TASK, COUNTED])
@pytest.mark.parametrize("gate", [BayesGate(per="shared"), DecreasingHedgeGate(), DecreasingHedgeGate(per="shared")])
def test_block_size_does_not_matter_for_any_gate(gate: Any, task: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    results = []
    for block in (1 << 17, 64):
        monkeypatch.setattr(scan_engine, "BLOCK", block)
        results.append(run(task, GatedPredictor(gate=gate), steps=1500, replicates=3, seed=5))
    for first, second in zip(results[0].strata, results[1].strata, strict=True):
        assert np.abs(first.curve.gate - second.curve.gate).max() < 1e-9
        losses = np.array([list(vars(result.loss).values()) for result in (first, second)])
        assert losses[0] == pytest.approx(losses[1], rel=1e-9)
    worst = [result.regret for result in results]
    assert worst[0].in_weight == pytest.approx(worst[1].in_weight, rel=1e-9)
    assert worst[0].in_weight <= worst[0].in_weight_bound
    assert worst[0].in_context <= worst[0].in_context_bound
