"""How fast cells go: how many make a chunk, and how long the rest will take."""

from __future__ import annotations

from collections import deque

CHUNK_SECONDS = 0.5
"""A chunk's length: handing one out and taking it back costs some milliseconds, which stays below 5 % of it."""
CHUNKS_EACH = 4
"""A chunk is at most this part of a worker's share of the rest, so that workers end together."""
SHORTEST_SECONDS = 0.05
"""Shorter chunks would cost more than a worker that waits so long."""
RECENT_CELLS = 100


class Pace:
    """Mean duration of the last cells, and what follows from it.

    Examples
    --------
    >>> pace = Pace()
    >>> pace.chunk_size(pending=1000, workers=2), pace.seconds_left(remaining=1000, workers=2)
    (1, None)
    >>> pace.add(0.01)
    >>> pace.chunk_size(pending=1000, workers=2), pace.seconds_left(remaining=1000, workers=2)
    (50, 5.0)
    """

    def __init__(self) -> None:
        self._seconds: deque[float] = deque(maxlen=RECENT_CELLS)

    def add(self, seconds: float) -> None:
        """Take note of a cell that was computed in so many seconds."""
        self._seconds.append(seconds)

    @property
    def mean(self) -> float | None:
        """Mean duration of the last cells, seconds; ``None`` before the first."""
        return sum(self._seconds) / len(self._seconds) if self._seconds else None

    def chunk_size(self, *, pending: int, workers: int) -> int:
        """Cells of the next chunk, at least one: half a second, or less where a worker would wait for it at the end."""
        if self.mean is None:
            return 1
        share = pending // (CHUNKS_EACH * workers)
        if self.mean * share > CHUNK_SECONDS:
            share = int(CHUNK_SECONDS / self.mean)
        elif self.mean * share < SHORTEST_SECONDS:
            share = pending // workers
            if self.mean * share > SHORTEST_SECONDS:
                share = int(SHORTEST_SECONDS / self.mean)
        return max(1, share)

    def seconds_left(self, *, remaining: int, workers: int) -> float | None:
        """Seconds that so many cells take; ``None`` before the first."""
        return None if self.mean is None else self.mean * remaining / workers
