"""Checks of the Bayes and Hedge gates: trajectories of the engine and of its twin along given losses.

Given losses are made of the simulator's own parts: a table whose pseudo-count is so large that it stays at 1/C, and
attention over a context of which just the right share carries the query's label. A gate's regret depends on the
difference of the two losses alone.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from simulate.prompts import Prompts
from simulate.reference import reference_run
from simulate.scan import LossTotals, Scan
from tests.verification.theorem_check import Address, Check, Setting, Trajectories
from tests.verification.theorem_streams import drawn, histories_task, label_task, prompts_of
from theory.catalogue import find_theorem
from theory.setting import Attention, BayesGate, DirichletTable, GatedPredictor, HedgeGate, TaskDistribution

Array = NDArray[np.float64]
Indices = NDArray[np.intp]
FLAT = DirichletTable(pseudo_count=1e15)

# By the ratio of the two probabilities: labels, context length, and how many examples carry the label where the
# in-context predictor is better, and where it is worse.
CONTEXTS = {1.1: (2, 220, 121, 100), 1.5: (2, 12, 9, 4), 2.0: (2, 4, 4, 1), 8.0: (8, 64, 64, 1)}


def evenly_switching(n: int, S: int) -> NDArray[np.bool_]:
    """Whether the in-weight predictor pays, visit by visit."""
    return np.asarray((np.arange(n) * (S + 1) // n) % 2 == 0)


def even_task(C: int, length: int) -> TaskDistribution:
    return label_task(C, context_length=length, relevant_examples=length)


def gate_of(point: Any) -> BayesGate | HedgeGate:
    if "rate" in point:
        return HedgeGate(rate=point["rate"])
    return BayesGate(prior_in_weight=point["prior"])


def scanned(ratio: float, gate: BayesGate | HedgeGate, pays: NDArray[np.bool_]) -> tuple[LossTotals, Array]:
    """The engine along sequences, shape (visits, histories); and what both predictors lose at least."""
    C, length, better, worse = CONTEXTS[ratio]
    visits, histories = pays.shape
    task = histories_task(even_task(C, length), histories)
    model = GatedPredictor(in_weight=FLAT, in_context=Attention(odds=1.0, floor=1e-15), gate=gate)
    scan = Scan(task, model, np.array([pays.size]))
    matches = np.where(pays, better, worse).ravel()
    query = np.tile(np.arange(histories), visits)
    scan.advance(prompts_of(query, np.zeros(pays.size, dtype=np.intp), matches, length))
    return scan.totals(), (math.log(C) - math.log(ratio) * pays).sum(axis=0)


def loss_along_even_switches(setting: Setting, number: int, address: Address) -> Array:
    """The engine's gate on the sequence at which the theorem is evaluated."""
    del number, address
    point = setting.point
    totals, common = scanned(setting.how["ratio"], gate_of(point), evenly_switching(point["n"], point["S"])[:, None])
    return totals.gated[:1] - common


def twin_along_even_switches(setting: Setting, number: int, address: Address) -> Array:
    """The same by the twin, which adds up the loss of the mixture step by step."""
    del number, address
    point, ratio = setting.point, setting.how["ratio"]
    C, length, better, worse = CONTEXTS[ratio]
    pays = evenly_switching(point["n"], point["S"])
    carrying = np.where(pays, better, worse)[:, None] > np.arange(length)
    none = np.zeros(pays.size, dtype=np.intp)
    prompts = Prompts(np.zeros((pays.size, length), dtype=np.intp), np.where(carrying, 0, 1), none, none)
    model = GatedPredictor(in_weight=FLAT, in_context=Attention(odds=1.0, floor=0.0), gate=gate_of(point))
    gated = math.fsum(step.gated for step in reference_run(even_task(C, length), model, prompts))
    return np.array([gated - (math.log(C) - math.log(ratio) * pays).sum()])


def regrets(setting: Setting, number: int, address: Address) -> Trajectories:
    """Regret of the engine's gate against the better predictor on random sequences, from even to one-sided."""
    generator = address.generator()
    share = np.where(generator.random(number) < 0.5, generator.random(number), generator.integers(2, size=number))
    pays = generator.random((setting.point["n"], number)) < share
    totals, _ = scanned(setting.how["ratio"], gate_of(setting.point), pays)
    return Trajectories(np.maximum(totals.regret_in_weight, totals.regret_in_context)[:number])


# The composition.


def gated_average(setting: Setting, number: int, address: Address) -> Array:
    """Loss per visit of the engine's gate, where a share of the context carries the own label, the rest the other."""
    n, C, noise, prior, copied = (setting.point[name] for name in ("n", "C", "label_noise", "prior", "copied"))
    length = setting.how["L"]
    own = round(copied * length)
    assert math.isclose(own, copied * length)
    task = label_task(C, noise, context_length=length, relevant_examples=length)
    offset = drawn(task, n * number, address).label_offset
    model = GatedPredictor(
        in_weight=DirichletTable(pseudo_count=1.0),
        in_context=Attention(odds=1.0, floor=1e-15),
        gate=BayesGate(prior_in_weight=prior),
    )
    scan = Scan(histories_task(task, number), model, np.array([n * number]))
    scan.advance(prompts_of(np.tile(np.arange(number), n), offset, np.where(offset == 0, own, length - own), length))
    return np.asarray(scan.totals().gated[:number] / n)


# Rates.


def least_over_rates(setting: Setting, number: int, address: Address) -> Array:
    """Least value of the regret bound over the rates, by a search."""
    del number, address
    bound = find_theorem(setting.how["bound"])
    low, high = setting.how["rates"]

    def value(log_rate: float) -> float:
        regret = bound.evaluate(**{**setting.point, **setting.how.get("more", {}), "rate": math.exp(log_rate)})
        return float(regret)

    found = minimize_scalar(value, bounds=(math.log(low), math.log(high)), method="bounded", options={"xatol": 1e-10})
    return np.array([found.fun])


def regrets_at_best_rate(setting: Setting, number: int, address: Address) -> Trajectories:
    """Regret of the engine's Hedge gate at the rate that is said to be best."""
    rate = float(find_theorem("hedge_optimal_rate").beside["best_rate"](**setting.point))
    return regrets(Setting(point={**setting.point, "rate": rate}, how=setting.how), number, address)


def even(ratio: float, **point: float) -> dict[str, Any]:
    return {"point": {**point, "gap": math.log(ratio)}, "how": {"ratio": ratio}}


def composed(n: int, C: int, label_noise: float, prior: float, copied: float) -> dict[str, Any]:
    return {"n": n, "C": C, "label_noise": label_noise, "prior": prior, "copied": copied}


SCAN_EVEN = "`Scan`'s gate along the evenly switching losses"
SCAN_REGRET = "`Scan`'s gate along random sequences of losses"


CHECKS = (
    Check(
        theorem="bayes_gate_loss",
        simulated="the twin along the evenly switching losses",
        draw=twin_along_even_switches,
        settings=(
            Setting(**even(2.0, n=60, S=4, prior=0.1)),
            Setting(**even(8.0, n=1, S=0, prior=0.9)),
            Setting(**even(1.5, n=200, S=2, prior=1e-6)),
        ),
        random=False,
    ),
    Check(
        theorem="bayes_gate_loss",
        simulated=SCAN_EVEN,
        draw=loss_along_even_switches,
        settings=(Setting(**even(2.0, n=60, S=4, prior=0.1)), Setting(**even(1.1, n=500, S=2, prior=0.3))),
        random=False,
        rounding=1e-10,
    ),
    Check(
        theorem="hedge_regret",
        simulated=SCAN_EVEN,
        draw=loss_along_even_switches,
        settings=(
            Setting(**even(1.1, n=100, S=0, rate=1.0 - 1e-9, B=math.log(1.1))),
            Setting(**even(8.0, n=60, S=7, rate=3.0, B=3.0), wrong=False),
        ),
        random=False,
        rounding=1e-10,
    ),
    Check(
        theorem="hedge_regret",
        simulated=SCAN_REGRET,
        draw=regrets,
        settings=(
            Setting(**even(1.1, n=100, rate=0.9, B=math.log(1.1), S=0), draws=2000, sees=0.5),
            Setting(**even(8.0, n=60, rate=4.0, B=math.log(8), S=0), draws=2000, sees=1.0, wrong=False),
        ),
        kind="regret",
        left=False,
    ),
    Check(
        theorem="hedge_slow_regret",
        simulated=SCAN_EVEN,
        draw=loss_along_even_switches,
        settings=(
            Setting(**even(8.0, n=60, S=0, rate=0.2)),
            Setting(**even(2.0, n=40, S=39, rate=0.5), wrong=False),
        ),
        random=False,
        rounding=1e-10,
    ),
    Check(
        theorem="hedge_slow_regret",
        simulated=SCAN_REGRET,
        draw=regrets,
        settings=(
            Setting(**even(8.0, n=60, S=0, rate=0.2), draws=2000, sees=0.5),
            Setting(**even(1.5, n=300, S=0, rate=0.05), draws=500, sees=0.2),
        ),
        kind="regret",
        left=False,
    ),
    Check(
        theorem="hedge_optimal_rate",
        simulated="not simulated: the bound of hedge_regret, minimised over the rate by a search",
        draw=least_over_rates,
        settings=(
            Setting(point={"n": 50, "B": 2.0}, how={"bound": "hedge_regret", "rates": (1e-3, 10.0)}),
            Setting(point={"n": 10_000, "B": 0.1}, how={"bound": "hedge_regret", "rates": (1e-3, 10.0)}),
        ),
        random=False,
        rounding=1e-11,
    ),
    Check(
        theorem="hedge_optimal_rate",
        simulated=f"{SCAN_REGRET}, at the best rate",
        draw=regrets_at_best_rate,
        settings=(Setting(point={"n": 60, "B": math.log(8)}, draws=2000, sees=0.8, wrong=False, how={"ratio": 8.0}),),
        kind="regret",
        left=False,
    ),
    Check(
        theorem="fixed_share_optimal_rate",
        simulated="not simulated: the bound of fixed_share_regret, minimised over the rate by a search",
        draw=least_over_rates,
        settings=(
            Setting(point={"n": 50, "S": 7}, how={"bound": "fixed_share_regret", "rates": (1e-3, 0.9)}),
            Setting(point={"n": 3, "S": 1}, how={"bound": "fixed_share_regret", "rates": (1e-3, 0.9)}),
        ),
        random=False,
    ),
    Check(
        theorem="online_gradient_optimal_rate",
        simulated="not simulated: the bound of online_gradient_regret, minimised over the rate by a search",
        draw=least_over_rates,
        settings=(
            Setting(point={"n": 50, "G": 2.0}, how={"bound": "online_gradient_regret", "rates": (1e-4, 0.5)}),
            Setting(point={"n": 4000, "G": 0.5}, how={"bound": "online_gradient_regret", "rates": (1e-4, 0.5)}),
        ),
        random=False,
    ),
    *(
        Check(
            theorem=theorem,
            simulated="`Scan`'s gate, labels of the sampler, a given share of the context carrying either label",
            draw=gated_average,
            settings=settings,
        )
        for theorem, settings in {
            "composition": (
                Setting(point=composed(6, 1000, 0.05, 0.5, 0.95), draws=20_000, sees=0.05, how={"L": 20}),
                Setting(point=composed(40, 5, 0.4, 0.1, 0.5), draws=5000, sees=0.05, wrong=False, how={"L": 2}),
            ),
            "composition_closed_form": (
                Setting(point=composed(20, 50, 0.1, 0.5, 0.05), draws=20_000, sees=0.02, how={"L": 20}),
                Setting(point=composed(40, 5, 0.4, 0.1, 0.5), draws=5000, sees=0.05, wrong=False, how={"L": 2}),
            ),
        }.items()
    ),
)
