"""Attention over inputs: the nearer an example is to the query, the more it weighs."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from simulate.block_fields import context_labels, squared_distances
from simulate.blocks import PromptBlock
from simulate.in_context.floors import checked_floors, copied_law, floored
from simulate.lanes import Lanes
from simulate.protocols import Needs

Array = NDArray[np.float64]

_NOTHING = -1e300
"""Log weight of an example that does not count; finite, so that sums of it with scores are numbers."""


class KernelAttentionState:
    r"""Learning state of :class:`theory.setting.KernelAttention` on a task with inputs.

    Parameters
    ----------
    lanes : Lanes
        The learners.
    """

    needs: ClassVar[Needs] = "inputs"

    def __init__(self, lanes: Lanes) -> None:
        self._floor = checked_floors(lanes, copies=True)
        self._labels = lanes.labels
        self._rate = lanes.numbers("in_context", "learning_rate")
        self.inverse_temperature: Array = 1 / lanes.numbers("in_context", "temperature")

    def advance(self, block: PromptBlock) -> Array:
        """Log of the probability of each prompt's label, shape (rows, lanes): predicted first, then learned from."""
        distances = squared_distances(block)
        # Only differences of distances matter; those to the nearest example keep their digits.
        distances -= distances.min(axis=-1, keepdims=True)
        barrier = np.where(context_labels(block) == block.label[..., None], 0.0, _NOTHING)
        if not self._rate.any():
            return self._with_floor(log_mass_and_slope(distances, barrier, self.inverse_temperature)[0])
        log_probability = np.empty(block.label.shape)
        beta = self.inverse_temperature.copy()
        for row, (near, mine) in enumerate(zip(distances, barrier, strict=True)):
            log_mass, slope = log_mass_and_slope(near, mine, beta)
            log_probability[row] = self._with_floor(log_mass)
            share = np.exp(self._log_kept + log_mass - log_probability[row])
            beta += self._rate * share * slope
        self.inverse_temperature = beta
        return log_probability

    def label_law(self, block: PromptBlock) -> Array:
        """Probabilities of all labels, shape (rows, lanes, labels), as the lanes are now; nothing is learned."""
        distances = squared_distances(block)
        scores = self.inverse_temperature[:, None] * (distances.min(axis=-1, keepdims=True) - distances)
        weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
        return floored(copied_law(weights, context_labels(block), self._labels), self._floor)

    @property
    def _log_kept(self) -> Array:
        return np.asarray(np.log1p(-self._labels * self._floor), dtype=np.float64)

    def _with_floor(self, log_mass: Array) -> Array:
        with np.errstate(divide="ignore"):
            return np.logaddexp(self._log_kept + log_mass, np.log(self._floor))


def log_mass_and_slope(distances: Array, barrier: Array, inverse_temperature: Array) -> tuple[Array, Array]:
    r"""Log of the attention on the examples that carry the label, and its derivative by the inverse temperature.

    The derivative of :math:`\log\sum_c w - \log\sum w` is the mean distance under the attention minus that under the
    attention on the carriers alone.

    Parameters
    ----------
    distances : ndarray, shape (..., lanes, context_length)
        Squared distances, up to a constant for each prompt.
    barrier : ndarray, shape (..., lanes, context_length)
        0 where an example carries the label, else so low that it does not count.
    inverse_temperature : ndarray, shape (lanes,)
        :math:`\beta`, of any sign.

    Examples
    --------
    >>> log_mass, slope = log_mass_and_slope(np.array([[0.0, 2.0]]), np.array([[0.0, -1e300]]), np.array([0.5]))
    >>> np.exp(log_mass).round(4).tolist(), slope.round(4).tolist()  # sigmoid(1), and 2 sigmoid(-1)
    ([0.7311], [0.5379])
    """
    scores = -inverse_temperature[:, None] * distances
    log_all, mean_of_all = _log_sum_and_mean(scores, distances)
    log_carriers, mean_of_carriers = _log_sum_and_mean(scores + barrier, distances)
    return log_carriers - log_all, mean_of_all - mean_of_carriers


def _log_sum_and_mean(scores: Array, distances: Array) -> tuple[Array, Array]:
    largest = np.maximum.reduce(scores, axis=-1)
    weights = np.exp(scores - largest[..., None])
    total = np.add.reduce(weights, axis=-1)
    return largest + np.log(total), np.einsum("...l,...l->...", weights, distances) / total
