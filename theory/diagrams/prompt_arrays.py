r"""Law of the in-context loss for many classes and settings at once: every quantity is an array over them.

The same law as in ``theory.in_context``, point by point; here a *row* is one class of one setting.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from theory.in_context import floored_loss, label_mass
from theory.numerics.special import binomial_log_probability

Array = NDArray[np.float64]

_BLOCK = 1 << 18
_CUT = 42.0
_NEGLIGIBLE = 1e-19


@dataclass(frozen=True, kw_only=True, eq=False)
class PromptRows:
    r"""What the in-context loss depends on; arrays of shape (rows,) unless said otherwise.

    Parameters
    ----------
    context_length : ndarray of int
        :math:`L`.
    relevant_examples : ndarray of int
        :math:`m` of a relevant context; 0 for the natural law.
    p_relevant : ndarray
        Probability of a relevant context.
    probability : ndarray
        :math:`p_x`.
    context_noise : ndarray
        Label noise of the context's examples.
    noisy_labels : ndarray
        How many labels share the noise.
    total_labels : ndarray
        :math:`C`.
    odds, floor : ndarray
        :math:`\rho` and :math:`\varepsilon`.
    own_collision : ndarray
        Probability that an irrelevant example carries the own label.
    noisy_collisions, noisy_weights : ndarray, shape (rows, j)
        The same for labels that noise leads to, and the share of these labels; padded with weights of 0.
    """

    context_length: NDArray[np.int64]
    relevant_examples: NDArray[np.int64]
    p_relevant: Array
    probability: Array
    context_noise: Array
    noisy_labels: Array
    total_labels: Array
    odds: Array
    floor: Array
    own_collision: Array
    noisy_collisions: Array
    noisy_weights: Array

    def take(self, rows: NDArray[np.intp]) -> PromptRows:
        """Some of the rows."""
        return PromptRows(**{name: getattr(self, name)[rows] for name in self.__dataclass_fields__})


@dataclass(frozen=True, eq=False)
class LossMoments:
    """Mean, variance and third central moment of a loss; arrays of shape (rows,), in nats and their powers."""

    mean: Array
    variance: Array
    third: Array

    def take(self, rows: NDArray[np.intp]) -> LossMoments:
        """Some of the rows."""
        return LossMoments(self.mean[rows], self.variance[rows], self.third[rows])


def loss_moments(rows: PromptRows, *, noisy: bool) -> LossMoments:
    """Moments of the in-context loss given the own label, or given a noisy one.

    Parameters
    ----------
    rows : PromptRows
        Classes and settings.
    noisy : bool
        Which of the two laws.

    Returns
    -------
    LossMoments

    Examples
    --------
    >>> one = np.ones(1)
    >>> rows = PromptRows(
    ...     context_length=np.array([4]), relevant_examples=np.array([1]), p_relevant=one, probability=0.1 * one,
    ...     context_noise=0 * one, noisy_labels=one, total_labels=10 * one, odds=20 * one, floor=0 * one,
    ...     own_collision=0 * one, noisy_collisions=np.zeros((1, 1)), noisy_weights=np.ones((1, 1)),
    ... )
    >>> float(np.exp(-loss_moments(rows, noisy=False).mean[0]))  # 20/23
    0.8695652173913...
    """
    size = rows.probability.size
    mean, variance, third = np.zeros(size), np.zeros(size), np.zeros(size)
    for block, losses, weights in loss_laws(rows, noisy=noisy):
        average = np.einsum("pv,pv->p", losses, weights)
        centred = losses - average[:, None]
        squares = weights * centred * centred
        mean[block], variance[block] = average, squares.sum(axis=1)
        third[block] = np.einsum("pv,pv->p", squares, centred)
    return LossMoments(mean, variance, third)


def loss_laws(rows: PromptRows, *, noisy: bool) -> Iterator[tuple[NDArray[np.intp], Array, Array]]:
    """Losses and their probabilities, in blocks of rows that have equal numbers of examples.

    Yields
    ------
    block : ndarray of int, shape (k,)
        Rows of the block.
    losses, probabilities : ndarray, shape (k, v)
        The law of each row; free to be overwritten.
    """
    structure = np.stack([rows.context_length, rows.relevant_examples, rows.p_relevant > 0, rows.p_relevant < 1])
    _, kind = np.unique(structure, axis=1, return_inverse=True)
    # Neighbours in probability have neighbouring supports.
    order = np.lexsort((rows.probability, kind.reshape(-1)))
    ends = np.flatnonzero(np.diff(kind.reshape(-1)[order], append=-1)) + 1
    start = 0
    for end in ends.tolist():
        while start < end:
            length = _block_rows(rows, order[start:end], noisy=noisy)
            block = order[start : start + length]
            yield (block, *_block_law(rows.take(block), noisy=noisy))
            start += length


def _block_rows(rows: PromptRows, block: NDArray[np.intp], *, noisy: bool) -> int:
    """How many rows of equal structure fit into a block, judged by the size of the first and of the last row's law."""
    ends = [block[:1], block[-1:]]
    size = max(sum(len(a) * len(b) for *_, a, b in _parts(rows.take(end), noisy=noisy)) for end in ends)
    return min(block.size, max(1, _BLOCK // max(size, 1)))


def _parts(
    rows: PromptRows, *, noisy: bool
) -> Iterator[tuple[int, int, Array, Array, Array, NDArray[np.int64], NDArray[np.int64]]]:
    """For every number of relevant examples: it, the rest, chances, match, collisions, supports of both counts."""
    match = rows.context_noise / rows.noisy_labels if noisy else 1 - rows.context_noise
    collisions = rows.noisy_collisions if noisy else rows.own_collision[:, None]
    length = int(rows.context_length[0])
    for m, chance in _relevant_laws(rows):
        k = length - m
        yield m, k, chance, match, collisions, _support(m, match), _support(k, collisions)


def _relevant_laws(rows: PromptRows) -> Iterator[tuple[int, Array]]:
    """Numbers of relevant examples, with their probability in each row."""
    fixed, length = int(rows.relevant_examples[0]), int(rows.context_length[0])
    if rows.p_relevant[0] > 0:
        if fixed:
            yield fixed, rows.p_relevant
        else:
            yield from _natural_laws(rows, length)
    if rows.p_relevant[0] < 1:
        yield 0, 1 - rows.p_relevant


def _natural_laws(rows: PromptRows, length: int) -> Iterator[tuple[int, Array]]:
    rare = rows.probability < 1e-150
    numbers = _support(length, np.maximum(rows.probability, 1e-150))
    numbers = np.union1d(numbers[numbers >= 1], [1])
    log_weights = binomial_log_probability(numbers, length, np.where(rare, 0.5, rows.probability)[:, None])
    weights = np.exp(log_weights - log_weights.max(axis=1, keepdims=True))
    weights[rare] = numbers == 1
    weights *= (rows.p_relevant / weights.sum(axis=1))[:, None]
    yield from zip(numbers.tolist(), weights.T, strict=True)


def _support(trials: int, probabilities: Array) -> NDArray[np.int64]:
    """Values of a binomial count that are likelier than e^-42 at some of the probabilities (Bernstein)."""
    means = trials * np.array([probabilities.min(), probabilities.max()])
    third = _CUT / 3
    radius = third + np.sqrt(third**2 + 2 * _CUT * means * (1 - means / max(trials, 1))) + 1
    first, last = np.floor(means[0] - radius[0]), np.ceil(means[1] + radius[1])
    return np.arange(max(0, int(first)), min(trials, int(last)) + 1)


def _block_law(rows: PromptRows, *, noisy: bool) -> tuple[Array, Array]:
    shares = rows.noisy_weights if noisy else np.ones((rows.probability.size, 1))
    values, probabilities = [], []
    for m, k, chance, match, collisions, carrying, colliding in _parts(rows, noisy=noisy):
        relevant = _binomial(carrying, m, match[:, None])
        irrelevant = np.einsum("pj,pjb->pb", shares, _binomial(colliding, k, collisions[:, :, None]))
        mass = label_mass(carrying[:, None], colliding, m, k, rows.odds[:, None, None])
        loss = floored_loss(mass, rows.total_labels[:, None, None], rows.floor[:, None, None])
        weight = (chance[:, None] * relevant)[:, :, None] * irrelevant[:, None, :]
        values.append(loss.reshape(loss.shape[0], -1))
        probabilities.append(weight.reshape(loss.shape[0], -1))
    losses, weights = np.concatenate(values, axis=1), np.concatenate(probabilities, axis=1)
    # What is infinite has probability 0: a label that contexts can lack is refused where the floor is 0.
    left_out = (weights <= _NEGLIGIBLE) | ~np.isfinite(losses)
    losses[left_out] = 0.0
    weights[left_out] = 0.0
    total = weights.sum(axis=1)
    return losses, weights / np.where(total > 0, total, 1.0)[:, None]


def _binomial(values: NDArray[np.int64], trials: int, probability: Array) -> Array:
    """Probabilities of binomial counts; a probability of 0 or 1 is no exception."""
    with np.errstate(divide="ignore", invalid="ignore"):
        log_probability = binomial_log_probability(values, trials, probability)
    return np.exp(log_probability)
