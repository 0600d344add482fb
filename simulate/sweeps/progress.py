"""How far a sweep is: a bar on a terminal, a line a minute in a log, nothing for what ends sooner."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TextIO

SECONDS_BETWEEN_LINES = 60.0


@dataclass(frozen=True, kw_only=True)
class Tally:
    """Where a sweep stands.

    Parameters
    ----------
    done, failed, remaining : int
        Cells that are stored, that failed, and the others.
    elsewhere : int
        Those of the remaining ones that other processes compute.
    seconds_left : float or None
        How long the remaining ones will take; ``None`` while unknown.

    Examples
    --------
    >>> str(Tally(done=120, failed=1, remaining=79, elsewhere=2, seconds_left=250.0))
    '120 cells done, 1 failed, 79 remaining (2 computed by other processes), about 4 min left'
    """

    done: int
    failed: int
    remaining: int
    elsewhere: int = 0
    seconds_left: float | None = None

    def __str__(self) -> str:
        elsewhere = f" ({self.elsewhere} computed by other processes)" if self.elsewhere else ""
        seconds = self.seconds_left if self.remaining else None
        left = "" if seconds is None else f", about {duration(seconds)} left"
        return f"{self.done} cells done, {self.failed} failed, {self.remaining} remaining{elsewhere}{left}"


Show = Callable[[Tally], None]


@contextmanager
def showing_progress(
    *, shown: bool = True, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic
) -> Iterator[Show]:
    """Show tallies, as often as the eye or the log wants them.

    Parameters
    ----------
    shown : bool
        ``False``: show nothing.
    stream : text stream, optional
        A terminal gets a bar, anything else at most one line a minute, and none in the first. Standard error by
        default.
    clock : callable
        Seconds, rising.

    Yields
    ------
    callable
        Takes a :class:`Tally`.

    Examples
    --------
    >>> minutes = iter([0.0, 61.0, 75.0])
    >>> with showing_progress(stream=sys.stdout, clock=lambda: next(minutes)) as show:
    ...     show(Tally(done=1, failed=0, remaining=2, seconds_left=122.0))
    ...     show(Tally(done=2, failed=0, remaining=1, seconds_left=75.0))
    1 cells done, 0 failed, 2 remaining, about 2 min left
    2 cells done, 0 failed, 1 remaining, about 75 s left
    """
    stream = sys.stderr if stream is None else stream
    if not shown:
        yield _show_nothing
    elif stream.isatty():
        with _bar(stream) as show:
            yield show
    else:
        with _lines(stream, clock) as show:
            yield show


def duration(seconds: float) -> str:
    """A duration as one says it.

    Examples
    --------
    >>> duration(0.2), duration(89), duration(600), duration(9000)
    ('1 s', '89 s', '10 min', '2 h 30 min')
    """
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


def _show_nothing(tally: Tally) -> None:
    pass


@contextmanager
def _bar(stream: TextIO) -> Iterator[Show]:
    from tqdm import tqdm

    form = "{percentage:3.0f}% |{bar:20}| {desc}"
    with tqdm(total=0, file=stream, bar_format=form, leave=False, dynamic_ncols=True) as bar:

        def show(tally: Tally) -> None:
            bar.total = tally.done + tally.failed + tally.remaining
            bar.n = tally.done + tally.failed
            bar.set_description_str(str(tally))

        yield show


@contextmanager
def _lines(stream: TextIO, clock: Callable[[], float]) -> Iterator[Show]:
    last_time = clock()
    last_shown: Tally | None = None
    latest: Tally | None = None

    def show(tally: Tally) -> None:
        nonlocal last_time, last_shown, latest
        latest = tally
        now = clock()
        if now - last_time >= SECONDS_BETWEEN_LINES:
            print(tally, file=stream, flush=True)
            last_time, last_shown = now, tally

    try:
        yield show
    finally:
        # Whoever has read how far it was wants to read how it ended.
        if last_shown is not None and latest != last_shown:
            print(latest, file=stream, flush=True)
