"""Simulated boundaries: where the mean gate last rises through 1/2, with a bootstrap interval over replicates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulate.curves import GateCurve
from theory.crossing import last_rise
from theory.transition import finite_or_none

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
    interval : (float or None, float or None) or None
        Percentile bootstrap over replicates; an end is ``None`` where a resample has no boundary on that side. ``None``
        for one replicate, or without a boundary.
    """

    steps: float | None
    interval: tuple[float | None, float | None] | None


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
    tail = (1 - confidence) / 2
    ends = np.quantile(found, [tail, 1 - tail], method="nearest")
    return SimulatedBoundary(steps=boundary, interval=(finite_or_none(float(ends[0])), finite_or_none(float(ends[1]))))


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
