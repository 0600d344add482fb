"""The scan engine at work: replicate by replicate, block by block."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from simulate.cell_curves import CellCurves
from simulate.checkpoints import checkpoints, last_part_start
from simulate.gate_cells import GateCells
from simulate.group_results import group_results
from simulate.predictors import summing_gate
from simulate.run_result import Outcome, WorstRegret
from simulate.scan import Scan
from simulate.statistics import StatisticsSampler, statistics_sampler
from theory.setting import AnyGate, GatedPredictor, TaskDistribution

Array = NDArray[np.float64]

BLOCK = 1 << 16
"""Steps that are held in memory at a time."""


def run_scan(
    task: TaskDistribution,
    model: GatedPredictor,
    steps: int,
    replicates: int,
    seed: int,
    advance: Callable[[int], object],
) -> Outcome:
    """Simulate all replicates, one after the other; ``advance`` is told of steps that are done."""
    gate = summing_gate(model.gate)
    points = checkpoints(steps)
    sampler = statistics_sampler(task)
    curves = CellCurves(task, GateCells.of(task, gate.per), replicates, gate.prior_in_weight, points)
    late = np.zeros((4, task.total_classes))
    worst = np.full(2, -np.inf)
    _keep_freed_memory()
    for replicate in range(replicates):
        scan = Scan(task, model, points)
        late += _simulate(sampler, scan, steps, curves, (seed, replicate), advance)
        totals = scan.totals()
        worst = np.maximum(worst, (totals.regret_in_weight.max(), totals.regret_in_context.max()))
    entries, groups = group_results(task, curves, late, steps, seed)
    return Outcome(entries=entries, strata=groups, regret=_worst_regret(gate, worst))


def _simulate(
    sampler: StatisticsSampler,
    scan: Scan,
    steps: int,
    curves: CellCurves,
    address: tuple[int, int],
    advance: Callable[[int], object],
) -> Array:
    """One replicate (its address: seed and number), block by block; returns what :func:`group_results` calls late.

    The last tenth of the steps starts with a block of its own.
    """
    streams = sampler.streams(*address)
    done, start = 0, last_part_start(steps)
    before = scan.totals()
    while done < steps:
        size = min(BLOCK, (start if done < start else steps) - done)
        curves.add(address[1], scan.advance(sampler.draw(size, streams)))
        advance(size)
        done += size
        if done == start:
            before = scan.totals()
    after = scan.totals()
    names = ("visits", "in_weight", "in_context", "gated")
    return np.stack([scan.by_class(getattr(after, name) - getattr(before, name)) for name in names])


def _worst_regret(gate: AnyGate, worst: Array) -> WorstRegret:
    prior, rate = gate.prior_in_weight, gate.rate
    return WorstRegret(
        in_weight=float(worst[0]),
        in_weight_bound=float(-np.log(prior) / rate) if rate <= 1 else None,
        in_context=float(worst[1]),
        in_context_bound=float(-np.log1p(-prior) / rate) if rate <= 1 else None,
    )


def _keep_freed_memory() -> None:
    """Make the C library keep freed blocks: otherwise every block's arrays are mapped and cleared anew.

    glibc raises its threshold for separately mapped memory to the largest such piece that was freed (32 MiB at most);
    elsewhere this does nothing. It makes the engine about a sixth faster.
    """
    np.empty(1 << 21)
