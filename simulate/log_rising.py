r"""Log rising factorials of many counts at one start: what a Dirichlet table has lost is a difference of three."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from theory.numerics.special import log_rising, stirling_remainder, stirling_series

Array = NDArray[np.float64]
Counts = NDArray[np.int64]

_LARGE_START = 1e5


class LogRising:
    r""":math:`\log\Gamma(x+k) - \log\Gamma(x)` at a fixed :math:`x`, looked up for small counts.

    Parameters
    ----------
    start : float
        :math:`x`, positive.
    size : int
        Counts below it are looked up; at least 16.

    Examples
    --------
    >>> np.exp(LogRising(0.5, 16)(np.array([0, 1, 3]))).round(12).tolist()  # 1, 0.5, 0.5 * 1.5 * 2.5
    [1.0, 0.5, 1.875]
    """

    def __init__(self, start: float, size: int) -> None:
        self._start = start
        self._table = log_rising(start, np.arange(size))
        self._of_start = (start - 0.5) * np.log(start) - start + float(stirling_remainder(start))

    def __call__(self, counts: Counts) -> Array:
        """Values in nats, shape as ``counts``."""
        values = self._table.take(counts, mode="clip")
        large = np.flatnonzero(counts >= self._table.size)
        if large.size:
            values[large] = self._beyond(counts[large])
        return values

    def _beyond(self, counts: Counts) -> Array:
        if self._start > _LARGE_START:
            return log_rising(self._start, counts)
        # A few passes less; it would cancel at a large start.
        x = np.asarray(counts + self._start, dtype=np.float64)
        return np.asarray((x - 0.5) * np.log(x) - x + stirling_series(x) - self._of_start, dtype=np.float64)
