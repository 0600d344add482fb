"""Where curves are kept: checkpoints that grow geometrically, so that memory does not grow with the steps."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from theory.transitions.crossing import geometric_integers

RATIO = 1.005
"""Largest ratio of neighbouring checkpoints (below 200 steps every step is one)."""
LAST_PART = 0.1
"""The share of the steps, at the end, over which means are taken."""


@lru_cache(maxsize=64)
def checkpoints(steps: int, ratio: float = RATIO) -> NDArray[np.int64]:
    """Numbers of steps at which curves are kept, the start of the last tenth and the last step among them; read-only.

    Neighbours have at most the given ratio, unless they differ by 1. The cells of a sweep ask for the same ones: they
    are kept.

    Examples
    --------
    >>> points = checkpoints(10_000)
    >>> points[:3].tolist(), int(points[-1]), bool((points[1:] / points[:-1])[200:].max() <= RATIO)
    ([1, 2, 3], 10000, True)
    """
    points = geometric_integers(1, steps, ratio)
    start = max(last_part_start(steps), 1)
    place = int(np.searchsorted(points, start))
    if points[place] != start:
        points = np.insert(points, place, start)
    points.flags.writeable = False
    return points


def last_part_start(steps: int) -> int:
    """Steps before the last tenth (0 where there are fewer than two)."""
    return steps - max(1, round(LAST_PART * steps))
