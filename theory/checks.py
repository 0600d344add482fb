"""Turn what a user gave into exact types, once and early; a bad value raises :class:`SettingError`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Integral, Real

import numpy as np
from numpy.typing import ArrayLike, NDArray

from theory.errors import SettingError, unknown_name

MOST_STEPS = 10**18
"""Steps of a stream up to which anything is asked for."""


def integer(field: str, value: object, *, minimum: int, maximum: int | None = None) -> int:
    """Return ``value`` as an ``int`` between ``minimum`` and ``maximum``."""
    allowed = f"a whole number of at least {minimum}" + ("" if maximum is None else f" and at most {maximum:,}")
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise SettingError(field, value, allowed)
    number = int(value)
    if number < minimum or (maximum is not None and number > maximum):
        raise SettingError(field, value, allowed)
    return number


def real(
    field: str,
    value: object,
    *,
    minimum: float,
    maximum: float = math.inf,
    open_minimum: bool = False,
    open_maximum: bool = False,
) -> float:
    """Return ``value`` as a finite ``float`` in the stated interval."""
    allowed = _interval(minimum, maximum, open_minimum, open_maximum)
    if isinstance(value, bool) or not isinstance(value, Real):
        raise SettingError(field, value, allowed)
    try:
        number = float(value) + 0.0  # -0.0 is 0.0
    except OverflowError:
        raise SettingError(field, value, allowed) from None
    if not math.isfinite(number):
        raise SettingError(field, value, allowed)
    below = number <= minimum if open_minimum else number < minimum
    above = number >= maximum if open_maximum else number > maximum
    if below or above:
        raise SettingError(field, value, allowed)
    return number


def choice(field: str, value: object, allowed: Sequence[str]) -> str:
    """Return ``value`` if it is one of the allowed names."""
    if not isinstance(value, str):
        raise SettingError(field, value, f"one of {', '.join(allowed)}")
    if value not in allowed:
        raise unknown_name(field, value, allowed)
    return value


def _interval(minimum: float, maximum: float, open_minimum: bool, open_maximum: bool) -> str:
    lower = f"above {minimum:g}" if open_minimum else f"of at least {minimum:g}"
    if maximum == math.inf:
        return f"a finite number {lower}"
    upper = f"below {maximum:g}" if open_maximum else f"at most {maximum:g}"
    return f"a number {lower} and {upper}"


def step_numbers(field: str, values: ArrayLike, *, minimum: int) -> NDArray[np.int64]:
    """Numbers of steps, from ``minimum`` to 10^18, as an array of shape (k,); one number counts as a list of one.

    Examples
    --------
    >>> step_numbers("steps", [10, 100], minimum=0).tolist()
    [10, 100]
    """
    try:
        given = np.atleast_1d(np.asarray(values))
    except ValueError as error:
        raise SettingError(field, values, "a list of whole numbers") from error
    if given.ndim != 1:
        raise SettingError(field, values, "one list of whole numbers")
    whole = [int(v) if isinstance(v, float) and v.is_integer() else v for v in given.tolist()]
    return np.array([integer(field, value, minimum=minimum, maximum=MOST_STEPS) for value in whole], np.int64)
