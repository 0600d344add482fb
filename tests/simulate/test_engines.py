"""Two engines, one meaning: the same numbers from the same seed; grids; which engine is chosen; users' own parts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import pytest

from simulate import blocks, sources
from simulate.blocks import PromptBlock
from simulate.lanes import Lanes
from simulate.predictors import NoEngineError
from simulate.protocols import GatePath
from simulate.run_result import Run
from simulate.simulation import run, run_grid
from theory.errors import SettingError
from theory.setting import (
    AdaHedgeGate,
    BayesGate,
    DirichletTable,
    ExponentiatedGradientGate,
    FixedShareGate,
    GatedPredictor,
    HedgeGate,
    LearnedAttention,
    LogisticGate,
    LogisticRegression,
    MajorityVote,
    TaskDistribution,
)

TASK = TaskDistribution(num_high=3, num_low=7, p_high=0.8, context_length=5, p_relevant=0.7, label_noise=0.2)
ZIPF = TaskDistribution(frequencies="zipf", num_classes=40, zipf_exponent=1.2, context_length=4, label_noise=0.1)
SCANNED = {
    "defaults": (TASK, GatedPredictor()),
    "prior, pseudo-count": (
        replace(TASK, label_noise_kind="symmetric"),
        GatedPredictor(in_weight=DirichletTable(pseudo_count=0.1), gate=BayesGate(prior_in_weight=0.9)),
    ),
    "relevance": (TASK, GatedPredictor(gate=BayesGate(per="query-and-relevance"))),
    "shared gate": (TASK, GatedPredictor(gate=BayesGate(per="shared"))),
    "Hedge, without groups": (ZIPF, GatedPredictor(gate=HedgeGate(rate=0.3))),
    "shared gate, without groups": (ZIPF, GatedPredictor(gate=HedgeGate(rate=0.3, per="shared"))),
    "shared labels, learned temperature": (
        replace(TASK, num_labels=4),
        GatedPredictor(in_context=LearnedAttention(learning_rate=0.05), gate=HedgeGate(rate=2.0)),
    ),
}


def assert_same(first: Run, second: Run) -> None:
    """Equal to rounding: curves, late losses, regret, boundaries."""
    for ours, others in ((first.entries, second.entries), (first.strata, second.strata)):
        for one, other in zip(ours, others, strict=True):
            points = np.union1d(one.curve.steps, other.curve.steps)
            for replicate in range(first.replicates):
                values = [np.interp(points, c.steps, c.gate[replicate]) for c in (one.curve, other.curve)]
                assert np.abs(values[0] - values[1]).max() < 1e-8
            losses = np.array([list(vars(result.loss).values()) for result in (one, other)], dtype=float)
            assert losses[0] == pytest.approx(losses[1], rel=1e-9, abs=0, nan_ok=True)
            ends = np.array([one.boundary.steps, other.boundary.steps], dtype=float)
            assert ends[0] == pytest.approx(ends[1], rel=1e-6, abs=0, nan_ok=True)
    for name in ("in_weight", "in_context"):
        assert getattr(first.regret, name) == pytest.approx(getattr(second.regret, name), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("name", SCANNED)
def test_both_engines_give_the_same_numbers(name: str) -> None:
    task, model = SCANNED[name]
    scan, step = (run(task, model, 3000, 3, 7, engine=engine) for engine in ("scan", "step"))
    assert (scan.engine, step.engine) == ("scan", "step")
    assert_same(scan, step)


def test_the_comparison_would_notice() -> None:
    task, model = SCANNED["defaults"]
    scan = run(task, model, 3000, 3, 7)
    with pytest.raises(AssertionError):
        assert_same(scan, run(task, model, 3000, 3, 8, engine="step"))
    slow = GatedPredictor(gate=HedgeGate(rate=0.99999))
    with pytest.raises(AssertionError):
        assert_same(scan, run(task, slow, 3000, 3, 7, engine="step"))


def test_an_engine_is_chosen() -> None:
    task, model = SCANNED["defaults"]
    assert run(task, model, 10, 1).engine == "scan"
    for gate in (FixedShareGate(), LogisticGate(), AdaHedgeGate()):
        assert run(task, GatedPredictor(gate=gate), 10, 1).engine == "step"
    assert run(task, GatedPredictor(in_context=MajorityVote()), 10, 1).engine == "step"


@pytest.mark.parametrize(
    ("model", "named"),
    [
        (GatedPredictor(gate=FixedShareGate()), "model.gate = 'fixed-share'"),
        (GatedPredictor(in_weight=LogisticRegression()), "model.in_weight = 'logistic-regression'"),
        (GatedPredictor(in_context=MajorityVote()), "model.in_context = 'majority-vote'"),
    ],
)
def test_what_the_scan_cannot_do_is_named(model: GatedPredictor, named: str) -> None:
    with pytest.raises(NoEngineError, match=named):
        run(TASK, model, 10, 1, engine="scan")


def test_an_unknown_engine_is_refused() -> None:
    with pytest.raises(SettingError, match="engine = 'scam' is not allowed: expected one of scan, step"):
        run(TASK, None, 10, 1, engine="scam")  # type: ignore[arg-type]


# Grids.


@pytest.mark.parametrize("gate", [BayesGate(), FixedShareGate(), LogisticGate(), ExponentiatedGradientGate()])
def test_a_grid_equals_its_settings(gate: Any) -> None:
    """Numbers differ between the settings that share the loop over time; each is what it is alone."""
    tasks = (TASK, replace(TASK, label_noise=0.05), replace(TASK, p_high=0.5))
    settings = [
        (task, GatedPredictor(in_weight=DirichletTable(pseudo_count=b), gate=gate))
        for task, b in zip(tasks, (0.1, 0.5, 2.0), strict=True)
    ]
    together = run_grid(settings, 800, 3, 5)
    for (task, model), found in zip(settings, together, strict=True):
        assert_same(found, run(task, model, 800, 3, 5, engine="step"))


def test_settings_of_a_grid_have_to_fit() -> None:
    model = GatedPredictor()
    with pytest.raises(SettingError, match=r"total_classes = 11 is not"):
        run_grid([(TASK, model), (replace(TASK, num_low=8), model)], 10, 1)
    with pytest.raises(SettingError, match=r"model\.gate"):
        run_grid([(TASK, model), (TASK, GatedPredictor(gate=FixedShareGate()))], 10, 1)
    with pytest.raises(SettingError, match="settings"):
        run_grid([], 10, 1)


@pytest.mark.parametrize("gate", [FixedShareGate(per="query-and-relevance"), LogisticGate()])
def test_block_size_does_not_matter(gate: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    model = GatedPredictor(gate=gate, in_context=LearnedAttention(learning_rate=0.05))
    whole = run(TASK, model, 500, 3, 5)
    monkeypatch.setattr(blocks, "CACHED", 7)
    monkeypatch.setattr(sources, "CACHED", 7)
    monkeypatch.setattr(sources, "MOST_STATISTICS", 50)
    assert_same(whole, run(TASK, model, 500, 3, 5))


def test_replicates_are_addressable() -> None:
    model = GatedPredictor(gate=AdaHedgeGate())
    few, many = (run(TASK, model, 500, replicates, 3) for replicates in (2, 5))
    for small, large in zip(few.entries, many.entries, strict=True):
        assert np.array_equal(small.curve.gate, large.curve.gate[:2])


# Users' own parts.


class _Halves:
    """State of a gate that always says one half."""

    needs: ClassVar[str] = "statistics"
    per = "query"

    def advance(self, block: PromptBlock, in_weight: np.ndarray, in_context: np.ndarray) -> GatePath:  # noqa: ARG002
        half = np.full(block.query.shape, 0.5)
        return GatePath(half, half)

    def weight(self, block: PromptBlock) -> np.ndarray:
        return np.full(block.query.shape, 0.5)


@dataclass(frozen=True)
class HalfGate:
    """A user's own gate."""

    def start(self, lanes: Lanes) -> _Halves:  # noqa: ARG002
        return _Halves()


def test_a_users_own_gate() -> None:
    result = run(TASK, GatedPredictor(gate=HalfGate()), 300, 2)
    assert result["high"].gate_mean == result["low"].gate_mean == 0.5
    loss = result["high"].loss
    assert loss.gated <= (loss.in_weight + loss.in_context) / 2  # the logarithm is concave


class Wrong:
    """Starts something that is no state."""

    def start(self, lanes: Lanes) -> object:  # noqa: ARG002
        return object()


@pytest.mark.parametrize("part", [object(), 3, Wrong()])
@pytest.mark.parametrize("role", ["in_weight", "in_context", "gate"])
def test_what_is_no_part_is_named(role: str, part: Any) -> None:
    with pytest.raises(NoEngineError, match=f"model.{role}"):
        run(TASK, GatedPredictor(**{role: part}), 10, 1)
