"""The falsifier finds what is false, confirms it to 50 digits, and tells a wrong evaluator from a wrong claim."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import sympy
from numpy.typing import NDArray

from theory.catalogue.letters import LABEL_LAW, VISITS
from theory.theorems.claim import AssumptionError, Claim
from theory.theorems.falsifier import corner_points, hunt, random_points, violated
from theory.theorems.parameters import Parameter

Array = NDArray[np.float64]
z = sympy.Symbol("z", positive=True)
ROOM = Parameter(symbol=z, latex="z", meaning="a number", lowest=0.0, highest=2.0, above=True, below=True)
SMALL = Claim(
    name="small",
    title="log(1 + z) is at most z",
    family="in-weight",
    kind="upper",
    source="derived here",
    parameters=(ROOM,),
    premises=(),
    left=sympy.log(1 + z),
    relation="<=",
    right=z,
    evaluate_left=np.log1p,
    evaluate_right=lambda z: z,
)


def log_of_one_plus(z: Array) -> Array:
    return np.asarray(np.log1p(z))


def with_sides(evaluate_left: object, evaluate_right: object, **changes: object) -> Claim:
    return replace(SMALL, evaluate_left=evaluate_left, evaluate_right=evaluate_right, **changes)  # type: ignore[arg-type]


def scaled(factor: float) -> object:
    return lambda z: factor * np.log1p(z)


TRUE = with_sides(log_of_one_plus, lambda z: z)


def generator() -> np.random.Generator:
    return np.random.default_rng(0)


def test_a_true_claim_is_clean_and_its_tightest_point_is_where_it_should_be() -> None:
    found = hunt(TRUE, 2000, generator())
    assert found.clean
    assert found.points == 2000
    assert found.tightest_point["z"] < 1e-10
    assert 1 <= found.median <= found.loosest == pytest.approx(2 / np.log(3), rel=1e-3)


def test_a_claim_that_fails_in_one_corner_is_refuted_there() -> None:
    # False only above 1.99: one point in 200.
    narrow = with_sides(
        log_of_one_plus, lambda z: np.where(z < 1.99, z, 1.0), right=sympy.Piecewise((z, z < 1.99), (1, True))
    )
    found = hunt(narrow, 2000, generator())
    assert found.counterexample is not None
    assert found.counterexample["z"] >= 1.99
    assert violated(narrow, found.counterexample)
    assert not violated(narrow, {"z": 1.0})


def test_a_wrong_evaluator_is_not_a_counterexample() -> None:
    found = hunt(with_sides(lambda z: np.log1p(z) * (1 + 1e-3), lambda z: z), 2000, generator())
    assert not found.refuted
    assert not found.clean
    assert found.evaluator_error is not None


def test_a_claim_that_is_false_only_where_both_sides_are_tiny_is_refuted() -> None:
    scale = 1e-20
    tiny = with_sides(
        lambda z: scale * z, lambda z: scale * z * 0.9, left=scale * z, right=scale * z * sympy.Rational(9, 10)
    )
    assert hunt(tiny, 1000, generator()).refuted
    # An evaluator that is wrong there is excused: what is below the absolute rounding convicts no evaluator.
    assert hunt(replace(tiny, right=scale * z * 2), 1000, generator()).clean


def test_rounding_is_forgiven() -> None:
    assert hunt(with_sides(lambda z: z * (1 + 1e-15), lambda z: z, left=z), 2000, generator()).clean


def test_equalities_are_compared_on_both_sides() -> None:
    equal = with_sides(log_of_one_plus, log_of_one_plus, relation="=", right=sympy.log(1 + z))
    assert hunt(equal, 1000, generator()).tightest == 1
    for factor in (0.9, 1.1):
        off = replace(equal, right=factor * sympy.log(1 + z), evaluate_right=scaled(factor))
        assert hunt(off, 1000, generator()).refuted


def test_a_side_that_is_not_finite_is_an_error() -> None:
    with pytest.raises(FloatingPointError, match=r"small: a side is not finite at \{'z'"):
        hunt(with_sides(lambda z: np.where(z > 1, np.nan, z), lambda z: z), 1000, generator())


def test_points_are_admissible_and_reach_the_ends() -> None:
    claim = replace(SMALL, parameters=(VISITS, *LABEL_LAW), evaluate_left=lambda n: n, evaluate_right=lambda n: n)
    for points in (random_points(claim, 5000, generator()), corner_points(claim, 5000, generator())):
        claim.settings(points)
        assert points["n"].min() == 0
        assert points["n"].max() == 1e12
        assert points["C"].min() == 2
        assert points["C"].max() == 1e6
        assert (points["noisy_labels"] == points["C"] - 1).any()
        assert points["label_noise"].min() == 0
        assert points["label_noise"][points["label_noise"] > 0].min() <= 1e-300
        assert points["label_noise"].max() == 1


def test_excluded_ends_are_never_drawn() -> None:
    for points in (random_points(SMALL, 5000, generator()), corner_points(SMALL, 5000, generator())):
        assert (points["z"] > 0).all()
        assert (points["z"] < 2).all()


def test_the_hunt_is_addressed_by_its_generator() -> None:
    assert hunt(TRUE, 500, generator()) == hunt(TRUE, 500, generator())
    assert hunt(TRUE, 500, generator()) != hunt(TRUE, 500, np.random.default_rng(1))


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"n": 1.5, "C": 2}, r"n = 1\.5 is not allowed: expected 0 <= n <= 1e\+12, whole"),
        ({"n": -1, "C": 2}, "0 <= n"),
        ({"n": 1, "C": 1}, "2 <= C"),
        ({"n": 1, "C": 5, "noisy_labels": [1, 5]}, r"noisy_labels = 5\.0 .* expected 1 <= noisy_labels <= C - 1"),
        ({"n": 1, "C": 5, "label_noise": float("nan")}, "0 <= label_noise <= 1"),
        ({"n": "many", "C": 5}, "n = 'many'"),
    ],
)
def test_values_outside_the_assumptions_name_the_assumption(values: dict[str, object], named: str) -> None:
    claim = replace(SMALL, parameters=(VISITS, *LABEL_LAW))
    with pytest.raises(AssumptionError, match=named):
        claim.settings(values)  # type: ignore[arg-type]
