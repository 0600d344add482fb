"""Label noise as offsets from the own label."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.intp]


def noise_offset(uniforms: NDArray[np.float64], noise: float, noisy_labels: int) -> Indices:
    """Label minus own label for each uniform: 0 without noise, else 1 to ``noisy_labels`` with equal chances.

    Parameters
    ----------
    uniforms : ndarray, any shape
        In [0, 1).
    noise : float
        Probability of a noisy label.
    noisy_labels : int
        How many labels share the noise.

    Examples
    --------
    >>> noise_offset(np.array([0.05, 0.15, 0.25, 0.9]), 0.3, 3).tolist()
    [1, 2, 3, 0]
    """
    noisy = uniforms < noise
    if noisy_labels == 1 or noise == 0:
        return noisy.astype(np.intp)
    offset = np.zeros(uniforms.shape, dtype=np.intp)
    offset[noisy] = 1 + np.minimum(uniforms[noisy] * (noisy_labels / noise), noisy_labels - 1).astype(np.intp)
    return offset
