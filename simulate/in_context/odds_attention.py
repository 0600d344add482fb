"""Attention that tells relevant from irrelevant examples by their class: one inverse temperature, fixed or learned."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from simulate.block_fields import context_labels, relevant_places
from simulate.blocks import PromptBlock
from simulate.in_context.floors import checked_floors, copied_law, floored
from simulate.lanes import Lanes
from simulate.protocols import Needs
from theory.learned.temperature import WIDEST, prompt_loss

Array = NDArray[np.float64]

_WIDEST_STEP = 650.0
"""Inverse temperature whose exponential may still be multiplied by the square of the longest context."""
_LARGEST_TABLE = 1 << 16
"""Losses of a fixed temperature that are looked up rather than computed: more would not stay in the caches."""


class OddsAttentionState:
    r"""Learning state of attention with the log-odds :math:`\beta` between a relevant and an irrelevant example.

    Serves :class:`theory.setting.Attention` (a rate of 0), :class:`theory.setting.LearnedAttention`, and
    :class:`theory.setting.KernelAttention` where examples have no inputs.

    Parameters
    ----------
    lanes : Lanes
        The learners.
    inverse_temperature, learning_rate : ndarray, shape (lanes,)
        :math:`\beta` at the start, and :math:`\lambda`: after each step :math:`\beta` gains
        :math:`\lambda\,d\log h(y)/d\beta`.

    Examples
    --------
    >>> from theory.setting import GatedPredictor, TaskDistribution
    >>> task = TaskDistribution(num_high=2, num_low=2, p_high=0.5, context_length=4, relevant_examples=1)
    >>> lanes = Lanes((task,), (GatedPredictor(),), replicates=1)
    >>> state = OddsAttentionState(lanes, np.zeros(1), np.ones(1))
    >>> one = np.ones((2, 1), dtype=np.intp)
    >>> np.exp(state.advance(PromptBlock(one, one, one, one, 0 * one))).round(4).ravel().tolist()
    [0.25, 0.4136]
    """

    needs: ClassVar[Needs] = "statistics"

    def __init__(self, lanes: Lanes, inverse_temperature: Array, learning_rate: Array) -> None:
        self._floor = checked_floors(lanes, copies=True)
        self._labels, self._length = lanes.labels, lanes.context_length
        self._rate = learning_rate
        self.inverse_temperature: Array = inverse_temperature.astype(np.float64)
        self._replicates = lanes.replicates
        self._table = None if learning_rate.any() else self._tabled()

    def advance(self, block: PromptBlock) -> Array:
        """Log of the probability of each prompt's label, shape (rows, lanes): predicted first, then learned from."""
        m, a, b = block.relevant_examples, block.relevant_matches, block.irrelevant_matches
        if self._table is not None:
            logs, first = self._table
            side = self._length + 1
            return logs.take((m * side + a) * side + b + first)
        k = self._length - m
        beta = self._learned_path(m, k, a, b) if self._rate.any() else self.inverse_temperature
        return -prompt_loss(a, b, m, k, beta, (self._labels, self._floor))

    def label_law(self, block: PromptBlock) -> Array:
        """Probabilities of all labels, shape (rows, lanes, labels), as the lanes are now; nothing is learned."""
        scores = relevant_places(block) * np.clip(self.inverse_temperature, -WIDEST, WIDEST)[:, None]
        weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
        return floored(copied_law(weights, context_labels(block), self._labels), self._floor)

    def _tabled(self) -> tuple[Array, NDArray[np.intp]] | None:
        """Log probabilities of all ``m``, ``A`` and ``B`` for every fixed temperature; where those of a lane begin."""
        settings = np.stack([self.inverse_temperature, self._floor])[:, :: self._replicates]
        distinct, row = np.unique(settings, axis=1, return_inverse=True)
        size = (self._length + 1) ** 3
        if distinct.shape[1] * size > _LARGEST_TABLE:
            return None
        m, a, b = np.unravel_index(np.arange(size), (self._length + 1,) * 3)
        k = self._length - m
        # Matches that there cannot be are never looked up: they stand for the most that there can be.
        matches = np.minimum(a, m), np.minimum(b, k)
        beta, floor = distinct[:, :, None]
        logs = -prompt_loss(*matches, m, k, beta, (self._labels, floor))
        return logs.ravel(), np.repeat(row.ravel() * size, self._replicates)

    def _learned_path(
        self, m: NDArray[np.intp], k: NDArray[np.intp], a: NDArray[np.intp], b: NDArray[np.intp]
    ) -> Array:
        r"""Inverse temperature before each row, shape (rows, lanes).

        The slope is :math:`(1-C\varepsilon)(Ak - mB)/(m\bar A e^\beta + m\bar B + k\bar A + k\bar B e^{-\beta})` with
        :math:`\bar A = (1-C\varepsilon)A + \varepsilon m` and :math:`\bar B` likewise: no term of it is negative.
        """
        kept = 1 - self._labels * self._floor
        force = a * k - m * b
        own, other = kept * a + self._floor * m, kept * b + self._floor * k
        push, rising, falling = force * (kept * self._rate), m * own, k * other
        level = np.where(force == 0, 1.0, m * other + k * own)
        path = np.empty((m.shape[0] + 1, m.shape[1]))
        path[0] = self.inverse_temperature
        high, low = np.empty(m.shape[1]), np.empty(m.shape[1])
        for before, after, move, up, flat, down in zip(path, path[1:], push, rising, level, falling, strict=False):
            np.minimum(before, _WIDEST_STEP, out=high)
            np.maximum(high, -_WIDEST_STEP, out=high)
            np.exp(high, out=high)
            np.divide(down, high, out=low)
            np.multiply(up, high, out=high)
            np.add(high, low, out=high)
            np.add(high, flat, out=high)
            np.divide(move, high, out=high)
            np.add(before, high, out=after)
        self.inverse_temperature = path[-1].copy()
        return path[:-1]
