"""``run_regrets``: the regret of a gate along whole simulations, against its bounds."""

from __future__ import annotations

from simulate.lanes import MOST_REPLICATES, Lanes, check_setting
from simulate.learner import Learner
from simulate.regrets.recorder import RegretRecorder
from simulate.regrets.rows import RegretRow
from simulate.sources import PromptSource
from theory.checks import integer
from theory.errors import SettingError
from theory.setting import AnyTask, GatedPredictor

_BLOCK = 1 << 16


def run_regrets(
    task: AnyTask, model: GatedPredictor, steps: int = 10_000, replicates: int = 4, seed: int = 0
) -> tuple[RegretRow, ...]:
    """Simulate, and hold every gate cell of every replicate against the bounds of the gate.

    Parameters
    ----------
    task, model, steps, replicates, seed
        As for :func:`simulate.run`, with ``steps * replicates`` up to 5e7; the prompts are those of its step engine.

    Returns
    -------
    tuple of RegretRow
        For each comparator the cell and replicate that come nearest to the bound, after all visits of the cell.

    Raises
    ------
    SettingError
        A number is not admissible, or the gate has no cells, and so no bound on every trajectory.
    NoEngineError
        A part of the model has no implementation.

    Examples
    --------
    >>> from theory.setting import FixedShareGate, TaskDistribution
    >>> task = TaskDistribution(num_high=2, num_low=4, p_high=0.9, context_length=4, relevant_examples=1)
    >>> rows = run_regrets(task, GatedPredictor(gate=FixedShareGate()), steps=500, replicates=2)
    >>> all(row.slack > 0 for row in rows), rows[0].comparator
    (True, 'in-weight')
    """
    steps, seed = integer("steps", steps, minimum=1), integer("seed", seed, minimum=0)
    check_setting(task, model)
    lanes = Lanes((task,), (model,), integer("replicates", replicates, minimum=1, maximum=MOST_REPLICATES))
    learner = Learner(lanes)
    if learner.per is None:
        raise SettingError("model.gate", model.gate, "a gate with cells, which alone has a bound on every trajectory")
    recorder, source = RegretRecorder(lanes), PromptSource(lanes, learner.needs, seed)
    done = 0
    while done < steps:
        rows = min(max(1, _BLOCK // lanes.count), steps - done)
        block = source.draw(rows)
        learned = learner.advance(block)
        recorder.add(block, -learned.in_weight, -learned.in_context, learned.path)
        done += rows
    return recorder.rows(0)
