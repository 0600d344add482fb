"""Where each group changes over, against the noise of the inputs: simulated only."""

from __future__ import annotations

from functools import partial

from figures.knob_overlay import Sampling, draw_knob, knob_grid
from figures.recipe import Recipe, Results
from figures.workbench import Workbench
from theory.setting_file import Setting

SETTING: Setting = {
    "episodes": {
        "context_length": 8,
        "classes": {"frequencies": "two-level", "num_high": 5, "num_low": 10, "p_high": 0.8},
        "rows": [{"name": "relevant", "share": 1.0, "matches": "exact", "copies": 4}],
        "labels": {"label_noise": 0.05},
        "inputs": {"kind": "sphere", "dimension": 64},
    },
    "model": {"in_context": {"kind": "kernel-attention", "temperature": 0.67}},
}
"""At the temperature 2/3 without noise, an example of the query's class weighs about e^3 times another, as in the
preset `transient`."""
QUICK = Sampling(values=(0.0, 0.1, 0.2, 0.3, 0.4), steps=7_000, replicates=8)
FULL = Sampling(values=(0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4), steps=8_000, replicates=48)


def results(workbench: Workbench, quick: bool) -> Results:
    """Runs along the noise."""
    name = f"overlay-input-noise-{'quick' if quick else 'full'}"
    grid = knob_grid(SETTING, "episodes.inputs.input_noise", QUICK if quick else FULL)
    return {"simulated": workbench.sweep(name, grid)}


RECIPE = Recipe(
    meaning="Where each group changes over, against the noise of the inputs (simulated only)",
    results=results,
    draw=partial(draw_knob, label=r"input noise $\sigma$ (per coordinate, $d$ = 64)"),
    reading=(
        "5 + 10 classes with p_high = 0.8, L = 8, m = 4, label noise 0.05 and relevant contexts only, "
        "whose inputs are noisy unit vectors in 64 dimensions; attention by distance, "
        "exp(-|x - x'|^2/T) with T = 0.67. No theory covers it: nothing in this figure is predicted. Colour: simulated "
        "mean gate. Points: where it crosses 1/2, with 95 % bootstrap intervals over replicates: at each value "
        f"{FULL.replicates} runs of {FULL.steps:,} steps (quick: {QUICK.replicates} of {QUICK.steps:,})."
    ),
)
