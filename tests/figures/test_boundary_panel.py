"""Panels of overlays: what is drawn is read back from the artists."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from figures.boundary_panel import LINES, MISS_MEANING, Curve, Panel, PanelArtists, Point, draw_panel
from figures.recipe import canvas

STEPS = np.array([1, 10, 100, 1000, 10_000])
ROWS = np.array([0.1, 0.2, 0.3])
GATES = np.array([[0.5, 0.1, 0.3, 0.8, 1.0], [0.5, 0.2, 0.4, 0.9, 1.0], [0.5, 0.3, 0.6, 0.95, 1.0]])


def panel(**changes: Any) -> Panel:
    everything: dict[str, Any] = {
        "title": "title",
        "rows": ROWS,
        "curves": [Curve(steps=STEPS, mean=gate) for gate in GATES],
        "points": [
            Point(position=0.1, steps=300.0, interval=(250.0, 410.0)),
            Point(position=0.2, steps=150.0, interval=None),
            Point(position=0.3, steps=60.0, interval=(0.0, 70.0)),
        ],
        "positions": ROWS,
        "predicted": {
            "sharp": np.array([310.0, 160.0, 0.0]),
            "instantaneous": np.array([90.0, np.inf, 20.0]),
            "asymptotic": np.full(3, np.inf),
        },
        "bracket": (np.array([0.0, 30.0, np.inf]), np.array([900.0, 700.0, np.inf])),
    }
    return Panel(**(everything | changes))


def drawn(shown: Panel) -> tuple[Any, PanelArtists]:
    _, axes = canvas(3.4, 3.0)
    return axes[0, 0], draw_panel(axes[0, 0], shown)


def test_lines_are_the_predicted_boundaries_and_stop_where_there_is_none() -> None:
    _, artists = drawn(panel())
    assert list(artists.lines) == list(LINES)
    expected = {
        "sharp": [310.0, 160.0, np.nan],
        "instantaneous": [90.0, np.nan, 20.0],
        "asymptotic": [np.nan, np.nan, np.nan],
    }
    for kind, boundary in expected.items():
        assert np.array_equal(artists.lines[kind].get_xdata(), boundary, equal_nan=True)
        assert artists.lines[kind].get_ydata().tolist() == ROWS.tolist()


def test_a_line_that_is_nowhere_is_not_in_the_legend() -> None:
    axis, _ = drawn(panel())
    labels = axis.get_legend_handles_labels()[1]
    assert not any("asymptotic" in label for label in labels)
    assert sum("predicted" in label for label in labels) == 2


def test_points_have_their_intervals() -> None:
    _, artists = drawn(panel())
    points, _, (segments,) = artists.points
    assert points.get_xdata().tolist() == [300.0, 150.0, 60.0]
    ends = [segment[:, 0].tolist() for segment in segments.get_segments()]
    # Without an interval there is no bar; an interval from 0 starts at step 1 of the logarithmic axis.
    assert ends == [pytest.approx([250.0, 410.0]), [150.0, 150.0], pytest.approx([1.0, 70.0])]


def test_bracket_covers_what_lies_between_its_ends() -> None:
    axis, artists = drawn(panel())
    (path,) = artists.bracket.get_paths()
    inside = {(steps, row): path.contains_point((steps, row)) for steps in (5.0, 400.0, 1200.0) for row in (0.11, 0.19)}
    assert inside == {
        (5.0, 0.11): True, (5.0, 0.19): True, (400.0, 0.11): True, (400.0, 0.19): True, (1200.0, 0.11): False,
        (1200.0, 0.19): False,
    }  # fmt: skip
    assert not path.contains_point((400.0, 0.29))
    ends = {line.get_gid(): line.get_xdata() for line in axis.lines if str(line.get_gid()).startswith("bracket")}
    assert np.array_equal(ends["bracket-low"], [np.nan, 30.0, np.nan], equal_nan=True)
    assert np.array_equal(ends["bracket-high"], [900.0, 700.0, np.nan], equal_nan=True)


def test_bracket_without_a_lower_end_is_open_up_to_the_next_row_that_has_one() -> None:
    for lower in ([0.0, 30.0, 40.0], [40.0, 30.0, 0.0]):
        _, artists = drawn(panel(bracket=(np.array(lower), np.full(3, 900.0))))
        (path,) = artists.bracket.get_paths()
        unbounded = (0.11, 0.199) if lower[0] == 0 else (0.201, 0.29)
        bounded = (0.201, 0.29) if lower[0] == 0 else (0.11, 0.199)
        assert all(path.contains_point((2.0, row)) for row in unbounded)
        assert not any(path.contains_point((25.0, row)) for row in bounded)
        assert all(path.contains_point((45.0, row)) for row in (*bounded, *unbounded))


def test_misses_are_marked() -> None:
    missed = [Point(position=0.2, steps=150.0, interval=(90.0, 140.0), missed=True)]
    axis, _ = drawn(panel(points=[*panel().points, *missed]))
    (crosses,) = (line for line in axis.lines if line.get_gid() == "missed")
    assert crosses.get_xydata().tolist() == [[150.0, 0.2]]
    assert MISS_MEANING in axis.get_legend_handles_labels()[1]
    assert MISS_MEANING not in drawn(panel())[0].get_legend_handles_labels()[1]


def test_only_whole_numbers_have_predicted_markers() -> None:
    for whole, marker in ((True, "."), (False, "")):
        _, artists = drawn(panel(whole=whole))
        found = {kind: line.get_marker() for kind, line in artists.lines.items()}
        assert found == {"sharp": marker, "instantaneous": "", "asymptotic": ""}


def test_field_is_the_mean_gate() -> None:
    axis, artists = drawn(panel())
    field = np.asarray(artists.mesh.get_array()).reshape(3, -1)
    edges = artists.mesh.get_coordinates()[0, :, 0]
    middle = np.sqrt(edges[1:] * edges[:-1])
    for row, gate in zip(field, GATES, strict=True):
        assert np.abs(np.interp(middle, STEPS, gate) - row).max() < 0.02
    assert axis.get_ylim() == pytest.approx((0.09, 0.31))


def test_without_theory_there_are_neither_lines_nor_a_bracket() -> None:
    axis, artists = drawn(panel(positions=np.zeros(0), predicted={}, bracket=None))
    assert artists.lines == {}
    assert artists.bracket is None
    assert axis.get_legend_handles_labels()[1] == ["simulated boundary, 95 % interval"]


def test_without_points_nothing_is_drawn_for_them() -> None:
    _, artists = drawn(panel(points=[]))
    assert artists.points is None


def test_a_bracket_that_is_nowhere_is_not_drawn() -> None:
    nowhere = np.full(3, np.inf)
    assert drawn(panel(bracket=(nowhere, nowhere)))[1].bracket is None
