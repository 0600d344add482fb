r"""Boundaries: where a curve last rises through a level.

A curve may dip below its level more than once, and noise may lift it early; what ends in-context learning is the *last*
rise, after which the curve stays at or above the level. A curve that ends below the level has no boundary yet.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

NOT_YET = np.inf
"""Boundary of a curve that ends below its level."""
FROM_THE_START = 0.0
"""Boundary of a curve that is never below its level."""

_LONG_STEP = 50


def last_rise(points: ArrayLike, curves: ArrayLike, level: float) -> Array:
    """Last rise of sampled curves through a level, interpolated linearly between samples.

    Parameters
    ----------
    points : array_like, shape (k,)
        Increasing positions, all positive.
    curves : array_like, shape (..., k)
        Values at the points.
    level : float
        The level.

    Returns
    -------
    ndarray, shape (...)
        Positions; ``NOT_YET`` (infinity) for a curve that ends below the level, ``FROM_THE_START`` (zero) for one that
        is never below it.

    Examples
    --------
    >>> last_rise([1, 2, 3, 4], [[0.6, 0.2, 0.4, 0.6], [0.1, 0.9, 0.9, 0.2], [0.5, 0.6, 0.7, 0.8]], 0.5).tolist()
    [3.5, inf, 0.0]
    """
    x = np.asarray(points, dtype=np.float64)
    y = np.asarray(curves, dtype=np.float64)
    below = y < level
    last_below = x.size - 1 - np.argmax(below[..., ::-1], axis=-1)
    before = np.minimum(last_below, x.size - 2)
    y0 = np.take_along_axis(y, before[..., None], axis=-1)[..., 0]
    y1 = np.take_along_axis(y, before[..., None] + 1, axis=-1)[..., 0]
    rising = below.any(axis=-1) & (last_below < x.size - 1)
    share = (level - y0) / np.where(rising, y1 - y0, 1.0)
    position = x[before] + share * (x[before + 1] - x[before])
    ended = np.where(below[..., -1], NOT_YET, FROM_THE_START)
    return np.asarray(np.where(rising, position, ended), dtype=np.float64)


def last_rise_between_integers(
    function: Callable[[int], float], grid: NDArray[np.int64], values: Array, level: float
) -> float:
    """Last rise of a function of integers, bracketed on a grid and then bisected with exact evaluations.

    Parameters
    ----------
    function : callable
        The function, cheap enough for some fifty evaluations.
    grid : ndarray of int, shape (k,)
        Increasing integers, dense enough that the curve is monotone between neighbours around its last rise.
    values : ndarray, shape (k,)
        The function on the grid (an approximation may do: the bracket's ends are evaluated again).
    level : float
        The level.

    Returns
    -------
    float
        Position, linear between neighbouring integers; see :func:`last_rise` for curves without a boundary.

    Examples
    --------
    >>> grid = np.array([1, 10, 100, 1000])
    >>> last_rise_between_integers(lambda n: n / 100, grid, grid / 100, 0.505)
    50.5
    """
    below = np.flatnonzero(values < level)
    if below.size == 0:
        return FROM_THE_START
    if below[-1] == grid.size - 1:
        return NOT_YET
    return _rise_within(function, int(grid[below[-1]]), int(grid[below[-1] + 1]), level)


def first_fall_between_integers(
    function: Callable[[int], float], grid: NDArray[np.int64], values: Array, level: float
) -> float:
    """First fall of a function of integers below a level, bracketed on a grid and then bisected; arguments as above.

    Returns
    -------
    float
        Position, linear between neighbouring integers; ``FROM_THE_START`` where the curve starts below its level or on
        it, ``NOT_YET`` where it is never below.

    Examples
    --------
    >>> grid = np.array([0, 10, 100])
    >>> first_fall_between_integers(lambda n: 1 - n / 100, grid, 1 - grid / 100, 0.505)
    49.5
    """
    if values[0] <= level:
        return FROM_THE_START
    below = np.flatnonzero(values < level)
    if below.size == 0:
        return NOT_YET
    return _rise_within(lambda n: -function(n), int(grid[below[0] - 1]), int(grid[below[0]]), -level)


def _rise_within(function: Callable[[int], float], low: int, high: int, level: float) -> float:
    """Where a function rises through the level between two integers, by bisection."""
    at_low, at_high = function(low), function(high)
    while high - low > 1:
        middle = (low + high) // 2
        value = function(middle)
        if value < level:
            low, at_low = middle, value
        else:
            high, at_high = middle, value
    if at_high <= at_low:
        return float(high)
    return low + min(max((level - at_low) / (at_high - at_low), 0.0), 1.0) * (high - low)


def first_integer(holds: Callable[[int], bool], low: int, high: int) -> int:
    """First integer at which a condition holds that holds from there on; ``high`` if none below it is.

    Examples
    --------
    >>> first_integer(lambda n: n * n >= 50, 1, 100)
    8
    """
    while low < high:
        middle = (low + high) // 2
        if holds(middle):
            high = middle
        else:
            low = middle + 1
    return low


def geometric_integers(first: int, last: int, ratio: float) -> NDArray[np.int64]:
    """Integers from ``first`` to ``last``, every one at first, then growing by at most ``ratio``.

    Examples
    --------
    >>> geometric_integers(1, 12, 1.5).tolist()
    [1, 2, 3, 4, 6, 9, 12]
    """
    parts, number = [np.array([first], dtype=np.int64)], first
    while number < last:
        step = max(1, int(number * (ratio - 1)))
        if step >= _LONG_STEP:
            # Rounding down is harmless here if the ratio is a little smaller.
            count = math.ceil(math.log(last / number) / math.log(1 + 0.97 * (ratio - 1)))
            grown = number * (1 + 0.97 * (ratio - 1)) ** np.arange(1, count + 1)
            parts.append(np.minimum(grown, last).astype(np.int64))
            break
        # The same step, as long as the next longer one is not yet allowed.
        stop = min(max(math.ceil((step + 1) / (ratio - 1)), number + step), last)
        points = np.arange(number + step, stop + step, step, dtype=np.int64)
        parts.append(np.minimum(points, last))
        number = int(parts[-1][-1])
    points = np.concatenate(parts)
    # The end may have been reached, and cut to, more than once.
    return np.asarray(points[np.diff(points, prepend=0) > 0], dtype=np.int64)
