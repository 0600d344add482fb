"""Where each group changes over, against the number of low-frequency classes: predicted and simulated."""

from __future__ import annotations

from figures.knob_overlay import Knob, Sampling, knob_recipe

KNOB = Knob(
    parameter="num_low",
    label="number of low-frequency classes",
    quick=Sampling(values=(5, 10, 20, 45, 70), steps=600_000, replicates=12),
    full=Sampling(values=(5, 10, 15, 20, 30, 45, 70, 95, 140), steps=2_400_000, replicates=32),
)
RECIPE = knob_recipe(KNOB, "Where each group changes over, against the number of low-frequency classes")
