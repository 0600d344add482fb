"""Where each group changes over, against the label noise: predicted and simulated."""

from __future__ import annotations

from figures.knob_overlay import Knob, Sampling, knob_recipe

KNOB = Knob(
    parameter="label_noise",
    label="label noise",
    quick=Sampling(values=(0.02, 0.05, 0.1, 0.2, 0.3), steps=700_000, replicates=12),
    full=Sampling(values=(0.01, 0.015, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3), steps=1_200_000, replicates=64),
)
RECIPE = knob_recipe(KNOB, "Where each group changes over, against the label noise")
