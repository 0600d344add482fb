"""The scan engine at work: a few replicates at a time, block by block."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulate.cell_curves import CellCurves
from simulate.checkpoints import checkpoints, last_part_start
from simulate.gate_cells import GateCells
from simulate.group_results import group_results
from simulate.predictors import summing_gate
from simulate.run_result import Outcome
from simulate.scan import Scan
from simulate.scan_records import GateChanges, LossTotals
from simulate.statistics import StatisticsSampler, statistics_sampler
from simulate.two_expert_bounds import worst_regret
from theory.setting import GatedPredictor, LearnedAttention, TaskDistribution

Array = NDArray[np.float64]
Indices = NDArray[np.intp]

BLOCK = 1 << 17
"""Steps that are held in memory at a time."""
SUMMED = ("visits", "in_weight", "in_context", "gated")
"""What is averaged over the last tenth of the steps."""
_FIRST_BLOCK = BLOCK // 8
"""Steps of a first block: intervals between checkpoints are short there, and so costly."""
_LANES = 4
"""Blocks that a replicate has at least, if several learn side by side."""


def run_scan(
    task: TaskDistribution,
    model: GatedPredictor,
    steps: int,
    replicates: int,
    seed: int,
    advance: Callable[[int], object],
) -> Outcome:
    """Simulate all replicates, a few side by side; ``advance`` is told of steps that are done."""
    gate = summing_gate(model.gate)
    points = checkpoints(steps)
    sampler = statistics_sampler(task)
    curves = CellCurves(task, GateCells.of(task, gate.per), replicates, gate.prior_in_weight, points)
    late = np.zeros((4, task.total_classes))
    worst = np.full(2, -np.inf)
    visits = 0
    _keep_freed_memory()
    width = _lanes(task, model, steps)
    for first in range(0, replicates, width):
        numbers = np.arange(first, min(first + width, replicates))
        scan = Scan(task, model, points, numbers.size)
        before, after = _simulate(sampler, scan, steps, BLOCK // width, curves, (seed, numbers), advance)
        late += [scan.by_class(getattr(after, name) - early) for name, early in zip(SUMMED, before, strict=True)]
        worst = np.maximum(worst, (after.regret_in_weight.max(), after.regret_in_context.max()))
        visits = max(visits, int(after.cell_visits.max()))
    entries, groups = group_results(task, curves, late, steps, seed)
    return Outcome(entries=entries, strata=groups, regret=worst_regret(gate, float(worst[0]), float(worst[1]), visits))


def _lanes(task: TaskDistribution, model: GatedPredictor, steps: int) -> int:
    """Replicates that learn side by side: one where its steps fill many blocks, or its classes would fill the cache.

    Whatever their number is, a replicate has the same lane, so that it gives the same numbers.
    """
    if isinstance(model.in_context, LearnedAttention):
        return 1
    return max(1, min(_LANES * BLOCK // steps, BLOCK // task.total_classes, BLOCK))


def _simulate(
    sampler: StatisticsSampler,
    scan: Scan,
    steps: int,
    block: int,
    curves: CellCurves,
    address: tuple[int, Indices],
    advance: Callable[[int], object],
) -> tuple[tuple[NDArray[Any] | int, ...], LossTotals]:
    """Some replicates (their address: seed and numbers), block by block; sums before the last tenth, totals at the end.

    The last tenth of the steps starts with a block of its own.
    """
    seed, numbers = address
    streams = [sampler.streams(seed, number) for number in numbers.tolist()]
    done, start = 0, last_part_start(steps)
    before: tuple[NDArray[Any] | int, ...] = (0,) * len(SUMMED)
    while done < steps:
        size = min(block if done else min(block, _FIRST_BLOCK), (start if done < start else steps) - done)
        _keep(curves, numbers, scan.advance(sampler.draw(size, *streams)), scan.cells)
        advance(size * numbers.size)
        done += size
        if done == start:
            before = scan.sums()
    return before, scan.totals()


def _keep(curves: CellCurves, numbers: Indices, changes: GateChanges, cells: int) -> None:
    """Gather the changes of a block."""
    if numbers.size == 1:
        curves.add(int(numbers[0]), changes)
        return
    # Looked up: a division for every change would cost several times as much.
    replicate = np.repeat(numbers, cells).take(changes.cell)
    cell = np.tile(np.arange(cells), numbers.size).take(changes.cell)
    curves.add(replicate, replace(changes, cell=cell))


def _keep_freed_memory() -> None:
    """Make the C library keep freed blocks: otherwise every block's arrays are mapped and cleared anew.

    glibc raises its threshold for separately mapped memory to the largest such piece that was freed (32 MiB at most);
    elsewhere this does nothing. It makes the engine about a sixth faster.
    """
    np.empty(1 << 21)
