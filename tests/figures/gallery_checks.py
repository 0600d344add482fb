"""What the tests of all figures do: make one from few results, and again from what is stored."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from figures.making import make
from figures.recipe import canvas
from figures.style import style


def made_twice(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch, computing: tuple[str, ...]) -> list[Path]:
    """Make a figure, then again with everything that computes taken away: the same bytes."""
    first = make(name, folder, quick=True, workers=1)
    before = {path: path.read_bytes() for path in first}
    module = import_module(f"figures.gallery.{name.replace('-', '_')}")
    for function in computing:
        monkeypatch.setattr(module, function, lambda **_: pytest.fail("computed again"))
    again = make(name, folder, quick=True, workers=1)
    assert {path: path.read_bytes() for path in again} == before
    assert {path.suffix for path in again} == {".png", ".pdf", ".svg", ".csv"}
    return again


@contextmanager
def an_axis() -> Iterator[Any]:
    """An axis to draw on, in the style of the figures."""
    with style():
        yield canvas(3.0, 3.0)[1][0, 0]


def interval_of(errorbar: Any) -> tuple[list[float], list[tuple[float, float]]]:
    """Heights of an errorbar's points, and the ends of its vertical bars."""
    points, _, (bars,) = errorbar
    ends = [(float(segment[0, 1]), float(segment[1, 1])) for segment in bars.get_segments()]
    return points.get_ydata().tolist(), ends
