"""The whole predicted mean gate against simulation: largest difference beyond Monte Carlo error."""

from __future__ import annotations

import numpy as np
import pytest

from simulate.simulation import run
from theory.setting_file import load
from theory.solver import predict


@pytest.mark.parametrize(
    ("name", "overrides", "steps", "replicates"),
    [
        ("transient", [], 40_000, 120),
        ("paper", [], 600, 6000),
        ("transient", ["label_noise_kind=symmetric", "num_low=10"], 40_000, 120),
        ("transient", ["num_labels=10"], 10_000, 800),
        ("transient", ["p_relevant=0.9", "model.gate.prior_in_weight=0.8"], 10_000, 200),
    ],
)
def test_mean_gate_over_the_steps(name: str, overrides: list[str], steps: int, replicates: int) -> None:
    """At 40 steps each: within 5 standard errors plus 1e-3 (false alarms below 1e-4 in all)."""
    task, model = load(name, overrides=overrides)
    prediction, simulated = predict(task, model), run(task, model, steps, replicates, seed=17)
    for entry, result in zip(prediction.entries, simulated.entries, strict=True):
        points = np.unique(np.geomspace(1, steps, 40).astype(int))
        places = np.searchsorted(result.curve.steps, points)
        error = result.curve.standard_error
        assert error is not None
        difference = np.abs(entry.mean_gate(result.curve.steps[places]) - result.curve.mean[places])
        # With few distinct values seen so far the standard error is itself uncertain: 1/n of a rare event.
        rare = 3 / (replicates * entry.num_classes)
        assert np.all(difference < 5 * error[places] + 1e-3 + rare)
        # Power: a curve shifted by 15 % in steps is told apart.
        shifted = entry.mean_gate((result.curve.steps[places] * 1.15).astype(int))
        assert np.any(np.abs(shifted - result.curve.mean[places]) > 5 * error[places] + 1e-3 + rare)
