"""A gate that is a logistic regression on features of the prompt."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from simulate.blocks import PromptBlock
from simulate.gates.cells import add_in_order
from simulate.gates.mixing import both_weights, path_of_log_odds, weight
from simulate.gates.summing import prior_log_odds
from simulate.lanes import Lanes
from simulate.protocols import GatePath, Needs

Array = NDArray[np.float64]
Indices = NDArray[np.intp]


class LogisticState:
    r""":math:`\alpha = \sigma(\theta\cdot\phi)`, and one step down the gradient of the loss after every prompt.

    The gradient in the log-odds needs no division: with the log-odds :math:`x` before and
    :math:`D = \log g(y) - \log h(y)` it is :math:`\alpha(1-\alpha)(g(y)-h(y))/f(y) = \sigma(x + D) - \sigma(x)`, what
    the posterior gains on the prior.

    Parameters
    ----------
    lanes : Lanes
        Learners with a :class:`~theory.setting.LogisticGate`.
    """

    needs: ClassVar[Needs] = "statistics"

    def __init__(self, lanes: Lanes) -> None:
        self.per: str | None = None
        features = lanes.common("gate", "features")
        self._rate = lanes.numbers("gate", "learning_rate")
        self._context_length = lanes.context_length
        self._shared = tuple(name for name in features if name != "query")
        self._theta = np.zeros((len(self._shared), lanes.count))
        if "constant" in self._shared:
            self._theta[self._shared.index("constant")] = prior_log_odds(lanes)
        self._first = np.arange(lanes.count) * lanes.classes
        self._of_query = np.zeros(lanes.count * lanes.classes) if "query" in features else None
        self._visits = np.zeros(lanes.count * lanes.classes) if "familiarity" in features else None

    def advance(self, block: PromptBlock, in_weight: Array, in_context: Array) -> GatePath:
        """Predict and learn; see :class:`~simulate.protocols.Gate`."""
        places = block.query + self._first
        visits = None if self._visits is None else add_in_order(self._visits, places, np.ones(in_weight.shape))
        features = self._features(block, visits)
        later = features if visits is None else self._features(block, visits + 1)
        gains = in_weight - in_context
        before, after = np.empty((2, *gains.shape))
        for row, place in enumerate(places):
            before[row] = self._log_odds(features[row], place)
            step = self._rate * posterior_gain(before[row], gains[row])
            self._theta += step * features[row]
            if self._of_query is not None:
                self._of_query[place] += step
            after[row] = self._log_odds(later[row], place)
        return path_of_log_odds(before, after, in_weight, in_context)

    def weight(self, block: PromptBlock) -> Array:
        """Weight as the lanes are now; see :class:`~simulate.protocols.Gate`."""
        places = block.query + self._first
        features = self._features(block, None if self._visits is None else self._visits[places])
        log_odds = [self._log_odds(row, place) for row, place in zip(features, places, strict=True)]
        return weight(np.reshape(log_odds, places.shape))

    def _log_odds(self, features: Array, place: Indices) -> Array:
        total = np.asarray((self._theta * features).sum(axis=0))
        return total if self._of_query is None else total + self._of_query.take(place)

    def _features(self, block: PromptBlock, visits: Array | None) -> Array:
        """Features that all queries share, shape (rows, features, lanes)."""
        values = np.ones((block.rows, len(self._shared), block.lanes))
        for number, name in enumerate(self._shared):
            if name == "relevance":
                values[:, number] = block.relevant_examples / self._context_length
            if name == "familiarity" and visits is not None:
                values[:, number] = np.log1p(visits)
        return values


def posterior_gain(log_odds: Array, gain: Array) -> Array:
    r""":math:`\sigma(x + D) - \sigma(x)`, as a product in which nothing cancels.

    Examples
    --------
    >>> posterior_gain(np.array([0.0, 0.0]), np.array([1e-20, -800.0])).tolist()
    [2.5e-21, -0.5]
    """
    side, size = np.sign(gain), np.abs(gain)
    of_better = side * log_odds
    return np.asarray(side * -np.expm1(-size) * both_weights(of_better + size)[0] * both_weights(of_better)[1])
