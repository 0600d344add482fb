"""The composition of the three parts, with parts of a user's own."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from simulate.lanes import Lanes
from simulate.learner import Learner, mixture_loss
from simulate.predictors import NoEngineError
from simulate.protocols import Needs
from simulate.sources import PromptSource
from tests.simulate.stand_ins import Constant
from theory.setting import GatedPredictor, TaskDistribution

TASK = TaskDistribution(num_high=2, num_low=2, p_high=0.8, context_length=2, label_noise=0.1)


G, H = (0.7, 0.1, 0.1, 0.1), (0.25, 0.25, 0.4, 0.1)


def lanes(**parts: Any) -> Lanes:
    given = {"in_weight": Constant(law=G), "in_context": Constant(law=H), "gate": Constant(weight=0.25)}
    return Lanes((TASK,), (GatedPredictor(**(given | parts)),), replicates=3)


def test_losses_are_those_of_the_three_predictors() -> None:
    block = PromptSource(lanes(), "statistics", 1).draw(50)
    learned = Learner(lanes()).advance(block)
    g, h = np.array(G)[block.label], np.array(H)[block.label]
    assert learned.in_weight == pytest.approx(-np.log(g), rel=1e-14)
    assert learned.in_context == pytest.approx(-np.log(h), rel=1e-14)
    assert learned.gated == pytest.approx(-np.log(0.25 * g + 0.75 * h), rel=1e-14)
    assert learned.gated != pytest.approx(-np.log(0.75 * g + 0.25 * h), rel=1e-3)  # the gate's weight is that on g
    assert learned.path.before.shape == (50, 3)


def test_a_gate_may_tell_what_was_predicted() -> None:
    """Where the gate is 1 to rounding, only it knows its complement."""
    block = PromptSource(lanes(), "statistics", 1).draw(5)
    learned = Learner(lanes(gate=Constant(weight=1.0, log_predicted=-0.125))).advance(block)
    assert learned.gated.tolist() == [[0.125] * 3] * 5


def test_answers_are_laws_and_gate() -> None:
    block = PromptSource(lanes(), "statistics", 1).draw(5)
    learner = Learner(lanes())
    g, h, gate = learner.label_laws(block)
    assert learner.lanes == 3
    assert (g.shape, h.shape, gate.shape) == ((5, 3, 4), (5, 3, 4), (5, 3))
    assert g[2, 1].tolist() == list(G)
    assert h[2, 1].tolist() == list(H)


@pytest.mark.parametrize("needs", ["statistics", "labels", "inputs"])
def test_needs_are_those_of_the_most_demanding_part(needs: Needs) -> None:
    assert Learner(lanes(in_context=Constant(law=H, needs=needs))).needs == needs
    assert Learner(lanes(in_weight=Constant(law=G, needs=needs))).needs == needs


@pytest.mark.parametrize("role", ["in_weight", "in_context", "gate"])
def test_a_part_without_implementation_is_named(role: str) -> None:
    with pytest.raises(NoEngineError, match=rf"model\.{role} = 'int' has no implementation"):
        Learner(lanes(**{role: 3}))


def test_the_mixture_keeps_tiny_probabilities() -> None:
    gate, log_g, log_h = np.array([1e-300, 0.5, 1.0, 0.0]), np.array([-1.0, -2000.0, -1.0, -5.0]), np.full(4, -2000.0)
    expected = [1 + 300 * math.log(10), 2000.0, 1.0, 2000.0]
    assert mixture_loss(gate, log_g, log_h) == pytest.approx(expected, rel=1e-14)


def test_a_gate_at_its_end_ignores_the_other_predictor() -> None:
    impossible = np.array([-np.inf, -np.inf])
    assert mixture_loss(np.array([1.0, 0.0]), np.array([-1.0, -np.inf]), np.array([-np.inf, -2.0])).tolist() == [1, 2]
    assert mixture_loss(np.array([0.0, 0.3]), np.array([-1.0, -np.inf]), impossible).tolist() == [np.inf, np.inf]
