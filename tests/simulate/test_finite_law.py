"""Draws from finite laws: exact inversion, and the law itself."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulate.finite_law import finite_laws


@settings(derandomize=True, max_examples=80, deadline=None)
@given(st.integers(1, 6), st.integers(1, 40), st.integers(0, 10**6))
def test_draws_invert_the_distribution_function(rows: int, width: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    laws = generator.dirichlet(np.full(width, 0.2), size=rows)
    laws[laws < 1e-3] = 0.0
    table = finite_laws(laws)
    row, uniforms = generator.integers(0, rows, 500), generator.random(500)
    cumulative = np.minimum(laws.cumsum(axis=1) / laws.sum(axis=1, keepdims=True), 1.0)
    drawn = table.draw(uniforms.copy(), row)
    assert np.all(laws[row, drawn] > 0)
    lower = np.where(drawn > 0, cumulative[row, np.maximum(drawn - 1, 0)], 0.0)
    assert np.all((lower <= uniforms + 1e-12) & (uniforms <= cumulative[row, drawn] + 1e-12))


def test_every_bin_edge_is_right() -> None:
    """Uniforms at and next to every jump and bin edge, where a table goes wrong first."""
    law = np.array([[0.1, 0.0, 0.25, 0.25, 1e-9, 0.4 - 1e-9]])
    table = finite_laws(law)
    jumps = np.append(law.cumsum()[:-1], np.arange(table.bins) / table.bins)
    around = np.concatenate([jumps, np.nextafter(jumps, 0), np.nextafter(jumps, 1)])
    around = np.clip(around, 0, np.nextafter(1, 0))
    expected = np.minimum((law.cumsum()[None, :] <= around[:, None]).sum(axis=1), 5)
    assert np.array_equal(table.draw(around.copy()), expected)


def test_an_impossible_last_outcome_is_never_drawn() -> None:
    table = finite_laws(np.array([[1 / 3, 2 / 3, 0.0]]))
    assert table.draw(np.array([np.nextafter(1, 0)])).tolist() == [1]


@pytest.mark.parametrize("width", [1, 2, 3000])
def test_frequencies_follow_the_law(width: int) -> None:
    """Chi-square with false-alarm rate 1e-6; a law with one per cent moved is rejected."""
    from scipy.stats import chi2

    generator = np.random.default_rng(3)
    law = 1 / np.arange(1.0, width + 1)
    law /= law.sum()
    number = 2_000_000
    counts = np.bincount(finite_laws(law[None, :]).draw(generator.random(number)), minlength=width)

    def statistic(expected: np.ndarray) -> float:
        return float(((counts - number * expected) ** 2 / (number * expected)).sum())

    limit = chi2.isf(1e-6, max(width - 1, 1))
    assert statistic(law) < limit
    if width > 1:
        wrong = law.copy()
        wrong[0] -= 0.01
        wrong[1:] += 0.01 / (width - 1)
        assert statistic(wrong) > limit


@pytest.mark.parametrize("width", [9000, 40_000, 70_000])
def test_many_rare_outcomes_are_inverted_exactly(width: int) -> None:
    """Laws with more outcomes than bins, a few of which are frequent: draws equal a search of the distribution."""
    generator = np.random.default_rng(width)
    law = np.concatenate([np.full(5, 0.15), generator.dirichlet(np.full(width - 5, 0.05)) * 0.25])
    table = finite_laws(law[None, :])
    assert table.fine is not None
    function = np.minimum(law.cumsum() / law.sum(), 1.0)
    at_jumps = np.concatenate([function, np.nextafter(function, 0), np.nextafter(function, 1)])
    uniforms = np.concatenate([generator.random(20_000), at_jumps[at_jumps < 1]])
    last = int(np.searchsorted(function, function[-1]))
    expected = np.minimum(np.searchsorted(function, uniforms, side="right"), last)
    assert np.array_equal(table.draw(uniforms.copy()), expected)
    # The wrong variant: narrow bins moved by one give other outcomes.
    wrong = replace(table, fine=np.roll(table.fine, -1))
    assert not np.array_equal(wrong.draw(uniforms.copy()), expected)
