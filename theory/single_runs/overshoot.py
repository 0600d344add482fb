r"""Mean overshoot of a random walk: what a path looked at once a step shows less than one looked at all the time.

A walk with steps of mean 0 and variance :math:`\sigma^2` that is watched at whole steps goes below a far level like a
Brownian path that is watched always goes below a level lower by :math:`\beta`, the mean overshoot (Siegmund, 1985,
``siegmund1985sequential``; Spitzer's formula):

.. math:: \beta = -\frac{E\xi^3}{6\sigma^2}
    - \frac{1}{\pi}\int_0^\infty \log\left|\frac{2\,(1-\varphi(t))}{\sigma^2t^2}\right|\frac{dt}{t^2}

for overshoots downwards; about :math:`0.583\,\sigma` for normal steps.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from theory.in_context import LossLaw

Array = NDArray[np.float64]

_CELLS_PER_DEVIATION: Final = 40
_STEP: Final = 0.02
_FREQUENCIES: Final = np.exp(np.arange(math.log(1e-3), math.log(300.0), _STEP))
"""In units of one over the standard deviation; even steps of the logarithm."""
_SMALLEST: Final = 1e-12
"""What a lattice law's zero of 1 - phi counts as: a point where the logarithm has no value."""


def mean_overshoot(steps: LossLaw) -> float:
    r"""Mean overshoot :math:`\beta \ge 0` of a walk below a far level; see the module's formula.

    Parameters
    ----------
    steps : LossLaw
        Law of a step; its mean is taken away. Values closer together than a fortieth of the standard deviation are
        not told apart.

    Returns
    -------
    float
        In units of the steps; 0 for a step that is not random. Accurate to about 1e-3 standard deviations.

    Examples
    --------
    >>> round(mean_overshoot(LossLaw(np.array([-1.0, 1.0]), np.array([0.5, 0.5]))), 2)
    0.5
    """
    deviation = math.sqrt(steps.variance)
    if deviation == 0:
        return 0.0
    values, weights = _merged((steps.values - steps.mean) / deviation, steps.probabilities)
    spread, third = float(weights @ values**2), float(weights @ values**3)
    t = _FREQUENCIES
    characteristic = np.array([np.exp(1j * frequency * values) @ weights for frequency in t])
    size = np.maximum(np.abs(2 * (1 - characteristic)), _SMALLEST)
    # In the logarithm of t the integral of f dt / t^2 is a sum of f / t.
    below = float((np.log(size / (spread * t * t)) / t).sum()) * _STEP
    last = float(t[-1]) * math.exp(_STEP / 2)
    beyond = (math.log(2 / spread) - 2 * (math.log(last) + 1)) / last
    return max(0.0, deviation * (-(below + beyond) / math.pi - third / (6 * spread)))


def _merged(values: Array, weights: Array) -> tuple[Array, Array]:
    """Values in the same narrow interval become their mean."""
    _, group = np.unique(np.rint(values * _CELLS_PER_DEVIATION), return_inverse=True)
    total = np.bincount(group.reshape(-1), weights=weights)
    sums = np.bincount(group.reshape(-1), weights=weights * values)
    used = total > 0
    return np.asarray(sums[used] / total[used]), np.asarray(total[used], dtype=np.float64)
