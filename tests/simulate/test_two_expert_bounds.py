"""Regret bounds that a run reports: they hold in every cell, and gates whose regret depends on losses have none."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest

import simulate
from simulate.regrets.bounds import ONE_PREDICTOR
from simulate.regrets.rows import RegretRow, rows_of, trajectory
from simulate.two_expert_bounds import bounds_of_visits, worst_regret
from theory.setting import (
    AdaHedgeGate,
    BayesGate,
    DecreasingHedgeGate,
    ExponentiatedGradientGate,
    FixedShareGate,
    GatedPredictor,
    HedgeGate,
    LogisticGate,
    ProjectedGradientGate,
    TaskDistribution,
    UniversalMixtureGate,
)

BOUNDED = (
    BayesGate(prior_in_weight=0.9),
    HedgeGate(rate=0.3),
    DecreasingHedgeGate(rate=0.7, prior_in_weight=0.2),
    FixedShareGate(switch_rate=0.1, prior_in_weight=0.3),
    UniversalMixtureGate(nodes=40),
)
UNBOUNDED = (
    HedgeGate(rate=1.5),
    DecreasingHedgeGate(rate=1.5),
    AdaHedgeGate(),
    ExponentiatedGradientGate(),
    ProjectedGradientGate(),
    LogisticGate(),
    "no gate",
)
EACH = pytest.mark.parametrize("gate", BOUNDED, ids=lambda gate: gate.kind)


def rows(gate: Any, gains: list[float]) -> dict[str, RegretRow]:
    """Regret after the whole of a sequence of log g(y) - log h(y)."""
    return {row.comparator: row for row in rows_of(gate, trajectory(gate, np.array(gains)))}


@EACH
@pytest.mark.parametrize("gains", [[0.0], [1.0, -2.0], [-0.3] * 33], ids=len)
def test_bounds_are_those_of_the_regret_table(gate: Any, gains: list[float]) -> None:
    found = rows(gate, gains)
    for name, bound in zip(ONE_PREDICTOR, bounds_of_visits(gate, len(gains)), strict=True):
        assert bound == pytest.approx(found[name].bound, rel=1e-14, abs=0)


@EACH
def test_no_sequence_of_extreme_losses_exceeds_them(gate: Any) -> None:
    """All sequences of five visits at which either predictor, or none, loses 30 nats more."""
    bounds = dict(zip(ONE_PREDICTOR, bounds_of_visits(gate, 5), strict=True))
    for signs in itertools.product((-30.0, 0.0, 30.0), repeat=5):
        found = rows(gate, list(signs))
        for name, bound in bounds.items():
            assert bound is not None
            assert found[name].regret <= bound + 1e-9


@pytest.mark.parametrize(
    ("gate", "gains", "comparator", "share"),
    [
        (BayesGate(prior_in_weight=0.9), [-30.0] * 6, 1, 0.99),
        (HedgeGate(rate=0.3), [-0.5] * 100, 1, 0.8),
        (DecreasingHedgeGate(rate=0.7, prior_in_weight=0.8), [-0.3] * 60, 1, 0.35),
        (FixedShareGate(switch_rate=0.1, prior_in_weight=0.3), [60.0] * 40, 0, 0.99),
        (UniversalMixtureGate(nodes=40), [60.0] * 40, 0, 0.7),
    ],
    ids=lambda value: getattr(value, "kind", None),
)
def test_a_bound_that_is_smaller_by_a_share_would_be_exceeded(
    gate: Any, gains: list[float], comparator: int, share: float
) -> None:
    regret = rows(gate, gains)[ONE_PREDICTOR[comparator]].regret
    bound = bounds_of_visits(gate, len(gains))[comparator]
    assert bound is not None
    assert share * bound < regret <= bound * (1 + 1e-12)


@EACH
def test_bounds_grow_with_the_visits(gate: Any) -> None:
    bounds = [bounds_of_visits(gate, visits) for visits in (1, 2, 10, 1600)]
    for earlier, later in itertools.pairwise(bounds):
        for a, b in zip(earlier, later, strict=True):
            assert a is not None
            assert b is not None
            assert a <= b


@EACH
def test_runs_report_them(gate: Any) -> None:
    task = TaskDistribution(num_high=2, num_low=4, p_high=0.9, context_length=4, label_noise=0.2)
    found = simulate.run(task, GatedPredictor(gate=gate), steps=400, replicates=3).regret
    assert found.in_weight_bound is not None
    assert found.in_context_bound is not None
    assert found.in_weight <= found.in_weight_bound
    assert found.in_context <= found.in_context_bound


@pytest.mark.parametrize("gate", UNBOUNDED, ids=str)
def test_others_have_none(gate: Any) -> None:
    found = worst_regret(gate, 1.0, 2.0, 100)
    assert (found.in_weight_bound, found.in_context_bound) == (None, None)
    assert (found.in_weight, found.in_context) == (1.0, 2.0)


def test_few_nodes_have_none_beyond_their_square() -> None:
    gate = UniversalMixtureGate(nodes=8)
    assert bounds_of_visits(gate, 64)[0] == pytest.approx(math.log(257) / 2, rel=1e-14)
    assert bounds_of_visits(gate, 65) == (None, None)


def test_without_a_visit_the_bound_is_that_of_one() -> None:
    gate = DecreasingHedgeGate(rate=0.5)
    assert worst_regret(gate, 0.0, 0.0, 0) == worst_regret(gate, 0.0, 0.0, 1)
