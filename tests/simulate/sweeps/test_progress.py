"""What a sweep says of its progress, on a terminal and in a log."""

from __future__ import annotations

import io

import pytest

from simulate.sweeps.progress import Tally, duration, showing_progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def tally(done: int, failed: int = 0, total: int = 100) -> Tally:
    return Tally(done=done, failed=failed, remaining=total - done - failed, seconds_left=float(total - done))


def test_a_log_gets_a_line_a_minute_and_a_last_one() -> None:
    stream, clock = io.StringIO(), Clock()
    with showing_progress(stream=stream, clock=clock) as show:
        for second in range(151):
            clock.now = 100.0 + second
            show(tally(second // 2))
    assert stream.getvalue().splitlines() == [
        "30 cells done, 0 failed, 70 remaining, about 70 s left",
        "60 cells done, 0 failed, 40 remaining, about 40 s left",
        "75 cells done, 0 failed, 25 remaining, about 25 s left",
    ]


def test_what_ends_within_a_minute_is_silent() -> None:
    stream, clock = io.StringIO(), Clock()
    with showing_progress(stream=stream, clock=clock) as show:
        clock.now += 59.9
        show(tally(100))
    assert stream.getvalue() == ""


def test_a_last_line_is_not_said_twice() -> None:
    stream, clock = io.StringIO(), Clock()
    with showing_progress(stream=stream, clock=clock) as show:
        clock.now += 60
        show(tally(100))
    assert stream.getvalue().count("\n") == 1


def test_the_last_line_is_there_after_an_interrupt() -> None:
    stream, clock = io.StringIO(), Clock()
    with pytest.raises(KeyboardInterrupt), showing_progress(stream=stream, clock=clock) as show:  # noqa: PT012
        clock.now += 60
        show(tally(1))
        show(tally(2))
        raise KeyboardInterrupt
    assert stream.getvalue().splitlines()[-1].startswith("2 cells done")


def test_a_terminal_gets_a_bar() -> None:
    stream = Terminal()
    with showing_progress(stream=stream) as show:
        show(tally(10, failed=5))
        show(tally(45, failed=5))
    text = stream.getvalue()
    assert "\r" in text
    assert " 15% |###" in text
    assert " 50% |########## " in text
    assert "45 cells done, 5 failed, 50 remaining, about 55 s left" in text


@pytest.mark.parametrize("stream", [io.StringIO(), Terminal()])
def test_it_can_be_switched_off(stream: io.StringIO) -> None:
    clock = Clock()
    with showing_progress(shown=False, stream=stream, clock=clock) as show:
        clock.now += 1000
        show(tally(1))
    assert stream.getvalue() == ""


def test_cells_elsewhere_are_told() -> None:
    assert str(Tally(done=1, failed=0, remaining=3, elsewhere=3)) == (
        "1 cells done, 0 failed, 3 remaining (3 computed by other processes)"
    )


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.0, "1 s"), (89.4, "89 s"), (90.0, "2 min"), (5370.0, "1 h 30 min"), (86400.0, "24 h 0 min")],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text
