"""Last rises: definition against a plain loop."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from theory.transitions.crossing import geometric_integers, last_rise, last_rise_between_integers


def plain(points: list[float], curve: list[float], level: float) -> float:
    if curve[-1] < level:
        return math.inf
    for i in range(len(curve) - 2, -1, -1):
        if curve[i] < level <= curve[i + 1]:
            return points[i] + (level - curve[i]) / (curve[i + 1] - curve[i]) * (points[i + 1] - points[i])
    return 0.0


@settings(derandomize=True, max_examples=200, deadline=None)
@given(st.lists(st.sampled_from([0.0, 0.2, 0.5, 0.7, 1.0]), min_size=2, max_size=12))
def test_last_rise_equals_a_plain_loop(curve: list[float]) -> None:
    points = [float(i + 1) for i in range(len(curve))]
    assert float(last_rise(points, curve, 0.5)) == pytest.approx(plain(points, curve, 0.5))


def test_curves_are_treated_one_by_one() -> None:
    curves = np.array([[[0.1, 0.9], [0.9, 0.1]], [[0.6, 0.7], [0.4, 0.5]]])
    assert last_rise([1, 2], curves, 0.5).tolist() == [[1.5, math.inf], [0.0, 2.0]]


@settings(derandomize=True, max_examples=60, deadline=None)
@given(st.floats(1.5, 1e12))
def test_bisection_between_integers(boundary: float) -> None:
    grid = geometric_integers(1, 10**13, 1.3)
    found = last_rise_between_integers(lambda n: n / boundary, grid, grid / boundary, 1.0)
    assert found == pytest.approx(boundary, rel=1e-12)


def test_first_rise_is_not_the_last() -> None:
    curve = [0.1, 0.8, 0.2, 0.9]
    assert float(last_rise([1, 2, 3, 4], curve, 0.5)) == pytest.approx(3 + 3 / 7)


@pytest.mark.parametrize(("first", "last", "ratio"), [(1, 1, 1.5), (1, 10**15, 1.3), (5, 100, 1.002)])
def test_geometric_integers(first: int, last: int, ratio: float) -> None:
    grid = geometric_integers(first, last, ratio)
    assert (grid[0], grid[-1]) == (first, last)
    assert np.all(np.diff(grid) >= 1)
    assert np.all(grid[1:] <= np.maximum(grid[:-1] + 1, grid[:-1] * ratio))
