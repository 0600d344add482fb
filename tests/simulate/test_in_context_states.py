"""States of the in-context predictors: the scalar twins, gradients, limits, scaling, extreme numbers."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulate.implementations import in_context_state
from simulate.in_context.kernel_weights import log_mass_and_slope
from simulate.in_context.label_counts import LabelCounts
from simulate.learned_attention import LearningAttention
from simulate.prompts import draw_prompts, statistics_of
from simulate.reference_predictors import reference_in_context
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
from theory.catalogue import find_theorem
from theory.errors import SettingError
from theory.setting import (
    Attention,
    KernelAttention,
    LabelPosterior,
    LearnedAttention,
    MajorityVote,
    TaskDistribution,
)

TASK = TaskDistribution(num_high=2, num_low=4, p_high=0.7, context_length=5, p_relevant=0.6, label_noise=0.2)
SYMMETRIC = replace(TASK, label_noise_kind="symmetric", context_label_noise=0.5, num_labels=4)
NOISELESS = replace(TASK, label_noise=0.0)
CERTAIN = replace(TASK, label_noise=1.0)
TWO = replace(TASK, num_labels=2)
INPUTS = InputTask(TASK, dimension=3)
QUERY_MATRIX = [[0.5, 0.3, 0.2], [0.0, 1.0, 0.0], [0.1, 0.1, 0.8]]
CONTEXT_MATRIX = [[0.6, 0.0, 0.4], [0.2, 0.7, 0.1], [0.0, 0.0, 1.0]]
MATRIX = InputTask(replace(TASK, num_labels=3), matrices=(QUERY_MATRIX, CONTEXT_MATRIX))
SAME_MATRIX = InputTask(replace(TASK, num_labels=3), matrices=(QUERY_MATRIX, None))

FIXED = [Attention(odds=odds, floor=floor) for odds, floor in ((1.0, 1e-4), (20.0, 0.1), (1e100, 1e-9))]
LEARNED = [
    LearnedAttention(learning_rate=r, initial_odds=o) for r, o in ((0.0, 3.0), (0.02, 1.0), (1.0, 1.5), (30.0, 1e20))
]
KERNELS = [KernelAttention(temperature=t, floor=f) for t, f in ((1e6, 1e-4), (1.0, 0.05), (0.05, 1e-9))]
LEARNED_KERNELS = [KernelAttention(temperature=t, learning_rate=r) for t, r in ((1.0, 0.0), (2.0, 0.01), (0.5, 0.2))]
FLOORS = [0.0, 1e-4, 0.1]
POSTERIORS = [LabelPosterior(floor=floor) for floor in FLOORS]
VOTES = [MajorityVote(floor=floor) for floor in (1e-9, 0.1)]
PARTS: dict[str, tuple[Any, list[Any], int]] = {
    "attention": (TASK, FIXED, 0),
    "attention, shared labels": (SYMMETRIC, FIXED, 0),
    "learned": (TASK, LEARNED, 0),
    "learned, shared labels": (SYMMETRIC, LEARNED, 0),
    "kernel": (INPUTS, KERNELS, 3),
    "learned kernel": (INPUTS, LEARNED_KERNELS, 3),
    "kernel without inputs": (SYMMETRIC, LEARNED_KERNELS, 0),
    "posterior, cyclic": (TASK, POSTERIORS, 0),
    "posterior, symmetric": (SYMMETRIC, POSTERIORS, 0),
    "posterior, noiseless": (NOISELESS, POSTERIORS, 0),
    "posterior, certain noise": (CERTAIN, POSTERIORS, 0),
    "posterior, two labels": (TWO, POSTERIORS, 0),
    "posterior, matrix": (MATRIX, POSTERIORS[1:], 0),
    "posterior, one matrix": (SAME_MATRIX, POSTERIORS[1:], 0),
    "vote": (TASK, VOTES, 0),
    "vote, shared labels": (SYMMETRIC, VOTES, 0),
}


def start(name: str, replicates: int) -> Any:
    task, parts, _ = PARTS[name]
    return in_context_state(parts[0], lanes_of(task, parts, "in_context", replicates))


@pytest.mark.parametrize("name", PARTS)
@settings(max_examples=5, deadline=None, derandomize=True)
@given(cuts=st.lists(st.integers(0, 40), max_size=3), replicates=st.integers(1, 3))
def test_states_equal_the_twins_at_any_split(name: str, cuts: list[int], replicates: int) -> None:
    task, parts, dimension = PARTS[name]
    lanes = len(parts) * replicates
    block = drawn_block(task, 40, lanes, seed=len(cuts), dimension=dimension)
    questions = drawn_block(task, 3, lanes, seed=99, dimension=dimension)
    twins = [reference_in_context(part, task) for part in parts for _ in range(replicates)]
    state = start(name, replicates)
    logs = advance_in_parts(state, block, cuts)
    assert off(logs, twin_logs(twins, block)) < 1e-12
    law = state.label_law(questions)
    assert off(law, twin_laws(twins, questions)) < 1e-12
    assert np.abs(law.sum(axis=-1) - 1).max() < 1e-12
    # Asking taught nothing, and the answer is what the next step is predicted with.
    assert (state.label_law(questions) == law).all()
    following = np.take_along_axis(law[:1], questions.label[:1, :, None], axis=-1)[..., 0]
    assert off(state.advance(questions.part(0, 1)), np.log(following)) < 1e-12


@pytest.mark.parametrize("name", PARTS)
def test_a_lane_does_not_depend_on_the_others(name: str) -> None:
    task, parts, dimension = PARTS[name]
    block = drawn_block(task, 60, 4 * len(parts), dimension=dimension)
    logs = start(name, 4).advance(block)
    for place, part in enumerate(parts):
        alone = in_context_state(part, lanes_of(task, part, "in_context"))
        assert off(logs[:, [4 * place]], alone.advance(lane_of(block, 4 * place))) < 1e-13


def test_tasks_may_differ_between_lanes() -> None:
    """Another noise in every setting; the lanes of one with the other's noise are told apart."""
    tasks, part = [replace(TASK, label_noise=noise) for noise in (0.1, 0.4)], LabelPosterior()
    block = drawn_block([tasks[0], tasks[0], tasks[1], tasks[1]], 50, 4)
    logs = in_context_state(part, lanes_of(tasks, [part, part], "in_context", 2)).advance(block)
    for lane in range(4):
        right, wrong = (reference_in_context(part, tasks[place]) for place in (lane // 2, 1 - lane // 2))
        assert off(logs[:, [lane]], twin_logs([right], lane_of(block, lane))) < 1e-12
        assert off(logs[:, [lane]], twin_logs([wrong], lane_of(block, lane))) > 0.1


@pytest.mark.parametrize("rate", [0.02, 1.0, 300.0])
@pytest.mark.parametrize("task", [TASK, SYMMETRIC, replace(TASK, p_relevant=0.0)])
def test_learned_attention_is_that_of_the_scan_engine(task: TaskDistribution, rate: float) -> None:
    part = LearnedAttention(learning_rate=rate, initial_odds=1.5)
    prompts = draw_prompts(task, 1500, np.random.default_rng(3))
    expected = LearningAttention(part, task)(statistics_of(task, prompts))
    block = explicit_block(
        *(array[:, None] for array in (prompts.query, prompts.label, prompts.context_classes, prompts.context_labels))
    )
    state = in_context_state(part, lanes_of(task, part, "in_context"))
    # At such a rate every step amplifies rounding.
    assert off(-advance_in_parts(state, block, [100, 101])[:, 0], expected) < (1e-12 if rate < 100 else 1e-10)


def test_attention_by_hand() -> None:
    """Odds 3; the relevant example carries the label and one of two others: (3 + 1)/(3 + 2)."""
    task = TaskDistribution(num_high=1, num_low=2, p_high=0.5, context_length=3)
    state = in_context_state(Attention(), lanes_of(task, Attention(odds=3.0, floor=0.1), "in_context"))
    block = explicit_block([[0]], [[1]], [[[0, 1, 2]]], [[[1, 1, 2]]])
    assert float(np.exp(state.advance(block))[0, 0]) == pytest.approx(0.7 * 0.8 + 0.1, rel=1e-14)
    assert state.label_law(block).ravel().tolist() == pytest.approx([0.1, 0.66, 0.24], rel=1e-14)


LEARNERS: dict[str, tuple[Any, Any, int]] = {
    "attention": (TASK, LearnedAttention(learning_rate=0.3, initial_odds=2.0, floor=0.1), 0),
    "kernel": (INPUTS, KernelAttention(temperature=2.0, learning_rate=0.3, floor=0.1), 3),
}


@pytest.mark.parametrize("name", LEARNERS)
def test_the_temperature_moves_along_the_gradient(name: str) -> None:
    """Central differences of the log probability; a step without the floor's factor, or backwards, is rejected."""
    task, part, dimension = LEARNERS[name]
    block = drawn_block(task, 1, 200, dimension=dimension)
    state = in_context_state(part, lanes_of(task, part, "in_context", 200))
    start, sides = state.inverse_temperature.copy(), []
    for change in (1e-5, -1e-5):
        state.inverse_temperature = start + change
        law = state.label_law(block)
        sides.append(np.log(np.take_along_axis(law, block.label[..., None], axis=-1)[0, :, 0]))
    state.inverse_temperature = start.copy()
    state.advance(block)
    gained, slope = state.inverse_temperature - start, (sides[0] - sides[1]) / 2e-5
    assert np.abs(gained - 0.3 * slope).max() < 1e-8
    assert np.abs(gained - 0.3 * slope / (1 - 6 * 0.1)).max() > 1e-2
    assert np.abs(gained + 0.3 * slope).max() > 1e-2


def test_a_kernel_on_indicators_is_attention() -> None:
    """Without inputs the odds are exp(2/T); inputs that are one-hot learn the same temperature."""
    block = drawn_block(TASK, 80, 2)
    kernel, hot = KernelAttention(temperature=0.7), np.eye(6)
    attention = Attention(odds=math.exp(2 / 0.7))
    states = [in_context_state(part, lanes_of(TASK, part, "in_context", 2)) for part in (kernel, attention)]
    assert off(states[0].advance(block), states[1].advance(block)) < 1e-13
    learning = KernelAttention(temperature=0.7, learning_rate=0.05)
    table = in_context_state(learning, lanes_of(TASK, learning, "in_context", 2))
    dense = in_context_state(learning, lanes_of(InputTask(TASK, dimension=6), learning, "in_context", 2))
    given = replace(block, query_inputs=hot[block.query], context_inputs=hot[block.context_classes])
    logs = table.advance(block)
    assert off(dense.advance(given), logs) < 1e-12
    assert np.abs(2 * dense.inverse_temperature - table.inverse_temperature).max() < 1e-12
    assert off(logs, states[0].advance(block)) > 0.01


def test_the_kernel_between_its_limits() -> None:
    """A cold kernel copies the nearest example, a hot one counts all alike."""
    block = drawn_block(INPUTS, 100, 1, dimension=3)
    assert block.context_inputs is not None
    assert block.query_inputs is not None
    assert block.context_labels is not None
    nearest = ((block.context_inputs - block.query_inputs[:, :, None]) ** 2).sum(axis=-1).argmin(axis=-1)
    copied = np.take_along_axis(block.context_labels, nearest[..., None], axis=-1)[..., 0]
    for temperature, share in ((1e-6, 1.0), (1e6, None)):
        part = KernelAttention(temperature=temperature, floor=1e-3)
        state = in_context_state(part, lanes_of(INPUTS, part, "in_context"))
        alike = (block.context_labels == block.label[..., None]).mean(axis=-1)
        mass = (copied == block.label) * share if share else alike
        assert np.abs(np.exp(state.advance(block)) - (1 - 6e-3) * mass - 1e-3).max() < 1e-4
        assert (state.label_law(block).argmax(axis=-1) == copied).all() or share is None


def test_scaling_inputs_and_temperature_changes_nothing() -> None:
    """Inputs times c, T times c squared, the rate over its square; the temperature times c is told apart."""
    block, c = drawn_block(INPUTS, 60, 2, dimension=3), 7.0
    assert block.context_inputs is not None
    assert block.query_inputs is not None
    scaled = replace(block, query_inputs=c * block.query_inputs, context_inputs=c * block.context_inputs)

    def logs(block: Any, temperature: float, rate: float) -> Any:
        part = KernelAttention(temperature=temperature, learning_rate=rate)
        return in_context_state(part, lanes_of(INPUTS, part, "in_context", 2)).advance(block)

    for rate in (0.0, 0.05):
        assert off(logs(scaled, 1.5 * c**2, rate / c**4), logs(block, 1.5, rate)) < 1e-11
        assert off(logs(scaled, 1.5 * c, rate / c**4), logs(block, 1.5, rate)) > 0.1


BAYES = TaskDistribution(frequencies="uniform", num_classes=4, context_length=5, relevant_examples=5, label_noise=0.3)


@pytest.mark.parametrize("kind", ["cyclic", "symmetric"])
def test_the_posterior_is_the_best_rule_on_its_own_distribution(kind: str) -> None:
    """Uniform classes, only relevant examples, 40,000 prompts: every other rule loses by more than five errors.

    A wrong posterior, with the context's noise at 0.1 in place of 0.3, loses as well.
    """
    task = replace(BAYES, label_noise_kind=kind)
    block = drawn_block(task, 4000, 10, seed=1)

    def losses(part: Any, task: TaskDistribution = task) -> Any:
        return -in_context_state(part, lanes_of(task, part, "in_context", 10)).advance(block).ravel()

    best = losses(LabelPosterior(floor=0.0))
    others = [losses(part) for part in (LabelPosterior(floor=0.02), MajorityVote(floor=0.05), Attention(floor=0.02))]
    others += [losses(LearnedAttention(learning_rate=0.1)), losses(KernelAttention(floor=0.05))]
    others.append(losses(LabelPosterior(floor=0.0), replace(task, context_label_noise=0.1)))
    for other in others:
        gap = other - best
        assert gap.mean() > 5 * gap.std() / math.sqrt(gap.size)


def test_the_posterior_attains_the_exact_risk_with_two_labels() -> None:
    """70,000 prompts: within four errors (false alarm 6e-5); the floor of 0.1 is 20 errors away."""
    task = replace(BAYES, num_classes=2, context_length=7, relevant_examples=7, label_noise=0.125)
    block = drawn_block(task, 7000, 10, seed=2)
    risk = float(find_theorem("bayes_in_context_risk").evaluate(m=7, label_noise=0.125))
    for floor, right in ((0.0, True), (0.1, False)):
        part = LabelPosterior(floor=floor)
        loss = -in_context_state(part, lanes_of(task, part, "in_context", 10)).advance(block)
        assert (abs(loss.mean() - risk) < 4 * loss.std() / math.sqrt(loss.size)) == right


def test_the_posterior_without_relevant_examples_is_uniform() -> None:
    for name in ("posterior, cyclic", "posterior, symmetric", "posterior, matrix", "posterior, noiseless"):
        task = PARTS[name][0]
        state = in_context_state(LabelPosterior(), lanes_of(task, LabelPosterior(), "in_context"))
        law = state.label_law(explicit_block([[0]], [[1]], [[[1, 2, 3, 4, 5]]], [[[1, 2, 0, 1, 1]]]))
        if "matrix" in name:
            uniform = np.mean(QUERY_MATRIX, axis=0)
            assert np.abs(law - (1 - 3e-4) * uniform - 1e-4).max() < 1e-14
        else:
            assert np.abs(law - 1 / task.total_labels).max() < 1e-14


def test_impossible_evidence_follows_the_labels_that_explain_most() -> None:
    """Without noise, labels 2, 2 and 4 of one class: own label 2."""
    block = explicit_block([[0]], [[2]], [[[0, 0, 0, 1, 1]]], [[[4, 2, 2, 4, 4]]])
    state = in_context_state(LabelPosterior(), lanes_of(NOISELESS, LabelPosterior(floor=0.0), "in_context"))
    assert state.label_law(block)[0, 0].tolist() == pytest.approx([0, 0, 1, 0, 0, 0], abs=1e-200)
    assert state.advance(block)[0, 0] == pytest.approx(0.0, abs=1e-15)
    # A query's label that is impossible as well costs 300 digits, not infinitely much.
    surprised = state.advance(replace(block, label=np.array([[3]])))[0, 0]
    assert surprised == pytest.approx(-math.log(1e300), rel=1e-10)


def test_noise_matrices_by_hand() -> None:
    """Two relevant examples of label 0, one of label 2.

    Under the context's matrix own labels 0 and 1 have the likelihoods 0.6 * 0.6 * 0.4 and 0.2 * 0.2 * 0.1, 2 has none.
    Under one matrix for both it is 0.5 * 0.5 * 0.2 for 0, and 0.1 * 0.1 * 0.8 for 2.
    """
    block = explicit_block([[0]], [[1]], [[[0, 0, 0, 1, 1]]], [[[0, 2, 0, 1, 1]]])
    for task, posterior in (
        (MATRIX, [0.144 / 0.148, 0.004 / 0.148, 0.0]),
        (SAME_MATRIX, [0.05 / 0.058, 0.0, 0.008 / 0.058]),
    ):
        state = in_context_state(LabelPosterior(), lanes_of(task, LabelPosterior(floor=1e-3), "in_context"))
        expected = 0.997 * np.array(posterior) @ np.array(QUERY_MATRIX) + 1e-3
        assert np.abs(state.label_law(block)[0, 0] - expected).max() < 1e-14
        assert float(np.exp(state.advance(block))[0, 0]) == pytest.approx(expected[1], rel=1e-13)


def test_matrices_may_differ_between_lanes() -> None:
    tasks, part = [MATRIX, SAME_MATRIX], LabelPosterior()
    block = drawn_block([MATRIX] * 4, 30, 4)
    logs = in_context_state(part, lanes_of(tasks, [part, part], "in_context", 2)).advance(block)
    twins = [reference_in_context(part, tasks[lane // 2]) for lane in range(4)]
    assert off(logs, twin_logs(twins, block)) < 1e-12
    assert off(logs, twin_logs(twins[::-1], block)) > 0.1


def test_a_label_that_is_never_the_own_one_keeps_its_digits() -> None:
    """Query labels are always wrong, twelve examples agree: the own label returns with a probability of 1e-30."""
    task = replace(SYMMETRIC, label_noise=1.0, context_label_noise=0.01, context_length=12)
    part = LabelPosterior(floor=0.0)
    state = in_context_state(part, lanes_of(task, part, "in_context"))
    block = explicit_block([[0]], [[3]], np.zeros((1, 1, 12)), np.full((1, 1, 12), 3))
    expected = (0.01 / 3 / 0.99) ** 12
    assert float(state.label_law(block)[0, 0, 3]) == pytest.approx(expected, rel=1e-12, abs=0)
    assert float(np.exp(state.advance(block))[0, 0]) == pytest.approx(expected, rel=1e-12, abs=0)


def test_labels_that_are_all_unlikely_are_told_apart() -> None:
    """Noise of all but 1e-12, 31 examples of label 0 and 30 of label 1: own label 1, though both lose 800 nats."""
    task = replace(SYMMETRIC, num_labels=2, label_noise=0.0, context_label_noise=1 - 1e-12, context_length=61)
    part = LabelPosterior(floor=0.0)
    state = in_context_state(part, lanes_of(task, part, "in_context"))
    block = explicit_block([[0]], [[0]], np.zeros((1, 1, 61)), np.repeat([0, 1], [31, 30])[None, None])
    assert float(np.exp(state.advance(block))[0, 0]) == pytest.approx(1e-12, rel=1e-3, abs=0)


def test_votes_by_hand() -> None:
    """Ties share; irrelevant examples vote only where there is no relevant one."""
    part = MajorityVote(floor=0.01)
    state = in_context_state(part, lanes_of(TASK, part, "in_context"))
    classes = [[[0, 0, 1, 1, 1]], [[0, 0, 0, 1, 1]], [[1, 2, 2, 3, 3]]]
    labels = [[[0, 2, 5, 5, 5]], [[3, 3, 1, 1, 1]], [[4, 4, 2, 2, 1]]]
    law = state.label_law(explicit_block([[0]] * 3, [[0]] * 3, classes, labels))[:, 0]
    expected = [{0: 0.5, 2: 0.5}, {3: 1.0}, {2: 0.5, 4: 0.5}]
    for found, shares in zip(law, expected, strict=True):
        assert found.tolist() == pytest.approx([0.94 * shares.get(y, 0.0) + 0.01 for y in range(6)], rel=1e-14)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(st.lists(st.lists(st.tuples(st.integers(0, 3), st.booleans()), min_size=3, max_size=3), min_size=1, max_size=6))
def test_label_counts_are_counts(rows: list[list[tuple[int, bool]]]) -> None:
    labels, chosen = (np.array([[pair[i] for pair in row] for row in rows]) for i in (0, 1))
    counts = LabelCounts.of(labels, chosen.astype(bool), 4)
    dense = np.zeros(4 * len(rows), dtype=int)
    dense[counts.key] = counts.count
    assert dense.tolist() == [sum(pair == (y, True) for pair in row) for row in rows for y in range(4)]


@pytest.mark.parametrize("kind", ["cyclic", "symmetric"])
def test_ten_thousand_labels(kind: str) -> None:
    """Predicting the label of 2000 prompts touches only labels that occur; the whole law says the same."""
    import tracemalloc

    task = TaskDistribution(
        frequencies="uniform", num_classes=10_000, context_length=6, label_noise=0.3, label_noise_kind=kind
    )
    task = replace(task, relevant_examples=4)
    block, part = drawn_block(task, 500, 4), LabelPosterior(floor=1e-6)
    state = in_context_state(part, lanes_of(task, part, "in_context", 4))
    tracemalloc.start()
    logs = state.advance(block)
    # A dense array would have 20 million entries.
    assert tracemalloc.get_traced_memory()[1] < 8e6
    tracemalloc.stop()
    law = state.label_law(block.part(0, 3))
    assert np.abs(law.sum(axis=-1) - 1).max() < 1e-12
    assert off(logs[:3], np.log(np.take_along_axis(law, block.label[:3, :, None], axis=-1)[..., 0])) < 1e-12


COPYING = [Attention(floor=0.0), LearnedAttention(learning_rate=0.1, floor=0.0), KernelAttention(floor=0.0)]


@pytest.mark.parametrize("part", COPYING, ids=lambda part: part.kind)
def test_a_floor_of_zero_where_the_context_can_lack_the_label(part: Any) -> None:
    with pytest.raises(SettingError, match=r"model\.in_context\.floor = 0\.0"):
        in_context_state(part, lanes_of(TASK, part, "in_context"))
    # One bad setting among good ones is found too.
    fine = replace(NOISELESS, p_relevant=1.0, relevant_examples=2)
    with pytest.raises(SettingError, match=r"model\.in_context\.floor"):
        in_context_state(part, lanes_of([fine, TASK], [part, part], "in_context"))
    with pytest.raises(SettingError, match=r"only a TaskDistribution can rule out"):
        in_context_state(part, lanes_of(InputTask(fine, dimension=2), part, "in_context"))
    block = drawn_block(fine, 50, 3)
    logs = in_context_state(part, lanes_of(fine, part, "in_context", 3)).advance(block)
    assert np.isfinite(logs).all()


@pytest.mark.parametrize("part", [FIXED[0], LEARNED[1], KERNELS[0], POSTERIORS[1], VOTES[0]], ids=lambda p: p.kind)
def test_floors_that_leave_nothing(part: Any) -> None:
    for floor in (1 / 6, 0.5):
        with pytest.raises(SettingError, match=r"model\.in_context\.floor = 0\.\d+ is not allowed: expected less"):
            in_context_state(part, lanes_of(TASK, [part, replace(part, floor=floor)], "in_context"))


def test_the_posterior_needs_a_floor_for_noise_matrices_and_one_kind_of_noise() -> None:
    part = LabelPosterior(floor=0.0)
    with pytest.raises(SettingError, match=r"model\.in_context\.floor"):
        in_context_state(part, lanes_of(MATRIX, part, "in_context"))
    with pytest.raises(SettingError, match=r"label_noise_kind = 'symmetric' is not allowed: expected 'cyclic'"):
        in_context_state(part, lanes_of([TASK, replace(TASK, label_noise_kind="symmetric")], [part] * 2, "in_context"))


@pytest.mark.parametrize("distance", [0.0, 1e-6, 1e6])
@pytest.mark.parametrize("temperature", [1e-6, 1e6])
@pytest.mark.parametrize("rate", [0.0, 1000.0])
def test_wild_kernels_give_numbers(distance: float, temperature: float, rate: float) -> None:
    """Also with one example, one dimension, two labels."""
    for task, dimension in ((TASK, 3), (replace(TASK, num_labels=2, context_length=1), 1)):
        with_inputs = InputTask(task, dimension=dimension)
        part = KernelAttention(temperature=temperature, learning_rate=rate)
        state = in_context_state(part, lanes_of(with_inputs, part, "in_context", 3))
        block = drawn_block(with_inputs, 100, 3, dimension=dimension)
        assert block.context_inputs is not None
        assert block.query_inputs is not None
        block = replace(
            block, query_inputs=distance * block.query_inputs, context_inputs=distance * block.context_inputs
        )
        logs, law = state.advance(block), state.label_law(block)
        assert np.isfinite(logs).all()
        assert (logs >= math.log(1e-4) - 1e-9).all()
        assert np.isfinite(state.inverse_temperature).all()
        assert np.abs(law.sum(axis=-1) - 1).max() < 1e-12


@pytest.mark.parametrize("p_relevant", [0.0, 1.0])
@pytest.mark.parametrize("length", [1, 6])
def test_wild_settings_give_numbers(p_relevant: float, length: int) -> None:
    task = replace(TWO, p_relevant=p_relevant, context_length=length, relevant_examples=length)
    parts = [
        Attention(odds=1e100, floor=1e-300),
        LearnedAttention(learning_rate=1000.0, initial_odds=1e100),
        KernelAttention(temperature=1e-6, learning_rate=1000.0),
        LabelPosterior(floor=0.0),
        MajorityVote(floor=1e-300),
    ]
    block = drawn_block(task, 500, 3)
    for part in parts:
        state = in_context_state(part, lanes_of(task, part, "in_context", 3))
        logs, law = state.advance(block), state.label_law(block)
        assert np.isfinite(logs).all(), part
        assert (logs <= 0).all(), part
        assert np.abs(law.sum(axis=-1) - 1).max() < 1e-12, part


def test_a_carrier_that_is_far_away_has_a_finite_log_mass() -> None:
    """Where its weight underflows: minus the inverse temperature times the distance."""
    barrier = np.array([[-1e300, 0.0]])
    log_mass, slope = log_mass_and_slope(np.array([[0.0, 4.0]]), barrier, np.array([1e6]))
    assert log_mass.tolist() == [-4e6]
    assert slope.tolist() == [-4.0]


def test_an_empty_block_is_no_step() -> None:
    for name, (task, parts, dimension) in PARTS.items():
        block = drawn_block(task, 5, len(parts), dimension=dimension)
        state = start(name, 1)
        assert state.advance(block.part(2, 2)).shape == (0, len(parts))
        assert (state.advance(block) == start(name, 1).advance(block)).all()
        assert state.label_law(block.part(0, 0)).shape == (0, len(parts), task.total_labels)


def test_blocks_without_what_a_part_reads() -> None:
    block = drawn_block(TASK, 3, 1)
    bare = replace(block, context_classes=None, context_labels=None)
    for part in (Attention(), LabelPosterior(), MajorityVote()):
        state = in_context_state(part, lanes_of(TASK, part, "in_context"))
        with pytest.raises(SettingError, match=r"block\.context_classes is missing"):
            state.label_law(bare)
        if state.needs == "labels":
            with pytest.raises(SettingError, match=r"block\.context_classes is missing"):
                state.advance(bare)
        with pytest.raises(SettingError, match=r"block\.context_labels is missing"):
            state.label_law(replace(block, context_labels=None))
    state = in_context_state(KernelAttention(), lanes_of(INPUTS, KernelAttention(), "in_context"))
    with pytest.raises(SettingError, match=r"block\.context_inputs is missing"):
        state.advance(block)
    with pytest.raises(SettingError, match=r"block\.query_inputs is missing"):
        state.advance(replace(drawn_block(INPUTS, 3, 1, dimension=3), query_inputs=None))
