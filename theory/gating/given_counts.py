"""The log-odds of a gate cell given how many labels were noise: what the in-weight losses contribute is then known."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from theory.gating.cell import GateCell
from theory.gating.label_spread import spread_moments
from theory.in_weight import LabelLaw, cumulative_loss
from theory.numerics.special import binomial_law, log_rising
from theory.transitions.crossing import geometric_integers

Array = NDArray[np.float64]

EXACT_VISITS = 20_000
"""Visits up to which nothing is left out; beyond, label counts are summed with a stride where there are many, and what
lattice laws contribute far from frequency 0 is left out then, or where it would take too many terms."""
_UNLIKELY = 1e-9


@dataclass(frozen=True, eq=False)
class GivenCounts:
    """The log-odds per unit of rate, given how many labels were noise; every array has one entry per such count."""

    place: NDArray[np.intp]
    weight: Array
    own: Array
    noisy: Array
    shift: Array
    own_cost: Array
    noisy_cost: Array
    slow_variance: Array
    skew_error: Array
    mean: Array
    radius: Array

    @classmethod
    def of(cls, cell: GateCell, visits: int) -> GivenCounts:
        """For every likely count after so many visits of the class."""
        terms = in_weight_terms(cell.labels, cell.pseudo_count, cell.share, visits)
        weight, own, noisy, shift, own_cost, noisy_cost, slow, slow_third = terms
        shift = shift + cell.advantage
        mean, variance = shift.copy(), slow.copy()
        largest = np.zeros_like(mean)
        for number, cost, law in ((own, own_cost, cell.loss.own), (noisy, noisy_cost, cell.loss.noisy)):
            gap = law.mean - cost
            mean += number * cell.share * gap
            variance += number * (cell.share * (law.variance + gap * gap) - (cell.share * gap) ** 2)
            deviation = np.abs(law.values[:, None] - cell.share * gap[None, :] - cost[None, :]).max(axis=0)
            largest = np.maximum(largest, np.where(number > 0, np.maximum(deviation, np.abs(cell.share * gap)), 0))
        # Bernstein: the probability of a deviation beyond this radius is at most 2 e^-tail.
        third = cell.tail * largest / 3
        radius = third + np.sqrt(third * third + 2 * cell.tail * np.maximum(variance, 0.0))
        # From the first term of an Edgeworth expansion: how far the skewness of the spread over labels moves the gate.
        whole = np.maximum(variance, 0.0) + math.pi**2 / 3 / cell.rate**2
        skew_error = 0.07 * slow_third / whole**1.5
        place = np.arange(own.size)
        return cls(place, weight, own, noisy, shift, own_cost, noisy_cost, slow, skew_error, mean, radius)

    def keep(self, mask: NDArray[np.bool_]) -> GivenCounts:
        """Only some of the counts."""
        return GivenCounts(*(getattr(self, name)[mask] for name in self.__dataclass_fields__))


@lru_cache(maxsize=512)
def in_weight_terms(labels: LabelLaw, b: float, share: float, visits: int) -> tuple[Array, ...]:
    """What the in-weight losses contribute, given how many labels were noise; shared by all classes of a task.

    Returns the weights of these counts, own and noisy counts, the known part of the log-odds without the prior, the
    in-weight cost of one own and of one noisy visit of the cell (where the cell sees only a share of the visits), and
    the variance that several noisy labels add, with its third absolute moment; one entry for each count.
    """
    counts, weight = binomial_law(visits, labels.noise)
    if visits >= EXACT_VISITS:
        stride = max(1, counts.size // 256)
        counts, weight = counts[::stride], weight[::stride] / weight[::stride].sum()
    if labels.noisy_labels > 1:
        likely = weight > _UNLIKELY
        counts, weight = counts[likely], weight[likely] / weight[likely].sum()
    noisy = counts.astype(np.float64)
    own = visits - noisy
    one_each = log_rising(b, noisy)
    spread_mean, spread_variance, spread_third = one_each, np.zeros_like(noisy), np.zeros_like(noisy)
    if labels.noisy_labels > 1 and labels.noise > 0:
        spread_mean, spread_variance, spread_third = spread_moments(noisy, labels.noisy_labels, b)
    zero = np.zeros_like(own)
    if share == 1.0:
        loss = cumulative_loss(visits, own, noisy, labels.total_labels, b)
        return weight, own, noisy, spread_mean - one_each - loss, zero, zero, spread_variance, spread_third
    per_visit = log_rising(labels.total_labels * b, visits) / visits
    own_cost = per_visit - log_rising(b, own) / np.maximum(own, 1)
    noisy_cost = per_visit - spread_mean / np.maximum(noisy, 1)
    thinned = share * (1 - share) * _spread_of_losses(labels, b, visits)
    return weight, own, noisy, zero, own_cost, noisy_cost, share**2 * spread_variance + thinned, spread_third


def _spread_of_losses(labels: LabelLaw, b: float, visits: int) -> float:
    r"""Expected sum of the squared deviations of the in-weight losses from their mean for the label, over the visits.

    Summed in blocks of visits, each at its middle.
    """
    ends = geometric_integers(1, visits, 1.1)
    size = np.diff(ends, prepend=0).astype(np.float64)
    middle = (ends - np.ceil(size / 2)).astype(np.int64)
    total = 0.0
    for number, probability in labels.distinct:
        moments = np.array([_loss_moments(labels.total_labels, b, probability, n) for n in middle.tolist()])
        first, second = size @ moments
        total += number * probability * (second - first * first / visits)
    return max(total, 0.0)


@lru_cache(maxsize=4096)
def _loss_moments(total_labels: int, b: float, probability: float, visits: int) -> tuple[float, float]:
    """First two moments of the table's loss on a label of the given probability, after n visits."""
    counts, weights = binomial_law(visits, probability)
    loss = np.log((visits + total_labels * b) / (counts + b))
    return float(weights @ loss), float(weights @ (loss * loss))
