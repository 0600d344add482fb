r"""Attention that learns its temperature online: the one part of the model whose state all queries share.

The inverse temperature follows one step after the other, in a loop over the steps whose prompts move it; losses are
then computed for all steps at once.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from simulate.prompts import PromptStatistics
from theory.learned.temperature import WIDEST, prompt_loss
from theory.setting import LearnedAttention, TaskDistribution

Array = NDArray[np.float64]


class LearningAttention:
    """Learning state of one replicate; a call takes the next block of the stream.

    Parameters
    ----------
    part : LearnedAttention
        Learning rate, initial odds and floor.
    task : TaskDistribution
        The task.

    Examples
    --------
    >>> task = TaskDistribution(num_high=1, num_low=1, p_high=0.5, context_length=2, relevant_examples=1)
    >>> attention = LearningAttention(LearnedAttention(learning_rate=1.0, floor=0.0), task)
    >>> one, none = np.ones(2, dtype=int), np.zeros(2, dtype=int)
    >>> attention(PromptStatistics(none, none, one, one, none)).round(4).tolist()  # log 2, log(1 + exp(-1/2))
    [0.6931, 0.4741]
    """

    def __init__(self, part: LearnedAttention, task: TaskDistribution) -> None:
        self._rate = part.learning_rate
        self._floor = part.floor
        self._labels, self._length = task.total_labels, task.context_length
        self.inverse_temperature = part.initial_inverse_temperature

    def __call__(self, drawn: PromptStatistics) -> Array:
        """In-context losses of the next prompts in nats, shape (steps,); the temperature learns from each of them."""
        m, a, b = drawn.relevant_examples, drawn.relevant_matches, drawn.irrelevant_matches
        k = self._length - m
        return prompt_loss(a, b, m, k, self._temperatures(m, k, a, b), (self._labels, self._floor))

    def _temperatures(
        self, m: NDArray[np.intp], k: NDArray[np.intp], a: NDArray[np.intp], b: NDArray[np.intp]
    ) -> Array:
        """Inverse temperature before each step."""
        force = a * k - m * b
        moving = np.flatnonzero(force)
        kept, floor = 1 - self._labels * self._floor, self._floor
        beta, before = self.inverse_temperature, []
        columns = (force[moving] * (kept * self._rate), m[moving], k[moving], a[moving], b[moving])
        for push, many, few, matches, others in zip(*(column.tolist() for column in columns), strict=True):
            before.append(beta)
            if beta >= 0:
                high, low = 1.0, math.exp(-min(beta, WIDEST))
            else:
                high, low = math.exp(max(beta, -WIDEST)), 1.0
            total = high * many + low * few
            h = kept * (high * matches + low * others) / total + floor
            beta += push * (high / total) * (low / total) / h
        self.inverse_temperature = beta
        # Between two steps that move it the temperature is that after the first of them.
        after = np.array([*before, beta])
        return np.asarray(after[np.searchsorted(moving, np.arange(m.size))], dtype=np.float64)
