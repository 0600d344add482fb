"""The composition of the three parts, with parts of a user's own."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pytest
from numpy.typing import NDArray

from simulate.blocks import PromptBlock
from simulate.lanes import Lanes
from simulate.learner import Learner, mixture_loss
from simulate.predictors import NoEngineError
from simulate.protocols import GatePath, Needs
from simulate.sources import StatisticsSource
from theory.setting import GatedPredictor, TaskDistribution

Array = NDArray[np.float64]
TASK = TaskDistribution(num_high=2, num_low=2, p_high=0.8, context_length=2, label_noise=0.1)


@dataclass(frozen=True, kw_only=True)
class Constant:
    """A user's own part: an in-weight or in-context predictor with a fixed law, or a gate at rest."""

    law: tuple[float, ...] = ()
    weight: float = 0.5
    needs: Needs = "statistics"

    def start(self, lanes: Lanes) -> Any:  # noqa: ARG002 (the same for all lanes)
        return ConstantLaw(np.array(self.law), self.needs) if self.law else ConstantGate(self.weight)


class ConstantLaw:
    needs: ClassVar[Needs] = "statistics"

    def __init__(self, law: Array, needs: Needs) -> None:
        self.law = law
        self.needs = needs  # type: ignore[misc]

    def advance(self, block: PromptBlock) -> Array:
        return np.log(self.law[block.label])

    def label_law(self, block: PromptBlock) -> Array:
        return np.broadcast_to(self.law, (*block.query.shape, self.law.size))


class ConstantGate:
    needs: ClassVar[Needs] = "statistics"
    per = None

    def __init__(self, weight: float) -> None:
        self.value = weight

    def advance(self, block: PromptBlock, *_: Array) -> GatePath:
        return GatePath(self.weight(block), self.weight(block))

    def weight(self, block: PromptBlock) -> Array:
        return np.full(block.query.shape, self.value)


G, H = (0.7, 0.1, 0.1, 0.1), (0.25, 0.25, 0.4, 0.1)


def lanes(**parts: Any) -> Lanes:
    given = {"in_weight": Constant(law=G), "in_context": Constant(law=H), "gate": Constant(weight=0.25)}
    return Lanes((TASK,), (GatedPredictor(**(given | parts)),), replicates=3)


def test_losses_are_those_of_the_three_predictors() -> None:
    block = StatisticsSource(lanes(), 1).draw(50)
    learned = Learner(lanes()).advance(block)
    g, h = np.array(G)[block.label], np.array(H)[block.label]
    assert learned.in_weight == pytest.approx(-np.log(g), rel=1e-14)
    assert learned.in_context == pytest.approx(-np.log(h), rel=1e-14)
    assert learned.gated == pytest.approx(-np.log(0.25 * g + 0.75 * h), rel=1e-14)
    assert learned.gated != pytest.approx(-np.log(0.75 * g + 0.25 * h), rel=1e-3)  # the gate's weight is that on g
    assert learned.path.before.shape == (50, 3)


def test_answers_are_laws_and_gate() -> None:
    block = StatisticsSource(lanes(), 1).draw(5)
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
