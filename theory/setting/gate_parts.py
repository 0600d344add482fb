"""Gates: what decides, online, how much weight the in-weight predictor has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np

from theory.checks import choice, integer, real
from theory.errors import SettingError

HEDGE_RATES = (1e-3, 100.0)
LEARNING_RATES = (1e-6, 100.0)
MOST_NODES = 100_000
GATE_CELLS = ("query", "query-and-relevance", "shared")
GATE_FEATURES = ("constant", "relevance", "familiarity", "query")


class _PriorGate(Protocol):
    @property
    def prior_in_weight(self) -> float: ...


class _CellGate(_PriorGate, Protocol):
    @property
    def per(self) -> str: ...


@dataclass(frozen=True, kw_only=True)
class BayesGate:
    r"""Gate that weighs the two predictors by their posterior odds.

    After each visit of a cell its log-odds gain :math:`\log g(y) - \log h(y)`; :math:`\alpha` is their sigmoid.

    Parameters
    ----------
    prior_in_weight : float
        :math:`\alpha` before any visit, in (0, 1).
    per : {"query", "query-and-relevance", "shared"}
        What has a gate cell of its own: a query class, a query class with relevant or with irrelevant contexts, or all
        queries together.
    """

    kind: ClassVar[str] = "bayes"
    rate: ClassVar[float] = 1.0
    prior_in_weight: float = 0.5
    per: str = "query"

    def __post_init__(self) -> None:
        _check_gate_cells(self)

    @property
    def prior_log_odds(self) -> float:
        """Log-odds of the in-weight predictor before any visit, in nats."""
        return _log_odds(self.prior_in_weight)


@dataclass(frozen=True, kw_only=True)
class HedgeGate:
    r"""Gate by exponential weights with a fixed learning rate (Hedge, ``cesabianchi2006prediction``).

    After each visit of a cell its log-odds gain :math:`\lambda\,(\log g(y) - \log h(y))`; at the rate 1 it is the
    :class:`BayesGate`. For rates up to 1 its regret against either predictor is at most
    :math:`\frac1\lambda\log\frac1{\text{prior}}` on every sequence, since log loss is mixable.

    Parameters
    ----------
    rate : float
        :math:`\lambda`, from 1e-3 to 100.
    prior_in_weight : float
        :math:`\alpha` before any visit, in (0, 1).
    per
        As for the Bayes gate.
    """

    kind: ClassVar[str] = "hedge"
    rate: float = 0.5
    prior_in_weight: float = 0.5
    per: str = "query"

    def __post_init__(self) -> None:
        rate = real("model.gate.rate", self.rate, minimum=HEDGE_RATES[0], maximum=HEDGE_RATES[1])
        object.__setattr__(self, "rate", rate)
        _check_gate_cells(self)

    @property
    def prior_log_odds(self) -> float:
        """Log-odds of the in-weight predictor before any visit, in nats."""
        return _log_odds(self.prior_in_weight)


@dataclass(frozen=True, kw_only=True)
class DecreasingHedgeGate:
    r"""Hedge whose rate falls with the visits of its cell.

    Before visit :math:`i = 1, 2, \dots` of a cell its log-odds are the prior's plus :math:`\lambda/\sqrt i` times the
    sum of :math:`\log g(y) - \log h(y)` over the earlier visits.

    Parameters
    ----------
    rate : float
        :math:`\lambda`, from 1e-3 to 100.
    prior_in_weight, per
        As for the Bayes gate.
    """

    kind: ClassVar[str] = "decreasing-hedge"
    rate: float = 1.0
    prior_in_weight: float = 0.5
    per: str = "query"

    def __post_init__(self) -> None:
        _set_rate(self, "rate", *HEDGE_RATES)
        _check_gate_cells(self)


@dataclass(frozen=True, kw_only=True)
class AdaHedgeGate:
    r"""Hedge that sets its rate by the losses seen so far (AdaHedge, ``derooij2014follow``).

    The rate before a visit is :math:`\log 2` over the sum of the mixability gaps of the cell's earlier visits. It
    starts even, and knows of no prior.

    Parameters
    ----------
    per
        As for the Bayes gate.
    """

    kind: ClassVar[str] = "adahedge"
    per: str = "query"

    def __post_init__(self) -> None:
        _check_cells(self.per)


@dataclass(frozen=True, kw_only=True)
class FixedShareGate:
    r"""Bayes gate for a better predictor that changes: before every visit but the first it may have switched.

    With the posterior weight :math:`\alpha'` after a visit, the weight before the next one is
    :math:`(1-s)\,\alpha' + s\,(1-\alpha')`. Source: ``herbster1998tracking``.

    Parameters
    ----------
    switch_rate : float
        :math:`s`, in (0, 1).
    prior_in_weight, per
        As for the Bayes gate.
    """

    kind: ClassVar[str] = "fixed-share"
    switch_rate: float = 0.01
    prior_in_weight: float = 0.5
    per: str = "query"

    def __post_init__(self) -> None:
        rate = real(
            "model.gate.switch_rate", self.switch_rate, minimum=0, maximum=1, open_minimum=True, open_maximum=True
        )
        object.__setattr__(self, "switch_rate", rate)
        _check_gate_cells(self)


@dataclass(frozen=True, kw_only=True)
class UniversalMixtureGate:
    r"""Mean of all constant gates under the prior Beta(1/2, 1/2) and the data (``cover1996universal``).

    Before a visit :math:`\alpha = \int a\,w(a)\,da`, where :math:`w(a)` is proportional to
    :math:`a^{-1/2}(1-a)^{-1/2}\prod_i [a\,g_i(y_i) + (1-a)\,h_i(y_i)]` over the cell's earlier visits.

    Parameters
    ----------
    nodes : int
        Constant gates that stand for all of them, from 2 to 100,000: Chebyshev's nodes. The mean over them is exact for
        fewer than ``2 * nodes`` visits of a cell, right to twelve digits up to ``nodes**2 / 16`` visits and to a
        thousandth up to ``nodes**2 / 4``; the regret bound :math:`\frac12\log(4n+1)` holds up to ``nodes**2`` visits.
    per
        As for the Bayes gate.
    """

    kind: ClassVar[str] = "universal-mixture"
    nodes: int = 320
    per: str = "query"

    def __post_init__(self) -> None:
        object.__setattr__(self, "nodes", integer("model.gate.nodes", self.nodes, minimum=2, maximum=MOST_NODES))
        _check_cells(self.per)


@dataclass(frozen=True, kw_only=True)
class ExponentiatedGradientGate:
    r"""Gate by exponentiated gradient: its log-odds gain :math:`\lambda\,(g(y) - h(y))/f(y)` after each visit.

    Source: ``kivinen1997exponentiated``.

    Parameters
    ----------
    learning_rate : float
        :math:`\lambda`, from 1e-6 to 100.
    prior_in_weight, per
        As for the Bayes gate.
    """

    kind: ClassVar[str] = "exponentiated-gradient"
    learning_rate: float = 0.1
    prior_in_weight: float = 0.5
    per: str = "query"

    def __post_init__(self) -> None:
        _set_rate(self, "learning_rate", *LEARNING_RATES)
        _check_gate_cells(self)


@dataclass(frozen=True, kw_only=True)
class ProjectedGradientGate:
    r"""Gate by projected online gradient descent.

    After each visit :math:`\alpha` moves by :math:`\lambda\,(g(y) - h(y))/f(y)`, and back into :math:`[0, 1]` if it
    left it. Source: ``zinkevich2003online``.

    Parameters
    ----------
    learning_rate : float
        :math:`\lambda`, from 1e-6 to 100.
    prior_in_weight, per
        As for the Bayes gate.
    """

    kind: ClassVar[str] = "projected-gradient"
    learning_rate: float = 0.01
    prior_in_weight: float = 0.5
    per: str = "query"

    def __post_init__(self) -> None:
        _set_rate(self, "learning_rate", *LEARNING_RATES)
        _check_gate_cells(self)


@dataclass(frozen=True, kw_only=True)
class LogisticGate:
    r"""Gate that is a logistic regression on features of the prompt, learned by online gradient descent.

    :math:`\alpha = \sigma(\theta\cdot\phi)`; after each step :math:`\theta` gains
    :math:`\lambda\,\alpha(1-\alpha)\,(g(y) - h(y))/f(y)\;\phi`.

    Parameters
    ----------
    learning_rate : float
        :math:`\lambda`, from 1e-6 to 100.
    features : sequence of str
        What :math:`\phi` holds, each at most once: ``constant`` (1), ``relevance`` (share of the context's examples
        that are of the query's class), ``familiarity`` (:math:`\log(1 + n)` after :math:`n` visits of the query), and
        ``query`` (an indicator for every class).
    prior_in_weight : float
        :math:`\alpha` before any step, in (0, 1): the start of the weight of ``constant``; other than 1/2 only with
        that feature.
    """

    kind: ClassVar[str] = "logistic"
    learning_rate: float = 0.1
    features: Sequence[str] = ("constant", "relevance", "familiarity")
    prior_in_weight: float = 0.5

    def __post_init__(self) -> None:
        _set_rate(self, "learning_rate", *LEARNING_RATES)
        _set_prior(self)
        names = self.features
        if isinstance(names, str) or not isinstance(names, Sequence) or not names:
            raise SettingError("model.gate.features", names, f"a list of some of {', '.join(GATE_FEATURES)}")
        kept = tuple(choice(f"model.gate.features[{i}]", name, GATE_FEATURES) for i, name in enumerate(names))
        if len(set(kept)) < len(kept):
            raise SettingError("model.gate.features", names, "different features")
        if "constant" not in kept and self.prior_in_weight != 0.5:
            raise SettingError("model.gate.prior_in_weight", self.prior_in_weight, "0.5 without the feature 'constant'")
        object.__setattr__(self, "features", kept)


AnyGate = BayesGate | HedgeGate
"""The gates that there is a theory for: their log-odds are sums."""


def _check_gate_cells(gate: _CellGate) -> None:
    _set_prior(gate)
    _check_cells(gate.per)


def _check_cells(per: object) -> None:
    choice("model.gate.per", per, GATE_CELLS)


def _set_prior(gate: _PriorGate) -> None:
    prior = real(
        "model.gate.prior_in_weight",
        gate.prior_in_weight,
        minimum=0,
        maximum=1,
        open_minimum=True,
        open_maximum=True,
    )
    object.__setattr__(gate, "prior_in_weight", prior)


def _set_rate(gate: object, name: str, smallest: float, largest: float) -> None:
    rate = real(f"model.gate.{name}", getattr(gate, name), minimum=smallest, maximum=largest)
    object.__setattr__(gate, name, rate)


def _log_odds(prior: float) -> float:
    return float(np.log(prior) - np.log1p(-prior))
