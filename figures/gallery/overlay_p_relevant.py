"""Where each group changes over, against the share of relevant contexts: predicted and simulated."""

from __future__ import annotations

from figures.knob_overlay import Knob, Sampling, knob_recipe

KNOB = Knob(
    parameter="p_relevant",
    label="$p_{relevant}$, share of relevant contexts",
    quick=Sampling(values=(0.8, 0.85, 0.9, 0.95, 1.0), steps=300_000, replicates=12),
    full=Sampling(values=(0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 0.98, 1.0), steps=400_000, replicates=64),
)
RECIPE = knob_recipe(KNOB, "Where each group changes over, against the share of relevant contexts")
