"""Intervals of means, and tables side by side."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from figures.gathered import Interval, along, stacked
from simulate.sweeps.tables import Table, quantity


def test_intervals_are_students() -> None:
    values = np.random.default_rng(1).normal(2.0, 3.0, size=(4, 7))
    found = Interval.of_means(values)
    for row, mean, low, high in zip(values, found.mean, found.low, found.high, strict=True):
        expected = stats.t.interval(0.95, 6, loc=row.mean(), scale=stats.sem(row))
        assert (low, high) == pytest.approx(expected, rel=1e-12)
        assert mean == pytest.approx(row.mean(), rel=1e-14)
    assert found.reach == pytest.approx(np.stack([found.mean - found.low, found.high - found.mean]))


def test_intervals_cover_their_mean_as_often_as_they_say() -> None:
    """Of 20,000 intervals 95 %, to within 5 standard deviations (a false alarm in a million): normal ones do not."""
    values = np.random.default_rng(2).normal(size=(20_000, 4))
    found = Interval.of_means(values)
    allowed = 5 * np.sqrt(0.95 * 0.05 / 20_000)
    assert abs(np.mean((found.low <= 0) & (found.high >= 0)) - 0.95) < allowed
    normal = 1.96 * values.std(axis=1, ddof=1) / 2
    assert abs(np.mean(np.abs(values.mean(axis=1)) <= normal) - 0.95) > allowed


def test_an_interval_needs_two_replicates() -> None:
    with pytest.raises(ValueError, match="at least two replicates"):
        Interval.of_means(np.ones((3, 1)))


def test_intervals_are_stored_and_read() -> None:
    written = Interval.of_means(np.arange(6.0).reshape(2, 3))
    quantities = along("step", "share", written, "", "a share")
    read = Interval.read(quantities, "share", 1)
    assert (read.mean, read.low, read.high) == (written.mean[1], written.low[1], written.high[1])
    assert along("step", "one", Interval.of_means(np.arange(3.0)), "", "a number")["one_low"].dimensions == ()


def test_tables_side_by_side_keep_what_is_missing() -> None:
    tables = [
        Table(coordinates={"x": np.array([1, 2])}, quantities={"y": quantity(["x"], values, "nats", "a loss")})
        for values in ([1.5, None], [2.5, 3.5])
    ]
    whole = stacked("case", np.array(["a", "b"]), tables)
    assert whole.quantities["y"].dimensions == ("case", "x")
    assert whole.quantities["y"].masked.tolist() == [[1.5, None], [2.5, 3.5]]
    other = Table(coordinates={"x": np.array([1, 3])}, quantities=tables[0].quantities)
    with pytest.raises(ValueError, match="other coordinates"):
        stacked("case", np.array(["a", "b"]), [tables[0], other])
