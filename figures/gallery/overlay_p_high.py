"""Where each group changes over, against the share of the high-frequency classes: predicted and simulated."""

from __future__ import annotations

from figures.knob_overlay import Knob, Sampling, knob_recipe

KNOB = Knob(
    parameter="p_high",
    label="$p_{high}$, share of the high-frequency classes",
    quick=Sampling(values=(0.5, 0.7, 0.8, 0.9, 0.95), steps=500_000, replicates=12),
    full=Sampling(values=(0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.98), steps=1_200_000, replicates=64),
)
RECIPE = knob_recipe(KNOB, "Where each group changes over, against the share of the high-frequency classes")
