r"""Gate cells of many classes and settings at once, and a rough law of their log-odds that finds where to look.

A *problem* is one group of classes of one setting; its *rows*, which follow each other, are the kinds of its classes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.special import entr, ndtr

from theory.diagrams.label_rises import LabelRises, label_rises
from theory.diagrams.prompt_arrays import LossMoments, PromptRows
from theory.gating.label_spread import spread_moments
from theory.in_weight import cumulative_loss
from theory.numerics.special import binomial_log_probability, log_rising
from theory.transitions.crossing import geometric_integers

if TYPE_CHECKING:
    from scipy.interpolate import CubicSpline

Array = NDArray[np.float64]
Indices = NDArray[np.intp]

_CUT = 12.0
_MANY_COUNTS, _MOST_COUNTS = 24, 192
_STRIDED_COUNTS = 12
_LOGISTIC_SPREAD = 8 / math.pi
"""Variance of the normal law whose distribution function has the sigmoid's slope at 0."""


@dataclass(frozen=True, kw_only=True, eq=False)
class GateRows:
    """What the mean gate of each problem depends on.

    Parameters
    ----------
    noise, noisy_labels, total_labels, pseudo_count, prior_log_odds, rate : ndarray, shape (problems,)
        Label law, table and gate of the problem; the log-odds are the prior's plus ``rate`` times the difference of the
        cumulative losses (1 for a Bayes gate).
    first, number : ndarray of int, shape (problems,)
        Where the rows of a problem start, and how many they are.
    weight : ndarray, shape (rows,)
        Share of the group's classes that are of the row's kind.
    prompts : PromptRows
        Law of the in-context loss of each row.
    own, noisy : LossMoments
        Its moments given the own label, and given a noisy one; arrays of shape (rows,).
    """

    noise: Array
    noisy_labels: Array
    total_labels: Array
    pseudo_count: Array
    prior_log_odds: Array
    rate: Array
    first: Indices
    number: Indices
    weight: Array
    prompts: PromptRows
    own: LossMoments
    noisy: LossMoments

    def rows_of(self, problems: Indices) -> tuple[Indices, Indices]:
        """Rows of some problems, and for each row the position of its problem among them."""
        number = self.number[problems]
        position = np.repeat(np.arange(problems.size), number)
        offset = np.arange(position.size) - np.repeat(np.cumsum(number) - number, number)
        return self.first[problems][position] + offset, position

    def of_problems(self, values: Array) -> Array:
        """Mean over the rows of every problem, weighted by their shares."""
        return np.add.reduceat(self.weight * values, self.first)

    @property
    def entropy(self) -> Array:
        """Bayes risk of each problem, in nats."""
        labels = self.noisy_labels
        return np.asarray(entr(1 - self.noise) + labels * entr(self.noise / labels), dtype=np.float64)

    def row_risks(self) -> Array:
        """In-context risk of each row, in nats."""
        noise = np.repeat(self.noise, self.number)
        return np.asarray((1 - noise) * self.own.mean + noise * self.noisy.mean, dtype=np.float64)


@dataclass(frozen=True, eq=False)
class LogitMoments:
    """Mean, variance and third central moment of the log-odds; arrays of shape (rows of the problems,)."""

    mean: Array
    variance: Array
    third: Array


def rough_moments(gates: GateRows, problems: Indices, visits: Array) -> LogitMoments:
    """Moments of the log-odds to leading order: good enough to say where a gate is open."""
    noise, labels, b = gates.noise[problems], gates.noisy_labels[problems], gates.pseudo_count[problems]
    own, noisy = visits * (1 - noise), visits * noise
    own_rise, noisy_rise = _rises(gates, problems, visits)
    shift = own_rise.mean + labels * noisy_rise.mean - log_rising(gates.total_labels[problems] * b, visits)
    rows, at = gates.rows_of(problems)
    noise, rate = noise[at], gates.rate[problems][at]
    mean = gates.own.mean[rows] * own[at] + gates.noisy.mean[rows] * noisy[at] + shift[at]
    # Log-odds move by the in-context loss plus the log-probability that the table ends up with.
    gap_own = gates.own.mean[rows]
    gap_noisy = gates.noisy.mean[rows] + (noisy_rise.slope - own_rise.slope)[at]
    centre = (1 - noise) * gap_own + noise * gap_noisy
    second, third = np.zeros(rows.size), np.zeros(rows.size)
    for share, gap, law in ((1 - noise, gap_own - centre, gates.own), (noise, gap_noisy - centre, gates.noisy)):
        second += share * (law.variance[rows] + gap * gap)
        third += share * (law.third[rows] + 3 * gap * law.variance[rows] + gap**3)
    slow = (np.log1p(visits) + own_rise.rest + labels * noisy_rise.rest)[at]
    return LogitMoments(
        gates.prior_log_odds[problems][at] + rate * mean,
        rate**2 * (visits[at] * second + slow),
        rate**3 * visits[at] * third,
    )


def log_ratio(gates: GateRows, problems: Indices, visits: Array) -> Array:
    """What a noisy visit adds to the log-odds beyond an own one, through the table, after typical label counts."""
    own, noisy = _rises(gates, problems, visits)
    return np.asarray(noisy.slope - own.slope, dtype=np.float64)


def _rises(gates: GateRows, problems: Indices, visits: Array) -> tuple[LabelRises, LabelRises]:
    """Of the own label, and of one noisy label."""
    noise, b = gates.noise[problems], gates.pseudo_count[problems]
    return label_rises(visits, 1 - noise, b), label_rises(visits, noise / gates.noisy_labels[problems], b)


def rough_gates(gates: GateRows, problems: Indices, visits: Array) -> Array:
    """Mean gate by one Edgeworth term around a normal law of the log-odds, shape (problems,)."""
    moments = rough_moments(gates, problems, visits)
    rows, at = gates.rows_of(problems)
    root = 1 / np.sqrt(moments.variance + _LOGISTIC_SPREAD)
    z = moments.mean * root
    skew = moments.third * root**3 / (6 * math.sqrt(2 * math.pi))
    gate = np.clip(ndtr(z) + np.clip(skew, -0.3, 0.3) * (z * z - 1) * np.exp(-0.5 * z * z), 0.0, 1.0)
    mean = np.bincount(at, weights=gate * gates.weight[rows], minlength=problems.size)
    return np.asarray(mean, dtype=np.float64)


# The label counts.


@dataclass(frozen=True, eq=False)
class LabelCounts:
    """How many of the visits had the own label and a noisy one; arrays of shape (problems, counts).

    Parameters
    ----------
    own, noisy : ndarray
        The counts.
    weight : ndarray
        Their probabilities, summing to one for each problem.
    shift : ndarray
        Minus the table's cumulative loss, given the counts (its mean over how noisy labels spread).
    slow_variance : ndarray
        Variance of this loss given the counts, where several labels share the noise.
    spread_mean, spread_third : ndarray
        Mean and third absolute moment of what noisy labels add, as in ``theory.gating.label_spread``; zeros where all
        noise has one label.
    """

    own: Array
    noisy: Array
    weight: Array
    shift: Array
    slow_variance: Array
    spread_mean: Array
    spread_third: Array


def number_of_counts(
    gates: GateRows, problems: Indices, visits: Array, every: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """How many counts of noisy labels stand for all of them, and whether these are all that matter.

    Parameters
    ----------
    gates : GateRows
        All problems.
    problems : ndarray of int, shape (k,)
        Which of them.
    visits : ndarray, shape (k,)
        Visits of each.
    every : ndarray of bool, shape (k,)
        Where each count is wanted (if there are not more than 192), not only a few.

    Returns
    -------
    number : ndarray of int, shape (k,)
        1, a multiple of 4, or 12.
    complete : ndarray of bool, shape (k,)
        Whether no count that matters is left out.
    """
    first, last = _count_range(visits, gates.noise[problems])
    width = last - first + 1
    complete = width <= np.where(every, _MOST_COUNTS, _MANY_COUNTS)
    size = np.where(complete, 4 * np.ceil(width / 4), _STRIDED_COUNTS)
    return np.where(width == 1, 1, size).astype(np.int64), complete


def count_stride(gates: GateRows, problems: Indices, visits: Array) -> Array:
    """Distance of the counts of noisy labels where only a few of them are wanted."""
    first, last = _count_range(visits, gates.noise[problems])
    stride = np.ceil((last - first) / (_STRIDED_COUNTS - 1))
    return np.asarray(np.where(last - first + 1 > _MANY_COUNTS, stride, 1.0), dtype=np.float64)


def _count_range(visits: Array, noise: Array) -> tuple[Array, Array]:
    """Fewest and most noisy labels that matter (Bernstein, e^-12)."""
    mean = visits * noise
    radius = _CUT / 3 + np.sqrt((_CUT / 3) ** 2 + 2 * _CUT * mean * (1 - noise))
    certain = (noise <= 0) | (noise >= 1)
    first = np.where(certain, mean, np.maximum(np.floor(mean - radius), 0))
    return first, np.where(certain, mean, np.minimum(np.ceil(mean + radius), visits))


def label_counts(gates: GateRows, problems: Indices, visits: Array, number: int) -> LabelCounts:
    """Label counts of problems that all need the same number of them (see :func:`number_of_counts`)."""
    noise = gates.noise[problems]
    first, last = _count_range(visits, noise)
    stride = np.maximum(np.ceil((last - first) / max(number - 1, 1)), 1.0)
    n = visits[:, None]
    noisy = first[:, None] + stride[:, None] * np.arange(number)
    possible = noisy <= n
    noisy = np.minimum(noisy, n)
    if number == 1:
        weight = np.ones_like(noisy)
    else:
        with np.errstate(divide="ignore", invalid="ignore"):
            weight = np.where(possible, np.exp(binomial_log_probability(noisy, n, noise[:, None])), 0.0)
        weight /= weight.sum(axis=1, keepdims=True)
    total, b = gates.total_labels[problems, None], gates.pseudo_count[problems, None]
    shift = -cumulative_loss(n, n - noisy, noisy, total, b)
    slow, mean, third = (np.zeros_like(shift) for _ in range(3))
    several = np.flatnonzero((gates.noisy_labels[problems] > 1) & (noise > 0))
    if several.size:
        mean[several], slow[several], third[several] = _spread(gates, problems[several], noisy[several])
        shift[several] += mean[several] - log_rising(b[several], noisy[several])
    return LabelCounts(n - noisy, noisy, weight, shift, slow, mean, third)


def _spread(gates: GateRows, problems: Indices, noisy: Array) -> tuple[Array, Array, Array]:
    """What noisy labels that spread over several labels add to the log-odds: its moments given their number."""
    labels, b = gates.noisy_labels[problems], gates.pseudo_count[problems]
    mean, variance, third = (np.empty_like(noisy) for _ in range(3))
    for one_labels, one_b in sorted(set(zip(labels.tolist(), b.tolist(), strict=True))):
        chosen = (labels == one_labels) & (b == one_b)
        counts = noisy[chosen]
        level = max(2, math.ceil(math.log2(float(counts.max()) + 1) / 2))
        table = _spread_table(int(one_labels), one_b, level)
        beyond_even, variance[chosen], third[chosen] = np.moveaxis(table(np.log1p(counts)), -1, 0)
        mean[chosen] = one_labels * log_rising(one_b, counts / one_labels) + beyond_even
    return mean, np.maximum(variance, 0.0), np.maximum(third, 0.0)


@lru_cache(maxsize=512)
def _spread_table(labels: int, pseudo_count: float, level: int) -> CubicSpline:
    """Moments (the mean beyond that of an even spread) up to 4^level noisy labels, in the logarithm of 1 + count."""
    from scipy.interpolate import CubicSpline

    counts = np.append(0.0, geometric_integers(1, 4**level, 1.25))
    mean, variance, third = spread_moments(counts, labels, pseudo_count)
    even = labels * log_rising(pseudo_count, counts / labels)
    return CubicSpline(np.log1p(counts), np.column_stack([mean - even, variance, third]))
