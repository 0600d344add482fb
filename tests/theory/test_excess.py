"""Integrals of the noise in the counts, where double precision would lose the digits."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest

from theory.numerics.excess import inverse_surplus, log_deficit


def surplus_of_mean(function, n, p, q, b):
    """Mean of a function of N + b minus the function of the mean, to many digits."""
    with mpmath.workdps(60):
        q = mpmath.mpf(q) if p is None else 1 - mpmath.mpf(p)
        p, b = 1 - q, mpmath.mpf(b)
        weights = (mpmath.binomial(n, k) * p**k * q ** (n - k) for k in range(n + 1))
        return float(mpmath.fsum(w * function(k + b) for k, w in enumerate(weights)) - function(n * p + b))


@pytest.mark.parametrize("b", [1e-6, 0.5, 1e3])
@pytest.mark.parametrize("n", [1, 7, 60])
@pytest.mark.parametrize(("p", "q"), [(1e-12, None), (0.3, None), (0.75, None), (None, 1e-12), (None, 1e-3)])
def test_integrals_of_the_noise_against_sums(n, p, q, b):
    probability, complement = (p, 1 - p) if q is None else (1 - q, q)
    deficit = -surplus_of_mean(mpmath.log, n, p, q, b)
    assert float(log_deficit(n, probability, b, complement)) == pytest.approx(deficit, rel=1e-12)
    surplus = surplus_of_mean(lambda x: 1 / x, n, p, q, b)
    assert float(inverse_surplus(n, probability, b, complement)) == pytest.approx(surplus, rel=1e-12)


def test_large_counts_have_the_variance_of_a_normal_law():
    n, p = 1e12, np.array([0.2, 0.999])
    assert log_deficit(n, p, 1.0) == pytest.approx((1 - p) / (2 * n * p), rel=1e-9)
    assert inverse_surplus(n, p, 1.0) == pytest.approx((1 - p) / (n * p) ** 2, rel=1e-9)
