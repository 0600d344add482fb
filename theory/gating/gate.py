r"""Law of the Bayes and Hedge gates: the mean gate :math:`E\alpha_n` after :math:`n` visits, without a fitted constant.

After :math:`n` visits of its query, :math:`\operatorname{logit}\alpha_n = d_0 + \lambda(S_n - \Lambda_n)`: prior
log-odds, plus the sum of the in-context losses, minus that of the in-weight losses, times the gate's learning rate
(:math:`\lambda = 1` for the Bayes gate, else Hedge). Given the label counts, :math:`\Lambda_n` is known
and :math:`S_n` is a sum of independent few-valued losses, so the characteristic function :math:`\varphi` of
:math:`X = \operatorname{logit}\alpha_n` is a short sum of products, and

.. math:: E\,\sigma(X) = \tfrac12 + \int_0^\infty \frac{\operatorname{Im}\varphi(t)}{\sinh \pi t}\,dt ,

since :math:`\sigma` is the distribution function of the logistic law, whose characteristic function is
:math:`\pi t/\sinh \pi t` (Gil-Pelaez, ``gilpelaez1951note``). The midpoint rule with step :math:`h` computes this
integral for a wave of antiperiod :math:`2\pi/h` in place of :math:`\sigma - \tfrac12`: exact but for what :math:`X`
does beyond the period.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit

from theory.gating.label_spread import LARGEST_SUM, spread_characteristic, spread_moments
from theory.in_context import InContextLoss, LossLaw
from theory.in_weight import LabelLaw, cumulative_loss, expected_cumulative_loss
from theory.numerics.special import binomial_law, log_rising
from theory.transitions.crossing import geometric_integers

Array = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]

_TAIL = 24.0
"""Nats beyond which the gate counts as decided: e^-24 is below 1e-10."""
_SPREAD_TAIL = 15.0
"""The same where noise spreads over several labels, which costs more: e^-15 is 3e-7."""
LARGEST_FREQUENCY = 7.6
"""Where the integrand has fallen below 1e-10."""
_BLOCK = 1 << 18
EXACT_VISITS = 20_000
"""Visits up to which nothing is left out; beyond, label counts are summed with a stride where there are many, and what
lattice laws contribute far from frequency 0 is left out then, or where it would take too many terms."""
_UNLIKELY = 1e-9
_CHUNK = 32
"""Nodes for which the law of the spread over several labels is computed, and kept, together."""
_FEWEST_NODES, _MOST_TERMS = 1 << 12, 1 << 22


@dataclass(frozen=True, eq=False)
class Spectrum:
    """Characteristic functions of a cell's in-context losses, times its rate, at equally spaced nodes; shape (nodes,).

    Parameters
    ----------
    nodes : ndarray
        Midpoint nodes.
    own, noisy : ndarray of complex
        Given the own label, and given any noisy one.
    groups : tuple of ndarray of complex
        Given a noisy label of each of the groups ``InContextLoss.noisy_groups``.
    """

    nodes: Array
    own: ComplexArray
    noisy: ComplexArray
    groups: tuple[ComplexArray, ...]


@dataclass(frozen=True, eq=False)
class GateCell:
    r"""One cell of a Bayes or Hedge gate: everything that its law depends on.

    Parameters
    ----------
    prior_log_odds : float
        :math:`d_0`.
    labels : LabelLaw
        Label law of the class.
    pseudo_count : float
        :math:`b` of the in-weight table.
    loss : InContextLoss
        Law of the in-context loss at the cell's visits.
    share : float
        Probability that a visit of the class is one of this cell: 1 for a gate per query. Below 1 the in-weight table
        learns from visits that the cell does not see, and which of the table's losses fall on the cell's own visits is
        taken as normal, given the label counts, with its exact mean and its variance at typical counts (the mean of
        the log-odds stays exact).
    rate : float
        Learning rate :math:`\lambda`: 1 for a Bayes gate.
    """

    prior_log_odds: float
    labels: LabelLaw
    pseudo_count: float
    loss: InContextLoss
    share: float = 1.0
    rate: float = 1.0
    _cache: dict[int, Spectrum] = field(default_factory=dict, repr=False)

    @property
    def exact(self) -> bool:
        """Whether :func:`mean_gate` is exact, not an approximation."""
        return self.share == 1.0 and (self.labels.noise == 0 or self.loss.groups_are_exact)

    @property
    def several(self) -> bool:
        """Whether noise spreads over several labels."""
        return self.labels.noise > 0 and self.labels.noisy_labels > 1

    @property
    def tail(self) -> float:
        """Nats beyond which the gate counts as decided."""
        return _SPREAD_TAIL if self.several else _TAIL

    @property
    def advantage(self) -> float:
        """Prior log-odds per unit of rate."""
        return self.prior_log_odds / self.rate

    def spectrum(self, level: int) -> Spectrum:
        """Characteristic functions of the loss laws at midpoint nodes of step 2^-level."""
        if level not in self._cache:
            step = 2.0**-level
            most = max(_FEWEST_NODES, _MOST_TERMS // max(self.loss.own.values.size, self.loss.noisy.values.size))
            number = min(math.ceil(LARGEST_FREQUENCY / step), most)
            nodes = np.asarray((np.arange(number) + 0.5) * step, dtype=np.float64)
            self._cache[level] = Spectrum(
                nodes,
                _characteristic(self.loss.own, self.rate * nodes),
                _characteristic(self.loss.noisy, self.rate * nodes),
                tuple(_characteristic(law, self.rate * nodes) for _, law in self.loss.noisy_groups),
            )
        return self._cache[level]


def mean_logit(cell: GateCell, visits: ArrayLike) -> Array:
    r"""Expected log-odds :math:`d_0 + \lambda s\,(n r_h - E\Lambda_n)` after n visits of the class, exact.

    :math:`s` is the cell's share and :math:`\lambda` its rate.

    Parameters
    ----------
    cell : GateCell
        The gate cell.
    visits : array_like
        Visits of the class, any shape.
    """
    n = np.asarray(visits, dtype=np.float64)
    loss = expected_cumulative_loss(n, cell.labels, cell.pseudo_count)
    gained = cell.share * (n * cell.loss.risk - loss)
    return np.asarray(cell.prior_log_odds + cell.rate * gained, dtype=np.float64)


def logit_spread(cell: GateCell, visits: ArrayLike) -> Array:
    """Upper estimate of the log-odds' standard deviation, for bracketing only."""
    n = np.asarray(visits, dtype=np.float64)
    second, mean = 0.0, 0.0
    for weight, probability, law in _branches(cell):
        gap = law.mean + math.log(probability)
        second += weight * cell.share * (law.variance + gap * gap)
        mean += weight * cell.share * gap
    slow = cell.labels.support + 4.0
    return np.asarray(cell.rate * np.sqrt(n * max(second - mean * mean, 0.0) + slow), dtype=np.float64)


def _branches(cell: GateCell) -> list[tuple[float, float, LossLaw]]:
    noise, number = cell.labels.noise, cell.labels.noisy_labels
    both = [(1 - noise, 1 - noise, cell.loss.own), (noise, noise / number, cell.loss.noisy)]
    return [branch for branch in both if branch[0] > 0]


def mean_gate(cell: GateCell, visits: int) -> float:
    r"""Mean gate :math:`E\alpha_n`.

    Exact for a gate per query: to 1e-9 for at most two labels; to 1e-6 for several noisy ones, where each has one of at
    most 4 laws of the in-context loss. More laws are grouped into 4, and those of more than 256 labels are mixed (an
    error of the gate below 1e-3, mostly below 1e-4). With a gate per query
    and relevance see :class:`GateCell`; beyond 20,000 visits see ``EXACT_VISITS``, and beyond ``LARGEST_SUM`` noisy
    labels the spread of :math:`\Lambda_n` over several of them is taken as normal.

    Parameters
    ----------
    cell : GateCell
        The gate cell.
    visits : int
        Visits of the class, :math:`n \ge 0`.

    Returns
    -------
    float
        In [0, 1].
    """
    if visits == 0:
        return float(expit(cell.prior_log_odds))
    given = _GivenCounts.of(cell, visits)
    decided_up = cell.rate * (given.mean - given.radius) > cell.tail
    decided = decided_up | (cell.rate * (given.mean + given.radius) < -cell.tail)
    total = float(given.weight[decided_up].sum())
    if not np.all(decided):
        open_counts = given.keep(~decided)
        total += 0.5 * float(open_counts.weight.sum()) + _inversion(cell, open_counts)
    return min(max(total, 0.0), 1.0)


@dataclass(frozen=True, eq=False)
class _GivenCounts:
    """The log-odds per unit of rate, given how many labels were noise; every array has one entry per such count."""

    place: NDArray[np.intp]
    weight: Array
    own: Array
    noisy: Array
    shift: Array
    own_cost: Array
    noisy_cost: Array
    slow_variance: Array
    mean: Array
    radius: Array

    @classmethod
    def of(cls, cell: GateCell, visits: int) -> _GivenCounts:
        terms = _in_weight_terms(cell.labels, cell.pseudo_count, cell.share, visits)
        weight, own, noisy, shift, own_cost, noisy_cost, slow = terms
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
        return cls(np.arange(own.size), weight, own, noisy, shift, own_cost, noisy_cost, slow, mean, radius)

    def keep(self, mask: NDArray[np.bool_]) -> _GivenCounts:
        return _GivenCounts(*(getattr(self, name)[mask] for name in self.__dataclass_fields__))


@lru_cache(maxsize=512)
def _in_weight_terms(labels: LabelLaw, b: float, share: float, visits: int) -> tuple[Array, ...]:
    """What the in-weight losses contribute, given how many labels were noise; shared by all classes of a task.

    Returns the weights of these counts, own and noisy counts, the known part of the log-odds without the prior, the
    in-weight cost of one own and of one noisy visit of the cell (where the cell sees only a share of the visits), and
    the variance that several noisy labels add; one entry for each count.
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
    spread_mean, spread_variance = one_each, np.zeros_like(noisy)
    if labels.noisy_labels > 1 and labels.noise > 0:
        spread_mean, spread_variance = spread_moments(noisy, labels.noisy_labels, b)
    zero = np.zeros_like(own)
    if share == 1.0:
        loss = cumulative_loss(visits, own, noisy, labels.total_labels, b)
        return weight, own, noisy, spread_mean - one_each - loss, zero, zero, spread_variance
    per_visit = log_rising(labels.total_labels * b, visits) / visits
    own_cost = per_visit - log_rising(b, own) / np.maximum(own, 1)
    noisy_cost = per_visit - spread_mean / np.maximum(noisy, 1)
    thinned = share * (1 - share) * _spread_of_losses(labels, b, visits)
    return weight, own, noisy, zero, own_cost, noisy_cost, share**2 * spread_variance + thinned


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


def _characteristic(law: LossLaw, nodes: Array) -> ComplexArray:
    """Characteristic function of a loss law at the nodes, in blocks of bounded memory."""
    result = np.empty(nodes.size, dtype=np.complex128)
    rows = max(1, _BLOCK // law.values.size)
    for start in range(0, nodes.size, rows):
        block = nodes[start : start + rows, None]
        result[start : start + rows] = np.exp(1j * block * law.values[None, :]) @ law.probabilities
    return result


def _inversion(cell: GateCell, given: _GivenCounts) -> float:
    r"""Sum over the label counts of :math:`w\,[E\sigma(X) - \tfrac12]`."""
    reach = cell.rate * float((np.abs(given.mean) + given.radius).max()) + cell.tail
    level = max(0, math.ceil(math.log2(reach / (2 * math.pi))))
    spectrum = cell.spectrum(level)
    kept = _nodes_that_matter(cell, given, spectrum)
    total = 0.0
    if _spreads(cell, given):
        for chunk in np.unique(kept // _CHUNK).tolist():
            block = kept[kept // _CHUNK == chunk]
            spread = _spread(cell, given, spectrum, level, chunk)[block - chunk * _CHUNK]
            total += _block_sum(cell, given, spectrum, block, spread)
        return total * 2.0**-level
    rows = max(1, _BLOCK // given.weight.size)
    for start in range(0, kept.size, rows):
        block = kept[start : start + rows]
        scaled = cell.rate * spectrum.nodes[block, None]
        spread = np.exp(-0.5 * scaled * scaled * given.slow_variance[None, :])
        total += _block_sum(cell, given, spectrum, block, spread)
    return total * 2.0**-level


def _spreads(cell: GateCell, given: _GivenCounts) -> bool:
    """Whether the law of how noise spreads over several labels is to be computed."""
    return cell.several and cell.share == 1.0 and float(given.noisy[-1]) <= LARGEST_SUM


def _spread(cell: GateCell, given: _GivenCounts, spectrum: Spectrum, level: int, chunk: int) -> ComplexArray:
    """Characteristic function of what the spread of noise over labels adds, without its mean; (nodes, counts).

    Where the losses depend on the noisy label, it has the losses at noisy visits in it.
    """
    visits = int(given.own[0] + given.noisy[0])
    if len(spectrum.groups) <= 1:
        return _spread_alone(cell.labels, cell.pseudo_count, cell.rate, visits, level, chunk)[:, given.place]
    counts, mean = _likely_spread(cell.labels, cell.pseudo_count, visits)
    numbers = _whole_numbers([share for share, _ in cell.loss.noisy_groups], cell.labels.noisy_labels)
    nodes = slice(chunk * _CHUNK, (chunk + 1) * _CHUNK)
    laws = [(number, law[nodes]) for number, law in zip(numbers, spectrum.groups, strict=True) if number]
    frequencies = cell.rate * spectrum.nodes[nodes]
    return spread_characteristic(counts, mean, laws, cell.pseudo_count, frequencies)[:, given.place]


@lru_cache(maxsize=512)
def _spread_alone(labels: LabelLaw, b: float, rate: float, visits: int, level: int, chunk: int) -> ComplexArray:
    """The same where the losses do not depend on the noisy label: shared by all classes of a task."""
    nodes = np.arange(chunk * _CHUNK, (chunk + 1) * _CHUNK, dtype=np.float64) + 0.5
    frequencies = np.asarray(nodes * (rate * 2.0**-level), dtype=np.float64)
    counts, mean = _likely_spread(labels, b, visits)
    without_losses = [(labels.noisy_labels, np.ones(frequencies.size, dtype=np.complex128))]
    return spread_characteristic(counts, mean, without_losses, b, frequencies)


def _likely_spread(labels: LabelLaw, b: float, visits: int) -> tuple[Array, Array]:
    """Likely numbers of noisy labels, and the mean of what their spread contributes."""
    _, _, counts, *_ = _in_weight_terms(labels, b, 1.0, visits)
    return counts, spread_moments(counts, labels.noisy_labels, b)[0]


def _whole_numbers(shares: list[float], total: int) -> list[int]:
    """Numbers of labels from their shares; they add up to the total."""
    ends = np.rint(np.cumsum(shares) * total).astype(int)
    return [int(number) for number in np.diff(ends, prepend=0)]


def _nodes_that_matter(cell: GateCell, given: _GivenCounts, spectrum: Spectrum) -> NDArray[np.intp]:
    """Nodes at which the characteristic function has not become negligible for every count.

    Its logarithm is linear in the count where the cell sees every visit, so that both ends decide; the middle is looked
    at for a cell that sees a share.
    """
    t, own, noisy = spectrum.nodes, spectrum.own, spectrum.noisy
    spreads = _spreads(cell, given)
    if spreads and spectrum.groups:
        # A bound, whichever labels come together: the mean size over the labels.
        sizes = zip(cell.loss.noisy_groups, spectrum.groups, strict=True)
        noisy = np.asarray(sum(share * np.abs(law) for (share, _), law in sizes), dtype=np.complex128)
    size = np.full(t.size, -np.inf)
    for i in {0, given.weight.size // 2, given.weight.size - 1}:
        here = np.zeros(t.size) if spreads else -0.5 * (cell.rate * t) ** 2 * given.slow_variance[i]
        for law, number, cost in ((own, given.own[i], given.own_cost[i]), (noisy, given.noisy[i], given.noisy_cost[i])):
            factor = _visit_factor(cell, law, t, cost)
            here += number * np.log(np.maximum(np.abs(factor), 1e-300))
        size = np.maximum(size, here)
    matter = size - math.pi * t > -_SPREAD_TAIL - 4 if cell.several else size > -35
    strided = given.noisy.size > 1 and float(np.diff(given.noisy).min()) > 1
    if strided and not matter.all():
        matter[int(np.argmin(matter)) :] = False
    return np.flatnonzero(matter)


def _visit_factor(cell: GateCell, law: ComplexArray, t: Array, cost: Array | float) -> ComplexArray:
    """Characteristic function of what one visit of the class adds to the log-odds of the cell."""
    if cell.share == 1.0:
        return law
    return np.asarray(1 - cell.share + cell.share * law * np.exp(-1j * cell.rate * t * cost), dtype=np.complex128)


def _block_sum(
    cell: GateCell,
    given: _GivenCounts,
    spectrum: Spectrum,
    block: NDArray[np.intp],
    spread: ComplexArray | Array,
) -> float:
    """Part of the integral: imaginary parts of the characteristic functions, in real arithmetic."""
    t, own = spectrum.nodes[block, None], spectrum.own[block, None]
    joint = _spreads(cell, given) and len(spectrum.groups) > 1
    noisy = np.ones_like(own) if joint else spectrum.noisy[block, None]
    log_size = np.log(np.maximum(np.abs(spread), 1e-300))
    phase = cell.rate * t * given.shift + np.angle(spread)
    for law, number, cost in ((own, given.own, given.own_cost), (noisy, given.noisy, given.noisy_cost)):
        factor = _visit_factor(cell, law, t, cost)
        # A factor of 0 leaves nothing unless its number is 0 too; 1e-300 gives both.
        log_size = log_size + number * np.log(np.maximum(np.abs(factor), 1e-300))
        phase = phase + number * np.angle(factor)
    values = (np.exp(log_size) * np.sin(phase) * given.weight).sum(axis=1)
    return float((values / np.sinh(math.pi * t[:, 0])).sum())
