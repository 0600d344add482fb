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
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from theory.gating.cell import SPREAD_TAIL, GateCell, Spectrum
from theory.gating.given_counts import GivenCounts, in_weight_terms
from theory.gating.label_spread import LARGEST_SUM, spread_characteristic, spread_moments
from theory.in_weight import LabelLaw

Array = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]

_BLOCK = 1 << 18
_SKEW_ERROR = 2e-5
"""Error of the gate up to which the spread over several labels with the same losses is taken as normal."""
_MANY_VISITS = 64
"""Visits from which on this estimate counts."""
_CHUNK = 32
"""Nodes for which the law of the spread over several labels is computed, and kept, together."""


def mean_gate(cell: GateCell, visits: int) -> float:
    r"""Mean gate :math:`E\alpha_n`.

    Exact for a gate per query: to 1e-9 for at most two labels; to 2e-5 for several noisy ones, where each has one of at
    most 4 laws of the in-context loss. More laws are grouped into 4, and those of more than 256 labels are mixed (an
    error of the gate below 1e-3, mostly below 1e-4). With a gate per query and relevance see :class:`GateCell`; beyond
    20,000 visits see ``EXACT_VISITS``, and beyond ``LARGEST_SUM`` noisy labels the spread of :math:`\Lambda_n` over
    several of them is taken as normal.

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
    given = GivenCounts.of(cell, visits)
    decided_up = cell.rate * (given.mean - given.radius) > cell.tail
    decided = decided_up | (cell.rate * (given.mean + given.radius) < -cell.tail)
    total = float(given.weight[decided_up].sum())
    if not np.all(decided):
        open_counts = given.keep(~decided)
        total += 0.5 * float(open_counts.weight.sum()) + _inversion(cell, open_counts)
    return min(max(total, 0.0), 1.0)


def _inversion(cell: GateCell, given: GivenCounts) -> float:
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


def _spreads(cell: GateCell, given: GivenCounts) -> bool:
    """Whether the law of how noise spreads over several labels is to be computed."""
    if not cell.several or cell.share < 1.0 or float(given.noisy[-1]) > LARGEST_SUM:
        return False
    few = float(given.own[0] + given.noisy[0]) < _MANY_VISITS
    return few or len(cell.loss.noisy_groups) > 1 or float(given.skew_error.max()) > _SKEW_ERROR


def _spread(cell: GateCell, given: GivenCounts, spectrum: Spectrum, level: int, chunk: int) -> ComplexArray:
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
    _, _, counts, *_ = in_weight_terms(labels, b, 1.0, visits)
    return counts, spread_moments(counts, labels.noisy_labels, b)[0]


def _whole_numbers(shares: list[float], total: int) -> list[int]:
    """Numbers of labels from their shares; they add up to the total."""
    ends = np.rint(np.cumsum(shares) * total).astype(int)
    return [int(number) for number in np.diff(ends, prepend=0)]


def _nodes_that_matter(cell: GateCell, given: GivenCounts, spectrum: Spectrum) -> NDArray[np.intp]:
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
    matter = size - math.pi * t > -SPREAD_TAIL - 4 if cell.several else size > -35
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
    given: GivenCounts,
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
