r"""The window of in-context learning: the last interval of steps on which the mean gate is below 1/2.

In-context learning *emerges* where the interval begins and *vanishes* where it ends. With fixed attention the mean gate
falls once and rises once. While attention is still learning to copy, the gate may turn to the table first, and fall
later: earlier, passing dips below 1/2 do not count as the window.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from theory.transitions.crossing import geometric_integers

Array = NDArray[np.float64]

LEVEL = 0.5
_FIRST_RATIO = 1.5
_LARGEST_RISE = 0.15
_LEAST_RATIO = 1.02
_NEAR = 0.1
"""How near to 1/2 a lowest sample has to come for the curve to be looked at more closely there."""


@dataclass(frozen=True, eq=False)
class Window:
    """Where in-context learning emerges and vanishes, in steps, and how low the mean gate gets from step 1 on.

    Parameters
    ----------
    emerge : float or None
        Start of the last interval below 1/2; ``None`` where the gate is below 1/2 from the first step on, or never.
    vanish : float or None
        Its end; ``None`` where it does not end, or there is none.
    lowest : float
        Least mean gate over the steps from 1 on; sharp where it is within 0.1 of 1/2.
    """

    emerge: float | None
    vanish: float | None
    lowest: float


def find_window(gate: Callable[[int], float], last: int) -> Window:
    """Window of a curve over the steps.

    Parameters
    ----------
    gate : callable
        Mean gate after a number of steps, 0 for the prior.
    last : int
        Step after which the gate no longer crosses 1/2.

    Examples
    --------
    >>> window = find_window(lambda n: 0.45 + abs(n - 1000) / 2000, 10_000)
    >>> round(window.emerge, 9), round(window.vanish, 9), round(window.lowest, 2)
    (900.0, 1100.0, 0.45)
    """
    steps, values = _sampled(gate, last)
    below = np.flatnonzero(values[1:] < LEVEL) + 1
    lowest = float(values[1:].min())
    if below.size == 0:
        return Window(None, None, lowest)
    end = int(below[-1])
    above = np.flatnonzero(values[:end] >= LEVEL)
    start = int(above[-1]) if above.size else None
    emerge = vanish = None
    # An even prior is on the level, and not above it.
    if start is not None and values[start] > LEVEL:
        emerge = _crossing(gate, steps[start : start + 2], values[start : start + 2])
    if end + 1 < steps.size:
        vanish = _crossing(gate, steps[end : end + 2], values[end : end + 2])
    return Window(emerge, vanish, lowest)


def lowest_gate(gate: Callable[[int], float], last: int) -> float:
    """Least value of a curve over the steps from 1 on, as ``Window.lowest``; arguments as in :func:`find_window`."""
    return float(_sampled(gate, last)[1][1:].min())


def _sampled(gate: Callable[[int], float], last: int) -> tuple[NDArray[np.int64], Array]:
    """Steps from 0 on and the curve there: dense where it is steep, and around lowest points close above 1/2."""
    known = {n: gate(n) for n in [0, *geometric_integers(1, last, _FIRST_RATIO).tolist()]}
    while True:
        steps = np.array(sorted(known), dtype=np.int64)
        values = np.array([known[n] for n in steps.tolist()])
        wide = (steps[1:] > _LEAST_RATIO * steps[:-1]) & (np.diff(steps) > 1)
        steep = np.abs(np.diff(values)) > _LARGEST_RISE
        lowest = np.zeros(values.size, dtype=bool)
        lowest[1:-1] = (values[1:-1] <= values[:-2]) & (values[1:-1] <= values[2:])
        lowest &= np.abs(values - LEVEL) < _NEAR
        # Next to a least value near the level, but not where the curve has settled.
        beside = (lowest[1:] | lowest[:-1]) & (np.diff(values) != 0)
        open_gaps = np.flatnonzero(wide & (steep | beside))
        if open_gaps.size == 0:
            return steps, values
        for low, high in zip(steps[open_gaps].tolist(), steps[open_gaps + 1].tolist(), strict=True):
            middle = max(low + 1, min(math.isqrt(low * high), high - 1))
            known[middle] = gate(middle)


def _crossing(gate: Callable[[int], float], steps: NDArray[np.int64], values: Array) -> float:
    """Where the curve passes 1/2 between two steps, by regula falsi (Illinois) and bisection on whole steps."""
    (low, high), (at_low, at_high) = steps.tolist(), (values - LEVEL).tolist()
    weight_low, weight_high, turn = at_low, at_high, 0
    while high - low > 1:
        turn += 1
        share = weight_low / (weight_low - weight_high) if turn % 3 else 0.5
        middle = min(max(low + round(share * (high - low)), low + 1), high - 1)
        value = gate(middle) - LEVEL
        if (value < 0) == (at_low < 0):
            low, at_low, weight_low, weight_high = middle, value, value, weight_high / 2
        else:
            high, at_high, weight_high, weight_low = middle, value, value, weight_low / 2
    if at_high == at_low:
        return float(high)
    return float(low + min(max(at_low / (at_low - at_high), 0.0), 1.0))
