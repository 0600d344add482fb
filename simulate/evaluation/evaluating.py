"""``evaluate`` and ``trace``: train, and ask what was learned, at the end or along the way."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from simulate.evaluation.exam import Exam, OnlineLearner
from simulate.evaluation.results import Evaluation, cell_of
from simulate.evaluation.traces import Trace, losses_of
from simulate.evaluation.training import Source, Training
from simulate.lanes import MOST_REPLICATES, Lanes, check_setting
from simulate.learner import Learner, strongest
from simulate.sources import PromptSource
from theory.checks import MOST_STEPS, integer, step_numbers
from theory.errors import SettingError
from theory.setting import AnyTask, Attention, GatedPredictor, KernelAttention, LearnedAttention

Array = NDArray[np.float64]

DEFAULT_STEPS = 100_000
CHECKPOINTS = 40
_FIRST_CHECKPOINT = 10
MOST_PROMPTS = 10**9


def evaluate(
    task: AnyTask,
    model: GatedPredictor | None = None,
    steps: int = DEFAULT_STEPS,
    replicates: int = 16,
    seed: int = 0,
    *,
    prompts: int = 1000,
) -> Evaluation:
    """Train learners online, then ask them prompts of every kind.

    The questions are {in-base, out-of-base} x {relevant, irrelevant} x the groups of
    :func:`simulate.evaluation.query_groups.query_groups`; in-base only where every episode is relabelled anew, and for
    a group of a single label, which has nowhere to move (``to_dict()["absent"]`` says so). Asking changes nothing, and
    takes nothing from the random streams of the training.

    Parameters
    ----------
    task : TaskDistribution or EpisodeDistribution
        What the world is like.
    model : GatedPredictor, optional
        What learns.
    steps : int
        Examples of the stream, at least 0.
    replicates : int
        Independent repetitions, at least 1.
    seed : int
        Seed of all random streams.
    prompts : int
        Questions in each cell of the grid and replicate, at least 1.

    Raises
    ------
    SettingError, NoEngineError
        A number is not admissible; attention has no floor, so that its loss could be infinite; a part has no
        implementation.

    Examples
    --------
    >>> from theory.setting import TaskDistribution
    >>> task = TaskDistribution(num_high=2, num_low=4, p_high=0.9, context_length=4, relevant_examples=2)
    >>> evaluation = evaluate(task, steps=1000, replicates=4, prompts=50)
    >>> float(evaluation["out-of-base", "relevant", "high"].error.in_weight.mean)
    1.0
    """
    model = GatedPredictor() if model is None else model
    check_setting(task, model)
    steps = integer("steps", steps, minimum=0, maximum=MOST_STEPS)
    exam, learner, source = _prepared(task, model, replicates, seed, prompts)
    marks, _ = follow(exam, learner, source, np.array([steps]))
    return Evaluation(
        task=task,
        model=model,
        steps=steps,
        replicates=exam.replicates,
        prompts=exam.prompts,
        seed=exam.seed,
        cells=tuple(cell_of(name, values) for name, values in zip(exam.cells, marks[0], strict=True)),
    )


def trace(
    task: AnyTask,
    model: GatedPredictor | None = None,
    steps: int = DEFAULT_STEPS,
    replicates: int = 16,
    seed: int = 0,
    *,
    prompts: int = 200,
    checkpoints: int | Sequence[int] = CHECKPOINTS,
) -> Trace:
    """Train learners online, and ask them the same prompts of every kind again and again.

    Parameters
    ----------
    task, model, steps, replicates, seed, prompts
        As for :func:`evaluate`; ``steps`` is at least 1.
    checkpoints : int or sequence of int
        How many checkpoints, evenly spaced in the logarithm from 10 to the last step (fewer where they would coincide);
        or the checkpoints themselves, increasing, from 0 (before the training) to ``steps``.

    Raises
    ------
    SettingError, NoEngineError
        As for :func:`evaluate`.

    Examples
    --------
    >>> from theory.setting import TaskDistribution
    >>> task = TaskDistribution(num_high=2, num_low=4, p_high=0.9, context_length=4, relevant_examples=2)
    >>> traced = trace(task, steps=1000, replicates=4, prompts=20, checkpoints=[0, 1000])
    >>> mean, standard_error = traced.curve("in_weight", "error", "in-base", "relevant", "high")
    >>> mean.round(3).tolist()
    [0.833, 0.0]
    """
    model = GatedPredictor() if model is None else model
    check_setting(task, model)
    steps = integer("steps", steps, minimum=1, maximum=MOST_STEPS)
    points = checkpoint_steps(steps, checkpoints)
    exam, learner, source = _prepared(task, model, replicates, seed, prompts)
    marks, losses = follow(exam, learner, source, points)
    return Trace(
        task=task,
        model=model,
        steps=points,
        replicates=exam.replicates,
        prompts=exam.prompts,
        seed=exam.seed,
        cells=tuple(cell_of(name, marks[:, i].swapaxes(0, 1)) for i, name in enumerate(exam.cells)),
        training=tuple(
            losses_of(group.name, losses[:, i].swapaxes(0, 1))
            for i, group in enumerate(exam.groups)
            if group.name != "held-out"
        ),
    )


def checkpoint_steps(steps: int, checkpoints: int | Sequence[int]) -> NDArray[np.int64]:
    """Checkpoints of a trace, shape (k,), increasing.

    Examples
    --------
    >>> checkpoint_steps(1000, 5).tolist(), checkpoint_steps(1000, [0, 20]).tolist(), checkpoint_steps(4, 3).tolist()
    ([10, 32, 100, 316, 1000], [0, 20], [4])
    """
    if np.ndim(checkpoints) == 0:
        number = integer("checkpoints", checkpoints, minimum=1, maximum=10_000)
        first = min(_FIRST_CHECKPOINT, steps)
        spaced = np.geomspace(first, steps, number) if number > 1 else np.array([steps])
        return np.unique(spaced.round().astype(np.int64))
    points = step_numbers("checkpoints", checkpoints, minimum=0)
    if points.size == 0 or points[-1] > steps or (np.diff(points) <= 0).any():
        raise SettingError("checkpoints", checkpoints, f"increasing numbers of steps, at most {steps:,}")
    return points


def _prepared(
    task: AnyTask, model: GatedPredictor, replicates: int, seed: int, prompts: int
) -> tuple[Exam, Learner, Source]:
    """Questions, who is asked, and what it learns from."""
    replicates = integer("replicates", replicates, minimum=1, maximum=MOST_REPLICATES)
    if isinstance(model.in_context, Attention | LearnedAttention | KernelAttention) and model.in_context.floor == 0:
        allowed = "above 0: an evaluation asks for labels that no example of the context carries"
        raise SettingError("model.in_context.floor", model.in_context.floor, allowed)
    seed = integer("seed", seed, minimum=0)
    lanes = Lanes((task,), (model,), replicates)
    learner = Learner(lanes)
    exam = Exam(
        task=task,
        replicates=replicates,
        seed=seed,
        prompts=integer("prompts", prompts, minimum=1, maximum=MOST_PROMPTS),
        needs=strongest("labels", learner.needs),
    )
    return exam, learner, PromptSource(lanes, learner.needs, seed)


def follow(exam: Exam, learner: OnlineLearner, source: Source, points: NDArray[np.int64]) -> tuple[Array, Array]:
    """Train and ask at each of the points.

    Returns
    -------
    marks : ndarray, shape (k, cells, measures, replicates)
        Means over the questions.
    losses : ndarray, shape (k, groups, 4, replicates)
        Visits and summed training losses since the point before.
    """
    training = Training(learner, source, exam.groups, exam.task.total_classes, exam.width)
    marks, losses = [], []
    for steps in np.diff(points, prepend=0).tolist():
        losses.append(training.advance(steps))
        marks.append(exam.marks(learner))
    return np.stack(marks), np.stack(losses)
