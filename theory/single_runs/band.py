r"""Bands that hold a stated share of single runs' boundaries, in steps of the stream.

A class's visits come at random times that do not depend on its losses, so that a single run's boundary has come by step
:math:`N` with probability :math:`\sum_n P(\mathrm{Bin}(N, p_x) = n)\,F(n)`, :math:`F` its law in visits
(``theory.single_runs.visit_law``). The ends are quantiles of this law; it is sharp: no constant is fitted, its error is
measured.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from theory.gating.cell import GateCell
from theory.gating.curve import LARGEST_STEPS, GroupCurve
from theory.numerics.special import binomial_law
from theory.single_runs.visit_law import VisitLaw, has_been_below, stays_above
from theory.transitions.crossing import first_integer


@dataclass(frozen=True, kw_only=True)
class Band:
    """Steps of the stream between which the stated share of single runs have their boundary.

    Parameters
    ----------
    lower, upper : float
        A run's boundary lies below ``lower``, and above ``upper``, each with at most half the remaining probability:
        these are quantiles of its law, as far as the law is known. A lower end of 0: that share of the runs or
        more never were on the other side.
    confidence : float
        Share of the runs within.
    """

    lower: float
    upper: float
    confidence: float


@dataclass(frozen=True, eq=False)
class SingleRunBands:
    """Bands of the boundaries of a run of one class of a group; computed when asked for.

    Parameters
    ----------
    curve : GroupCurve
        The group's curves, which know their gate cells.
    probability : float
        :math:`p_x` of one class.
    confidence : float
        In (0, 1).
    """

    curve: GroupCurve
    probability: float
    confidence: float

    @cached_property
    def vanish(self) -> Band | None:
        """Band of the last rise of a run's gate through 1/2.

        ``None`` where the gate of more runs than the band may miss never stays above 1/2, where a class is so rare
        that this lies beyond ``LARGEST_STEPS``, and for a gate per query and relevance.
        """
        return self._band(stays_above, lambda cell, law: float(law.at(1)) if cell.prior_log_odds >= 0 else 0.0)

    @cached_property
    def emerge(self) -> Band | None:
        """Band of where a run's gate first falls below 1/2 from a prior that favours g.

        ``None`` where the prior does not, where the gate of more runs than the band may miss is not below 1/2 within
        ``MOST_VISITS_TO_EMERGE`` visits, where a class is too rare, and for a gate per query and relevance.
        """
        if any(cell.prior_log_odds <= 0 for _, cell in self._cells or []):
            return None
        return self._band(has_been_below, lambda _cell, _law: 0.0)

    @cached_property
    def _cells(self) -> list[tuple[float, GateCell]] | None:
        """Gate cells with the share of classes that have them; ``None`` where a class has two."""
        if any(len(curve.cells) > 1 for _, curve in self.curve.parts):
            return None
        return [(share, curve.cells[0][1]) for share, curve in self.curve.parts]

    def _band(
        self, law_of: Callable[[GateCell], VisitLaw | None], unvisited: Callable[[GateCell, VisitLaw], float]
    ) -> Band | None:
        if self._cells is None or self.probability <= 0:
            return None
        laws = []
        for share, cell in self._cells:
            law = law_of(cell)
            if law is not None:
                laws.append((share, law, unvisited(cell, law)))
        half = (1 - self.confidence) / 2
        # The shares sum to one but for rounding.
        if sum(share * float(law.probability[-1]) for share, law, _ in laws) < 1 - half - 1e-12:
            return None
        latest = 4 * (max(int(law.visits[-1]) for _, law, _ in laws) + 100) / self.probability
        if latest > LARGEST_STEPS:
            return None

        def come(steps: int) -> float:
            visits, weights = binomial_law(steps, self.probability)
            return sum(share * float(weights @ np.where(visits > 0, law.at(visits), zero)) for share, law, zero in laws)

        lower = first_integer(lambda steps: come(steps) >= half, 0, math.ceil(latest))
        upper = first_integer(lambda steps: come(steps) >= 1 - half - 1e-12, lower, math.ceil(latest))
        # The boundary lies between the last step before and this one.
        return Band(lower=float(max(lower - 1, 0)), upper=float(upper), confidence=self.confidence)
