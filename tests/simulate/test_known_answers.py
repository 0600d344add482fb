"""Evaluations of learners whose answers are known: a perfect memory, a copier, a uniform guess."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from simulate.blocks import PromptBlock
from simulate.evaluation.exam import Exam
from simulate.evaluation.results import EvaluationCell, cell_of
from simulate.learner import LearnedBlock
from theory.setting import TaskDistribution

Array = NDArray[np.float64]
TASK = TaskDistribution(num_high=3, num_low=4, p_high=0.8, context_length=4, relevant_examples=2)
ZIPF = TaskDistribution(frequencies="zipf", num_classes=5, zipf_exponent=1.0, context_length=3)
NOISY = replace(TASK, label_noise=0.2)


@dataclass
class FixedLearner:
    """A learner that answers by a rule and does not learn."""

    lanes: int
    labels: int
    rule: str
    gate: float = 1.0

    def label_laws(self, block: PromptBlock) -> tuple[Array, Array, Array]:
        return self._memorised(block), self._copied(block), np.full(block.query.shape, self.gate)

    def advance(self, block: PromptBlock) -> LearnedBlock:
        raise NotImplementedError

    def _memorised(self, block: PromptBlock) -> Array:
        if self.rule == "uniform":
            return np.full((*block.query.shape, self.labels), 1 / self.labels)
        return np.eye(self.labels)[block.query % self.labels]

    def _copied(self, block: PromptBlock) -> Array:
        assert block.context_classes is not None
        assert block.context_labels is not None
        weight = np.where(block.context_classes == block.query[..., None], 1e9, 1.0)
        weight = weight / weight.sum(axis=-1, keepdims=True)
        return np.asarray((weight[..., None] * np.eye(self.labels)[block.context_labels]).sum(axis=-2))


def cells_of(learner: Any, task: Any = TASK, prompts: int = 200) -> dict[tuple[str, str, str], EvaluationCell]:
    exam = Exam(task=task, replicates=learner.lanes, seed=1, prompts=prompts)
    marks = exam.marks(learner)
    return {tuple(name): cell_of(name, values) for name, values in zip(exam.cells, marks, strict=True)}


# Answers that are known.


@pytest.mark.parametrize("task", [TASK, ZIPF])
def test_a_perfect_memory_is_always_right_in_base_and_never_out_of_base(task: TaskDistribution) -> None:
    cells = cells_of(FixedLearner(lanes=3, labels=task.total_labels, rule="memory"), task)
    assert len(cells) == 8
    for (base, _, _), cell in cells.items():
        wrong = 0.0 if base == "in-base" else 1.0
        assert cell.error.in_weight.of_replicates.tolist() == [wrong] * 3
        assert cell.error.gated.of_replicates.tolist() == [wrong] * 3
        assert float(cell.cross_entropy.in_weight.mean) == (0.0 if base == "in-base" else math.inf)
        share = cell.in_context_share
        assert share is not None
        assert share.of_replicates.tolist() == [0.0] * 3


def test_a_copier_is_right_in_both_bases_where_there_is_something_to_copy() -> None:
    cells = cells_of(FixedLearner(lanes=3, labels=7, rule="memory", gate=0.0))
    for (_, context, _), cell in cells.items():
        errors = cell.error.gated.of_replicates
        assert errors.tolist() == [0.0] * 3 if context == "relevant" else (errors == 1).all()
        assert cell.error.gated.of_replicates.tolist() == cell.error.in_context.of_replicates.tolist()
        assert cell.in_context_share is not None
        assert cell.in_context_share.of_replicates.tolist() == [1.0] * 3


def test_a_uniform_predictor_costs_the_logarithm_of_the_labels() -> None:
    for cell in cells_of(FixedLearner(lanes=2, labels=7, rule="uniform"), NOISY).values():
        assert cell.cross_entropy.in_weight.of_replicates == pytest.approx(np.full(2, math.log(7)), rel=1e-13)
        assert cell.error.in_weight.of_replicates == pytest.approx(np.full(2, 6 / 7), rel=1e-13)


def test_a_constant_gate_gives_its_complement_as_share() -> None:
    for cell in cells_of(FixedLearner(lanes=2, labels=7, rule="uniform", gate=0.3), NOISY).values():
        assert cell.gate.of_replicates == pytest.approx(np.full(2, 0.3), rel=1e-13)
        assert cell.in_context_share is not None
        assert cell.in_context_share.of_replicates == pytest.approx(np.full(2, 0.7), rel=1e-13)


def test_errors_are_against_the_drawn_label_and_losses_against_its_law() -> None:
    """Noise of 0.2: a memory errs in that share of 3 x 400 questions (five standard deviations: 0.058)."""
    law = np.full((7, 7), 1e-3)
    own = np.arange(7)
    law[own, own] = 0.8
    law[own, (own + 1) % 7] = 1 - 0.8 - 5e-3

    class Knowing(FixedLearner):
        def _memorised(self, block: PromptBlock) -> Array:
            return np.asarray(law[block.query])

    learner = Knowing(lanes=3, labels=7, rule="")
    for (base, _, _), cell in cells_of(learner, NOISY, prompts=400).items():
        if base == "in-base":
            expected = -0.8 * math.log(0.8) - 0.2 * math.log(0.195)
            assert cell.cross_entropy.in_weight.of_replicates == pytest.approx(np.full(3, expected), rel=1e-12)
            assert float(cell.error.in_weight.mean) == pytest.approx(0.2, abs=0.058)
            assert float(cell.error.in_weight.standard_error) > 0
