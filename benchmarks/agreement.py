"""How well boundaries and bands agree with simulation, and how tight the rigorous brackets are: docs/agreement.md.

Usage, from the project's root: ``python -m benchmarks.agreement [SETTINGS]`` (30 for each row by default).
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

import numpy as np

from simulate.boundary import simulated_boundary
from simulate.simulation import run
from tests.verification.box import draw_box, gate_at_boundary, only_cell, slope_at_boundary
from tests.verification.settings import Case, draw_cases
from tests.verification.single_runs import last_visits_below
from theory.single_runs.bracket import visit_bracket

RANGES = ((3, 10), (10, 30), (30, 100), (100, 1000), (1000, 10_000))
HISTORIES = 20_000
MOST_STEPS = 6e7
RUNS = 2000


@dataclass(frozen=True)
class Measured:
    """One setting: relative error, half-width of the 99.9 % interval, both in per cent, and the gate's score."""

    error: float
    half_width: float
    inside: bool
    score: float


def measure(case: Case, seed: int) -> Measured:
    """Simulate a setting with up to 20,000 class histories."""
    replicates = HISTORIES // case.task.total_classes
    replicates = max(8, min(replicates, int(MOST_STEPS / case.steps)))
    result = run(case.task, case.model, case.steps, replicates, seed).entries[0]
    boundary = simulated_boundary(result.curve, np.random.default_rng(seed), 0.999)
    predicted, error = case.prediction.entries[0].vanish_steps, result.curve.standard_error
    assert predicted is not None  # noqa: S101 (drawn with a boundary)
    low, high = boundary.interval or (None, None)
    steps = np.inf if boundary.steps is None else boundary.steps
    gate, spread = (float(np.interp(predicted, result.curve.steps, y)) for y in (result.curve.mean, error))
    return Measured(
        error=100 * (predicted / steps - 1),
        half_width=50 * ((np.inf if high is None else high) - (low or 0.0)) / steps,
        inside=(low or 0.0) <= predicted <= (np.inf if high is None else high),
        score=(gate - 0.5) / spread,
    )


def row(name: str, cases: list[Case], seed: int) -> str:
    """One line of the table."""
    found = [measure(case, seed + number) for number, case in enumerate(cases)]
    errors = np.abs([one.error for one in found])
    scores = np.array([one.score for one in found])
    return (
        f"| {name} | {len(found)} | {np.median(errors):.2f} % | {errors.max():.1f} % "
        f"| {np.median([one.half_width for one in found]):.1f} % | {sum(one.inside for one in found)} "
        f"| {np.sqrt(np.mean(scores**2)):.2f} | {np.abs(scores).max():.1f} |"
    )


def main(settings: int) -> None:
    """Print the tables."""
    kinds = {
        "per query, at most two labels (exact)": {},
        "symmetric noise": {"kind": "symmetric"},
        "per query and relevance (named approximation)": {"per": "query-and-relevance"},
    }
    seed = 100
    for title, options in kinds.items():
        print(f"\n### {title}\n")
        print("| visits | settings | median error | largest | median half-width | inside | rms score | largest |")
        print("|" + " --- |" * 8)
        for visits in RANGES:
            seed += 1000
            cases = draw_cases(settings, seed, visits=visits, **options)  # type: ignore[arg-type]
            print(row(f"{visits[0]} to {visits[1]}", cases, seed), flush=True)


def brackets(settings: int) -> None:
    """Print how tight the rigorous brackets are, and how often single runs lie outside of them."""
    cases = [case for kind in ("cyclic", "symmetric") for case in draw_cases(settings, 31, visits=(3, 3000), kind=kind)]
    tight, before, after = [], [], []
    for case in cases:
        cell = only_cell(case)
        bracket = visit_bracket(cell, 0.95)
        assert bracket is not None  # noqa: S101 (drawn with a boundary, gate per query)
        last = last_visits_below(cell, int(1.2 * bracket.upper) + 5, RUNS, np.random.default_rng(5))
        tight.append(bracket.upper / max(1.0, float(np.quantile(last, 0.975))))
        before.append(float((last < bracket.lower).mean()))
        after.append(float((last > bracket.upper).mean()))
    print(f"\n### Rigorous brackets, confidence 0.95, {len(cases)} settings, {RUNS} single runs each\n")
    low, middle, high = np.quantile(tight, [0.1, 0.5, 0.9])
    print(
        f"upper end over that of the 95 % band: median {middle:.2f}, {low:.2f} to {high:.2f}, at most {max(tight):.1f}"
    )
    print(f"missed by at most {100 * max(before):.2f} % of the runs (lower end), {100 * max(after):.2f} % (upper end)")


def bands(settings: int) -> None:
    """Print how many single runs have their boundary before and after the 95 % band, in steps."""
    missed: list[tuple[float, float]] = []
    for kind in ("cyclic", "symmetric"):
        for number, case in enumerate(draw_cases(settings, 41, visits=(3, 3000), kind=kind)):
            entry = case.prediction.entries[0]
            bracket, band = visit_bracket(only_cell(case), 0.999), entry.band_steps
            assert bracket is not None  # noqa: S101 (drawn with a boundary, gate per query)
            assert band is not None  # noqa: S101
            generator = np.random.default_rng(number)
            last = last_visits_below(only_cell(case), int(bracket.upper) + 5, RUNS, generator).astype(int)
            # The gate is below 1/2 from the last visit on that left it there, up to the next visit.
            never = (last == 0) & (entry.mean_gate([0])[0] >= 0.5)
            steps = last + 1 + generator.negative_binomial(last + 1, entry.class_probability) - 0.5
            steps = np.where(never, 0.0, steps)
            missed.append((float((steps < band.lower).mean()), float((steps > band.upper).mean())))
    before, after = 100 * np.array(missed).T
    held = 100 - before - after
    print(f"\n### Bands of single runs, 95 %, {len(missed)} settings, {RUNS} single runs each\n")
    print(
        f"before the lower end: at most {before.max():.2f} %, median {np.median(before[before > 0]):.2f} % (not at 0)"
    )
    print(f"after the upper end: {after.min():.2f} to {after.max():.2f} %, median {np.median(after):.2f} %")
    print(f"within: {held.min():.2f} to {held.max():.2f} %, median {np.median(held):.2f} %")


def box(settings: int) -> None:
    """Print how far the mean gate at the predicted boundary is from 1/2, over the whole box."""
    scores, errors, alike = [], [], 0
    for number, case in enumerate(draw_box(settings, 1)):
        mean, error = gate_at_boundary(case, 1.0, 2 * HISTORIES, np.random.default_rng([3, number]))
        slope = slope_at_boundary(case)
        if error < 1e-6:
            alike += 1
            assert abs(mean - 0.5) < 1e-6, case  # noqa: S101 (every history is the same)
            continue
        scores.append((mean - 0.5) / error)
        if error / slope < 0.003:
            errors.append(abs(mean - 0.5) / slope)
    print(f"\n### The whole box, {settings} settings, {2 * HISTORIES} histories each\n")
    print(f"all histories alike: {alike}; the gate is 1/2 at the boundary to 1e-6")
    print(
        f"score of the gate at the boundary: rms {np.sqrt(np.mean(np.square(scores))):.2f}, {np.abs(scores).max():.1f}"
    )
    print(
        f"Monte Carlo error of the boundary at most 0.3 %: {len(errors)}, with errors {100 * np.median(errors):.2f} % "
        f"in the median, {100 * max(errors):.2f} % at most"
    )


if __name__ == "__main__":
    asked = int(sys.argv[1]) if len(sys.argv) > 1 else 30
    box(200 if len(sys.argv) == 1 else asked)
    brackets(asked)
    bands(asked)
    main(asked)
