"""Checks of boundaries and of how they scale."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, logit

from simulate.scan import Scan
from simulate.simulation import run
from tests.verification.theorem_check import Address, Check, Setting
from tests.verification.theorem_streams import drawn, histories_task, label_task, prompts_of, table_scan
from theory.catalogue import find_theorem
from theory.setting import Attention, BayesGate, DirichletTable, GatedPredictor

Array = NDArray[np.float64]


# Boundaries without label noise: nothing is random but the engine's arithmetic.


def model_of(C: int, b: float, gap: float, prior_log_odds: float) -> GatedPredictor:
    """A model whose in-context loss is the gap at every visit, since only the floor errs."""
    floor = -math.expm1(-gap) / (C - 1)
    gate = BayesGate(prior_in_weight=1 / (1 + math.exp(-prior_log_odds)))
    return GatedPredictor(in_weight=DirichletTable(pseudo_count=b), in_context=Attention(floor=floor), gate=gate)


def point_of(C: int, b: float, gap: float, prior_log_odds: float) -> dict[str, float]:
    """The theorem's parameters, from Stirling's formula for the table's cumulative loss."""
    constant = float(gammaln(b) - gammaln(C * b)) - prior_log_odds
    return {"log_weight": (C - 1) * b, "gap": gap, "constant": constant}


def clean(C: int, b: float, gap: float, prior_log_odds: float = 0.0, **more: Any) -> Setting:
    """A setting with what Stirling's formula leaves out: at most Cb(Cb + 1)/n nats at the boundary's n, in visits."""
    point = point_of(C, b, gap, prior_log_odds)
    visits = float(find_theorem("boundary_lambert").evaluate(**point))
    left_out = C * b * (C * b + 1) / visits / (gap - (C - 1) * b / visits)
    how = {"C": C, "b": b, "gap": gap, "prior_log_odds": prior_log_odds, "visits": visits}
    return Setting(point=point, how=how, allowed=left_out, sees=0.02, **more)


def crossing(C: int, b: float, gap: float, prior_log_odds: float, visits: float) -> float:
    """Visits at which the engine's gate last rises through 1/2, its log-odds interpolated between two visits."""
    steps = int(1.3 * visits) + 5
    scan = Scan(histories_task(label_task(C), C), model_of(C, b, gap, prior_log_odds), np.arange(1, steps + 1))
    start = scan.gates[0]
    none = np.zeros(steps, dtype=np.intp)
    moved = scan.advance(prompts_of(none, none))
    log_odds = logit(start + np.cumsum(moved.change))
    below = int(np.flatnonzero(log_odds < 0).max())
    low, high = log_odds[below : below + 2]
    return float(below + 1 - low / (high - low))


def simulated_boundary(setting: Setting, number: int, address: Address) -> Array:
    del number, address
    return np.array([crossing(**setting.how)])


def elasticity_to_gap(setting: Setting, number: int, address: Address) -> Array:
    """Central difference of the simulated boundary's logarithm by the gap's."""
    del number, address
    ends = [math.log(crossing(**{**setting.how, "gap": setting.how["gap"] * math.exp(s * STEP)})) for s in (1, -1)]
    return np.array([(ends[0] - ends[1]) / (2 * STEP)])


def elasticity_to_weight(setting: Setting, number: int, address: Address) -> Array:
    """The same by the weight, through the pseudo-count, with the prior moved so that the constant stays."""
    del number, address
    how, ends = setting.how, []
    constant = setting.point["constant"]
    for sign in (1, -1):
        b = how["b"] * math.exp(sign * STEP)
        prior = float(gammaln(b) - gammaln(how["C"] * b)) - constant
        ends.append(math.log(crossing(**{**how, "b": b, "prior_log_odds": prior})))
    return np.array([(ends[0] - ends[1]) / (2 * STEP)])


def move_with_prior(setting: Setting, number: int, address: Address) -> Array:
    """The same by the constant, which falls by a nat where the prior log-odds rise by one."""
    del number, address
    how = setting.how
    ends = [math.log(crossing(**{**how, "prior_log_odds": how["prior_log_odds"] - sign * STEP})) for sign in (1, -1)]
    return np.array([(ends[0] - ends[1]) / (2 * STEP)])


STEP = 0.01


def boundary_of_run(setting: Setting, number: int, address: Address) -> Array:
    """Visits at the boundary that `run` reports for equally frequent classes, in so many runs of their own seeds."""
    how = setting.how
    task = label_task(how["C"])
    model = model_of(how["C"], how["b"], how["gap"], how["prior_log_odds"])
    found = []
    for i in range(number):
        seed = address.seed + number * address.replicate + i
        steps = run(task, model, int(1.3 * how["visits"] * how["C"]), 4, seed).strata[0].boundary.steps
        assert steps is not None
        found.append(steps / how["C"])
    return np.array(found)


# A boundary with label noise.


def noisy_boundary_setting(C: int, m: int, label_noise: float, floor: float, **more: Any) -> Setting:
    law = {"C": C, "label_noise": label_noise, "noisy_labels": 1}
    risk = find_theorem("in_context_risk").evaluate(L=m, m=m, odds=1.0, floor=floor, **law)
    entropy = -label_noise * math.log(label_noise) - (1 - label_noise) * math.log1p(-label_noise)
    gap, weight = float(risk) - entropy, (C - 2) * 0.5 + 0.5
    learning = find_theorem("cumulative_loss_asymptotic")
    constant = float(learning.evaluate(n=10**9, b=0.5, **law)) - weight * math.log(1e9)
    point = {"log_weight": weight, "gap": gap, "constant": constant}
    visits = float(find_theorem("boundary_lambert").evaluate(**point))
    slope = gap - weight / visits
    assert learning.remainder is not None
    left_out = float(learning.remainder(n=visits, b=0.5, **law)) / slope
    how = {"C": C, "m": m, "label_noise": label_noise, "floor": floor, "visits": round(visits), "slope": slope}
    return Setting(point=point, how=how, allowed=left_out, **more)


def noisy_boundaries(setting: Setting, number: int, address: Address) -> Array:
    """Log-odds of the engine's gate at the predicted boundary, as visits that are missing (their mean shall be 0)."""
    how = setting.how
    task = label_task(how["C"], how["label_noise"], context_length=how["m"], relevant_examples=how["m"])
    visits = how["visits"]
    stream = drawn(task, visits * number, address)
    query = np.tile(np.arange(number), visits)
    attention = Attention(odds=1.0, floor=how["floor"])
    scan = table_scan(task, number, visits * number, 0.5, BayesGate(), attention)
    scan.advance(prompts_of(query, stream.label_offset, stream.relevant_matches, how["m"]))
    totals = scan.totals()
    log_odds = (totals.in_context - totals.in_weight)[:number]
    return np.asarray(visits - log_odds / how["slope"])


def with_allowed(setting: Setting, theorem: str, share: float) -> Setting:
    """The same setting, with a share of the theorem's value allowed."""
    value = abs(float(find_theorem(theorem).evaluate(**setting.point)))
    return replace(setting, allowed=share * value, sees=2 * share)


FEW_VISITS = clean(2, 0.5, 0.05)
USUAL = clean(10, 0.5, 0.009, 1.0)
MANY_LABELS = clean(200, 0.1, 0.002)
CLEAN = (FEW_VISITS, USUAL, MANY_LABELS)
CROSSING = "crossing of 1/2 by the gate of `Scan` without label noise"
DIFFERENCE = "central difference of the crossing of 1/2 by the gate of `Scan`"


def of_boundary(theorem: str) -> Check:
    return Check(theorem=theorem, simulated=CROSSING, draw=simulated_boundary, settings=CLEAN, random=False)


def of_elasticity(theorem: str, draw: Any) -> Check:
    settings = tuple(with_allowed(setting, theorem, 0.001) for setting in (USUAL, MANY_LABELS))
    return Check(theorem=theorem, simulated=DIFFERENCE, draw=draw, settings=settings, random=False)


CHECKS = (
    of_boundary("boundary_lambert"),
    Check(
        theorem="boundary_lambert",
        simulated="boundary reported by `run`, in visits of a class",
        draw=boundary_of_run,
        # Visits come by chance: the curvature of a log n moves the boundary by 0.1 visits; 18 are allowed.
        settings=(replace(with_allowed(USUAL, "boundary_lambert", 0.005), draws=6),),
    ),
    Check(
        theorem="boundary_lambert",
        simulated="log-odds of the gate of `Scan` at the predicted boundary, with label noise, in visits",
        draw=noisy_boundaries,
        settings=(noisy_boundary_setting(2, 128, 0.2, 1e-3, draws=4000, sees=0.15),),
    ),
    of_boundary("boundary_upper"),
    of_boundary("boundary_lower"),
    of_boundary("boundary_leading_order"),
    of_elasticity("boundary_elasticity_gap", elasticity_to_gap),
    of_elasticity("boundary_elasticity_weight", elasticity_to_weight),
    of_elasticity("boundary_elasticity_prior", move_with_prior),
)
