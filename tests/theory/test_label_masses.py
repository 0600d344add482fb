"""Masses of shared labels keep their digits where one class has nearly all of its label."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from theory.label_masses import LabelMasses
from theory.setting import TaskDistribution


@pytest.mark.parametrize("rare", [1e-3, 1e-9, 3e-15])
def test_companions_of_a_dominating_class(rare: float) -> None:
    weights = np.array([1.0, 0.4, rare, 0.3, rare / 7, 0.2])
    task = TaskDistribution(frequencies="weights", weights=(weights / weights.sum()).tolist(), num_labels=2)
    found = LabelMasses(task).of_companions(np.arange(6))
    exact = [Fraction(p) for p in task.class_probabilities.tolist()]
    for x in range(6):
        expected = float(sum(p for i, p in enumerate(exact) if i % 2 == x % 2 and i != x))
        assert found[x] == pytest.approx(expected, rel=4e-16, abs=0)
