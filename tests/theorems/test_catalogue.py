"""Every theorem of the catalogue, whatever it says: derivation, values, attack, simulation, wrong variant."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any

import mpmath
import numpy as np
import pytest

from tests.theorems import (
    attention,
    bayes_in_context,
    changing_rates,
    evidence,
    gate_regret,
    in_context_copying,
    in_weight_cumulative,
    in_weight_laplace,
    in_weight_least,
    in_weight_pointwise,
    in_weight_probability,
    in_weight_risk,
    in_weight_stream,
    learned_temperature,
    transition,
)
from tests.theorems.evidence import Exact, Simulated
from theory.catalogue import ERRATA, THEOREMS
from theory.theorems.claim import Claim, call
from theory.theorems.derivation import Status
from theory.theorems.falsifier import corner_points, hunt
from theory.theorems.theorem import Theorem

EVIDENCE = (
    attention,
    bayes_in_context,
    changing_rates,
    gate_regret,
    in_context_copying,
    in_weight_cumulative,
    in_weight_laplace,
    in_weight_least,
    in_weight_pointwise,
    in_weight_probability,
    in_weight_risk,
    in_weight_stream,
    learned_temperature,
    transition,
)
EXACT: dict[str, Exact] = {name: exact for module in EVIDENCE for name, exact in module.EXACT.items()}
SIMULATED: dict[str, Simulated] = {name: s for module in EVIDENCE for name, s in module.SIMULATED.items()}
EVERY = pytest.mark.parametrize("theorem", THEOREMS, ids=lambda theorem: theorem.name)


def generator_of(name: str) -> np.random.Generator:
    return np.random.default_rng(np.random.SeedSequence(0, spawn_key=(zlib.crc32(name.encode()),)))


def arrays(point: Mapping[str, float]) -> dict[str, Any]:
    return {name: np.asarray(value, dtype=np.float64) for name, value in point.items()}


def test_every_theorem_has_its_evidence() -> None:
    names = {theorem.name for theorem in THEOREMS}
    assert set(EXACT) == names
    assert set(SIMULATED) == names
    assert all(theorem.wrong.right != theorem.right for theorem in THEOREMS)


@EVERY
def test_derivation_leads_from_one_side_to_the_other(theorem: Theorem) -> None:
    assert theorem.derivation.gap(theorem.left, theorem.relation, theorem.right) is None


@EVERY
def test_no_step_says_nothing(theorem: Theorem) -> None:
    assert [step.reason for step in theorem.derivation.steps if step.left == step.right] == []


@EVERY
def test_every_step_stands(theorem: Theorem) -> None:
    verdicts = [(step.reason, step.verdict()) for step in theorem.derivation.steps]
    assert [(reason, str(verdict)) for reason, verdict in verdicts if verdict.status is Status.FAILED] == []


@EVERY
def test_falsifier_finds_nothing(theorem: Theorem) -> None:
    found = hunt(theorem, 3000, generator_of(theorem.name))
    assert found.clean, found
    assert found.tightest >= 1 - 1e-11


@EVERY
def test_falsifier_refutes_the_wrong_variant(theorem: Theorem) -> None:
    assert hunt(theorem.wrong_claim, 3000, generator_of(theorem.name)).refuted


@EVERY
def test_sides_agree_with_values_from_the_definition(theorem: Theorem) -> None:
    exact = EXACT[theorem.name]
    for point in exact.points:
        with mpmath.workdps(60):
            expected = [side(**point) if side else None for side in (exact.left, exact.right)]
        precise = theorem.sides_to_fifty_digits(point)
        for mine, digits, value in zip(theorem.sides(arrays(point)), precise, expected, strict=True):
            if value is not None:
                assert float(mine) == pytest.approx(float(value), rel=1e-12, abs=1e-15)
                assert float(digits) == pytest.approx(float(value), rel=1e-14, abs=1e-16)


@EVERY
def test_evaluators_keep_twelve_digits_in_the_corners(theorem: Theorem) -> None:
    compare_in_corners(theorem, 8)


@pytest.mark.slow
@EVERY
def test_evaluators_keep_twelve_digits_in_many_corners(theorem: Theorem) -> None:
    compare_in_corners(theorem, 60)


def compare_in_corners(theorem: Theorem, number: int) -> None:
    points = corner_points(theorem, number, generator_of(theorem.name))
    left, right = np.broadcast_arrays(*theorem.sides(points))
    for index in range(left.size):
        precise = theorem.sides_to_fifty_digits({name: float(values[index]) for name, values in points.items()})
        for mine, digits in zip((left[index], right[index]), precise, strict=True):
            # An exact 0 stands against what the yardstick's own 80 digits leave of it.
            assert float(mine) == pytest.approx(float(digits), rel=1e-12, abs=1e-300) or (
                mine == 0 and abs(digits) < 1e-75
            )


@EVERY
def test_simulation_obeys_the_claim_and_breaks_the_wrong_variant(theorem: Theorem) -> None:
    simulated = SIMULATED[theorem.name]
    assert standard_errors_beyond(theorem, simulated, simulated.point) <= evidence.FALSE_ALARM
    wrong = theorem.wrong_claim
    assert standard_errors_beyond(wrong, simulated, simulated.wrong_point or simulated.point) > evidence.FALSE_ALARM


def standard_errors_beyond(claim: Claim, simulated: Simulated, point: Mapping[str, float]) -> float:
    """By how many standard errors the simulated left side breaks the claim; negative where it has slack."""
    draws = simulated.draw(generator_of(claim.name), simulated.replicates, **point)
    _, right = claim.sides(arrays(point))
    gap = float(draws.mean() - right)
    # What varies less than rounding is a number, and may be off by rounding only.
    error = max(float(draws.std(ddof=1)) / np.sqrt(draws.size), 1e-12 * abs(float(right)) + 1e-15)
    if claim.relation in ("=", "~"):
        allowed = 0.0 if claim.remainder is None else float(call(claim.remainder, arrays(point)))
        return (abs(gap) - allowed) / error
    return gap / error if claim.relation == "<=" else -gap / error


@pytest.mark.parametrize("erratum", ERRATA, ids=lambda erratum: erratum.name)
def test_erratum_is_refuted(erratum: Claim) -> None:
    assert hunt(erratum, 3000, generator_of(erratum.name)).refuted
