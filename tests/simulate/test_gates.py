"""Every gate of the step engine equals its scalar reference, at any split into blocks and for any number of lanes."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from simulate.blocks import PromptBlock
from simulate.implementations import gate_state
from simulate.lanes import Lanes
from simulate.predictors import NoEngineError
from simulate.protocols import Gate, GatePath
from simulate.reference_gates import reference_gate
from theory.errors import SettingError
from theory.setting import (
    AdaHedgeGate,
    BayesGate,
    DecreasingHedgeGate,
    ExponentiatedGradientGate,
    FixedShareGate,
    GatedPredictor,
    HedgeGate,
    LogisticGate,
    ProjectedGradientGate,
    TaskDistribution,
    UniversalMixtureGate,
)

TASK = TaskDistribution(num_high=2, num_low=3, p_high=0.7, context_length=6)
# Two settings that run side by side.
GATES: dict[str, tuple[Any, Any]] = {
    "bayes": (BayesGate(prior_in_weight=0.3), BayesGate(prior_in_weight=0.8)),
    "bayes, shared": (BayesGate(per="shared"), BayesGate(per="shared")),
    "hedge": (HedgeGate(rate=2.5, per="query-and-relevance"), HedgeGate(rate=0.2, per="query-and-relevance")),
    "decreasing hedge": (DecreasingHedgeGate(rate=4.0), DecreasingHedgeGate(rate=0.4, prior_in_weight=0.9)),
    "adahedge": (AdaHedgeGate(), AdaHedgeGate()),
    "adahedge, relevance": (AdaHedgeGate(per="query-and-relevance"),) * 2,
    "fixed share": (FixedShareGate(switch_rate=0.3), FixedShareGate(switch_rate=1e-6, prior_in_weight=0.1)),
    "universal mixture": (UniversalMixtureGate(nodes=21), UniversalMixtureGate(nodes=21)),
    "universal mixture, shared": (UniversalMixtureGate(nodes=8, per="shared"),) * 2,
    "exponentiated gradient": (
        ExponentiatedGradientGate(learning_rate=0.5),
        ExponentiatedGradientGate(learning_rate=3.0, prior_in_weight=0.2),
    ),
    "projected gradient": (
        ProjectedGradientGate(learning_rate=0.05),
        ProjectedGradientGate(learning_rate=0.6, prior_in_weight=0.9),
    ),
    "logistic": (
        LogisticGate(features=("constant", "relevance", "familiarity", "query"), prior_in_weight=0.3),
        LogisticGate(features=("constant", "relevance", "familiarity", "query"), learning_rate=1.0),
    ),
    "logistic, query": (LogisticGate(features=("query",)), LogisticGate(features=("query",), learning_rate=2.0)),
}
SCALES = (1.0, 1e-7, 80.0)
REPLICATES, ROWS = 3, 150


def lanes_of(gates: tuple[Any, ...], replicates: int = REPLICATES) -> Lanes:
    models = tuple(GatedPredictor(gate=gate) for gate in gates)
    return Lanes((TASK,) * len(models), models, replicates)


def prompts(generator: np.random.Generator, rows: int, lanes: int) -> PromptBlock:
    query, relevant = generator.integers(5, size=(rows, lanes)), generator.integers(4, size=(rows, lanes))
    nothing = np.zeros((rows, lanes), dtype=np.intp)
    return PromptBlock(query, nothing, relevant, nothing, nothing)


def losses(generator: np.random.Generator, scale: float, shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Log probabilities down to -700, with ties."""
    in_weight, in_context = np.maximum(-generator.exponential(scale, size=(2, *shape)), -700)
    return in_weight, np.where(generator.random(shape) < 0.1, in_weight, in_context)


def lane(block: PromptBlock, number: int) -> PromptBlock:
    names = ("query", "label", "relevant_examples", "relevant_matches", "irrelevant_matches")
    return replace(block, **{name: getattr(block, name)[:, [number]] for name in names})


def reference_path(
    gate: Any, block: PromptBlock, number: int, both: tuple[np.ndarray, np.ndarray]
) -> tuple[list[float], list[float]]:
    reference, before, after = reference_gate(gate, TASK), [], []
    for row in range(block.rows):
        prompt = int(block.query[row, number]), int(block.relevant_examples[row, number])
        before.append(reference.weight(*prompt))
        reference.learn(*prompt, float(both[0][row, number]), float(both[1][row, number]))
        after.append(reference.weight(*prompt))
    return before, after


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("name", GATES)
def test_a_gate_equals_its_reference(name: str, scale: float) -> None:
    generator = np.random.default_rng(7)
    block = prompts(generator, ROWS, 2 * REPLICATES)
    both = losses(generator, scale, (ROWS, 2 * REPLICATES))
    path = gate_state(GATES[name][0], lanes_of(GATES[name])).advance(block, *both)
    for number in range(2 * REPLICATES):
        before, after = reference_path(GATES[name][number // REPLICATES], block, number, both)
        assert np.abs(path.before[:, number] - before).max() < 1e-12
        assert np.abs(path.after[:, number] - after).max() < 1e-12


@pytest.mark.parametrize("name", GATES)
def test_the_comparison_sees_a_slightly_different_gate(name: str) -> None:
    """The wrong variant: the gate learns from in-context losses that are a thousandth larger."""
    generator = np.random.default_rng(7)
    block, both = prompts(generator, ROWS, 1), losses(generator, 1.0, (ROWS, 1))
    path = gate_state(GATES[name][0], lanes_of(GATES[name][:1], 1)).advance(block, both[0], 1.001 * both[1])
    before, _ = reference_path(GATES[name][0], block, 0, both)
    assert np.abs(path.before[:, 0] - before).max() > 1e-6


@pytest.mark.parametrize("name", GATES)
def test_blocks_and_other_lanes_do_not_matter(name: str) -> None:
    generator = np.random.default_rng(8)
    block, both = prompts(generator, ROWS, 2 * REPLICATES), losses(generator, 3.0, (ROWS, 2 * REPLICATES))
    whole_state, parts_state = (gate_state(GATES[name][0], lanes_of(GATES[name])) for _ in range(2))
    whole = whole_state.advance(block, *both)
    ends = (0, 1, 1, 2, 90, ROWS)
    parts = [
        parts_state.advance(block.part(start, end), both[0][start:end], both[1][start:end])
        for start, end in itertools.pairwise(ends)
    ]
    for field in ("before", "after", "log_predicted"):
        assert np.array_equal(np.concatenate([getattr(part, field) for part in parts]), getattr(whole, field))
    assert np.array_equal(whole_state.weight(block), parts_state.weight(block))
    for number in (0, 2 * REPLICATES - 1):
        single = gate_state(GATES[name][0], lanes_of((GATES[name][number // REPLICATES],), 1))
        alone = single.advance(lane(block, number), both[0][:, [number]], both[1][:, [number]])
        assert np.array_equal(alone.before[:, 0], whole.before[:, number])
        assert np.array_equal(alone.log_predicted[:, 0], whole.log_predicted[:, number])


@pytest.mark.parametrize("name", GATES)
def test_asking_changes_nothing_and_answers_what_comes_next(name: str) -> None:
    generator = np.random.default_rng(9)
    block, both = prompts(generator, 40, 2), losses(generator, 2.0, (40, 2))
    state = gate_state(GATES[name][0], lanes_of(GATES[name], 1))
    assert isinstance(state, Gate)
    for row in range(40):
        now = block.part(row, row + 1)
        asked = state.weight(now)
        assert np.array_equal(asked, state.weight(now))
        path = state.advance(now, both[0][[row]], both[1][[row]])
        assert np.abs(path.before - asked).max() < 1e-15
        assert np.abs(path.after - state.weight(now)).max() < 1e-15
    assert state.weight(block).shape == (40, 2)


@pytest.mark.parametrize("size", [700.0, 1e4])
@pytest.mark.parametrize("name", GATES)
def test_extreme_losses_stay_finite(name: str, size: float) -> None:
    """A gate that is sure pays what its last weight costs, not infinity, when it is surprised."""
    rows = 60
    block = prompts(np.random.default_rng(1), rows, 2)
    one_sided = np.where(np.arange(rows)[:, None] < 50, -size, 0.0) * np.ones((1, 2))
    for both in ((one_sided, -size - one_sided), (-size - one_sided, one_sided)):
        path: GatePath = gate_state(GATES[name][0], lanes_of(GATES[name], 1)).advance(block, *both)
        for values in (path.before, path.after, path.log_predicted):
            assert values is not None
            assert np.isfinite(values).all()
        assert ((path.before >= 0) & (path.before <= 1)).all()
        assert (path.log_predicted >= np.minimum(*both)).all()
        assert (path.log_predicted <= np.maximum(*both)).all()


def test_no_rows_are_no_problem() -> None:
    block = prompts(np.random.default_rng(0), 0, 2)
    for name, gates in GATES.items():
        state = gate_state(gates[0], lanes_of(gates, 1))
        path = state.advance(block, np.zeros((0, 2)), np.zeros((0, 2)))
        assert path.before.shape == path.log_predicted.shape == state.weight(block).shape == (0, 2), name


def test_what_has_to_be_common_is_checked() -> None:
    for gates in (
        (BayesGate(), BayesGate(per="shared")),
        (UniversalMixtureGate(nodes=4), UniversalMixtureGate(nodes=5)),
        (LogisticGate(), LogisticGate(features=("constant",))),
    ):
        with pytest.raises(SettingError, match=r"model\.gate\."):
            gate_state(gates[0], lanes_of(gates))


def test_an_unknown_gate_has_no_engine() -> None:
    with pytest.raises(NoEngineError, match="gate"):
        gate_state(object(), lanes_of((BayesGate(),)))
    with pytest.raises(NoEngineError, match="gate"):
        reference_gate(object(), TASK)


def test_many_visits_of_the_universal_mixture_keep_their_logarithms() -> None:
    """One predictor leads for long and then the other one; the likelihoods span far more than doubles can."""
    rows = 4000
    gains = np.where(np.arange(rows) < rows // 2, 2.0, -2.0)[:, None]
    both = np.minimum(gains, 0), np.minimum(-gains, 0)
    gate = UniversalMixtureGate(nodes=9, per="shared")
    block = prompts(np.random.default_rng(0), rows, 1)
    path = gate_state(gate, lanes_of((gate,), 1)).advance(block, *both)
    before, _ = reference_path(gate, block, 0, both)
    assert np.abs(path.before[:, 0] - before).max() < 1e-10
