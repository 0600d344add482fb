"""What a theorem has to show beside its derivation: independent exact values, and a simulation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Point = Mapping[str, float]


@dataclass(frozen=True)
class Exact:
    """Values of the two sides that owe nothing to the theorem's own code.

    ``left`` and ``right`` take the parameters by name (whole numbers as ``int``) and return a number of at least
    double precision, computed from the definition: by enumeration, in fractions, or by mpmath.
    """

    points: tuple[Point, ...]
    left: Callable[..., Any]
    right: Callable[..., Any] | None = None


@dataclass(frozen=True)
class Simulated:
    """A simulation of the left side: unbiased draws of it at a point.

    The mean of the draws must obey the claim at ``point`` and must break the wrong variant at ``wrong_point`` (where
    the mistake shows; by default the same point), both at :data:`FALSE_ALARM` standard errors.
    """

    point: Point
    draw: Callable[..., NDArray[np.float64]]
    replicates: int
    wrong_point: Point | None = None


# Standard errors: one-sided false-alarm rate 1e-6 for each simulation, which are seeded besides.
FALSE_ALARM = 4.75
