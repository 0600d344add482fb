"""What was found, in sentences: phases, boundaries, agreement."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from figures.report.numbers_in_words import number_text
from simulate.agreements import Agreement
from simulate.run_result import Run
from theory.prediction import ClassPrediction, Prediction

_MEANINGS = {
    "in-weight": "is answered from weights from the first visit on",
    "transient": "is answered in context at first and from weights at last",
    "persistent": "is answered in context at last, however long the stream",
}


def phase_sentences(prediction: Prediction) -> tuple[str, ...]:
    """What is predicted for each group, or how many classes are in which phase.

    Examples
    --------
    >>> import theory
    >>> task = theory.TaskDistribution(num_high=2, num_low=4, p_high=0.9, context_length=1)
    >>> phase_sentences(theory.predict(task))[0].split(",")[0]
    'The high-frequency group is answered in context at first and from weights at last'
    """
    if prediction.task.grouped:
        return tuple(_group_sentence(entry) for entry in prediction.entries)
    counts = Counter(entry.phase for entry in prediction.entries)
    return tuple(
        f"{count:,} of {len(prediction.entries):,} classes are {phase}: such a class {_MEANINGS[phase]}."
        for phase, count in sorted(counts.items())
    )


def _group_sentence(entry: ClassPrediction) -> str:
    start = f"The {entry.name}-frequency group {_MEANINGS[entry.phase]}"
    if entry.phase != "transient":
        return f"{start} ({entry.phase})."
    if entry.vanish_steps is None:
        return f"{start} (transient), but its boundary in steps is out of reach."
    visits = (
        "" if entry.vanish_visits.sharp is None else f", {number_text(entry.vanish_visits.sharp)} visits of a class"
    )
    return f"{start}, from about {number_text(entry.vanish_steps)} steps on{visits} (transient)."


def exactness_sentence(prediction: Prediction) -> str:
    """Whether the predicted boundaries are exact."""
    if all(entry.sharp_is_exact for entry in prediction.entries):
        return "No constant is fitted: a boundary is where the exact mean gate last rises through 1/2."
    return (
        "No constant is fitted: a boundary is where the predicted mean gate last rises through 1/2; here the mean gate "
        "is a named approximation, whose error docs/agreement.md of the project reports."
    )


def simulated_sentence(run: Run) -> str:
    """How much was simulated, and in how many groups or classes the boundary was reached.

    Examples
    --------
    >>> import simulate, theory
    >>> task = theory.TaskDistribution(num_high=2, num_low=4, p_high=0.9, context_length=4, relevant_examples=1)
    >>> simulated_sentence(simulate.run(task, steps=10, replicates=1))
    '1 replicate of 10 steps, seed 0 (scan engine). 0 of 2 groups have a simulated boundary.'
    """
    what = "groups" if run.task.grouped else "classes"
    reached = sum(entry.boundary.steps is not None for entry in run.entries)
    return (
        f"{run.replicates:,} replicate{'s' * (run.replicates > 1)} of {run.steps:,} steps, seed {run.seed} "
        f"({run.engine} engine). {reached:,} of {len(run.entries):,} {what} have a simulated boundary."
    )


def uncertainty_sentence(run: Run) -> str:
    """How far the intervals can be trusted."""
    if run.replicates == 1:
        return "A single replicate tells nothing of its uncertainty: there are no intervals and no standard errors."
    few = " Fewer than 8 replicates make them too short." if run.replicates < 8 else ""
    return f"Intervals are 95 % bootstrap intervals over the replicates.{few}"


def agreement_sentence(rows: Sequence[Agreement]) -> str:
    """How well predicted and simulated boundaries agree.

    Examples
    --------
    >>> found = agreement_sentence([Agreement(name="a", predicted=10.0, simulated=11.0, interval=(9.0, 12.0))])
    >>> found.split(". ")[0], found.split(". ")[-1]
    ('1 predicted boundary of 1 was reached in the simulation', '1 of 1 lies inside its 95 % interval.')
    """
    predicted = sum(row.predicted is not None for row in rows)
    if predicted == 0:
        return "No boundary is predicted within reach, so there is none to compare."
    errors = [abs(row.relative_error) for row in rows if row.relative_error is not None]
    judged = [row.inside for row in rows if row.inside is not None]
    plural = "boundary" if len(errors) == 1 else "boundaries"
    verb = "was" if len(errors) == 1 else "were"
    start = f"{len(errors):,} predicted {plural} of {predicted:,} {verb} reached in the simulation."
    if not errors:
        return start
    sizes = f" Median difference {100 * np.median(errors):.2g} %, largest {100 * max(errors):.2g} %."
    if not judged:
        return start + sizes
    lie = "lies inside its" if sum(judged) == 1 else "lie inside their"
    return f"{start}{sizes} {sum(judged):,} of {len(judged):,} {lie} 95 % interval."
