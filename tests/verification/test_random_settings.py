"""Exact theorems against the simulator in settings that nobody chose: drawn over the box by a seeded generator.

The registry's settings were looked at; these were not. Noise is absent or at least 0.1, so that with 10,000 draws even
its rarest event is seen a thousand times, as normal tails at 5 standard errors need.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

from tests.verification.theorem_check import Check, Draw, Setting, verdict
from tests.verification.theorem_checks_in_context import copied_losses
from tests.verification.theorem_checks_in_weight import RANKED, TOTAL, asked_after_stream
from tests.verification.theorem_checks_sequences import sum_of_losses

FEWEST = 10_000
STEPS = 300_000
"""Visits for each setting, unless the fewest draws need more."""


def log_uniform(generator: np.random.Generator, low: float, high: float) -> float:
    return math.exp(generator.uniform(math.log(low), math.log(high)))


def label_law(generator: np.random.Generator) -> dict[str, Any]:
    C = round(log_uniform(generator, 2, 100))
    noise = float(generator.choice([0.0, generator.uniform(0.1, 0.9)], p=[0.2, 0.8]))
    return {"C": C, "label_noise": noise, "noisy_labels": int(generator.choice([1, C - 1]))}


def table(generator: np.random.Generator) -> dict[str, Any]:
    b = float(generator.choice([1.0, 0.5, log_uniform(generator, 0.05, 20.0)]))
    return {**label_law(generator), "b": b}


def after_visits(generator: np.random.Generator) -> dict[str, Any]:
    return {**table(generator), "n": round(log_uniform(generator, 1, 60))}


def after_stream(generator: np.random.Generator) -> dict[str, Any]:
    N = round(log_uniform(generator, 2, 24))
    return {**table(generator), "N": N, "p_x": float(generator.uniform(0.05, 0.9))}


def prompt(generator: np.random.Generator) -> dict[str, Any]:
    point = label_law(generator)
    L = round(log_uniform(generator, 1, 16))
    return {
        **point,
        "L": L,
        "m": int(generator.integers(0, L + 1)),
        "odds": log_uniform(generator, 1, 100),
        "floor": min(log_uniform(generator, 1e-5, 0.1), 0.5 / point["C"]),
    }


CLAIMS: dict[str, tuple[Draw, Callable[[np.random.Generator], dict[str, Any]]]] = {
    "in_weight_risk_total": (TOTAL, after_visits),
    "expected_cumulative_loss": (sum_of_losses, after_visits),
    "risk_after_examples": (partial(asked_after_stream, excess=False), after_stream),
    "in_context_risk": (copied_losses, prompt),
}


def compare(theorem: str, number: int, seed: int) -> None:
    draw, point_of = CLAIMS[theorem]
    told = 0
    for i in range(number):
        generator = np.random.default_rng([seed, i])
        point = point_of(generator)
        draws = max(FEWEST, STEPS // point.get("n", point.get("N", 3)))
        how = generator.choice(np.array([{}, {"explicit": True} if "L" in point else RANKED], dtype=object))
        setting = Setting(point=point, draws=draws, how=how)
        check = Check(theorem=theorem, simulated=f"setting {seed}/{i}", draw=draw, settings=(setting,))
        found = verdict(check, 0)
        assert found.beyond <= 1, (point, found)
        told += found.wrong_beyond > 1
    # Some settings lie where the mistake does not show: no noise, a single visit, only relevant examples.
    assert told > number / 3


@pytest.mark.parametrize("theorem", CLAIMS)
def test_some_settings_that_nobody_chose(theorem: str) -> None:
    compare(theorem, 10, 1)


@pytest.mark.slow
@pytest.mark.parametrize("theorem", CLAIMS)
def test_many_settings_that_nobody_chose(theorem: str) -> None:
    """800 settings: all of them hold with probability 0.999."""
    compare(theorem, 200, 2)
