"""Speed of both engines as a Markdown page: ``python -m benchmarks.engines > docs/bench.md`` (some minutes).

Absolute times mean little on a shared machine: every figure is a ratio of two things that ran in turn in one process,
and is quoted as the median with the smallest and the largest of the rounds.
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
from pathlib import Path

import numpy as np

from simulate.lanes import Lanes
from simulate.learner import Learner
from simulate.prompts import draw_prompts
from simulate.reference import reference_run
from simulate.scan_engine import BLOCK
from simulate.simulation import run
from simulate.sources import PromptSource
from simulate.statistics import statistics_sampler
from simulate.step_engine import learned_parts
from theory.setting import (
    AdaHedgeGate,
    ExponentiatedGradientGate,
    FixedShareGate,
    GatedPredictor,
    LearnedAttention,
    LogisticGate,
    LogisticRegression,
    ProjectedGradientGate,
    TaskDistribution,
    UniversalMixtureGate,
)
from theory.setting_file import load

ROUNDS = 7
REFERENCE_STEPS = 20_000
LANES = 1000
SMALL = TaskDistribution(num_high=5, num_low=5, p_high=0.9, context_length=8, relevant_examples=4, label_noise=0.05)
STEPPED = {
    "table, attention, Bayes gate": GatedPredictor(),
    "table, attention, fixed share": GatedPredictor(gate=FixedShareGate()),
    "table, attention, AdaHedge": GatedPredictor(gate=AdaHedgeGate()),
    "table, attention, exponentiated gradient": GatedPredictor(gate=ExponentiatedGradientGate()),
    "table, attention, projected gradient": GatedPredictor(gate=ProjectedGradientGate()),
    "table, attention, logistic gate": GatedPredictor(gate=LogisticGate()),
    "table, attention, universal mixture of 64": GatedPredictor(gate=UniversalMixtureGate(nodes=64)),
    "table, learned attention, Bayes gate": GatedPredictor(in_context=LearnedAttention(learning_rate=0.01)),
    "regression, attention, Bayes gate": GatedPredictor(in_weight=LogisticRegression()),
    "regression, learned attention, fixed share": GatedPredictor(
        in_weight=LogisticRegression(), in_context=LearnedAttention(learning_rate=0.01), gate=FixedShareGate()
    ),
}


def seconds(work: Callable[[], object]) -> float:
    """Wall-clock time of one call."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def spread(ratios: list[float]) -> str:
    """Median, smallest and largest."""
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"


def row(*cells: object) -> None:
    """One row of a table."""
    print("| " + " | ".join(str(cell) for cell in cells) + " |")


def head(*cells: str) -> None:
    """Header of a table."""
    print()
    row(*cells)
    row(*("---" for _ in cells))


def variates_alone(streams: int, steps: int) -> None:
    """As many uniform variates as a run of so many steps uses, from the same bit generator, in the same blocks."""
    generators = [np.random.default_rng(i) for i in range(streams)]
    for start in range(0, steps, BLOCK):
        for generator in generators:
            generator.random(min(BLOCK, steps - start))


def scan_against_variates() -> None:
    """The whole of ``run`` against its random numbers and against the reference loop."""
    task, model = load("transient")
    streams = len(statistics_sampler(task).purposes)
    print("\n## Scan engine\n\nThe 100-class, L = 8 task (preset `transient`), all of `simulate.run`, one replicate.")
    print(f"A step uses {streams} uniform variates (64-bit, PCG64).")
    head("steps", "times its random numbers alone", "times faster than the reference loop")
    prompts = draw_prompts(task, REFERENCE_STEPS, np.random.default_rng(0))
    for steps, rounds in ((10**5, 3 * ROUNDS), (10**6, ROUNDS), (10**7, 5)):
        run(task, model, min(steps, 10**6), 1, 0)
        ratios, faster = [], []
        for _ in range(rounds):
            scan = seconds(lambda n=steps: run(task, model, n, 1, 0)) / steps
            ratios.append(scan / (seconds(lambda n=steps: variates_alone(streams, n)) / steps))
            faster.append(seconds(lambda: reference_run(task, model, prompts)) / REFERENCE_STEPS / scan)
        row(f"{steps:,}", spread(ratios), f"{statistics.median(faster):.0f}")


def flatness() -> None:
    """Cost of a step against that of the base setting, in turn."""
    print("\n## Is a step's cost flat?\n\nCost of a step of `simulate.run` against 10^6 steps of the base: the same")
    print("task with a floor of 1e-6 (1e-4 would exceed 1/C with many classes); `look-ups` is the cost of one random")
    print("access to a table of as many classes, against the base's: what the caches alone do.")
    task, model = load("transient")
    base_model = replace(model, in_context=replace(model.in_context, floor=1e-6))
    cases: list[tuple[str, TaskDistribution, int]] = [(f"{n:,} steps", task, n) for n in (10**5, 10**7)]
    cases += [
        (f"L = {length}", replace(task, context_length=length, relevant_examples=max(1, length // 2)), 10**6)
        for length in (1, 64, 256)
    ]
    cases += [(f"{c:,} classes", replace(task, num_low=c - 5), 10**6) for c in (10, 1000, 10**4, 10**5)]
    head("", "cost of a step, against the base", "look-ups")
    for name, other, steps in cases:
        ratios, look_ups = [], []
        for _ in range(ROUNDS if steps < 10**7 else 3):
            cost = seconds(lambda t=other, n=steps: run(t, base_model, n, 1, 0)) / steps
            ratios.append(cost / (seconds(lambda: run(task, base_model, 10**6, 1, 0)) / 10**6))
            look_ups.append(random_access(other.total_classes) / random_access(task.total_classes))
        row(name, spread(ratios), f"{statistics.median(look_ups):.2f}")


def random_access(size: int) -> float:
    """Time of a block of look-ups in a table of so many numbers."""
    table, places = np.zeros(size), np.random.default_rng(0).integers(0, size, 1 << 20)
    return min(seconds(lambda: table.take(places)) for _ in range(3))


def memory() -> None:
    """Peak memory of a long run in a fresh interpreter."""
    code = (
        "import resource, simulate, theory; task, model = theory.load('transient'); "
        "simulate.run(task, model, {steps}, 1, 0); print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)"
    )
    print("\n## Memory\n\nPeak resident memory of the interpreter, one replicate of `transient`.")
    head("steps", "MiB")
    for steps in (10**5, 10**7, 10**8, 10**9):
        command = [sys.executable, "-c", code.format(steps=steps)]
        row(f"{steps:,}", subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip())


def step_engine() -> None:
    """Cost of a replicate-step with one replicate against that with many."""
    print("\n## Step engine\n\nDrawing and learning, ten classes, L = 8: cost of a replicate-step with 1 replicate")
    print(f"divided by that with {LANES:,}. What is time-parallel at one replicate has less to gain.")
    head("model", "falls by a factor of", "ns a replicate-step with 1", f"with {LANES:,}")
    for name, model in STEPPED.items():
        ratios, one, many = [], [], []
        for _ in range(ROUNDS):
            one.append(learning(model, 1, 4000))
            many.append(learning(model, LANES, 400))
            ratios.append(one[-1] / many[-1])
        row(name, spread(ratios), f"{1e9 * statistics.median(one):,.0f}", f"{1e9 * statistics.median(many):,.0f}")
    ratios = [in_a_loop(GatedPredictor()) / learning(GatedPredictor(), LANES, 400) for _ in range(ROUNDS)]
    print("\nTable, attention and Bayes gate need no loop over time, so one replicate has none to share with others;")
    print(f"the reference loop, step by step and given its prompts, costs {spread(ratios)} times as much a step as")
    print(f"{LANES:,} replicates do.")


def in_a_loop(model: GatedPredictor) -> float:
    """Time of a step of the reference loop."""
    prompts = draw_prompts(SMALL, 4000, np.random.default_rng(0))
    return seconds(lambda: reference_run(SMALL, model, prompts)) / prompts.query.size


def learning(model: GatedPredictor, replicates: int, steps: int) -> float:
    """Time of a replicate-step."""
    lanes = Lanes((SMALL,), (model,), replicates)
    learner = Learner(lanes)
    source = PromptSource(lanes, learner.needs, 0)

    def work() -> None:
        for _ in learned_parts(source, learner, steps):
            pass

    return seconds(work) / (steps * replicates)


def processor() -> str:
    """Name of the processor."""
    information = Path("/proc/cpuinfo")
    lines = information.read_text(encoding="utf-8").splitlines() if information.exists() else []
    return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.machine())


if __name__ == "__main__":
    print(
        "# Speed\n\nMade by `python -m benchmarks.engines > docs/bench.md`: medians (smallest to largest) of ratios of"
    )
    print("things that ran in turn in one process, on one core of a shared machine.")
    print(
        f"\nMachine: {processor()}, {os.cpu_count()} cores; Python {platform.python_version()}, NumPy {np.__version__}."
    )
    scan_against_variates()
    flatness()
    step_engine()
    memory()
