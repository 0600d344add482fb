"""A task in words: classes, labels, contexts, noise, inputs and sampling."""

from __future__ import annotations

import numpy as np

from figures.report.numbers_in_words import number_text
from theory.setting import (
    AnyTask,
    ArrayInputs,
    EpisodeDistribution,
    FiniteSample,
    GaussianInputs,
    RowKind,
    SphereInputs,
    TaskDistribution,
)

_MATCHES = {
    "at-least-one": "at least one example of the query's class",
    "none": "no example of the query's class",
    "iid": "as many examples of the query's class as chance brings",
}
_RELABELLED = {
    "none": "",
    "permutation": "Every episode renames all labels by a fresh permutation.",
    "pool": "Every episode renames its labels by one of {:,} permutations, which stay the same.",
    "few-shot": "The classes of an episode get the labels 0, 1, ... in random order.",
}


def task_sentences(task: AnyTask) -> tuple[str, ...]:
    """What the world of a task is like, sentence by sentence.

    Examples
    --------
    >>> for sentence in task_sentences(TaskDistribution(num_high=2, num_low=3, p_high=0.7, context_length=4)):
    ...     print(sentence)
    There are 5 classes: 2 of high frequency, with probability 0.35 each, and 3 of low frequency, with 0.1 each.
    Every class has a label of its own.
    A context holds 4 labelled examples, always some of the query's class: as many as chance brings, but at least one.
    Labels have no noise.
    """
    contexts = _task_contexts(task) if isinstance(task, TaskDistribution) else _episode_contexts(task)
    more = () if isinstance(task, TaskDistribution) else _episode_parts(task)
    return (_classes(task), _labels(task), *contexts, *_noise(task), *more)


def _classes(task: AnyTask) -> str:
    law = task.classes
    start = f"There are {law.total_classes:,} classes"
    if task.grouped:
        high, low = task.level_probabilities
        return (
            f"{start}: {task.num_high:,} of high frequency, with probability {number_text(high)} each, and "
            f"{task.num_low:,} of low frequency, with {number_text(low)} each."
        )
    likely = np.asarray(law.class_probabilities)
    ends = f"from {number_text(float(likely.max()))} down to {number_text(float(likely[likely > 0].min()))}"
    if law.frequencies == "uniform":
        return f"{start}, each with probability {number_text(float(likely[0]))}."
    kind = {"zipf": f"Zipf frequencies of exponent {number_text(law.zipf_exponent)}", "weights": "given probabilities"}
    return f"{start} with {kind.get(law.frequencies, 'the frequencies of their counts')}, {ends}."


def _labels(task: AnyTask) -> str:
    if task.num_labels is None:
        return "Every class has a label of its own."
    return f"The classes share {task.num_labels:,} labels in turn."


def _examples(count: int) -> str:
    return f"{count:,} labelled example{'s' * (count > 1)}"


def _task_contexts(task: TaskDistribution) -> tuple[str, ...]:
    start = f"A context holds {_examples(task.context_length)}"
    if task.p_relevant == 0:
        return (f"{start}, never one of the query's class.",)
    often = "always" if task.p_relevant == 1 else f"with probability {number_text(task.p_relevant)}"
    if task.relevant_examples is None:
        what = "some of the query's class: as many as chance brings, but at least one."
    else:
        what = f"{task.relevant_examples:,} of them of the query's class."
    return (f"{start}, {often} {what}",)


def _episode_contexts(task: EpisodeDistribution) -> tuple[str, ...]:
    start = f"A context holds {_examples(task.context_length)}."
    return (start, *(_row_kind(kind) for kind in task.rows if kind.share > 0))


def _row_kind(kind: RowKind) -> str:
    matches = _MATCHES.get(kind.matches, "")
    if kind.copies:
        matches = f"{kind.copies:,} example{'s' * (kind.copies > 1)} of the query's class"
    if kind.distractor_copies:
        matches += f", and {kind.distractor_copies:,} of one other class"
    return f"With probability {number_text(kind.share)} it is of the kind “{kind.name}”, with {matches}."


def _noise(task: AnyTask) -> tuple[str, ...]:
    own, context = task.label_noise, task.noise_in_context
    if task.label_noise_kind == "matrix":
        return ("Labels are noisy, by a matrix of the setting below.",)
    if own == 0 and context == 0:
        return ("Labels have no noise.",)
    goes = "the next label" if task.label_noise_kind == "cyclic" else "any other label"
    apart = "" if own == context else f" ({number_text(context)} in contexts)"
    return (f"A label is replaced by {goes} with probability {number_text(own)}{apart}.",)


def _episode_parts(task: EpisodeDistribution) -> tuple[str, ...]:
    sentences = [
        _RELABELLED[task.labels.relabel].format(task.labels.pool_size),
        _inputs(task),
        _held_out(task.held_out_classes),
        _sampling(task),
    ]
    return tuple(sentence for sentence in sentences if sentence)


def _held_out(count: int) -> str:
    return f"Held out are {count:,} further classes, which never occur in training." if count else ""


def _inputs(task: EpisodeDistribution) -> str:
    inputs = task.inputs
    if isinstance(inputs, SphereInputs | GaussianInputs):
        place = "on a sphere" if isinstance(inputs, SphereInputs) else "from a normal law"
        noise = number_text(inputs.input_noise)
        where = f"{place} in {inputs.dimension:,} dimensions"
        return f"Inputs scatter with noise {noise} around one centre for each class, {where}."
    if isinstance(inputs, ArrayInputs):
        return f"Inputs are rows of a given array, in {inputs.dimension:,} dimensions."
    return ""


def _sampling(task: EpisodeDistribution) -> str:
    if not isinstance(task.sampling, FiniteSample):
        return ""
    covered = ", among which every class occurs" if task.sampling.coverage == "forced" else ""
    return f"Training draws again and again from {task.sampling.rows:,} fixed rows{covered}."
