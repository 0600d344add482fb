"""Which cells of a sweep are still to be computed, which are waited for, and what became of the others."""

from __future__ import annotations

import heapq
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable

MOST_DEATHS = 3
"""A cell during which so many workers died is not given to another."""
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 2.0
"""Seconds until a cell that another process computes is asked for again; twice as long each time."""


class Ledger:
    """Cells of a sweep by what is known of them.

    Cells with nothing against them are handed out in chunks. After the first death of a worker that had them, they go
    one by one, at most one to a worker; after the second, alone: if a worker dies then, it was the cell. Suspects
    come last, so that nobody waits for them.

    Parameters
    ----------
    keys : iterable of str
        Names of the cells.
    clock : callable
        Seconds, rising.

    Examples
    --------
    >>> ledger = Ledger(["a", "b"])
    >>> ledger.take(2, busy=0, workers=1)
    ['a', 'b']
    >>> ledger.suspect(["a", "b"], deaths=2)
    []
    >>> ledger.take(2, busy=0, workers=1), ledger.take(2, busy=1, workers=1)
    (['a'], [])
    >>> ledger.suspect(["a"])
    ['a']
    """

    def __init__(self, keys: Iterable[str], clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._fresh = deque(keys)
        self._singly: deque[str] = deque()
        self._alone: deque[str] = deque()
        self._isolated: str | None = None
        self._elsewhere: list[tuple[float, str]] = []
        self._pauses: dict[str, float] = {}
        self._deaths: Counter[str] = Counter()
        self._careful: set[str] = set()
        self.remaining = len(self._fresh)
        self.stored = 0
        self.present = 0
        self.failed: dict[str, str] = {}

    @property
    def pending(self) -> int:
        """Cells that could be handed out in chunks now."""
        return len(self._fresh)

    @property
    def elsewhere(self) -> int:
        """Cells that other processes compute."""
        return len(self._pauses)

    def take(self, size: int, *, busy: int, workers: int) -> list[str]:
        """Up to ``size`` cells to hand out while ``busy`` chunks are out; none if there is nothing to do now."""
        self._call_back()
        if self._isolated is not None:
            return []
        if self._fresh:
            return [self._fresh.popleft() for _ in range(min(size, len(self._fresh)))]
        if self._singly:
            return [self._singly.popleft()] if busy < workers else []
        if self._alone and not busy:
            self._isolated = self._alone.popleft()
            return [self._isolated]
        return []

    def seconds_until_next(self) -> float | None:
        """Seconds until a cell that another process computes is asked for again; ``None`` if there is none."""
        return max(0.0, self._elsewhere[0][0] - self._clock()) if self._elsewhere else None

    def note_stored(self, key: str) -> None:
        """A worker has computed and stored the cell."""
        self._finish(key)
        self.stored += 1

    def note_present(self, key: str) -> None:
        """The cell was stored before a worker came to it."""
        self._finish(key)
        self.present += 1

    def note_failed(self, key: str, error: str) -> None:
        """The cell has failed."""
        self._finish(key)
        self.failed[key] = error

    def note_claimed(self, key: str) -> None:
        """Another process computes the cell: it is asked for again after a pause."""
        self._release(key)
        pause = self._pauses.get(key, FIRST_PAUSE)
        self._pauses[key] = min(2 * pause, LONGEST_PAUSE)
        heapq.heappush(self._elsewhere, (self._clock() + pause, key))

    def give_back(self, keys: Iterable[str]) -> None:
        """Nobody has begun with these cells."""
        for key in keys:
            self._release(key)
            self._queue(key)

    def split(self, keys: Iterable[str]) -> None:
        """Something is wrong with one cell of a chunk: they go one by one."""
        keys = list(keys)
        self._careful.update(keys)
        self.give_back(keys)

    def suspect(self, keys: Iterable[str], *, deaths: int = 1) -> list[str]:
        """A worker died that had these cells; returns those that are convicted, which are no longer handed out."""
        convicted = []
        for key in keys:
            self._release(key)
            self._deaths[key] += deaths
            if self._deaths[key] >= MOST_DEATHS:
                convicted.append(key)
            else:
                self._queue(key)
        return convicted

    def _queue(self, key: str) -> None:
        if self._deaths[key] > 1:
            self._alone.append(key)
        elif self._deaths[key] or key in self._careful:
            self._singly.append(key)
        else:
            self._fresh.append(key)

    def _finish(self, key: str) -> None:
        self._release(key)
        self._pauses.pop(key, None)
        self.remaining -= 1

    def _release(self, key: str) -> None:
        if self._isolated == key:
            self._isolated = None

    def _call_back(self) -> None:
        now = self._clock()
        while self._elsewhere and self._elsewhere[0][0] <= now:
            self._queue(heapq.heappop(self._elsewhere)[1])
