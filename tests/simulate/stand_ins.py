"""Parts of a user's own, small enough to be checked by eye: what the tests of learning and asking put in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from simulate.blocks import PromptBlock
from simulate.lanes import Lanes
from simulate.protocols import GatePath, Needs

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Counting:
    """An in-weight predictor that counts labels, by a loop over rows and lanes."""

    pseudo_count: float = 0.5

    def start(self, lanes: Lanes) -> CountingState:
        return CountingState(self.pseudo_count, lanes)


class CountingState:
    needs: ClassVar[Needs] = "statistics"

    def __init__(self, pseudo_count: float, lanes: Lanes) -> None:
        self.counts = np.full((lanes.count, lanes.classes, lanes.labels), pseudo_count)

    def advance(self, block: PromptBlock) -> Array:
        log_g = np.empty(block.query.shape)
        lane = np.arange(block.lanes)
        for row, (query, label) in enumerate(zip(block.query, block.label, strict=True)):
            cells = self.counts[lane, query]
            log_g[row] = np.log(cells[lane, label] / cells.sum(axis=-1))
            self.counts[lane, query, label] += 1
        return log_g

    def label_law(self, block: PromptBlock) -> Array:
        cells = self.counts[np.arange(block.lanes), block.query]
        return np.asarray(cells / cells.sum(axis=-1, keepdims=True))


@dataclass(frozen=True, kw_only=True)
class Copying:
    """An in-context predictor that copies labels, relevant examples with the odds, with a floor."""

    odds: float = 100.0
    floor: float = 1e-3

    def start(self, lanes: Lanes) -> CopyingState:
        return CopyingState(self, lanes)


class CopyingState:
    needs: ClassVar[Needs] = "statistics"

    def __init__(self, part: Copying, lanes: Lanes) -> None:
        self.part, self.length, self.labels = part, lanes.context_length, lanes.labels

    def advance(self, block: PromptBlock) -> Array:
        odds = self.part.odds
        m = block.relevant_examples
        copied = (odds * block.relevant_matches + block.irrelevant_matches) / (odds * m + self.length - m)
        return np.log((1 - self.labels * self.part.floor) * copied + self.part.floor)

    def label_law(self, block: PromptBlock) -> Array:
        assert block.context_classes is not None
        assert block.context_labels is not None
        weight = np.where(block.context_classes == block.query[..., None], self.part.odds, 1.0)
        carried = block.context_labels[..., None] == np.arange(self.labels)
        copied = (weight[..., None] * carried).sum(axis=-2) / weight.sum(axis=-1, keepdims=True)
        return np.asarray((1 - self.labels * self.part.floor) * copied + self.part.floor)


@dataclass(frozen=True, kw_only=True)
class Constant:
    """An in-weight or in-context predictor with a fixed law, or, without a law, a gate at rest."""

    law: tuple[float, ...] = ()
    weight: float = 0.5
    log_predicted: float | None = None
    needs: Needs = "statistics"

    def start(self, lanes: Lanes) -> Any:  # noqa: ARG002 (the same for all lanes)
        return ConstantLaw(np.array(self.law), self.needs) if self.law else ConstantGate(self)


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

    def __init__(self, part: Constant) -> None:
        self.part = part

    def advance(self, block: PromptBlock, *_: Array) -> GatePath:
        told = self.part.log_predicted
        weight = self.weight(block)
        return GatePath(weight, weight, None if told is None else np.full(block.query.shape, told))

    def weight(self, block: PromptBlock) -> Array:
        return np.full(block.query.shape, self.part.weight)


@dataclass(frozen=True, kw_only=True)
class Summing:
    """A Bayes gate with a cell for each query, by a loop over rows."""

    def start(self, lanes: Lanes) -> SummingState:
        return SummingState(lanes)


class SummingState:
    needs: ClassVar[Needs] = "statistics"
    per = "query"

    def __init__(self, lanes: Lanes) -> None:
        self.log_odds = np.zeros((lanes.count, lanes.classes))

    def advance(self, block: PromptBlock, in_weight: Array, in_context: Array) -> GatePath:
        before, after = np.empty(block.query.shape), np.empty(block.query.shape)
        lane = np.arange(block.lanes)
        for row, query in enumerate(block.query):
            before[row] = sigmoid(self.log_odds[lane, query])
            self.log_odds[lane, query] += in_weight[row] - in_context[row]
            after[row] = sigmoid(self.log_odds[lane, query])
        return GatePath(before, after)

    def weight(self, block: PromptBlock) -> Array:
        return sigmoid(self.log_odds[np.arange(block.lanes), block.query])


def sigmoid(x: Array) -> Array:
    return np.asarray(np.exp(-np.logaddexp(0, -x)))
