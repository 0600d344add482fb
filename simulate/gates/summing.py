"""Gates whose log-odds are a sum over a cell's visits: Bayes, Hedge, and Hedge with a decreasing rate."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from simulate.blocks import PromptBlock
from simulate.gates.cells import LaneCells, add_in_order
from simulate.gates.mixing import path_of_log_odds, weight
from simulate.lanes import Lanes
from simulate.protocols import GatePath, Needs

Array = NDArray[np.float64]


def prior_log_odds(lanes: Lanes) -> Array:
    """Log-odds of the in-weight predictor before any visit, in nats, for every lane; shape (lanes,)."""
    prior = lanes.numbers("gate", "prior_in_weight")
    return np.asarray(np.log(prior) - np.log1p(-prior))


class HedgeState:
    r"""Bayes and Hedge gates: the log-odds gain :math:`\lambda(\log g(y) - \log h(y))` at every visit of a cell.

    Parameters
    ----------
    lanes : Lanes
        Learners with a :class:`~theory.setting.BayesGate` or :class:`~theory.setting.HedgeGate`.

    Notes
    -----
    Sources: ``cesabianchi2006prediction``; the Bayes gate is Hedge at the rate 1.
    """

    needs: ClassVar[Needs] = "statistics"

    def __init__(self, lanes: Lanes) -> None:
        self._cells = LaneCells(lanes)
        self.per: str | None = self._cells.per
        self._prior = prior_log_odds(lanes)
        self._rate = lanes.numbers("gate", "rate")
        self._lead = np.zeros(self._cells.count)

    def advance(self, block: PromptBlock, in_weight: Array, in_context: Array) -> GatePath:
        """Predict and learn; see :class:`~simulate.protocols.Gate`."""
        gains = in_weight - in_context
        lead = add_in_order(self._lead, self._cells.places(block), gains)
        return path_of_log_odds(self._log_odds(lead), self._log_odds(lead + gains), in_weight, in_context)

    def weight(self, block: PromptBlock) -> Array:
        """Weight as the lanes are now; see :class:`~simulate.protocols.Gate`."""
        return weight(self._log_odds(self._lead[self._cells.places(block)]))

    def _log_odds(self, lead: Array) -> Array:
        return self._prior + self._rate * lead


class DecreasingHedgeState:
    r"""Hedge at the rate :math:`\lambda/\sqrt i` before visit :math:`i` of a cell.

    Parameters
    ----------
    lanes : Lanes
        Learners with a :class:`~theory.setting.DecreasingHedgeGate`.

    Notes
    -----
    Source: ``cesabianchi2006prediction``.
    """

    needs: ClassVar[Needs] = "statistics"

    def __init__(self, lanes: Lanes) -> None:
        self._cells = LaneCells(lanes)
        self.per: str | None = self._cells.per
        self._prior = prior_log_odds(lanes)
        self._rate = lanes.numbers("gate", "rate")
        self._lead, self._visits = np.zeros((2, self._cells.count))

    def advance(self, block: PromptBlock, in_weight: Array, in_context: Array) -> GatePath:
        """Predict and learn; see :class:`~simulate.protocols.Gate`."""
        places, gains = self._cells.places(block), in_weight - in_context
        lead = add_in_order(self._lead, places, gains)
        visits = add_in_order(self._visits, places, np.ones(gains.shape))
        before, after = self._log_odds(lead, visits), self._log_odds(lead + gains, visits + 1)
        return path_of_log_odds(before, after, in_weight, in_context)

    def weight(self, block: PromptBlock) -> Array:
        """Weight as the lanes are now; see :class:`~simulate.protocols.Gate`."""
        places = self._cells.places(block)
        return weight(self._log_odds(self._lead[places], self._visits[places]))

    def _log_odds(self, lead: Array, visits: Array) -> Array:
        return self._prior + self._rate / np.sqrt(visits + 1) * lead
