r"""Last rise through 1/2 of many mean gates at once: descent from above, then regula falsi between integers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from theory.transitions.crossing import FROM_THE_START, NOT_YET

Array = NDArray[np.float64]
Indices = NDArray[np.intp]
Evaluate = Callable[[Indices, Array], Array]
Transform = Callable[[Array], Array]

_ASCENT = 1.5
_FINE = 1e-7
_MOST_ROUNDS = 80


def last_rises(
    evaluate: Evaluate,
    start: Array,
    *,
    ratio: float,
    largest: float,
    fine: float = _FINE,
    transform: Transform | None = None,
) -> Array:
    """Boundaries of curves over the integers from 1 on: see ``theory.transitions.crossing.last_rise``.

    Parameters
    ----------
    evaluate : callable
        Values of some curves, given their positions and one whole number for each.
    start : ndarray, shape (k,)
        Whole numbers from which on no curve falls below 1/2, as far as known; a curve that is below there is followed
        upwards until it is not.
    ratio : float
        Largest ratio of neighbouring points on the way down: a curve must be monotone between them around its last
        rise.
    largest : float
        Where a curve that is still below 1/2 counts as not risen.
    fine : float
        Relative width at which a bracket is narrow enough; 1 between integers always is.
    transform : callable, optional
        Turns values minus 1/2 into what is nearly linear; by default the logit of the value.

    Returns
    -------
    ndarray, shape (k,)
        Positions, linear within the last bracket; ``NOT_YET`` or ``FROM_THE_START`` where there is none.

    Examples
    --------
    >>> curves = np.array([0.01, 0.002])
    >>> rises = last_rises(lambda i, n: curves[i] * n, np.array([10.0, 900.0]), ratio=1.3, largest=1e6)
    >>> [round(float(rise), 6) for rise in rises]
    [50.0, 250.0]
    """
    low, at_low, high, at_high = _bracket(evaluate, np.maximum(start, 1.0), ratio, largest)
    result = np.where(at_high < 0.5, NOT_YET, FROM_THE_START)
    bracketed = np.flatnonzero((at_low < 0.5) & (at_high >= 0.5))
    result[bracketed] = _refine(
        lambda which, n: evaluate(bracketed[which], n),
        (low[bracketed], at_low[bracketed], high[bracketed], at_high[bracketed]),
        fine,
        transform or _logit,
    )
    return result


def _bracket(evaluate: Evaluate, start: Array, ratio: float, largest: float) -> tuple[Array, Array, Array, Array]:
    """Neighbouring points with the last rise between them; both ends alike where there is none."""
    high = start.copy()
    at_high = evaluate(np.arange(start.size), high)
    low, at_low = high.copy(), at_high.copy()
    rising = np.flatnonzero(at_high < 0.5)
    while rising.size:
        low[rising], at_low[rising] = high[rising], at_high[rising]
        high[rising] = np.minimum(np.ceil(high[rising] * _ASCENT), largest)
        at_high[rising] = evaluate(rising, high[rising])
        rising = rising[(at_high[rising] < 0.5) & (high[rising] < largest)]
    descending = np.flatnonzero((at_low >= 0.5) & (low > 1))
    while descending.size:
        high[descending], at_high[descending] = low[descending], at_low[descending]
        low[descending] = np.maximum(np.minimum(np.floor(low[descending] / ratio), low[descending] - 1), 1.0)
        at_low[descending] = evaluate(descending, low[descending])
        descending = descending[(at_low[descending] >= 0.5) & (low[descending] > 1)]
    return low, at_low, high, at_high


def _logit(gate: Array) -> Array:
    inside = np.clip(gate, 1e-9, 1 - 1e-9)
    return np.asarray(np.log(inside) - np.log1p(-inside), dtype=np.float64)


def _refine(evaluate: Evaluate, bracket: tuple[Array, Array, Array, Array], fine: float, transform: Transform) -> Array:
    """Regula falsi (Illinois) on the transformed curve, between integers."""
    low, at_low, high, at_high = bracket
    y_low, y_high = transform(at_low), transform(at_high)
    side = np.zeros(low.size)
    for _ in range(_MOST_ROUNDS):
        wide = np.flatnonzero(high - low > np.maximum(1.0, fine * low))
        if not wide.size:
            break
        a, b = low[wide], high[wide]
        rise = y_high[wide] - y_low[wide]
        share = np.where(rise > 0, -y_low[wide] / np.where(rise > 0, rise, 1.0), 0.5)
        middle = np.clip(np.rint(a + (b - a) * share), a + 1, b - 1)
        value = evaluate(wide, middle)
        below = value < 0.5
        # An end that stays twice in a row counts half, or it would stay for ever.
        repeated = side[wide] == np.where(below, -1, 1)
        y_high[wide] *= np.where(below & repeated, 0.5, 1.0)
        y_low[wide] *= np.where(~below & repeated, 0.5, 1.0)
        side[wide] = np.where(below, -1, 1)
        down, up = wide[below], wide[~below]
        low[down], at_low[down], y_low[down] = middle[below], value[below], transform(value[below])
        high[up], at_high[up], y_high[up] = middle[~below], value[~below], transform(value[~below])
    share = (0.5 - at_low) / np.where(at_high > at_low, at_high - at_low, 1.0)
    return np.asarray(low + np.clip(share, 0.0, 1.0) * (high - low), dtype=np.float64)
