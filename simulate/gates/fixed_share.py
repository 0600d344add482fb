"""Fixed share: the Bayes gate for a better predictor that changes now and then."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from simulate.blocks import PromptBlock
from simulate.gates.cells import LaneCells
from simulate.gates.mixing import path_of_log_odds, weight
from simulate.gates.summing import prior_log_odds
from simulate.lanes import Lanes
from simulate.protocols import GatePath, Needs

Array = NDArray[np.float64]


class FixedShareState:
    r"""Posterior log-odds, of which a share :math:`s` of both weights changes sides after every visit.

    Parameters
    ----------
    lanes : Lanes
        Learners with a :class:`~theory.setting.FixedShareGate`.

    Notes
    -----
    Source: ``herbster1998tracking``.
    """

    needs: ClassVar[Needs] = "statistics"

    def __init__(self, lanes: Lanes) -> None:
        self._cells = LaneCells(lanes)
        self.per: str | None = self._cells.per
        rate = lanes.numbers("gate", "switch_rate")
        self._switch, self._stay = rate, 1 - rate
        self._log_odds = np.repeat(prior_log_odds(lanes), self._cells.count // lanes.count)

    def advance(self, block: PromptBlock, in_weight: Array, in_context: Array) -> GatePath:
        """Predict and learn; see :class:`~simulate.protocols.Gate`."""
        before, after = np.empty((2, *in_weight.shape))
        gains = in_weight - in_context
        for row, place in enumerate(self._cells.places(block)):
            self._log_odds.take(place, out=before[row], mode="clip")
            self._shared(before[row] + gains[row], after[row])
            self._log_odds[place] = after[row]
        return path_of_log_odds(before, after, in_weight, in_context)

    def weight(self, block: PromptBlock) -> Array:
        """Weight as the lanes are now; see :class:`~simulate.protocols.Gate`."""
        return weight(self._log_odds[self._cells.places(block)])

    def _shared(self, learned: Array, out: Array) -> None:
        """Log-odds after some have changed sides, from the odds of the smaller weight."""
        odds = np.abs(learned)
        np.negative(odds, out=odds)
        np.exp(odds, out=odds)
        larger, smaller = self._switch * odds, self._stay * odds
        larger += self._stay
        smaller += self._switch
        np.divide(larger, smaller, out=out)
        np.log(out, out=out)
        np.copysign(out, learned, out=out)
