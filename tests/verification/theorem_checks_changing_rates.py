"""Checks of Hedge gates whose rate changes: the step engine's gates on given and on random losses."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from tests.verification.theorem_check import Address, Check, Setting, Trajectories
from tests.verification.theorem_checks_gate import evenly_switching
from tests.verification.theorem_checks_gate_states import EVEN, RANDOM, cumulative_losses
from theory.setting import AdaHedgeGate, DecreasingHedgeGate

Array = NDArray[np.float64]


def decreasing_on_even_switches(setting: Setting, number: int, address: Address) -> Array:
    """The sequence at which the theorem is evaluated."""
    del number, address
    point = setting.point
    gate = DecreasingHedgeGate(rate=point["rate"], prior_in_weight=point["prior"])
    return cumulative_losses(gate, evenly_switching(point["n"], point["S"])[:, None], point["gap"])


def decreasing_regrets(setting: Setting, number: int, address: Address) -> Trajectories:
    """Regret against the in-context predictor on random sequences, from even ones to such as the other one loses."""
    point, generator = setting.point, address.generator()
    share = np.where(generator.random(number) < 0.5, generator.random(number), 1.0)
    pays = generator.random((point["n"], number)) < share
    gate = DecreasingHedgeGate(rate=point["rate"], prior_in_weight=point["prior"])
    losses = cumulative_losses(gate, pays, point["gap"])
    return Trajectories(losses - point["gap"] * (~pays).sum(axis=0))


def adahedge_on_even_switches(setting: Setting, number: int, address: Address) -> Trajectories:
    """Evenly switching sequences with every number of switches, and gaps from a thousandth of the largest on."""
    point, generator = setting.point, address.generator()
    switches = generator.integers(point["n"], size=number)
    gaps = point["gap"] * 10 ** generator.uniform(-3, 0, size=number)
    pays = np.stack([evenly_switching(point["n"], int(S)) for S in switches], axis=1)
    return Trajectories(cumulative_losses(AdaHedgeGate(), pays, gaps), {"S": switches, "gap": gaps})


CHECKS = (
    Check(
        theorem="decreasing_hedge_regret",
        simulated=EVEN,
        draw=decreasing_on_even_switches,
        settings=(
            Setting(point={"n": 100, "S": 0, "prior": 0.9, "rate": 0.5, "B": 1.0, "gap": 1.0}),
            Setting(point={"n": 60, "S": 7, "prior": 0.2, "rate": 3.0, "B": 8.0, "gap": 8.0}, wrong=False),
            Setting(point={"n": 300, "S": 0, "prior": 0.999, "rate": 2.0, "B": 0.5, "gap": 0.5}),
        ),
        random=False,
    ),
    Check(
        theorem="decreasing_hedge_regret",
        simulated=RANDOM,
        draw=decreasing_regrets,
        settings=(
            Setting(point={"n": 100, "S": 0, "prior": 0.9, "rate": 0.5, "B": 1.0, "gap": 1.0}, draws=2000, sees=0.5),
            Setting(
                point={"n": 40, "S": 0, "prior": 0.5, "rate": 4.0, "B": 8.0, "gap": 8.0},
                draws=2000,
                sees=0.95,
                wrong=False,
            ),
        ),
        kind="regret",
        left=False,
    ),
    Check(
        theorem="adahedge_regret",
        simulated=f"{EVEN}, with random switches and gaps",
        draw=adahedge_on_even_switches,
        settings=(
            Setting(point={"n": 1, "gap": math.log(2)}, draws=100, sees=0.5),
            Setting(point={"n": 60, "gap": 10.0}, draws=500, sees=0.7, wrong=False),
        ),
        kind="every",
    ),
)
