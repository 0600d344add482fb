"""Closed forms of what gates pay at most: sums of rates above 1, and vectorised like single numbers."""

from __future__ import annotations

import math

import numpy as np
import pytest

from theory.numerics.gate_prices import (
    decreasing_hedge_price,
    descent_price,
    excess_rates,
    fixed_share_price,
    hedge_price,
    total_excess_rate,
)


@pytest.mark.parametrize("rate", [1e-6, 0.999, 1.0, 1.0001, math.sqrt(2), 3.7, 40.0])
def test_rates_above_one_add_up(rate: float) -> None:
    visits = np.array([1, 2, 3, 13, 14, 100, 1600, 5000])
    totals = total_excess_rate(visits, rate)
    for number, total in zip(visits.tolist(), totals.tolist(), strict=True):
        rates = [rate / math.sqrt(i) for i in range(1, number + 1)]
        assert total == pytest.approx(math.fsum(r - 1 for r in rates if r > 1), rel=1e-10, abs=1e-12)
        assert excess_rates(number, rate).sum() == pytest.approx(total, rel=1e-10, abs=1e-12)
    assert (np.diff(totals) >= -1e-12).all()


def test_rates_and_visits_broadcast() -> None:
    both = total_excess_rate([[1], [10]], [0.5, 2.0, 9.0])
    assert both.shape == (2, 3)
    assert both[0].tolist() == [0.0, 1.0, 8.0]
    assert float(both[1, 2]) == pytest.approx(float(total_excess_rate(10, 9.0)), rel=1e-15)


def test_prices_are_vectorised() -> None:
    starts, rates = np.array([0.5, 2.0]), np.array([[0.25], [1.0]])
    found = hedge_price(starts, rates, 3.0)
    assert found.shape == (2, 2)
    assert float(found[0, 1]) == pytest.approx(2.0 / 0.25 + 0.25 * 3 / 8, rel=1e-15)
    assert float(descent_price(0.25, 0.5, 4.0)) == pytest.approx(0.25 + 1.0, rel=1e-15)
    assert decreasing_hedge_price(1.0, 0.5, [4, 16], [8.0, 0.0]).tolist() == [5.0, 8.0]
    assert fixed_share_price(0.0, 5, [0, 1], 0.5) == pytest.approx(np.full(2, 4 * math.log(2)), rel=1e-14)
