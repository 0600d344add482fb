"""Checks of the gates of the step engine, which are given the two predictors' losses visit by visit."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulate.blocks import PromptBlock
from simulate.implementations import gate_state
from simulate.lanes import Lanes
from tests.verification.theorem_check import Address, Check, Point, Setting, Trajectories
from tests.verification.theorem_checks_gate import evenly_switching
from theory.catalogue import find_theorem
from theory.setting import (
    BayesGate,
    ExponentiatedGradientGate,
    FixedShareGate,
    GatedPredictor,
    HedgeGate,
    ProjectedGradientGate,
    TaskDistribution,
    UniversalMixtureGate,
)

Array = NDArray[np.float64]
Sides = NDArray[np.bool_]

TASK = TaskDistribution(num_high=1, num_low=1, p_high=0.5)
GATES: dict[str, Callable[[Point], Any]] = {
    "bayes": lambda point: BayesGate(prior_in_weight=point["prior"]),
    "hedge": lambda point: HedgeGate(rate=point["rate"]),
    "fixed share": lambda point: FixedShareGate(switch_rate=point["rate"]),
    "universal mixture": lambda _: UniversalMixtureGate(),
    "exponentiated gradient": lambda point: ExponentiatedGradientGate(learning_rate=point["rate"]),
    "gradient descent": lambda point: ProjectedGradientGate(learning_rate=point["rate"]),
}


def cumulative_losses(gate: Any, pays: Sides, gap: float | Array) -> Array:
    """Losses of a gate along sequences, shape (visits, lanes), of which the better predictor of a visit pays nothing.

    The sequence comes in two blocks.
    """
    lanes = Lanes((TASK,), (GatedPredictor(gate=gate),), replicates=pays.shape[1])
    state = gate_state(gate, lanes)
    none = np.zeros(pays.shape, dtype=np.intp)
    block = PromptBlock(query=none, label=none, relevant_examples=none, relevant_matches=none, irrelevant_matches=none)
    total = np.zeros(pays.shape[1])
    middle = pays.shape[0] // 3
    for start, end in ((0, middle), (middle, pays.shape[0])):
        if end > start:
            in_weight, in_context = (-gap * side[start:end].astype(np.float64) for side in (pays, ~pays))
            path = state.advance(block.part(start, end), in_weight, in_context)
            total -= path.log_predicted.sum(axis=0)
    return total


def on_even_switches(setting: Setting, number: int, address: Address) -> Array:
    """The sequence at which the theorem is evaluated."""
    del number, address
    point = setting.point
    pays = evenly_switching(point["n"], point["S"])[:, None]
    return cumulative_losses(GATES[setting.how["gate"]](point), pays, point["gap"])


def on_random_switches(setting: Setting, number: int, address: Address) -> Trajectories:
    """Losses that change sides at S random places."""
    point, generator = setting.point, address.generator()
    n, S = point["n"], point["S"]
    keys = generator.random((n - 1, number))
    changes = keys.argsort(axis=0).argsort(axis=0) < S
    sides = np.concatenate([generator.integers(2, size=(1, number)), changes.astype(np.int64)])
    pays = np.cumsum(sides, axis=0) % 2 == 0
    return Trajectories(cumulative_losses(GATES[setting.how["gate"]](point), pays, point["gap"]))


def in_random_order(setting: Setting, number: int, address: Address) -> Trajectories:
    """So many visits on which the in-context predictor pays, in random order."""
    point = setting.point
    pays = np.tile((np.arange(point["n"]) >= point["k"])[:, None], (1, number))
    pays = address.generator().permuted(pays, axis=0)
    return Trajectories(cumulative_losses(GATES[setting.how["gate"]](point), pays, point["gap"]))


def regrets(setting: Setting, number: int, address: Address) -> Trajectories:
    """Regret against the best constant weight on random sequences, from even to one-sided."""
    point, generator = setting.point, address.generator()
    n, gap = point["n"], point["gap"]
    share = np.where(generator.random(number) < 0.5, generator.random(number), generator.integers(2, size=number))
    pays = generator.random((n, number)) < share
    losses = cumulative_losses(GATES[setting.how["gate"]](point), pays, gap)
    return Trajectories(losses - best_constant(n, n - pays.sum(axis=0), gap))


def best_constant(n: int, k: NDArray[Any], gap: float) -> Array:
    """Least loss of a constant weight where on ``k`` of ``n`` visits the in-context predictor pays."""
    little, much = math.exp(-gap), -math.expm1(-gap)
    weight = np.clip((k - (n - k) * little) / (n * much), 0, 1)
    losses = k * np.log(weight + (1 - weight) * little) + (n - k) * np.log(weight * little + 1 - weight)
    return np.asarray(-losses, dtype=np.float64)


def at_best_rate(setting: Setting, number: int, address: Address) -> Trajectories:
    """Regret at the rate that is said to be best, in the setting of ``how``."""
    theorem, draw = find_theorem(setting.how["theorem"]), setting.how["draw"]
    rate = float(theorem.beside["best_rate"](**setting.point))
    point = {**setting.point, **setting.how["more"], "rate": rate}
    return draw(Setting(point=point, how=setting.how), number, address)  # type: ignore[no-any-return]


def along(gate: str, **point: float) -> dict[str, Any]:
    return {"point": point, "how": {"gate": gate}}


SLOW = {"n": 64, "S": 0, "G": 1e-3, "gap": math.log1p(1e-3)}
STEEP = {"n": 40, "S": 7, "G": 1.0, "gap": math.log(2)}
EVEN = "the step engine's gate along the evenly switching losses"
RANDOM = "the step engine's gate along random sequences of losses"
ORDER = "the step engine's gate along losses in random order"


def on_even(theorem: str, *settings: Setting) -> Check:
    return Check(theorem=theorem, simulated=EVEN, draw=on_even_switches, settings=settings, random=False)


def of_gradient(theorem: str, gate: str, rate: float, fast: float) -> tuple[Check, Check]:
    return (
        on_even(
            theorem,
            Setting(**along(gate, **STEEP, rate=rate), wrong=False),
            Setting(**along(gate, **SLOW, rate=fast)),
        ),
        Check(
            theorem=theorem,
            simulated=RANDOM,
            draw=regrets,
            settings=(
                Setting(**along(gate, **SLOW, rate=fast), draws=500, sees=0.9),
                Setting(**along(gate, **STEEP, rate=rate), draws=2000, sees=0.9, wrong=False),
            ),
            kind="regret",
            left=False,
        ),
    )


BEST_RATE = {"fixed share": "fixed_share_optimal_rate", "gradient descent": "online_gradient_optimal_rate"}


def best(gate: str, point: Point, more: Point, draw: Any, sees: float) -> Setting:
    """A setting whose wrong variant is the larger bound, which no trajectory can break."""
    how = {"gate": gate, "more": more, "draw": draw, "theorem": BEST_RATE[gate]}
    return Setting(point=point, draws=2000, sees=sees, wrong=False, how=how)


CHECKS = (
    on_even(
        "bayes_gate_loss",
        Setting(**along("bayes", n=60, S=4, prior=0.1, gap=3.0)),
        Setting(**along("bayes", n=300, S=2, prior=1e-9, gap=50.0)),
    ),
    on_even(
        "hedge_regret",
        Setting(**along("hedge", n=100, S=0, rate=1.0, B=0.11, gap=0.1)),
        Setting(**along("hedge", n=60, S=7, rate=5.0, B=8.0, gap=8.0), wrong=False),
    ),
    on_even("hedge_slow_regret", Setting(**along("hedge", n=200, S=0, rate=0.2, gap=0.3))),
    on_even(
        "fixed_share_regret",
        Setting(**along("fixed share", n=40, S=2, rate=0.4, gap=8.0)),
        Setting(**along("fixed share", n=60, S=59, rate=0.01, gap=30.0), wrong=False),
    ),
    Check(
        theorem="fixed_share_regret",
        simulated="the step engine's gate along losses that change sides at random places",
        draw=on_random_switches,
        settings=(
            Setting(**along("fixed share", n=40, S=2, rate=0.4, gap=8.0), draws=2000, sees=0.3),
            Setting(**along("fixed share", n=100, S=6, rate=0.06, gap=5.0), draws=2000, sees=0.3),
        ),
        kind="every",
        left=False,
    ),
    Check(
        theorem="universal_mixture_regret_sharp",
        simulated=ORDER,
        draw=in_random_order,
        settings=(
            Setting(**along("universal mixture", n=30, k=25, gap=4.0), draws=200, sees=0.1, wrong=False),
            Setting(**along("universal mixture", n=5, k=5, gap=60.0), draws=200),
        ),
        kind="every",
    ),
    Check(
        theorem="universal_mixture_regret",
        simulated=ORDER,
        draw=in_random_order,
        settings=(
            Setting(**along("universal mixture", n=30, k=25, gap=4.0), draws=200, sees=0.1),
            Setting(**along("universal mixture", n=30, k=30, gap=60.0), draws=200, sees=0.1),
        ),
        kind="every",
    ),
    Check(
        theorem="fixed_share_optimal_rate",
        simulated="the step engine's gate at the best rate, along losses that change sides at random places",
        draw=at_best_rate,
        settings=(best("fixed share", {"n": 100, "S": 6}, {"gap": 5.0}, on_random_switches, 0.1),),
        kind="regret",
        left=False,
    ),
    Check(
        theorem="online_gradient_optimal_rate",
        simulated=f"{RANDOM}, at the best rate",
        draw=at_best_rate,
        settings=(best("gradient descent", {"n": 40, "G": 1.0}, {"S": 7, "gap": math.log(2)}, regrets, 0.9),),
        kind="regret",
        left=False,
    ),
    *of_gradient("exponentiated_gradient_regret", "exponentiated gradient", 0.3, 50.0),
    *of_gradient("online_gradient_regret", "gradient descent", 0.2, 7.0),
)
