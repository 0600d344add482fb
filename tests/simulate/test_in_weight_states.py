"""States of the in-weight predictors: the scalar twins, gradients, scaling, many lanes, extreme numbers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulate.blocks import PromptBlock
from simulate.implementations import in_context_state, in_weight_state
from simulate.in_weight import dirichlet_counts
from simulate.in_weight.occurrences import MANY_LANES, DenseCounts, SparseCounts
from simulate.predictors import NoEngineError
from simulate.reference_predictors import reference_in_weight
from tests.simulate.predictor_blocks import (
    InputTask,
    advance_in_parts,
    drawn_block,
    explicit_block,
    lane_of,
    lanes_of,
    off,
    twin_laws,
    twin_logs,
)
from theory.errors import SettingError
from theory.setting import DirichletTable, LogisticRegression, TaskDistribution

TASK = TaskDistribution(num_high=2, num_low=4, p_high=0.7, context_length=3, p_relevant=0.6, label_noise=0.2)
SHARED = replace(TASK, num_labels=3, label_noise_kind="symmetric")
MANY_LABELS = replace(TASK, num_low=40)
INPUTS = InputTask(TASK, dimension=3)
PARTS: dict[str, tuple[Any, Any, int]] = {
    "table": (TASK, [DirichletTable(pseudo_count=b) for b in (1e-100, 0.5, 1e15)], 0),
    "table, shared labels": (SHARED, [DirichletTable(), DirichletTable(pseudo_count=2.0)], 0),
    # At much higher rates every step amplifies rounding.
    "regression": (TASK, [LogisticRegression(learning_rate=r) for r in (0.01, 1.0, 3.0)], 0),
    "regression, no bias": (SHARED, [LogisticRegression(learning_rate=r, bias=False) for r in (0.1, 3.0)], 0),
    "regression, many labels": (MANY_LABELS, [LogisticRegression(learning_rate=r) for r in (0.1, 3.0)], 0),
    "inputs": (INPUTS, [LogisticRegression(learning_rate=r) for r in (0.01, 1.0)], 3),
    "inputs, no bias": (INPUTS, [LogisticRegression(learning_rate=0.3, bias=False)], 3),
}


def start(name: str, replicates: int) -> Any:
    task, parts, _ = PARTS[name]
    return in_weight_state(parts[0], lanes_of(task, parts, "in_weight", replicates))


@pytest.mark.parametrize("name", PARTS)
@settings(max_examples=6, deadline=None, derandomize=True)
@given(cuts=st.lists(st.integers(0, 40), max_size=3), replicates=st.sampled_from([1, 2, MANY_LANES]))
def test_states_equal_the_twins_at_any_split(name: str, cuts: list[int], replicates: int) -> None:
    task, parts, dimension = PARTS[name]
    lanes = len(parts) * replicates
    block = drawn_block(task, 40, lanes, seed=len(cuts), dimension=dimension)
    state = start(name, replicates)
    logs = advance_in_parts(state, block, cuts)
    questions = drawn_block(task, 3, lanes, seed=99, dimension=dimension)
    law = state.label_law(questions)
    assert np.abs(law.sum(axis=-1) - 1).max() < 1e-12
    # The first and the last lane of every setting; with many lanes the twins would take too long.
    for lane in {s * replicates + r for s in range(len(parts)) for r in (0, replicates - 1)}:
        twin = [reference_in_weight(parts[lane // replicates], task)]
        assert off(logs[:, [lane]], twin_logs(twin, lane_of(block, lane))) < 1e-12
        assert off(law[:, [lane]], twin_laws(twin, lane_of(questions, lane))) < 1e-12
    # Asking taught nothing, and the answer is what the next step is predicted with.
    assert (state.label_law(questions) == law).all()
    following = np.take_along_axis(law[:1], questions.label[:1, :, None], axis=-1)[..., 0]
    assert off(state.advance(questions.part(0, 1)), np.log(following)) < 1e-12


@pytest.mark.parametrize("name", PARTS)
def test_a_lane_does_not_depend_on_the_others(name: str) -> None:
    task, parts, dimension = PARTS[name]
    block = drawn_block(task, 60, 30 * len(parts), dimension=dimension)
    logs = start(name, 30).advance(block)
    for place, part in enumerate(parts):
        alone = in_weight_state(part, lanes_of(task, part, "in_weight"))
        assert off(logs[:, [30 * place]], alone.advance(lane_of(block, 30 * place))) < 1e-12


def test_laplace_by_hand() -> None:
    """Three labels, class 0: the table says 1/3, then (1+1)/(1+3), then for a new label (0+1)/(2+3)."""
    task = TaskDistribution(num_high=1, num_low=2, p_high=0.5)
    state = in_weight_state(DirichletTable(), lanes_of(task, DirichletTable(pseudo_count=1.0), "in_weight"))
    zeros = np.zeros((3, 1), dtype=int)
    logs = state.advance(explicit_block(zeros, [[0], [0], [2]], zeros[..., None], zeros[..., None]))
    assert np.exp(logs).ravel().tolist() == pytest.approx([1 / 3, 1 / 2, 1 / 5], rel=1e-14, abs=0)


def test_a_small_loss_of_the_table_keeps_its_digits() -> None:
    task, steps = TaskDistribution(num_high=1, num_low=1, p_high=0.5), 1000
    state = in_weight_state(DirichletTable(), lanes_of(task, DirichletTable(pseudo_count=1e-12), "in_weight"))
    zeros = np.zeros((steps, 1), dtype=int)
    logs = state.advance(explicit_block(zeros, zeros, zeros[..., None], zeros[..., None]))
    assert float(-logs[-1, 0]) == pytest.approx(1e-12 / (steps - 1), rel=1e-10, abs=0)


@pytest.mark.parametrize("lanes", [2, MANY_LANES])
def test_sparse_counts_equal_dense_ones(lanes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    block = drawn_block(SHARED, 50, lanes)
    part = DirichletTable()
    dense = in_weight_state(part, lanes_of(SHARED, part, "in_weight", lanes))
    monkeypatch.setattr(dirichlet_counts, "LARGEST_DENSE", 0)
    sparse = in_weight_state(part, lanes_of(SHARED, part, "in_weight", lanes))
    # Before anything was learned, every label is as likely.
    assert (sparse.label_law(block) == 1 / 3).all()
    assert (advance_in_parts(sparse, block, [7, 7, 31]) == dense.advance(block)).all()
    assert (sparse.label_law(block) == dense.label_law(block)).all()


def test_many_labels_need_memory_for_those_that_occur() -> None:
    """100 million pairs, of which 200 occur; a dense table would take 800 MB."""
    import tracemalloc

    task = TaskDistribution(frequencies="uniform", num_classes=10_000, label_noise=0.5)
    query = np.arange(200)[:, None] % 100
    zeros = np.zeros((200, 1, 1), dtype=int)
    block = explicit_block(query, query + (np.arange(200)[:, None] >= 100), zeros, zeros)
    tracemalloc.start()
    state = in_weight_state(DirichletTable(), lanes_of(task, DirichletTable(), "in_weight"))
    logs = state.advance(block)
    law = state.label_law(block.part(0, 2))
    assert tracemalloc.get_traced_memory()[1] < 8e6
    tracemalloc.stop()
    assert logs[0, 0] == pytest.approx(-np.log(10_000), rel=1e-12)
    assert logs[150, 0] == pytest.approx(np.log(0.5 / 5001), rel=1e-12)
    assert law[1, 0, 1] == law[1, 0, 2] == pytest.approx(1.5 / 5002, rel=1e-12)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(st.lists(st.lists(st.integers(0, 4), min_size=2, max_size=2), min_size=1, max_size=30), st.integers(0, 30))
def test_occurrences_equal_a_plain_count(rows: list[list[int]], cut: int) -> None:
    keys = np.array(rows) + np.array([0, 5])
    expected = [[sum(r[lane] == row[lane] for r in rows[:t]) for lane in range(2)] for t, row in enumerate(rows)]
    for counts in (DenseCounts(10), SparseCounts()):
        parts = [counts.count(part) for part in (keys[:cut], keys[cut:])]
        assert np.concatenate(parts).tolist() == expected
        total = [sum(r[0] == key for r in rows) for key in range(5)]
        assert counts.ranges(np.array([[0], [5]]), 5)[0, 0].tolist() == total


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("inputs", [True, False])
def test_a_step_is_the_rate_times_the_gradient(inputs: bool, bias: bool) -> None:
    """Finite differences of the log probability by every weight; a step of the wrong sign is rejected."""
    task: Any = INPUTS if inputs else TASK
    part = LogisticRegression(learning_rate=0.4, bias=bias)
    state = in_weight_state(part, lanes_of(task, part, "in_weight"))
    state.advance(drawn_block(task, 20, 1, dimension=3 * inputs))
    step = drawn_block(task, 1, 1, seed=5, dimension=3 * inputs)

    def log_probability() -> float:
        return float(np.log(state.label_law(step)[0, 0, step.label[0, 0]]))

    arrays = [state.weights] + ([state.biases] if bias and not inputs else [])
    before, slopes = [array.copy() for array in arrays], []
    for array in arrays:
        slope = np.empty(array.shape)
        for place in np.ndindex(array.shape):
            kept, sides = array[place], []
            for change in (1e-5, -1e-5):
                array[place] = kept + change
                sides.append(log_probability())
            array[place] = kept
            slope[place] = (sides[0] - sides[1]) / 2e-5
        slopes.append(slope)
    state.advance(step)
    arrays = [state.weights] + ([state.biases] if bias and not inputs else [])
    for array, old, slope in zip(arrays, before, slopes, strict=True):
        assert np.abs(array - old - 0.4 * slope).max() < 1e-9
        assert np.abs(array - old + 0.4 * slope).max() > 1e-2


def test_scaling_inputs_and_rate_changes_nothing() -> None:
    """Inputs times c and the rate over c squared, without a bias; the rate over c is told apart."""
    block, scale = drawn_block(INPUTS, 50, 2, dimension=3), 7.0
    scaled = replace(block, query_inputs=scale * block.query_inputs)

    def logs(block: PromptBlock, rate: float, bias: bool = False) -> np.ndarray:
        part = LogisticRegression(learning_rate=rate, bias=bias)
        return np.asarray(in_weight_state(part, lanes_of(INPUTS, part, "in_weight", 2)).advance(block))

    assert off(logs(scaled, 0.5 / scale**2), logs(block, 0.5)) < 1e-11
    assert off(logs(scaled, 0.5 / scale), logs(block, 0.5)) > 0.1
    assert off(logs(scaled, 0.5 / scale**2, bias=True), logs(block, 0.5, bias=True)) > 0.01


def test_indicators_as_inputs_equal_the_look_up() -> None:
    """A task with one-hot inputs and one without any learn the same."""
    block = drawn_block(TASK, 60, 3)
    hot = replace(block, query_inputs=np.eye(6)[block.query])
    for bias in (True, False):
        part = LogisticRegression(learning_rate=1.5, bias=bias)
        table = in_weight_state(part, lanes_of(TASK, part, "in_weight", 3))
        dense = in_weight_state(part, lanes_of(InputTask(TASK, dimension=6), part, "in_weight", 3))
        assert off(dense.advance(hot), table.advance(block)) < 1e-12


def test_regression_learns_the_label_law() -> None:
    """After many steps at a small rate, the own label of the most frequent class has about its probability, 0.8."""
    part = LogisticRegression(learning_rate=0.03)
    state = in_weight_state(part, lanes_of(TASK, part, "in_weight", 20))
    state.advance(drawn_block(TASK, 4000, 20))
    law = state.label_law(drawn_block(TASK, 1, 20))
    asked = explicit_block(np.zeros((1, 20)), np.zeros((1, 20)), np.zeros((1, 20, 3)), np.zeros((1, 20, 3)))
    law = state.label_law(asked)[0, :, :2].mean(axis=0)
    assert law[0] == pytest.approx(0.8, abs=0.03)
    assert law[1] == pytest.approx(0.2, abs=0.03)


@pytest.mark.parametrize("scale", [1e-6, 1e6])
@pytest.mark.parametrize("rate", [1e-6, 100.0])
def test_wild_inputs_and_rates_give_numbers(scale: float, rate: float) -> None:
    for dimension in (1, 3):
        task = InputTask(replace(TASK, num_labels=2), dimension=dimension)
        part = LogisticRegression(learning_rate=rate)
        state = in_weight_state(part, lanes_of(task, part, "in_weight", 3))
        block = drawn_block(task, 200, 3, dimension=dimension)
        block = replace(block, query_inputs=scale * block.query_inputs)
        logs, law = state.advance(block), state.label_law(block)
        assert np.isfinite(logs).all()
        assert (logs <= 0).all()
        assert np.isfinite(law).all()
        assert np.abs(law.sum(axis=-1) - 1).max() < 1e-12


def test_an_empty_block_is_no_step() -> None:
    for name, (task, parts, dimension) in PARTS.items():
        block = drawn_block(task, 5, len(parts), dimension=dimension)
        state = start(name, 1)
        assert state.advance(block.part(2, 2)).shape == (0, len(parts))
        assert (state.advance(block) == start(name, 1).advance(block)).all()
        assert state.label_law(block.part(0, 0)).shape == (0, len(parts), task.total_labels)


def test_settings_that_do_not_fit_together() -> None:
    part = LogisticRegression()
    with pytest.raises(SettingError, match=r"inputs\.dimension = 4 is not allowed: expected 3"):
        in_weight_state(part, lanes_of([INPUTS, InputTask(TASK, dimension=4)], [part, part], "in_weight"))
    with pytest.raises(SettingError, match=r"inputs\.dimension = 'none'"):
        in_weight_state(part, lanes_of([INPUTS, TASK], [part, part], "in_weight"))
    with pytest.raises(SettingError, match=r"model\.in_weight\.bias"):
        in_weight_state(part, lanes_of(TASK, [part, LogisticRegression(bias=False)], "in_weight"))
    state = in_weight_state(part, lanes_of(INPUTS, part, "in_weight"))
    with pytest.raises(SettingError, match=r"block\.query_inputs is missing"):
        state.advance(drawn_block(TASK, 2, 1))
    with pytest.raises(SettingError, match=r"block\.query_inputs"):
        state.advance(drawn_block(TASK, 2, 1, dimension=4))


class Uniform:
    """A user's own predictor: all labels alike."""

    needs: ClassVar[str] = "statistics"

    def __init__(self, labels: int) -> None:
        self._labels = labels

    def advance(self, block: PromptBlock) -> np.ndarray:
        return np.full(block.label.shape, -np.log(self._labels))

    def label_law(self, block: PromptBlock) -> np.ndarray:
        return np.full((*block.label.shape, self._labels), 1 / self._labels)


@dataclass(frozen=True)
class MyPart:
    kind: ClassVar[str] = "mine"

    def start(self, lanes: Any) -> Uniform:
        return Uniform(lanes.labels)


@dataclass(frozen=True)
class Malformed:
    kind: ClassVar[str] = "malformed"

    def start(self, lanes: Any) -> object:
        return lanes


@dataclass(frozen=True)
class NoStart:
    kind: ClassVar[str] = "no-start"


@pytest.mark.parametrize(("role", "dispatch"), [("in_weight", in_weight_state), ("in_context", in_context_state)])
def test_a_users_own_predictor(role: str, dispatch: Any) -> None:
    block = drawn_block(TASK, 4, 2)
    state = dispatch(MyPart(), lanes_of(TASK, MyPart(), role, 2))
    assert np.exp(state.advance(block)) == pytest.approx(1 / 6)
    for part in (Malformed(), NoStart()):
        with pytest.raises(NoEngineError, match=rf"model\.{role} = '{part.kind}' has no implementation"):
            dispatch(part, lanes_of(TASK, part, role))
        with pytest.raises(NoEngineError):
            reference_in_weight(part, TASK)
