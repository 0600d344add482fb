"""Emergence: where the gate first falls below 1/2 from a prior for g, against single runs and against the simulator.

The mean gate of 40,000 runs at the predicted boundary is within 4.5 standard errors of 1/2 (false alarms: 7e-6); a
boundary that is off by one visit moves it by more than 9.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from simulate.simulation import run
from tests.verification.single_runs import last_visits_below, log_odds
from tests.verification.test_bracket import rejected
from theory.gating.cell import GateCell
from theory.prediction import ClassPrediction
from theory.setting import BayesGate, DirichletTable, GatedPredictor, TaskDistribution
from theory.single_runs.bracket import emergence_bracket, visit_bracket
from theory.single_runs.tail_bounds import log_return_probability
from theory.solver import predict

RUNS = 40_000


def setting(classes: int, prior: float, kind: str = "cyclic") -> tuple[TaskDistribution, GatedPredictor]:
    task = TaskDistribution(
        num_high=classes // 2,
        num_low=classes - classes // 2,
        p_high=0.5,
        context_length=8,
        relevant_examples=8,
        label_noise=0.15,
        label_noise_kind=kind,
    )
    gate = BayesGate(prior_in_weight=prior)
    return task, GatedPredictor(in_weight=DirichletTable(pseudo_count=20.0), gate=gate)


def high(classes: int, prior: float, kind: str = "cyclic") -> ClassPrediction:
    return predict(*setting(classes, prior, kind))["high"]


def cell_of(entry: ClassPrediction) -> GateCell:
    return entry.curve.parts[0][1].cells[0][1]


@pytest.mark.parametrize(("classes", "prior"), [(4, 0.9), (6, 0.999), (20, 0.99999)])
@pytest.mark.parametrize("kind", ["cyclic", "symmetric"])
def test_mean_gate_of_single_runs_crosses_where_predicted(classes: int, prior: float, kind: str) -> None:
    entry = high(classes, prior, kind)
    boundary = entry.emerge_visits.sharp
    assert boundary is not None
    before = int(boundary)
    gates = [expit(logit) for logit in log_odds(cell_of(entry), before + 2, RUNS, np.random.default_rng(0))]
    gates.insert(0, np.full(RUNS, prior))
    share = boundary - before
    crossing = (1 - share) * gates[before] + share * gates[before + 1]
    error = float(crossing.std()) / np.sqrt(RUNS)
    assert abs(float(crossing.mean()) - 0.5) <= 4.5 * error + 1e-9
    # One visit later the gate is clearly elsewhere.
    later = (1 - share) * gates[before + 1] + share * gates[before + 2]
    assert abs(float(later.mean()) - 0.5) > 9 * float(later.std()) / np.sqrt(RUNS)


@pytest.mark.parametrize(("classes", "prior"), [(20, 0.99), (40, 0.99999)])
@pytest.mark.parametrize("kind", ["cyclic", "symmetric"])
def test_single_runs_obey_the_emergence_bracket(classes: int, prior: float, kind: str) -> None:
    cell, confidence = cell_of(high(classes, prior, kind)), 0.8
    bracket = emergence_bracket(cell, confidence)
    assert bracket is not None
    first = np.full(RUNS, np.inf)
    for visit, logit in enumerate(log_odds(cell, int(bracket.upper) + 5, RUNS, np.random.default_rng(1)), 1):
        first[(logit < 0) & np.isinf(first)] = visit
    allowed = (1 - confidence) / 2
    # Between visits n - 1 and n the gate falls through 1/2: it is at or above it up to visit n - 1.
    assert not rejected(int((first <= bracket.lower).sum()), RUNS, allowed)
    assert not rejected(int((first > bracket.upper).sum()), RUNS, allowed)
    middle = float(np.median(first))
    assert rejected(int((first <= middle).sum()), RUNS, allowed)
    assert rejected(int((first > middle - 1).sum()), RUNS, allowed)


def test_the_vanishing_bracket_holds_where_learning_emerges_late() -> None:
    """Early on no run is below 1/2 yet: a bound for one time alone would take that for the end."""
    task = TaskDistribution(num_high=25, num_low=25, p_high=0.5, context_length=4, relevant_examples=2, p_relevant=0.9)
    model = GatedPredictor(gate=BayesGate(prior_in_weight=1 - 4e-5))
    entry = predict(task, model)["high"]
    sharp, cell, confidence, runs = entry.vanish_visits.sharp, cell_of(entry), 0.8, 1500
    bracket = visit_bracket(cell, confidence)
    assert bracket is not None
    assert sharp is not None
    assert entry.emerge_visits.sharp is not None
    assert entry.emerge_visits.sharp > 2
    last = last_visits_below(cell, int(2 * max(sharp, bracket.upper)), runs, np.random.default_rng(2))
    assert not rejected(int((last > bracket.upper).sum()), runs, (1 - confidence) / 2)
    assert not rejected(int((last < bracket.lower).sum()), runs, (1 - confidence) / 2)
    # At every visit, however early, the bound covers all later ones.
    for visit in (1, 2, int(sharp / 2), int(sharp), int(bracket.upper)):
        later = float(np.exp(log_return_probability(cell, visit)))
        assert not rejected(int((last >= visit).sum()), runs, later)


def test_the_simulator_crosses_at_the_predicted_step() -> None:
    task, model = setting(20, 0.999)
    entry = predict(task, model)["high"]
    assert entry.emerge_steps is not None
    curve = run(task, model, 200, 3000, 0)["high"].curve
    gate = np.array([np.interp(entry.emerge_steps, curve.steps, row) for row in curve.gate])
    error = float(gate.std()) / np.sqrt(gate.size)
    assert abs(float(gate.mean()) - 0.5) <= 4.5 * error
    assert error < 0.01


def test_the_window_closes_as_the_prior_grows() -> None:
    entries = [high(2, prior) for prior in (0.5, 0.55, 0.6, 0.9)]
    assert entries[0].emerge_visits.sharp is None
    assert entries[0].phase == "transient"
    windows = [(e.emerge_visits.sharp, e.vanish_visits.sharp) for e in entries[1:]]
    open_windows = [(a, z) for a, z in windows if a is not None and z is not None]
    assert len(open_windows) >= 1
    assert all(a < z for a, z in open_windows)
    assert open_windows == sorted(open_windows, key=lambda window: window[0])
    assert entries[-1].phase == "in-weight"
    assert entries[-1].emerge_visits.sharp is None
    assert entries[-1].emerge_steps is None


def test_with_an_even_prior_learning_is_there_from_the_start() -> None:
    entry = high(20, 0.5)
    assert entry.emerge_visits.sharp is None
    assert entry.emerge_visits.rigorous is None
    assert entry.rigorous_emerge_steps is None
