"""Speed of bounds, predictions and diagrams, and what importing costs."""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
from dataclasses import replace

import numpy as np

from benchmarks.measuring import head, row, seconds, spread
from theory.catalogue import THEOREMS
from theory.diagrams.diagram import phase_diagram
from theory.setting import Attention, GatedPredictor, TaskDistribution
from theory.solver import predict
from theory.theorems.claim import call
from theory.theorems.falsifier import random_points
from theory.theorems.theorem import Theorem

ROUNDS = 9
POINTS = 1_000_000
# What costs more than this at a hundredth of the points is no closed form.
FEW_PASSES = 300


def bounds() -> None:
    """Cost of each theorem's value, in passes of a logarithm over as many numbers."""
    costs = []
    for theorem in THEOREMS:
        few = min(relative_cost(theorem, POINTS // 100, 3), relative_cost(theorem, POINTS // 100, 3))
        closed = few < FEW_PASSES
        costs.append((relative_cost(theorem, POINTS, ROUNDS) if closed else few, closed, theorem.name))
    print("\n## Theorems\n\nValue of each theorem at many points, in passes of `np.log` over as many numbers.")
    head("theorem", "points", "passes of a logarithm")
    for cost, closed, name in sorted(costs):
        row(f"`{name}`", f"{POINTS if closed else POINTS // 100:,}", f"{cost:.1f}")


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

    print("\n## Predictions and diagrams\n\n`predict` and the mean gate at N = 10^12 steps and C = 10^6 classes take")
    scale = [asked(huge, 10**12) / asked(small, 10**4) for _ in range(ROUNDS)]
    print(f"{spread(scale)} times what they take at N = 10^4, C = 10^2; a phase diagram of")
    grid = {"x": ("p_high", "0.5:0.99:200"), "y": ("label_noise", "0:0.3:200")}
    whole = seconds(lambda: phase_diagram(small, GatedPredictor(), **grid))
    points = statistics.median(seconds(lambda: predict(small)) for _ in range(ROUNDS))
    print(f"200 x 200 points takes {whole / points:.0f} times the time of a prediction of one point.")


def imports() -> None:
    """Import times over that of NumPy, in fresh interpreters."""

    def fresh(statement: str) -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-c", statement], check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    print("\n## Imports\n\nMilliseconds of processor time over the import of NumPy, in fresh interpreters.")
    head("statement", "ms")
    looked_up = "import theory, simulate; theory.predict; simulate.run; theory.TaskDistribution"
    for statement in ("import theory", "import simulate", "import figures", looked_up):
        extra = [fresh(statement) - fresh("import numpy") for _ in range(ROUNDS)]
        row(f"`{statement}`", f"{1000 * statistics.median(extra):+.0f}")
