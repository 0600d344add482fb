"""Label counts against all sequences of noisy labels."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.special import gammaln

from theory.in_weight import LabelLaw
from theory.single_runs.label_counts import label_counts, likely_counts


@pytest.mark.parametrize(("labels", "b"), [(2, 0.5), (3, 0.1), (4, 2.0)])
def test_moments_over_all_sequences(labels: int, b: float) -> None:
    counts = label_counts(4, labels, b)
    for k in range(5):
        rises = []
        for sequence in itertools.product(range(labels), repeat=k):
            seen = np.bincount(sequence, minlength=labels) if k else np.zeros(labels)
            rises.append(float((gammaln(seen + b) - gammaln(b)).sum()))
        assert counts.rise[k] == pytest.approx(np.mean(rises), abs=1e-10)
        assert counts.rise_variance[k] == pytest.approx(np.var(rises), abs=1e-10)


def test_gains_add_up_to_mean_and_variance() -> None:
    counts = label_counts(20, 5, 0.5)
    means = [law.mean for law in counts.gains[:20]]
    variances = [law.variance for law in counts.gains[:20]]
    assert np.allclose(np.cumsum(means), counts.rise[1:])
    # The variance falls a little once every label has been seen often.
    assert np.allclose(np.cumsum(variances), np.maximum.accumulate(counts.rise_variance[1:]))
    assert counts.rise_variance[10] > counts.rise_variance[5]


def test_one_label_has_no_spread() -> None:
    counts = label_counts(9, 1, 0.5)
    assert np.all(counts.rise_variance == 0)
    assert counts.gains[3].values.tolist() == [np.log(3.5)]


def test_likely_counts_leave_out_what_is_unlikely() -> None:
    first, weights = likely_counts(LabelLaw(total_labels=3, noise=0.2, noisy_labels=1), 400, 1e-8)
    assert 0 < first < 80 < first + weights.size < 400
    assert weights.sum() == pytest.approx(1, abs=1e-6)
