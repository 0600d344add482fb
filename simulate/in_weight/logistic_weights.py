"""Logistic regression on inputs: one matrix of weights for each lane."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from simulate.block_fields import query_inputs
from simulate.blocks import PromptBlock
from simulate.lanes import Lanes
from simulate.protocols import Needs
from theory.errors import SettingError

Array = NDArray[np.float64]

_CACHED = 1 << 16
"""Changes of weights that are computed at a time, so that they are still in the cache when they are added."""


class InputLogisticState:
    r"""Learning state of :class:`theory.setting.LogisticRegression` on a task with inputs.

    The weights have shape (labels, dimension, lanes), so that a step is a few passes over contiguous lanes. A bias is
    the weight of an input that is always 1.

    Parameters
    ----------
    lanes : Lanes
        The learners.
    dimension : int
        Length of an input.
    """

    needs: ClassVar[Needs] = "inputs"

    def __init__(self, lanes: Lanes, dimension: int) -> None:
        self._rate = lanes.numbers("in_weight", "learning_rate")
        self._dimension = dimension
        features = dimension + bool(lanes.common("in_weight", "bias"))
        self.weights: Array = np.zeros((lanes.labels, features, lanes.count))

    def advance(self, block: PromptBlock) -> Array:
        """Log of the probability of each prompt's label, shape (rows, lanes): predicted first, then learned from."""
        inputs = self._inputs(block)
        labels, _, lanes = self.weights.shape
        scores = np.empty((labels, lanes))
        flat_scores = scores.ravel()
        few = max(1, _CACHED // (self.weights[0].size))
        parts = [
            (self.weights[first : first + few], scores[first : first + few, None]) for first in range(0, labels, few)
        ]
        push = np.empty_like(parts[0][0])
        targets = block.label * lanes + np.arange(lanes)
        of_target, total = np.empty(block.label.shape), np.empty(block.label.shape)
        for x, target, own, sum_of_all in zip(inputs, targets, of_target, total, strict=True):
            np.einsum("cdl,dl->cl", self.weights, x, out=scores)
            np.subtract(scores, np.maximum.reduce(scores, axis=0), out=scores)
            flat_scores.take(target, out=own, mode="clip")
            np.exp(scores, out=scores)
            np.add.reduce(scores, axis=0, out=sum_of_all)
            # From here on the scores are the rate times the indicator of the label minus its probability.
            np.multiply(scores, -self._rate / sum_of_all, out=scores)
            flat_scores[target] += self._rate
            for weights, steps in parts:
                np.add(weights, np.multiply(steps, x, out=push[: len(steps)]), out=weights)
        return np.asarray(of_target - np.log(total), dtype=np.float64)

    def label_law(self, block: PromptBlock) -> Array:
        """Probabilities of all labels, shape (rows, lanes, labels), as the lanes are now; nothing is learned."""
        scores = np.einsum("cdl,rdl->rlc", self.weights, self._inputs(block))
        return softmax(scores)

    def _inputs(self, block: PromptBlock) -> Array:
        """Inputs of shape (rows, dimension, lanes), with a last one that is 1 if there is a bias."""
        given = query_inputs(block).swapaxes(1, 2)
        if given.shape[1] != self._dimension:
            raise SettingError("block.query_inputs", given.shape[1], f"inputs of length {self._dimension}")
        inputs = np.ones((block.rows, self.weights.shape[1], block.lanes))
        inputs[:, : self._dimension] = given
        return inputs


def softmax(scores: Array) -> Array:
    """Probabilities from scores of any size, along the last axis.

    Examples
    --------
    >>> softmax(np.array([1e9, 1e9, 0.0])).tolist()
    [0.5, 0.5, 0.0]
    """
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return np.asarray(weights / weights.sum(axis=-1, keepdims=True), dtype=np.float64)
