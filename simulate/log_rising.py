r"""What a Dirichlet table has lost, from its counts alone: differences of log rising factorials."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from theory.numerics.special import log_rising, stirling_remainder

Array = NDArray[np.float64]
Counts = NDArray[np.int64]

_LARGE_START = 1e5


class LogRising:
    r""":math:`\log\Gamma(x+k) - \log\Gamma(x)` at a few starts :math:`x`, looked up for small counts.

    Parameters
    ----------
    starts : sequence of float
        The starts, positive.
    size : int
        Counts below it are looked up; at least 16.

    Examples
    --------
    >>> half, one = LogRising([0.5, 1.0], 16)(np.array([0, 1, 3]), np.array([0, 1, 3]))
    >>> np.exp(half).round(12).tolist(), np.exp(one).round(12).tolist()  # 0.5 * 1.5 * 2.5 and 3!
    ([1.0, 0.5, 1.875], [1.0, 1.0, 6.0])
    """

    def __init__(self, starts: list[float], size: int) -> None:
        self._size = size
        self._starts = np.array(starts)
        self._tables, self._of_starts = _tables(tuple(starts), size)

    def __call__(self, *counts: Counts) -> list[Array]:
        """Values in nats of the counts of each start, all of one shape (k,)."""
        values = [table.take(of_row, mode="clip") for table, of_row in zip(self._tables, counts, strict=True)]
        large = [np.flatnonzero(of_row >= self._size) for of_row in counts]
        numbers = [places.size for places in large]
        if any(numbers):
            # All rows in one go: a block of steps has few counts, and the number of calls is what it costs.
            rows = np.repeat(np.arange(len(counts)), numbers)
            found = self._beyond(rows, np.concatenate([a.take(b) for a, b in zip(counts, large, strict=True)]))
            for of_row, places, part in zip(values, large, np.split(found, np.cumsum(numbers)[:-1]), strict=True):
                of_row[places] = part
        return values

    def _beyond(self, rows: NDArray[np.intp], counts: Counts) -> Array:
        start = self._starts.take(rows)
        if self._starts.max() > _LARGE_START:
            return log_rising(start, counts)
        # A few passes less; it would cancel at a large start. Three terms of Stirling's series: below 3e-12 from 16 on.
        x = start + counts
        inverse = 1 / x
        square = inverse * inverse
        series = inverse * (1 / 12 - square * (1 / 360 - square * (1 / 1260)))
        return np.asarray((x - 0.5) * np.log(x) - x + series - self._of_starts.take(rows), dtype=np.float64)


@lru_cache(maxsize=16)
def _tables(starts: tuple[float, ...], size: int) -> tuple[Array, Array]:
    """Values at small counts, shape (starts, size), and Stirling's formula at the starts; kept for a sweep's cells."""
    x = np.array(starts)
    return log_rising(x[:, None], np.arange(size)), (x - 0.5) * np.log(x) - x + stirling_remainder(x)
