"""The posterior of the own label: its risk, noise matrices, evidence that is hardly possible."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from simulate.implementations import in_context_state
from simulate.reference_predictors import reference_in_context
from tests.simulate.in_context_parts import MATRIX, NOISELESS, PARTS, QUERY_MATRIX, SAME_MATRIX, SYMMETRIC, TASK
from tests.simulate.predictor_blocks import drawn_block, explicit_block, lane_of, lanes_of, off, twin_logs
from theory.catalogue import find_theorem
from theory.setting import Attention, KernelAttention, LabelPosterior, LearnedAttention, MajorityVote, TaskDistribution

BAYES = TaskDistribution(frequencies="uniform", num_classes=4, context_length=5, relevant_examples=5, label_noise=0.3)


def test_tasks_may_differ_between_lanes() -> None:
    """Another noise in every setting; the lanes of one with the other's noise are told apart."""
    tasks, part = [replace(TASK, label_noise=noise) for noise in (0.1, 0.4)], LabelPosterior()
    block = drawn_block([tasks[0], tasks[0], tasks[1], tasks[1]], 50, 4)
    logs = in_context_state(part, lanes_of(tasks, [part, part], "in_context", 2)).advance(block)
    for lane in range(4):
        right, wrong = (reference_in_context(part, tasks[place]) for place in (lane // 2, 1 - lane // 2))
        assert off(logs[:, [lane]], twin_logs([right], lane_of(block, lane))) < 1e-12
        assert off(logs[:, [lane]], twin_logs([wrong], lane_of(block, lane))) > 0.1


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
