"""Colours that occur together stay apart for everyone, and in grey print."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from figures.style import FIELD, HALO, PART_COLOURS, PREDICTED, SIMULATED
from tests.figures.palette import DEFICIENCIES, difference, lab, linear, seen

COLOURS = sorted({*PART_COLOURS.values(), PREDICTED, SIMULATED, HALO})
LEAST_DIFFERENCE = 12.0
"""CIEDE2000; 1 is hardly seen, 5 clearly beside each other, and lines and points are apart from each other."""
LEAST_LIGHTNESS = 10.0
"""Steps of L*, of 100, in grey print."""


def least_difference(colours: list[str], deficiency: str | None) -> float:
    looks = [lab(seen(linear(colour), deficiency)) for colour in colours]
    return min(difference(one, other) for one, other in combinations(looks, 2))


def least_lightness(colours: list[str]) -> float:
    return float(np.diff(sorted(lab(linear(colour))[0] for colour in colours)).min())


@pytest.mark.parametrize("deficiency", [None, *DEFICIENCIES])
def test_colours_stay_apart(deficiency: str | None) -> None:
    assert least_difference(COLOURS, deficiency) > LEAST_DIFFERENCE


def test_colours_stay_apart_in_grey() -> None:
    assert least_lightness(COLOURS) > LEAST_LIGHTNESS


def test_red_and_green_of_one_lightness_are_rejected() -> None:
    red, green = "#d1495b", "#8a7a2e"
    assert least_difference([red, green], None) > 2 * LEAST_DIFFERENCE
    assert least_difference([red, green], "deutan") < LEAST_DIFFERENCE
    assert least_lightness([red, green]) < LEAST_LIGHTNESS


def test_map_of_the_gate_darkens_steadily_for_everyone() -> None:
    import matplotlib

    colours = matplotlib.colormaps[FIELD](np.linspace(0, 1, 33))[:, :3]
    rgb = np.where(colours <= 0.04045, colours / 12.92, ((colours + 0.055) / 1.055) ** 2.4)
    for deficiency in (None, *DEFICIENCIES):
        assert np.diff([lab(seen(row, deficiency))[0] for row in rgb]).max() < 0


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
        ((50, 0, 0), (50, -1, 2), 2.3669),
        ((50, 2.5, 0), (73, 25, -18), 27.1492),
        ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
        ((2.0776, 0.0795, -1.135), (0.9033, -0.0636, -0.5514), 0.9082),
    ],
)
def test_difference_is_that_of_the_published_pairs(
    first: tuple[float, ...], second: tuple[float, ...], expected: float
) -> None:
    assert abs(difference(np.array(first), np.array(second)) - expected) < 5e-5


def test_grey_looks_the_same_to_everyone() -> None:
    grey = linear("#808080")
    assert abs(lab(grey)[1:]).max() < 0.01
    for deficiency in DEFICIENCIES:
        assert difference(lab(seen(grey, deficiency)), lab(grey)) < 0.1
