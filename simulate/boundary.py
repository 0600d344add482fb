"""Simulated boundaries: where the mean gate last rises through 1/2, with a bootstrap interval over replicates."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, stdtrit

from simulate.curves import GateCurve
from theory.transitions.boundaries import finite_or_none
from theory.transitions.crossing import last_rise

LEVEL = 0.5
RESAMPLES = 1000
_BLOCK = 1 << 22


@dataclass(frozen=True, kw_only=True)
class SimulatedBoundary:
    """A boundary in steps with its interval.

    Parameters
    ----------
    steps : float or None
        Where the mean over replicates and classes last rises through 1/2; ``None`` where it ends below 1/2 or is never
        below it.
    interval : (float, float) or None
        Percentile bootstrap over replicates, widened for few of them (below 8 it still is too short); 0 stands for a
        resample that is never below 1/2. ``None`` for one replicate, without a boundary, and where resamples at the
        upper end have not crossed yet (simulate longer).
    """

    steps: float | None
    interval: tuple[float, float] | None


def simulated_boundary(curve: GateCurve, generator: np.random.Generator, confidence: float) -> SimulatedBoundary:
    """Boundary of a curve.

    Parameters
    ----------
    curve : GateCurve
        Gates of a group or class in every replicate.
    generator : numpy.random.Generator
        Draws the resamples.
    confidence : float
        Coverage of the interval, in (0, 1).
    """
    boundary = finite_or_none(float(_last_rise(curve.steps, curve.mean)))
    replicates = curve.gate.shape[0]
    if boundary is None or replicates < 2:
        return SimulatedBoundary(steps=boundary, interval=None)
    weights = generator.multinomial(replicates, np.full(replicates, 1 / replicates), size=RESAMPLES) / replicates
    first, last = _open_window(curve)
    steps, gate = curve.steps[first:last], curve.gate[:, first:last]
    rows = max(1, _BLOCK // steps.size)
    found = np.concatenate([_last_rise(steps, weights[i : i + rows] @ gate) for i in range(0, RESAMPLES, rows)])
    tail = expanded_tail((1 - confidence) / 2, replicates)
    low, high = np.quantile(found, [tail, 1 - tail], method="nearest").tolist()
    return SimulatedBoundary(steps=boundary, interval=(low, high) if np.isfinite(high) else None)


def expanded_tail(tail: float, replicates: int) -> float:
    r"""Tail probability at which a percentile interval covers as a Student interval would (``hesterberg2015what``).

    Resampling n values makes means too narrow by :math:`\sqrt{(n-1)/n}` and has no Student correction; both are put
    right by reading the resamples' law further out, at :math:`\Phi(-\sqrt{n/(n-1)}\,t_{n-1})`.

    Examples
    --------
    >>> round(expanded_tail(0.025, 8), 4), round(expanded_tail(0.025, 10_000), 3)
    (0.0057, 0.025)
    """
    student = float(stdtrit(replicates - 1, tail))
    return float(ndtr(student * math.sqrt(replicates / (replicates - 1))))


def _open_window(curve: GateCurve) -> tuple[int, int]:
    """Checkpoints outside of which every resample is on the same side: its last rise lies within."""
    all_below = np.flatnonzero(curve.gate.max(axis=0) < LEVEL)
    some_below = np.flatnonzero(curve.gate.min(axis=0) < LEVEL)
    first = int(all_below[-1]) if all_below.size else 0
    return first, min(int(some_below[-1]) + 2, curve.steps.size)


def _last_rise(
    steps: np.typing.NDArray[np.int64], curves: np.typing.NDArray[np.float64]
) -> np.typing.NDArray[np.float64]:
    if steps.size == 1:
        return np.where(curves[..., 0] < LEVEL, np.inf, 0.0)
    return last_rise(steps, curves, LEVEL)
