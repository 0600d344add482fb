"""Speed of the scan engine: against its random numbers, against the reference loop, and over the cells of a sweep."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from benchmarks.measuring import head, ratios, row, seconds, spread, variates_alone
from simulate.prompts import draw_prompts
from simulate.reference import reference_run
from simulate.simulation import run
from simulate.statistics import statistics_sampler
from theory.setting import TaskDistribution
from theory.setting_file import load

REFERENCE_STEPS = 20_000
RUNS = ((10**5, 1, 41), (10**5, 16, 9), (10**6, 1, 15), (10**6, 16, 3), (10**7, 1, 5), (10**8, 1, 3))
"""Steps, replicates and rounds."""
CELL_STEPS, CELL_REPLICATES = 20_000, 32


def scan_engine() -> None:
    """The whole of ``run`` against its random numbers and against the reference loop."""
    task, model = load("transient")
    streams = len(statistics_sampler(task).purposes)
    print("\n## Scan engine\n")
    print("The 100-class, L = 8 task (preset `transient`), all of `simulate.run`: tables, learning, curves, boundaries")
    print("with their bootstrap. The first run of a task takes some 0.2 ms more: a part of its tables is kept. A step")
    print(f"uses {streams} uniform variates (64-bit, PCG64).")
    head("steps", "replicates", "times its random numbers alone", "times faster than the reference loop")
    prompts = draw_prompts(task, REFERENCE_STEPS, np.random.default_rng(0))
    for steps, replicates, rounds in RUNS:

        def whole(n: int = steps, r: int = replicates) -> None:
            run(task, model, n, r, 0)

        def alone(n: int = steps, r: int = replicates) -> None:
            variates_alone(streams, n, r)

        slow = seconds(lambda: reference_run(task, model, prompts)) / REFERENCE_STEPS
        faster = slow * steps * replicates / seconds(whole)
        row(f"{steps:,}", replicates, spread(ratios(whole, alone, rounds)), f"{faster:.0f}")
    print(f"\nThe cells of a sweep, {CELL_REPLICATES} replicates of {CELL_STEPS:,} steps in each, of which no two have")
    print(f"the same task (`label_noise` by `p_high`): {spread(sweep_cells())} times the random numbers alone.")


def sweep_cells() -> list[float]:
    """Ratios of the cells of a small sweep."""
    _, model = load("transient")
    measured = []
    for task in cells():
        streams = len(statistics_sampler(task).purposes)
        cell = seconds(lambda t=task: run(t, model, CELL_STEPS, CELL_REPLICATES, 0))
        measured.append(cell / seconds(lambda s=streams: variates_alone(s, CELL_STEPS, CELL_REPLICATES)))
    return measured


def cells() -> Iterator[TaskDistribution]:
    """A hundred tasks."""
    task, _ = load("transient")
    for noise in np.linspace(0.02, 0.2, 10).tolist():
        for p_high in np.linspace(0.5, 0.95, 10).tolist():
            yield replace(task, label_noise=noise, p_high=p_high)
