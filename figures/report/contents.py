"""What a report is made of: everything is predicted, simulated and asked here, and nothing where it is written."""

from __future__ import annotations

from dataclasses import dataclass

from simulate.comparison import sufficient_steps
from simulate.evaluation.evaluating import evaluate
from simulate.evaluation.results import Evaluation
from simulate.lanes import MOST_REPLICATES, check_setting
from simulate.regrets.rows import RegretRow
from simulate.regrets.running import run_regrets
from simulate.run_result import Run
from simulate.simulation import run
from theory.checks import MOST_STEPS, integer
from theory.errors import NoTheoryError, SettingError
from theory.prediction import Prediction
from theory.setting import AnyTask, GatedPredictor, task_of
from theory.solver import predict

DEFAULT_REPLICATES, DEFAULT_PROMPTS = 32, 200
STEPS_WITHOUT_THEORY = 20_000
"""Steps of a run whose boundary nothing predicts, unless they are given."""
ASKED_STEPS = 8_000_000
"""Steps times replicates of the learners that are asked, and of those whose regret is measured: half a minute."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Contents:
    """Everything that a report says.

    Parameters
    ----------
    task, model : TaskDistribution or EpisodeDistribution, GatedPredictor
        The setting; episodes that have the law of a task come as that task.
    run : Run
        The simulation.
    prediction : Prediction or None
        ``None`` where a part has no theory.
    no_theory : str
        Which part that is; empty where there is a prediction.
    evaluation : Evaluation or None
        What the learners answer after their training; ``None`` where they cannot be asked.
    no_evaluation : str
        Why not; empty where they can.
    regrets : tuple of RegretRow
        Regret of the gate where it comes nearest to its bounds; empty where it has none.
    no_regrets : str
        Why not; empty where it has.
    asked_steps, asked_replicates, prompts : int
        Training of the learners that were asked and whose regret was measured, and questions of each kind.
    """

    task: AnyTask
    model: GatedPredictor
    run: Run
    prediction: Prediction | None
    no_theory: str
    evaluation: Evaluation | None
    no_evaluation: str
    regrets: tuple[RegretRow, ...]
    no_regrets: str
    asked_steps: int
    asked_replicates: int
    prompts: int


def gather(
    task: AnyTask,
    model: GatedPredictor | None = None,
    *,
    steps: int | None = None,
    replicates: int = DEFAULT_REPLICATES,
    seed: int = 0,
    prompts: int = DEFAULT_PROMPTS,
) -> Contents:
    """Predict, simulate, ask and measure, for one setting.

    Parameters
    ----------
    task, model : TaskDistribution or EpisodeDistribution, GatedPredictor
        The setting.
    steps : int, optional
        Steps of the simulation; ``None`` takes 1.5 times the last predicted boundary, 2,000,000 at most, or 20,000
        where nothing is predicted.
    replicates, seed : int
        Of the simulation.
    prompts : int
        Questions of each kind and replicate.

    Raises
    ------
    SettingError, NoEngineError
        A number is not admissible, the parts do not fit together, or a part has no implementation.

    Examples
    --------
    >>> from theory.setting import LabelPosterior, TaskDistribution
    >>> task = TaskDistribution(num_high=2, num_low=4, p_high=0.9, context_length=4, relevant_examples=1)
    >>> model = GatedPredictor(in_context=LabelPosterior())
    >>> gather(task, model, steps=100, replicates=2, prompts=5).no_theory.split(":")[0]
    "model.in_context = 'label-posterior' has no theory"
    """
    model = GatedPredictor() if model is None else model
    steps = None if steps is None else integer("steps", steps, minimum=1, maximum=MOST_STEPS)
    replicates = integer("replicates", replicates, minimum=1, maximum=MOST_REPLICATES)
    check_setting(task, model)
    task = _as_task(task)
    prediction, no_theory = _predicted(task, model)
    if steps is None:
        steps = STEPS_WITHOUT_THEORY if prediction is None else sufficient_steps([prediction])
    simulated = run(task, model, steps, replicates, seed)
    asked_steps, asked_replicates = asked_size(steps, replicates)
    evaluation, no_evaluation = _evaluated(task, model, asked_steps, asked_replicates, seed, prompts)
    regrets, no_regrets = _regrets(task, model, asked_steps, asked_replicates, seed)
    return Contents(
        task=task,
        model=model,
        run=simulated,
        prediction=prediction,
        no_theory=no_theory,
        evaluation=evaluation,
        no_evaluation=no_evaluation,
        regrets=regrets,
        no_regrets=no_regrets,
        asked_steps=asked_steps,
        asked_replicates=asked_replicates,
        prompts=prompts,
    )


def asked_size(steps: int, replicates: int) -> tuple[int, int]:
    """Steps and replicates of the learners that are asked: fewer replicates first, then fewer steps.

    Examples
    --------
    >>> asked_size(1000, 32), asked_size(2_000_000, 32), asked_size(10**9, 32), asked_size(10**9, 1)
    ((1000, 32), (2000000, 4), (4000000, 2), (8000000, 1))
    """
    few = min(replicates, max(2, ASKED_STEPS // steps))
    return min(steps, ASKED_STEPS // few), few


def _as_task(task: AnyTask) -> AnyTask:
    """The task with the same law, which has a theory and the faster engine; episodes where there is none."""
    try:
        return task_of(task)
    except NoTheoryError:
        return task


def _predicted(task: AnyTask, model: GatedPredictor) -> tuple[Prediction | None, str]:
    try:
        return predict(task, model), ""
    except (NoTheoryError, SettingError) as error:
        # The simulator has accepted the setting: what is not admissible here is beyond the theory only.
        return None, str(error)


def _evaluated(
    task: AnyTask, model: GatedPredictor, steps: int, replicates: int, seed: int, prompts: int
) -> tuple[Evaluation | None, str]:
    try:
        return evaluate(task, model, steps, replicates, seed, prompts=prompts), ""
    except SettingError as error:
        if error.field in ("steps", "replicates", "seed", "prompts"):
            raise
        return None, str(error)


def _regrets(
    task: AnyTask, model: GatedPredictor, steps: int, replicates: int, seed: int
) -> tuple[tuple[RegretRow, ...], str]:
    try:
        return run_regrets(task, model, steps, replicates, seed), ""
    except SettingError as error:
        return (), str(error)
