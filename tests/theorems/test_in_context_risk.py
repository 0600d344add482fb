"""The theorem on the risk of attention agrees with what predictions are made of."""

from __future__ import annotations

import pytest

from theory.catalogue import find_claim
from theory.classes import class_kinds
from theory.in_context import in_context_loss
from theory.setting import Attention, TaskDistribution
from theory.theorems.theorem import Theorem


@pytest.mark.parametrize(("kind", "noisy_labels"), [("cyclic", 1), ("symmetric", 9)])
@pytest.mark.parametrize("m", [1, 3, 8])
def test_theorem_and_prediction_agree(kind: str, noisy_labels: int, m: int) -> None:
    task = TaskDistribution(
        frequencies="uniform",
        num_classes=10,
        context_length=8,
        relevant_examples=m,
        label_noise=0.15,
        label_noise_kind=kind,
    )
    theorem = find_claim("in_context_risk")
    assert isinstance(theorem, Theorem)
    value = theorem.evaluate(L=8, m=m, C=10, label_noise=0.15, noisy_labels=noisy_labels, odds=6.0, floor=1e-3)
    predicted = in_context_loss(task, Attention(odds=6.0, floor=1e-3), class_kinds(task)[0][0], relevant=True).risk
    assert float(value) == pytest.approx(predicted, rel=1e-12)
