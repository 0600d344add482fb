"""Every regret bound on every trajectory: fixed, random and generated ones, without exception.

Nothing here is statistical: a bound is a statement about each sequence. The tolerance is for rounding alone. That the
checks can fail is shown by bounds that are a little too small, each of which some sequence breaks.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulate.regrets.rows import RegretRow, regret_table, rows_of, trajectory
from theory.setting import (
    AdaHedgeGate,
    BayesGate,
    DecreasingHedgeGate,
    ExponentiatedGradientGate,
    FixedShareGate,
    HedgeGate,
    ProjectedGradientGate,
    UniversalMixtureGate,
)

GATES: dict[str, Any] = {
    "bayes": BayesGate(),
    "bayes, prior": BayesGate(prior_in_weight=0.03),
    "slow hedge": HedgeGate(rate=0.3, prior_in_weight=0.7),
    "fast hedge": HedgeGate(rate=6.0),
    "decreasing hedge": DecreasingHedgeGate(),
    "decreasing hedge, slow": DecreasingHedgeGate(rate=0.3, prior_in_weight=0.2),
    "decreasing hedge, fast": DecreasingHedgeGate(rate=30.0),
    "adahedge": AdaHedgeGate(),
    "fixed share": FixedShareGate(),
    "fixed share, often": FixedShareGate(switch_rate=0.4, prior_in_weight=0.1),
    "universal mixture": UniversalMixtureGate(),
    "universal mixture, few nodes": UniversalMixtureGate(nodes=5),
    "exponentiated gradient": ExponentiatedGradientGate(),
    "exponentiated gradient, fast": ExponentiatedGradientGate(learning_rate=5.0, prior_in_weight=0.2),
    "projected gradient": ProjectedGradientGate(),
    "projected gradient, fast": ProjectedGradientGate(learning_rate=0.8, prior_in_weight=0.9),
}


def sequences() -> dict[str, np.ndarray]:
    """Gains of the in-weight predictor, visit by visit, in nats."""
    generator, n = np.random.default_rng(12), 700
    half = np.arange(n) % 2
    switching = np.where(np.arange(n) // 175 % 2, 1.0, -1.0)
    shapes = {
        "alternating": np.where(half, 1.0, -1.0),
        "late switch": np.where(np.arange(n) < 600, 1.0, -1.0),
        "evenly switching": switching,
        "one-sided": np.ones(n),
        "i.i.d.": generator.normal(size=n),
        "mostly one": np.where(generator.random(n) < 0.9, 1.0, -1.0),
    }
    scaled = {
        f"{name}, {scale:g}": sign * scale * shape
        for name, shape in shapes.items()
        for scale in (1e-9, 0.5, 4.0, 600.0)
        for sign in (1, -1)
    }
    heavy = np.clip(generator.standard_cauchy((3, n)), -600, 600)
    mixed = np.where(generator.random(n) < 0.5, 1e-9, 600.0) * generator.choice([-1, 1], size=n)
    return {
        **{f"{name}, {np.sign(gains[0]):+g}": gains for name, gains in scaled.items()},
        **{f"heavy-tailed {i}": gains for i, gains in enumerate(heavy)},
        "all equal": np.zeros(n),
        "tiny and huge": mixed,
        "tiny, then huge": np.concatenate([np.full(50, 1e-9), [600.0], np.full(50, -1e-9), [-600.0]]),
        "one visit": np.array([-2.0]),
        "rare": np.where(np.arange(n) % 100 == 99, 50.0, -0.3),
    }


def table(gate: Any, gains: np.ndarray) -> tuple[RegretRow, ...]:
    return regret_table(gate, np.maximum(-gains, 0.0), np.maximum(gains, 0.0))


def rounding(gains: np.ndarray) -> float:
    # Numbers below the smallest normal one are rounded absolutely, whatever their size.
    return float(np.finfo(float).tiny) + 1e-12 * float(np.abs(gains).sum())


def check(gate: Any, gains: np.ndarray) -> None:
    rows = table(gate, gains)
    assert len(rows) >= 2
    for row in rows:
        assert math.isfinite(row.regret)
        assert math.isfinite(row.bound)
        assert row.slack >= -rounding(gains) - 1e-14 * row.bound, row


@pytest.mark.parametrize("name", GATES)
def test_every_bound_on_every_sequence(name: str) -> None:
    for gains in sequences().values():
        check(GATES[name], gains)


@pytest.mark.parametrize("name", GATES)
@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    gains=st.lists(
        st.one_of(
            st.floats(-3, 3),
            st.floats(-600, 600),
            st.sampled_from([0.0, 1e-9, -1e-9, 600.0, -600.0]),
        ),
        min_size=1,
        max_size=60,
    )
)
def test_every_bound_on_generated_sequences(name: str, gains: list[float]) -> None:
    check(GATES[name], np.array(gains))


def test_the_universal_mixture_keeps_its_bound_for_a_hundred_thousand_visits() -> None:
    """In the worst place for few nodes: extreme losses, and a best constant gate in the middle."""
    n = 100_000
    gains = np.where(np.arange(n) % 2, 600.0, -600.0)
    rows = {row.comparator: row for row in table(UniversalMixtureGate(), gains)}
    assert rows["best constant gate"].slack >= 0
    gains = np.ones(n)
    rows = {row.comparator: row for row in table(UniversalMixtureGate(), gains)}
    assert rows["best constant gate"].bound <= math.log1p(4 * n) / 2
    assert rows["best constant gate"].slack >= 0


def smallest_slack(name: str, comparator: str, bound: Any) -> float:
    """Least slack over the sequences and beginnings of them, with another bound: a function of the row."""
    slacks = []
    for gains in sequences().values():
        visits = trajectory(GATES[name], gains)
        for end in (1, 2, 16, 128, 700):
            rows = rows_of(GATES[name], visits.first(end))
            slacks += [bound(row) - row.regret + rounding(gains) for row in rows if row.comparator == comparator]
    return min(slacks)


# The wrong variants: for each family a bound that is a little too small, or lacks a term.
WRONG: dict[str, tuple[str, str, Any]] = {
    "bayes, half": ("bayes", "in-weight", lambda row: row.bound / 2),
    "bayes, nine tenths": ("bayes, prior", "in-weight", lambda row: 0.9 * row.bound),
    "hedge, the prior's price at the rate 1": ("slow hedge", "in-context", lambda _: -math.log(0.3)),
    "fast hedge, no price for the size": ("fast hedge", "in-weight", lambda _: math.log(2) / 6),
    "decreasing hedge, no growth": ("decreasing hedge, slow", "in-weight", lambda _: math.log(5)),
    "fast decreasing hedge, no price for the size": (
        "decreasing hedge, fast",
        "in-weight",
        lambda row: math.log(2) * math.sqrt(row.visits) / 30,
    ),
    "adahedge, a quarter": ("adahedge", "in-weight", lambda row: row.bound / 4),
    "fixed share, staying is free": ("fixed share", "in-weight", lambda _: math.log(2)),
    "fixed share, switching is free": (
        "fixed share",
        "best gate with 3 switches",
        lambda row: row.bound + 3 * math.log(0.01),
    ),
    "fixed share, log 2 missing": ("fixed share", "best gate with 1 switch", lambda row: row.bound - math.log(2)),
    "universal mixture, half": ("universal mixture", "best constant gate", lambda row: row.bound / 2),
    "universal mixture, log 2 missing": (
        "universal mixture",
        "best constant gate",
        lambda row: math.log1p(row.visits) / 2,
    ),
    "few nodes, as if there were many": (
        "universal mixture, few nodes",
        "best constant gate",
        lambda row: math.log1p(4 * row.visits) / 2,
    ),
    "exponentiated gradient, half": (
        "exponentiated gradient",
        "best constant gate",
        lambda row: row.bound / 2,
    ),
    "projected gradient, half": ("projected gradient", "best constant gate", lambda row: row.bound / 2),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_bound_that_is_too_small_is_broken(name: str) -> None:
    gate, comparator, bound = WRONG[name]
    assert smallest_slack(gate, comparator, bound) < -1e-3
