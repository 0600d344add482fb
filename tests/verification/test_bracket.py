"""Rigorous brackets against single runs: never violated beyond the stated probability, and not empty.

Each end may fail in half of what the confidence leaves. With 1,500 runs and an allowed rate of 0.1 an end is rejected
(false alarms: 1e-6) from a violation rate of 0.139 on; a rate of 0.2 is seen with probability 1 - 1e-9.
"""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import betainc, expit, gammaln

from simulate.simulation import run
from tests.verification.settings import Case, draw_cases
from tests.verification.single_runs import last_visits_below
from theory.gating.cell import GateCell
from theory.setting import Attention, BayesGate, DirichletTable, GatedPredictor, TaskDistribution
from theory.single_runs.bracket import Bracket, visit_bracket
from theory.solver import predict
from theory.transitions.crossing import last_rise

CONFIDENCE = 0.8
RUNS = 1500
FALSE_ALARM = 1e-6


def cell_of(case: Case) -> GateCell:
    ((_, curve),) = case.prediction.entries[0].curve.parts
    ((_, cell),) = curve.cells
    return cell


def rejected(violations: int, trials: int, allowed: float) -> bool:
    """Whether so many violations are less likely than the false-alarm rate, were the allowed rate true."""
    return violations > 0 and float(betainc(violations, trials - violations + 1, allowed)) < FALSE_ALARM


def violations(last: NDArray[np.float64], bracket: Bracket) -> tuple[int, int]:
    """Runs whose boundary lies before the bracket, and runs whose gate is below 1/2 after it."""
    return int((last < bracket.lower).sum()), int((last > bracket.upper).sum())


def check(case: Case, seed: int) -> float:
    """Check one setting; returns the bracket's upper end over that of the band that holds 95 % of single runs."""
    cell = cell_of(case)
    sharp = case.prediction.entries[0].vanish_visits.sharp
    bracket, wide = visit_bracket(cell, CONFIDENCE), visit_bracket(cell, 0.95)
    assert sharp is not None
    assert bracket is not None
    assert wide is not None
    assert wide.lower <= bracket.lower <= bracket.upper <= wide.upper
    last = last_visits_below(cell, int(1.5 * wide.upper) + 5, RUNS, np.random.default_rng(seed))
    allowed = (1 - CONFIDENCE) / 2
    before, after = violations(last, bracket)
    assert not rejected(before, RUNS, allowed), f"{case}: {before} of {RUNS} runs before {bracket}"
    assert not rejected(after, RUNS, allowed), f"{case}: {after} of {RUNS} runs after {bracket}"
    # Shortened brackets: the ends where a quarter of the runs lie beyond.
    if np.quantile(last, 0.25) < np.quantile(last, 0.75):
        low, high = np.quantile(last, [0.25, 0.75], method="nearest")
        short = Bracket(lower=float(low) + 1, upper=float(high) - 1, confidence=CONFIDENCE)
        assert all(rejected(number, RUNS, allowed) for number in violations(last, short))
    return wide.upper / max(1.0, float(np.quantile(last, 0.975)))


def cases(number: int, seed: int, visits: tuple[float, float]) -> list[Case]:
    return draw_cases(number, seed, visits=visits) + draw_cases(number, seed, visits=visits, kind="symmetric")


@pytest.mark.parametrize("case", cases(3, 20, (3, 300)), ids=str)
def test_single_runs_obey_the_bracket(case: Case) -> None:
    check(case, 0)


@pytest.mark.slow
def test_many_single_runs_obey_the_bracket_and_it_is_tight() -> None:
    ratios = [check(case, 1) for case in cases(20, 21, (3, 3000))]
    assert np.median(ratios) <= 2


def test_the_bracket_in_steps_holds_for_the_simulator() -> None:
    # With one class in each group, the gate of a group in a replicate is that of a single run.
    task = TaskDistribution(num_high=1, num_low=1, p_high=0.8, context_length=4, relevant_examples=1, label_noise=0.1)
    model = GatedPredictor()
    prediction = predict(task, model, confidence=CONFIDENCE)
    brackets = {name: prediction[name].rigorous_steps for name in ("high", "low")}
    longest = max(bracket.upper for bracket in brackets.values() if bracket is not None)
    result = run(task, model, int(1.5 * longest), 400, 0)
    for name, bracket in brackets.items():
        assert bracket is not None
        curve = result[name].curve
        boundaries = last_rise(curve.steps, curve.gate, 0.5)
        before, after = int((boundaries < bracket.lower).sum()), int((boundaries > bracket.upper).sum())
        assert not rejected(before, 400, (1 - CONFIDENCE) / 2)
        assert not rejected(after, 400, (1 - CONFIDENCE) / 2)
        assert rejected(int((boundaries > np.quantile(boundaries, 0.7)).sum()), 400, (1 - CONFIDENCE) / 2)


def test_the_lower_end_holds_where_noisy_labels_differ() -> None:
    """Which of two noisy labels came decides about both losses: one law for both would break this bracket fourfold."""
    visits, b, costly = 8, 1.0, 10.0
    # Only a run of the rare label alone keeps the gate above 1/2: the prior is 0.3 above what it takes.
    needed = costly * visits + gammaln(visits + b) - gammaln(b) - gammaln(visits + 3 * b) + gammaln(3 * b)
    log_odds = 0.3 - float(needed)
    task = TaskDistribution(
        frequencies="weights",
        weights=(0.5, 0.5 - 1e-12, 1e-12),
        context_length=4,
        p_relevant=0.0,
        label_noise=1.0,
        label_noise_kind="symmetric",
        context_label_noise=0.0,
    )
    floor = float(np.exp(-costly))
    model = GatedPredictor(
        in_weight=DirichletTable(pseudo_count=b),
        in_context=Attention(odds=1.0, floor=floor),
        gate=BayesGate(prior_in_weight=float(expit(log_odds))),
    )
    confidence, runs = 0.999, 200_000
    bracket = predict(task, model, confidence=confidence).entries[0].vanish_visits.rigorous
    assert bracket is not None
    generator = np.random.default_rng(0)
    logit, counts, every = np.full(runs, log_odds), np.zeros((runs, 2)), np.arange(runs)
    never_below_from = {first: np.ones(runs, dtype=bool) for first in (int(bracket.lower), int(bracket.lower) + 1)}
    for visit in range(1, int(bracket.upper) + 1):
        which = generator.integers(2, size=runs)
        logit += np.where(which, costly, -np.log(1 - 2 * floor))
        logit += np.log((counts[every, which] + b) / (visit - 1 + 3 * b))
        counts[every, which] += 1
        for first in never_below_from:
            if visit >= first:
                never_below_from[first] &= logit >= 0
    violated, one_later = (int(still.sum()) for still in never_below_from.values())
    assert not rejected(violated, runs, (1 - confidence) / 2)
    # One visit later is where the bracket with one law for both labels began.
    assert rejected(one_later, runs, (1 - confidence) / 2)
