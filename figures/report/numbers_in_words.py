"""Numbers as they stand in a report: estimates with their uncertainty, and a dash for what does not exist."""

from __future__ import annotations

import math

import numpy as np

from simulate.evaluation.estimates import Estimate
from theory.command import number

NOTHING = "–"
_FINEST = 4
_SMALLEST_PLAIN = 1e-4
"""Smallest number that is written without an exponent."""


def number_text(value: float | None) -> str:
    """A number for a table or a sentence; small ones without an exponent where that is short.

    Examples
    --------
    >>> number_text(1234567.0), number_text(1e-4), number_text(1e-9), number_text(None)
    ('1,234,567', '0.0001', '1.000e-09', '–')
    """
    if value is None:
        return NOTHING
    return f"{value:.3g}" if _SMALLEST_PLAIN <= abs(value) < 1e-3 else number(value)


def interval_text(ends: tuple[float, float] | None) -> str:
    """An interval for a table.

    Examples
    --------
    >>> interval_text((1234.5, 2000.0)), interval_text(None)
    ('1,234 to 2,000', '–')
    """
    return NOTHING if ends is None else f"{number_text(ends[0])} to {number_text(ends[1])}"


def estimate_text(estimate: Estimate | None) -> str:
    """A mean with its standard error over the replicates, to the digit in which that matters.

    Examples
    --------
    >>> [estimate_text(Estimate(np.array(values))) for values in ([0.1, 0.2, 0.3], [0.5])], estimate_text(None)
    (['0.20 ± 0.06', '0.5'], '–')
    """
    if estimate is None or np.ma.is_masked(estimate.mean):
        return NOTHING
    error = estimate.standard_error
    return mean_text(float(estimate.mean), None if error is None else float(error))


def mean_text(mean: float, error: float | None) -> str:
    """A mean with its standard error, if there is one; a single replicate has none.

    Examples
    --------
    >>> mean_text(12.3456, 0.0123), mean_text(0.0, 0.0), mean_text(0.25, 1e-7), mean_text(float("inf"), None)
    ('12.35 ± 0.01', '0 ± 0', '0.2500 ± <0.0001', 'infinite')
    """
    if not math.isfinite(mean):
        return "infinite"
    if error is None or not math.isfinite(error):
        return number_text(mean)
    if error == 0:
        return f"{number_text(mean)} ± 0"
    if error < 10.0**-_FINEST:
        return f"{mean:.{_FINEST}f} ± <{10.0**-_FINEST:.{_FINEST}f}"
    digits = max(0, -math.floor(math.log10(error)))
    return f"{mean:,.{digits}f} ± {error:,.{digits}f}"


def percent_text(share: float | None) -> str:
    """A signed percentage.

    Examples
    --------
    >>> percent_text(-0.0123)
    '-1.2 %'
    """
    return NOTHING if share is None else f"{100 * share:+.1f} %"
