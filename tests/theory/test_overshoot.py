"""Mean overshoot against walks whose overshoot is known, and against the difference between its two directions."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import ndtri

from theory.in_context import LossLaw
from theory.single_runs.overshoot import mean_overshoot

MIDDLES = (np.arange(4000) + 0.5) / 4000


def law(values: np.ndarray, weights: np.ndarray | None = None) -> LossLaw:
    values = np.asarray(values, dtype=np.float64)
    return LossLaw(values, np.full(values.size, 1 / values.size) if weights is None else np.asarray(weights))


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        (law([-1.0, 1.0]), 0.5),  # every step down is 1 long
        (law([-1.0, 9.0], [0.9, 0.1]), 0.5),
        (law(ndtri(MIDDLES)), 0.5826),  # zeta(1/2) / sqrt(2 pi)
        (law(1 + np.log1p(-MIDDLES)), 1.0),  # without memory: the overshoot is exponential
        (law([2.0]), 0.0),
    ],
    ids=["coin", "skip-free", "normal", "exponential", "constant"],
)
def test_known_overshoots(steps: LossLaw, expected: float) -> None:
    assert mean_overshoot(steps) == pytest.approx(expected, abs=0.01)


def test_scale_and_mean_of_the_steps() -> None:
    steps = law([-1.0, 0.3, 2.0])
    moved = law(5 * steps.values - 7)
    assert mean_overshoot(moved) == pytest.approx(5 * mean_overshoot(steps), rel=1e-6)


def test_both_directions_differ_by_the_third_moment() -> None:
    steps = law([-0.5, 0.1, 2.0], [0.5, 0.4, 0.1])
    centred = steps.values - steps.mean
    third = float(steps.probabilities @ centred**3)
    up = mean_overshoot(law(-steps.values, steps.probabilities))
    assert up - mean_overshoot(steps) == pytest.approx(third / (3 * steps.variance), rel=1e-3)
    # Without the third moment both would be alike.
    assert up > 1.5 * mean_overshoot(steps)
