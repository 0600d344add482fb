"""The ledger of a sweep against all histories of its cells, and the length of chunks."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulate.sweeps.ledger import LONGEST_PAUSE, MOST_DEATHS, Ledger
from simulate.sweeps.pace import CHUNK_SECONDS, SHORTEST_SECONDS, Pace

KINDS = st.sampled_from(["stored", "present", "failed", "claimed", "returned", "split", "death", "deaths"])


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@given(cells=st.integers(0, 12), workers=st.integers(1, 3), fates=st.lists(KINDS, max_size=60), data=st.data())
@settings(max_examples=200, deadline=None)
def test_every_cell_has_one_end(cells: int, workers: int, fates: list[str], data: st.DataObject) -> None:
    clock = Clock()
    names = [f"c{i}" for i in range(cells)]
    ledger = Ledger(names, clock)
    out: list[list[str]] = []
    ended: list[str] = []
    deaths = dict.fromkeys(names, 0)
    while ledger.remaining:
        while len(out) < 2 * workers and (chunk := ledger.take(3, busy=len(out), workers=workers)):
            assert len(chunk) == 1 or not any(deaths[name] for name in chunk)
            if deaths[chunk[0]] >= 2:
                assert not out  # a cell that is suspected for the second time has the workers to itself
            out.append(chunk)
        assert all(len(other) == 0 for other in out[1:] if deaths[out[0][0]] >= 2)
        held = [name for chunk in out for name in chunk]
        assert len(held) == len(set(held))
        assert not set(held) & set(ended)
        if not out:
            wait = ledger.seconds_until_next()
            assert wait is not None
            assert wait <= LONGEST_PAUSE
            clock.now += wait
            continue
        chunk = out.pop(data.draw(st.integers(0, len(out) - 1)))
        fate = fates.pop() if fates else "stored"
        if fate == "split":
            ledger.split(chunk)
        elif fate == "returned":
            ledger.give_back(chunk)
        elif fate in ("death", "deaths"):
            number = 1 if fate == "death" else MOST_DEATHS - 1
            for name in chunk:
                deaths[name] += number
            convicted = ledger.suspect(chunk, deaths=number)
            assert convicted == [name for name in chunk if deaths[name] >= MOST_DEATHS]
            for name in convicted:
                ledger.note_failed(name, "dead")
            ended += convicted
        else:
            for name in chunk:
                {
                    "stored": ledger.note_stored,
                    "present": ledger.note_present,
                    "claimed": ledger.note_claimed,
                    "failed": lambda name: ledger.note_failed(name, "bad"),
                }[fate](name)
            ended += [] if fate == "claimed" else chunk
    assert sorted(ended) == sorted(names)
    assert ledger.stored + ledger.present + len(ledger.failed) == cells
    assert ledger.elsewhere == 0


def test_pauses_grow_to_a_limit() -> None:
    clock = Clock()
    ledger = Ledger(["a"], clock)
    pauses = []
    for _ in range(8):
        assert ledger.take(1, busy=0, workers=1) == ["a"]
        ledger.note_claimed("a")
        assert ledger.elsewhere == 1
        assert ledger.take(1, busy=0, workers=1) == []
        pause = ledger.seconds_until_next()
        assert pause is not None
        pauses.append(pause)
        clock.now += pause
    assert pauses == pytest.approx([0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0, 2.0])
    ledger.take(1, busy=0, workers=1)
    ledger.note_present("a")
    assert (ledger.elsewhere, ledger.remaining) == (0, 0)


def test_nothing_runs_beside_a_cell_that_is_alone() -> None:
    clock = Clock()
    ledger = Ledger(["bad", "late"], clock)
    assert ledger.take(2, busy=0, workers=4) == ["bad", "late"]
    assert ledger.suspect(["bad"], deaths=2) == []
    ledger.note_claimed("late")
    assert ledger.take(2, busy=0, workers=4) == ["bad"]
    clock.now = 10.0
    assert ledger.take(2, busy=1, workers=4) == []
    ledger.note_stored("bad")
    assert ledger.take(2, busy=0, workers=4) == ["late"]


@given(
    seconds=st.lists(st.floats(0.0, 100.0), max_size=5),
    pending=st.integers(0, 10**6),
    workers=st.integers(1, 1000),
)
def test_chunks_are_short_and_shared(seconds: list[float], pending: int, workers: int) -> None:
    pace = Pace()
    for value in seconds:
        pace.add(value)
    size = pace.chunk_size(pending=pending, workers=workers)
    assert size >= 1
    if size > 1:
        assert pace.mean is not None
        assert size * pace.mean <= CHUNK_SECONDS * (1 + 1e-9)
        assert size * workers <= pending
        assert size * 4 * workers <= pending or size * pace.mean <= SHORTEST_SECONDS * (1 + 1e-9)
    left = pace.seconds_left(remaining=pending, workers=workers)
    assert (left is None) == (not seconds)
    assert left is None or math.isfinite(left)


def test_only_recent_cells_count() -> None:
    pace = Pace()
    pace.add(1000.0)
    for _ in range(100):
        pace.add(1 / 64)
    assert pace.mean == 1 / 64
    assert pace.chunk_size(pending=10**6, workers=2) == 32
