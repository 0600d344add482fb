"""Whether the cost of a step stays the same with longer runs, longer contexts and more classes."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, replace

import numpy as np

from benchmarks.measuring import head, row, seconds, spread
from simulate.simulation import run
from theory.setting import GatedPredictor, TaskDistribution
from theory.setting_file import load

BASE_STEPS = 10**6
LOOK_UPS = 1 << 20
_REASONS = """\
Short runs pay for their tables and for the many intervals between checkpoints at the start, where almost every step
is a pair (class, interval) of its own. With many classes there are too many such pairs to count them all in an array:
the steps are sorted, a rare class is searched for among the jumps of its law, and two to three look-ups a step go to
tables of as many classes. Contexts of more than 70 examples have too many outcomes for their losses to be looked up."""


@dataclass(frozen=True)
class Case:
    """What is compared with a base task."""

    name: str
    task: TaskDistribution
    base: TaskDistribution
    steps: int = BASE_STEPS
    rounds: int = 9
    base_steps: int = BASE_STEPS


def flatness() -> None:
    """Cost of a step against that of the base setting, in turn."""
    print("\n## Is a step's cost flat?\n")
    print("Cost of a step of `simulate.run`, one replicate: of longer and shorter runs against that of 10^6 steps, of")
    print("other tasks against that of as many steps of the base task. The base is `transient` with a floor of 1e-6")
    print("(1e-4 would exceed 1/C with many classes); for natural numbers of relevant examples it is the same without")
    print("a fixed one (L = 8). `look-ups` is the cost of one random access to a table of as many classes, against the")
    print("base's: what the caches alone do to one look-up.")
    head("", "cost of a step, against the base", "look-ups")
    _, model = load("transient")
    model = replace(model, in_context=replace(model.in_context, floor=1e-6))
    for case in cases():
        run(case.task, model, min(case.steps, BASE_STEPS), 1, 0)
        measured = [relative_cost(case, model) for _ in range(case.rounds)]
        look_ups = [random_access(case.task.total_classes) / random_access(100) for _ in range(5)]
        row(case.name, spread(measured), f"{statistics.median(look_ups):.2f}")
    print(f"\n{_REASONS}")


def cases() -> list[Case]:
    """Longer runs, longer contexts, more classes."""
    task, _ = load("transient")
    natural = replace(task, relevant_examples=None)
    runs = [Case(f"{n:,} steps", task, task, n, k) for n, k in ((10**5, 21), (10**7, 5), (10**8, 3))]
    fixed = [
        Case(f"L = {n}, half relevant", replace(task, context_length=n, relevant_examples=max(1, n // 2)), task)
        for n in (1, 64, 256)
    ]
    lengths = [
        Case(f"L = {n}, natural, {steps:,} steps", replace(natural, context_length=n), natural, steps, rounds, steps)
        for steps, rounds in ((10**6, 9), (10**7, 3))
        for n in (1, 64, 256)
    ]
    classes = [
        Case(f"{n:,} classes, {steps:,} steps", replace(task, num_low=n - 5), task, steps, rounds, steps)
        for steps, rounds in ((10**6, 9), (10**7, 3))
        for n in (10, 1000, 10**4, 10**5)
    ]
    return runs + fixed + lengths + classes


def relative_cost(case: Case, model: GatedPredictor) -> float:
    """Cost of a step against the base's."""
    cost = seconds(lambda: run(case.task, model, case.steps, 1, 0)) / case.steps
    return cost / (seconds(lambda: run(case.base, model, case.base_steps, 1, 0)) / case.base_steps)


def random_access(size: int) -> float:
    """Time of many look-ups in a table of so many numbers."""
    table, places = np.zeros(size), np.random.default_rng(0).integers(0, size, LOOK_UPS)
    return min(seconds(lambda: table.take(places)) for _ in range(3))
