"""The mean log loss under a Dirichlet prior: three methods that must agree with a sum over all counts, and meet."""

from __future__ import annotations

import itertools

import mpmath
import numpy as np
import pytest

import theory.numerics.beta_binomial
from theory.numerics.beta_binomial import expected_log_loss, mean_entropy


def by_all_counts(n: int, classes: int, pseudo_count: float) -> mpmath.mpf:
    with mpmath.workdps(40):
        b = mpmath.mpf(pseudo_count)
        rest, total = (classes - 1) * b, n + classes * b
        weight = weights = mpmath.mpf(1)
        losses = mpmath.log(total / b)
        for k in range(n):
            weight *= (n - k) * (k + b + 1) / ((k + 1) * (n - k - 1 + rest))
            weights += weight
            losses += weight * mpmath.log(total / (k + 1 + b))
        return losses / weights


@pytest.mark.parametrize("n", [0, 1, 40, 9000])
@pytest.mark.parametrize("classes", [2, 10**6])
@pytest.mark.parametrize("pseudo_count", [1e-6, 0.5, 30.0, 70.0, 1e6])
def test_mean_log_loss_against_a_sum_over_all_counts(n, classes, pseudo_count):
    expected = float(by_all_counts(n, classes, pseudo_count))
    assert float(expected_log_loss(n, classes, pseudo_count)) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("n", [1e4, 1e6, 1e9, 1e12])
@pytest.mark.parametrize("classes", [2, 3, 1000, 1e6])
def test_head_and_tail_meet_the_series(n, classes):
    arrays = [np.array([[value, value]]).T for value in (n, classes)] + [np.array([[64.0], [100.0]])]
    series, sums = (
        theory.numerics.beta_binomial._by_series(*arrays),
        theory.numerics.beta_binomial._by_head_and_tail(*arrays),
    )
    assert sums == pytest.approx(series, rel=1e-12)


@pytest.mark.parametrize(("n", "classes", "b"), list(itertools.product([1e5, 1e12], [2, 1e6], [1e-6, 0.1, 3.0])))
def test_head_may_be_longer(n, classes, b, monkeypatch):
    short = expected_log_loss(n, classes, b)
    monkeypatch.setattr(theory.numerics.beta_binomial, "_HEAD", 4096)
    assert float(expected_log_loss(n, classes, b)) == pytest.approx(float(short), rel=1e-12)


def test_mean_entropy_is_what_many_visits_leave():
    classes, b = np.array([2.0, 10.0, 1e6]), np.array([1e-6, 1.0, 1e6])
    assert mean_entropy(classes, b) == pytest.approx(expected_log_loss(1e12, classes, b), rel=1e-4)
    exact = mpmath.mp.clone()
    exact.dps = 40
    expected = [
        float(exact.digamma(c * exact.mpf(a) + 1) - exact.digamma(exact.mpf(a) + 1))
        for c, a in zip(classes, b, strict=True)
    ]
    assert mean_entropy(classes, b) == pytest.approx(expected, rel=1e-13)
