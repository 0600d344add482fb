r"""AdaHedge on the evenly switching sequence: its losses, its weights, and its mixability gaps.

The gap :math:`\delta_i` of a visit is the mean loss under the weights less that of the exponential mixture, and
:math:`Q_i` their sum. Without gaps the rate :math:`\log 2/Q_{i-1}` is infinite; it is so at the first visit.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import mpmath
import numpy as np
import sympy
from scipy.special import expit, log_expit

from theory.catalogue.gate_losses import Array, each_visit, mixed_loss
from theory.catalogue.letters import n
from theory.catalogue.loss_sequences import S, gap, visits_paid_by_g


def _states(visits: int, n: Any, S: Any, gap: Any) -> tuple[Any, Any, Any]:
    """Sum of the gaps after so many visits, the last of them, and the weight at the last of the visits."""
    total = last = lead = mpmath.mpf(0)
    share = mpmath.mpf(1) / 2
    for t in range(visits):
        g_pays = visits_paid_by_g(t + 1, int(n), int(S)) > visits_paid_by_g(t, int(n), int(S))
        share = 1 / (1 + mpmath.exp(-mpmath.log(2) * lead / total)) if total else mpmath.mpf(1) / 2
        last = _gap(share, total, -gap if g_pays else gap)
        total, lead = total + last, lead + (-gap if g_pays else gap)
    return total, last, share


def _gap(share: Any, total: Any, gain: Any) -> Any:
    """Mean loss less the mixture's, where g loses ``gain`` less than h."""
    if total == 0:
        return (1 - share) * gain if gain > 0 else -share * gain
    inverse = total / mpmath.log(2)
    return inverse * mpmath.log(share * mpmath.exp(gain / inverse) + 1 - share) - share * gain


class _OfGate(sympy.Function):  # type: ignore[misc]
    nargs = 4
    is_nonnegative = True
    letter = ""

    @classmethod
    def eval(cls, i: sympy.Expr, *_: sympy.Expr) -> sympy.Expr | None:
        """Nothing was met before the first visit."""
        return sympy.Integer(0) if i == 0 else None

    def _latex(self, printer: Any) -> str:
        return f"{self.letter}_{{{printer.doprint(self.args[0])}}}"


class SumOfGaps(_OfGate):
    """Sum of the mixability gaps of the first i visits; arguments ``i, n, S, gap``."""

    letter = "Q"
    mp_value = staticmethod(lambda i, n, S, gap: _states(int(i), n, S, gap)[0])


class GapOfVisit(_OfGate):
    """Mixability gap of visit i; arguments ``i, n, S, gap``."""

    letter = r"\delta"
    mp_value = staticmethod(lambda i, n, S, gap: _states(int(i), n, S, gap)[1])


class WeightAtVisit(_OfGate):
    """Weight of the in-weight predictor at visit i; arguments ``i, n, S, gap``."""

    letter = r"\alpha"
    mp_value = staticmethod(lambda i, n, S, gap: _states(int(i), n, S, gap)[2])


def sum_of_gaps(i: sympy.Expr) -> sympy.Expr:
    r""":math:`Q_i`."""
    return SumOfGaps(i, n, S, gap)


def gap_of_visit(i: sympy.Expr) -> sympy.Expr:
    r""":math:`\delta_i`."""
    return GapOfVisit(i, n, S, gap)


def each_loss_and_gap(n: Array, S: Array, gap: Array) -> Iterator[tuple[Array, Array]]:
    """What the gate loses at each visit, and its mixability gap there."""
    lead, total = np.zeros(gap.shape), np.zeros(gap.shape)
    for _, exists, by_g in each_visit(n, S):
        odds = np.where(total > 0, np.log(2) * gap * lead / np.where(total > 0, total, 1.0), 0.0)
        pays = (np.where(by_g, gap, 0.0), np.where(by_g, 0.0, gap))
        worse_odds = np.where(by_g, odds, -odds)
        met = np.where(exists, _gap_at(worse_odds, gap, total / np.log(2)), 0.0)
        yield np.where(exists, mixed_loss(log_expit(odds), log_expit(-odds), *pays), 0.0), met
        total = total + met
        lead = lead + np.where(by_g, -1.0, 1.0)


def _gap_at(worse_odds: Array, gap: Array, inverse_rate: Array) -> Array:
    """Mean loss less that of the mixture at a rate, for the log-odds of the predictor that pays."""
    some = inverse_rate > 0
    inverse = np.where(some, inverse_rate, 1.0)
    mixture = mixed_loss(log_expit(worse_odds), log_expit(-worse_odds), gap / inverse, np.zeros(gap.shape))
    return np.asarray(np.maximum(expit(worse_odds) * gap - np.where(some, inverse * mixture, 0.0), 0.0))


def adahedge_loss(n: Array, S: Array, gap: Array) -> Array:
    """Cumulative loss of the gate, visit by visit."""
    return np.asarray(sum((loss for loss, _ in each_loss_and_gap(n, S, gap)), np.zeros(())))
