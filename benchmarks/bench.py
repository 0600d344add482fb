"""Speed as ratios measured within one run: `make bench`.

Absolute times mean little on a shared machine; every line compares two things that ran in turn, and quotes the median.
"""

from __future__ import annotations

import os

# One thread: the figures are for one core, and a BLAS with threads would blur them.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from simulate.checkpoints import checkpoints
from simulate.prompts import draw_prompts
from simulate.reference import reference_run
from simulate.scan_engine import BLOCK
from simulate.simulation import run
from simulate.statistics import statistics_sampler
from theory.catalogue import THEOREMS
from theory.diagrams.diagram import phase_diagram
from theory.setting import Attention, GatedPredictor, TaskDistribution
from theory.setting_file import load
from theory.solver import predict
from theory.theorems.claim import call
from theory.theorems.falsifier import random_points
from theory.theorems.theorem import Theorem

STEPS = 1_000_000
REFERENCE_STEPS = 20_000
ROUNDS = 9
POINTS = 1_000_000
# What costs more than this at a hundredth of the points is no closed form.
FEW_PASSES = 300


def seconds(work: Callable[[], object]) -> float:
    """Wall-clock time of one call."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def variates_alone(streams: int) -> None:
    """As many uniform variates as a run of STEPS steps uses, from the same bit generator, in the same blocks."""
    generators = [np.random.default_rng(i) for i in range(streams)]
    for start in range(0, STEPS, BLOCK):
        for generator in generators:
            generator.random(min(BLOCK, STEPS - start))


def engine() -> None:
    """Cost of a simulated step against its random numbers and against the reference loop."""
    task, model = load("transient")
    streams = len(statistics_sampler(task).purposes)
    prompts = draw_prompts(task, REFERENCE_STEPS, np.random.default_rng(0))
    run(task, model, STEPS, 1, 0)
    ratios, speedups = [], []
    for _ in range(ROUNDS):
        scan = seconds(lambda: run(task, model, STEPS, 1, 0)) / STEPS
        variates = seconds(lambda: variates_alone(streams)) / STEPS
        ratios.append(scan / variates)
        slow = seconds(lambda: reference_run(task, model, prompts)) / REFERENCE_STEPS
        speedups.append(slow / scan)
    print(f"{STEPS:,} steps of the 100-class, L = 8 task, one replicate, one core, the whole of simulate.run:")
    print(f"  {1e9 * scan:.0f} ns a step; {checkpoints(STEPS).size:,} checkpoints kept for each group")
    print(f"  {statistics.median(ratios):.2f} times its random numbers alone ({streams} uniform variates a step)")
    print(f"  {statistics.median(speedups):.0f} times the rate of the reference loop (which is given its prompts)")


def bounds() -> None:
    """Cost of each theorem's value, in passes of a logarithm over as many numbers."""
    costs = []
    for theorem in THEOREMS:
        few = min(relative_cost(theorem, POINTS // 100, 3), relative_cost(theorem, POINTS // 100, 3))
        closed = few < FEW_PASSES
        costs.append((relative_cost(theorem, POINTS, ROUNDS) if closed else few, closed, theorem.name))
    print(f"value of a theorem over {POINTS:,} points, in passes of np.log over as many numbers:")
    for cost, closed, name in sorted(costs):
        print(f"  {name:32s} {cost:8.1f}" + ("" if closed else f"  (quadrature or sum; {POINTS // 100:,} points)"))


def relative_cost(theorem: Theorem, points: int, rounds: int) -> float:
    """Time of the value at so many points over that of ``np.log`` of as many numbers."""
    numbers = np.random.default_rng(0).random(points)
    values = random_points(theorem, points, np.random.default_rng(0))
    evaluator = theorem.value_evaluator
    return statistics.median(
        seconds(lambda: call(evaluator, values)) / seconds(lambda: np.log(numbers)) for _ in range(rounds)
    )


def diagrams() -> None:
    """Cost of a prediction at scale against a small one, and of a phase diagram a point against a prediction."""
    small = TaskDistribution(
        num_high=5, num_low=95, p_high=0.9, context_length=8, relevant_examples=4, label_noise=0.05
    )
    huge = replace(small, num_low=10**6 - 5)
    model = GatedPredictor(in_context=Attention(floor=1e-8))
    predict(small, model)

    def asked(task: TaskDistribution, steps: int) -> float:
        return seconds(lambda: [entry.mean_gate([steps]) for entry in predict(task, model).entries])

    ratios = [asked(huge, 10**12) / asked(small, 10**4) for _ in range(ROUNDS)]
    print(f"predict and E alpha(N) at N = 10^12, C = 10^6: {statistics.median(ratios):.2f} times N = 10^4, C = 10^2")
    grid = {"x": ("p_high", "0.5:0.99:200"), "y": ("label_noise", "0:0.3:200")}
    whole = seconds(lambda: phase_diagram(small, GatedPredictor(), **grid))
    points = [seconds(lambda: predict(small)) for _ in range(ROUNDS)]
    print(f"phase diagram of 200 x 200 points: {whole:.1f} s; predict: {statistics.median(points):.2f} s a point")


def imports() -> None:
    """Import times over that of NumPy, in fresh interpreters."""

    def fresh(statement: str) -> float:
        return seconds(lambda: subprocess.run([sys.executable, "-c", statement], check=True))

    for package in ("theory", "simulate", "figures"):
        extra = [fresh(f"import {package}") - fresh("import numpy") for _ in range(ROUNDS)]
        print(f"import {package}: {1000 * statistics.median(extra):+.0f} ms over the import of NumPy")
    statement = "import theory, simulate; theory.predict; simulate.run; theory.TaskDistribution"
    extra = [fresh(statement) - fresh("import numpy") for _ in range(ROUNDS)]
    print(f"predict and run looked up: {1000 * statistics.median(extra):+.0f} ms over the import of NumPy")


if __name__ == "__main__":
    print(
        f"Python {platform.python_version()}, NumPy {np.__version__}, {platform.machine()}, medians of {ROUNDS} rounds"
    )
    engine()
    bounds()
    diagrams()
    imports()
