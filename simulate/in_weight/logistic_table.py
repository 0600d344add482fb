"""Logistic regression on tabular queries: a row of weights for each class, looked up by its number."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from simulate.blocks import PromptBlock
from simulate.in_weight.logistic_weights import softmax
from simulate.lanes import Lanes
from simulate.protocols import Needs

Array = NDArray[np.float64]

_MANY_LABELS = 32
"""Labels from which a lane's scores lie together in memory: sums over few of them are cheaper across the lanes."""


class TabularLogisticState:
    r"""Learning state of :class:`theory.setting.LogisticRegression` on a task without inputs.

    The indicator of a class picks its row of the weights, shape (lanes * classes, labels), and changes no other.

    Parameters
    ----------
    lanes : Lanes
        The learners.

    Examples
    --------
    >>> from theory.setting import GatedPredictor, LogisticRegression, TaskDistribution
    >>> task = TaskDistribution(num_high=1, num_low=1, p_high=0.5)
    >>> model = GatedPredictor(in_weight=LogisticRegression(learning_rate=2.0, bias=False))
    >>> state = TabularLogisticState(Lanes((task,), (model,), replicates=1))
    >>> one = np.ones((2, 1), dtype=np.intp)
    >>> np.exp(state.advance(PromptBlock(one, one, one, one, 0 * one))).round(4).ravel().tolist()  # 1/2, 1/(1 + e^-2)
    [0.5, 0.8808]
    """

    needs: ClassVar[Needs] = "statistics"

    def __init__(self, lanes: Lanes) -> None:
        self._rate = lanes.numbers("in_weight", "learning_rate")
        self._first_cell = np.arange(lanes.count) * lanes.classes
        self.weights: Array = np.zeros((lanes.count * lanes.classes, lanes.labels))
        self.biases: Array | None = None
        if lanes.common("in_weight", "bias"):
            self.biases = self._scores(lanes.count).T
            self.biases[:] = 0.0

    def _scores(self, lanes: int) -> Array:
        """Memory for the scores of a row, shape (labels, lanes)."""
        labels = self.weights.shape[1]
        return np.empty((labels, lanes)) if labels < _MANY_LABELS else np.empty((lanes, labels)).T

    def advance(self, block: PromptBlock) -> Array:
        """Log of the probability of each prompt's label, shape (rows, lanes): predicted first, then learned from."""
        scores, held = self._scores(block.lanes), np.empty((block.lanes, self.weights.shape[1]))
        biases = None if self.biases is None else self.biases.T
        flat = scores.ravel(order="K")
        of_label, of_lane = (step // scores.itemsize for step in scores.strides)
        cells = self._first_cell + block.query
        targets = block.label * of_label + np.arange(block.lanes) * of_lane
        of_target, total = np.empty(block.label.shape), np.empty(block.label.shape)
        for cell, target, own, sum_of_all in zip(cells, targets, of_target, total, strict=True):
            self.weights.take(cell, axis=0, out=held, mode="clip")
            if biases is None:
                np.copyto(scores, held.T)
            else:
                np.add(held.T, biases, out=scores)
            np.subtract(scores, np.maximum.reduce(scores, axis=0), out=scores)
            flat.take(target, out=own, mode="clip")
            np.exp(scores, out=scores)
            np.add.reduce(scores, axis=0, out=sum_of_all)
            # From here on the scores are the rate times the indicator of the label minus its probability.
            np.multiply(scores, -self._rate / sum_of_all, out=scores)
            flat[target] += self._rate
            held += scores.T
            # The cells of a row are all different, since each is of another lane.
            self.weights[cell] = held
            if biases is not None:
                biases += scores
        return np.asarray(of_target - np.log(total), dtype=np.float64)

    def label_law(self, block: PromptBlock) -> Array:
        """Probabilities of all labels, shape (rows, lanes, labels), as the lanes are now; nothing is learned."""
        scores = self.weights[self._first_cell + block.query]
        return softmax(scores if self.biases is None else scores + self.biases)
