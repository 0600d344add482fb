"""Where each group changes over, against the number of relevant examples among eight: predicted and simulated."""

from __future__ import annotations

from figures.knob_overlay import Knob, Sampling, knob_recipe

KNOB = Knob(
    parameter="relevant_examples",
    label="relevant examples $m$ of $L$ = 8",
    quick=Sampling(values=(1, 2, 3, 4, 6, 8), steps=400_000, replicates=12),
    full=Sampling(values=(1, 2, 3, 4, 5, 6, 7, 8), steps=600_000, replicates=64),
)
RECIPE = knob_recipe(KNOB, "Where each group changes over, against the number of relevant examples among eight")
