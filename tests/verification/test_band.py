"""Bands of single runs against single runs: each end is passed by what the confidence leaves, nearly.

The band is sharp, not exact: a tail of 2.5 % may be between 1.0 % and 4.0 % (measured over 80 settings: see
docs/agreement.md). With 8,000 runs an end is rejected (false alarms: 1e-6) from 5.1 % on or up to 0.5 %. Rejected are
a law that ignores how the drift grows, and a band that holds 80 % of the runs.
"""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import betainc, ndtri

from simulate.simulation import run
from tests.verification.settings import Case, draw_cases
from tests.verification.single_runs import last_visits_below, log_odds
from theory.gating.cell import GateCell, mean_logit
from theory.setting import BayesGate, DirichletTable, GatedPredictor, TaskDistribution
from theory.single_runs.bracket import visit_bracket
from theory.single_runs.early_visits import EarlyVisits, excess_law
from theory.single_runs.visit_law import has_been_below, stays_above
from theory.solver import predict
from theory.transitions.crossing import last_rise

RUNS = 8000
FALSE_ALARM = 1e-6
TAIL, TOLERANCE = 0.025, 0.015


def cell_of(case: Case) -> GateCell:
    return case.prediction.entries[0].curve.parts[0][1].cells[0][1]


def too_many(number: int, trials: int, rate: float) -> bool:
    """Whether so many are less likely than the false-alarm rate, were the rate true."""
    return number > 0 and float(betainc(number, trials - number + 1, rate)) < FALSE_ALARM


def too_few(number: int, trials: int, rate: float) -> bool:
    return too_many(trials - number, trials, 1 - rate)


def accepted(number: int, trials: int, rate: float) -> bool:
    """Whether the rate may be right to within the tolerance."""
    return not (too_many(number, trials, rate + TOLERANCE) or too_few(number, trials, max(rate - TOLERANCE, 0.0)))


def boundaries(cell: GateCell, runs: int, seed: int) -> NDArray[np.float64]:
    """Last visits below 1/2 of single runs."""
    bracket = visit_bracket(cell, 0.9999)
    assert bracket is not None
    return last_visits_below(cell, int(bracket.upper) + 5, runs, np.random.default_rng(seed))


def in_steps(last: NDArray[np.float64], case: Case, seed: int) -> NDArray[np.float64]:
    """Between which steps the boundary lies: before the visit after the last one below."""
    visits = (last + 1).astype(np.int64)
    waited = np.random.default_rng(seed).negative_binomial(visits, case.prediction.entries[0].class_probability)
    never = (last == 0) & (cell_of(case).prior_log_odds >= 0)
    return np.where(never, 0.0, visits + waited - 0.5)


def check(case: Case, seed: int, runs: int = RUNS) -> tuple[float, float]:
    """Check one setting; returns the shares of runs before and after the band."""
    band = case.prediction.entries[0].band_steps
    assert band is not None
    steps = in_steps(boundaries(cell_of(case), runs, seed), case, seed)
    before, after = int((steps < band.lower).sum()), int((steps > band.upper).sum())
    if band.lower > 0:
        assert accepted(before, runs, TAIL), f"{case}: {before} of {runs} runs before {band}"
    else:
        assert not too_few(int((steps <= 1).sum()), runs, TAIL - TOLERANCE), f"{case}: few runs before {band}"
    assert accepted(after, runs, TAIL), f"{case}: {after} of {runs} runs after {band}"
    # A band that holds 80 % of the runs.
    low, high = np.quantile(steps, [0.1, 0.9])
    assert not accepted(int((steps > high).sum()), runs, TAIL)
    assert low == 0 or not accepted(int((steps < low).sum()), runs, TAIL)
    return before / runs, after / runs


def cases(number: int, seed: int, visits: tuple[float, float]) -> list[Case]:
    return [case for kind in ("cyclic", "symmetric") for case in draw_cases(number, seed, visits=visits, kind=kind)]


@pytest.mark.parametrize("case", cases(2, 41, (3, 150)), ids=str)
def test_single_runs_fill_the_band(case: Case) -> None:
    check(case, 0)


def naive_law(cell: GateCell, visits: int) -> float:
    """Probability of staying above 1/2: normal law of the log-odds, Lundberg's chance of a return at constant drift."""
    excess, early = excess_law(cell), EarlyVisits.of(cell, 400)
    offset = early.moments(early.visits)[1] - early.visits * excess.variance
    nodes = ndtri((np.arange(400) + 0.5) / 400)
    logit = float(mean_logit(cell, visits)) + np.sqrt(max(visits * excess.variance + offset, 0.0)) * nodes
    stays = 1 - np.exp(-2 * excess.mean / excess.variance * np.maximum(logit, 0))
    return float(np.where(logit >= 0, stays, 0.0).mean())


def test_a_law_with_constant_drift_is_rejected() -> None:
    task = TaskDistribution(num_high=5, num_low=5, p_high=0.5, context_length=8, relevant_examples=4, label_noise=0.2)
    model = GatedPredictor()
    cell = cell_of(Case(task, model, predict(task, model)))
    last = boundaries(cell, RUNS, 3)
    law = stays_above(cell)
    assert law is not None
    late = int(np.argmax(law.at(np.arange(1, 400)) >= 0.9)) + 1
    for visits in (1, late):
        found = int((last < visits).sum())
        assert accepted(found, RUNS, float(law.at(visits)))
        assert not accepted(found, RUNS, naive_law(cell, visits))


@pytest.mark.parametrize("kind", ["cyclic", "symmetric"])
def test_emergence_of_single_runs(kind: str) -> None:
    task = TaskDistribution(
        num_high=3, num_low=3, p_high=0.5, context_length=8, relevant_examples=8, label_noise=0.15,
        label_noise_kind=kind,
    )  # fmt: skip
    gate = BayesGate(prior_in_weight=0.999)
    model = GatedPredictor(in_weight=DirichletTable(pseudo_count=20.0), gate=gate)
    cell = cell_of(Case(task, model, predict(task, model)))
    law = has_been_below(cell)
    assert law is not None
    runs, first = 20_000, np.full(20_000, np.inf)
    for visit, logit in enumerate(log_odds(cell, 40, runs, np.random.default_rng(5)), 1):
        first[(logit < 0) & np.isinf(first)] = visit
    predicted = law.at(np.arange(1, 41))
    for visit in range(1, 41):
        found = int((first <= visit).sum())
        assert accepted(found, runs, float(predicted[visit - 1]))
    # The law of one visit alone, as if no run that was below could be above again.
    assert not accepted(int((first <= 20).sum()), runs, float(predicted[2]))


def test_the_band_in_steps_holds_for_the_simulator() -> None:
    # With one class in each group, the gate of a group in a replicate is that of a single run.
    task = TaskDistribution(num_high=1, num_low=1, p_high=0.8, context_length=4, relevant_examples=1, label_noise=0.1)
    model = GatedPredictor()
    prediction = predict(task, model, confidence=0.8)
    bands = {name: prediction[name].band_steps for name in ("high", "low")}
    longest = max(band.upper for band in bands.values() if band is not None)
    runs = 600
    result = run(task, model, int(3 * longest), runs, 0)
    for name, band in bands.items():
        assert band is not None
        curve = result[name].curve
        found = last_rise(curve.steps, curve.gate, 0.5)
        assert accepted(int((found > band.upper).sum()), runs, 0.1)
        assert not too_many(int((found < band.lower).sum()), runs, 0.1 + TOLERANCE)
        assert not accepted(int((found > np.quantile(found, 0.7)).sum()), runs, 0.1)


@pytest.mark.slow
@pytest.mark.parametrize(
    "visits",
    [
        (3, 30),
        (30, 300),
        pytest.param(
            (300, 3000),
            marks=pytest.mark.xfail(reason="the upper end is late: 1.9 % of the runs beyond it in the mean"),
        ),
    ],
)
def test_many_single_runs_fill_their_bands(visits: tuple[float, float]) -> None:
    found = np.array([check(case, 1, 4000) for case in cases(10, 42, visits)])
    # A setting may be at the edge of the tolerance, but not all of them.
    assert np.abs(found[:, 1].mean() - TAIL) <= 0.005
    assert found[:, 0].mean() <= TAIL + 0.005
