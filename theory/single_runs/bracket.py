r"""Rigorous brackets of a single run's boundaries: valid with a stated probability, whatever the run.

A run's boundary is the last rise of its gate through 1/2; in-context learning emerges where its gate first falls below
1/2. The bounds are those of ``theory.single_runs.tail_bounds``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc

from theory.gating.cell import GateCell
from theory.gating.curve import LARGEST_STEPS, LARGEST_VISITS
from theory.gating.given_counts import EXACT_VISITS
from theory.single_runs.tail_bounds import excess_cumulant, log_return_probability, side_probability
from theory.transitions.crossing import first_integer, geometric_integers


@dataclass(frozen=True, kw_only=True)
class Bracket:
    """Visits of one class, or steps of the stream, between which a single run's boundary lies.

    Parameters
    ----------
    lower, upper : float
        The boundary lies below ``lower``, and the gate is below 1/2 at any time after ``upper``, each with at most half
        the remaining probability; a lower end of 0 says nothing.
    confidence : float
        Probability that both ends hold.
    """

    lower: float
    upper: float
    confidence: float


def visit_bracket(cell: GateCell, confidence: float) -> Bracket | None:
    r"""Rigorous bracket of a single run's boundary, in visits of the class.

    Parameters
    ----------
    cell : GateCell
        Gate of the class; it has to see all visits.
    confidence : float
        In (0, 1).

    Returns
    -------
    Bracket or None
        ``None`` where no bound is known (a gate per query and relevance), or where in-context learning persists.
    """
    if cell.share < 1 or cell.loss.risk <= cell.labels.entropy:
        return None
    half = (1 - confidence) / 2
    upper = _upper_end(cell, math.log(half))
    return None if upper is None else Bracket(lower=_lower_end(cell, half, upper), upper=upper, confidence=confidence)


def emergence_bracket(cell: GateCell, confidence: float) -> Bracket | None:
    """Rigorous bracket of where a single run's gate first falls below 1/2, in visits of the class.

    The gate stays at or above 1/2 up to the lower end and is below it at the upper end, each but with at most half
    the remaining probability.

    Parameters
    ----------
    cell : GateCell
        Gate of the class; it has to see all visits.
    confidence : float
        In (0, 1).

    Returns
    -------
    Bracket or None
        ``None`` where no bound is known, where the prior does not favour g, or where the gate need not ever fall.
    """
    if cell.share < 1 or cell.prior_log_odds <= 0:
        return None
    half = (1 - confidence) / 2
    several = cell.labels.noise > 0 and cell.labels.noisy_labels > 1
    fallen = (n for n in _visit_grid(several, EXACT_VISITS).tolist() if side_probability(cell, n, "above") <= half)
    upper = next(fallen, None)
    if upper is None:
        return None
    lower, spent = 0, side_probability(cell, 1, "below")
    while spent <= half and lower < upper:
        lower += 1
        spent += side_probability(cell, lower + 1, "below")
    return Bracket(lower=float(lower), upper=float(upper), confidence=confidence)


def in_steps(
    bracket: Callable[[GateCell, float], Bracket | None], cell: GateCell, probability: float, confidence: float
) -> Bracket | None:
    r"""A bracket of visits as a bracket of steps of the stream.

    Half of the remaining probability goes to the bracket in visits, half to the times of these visits.

    Parameters
    ----------
    bracket : callable
        :func:`visit_bracket` or :func:`emergence_bracket`.
    cell : GateCell
        Gate of the class; it has to see all visits.
    probability : float
        :math:`p_x` of the class.
    confidence : float
        In (0, 1).

    Returns
    -------
    Bracket or None
        ``None`` where there is none in visits, or the class is so rare that it lies beyond ``LARGEST_STEPS``.
    """
    visits = bracket(cell, (1 + confidence) / 2)
    if visits is None or 4 * (visits.upper + 100) > LARGEST_STEPS * probability:
        return None
    quarter = (1 - confidence) / 4

    def come_late(steps: int) -> bool:
        return _chance_of_visits(visits.upper, steps, probability) >= 1 - quarter

    def come_early(steps: int) -> bool:
        return _chance_of_visits(visits.lower, steps - 1, probability) > quarter

    # Far beyond the mean times nothing is left to chance.
    latest = math.ceil(4 * (visits.upper + 100) / probability)
    lower = first_integer(come_early, 1, latest) - 1 if visits.lower >= 1 else 0
    return Bracket(lower=lower, upper=first_integer(come_late, 1, latest), confidence=confidence)


def _chance_of_visits(visits: float, steps: int, probability: float) -> float:
    """Probability of at least so many visits (one or more) within the steps."""
    return 0.0 if steps < visits else float(betainc(visits, steps - visits + 1, probability))


def widest(brackets: Sequence[Bracket | None]) -> Bracket | None:
    """The bracket that holds for a run of any of the classes; ``None`` if one of them has none."""
    known = [bracket for bracket in brackets if bracket is not None]
    if len(known) < len(brackets) or not known:
        return None
    return Bracket(
        lower=min(bracket.lower for bracket in known),
        upper=max(bracket.upper for bracket in known),
        confidence=known[0].confidence,
    )


# Upper end.


def _upper_end(cell: GateCell, log_half: float) -> float | None:
    """Smallest number of visits (up to bisection) after which the gate stays above 1/2 but with that probability."""
    cumulant = excess_cumulant(cell)
    grid = geometric_integers(1, LARGEST_VISITS, 1.3)
    holds = np.array([log_return_probability(cell, int(n), cumulant) <= log_half for n in grid])
    if not holds[-1]:
        return None
    failing = np.flatnonzero(~holds)
    if not failing.size:
        return float(grid[0])
    low, high = int(grid[failing[-1]]), int(grid[failing[-1] + 1])
    while high - low > 1:
        middle = (low + high) // 2
        if log_return_probability(cell, middle, cumulant) <= log_half:
            high = middle
        else:
            low = middle
    return float(high)


# Lower end.


def _lower_end(cell: GateCell, half: float, upper: float) -> float:
    """Largest number of visits found at which the gate is above 1/2 with at most that probability; 0 if none is."""
    several = cell.labels.noise > 0 and cell.labels.noisy_labels > 1
    grid = _visit_grid(several, upper)
    high = int(upper) + 1
    for n in grid[::-1].tolist():
        if side_probability(cell, n, "above") <= half:
            low = n
            break
        high = n
    else:
        return 0.0
    # With several noisy labels the grid, which all classes have in common, has to do: its cumulants are kept.
    while high - low > 1 and not several:
        middle = (low + high) // 2
        if side_probability(cell, middle, "above") <= half:
            low = middle
        else:
            high = middle
    return float(low)


def _visit_grid(several: bool, upper: float) -> NDArray[np.int64]:
    grid = geometric_integers(1, EXACT_VISITS if several else LARGEST_VISITS, 1.2)
    return grid[grid <= upper]
