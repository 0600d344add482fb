"""``run(task, model, steps, replicates, seed)``: what happens when the model learns online."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulate.boundary import SimulatedBoundary, simulated_boundary
from simulate.checkpoints import checkpoints, last_part_start
from simulate.curves import ClassCurves, GateCurve, GroupCurves
from simulate.predictors import summing_gate
from simulate.scan import GateChanges, LossTotals, Scan
from simulate.statistics import StatisticsSampler, statistics_sampler
from simulate.streams import stream
from theory.checks import integer
from theory.entries import entries_to_dict, find_entry
from theory.setting import AnyGate, GatedPredictor, TaskDistribution
from theory.strata import strata

Array = NDArray[np.float64]

BLOCK = 1 << 16
"""Steps that are held in memory at a time."""
CONFIDENCE = 0.95


@dataclass(frozen=True, kw_only=True)
class MeanLosses:
    """Mean losses in nats at a group's or class's visits in the last tenth of the steps; ``None`` without a visit."""

    in_weight: float | None
    in_context: float | None
    gated: float | None


@dataclass(frozen=True, kw_only=True, eq=False)
class GroupResult:
    """What was simulated for a group of classes, or for one class.

    Parameters
    ----------
    name : str
        Name of the group or class.
    num_classes : int
        Number of classes in it.
    class_probability : float
        Probability of one of its classes (the mean of them).
    boundary : SimulatedBoundary
        Where the mean gate last rises through 1/2, in steps.
    gate_mean : float
        Mean gate over the last tenth of the steps.
    loss : MeanLosses
        Mean losses over the last tenth.
    curve : GateCurve
        Mean gate at the checkpoints.
    """

    name: str
    num_classes: int
    class_probability: float
    boundary: SimulatedBoundary
    gate_mean: float
    loss: MeanLosses
    curve: GateCurve

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, strings and ``None`` under the names of the JSON contract."""
        interval = self.boundary.interval
        return {
            "num_classes": self.num_classes,
            "class_probability": self.class_probability,
            "crossing_steps": self.boundary.steps,
            "crossing_interval": None if interval is None else list(interval),
            "gate_mean": self.gate_mean,
            "loss": vars(self.loss).copy(),
        }


@dataclass(frozen=True, kw_only=True)
class WorstRegret:
    """Largest regret of the gate over all gate cells and replicates, against either predictor, with its bound.

    ``None`` for the bounds of a Hedge gate with a rate above 1, whose regret depends on the losses.
    """

    in_weight: float
    in_weight_bound: float | None
    in_context: float
    in_context_bound: float | None


@dataclass(frozen=True, kw_only=True, eq=False)
class Run:
    """A simulation's result.

    Parameters
    ----------
    task, model : TaskDistribution, GatedPredictor
        What was simulated.
    steps, replicates, seed : int
        How.
    entries : tuple of GroupResult
        One for each group of a two-level task, or for each class of another one.
    strata : tuple of GroupResult
        For a task without groups: classes of similar frequency, from the most frequent on; else the groups again.
    regret : WorstRegret
        Largest regret of the gate, which never exceeds its bound.
    seconds : float
        Wall-clock time of the simulation.
    """

    task: TaskDistribution
    model: GatedPredictor
    steps: int
    replicates: int
    seed: int
    entries: tuple[GroupResult, ...]
    strata: tuple[GroupResult, ...]
    regret: WorstRegret
    seconds: float

    def __getitem__(self, name: str) -> GroupResult:
        return find_entry(self.entries, name)

    def to_dict(self) -> dict[str, Any]:
        """The JSON contract: ``groups`` by name for a two-level task, a list ``classes`` for another one."""
        from theory.setting_file import to_dict

        return {
            **entries_to_dict(self.task, self.entries),
            "steps": self.steps,
            "replicates": self.replicates,
            "seed": self.seed,
            "crossing_confidence": CONFIDENCE,
            "steps_per_second": self.steps * self.replicates / self.seconds,
            "regret": vars(self.regret).copy(),
            "setting": to_dict(self.task, self.model),
        }


def run(
    task: TaskDistribution,
    model: GatedPredictor | None = None,
    steps: int = 100_000,
    replicates: int = 16,
    seed: int = 0,
    *,
    progress: bool = False,
) -> Run:
    r"""Simulate the online learning of the gated predictor.

    Parameters
    ----------
    task : TaskDistribution
        What the world is like.
    model : GatedPredictor, optional
        What learns in it; by default Dirichlet table, attention and a Bayes gate per query with their defaults.
    steps : int
        Examples of the stream, at least 1.
    replicates : int
        Independent repetitions, at least 1. Replicate ``r`` is the same whatever their number.
    seed : int
        Seed of the random streams, at least 0.
    progress : bool
        Show a progress bar on a terminal.

    Returns
    -------
    Run
        Mean gates at log-spaced checkpoints, boundaries with intervals, losses.

    Raises
    ------
    NoEngineError
        A part of the model has no implementation.
    SettingError
        ``steps``, ``replicates`` or ``seed`` is not admissible, or the parts do not fit the task.

    Notes
    -----
    Time grows with ``steps * replicates``; memory with the number of checkpoints (logarithmic in ``steps``), groups and
    replicates. The same arguments give the same numbers.

    Examples
    --------
    >>> task = TaskDistribution(num_high=2, num_low=4, p_high=0.9, context_length=4, relevant_examples=1)
    >>> result = run(task, steps=10_000, replicates=4, seed=1)
    >>> result["high"].boundary.steps < result["low"].boundary.steps
    True
    """
    model = model or GatedPredictor()
    steps = integer("steps", steps, minimum=1)
    replicates = integer("replicates", replicates, minimum=1)
    seed = integer("seed", seed, minimum=0)
    gate = summing_gate(model.gate)
    started = time.perf_counter()
    points = checkpoints(steps)
    sampler = statistics_sampler(task)
    gathered = _Gathered(task, gate, replicates, points)
    _keep_freed_memory()
    with _progress_bar(steps * replicates, progress) as advance:
        for replicate in range(replicates):
            _simulate(sampler, Scan(task, model, points), gathered, replicate, seed, advance)
    elapsed = time.perf_counter() - started
    entries, groups = gathered.results(seed, last_part_start(steps))
    return Run(
        task=task,
        model=model,
        steps=steps,
        replicates=replicates,
        seed=seed,
        entries=entries,
        strata=groups,
        regret=gathered.regret(),
        seconds=elapsed,
    )


def _simulate(
    sampler: StatisticsSampler,
    scan: Scan,
    gathered: _Gathered,
    replicate: int,
    seed: int,
    advance: Callable[[int], object],
) -> None:
    """One replicate, block by block; the last tenth of the steps starts with a block of its own."""
    streams = sampler.streams(seed, replicate)
    steps = int(gathered.checkpoints[-1])
    done, start = 0, last_part_start(steps)
    before = scan.totals()
    while done < steps:
        end = start if done < start else steps
        size = min(BLOCK, end - done)
        gathered.add(replicate, scan.advance(sampler.draw(size, streams)))
        advance(size)
        done += size
        if done == start:
            before = scan.totals()
    gathered.finish(before, scan.totals())


class _Gathered:
    """What is kept of the replicates."""

    def __init__(self, task: TaskDistribution, gate: AnyGate, replicates: int, points: NDArray[np.int64]) -> None:
        self.checkpoints = points
        self._task, self._gate = task, gate
        self._split = gate.per == "query-and-relevance"
        # A prompt meets the gate cell of its relevance: a class's gate is the mean over its prompts.
        self._cell_weights = np.array([1 - task.p_relevant, task.p_relevant]) if self._split else np.ones(1)
        self._strata = strata(task)
        prior = gate.prior_in_weight
        self._groups = GroupCurves(self._strata.of_class, len(self._strata.names), replicates, prior, points)
        always = (last_part_start(int(points[-1])),)
        self._classes = None if task.grouped else ClassCurves(task.total_classes, replicates, prior, points, always)
        self._late = np.zeros((4, task.total_classes))
        self._worst = np.full(2, -np.inf)

    def add(self, replicate: int, changes: GateChanges) -> None:
        cells = self._cell_weights.size
        change, classes = changes.change, changes.cell
        if self._split:
            change, classes = change * self._cell_weights[changes.cell % cells], changes.cell // cells
        self._groups.add(replicate, classes, changes, change)
        if self._classes is not None:
            self._classes.add(replicate, classes, changes, change)

    def finish(self, before: LossTotals, after: LossTotals) -> None:
        """Take the losses of the last tenth, and the regret of the whole replicate."""
        cells = self._cell_weights.size
        for row, name in enumerate(("visits", "in_weight", "in_context", "gated")):
            late = getattr(after, name) - getattr(before, name)
            self._late[row] += late.reshape(-1, cells).sum(axis=1)
        regret = [after.regret_in_weight.max(), after.regret_in_context.max()]
        self._worst = np.maximum(self._worst, regret)

    def regret(self) -> WorstRegret:
        prior, rate = self._gate.prior_in_weight, self._gate.rate
        return WorstRegret(
            in_weight=float(self._worst[0]),
            in_weight_bound=float(-np.log(prior) / rate) if rate <= 1 else None,
            in_context=float(self._worst[1]),
            in_context_bound=float(-np.log1p(-prior) / rate) if rate <= 1 else None,
        )

    def results(self, seed: int, start: int) -> tuple[tuple[GroupResult, ...], tuple[GroupResult, ...]]:
        groups = tuple(
            self._result(name, np.flatnonzero(self._strata.of_class == i), curve, seed, i, start)
            for i, (name, curve) in enumerate(zip(self._strata.names, self._groups.curves(), strict=True))
        )
        if self._classes is None:
            return groups, groups
        offset = len(groups)
        entries = tuple(
            self._result(self._task.name_of(i), np.array([i]), curve, seed, offset + i, start)
            for i, curve in enumerate(self._classes.curves())
        )
        return entries, groups

    def _result(
        self, name: str, members: NDArray[np.intp], curve: GateCurve, seed: int, number: int, start: int
    ) -> GroupResult:
        visits, *losses = self._late[:, members].sum(axis=1).tolist()
        in_weight, in_context, gated = (value / visits if visits > 0 else None for value in losses)
        return GroupResult(
            name=name,
            num_classes=int(members.size),
            class_probability=_common_probability(self._task, members),
            boundary=simulated_boundary(curve, stream(seed, number, "bootstrap"), CONFIDENCE),
            gate_mean=curve.mean_after(start),
            loss=MeanLosses(in_weight=in_weight, in_context=in_context, gated=gated),
            curve=curve,
        )


def _common_probability(task: TaskDistribution, members: NDArray[np.intp]) -> float:
    """Probability of one of the classes; their mean where they differ."""
    probabilities = task.class_probabilities[members]
    same = bool(np.ptp(probabilities) <= 1e-12 * probabilities[0])
    return float(probabilities[0] if same else probabilities.mean())


@contextmanager
def _progress_bar(steps: int, shown: bool) -> Iterator[Callable[[int], object]]:
    """A function to report steps to; it draws a bar on a terminal, and does nothing elsewhere."""
    if not shown:
        yield lambda _: None
        return
    from tqdm import tqdm

    # disable=None: silent when the output is not a terminal.
    with tqdm(total=steps, unit="step", unit_scale=True, disable=None, leave=False) as bar:
        yield bar.update


def _keep_freed_memory() -> None:
    """Make the C library keep freed blocks: otherwise every block's arrays are mapped and cleared anew.

    glibc raises its threshold for separately mapped memory to the largest such piece that was freed (32 MiB at most);
    elsewhere this does nothing. It makes the engine about a sixth faster.
    """
    np.empty(1 << 21)
