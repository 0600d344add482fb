"""Gates: what decides, online, how much weight the in-weight predictor has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from theory.checks import choice, real

HEDGE_RATES = (1e-3, 100.0)
GATE_CELLS = ("query", "query-and-relevance", "shared")


@dataclass(frozen=True, kw_only=True)
class BayesGate:
    r"""Gate that weighs the two predictors by their posterior odds.

    After each visit of a cell its log-odds gain :math:`\log g(y) - \log h(y)`; :math:`\alpha` is their sigmoid.

    Parameters
    ----------
    prior_in_weight : float
        :math:`\alpha` before any visit, in (0, 1).
    per : {"query", "query-and-relevance"}
        What has a gate cell of its own: a query class, or a query class with relevant or with irrelevant contexts.
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
    per : {"query", "query-and-relevance"}
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


AnyGate = BayesGate | HedgeGate


def _check_gate_cells(gate: AnyGate) -> None:
    prior = real(
        "model.gate.prior_in_weight",
        gate.prior_in_weight,
        minimum=0,
        maximum=1,
        open_minimum=True,
        open_maximum=True,
    )
    object.__setattr__(gate, "prior_in_weight", prior)
    choice("model.gate.per", gate.per, ("query", "query-and-relevance"))


def _log_odds(prior: float) -> float:
    return float(np.log(prior) - np.log1p(-prior))
