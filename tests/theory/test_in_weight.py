"""Risk of the Dirichlet table: exact against enumeration, limits against high precision, orders against prediction."""

from __future__ import annotations

import itertools
import math

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from theory.in_weight import LabelLaw, cumulative_loss, cumulative_loss_constants, expected_cumulative_loss, risk

mpmath.mp.dps = 50


def law(total: int, noise: float, noisy: int = 1) -> LabelLaw:
    return LabelLaw(total_labels=total, noise=noise, noisy_labels=noisy)


def label_probabilities(labels: LabelLaw) -> list[float]:
    result = [1 - labels.noise] + [labels.noise / labels.noisy_labels] * labels.noisy_labels
    return result + [0.0] * (labels.total_labels - len(result))


def enumerated(labels: LabelLaw, b: float, visits: int) -> tuple[float, float]:
    """Risk after, and expected loss over, the visits: a sum over every sequence of labels."""
    probabilities = label_probabilities(labels)
    after = over = 0.0
    for sequence in itertools.product(range(labels.total_labels), repeat=visits):
        weight = math.prod(probabilities[y] for y in sequence)
        loss = 0.0
        counts = [0] * labels.total_labels
        for n, y in enumerate(sequence):
            loss += math.log((n + labels.total_labels * b) / (counts[y] + b))
            counts[y] += 1
        over += weight * loss
        total = visits + labels.total_labels * b
        after += weight * sum(p * math.log(total / (c + b)) for p, c in zip(probabilities, counts, strict=True))
    return after, over


@pytest.mark.parametrize(
    "labels", [law(2, 0.3), law(3, 0.0), law(4, 0.2), law(3, 0.25, 2), law(4, 0.4, 3), law(3, 1.0)]
)
@pytest.mark.parametrize("b", [0.05, 0.5, 1.0])
def test_risk_and_cumulative_loss_equal_enumeration(labels: LabelLaw, b: float) -> None:
    for visits in range(5):
        after, over = enumerated(labels, b, visits)
        assert float(risk(visits, labels, b)) == pytest.approx(after, rel=1e-12)
        assert float(expected_cumulative_loss(visits, labels, b)) == pytest.approx(over, rel=1e-12, abs=1e-14)


def test_enumeration_rejects_a_wrong_total() -> None:
    """The wrong variant: (C - 1) b in place of C b in the denominator."""
    labels, b, visits = law(3, 0.2), 0.5, 4
    after, _ = enumerated(labels, b, visits)
    wrong = float(risk(visits, labels, b)) - math.log((visits + 3 * b) / (visits + 2 * b))
    assert wrong != pytest.approx(after, rel=1e-3)


@pytest.mark.parametrize(("n", "p", "b"), [(10**12, 1e-9, 0.5), (10**6, 0.05, 1.0), (10**12, 0.3, 0.01)])
def test_risk_at_corners_equals_high_precision(n: int, p: float, b: float) -> None:
    labels = law(1000, p)

    def expected_log(probability: mpmath.mpf) -> mpmath.mpf:
        def integrand(u: mpmath.mpf) -> mpmath.mpf:
            t = mpmath.exp(u)
            seen = mpmath.exp(-b * t + n * mpmath.log(1 - probability + probability * mpmath.exp(-t)))
            return mpmath.exp(-t) - seen

        return mpmath.quad(integrand, mpmath.linspace(-70, 10, 60))

    exact = mpmath.log(n + 1000 * mpmath.mpf(b))
    for probability in (1 - mpmath.mpf(p), mpmath.mpf(p)):
        exact -= probability * expected_log(probability)
    assert float(risk(n, labels, b)) == pytest.approx(float(exact), rel=1e-10)


@settings(derandomize=True, max_examples=80, deadline=None)
@given(st.integers(2, 1000), st.floats(0, 1), st.integers(0, 10**9), st.floats(0.01, 10))
def test_risk_is_at_least_the_entropy_and_finite(total: int, noise: float, visits: int, b: float) -> None:
    labels = law(total, noise)
    value = float(risk(visits, labels, b))
    assert math.isfinite(value)
    assert value >= labels.entropy - 1e-12


def test_risk_before_any_visit_is_that_of_guessing() -> None:
    assert float(risk(0, law(7, 0.3), 0.5)) == pytest.approx(math.log(7), rel=1e-14)


@settings(derandomize=True, max_examples=100, deadline=None)
@given(st.lists(st.booleans(), min_size=0, max_size=60), st.integers(2, 50), st.floats(0.01, 5))
def test_cumulative_loss_is_the_sum_on_every_sequence(sequence: list[bool], total: int, b: float) -> None:
    counts, loss = [0, 0], 0.0
    for n, noisy in enumerate(sequence):
        loss += math.log((n + total * b) / (counts[noisy] + b))
        counts[noisy] += 1
    value = float(cumulative_loss(len(sequence), counts[0], counts[1], total, b))
    assert value == pytest.approx(loss, rel=1e-11, abs=1e-11)


@pytest.mark.parametrize("labels", [law(4, 0.0), law(10, 0.2), law(6, 0.3, 5)])
@pytest.mark.parametrize("b", [0.5, 1.0])
def test_asymptotic_constants_and_their_order(labels: LabelLaw, b: float) -> None:
    """The remainder of the limit falls like 1/n: tenfold visits, a tenth of the error."""
    a, kappa = cumulative_loss_constants(labels, b)
    n = np.array([1e5, 1e6])
    error = expected_cumulative_loss(n, labels, b) - (n * labels.entropy + a * np.log(n) + kappa)
    assert abs(error[1]) < 1e-2
    assert error[0] / error[1] == pytest.approx(10, rel=0.05)


def test_asymptotic_test_rejects_a_wrong_weight() -> None:
    labels = law(10, 0.2)
    a, kappa = cumulative_loss_constants(labels, 0.5)
    n = 1e6
    wrong = n * labels.entropy + (a - 0.5) * math.log(n) + kappa
    assert abs(float(expected_cumulative_loss(n, labels, 0.5)) - wrong) > 1
