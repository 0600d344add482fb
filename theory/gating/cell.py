"""A cell of a Bayes or Hedge gate: everything that its law depends on, and the mean and spread of its log-odds."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from theory.in_context import InContextLoss, LossLaw
from theory.in_weight import LabelLaw, expected_cumulative_loss

Array = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]

_TAIL = 24.0
"""Nats beyond which the gate counts as decided: e^-24 is below 1e-10."""
SPREAD_TAIL = 15.0
"""The same where noise spreads over several labels, which costs more: e^-15 is 3e-7."""
LARGEST_FREQUENCY = 7.6
"""Where the integrand has fallen below 1e-10."""
_BLOCK = 1 << 18
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
        return SPREAD_TAIL if self.several else _TAIL

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


def _characteristic(law: LossLaw, nodes: Array) -> ComplexArray:
    """Characteristic function of a loss law at the nodes, in blocks of bounded memory."""
    result = np.empty(nodes.size, dtype=np.complex128)
    rows = max(1, _BLOCK // law.values.size)
    for start in range(0, nodes.size, rows):
        block = nodes[start : start + rows, None]
        result[start : start + rows] = np.exp(1j * block * law.values[None, :]) @ law.probabilities
    return result
