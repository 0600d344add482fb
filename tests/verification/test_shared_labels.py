"""The sharp boundary of classes that share labels against simulation.

Fast tier: three settings, as in ``test_sharp_boundary`` (within 3 % or inside the 99.9 % interval, whose half-width is
below 3 %, and the mean gate at the boundary within 4.5 standard errors of 1/2; false alarms 7e-6 each). Wrong variants:
the prediction of the same classes with a label each, and a boundary that is 10 % off. Slow tier: settings over the box.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from simulate.simulation import run
from tests.verification.settings import Case, draw_cases
from tests.verification.test_bracket import CONFIDENCE, rejected
from tests.verification.test_sharp_boundary import HALF_WIDTH, accepted, check, simulate, standard_scores
from theory.setting import Attention, BayesGate, DirichletTable, GatedPredictor, TaskDistribution
from theory.solver import predict
from theory.transitions.crossing import last_rise

SETTINGS: dict[str, dict[str, Any]] = {
    "cyclic": {"num_labels": 5, "label_noise": 0.05, "context_length": 6, "p_relevant": 0.98, "relevant_examples": 3},
    "symmetric": {"num_labels": 5, "label_noise": 0.04, "label_noise_kind": "symmetric", "context_length": 6,
                  "relevant_examples": 4, "context_label_noise": 0.03},
    "noiseless": {"num_labels": 2, "context_length": 5, "relevant_examples": 1},
}  # fmt: skip
MODEL = GatedPredictor(
    in_weight=DirichletTable(pseudo_count=0.5), in_context=Attention(odds=30.0, floor=1e-3), gate=BayesGate()
)


def case_of(changes: dict[str, Any]) -> Case:
    task = TaskDistribution(num_high=6, num_low=6, p_high=0.5, **changes)
    return Case(task, MODEL, predict(task, MODEL))


@pytest.mark.parametrize("name", SETTINGS)
def test_sharp_boundary(name: str) -> None:
    case = case_of(SETTINGS[name])
    result, boundary, half = simulate(case, seed=31)
    predicted = case.prediction.entries[0].vanish_steps
    apart = predict(replace(case.task, num_labels=None), MODEL).entries[0].vanish_steps
    assert predicted is not None
    assert apart is not None
    assert half < HALF_WIDTH
    assert accepted(predicted, boundary)
    assert abs(standard_scores(case, result)) < 4.5
    assert not accepted(apart, boundary)
    assert not accepted(1.1 * predicted, boundary)


@pytest.mark.parametrize("kind", ["cyclic", "symmetric"])
def test_the_bracket_in_steps_holds_for_every_class(kind: str) -> None:
    """Each end fails in at most a tenth of 400 runs (false alarms 1e-6 each); one that a fifth exceed is rejected."""
    task = TaskDistribution(
        frequencies="weights", weights=(0.4, 0.2, 0.2, 0.15, 0.05), num_labels=3, context_length=4,
        relevant_examples=1, label_noise=0.1, label_noise_kind=kind,
    )  # fmt: skip
    prediction = predict(task, GatedPredictor(), confidence=CONFIDENCE)
    brackets = [entry.rigorous_steps for entry in prediction.entries[:4]]
    longest = max(bracket.upper for bracket in brackets if bracket is not None)
    result = run(task, GatedPredictor(), int(1.5 * longest), 400, 0)
    for bracket, simulated in zip(brackets, result.entries[:4], strict=True):
        assert bracket is not None
        boundaries = last_rise(simulated.curve.steps, simulated.curve.gate, 0.5)
        before, after = int((boundaries < bracket.lower).sum()), int((boundaries > bracket.upper).sum())
        assert not rejected(before, 400, (1 - CONFIDENCE) / 2)
        assert not rejected(after, 400, (1 - CONFIDENCE) / 2)
        assert rejected(int((boundaries > np.quantile(boundaries, 0.8)).sum()), 400, (1 - CONFIDENCE) / 2)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["cyclic", "symmetric"])
def test_sharp_boundary_everywhere(kind: str) -> None:
    check(draw_cases(20, 11, visits=(30, 3000), kind=kind, shared=True), seed=6000, largest_score=4.5)
