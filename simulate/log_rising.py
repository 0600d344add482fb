r"""What a Dirichlet table has lost, from its counts alone: differences of log rising factorials."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from theory.numerics.special import log_rising, stirling_remainder

Array = NDArray[np.float64]
Counts = NDArray[np.int64]

_LARGE_START = 1e5


class LogRising:
    r""":math:`\log\Gamma(x+k) - \log\Gamma(x)` at a few starts :math:`x`, looked up for small counts.

    One call serves all starts: a block of steps has few counts, and the number of calls is what it costs.

    Parameters
    ----------
    starts : sequence of float
        The starts, positive.
    size : int
        Counts below it are looked up; at least 16.

    Examples
    --------
    >>> half, one = LogRising([0.5, 1.0], 16)(np.array([[0, 1, 3], [0, 1, 3]]))
    >>> np.exp(half).round(12).tolist(), np.exp(one).round(12).tolist()  # 0.5 * 1.5 * 2.5 and 3!
    ([1.0, 0.5, 1.875], [1.0, 1.0, 6.0])
    """

    def __init__(self, starts: list[float], size: int) -> None:
        x = np.array(starts)[:, None]
        self._size = size
        self._starts = x
        self._table = log_rising(x, np.arange(size)).ravel()
        self._of_start = (x - 0.5) * np.log(x) - x + stirling_remainder(x)

    def __call__(self, counts: Counts) -> Array:
        """Values in nats for each start's row of counts; shape (starts, k)."""
        flat = counts.ravel()
        place = np.minimum(flat, self._size - 1)
        place += np.repeat(np.arange(counts.shape[0]) * self._size, counts.shape[1])
        values = self._table.take(place)
        large = np.flatnonzero(flat >= self._size)
        if large.size:
            values[large] = self._beyond(large // counts.shape[1], flat.take(large))
        return values.reshape(counts.shape)

    def _beyond(self, row: NDArray[np.intp], counts: Counts) -> Array:
        start = self._starts.take(row)
        if self._starts.max() > _LARGE_START:
            return log_rising(start, counts)
        # A few passes less; it would cancel at a large start. Three terms of Stirling's series: below 3e-12 from 16 on.
        x = start + counts
        inverse = 1 / x
        square = inverse * inverse
        series = inverse * (1 / 12 - square * (1 / 360 - square * (1 / 1260)))
        return np.asarray((x - 0.5) * np.log(x) - x + series - self._of_start.take(row), dtype=np.float64)
