"""``run(task, model, steps, replicates, seed)``: what happens when the model learns online."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Literal

from simulate.engine_choice import chosen_engine
from simulate.lanes import Lanes
from simulate.run_result import Run
from simulate.scan_engine import run_scan
from simulate.step_engine import run_steps
from theory.checks import integer
from theory.setting import AnyTask, GatedPredictor, TaskDistribution

EngineName = Literal["scan", "step"]


def run(
    task: AnyTask,
    model: GatedPredictor | None = None,
    steps: int = 100_000,
    replicates: int = 16,
    seed: int = 0,
    *,
    engine: EngineName | None = None,
    progress: bool = False,
) -> Run:
    r"""Simulate the online learning of the gated predictor.

    Parameters
    ----------
    task : TaskDistribution or EpisodeDistribution
        What the world is like.
    model : GatedPredictor, optional
        What learns in it; by default Dirichlet table, attention and a Bayes gate per query with their defaults.
    steps : int
        Examples of the stream, at least 1.
    replicates : int
        Independent repetitions, at least 1. Replicate ``r`` is the same whatever their number.
    seed : int
        Seed of the random streams, at least 0.
    engine : {"scan", "step"}, optional
        ``scan``: time-parallel, for a task with a Dirichlet table, attention (its temperature may be learned) and a
        gate whose log-odds are sums. ``step``: any task and model, with a loop over time where a part needs one,
        vectorised over replicates. Both give the same numbers to rounding. ``None`` takes ``scan`` where it can.
    progress : bool
        Show a progress bar on a terminal.

    Returns
    -------
    Run
        Mean gates at log-spaced checkpoints, boundaries with intervals, losses.

    Raises
    ------
    NoEngineError
        A part of the model has no implementation (in the engine that was asked for).
    SettingError
        ``steps``, ``replicates``, ``seed`` or ``engine`` is not admissible, or the parts do not fit the task.

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
    steps, replicates, seed = _checked(steps, replicates, seed)
    name = chosen_engine(task, model, engine)
    started = time.perf_counter()
    with _progress_bar(steps * replicates, progress) as advance:
        if name == "scan" and isinstance(task, TaskDistribution):
            outcome = run_scan(task, model, steps, replicates, seed, advance)
        else:
            (outcome,) = run_steps(Lanes((task,), (model,), replicates), steps, seed, advance)
    elapsed = time.perf_counter() - started
    return Run(
        task=task,
        model=model,
        steps=steps,
        replicates=replicates,
        seed=seed,
        engine=name,
        entries=outcome.entries,
        strata=outcome.strata,
        regret=outcome.regret,
        samples=outcome.samples,
        seconds=elapsed,
    )


def run_grid(
    settings: Sequence[tuple[AnyTask, GatedPredictor]],
    steps: int = 100_000,
    replicates: int = 16,
    seed: int = 0,
    *,
    progress: bool = False,
) -> tuple[Run, ...]:
    """Simulate many settings side by side in the step engine, whose loops over time they share.

    Parameters
    ----------
    settings : sequence of (task, model)
        As many classes, labels and context examples in each, and the same kinds of parts; numbers may differ.
    steps, replicates, seed
        As for :func:`run`; a setting's run equals that of :func:`run` with the same arguments and ``engine="step"``.
    progress : bool
        Show a progress bar on a terminal.

    Returns
    -------
    tuple of Run
        One for each setting; ``seconds`` is its share of the time.

    Raises
    ------
    NoEngineError, SettingError
        As :func:`run`, and where the settings do not fit together.

    Examples
    --------
    >>> from theory.setting import BayesGate
    >>> task = TaskDistribution(num_high=2, num_low=4, p_high=0.9, context_length=4, relevant_examples=1)
    >>> models = [GatedPredictor(gate=BayesGate(prior_in_weight=prior)) for prior in (0.1, 0.9)]
    >>> late, early = run_grid([(task, model) for model in models], steps=3_000, replicates=4)
    >>> early["low"].gate_mean > late["low"].gate_mean
    True
    """
    steps, replicates, seed = _checked(steps, replicates, seed)
    lanes = Lanes(tuple(task for task, _ in settings), tuple(model for _, model in settings), replicates)
    started = time.perf_counter()
    with _progress_bar(steps * lanes.count, progress) as advance:
        outcomes = run_steps(lanes, steps, seed, advance)
    elapsed = time.perf_counter() - started
    return tuple(
        Run(
            task=task,
            model=model,
            steps=steps,
            replicates=replicates,
            seed=seed,
            engine="step",
            entries=outcome.entries,
            strata=outcome.strata,
            regret=outcome.regret,
            samples=outcome.samples,
            seconds=elapsed / len(outcomes),
        )
        for (task, model), outcome in zip(settings, outcomes, strict=True)
    )


def _checked(steps: int, replicates: int, seed: int) -> tuple[int, int, int]:
    return (
        integer("steps", steps, minimum=1),
        integer("replicates", replicates, minimum=1),
        integer("seed", seed, minimum=0),
    )


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
