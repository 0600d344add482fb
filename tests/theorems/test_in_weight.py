"""What the in-weight theorems say of each other, and their values where the falsifier does not go."""

from __future__ import annotations

import numpy as np
import pytest
import sympy

from theory.catalogue import find_claim
from theory.catalogue.count_lemmas import DEFICIT, FRULLANI, GENERATING, INVERSE, LAPLACE_TRANSFORM, MEAN_INVERSE
from theory.catalogue.letters import b, n
from theory.theorems.checks.algebra import PROBABILITY
from theory.theorems.checks.identities import simplifies
from theory.theorems.checks.integrals import by_derivative, by_integration, by_linearity
from theory.theorems.checks.reductions import instance_of
from theory.theorems.checks.sums import each_term
from theory.theorems.integrals import LogDeficit, MeanInverse, S, T, over_time
from theory.theorems.precise import precise

LAW = {"n": [0, 3, 1e6, 1e12], "C": 1000, "label_noise": [0.0, 0.3, 1e-12, 1.0], "noisy_labels": [1, 999, 2, 7]}


def test_upper_bound_reduces_to_the_laplace_bound():
    expected = find_claim("laplace_upper_seen").evaluate(**LAW)
    assert find_claim("pseudo_count_upper").evaluate(b=1, **LAW) == pytest.approx(expected, rel=1e-12, abs=1e-15)


def test_total_risk_is_excess_and_entropy():
    noise = np.asarray(LAW["label_noise"])
    other = noise / np.asarray(LAW["noisy_labels"])
    with np.errstate(divide="ignore", invalid="ignore"):
        entropy = -np.nan_to_num((1 - noise) * np.log(1 - noise)) - np.nan_to_num(noise * np.log(other))
    total, excess = (find_claim(name).evaluate(b=0.5, **LAW) for name in ("in_weight_risk_total", "in_weight_risk"))
    assert total == pytest.approx(excess + entropy, rel=1e-10)


def test_a_query_that_every_example_visits_has_as_many_visits():
    law = {name: values for name, values in LAW.items() if name != "n"}
    expected = find_claim("in_weight_risk_total").evaluate(b=0.5, **LAW)
    assert find_claim("risk_after_examples").evaluate(N=LAW["n"], p_x=1, b=0.5, **law) == pytest.approx(
        expected, rel=1e-12
    )


@pytest.mark.parametrize("name", ["risk_after_examples", "excess_after_examples"])
@pytest.mark.parametrize(
    "point",
    [
        {"N": 1e12, "p_x": 1e-9, "C": 1000, "b": 0.5, "label_noise": 0.1, "noisy_labels": 999},
        {"N": 1e12, "p_x": 0.5, "C": 2, "b": 1e-6, "label_noise": 0.0, "noisy_labels": 1},
        {"N": 1e12, "p_x": 1e-300, "C": 1e6, "b": 1e6, "label_noise": 1e-300, "noisy_labels": 1e5},
        {"N": 1e12, "p_x": 1.0, "C": 5, "b": 1e6, "label_noise": 0.8, "noisy_labels": 4},
        {"N": 1e6, "p_x": 1 - 1e-12, "C": 3, "b": 1e-6, "label_noise": 1e-12, "noisy_labels": 2},
        {"N": 1e9, "p_x": 1e-12, "C": 1e6, "b": 1e-6, "label_noise": 1e-3, "noisy_labels": 1},
    ],
)
def test_risk_after_many_examples_to_fifty_digits(name, point):
    theorem = find_claim(name)
    expected = float(precise(theorem.right, theorem.symbol_values(point)))
    assert float(theorem.evaluate(**point)) == pytest.approx(expected, rel=1e-12)


def test_floor_lies_below_the_tables_risk_everywhere():
    generator = np.random.default_rng(0)
    classes = np.floor(10 ** generator.uniform(0.5, 6, 500))
    point = {
        "N": np.floor(10 ** generator.uniform(0, 12, 500)),
        "p_x": 10 ** generator.uniform(-12, 0, 500),
        "C": classes,
        "label_noise": generator.random(500),
    }
    table = find_claim("risk_after_examples").evaluate(
        b=10 ** generator.uniform(-6, 6, 500), noisy_labels=classes - 1, **point
    )
    assert (find_claim("unvisited_floor").evaluate(**point) <= table * (1 + 1e-12)).all()


X = sympy.Symbol("x", positive=True)
P = PROBABILITY


@pytest.mark.parametrize(
    ("check", "left", "right"),
    [
        (by_linearity(FRULLANI, LAPLACE_TRANSFORM), DEFICIT.left, LogDeficit(n, P, b + 1)),
        (by_linearity(FRULLANI, LAPLACE_TRANSFORM), DEFICIT.left, 2 * DEFICIT.right),
        (by_linearity(FRULLANI, LAPLACE_TRANSFORM), DEFICIT.left + sympy.log(2), DEFICIT.right),
        (by_linearity(FRULLANI, LAPLACE_TRANSFORM), DEFICIT.left + 1, DEFICIT.right),
        (by_linearity(FRULLANI), DEFICIT.left, DEFICIT.right),
        (by_linearity(INVERSE, GENERATING), MEAN_INVERSE.left, MeanInverse(n, P, b + 1)),
        (by_derivative(X, sympy.Integer(1)), sympy.log(X) + 1, FRULLANI.right),
        (by_derivative(X, sympy.Integer(1)), sympy.log(X), over_time((sympy.exp(-T) - sympy.exp(-2 * X * T)) / T)),
        (by_integration, 2 / X, INVERSE.right),
        (instance_of(GENERATING, {S: X}), GENERATING.left.subs(S, X), GENERATING.right),
        (each_term(simplifies), sympy.Sum(X, (n, 0, 3)), sympy.Sum(X**2, (n, 0, 3))),
        (each_term(simplifies), sympy.Sum(X, (n, 0, 3)), sympy.Sum(X, (n, 0, 4))),
    ],
)
def test_checks_under_the_integral_refuse_what_is_false(check, left, right):
    assert not check(left, "=", right).holds
