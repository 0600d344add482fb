"""Special functions against 50-digit evaluation, at the corners too."""

from __future__ import annotations

import mpmath
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from theory.numerics.special import (
    binomial_law,
    binomial_log_probability,
    log_generating,
    log_rising,
    stirling_remainder,
)

mpmath.mp.dps = 50


def exact_remainder(x: float) -> float:
    z = mpmath.mpf(x)
    return float(mpmath.loggamma(z) - (z - 0.5) * mpmath.log(z) + z - mpmath.log(2 * mpmath.pi) / 2)


@pytest.mark.parametrize("x", [1e-3, 0.5, 1.0, 7.3, 15.999, 16.0, 16.001, 100.0, 1e6, 1e12])
def test_stirling_remainder(x: float) -> None:
    assert float(stirling_remainder(x)) == pytest.approx(exact_remainder(x), abs=1e-14, rel=1e-10)


@pytest.mark.parametrize(("start", "count"), [(0.5, 0), (0.5, 3), (0.01, 17), (50.0, 1), (5e5, 1e12), (0.5, 1e12)])
def test_log_rising(start: float, count: float) -> None:
    exact = mpmath.loggamma(mpmath.mpf(start) + count) - mpmath.loggamma(mpmath.mpf(start))
    assert float(log_rising(start, count)) == pytest.approx(float(exact), rel=1e-13, abs=1e-14)


def test_difference_of_gammaln_would_not_do() -> None:
    """The wrong variant: what the library avoids loses digits at a large count."""
    from scipy.special import gammaln

    x = 1e12
    exact = float(mpmath.loggamma(mpmath.mpf(x) + 2.5) - mpmath.loggamma(mpmath.mpf(x)))
    assert abs(float(gammaln(x + 2.5) - gammaln(x)) / exact - 1) > 1e-8
    assert float(log_rising(x, 2.5)) == pytest.approx(exact, rel=1e-12)


@settings(derandomize=True, max_examples=60, deadline=None)
@given(st.integers(1, 10**12), st.floats(1e-12, 1 - 1e-12))
def test_binomial_law_has_its_moments(trials: int, probability: float) -> None:
    values, weights = binomial_law(trials, probability)
    mean = float(weights @ values)
    variance = float(weights @ (values - mean) ** 2)
    assert mean == pytest.approx(trials * probability, rel=1e-9, abs=1e-12)
    assert variance == pytest.approx(trials * probability * (1 - probability), rel=1e-6, abs=1e-12)


@pytest.mark.parametrize(("trials", "probability"), [(0, 0.3), (5, 0.0), (5, 1.0)])
def test_binomial_law_of_certainties(trials: int, probability: float) -> None:
    values, weights = binomial_law(trials, probability)
    assert values.tolist() == [round(trials * probability)]
    assert weights.tolist() == [1.0]


@pytest.mark.parametrize(
    ("k", "n", "p"), [(0, 10, 0.3), (10, 10, 0.3), (3, 10, 0.3), (10**9, 10**12, 1e-3), (1, 10**12, 1e-12)]
)
def test_binomial_log_probability(k: int, n: int, p: float) -> None:
    exact = mpmath.log(mpmath.binomial(n, k)) + k * mpmath.log(mpmath.mpf(p)) + (n - k) * mpmath.log(1 - mpmath.mpf(p))
    assert float(binomial_log_probability(k, n, p)) == pytest.approx(float(exact), rel=1e-9, abs=1e-11)


@pytest.mark.parametrize("t", [1e-12, 1e-3, 1.0, 30.0, 700.0])
@pytest.mark.parametrize("p", [1e-300, 1e-12, 0.3, 1 - 1e-12, 1.0])
def test_log_generating(t: float, p: float) -> None:
    exact = mpmath.log(1 - mpmath.mpf(p) + mpmath.mpf(p) * mpmath.exp(-mpmath.mpf(t)))
    # Where e^-t is lost beside 1 - p the value is cut at log(1e-16): nothing survives there in any sum.
    assert float(log_generating(t, p)) == pytest.approx(max(float(exact), -745.0), rel=1e-4 if p > 0.9 else 1e-12)
