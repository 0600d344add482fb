"""Where each group changes over, against the context length, with four relevant examples: predicted and simulated."""

from __future__ import annotations

from figures.knob_overlay import Knob, Sampling, knob_recipe

KNOB = Knob(
    parameter="context_length",
    label="context length $L$",
    quick=Sampling(values=(4, 6, 8, 12, 16), steps=300_000, replicates=12),
    full=Sampling(values=(4, 5, 6, 8, 10, 12, 16, 24), steps=400_000, replicates=64),
)
RECIPE = knob_recipe(KNOB, "Where each group changes over, against the context length, with four relevant examples")
