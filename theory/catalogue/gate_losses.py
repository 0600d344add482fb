r"""Losses of gates on the evenly switching sequence, vectorised, in forms in which no digits cancel."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_expit

from theory.catalogue.letters import n
from theory.catalogue.loss_sequences import S, gap
from theory.errors import SettingError
from theory.theorems.parameters import Parameter

Array = NDArray[np.float64]

# A loop over the visits costs too much beyond.
HUNTED_VISITS: Final = 64.0
VISITS_IN_A_LOOP: Final = 1_000_000

AT_LEAST_ONE_VISIT: Final = Parameter(
    symbol=n, latex="n", meaning="visits of the query", lowest=1, highest=1e12, corners=(20.0, 63.0)
)
SWITCHES: Final = Parameter(
    symbol=S, latex="S", meaning="times at which the better predictor changes", lowest=0, highest=n - 1
)


def gap_up_to(highest: object) -> Parameter:
    """What the worse predictor pays at a visit, in nats, up to a number or an expression in parameters before it."""
    return Parameter(
        symbol=gap,
        latex=r"\Delta",
        meaning="what the worse predictor of a visit pays there, nats",
        lowest=0,
        highest=highest,
        corners=(1e-6, 1.0, 10.0),
    )


def mixed_loss(log_weight_g: Array, log_weight_h: Array, loss_g: Array, loss_h: Array) -> Array:
    r""":math:`-\log[w_g e^{-g} + w_h e^{-h}]` for weights that sum to 1, accurate for tiny losses and tiny weights.

    Examples
    --------
    >>> half = np.log(0.5)
    >>> float(mixed_loss(half, half, 1e-20, 0.0))
    5e-21
    """
    worse_is_g = loss_g > loss_h
    difference = np.abs(loss_g - loss_h)
    log_worse = np.where(worse_is_g, log_weight_g, log_weight_h)
    log_better = np.where(worse_is_g, log_weight_h, log_weight_g)
    lost = -np.exp(log_worse) * np.expm1(-difference)
    little = lost < 0.5
    small = -np.log1p(-np.where(little, lost, 0.0))
    large = -np.logaddexp(log_better, log_worse - difference)
    return np.asarray(np.minimum(loss_g, loss_h) + np.where(little, small, large))


def most_visits(n: Array, limit: int) -> int:
    """The largest number of visits, where they can be gone through one by one.

    Raises
    ------
    SettingError
        There are more than the limit.
    """
    most = int(np.max(n, initial=0))
    if most > limit:
        raise SettingError("n", most, f"at most {limit:,} visits where a loss is summed visit by visit")
    return most


def each_visit(n: Array, S: Array) -> Iterator[tuple[int, NDArray[np.bool_], NDArray[np.bool_]]]:
    """The visits in order: index from 0, where it exists, and where the in-weight predictor is the one that pays."""
    for i in range(most_visits(n, VISITS_IN_A_LOOP)):
        yield i, i < n, np.floor(i * (S + 1) / n) % 2 == 0


def losses_so_far(n: Array, S: Array, gap: Array) -> tuple[Array, Array]:
    """Cumulative losses of the two predictors after all visits."""
    paid = np.zeros(np.broadcast(n, S).shape)
    for _, exists, by_g in each_visit(n, S):
        paid = paid + (exists & by_g)
    return np.asarray(gap * paid), np.asarray(gap * (n - paid))


def additive_gate_loss(log_odds: Callable[[Array], Array], n: Array, S: Array, gap: Array) -> Array:
    r"""Cumulative loss of a gate whose log-odds are a function of :math:`H_i - G_i`.

    Parameters
    ----------
    log_odds : callable
        From the difference of the cumulative losses (of the in-context, minus of the in-weight predictor).
    n, S, gap : ndarray
        The sequence.
    """
    total, lead = np.zeros(()), np.zeros(())
    for _, exists, by_g in each_visit(n, S):
        odds = log_odds(gap * lead)
        pays = (np.where(by_g, gap, 0.0), np.where(by_g, 0.0, gap))
        total = total + np.where(exists, mixed_loss(log_expit(odds), log_expit(-odds), *pays), 0.0)
        lead = lead + np.where(by_g, -1.0, 1.0)
    return np.asarray(total)
