"""A task distribution in the clothes of an episode distribution, and back."""

from __future__ import annotations

from theory.errors import NoTheoryError
from theory.setting.episodes import EpisodeDistribution
from theory.setting.input_parts import TabularInputs
from theory.setting.label_rule import LabelRule
from theory.setting.rows import RowKind
from theory.setting.sampling_parts import Stream
from theory.setting.task import CLASS_SETTINGS, TaskDistribution

AnyTask = TaskDistribution | EpisodeDistribution


def episodes_of(task: TaskDistribution) -> EpisodeDistribution:
    """The episode distribution with exactly a task's law; its kinds of rows are ``relevant`` and ``irrelevant``.

    Examples
    --------
    >>> task = TaskDistribution(num_high=5, num_low=5, p_high=0.9, context_length=4, p_relevant=0.75)
    >>> [(kind.name, kind.share) for kind in episodes_of(task).rows]
    [('relevant', 0.75), ('irrelevant', 0.25)]
    >>> task_of(episodes_of(task)) == task
    True
    """
    copies = task.relevant_examples
    matches = "at-least-one" if copies is None else "exact"
    return EpisodeDistribution(
        classes=task.classes,
        rows=(
            RowKind(name="relevant", share=task.p_relevant, matches=matches, copies=copies),
            RowKind(name="irrelevant", share=1 - task.p_relevant, matches="none"),
        ),
        context_length=task.context_length,
        labels=LabelRule(
            num_labels=task.num_labels,
            label_noise=task.label_noise,
            label_noise_kind=task.label_noise_kind,
            context_label_noise=task.context_label_noise,
        ),
    )


def task_of(episodes: AnyTask) -> TaskDistribution:
    """The task distribution with exactly the law of an episode distribution (a task itself is returned).

    Raises
    ------
    NoTheoryError
        It is none: the error names the part that tasks, and so the theory of them, do not have.
    """
    if isinstance(episodes, TaskDistribution):
        return episodes
    _check_parts(episodes)
    certain = [kind for kind in episodes.rows if kind.matches != "none"]
    drawn = [kind for kind in certain if kind.share > 0]
    numbers = {(kind.matches, kind.copies) for kind in drawn or certain[:1]}
    if len(numbers) > 1:
        raise NoTheoryError("episodes.rows", drawn[1], "another number of matches than the first kind's")
    (_, copies) = numbers.pop() if numbers else (None, None)
    labels = episodes.labels
    return TaskDistribution(
        **{name: getattr(episodes.classes, name) for name in CLASS_SETTINGS},
        num_labels=labels.num_labels,
        context_length=episodes.context_length,
        p_relevant=min(sum(kind.share for kind in drawn), 1.0),
        relevant_examples=copies,
        label_noise=labels.label_noise,
        label_noise_kind=labels.label_noise_kind,
        context_label_noise=labels.context_label_noise,
    )


def _check_parts(episodes: EpisodeDistribution) -> None:
    if not isinstance(episodes.inputs, TabularInputs):
        raise NoTheoryError("episodes.inputs", episodes.inputs)
    if not isinstance(episodes.sampling, Stream):
        raise NoTheoryError("episodes.sampling", episodes.sampling)
    if episodes.held_out_classes:
        raise NoTheoryError("episodes", episodes, f"held_out_classes = {episodes.held_out_classes}")
    labels = episodes.labels
    if labels.relabel != "none":
        raise NoTheoryError("episodes.labels", labels, f"relabel = {labels.relabel!r}")
    if labels.label_noise_kind == "matrix":
        raise NoTheoryError("episodes.labels", labels, "label_noise_kind = 'matrix'")
    for kind in episodes.rows:
        if kind.share > 0:
            _check_row_kind(kind)


def _check_row_kind(kind: RowKind) -> None:
    if kind.matches == "iid":
        raise NoTheoryError("episodes.rows", kind, "matches = 'iid'")
    if kind.distractor_copies:
        raise NoTheoryError("episodes.rows", kind, f"distractor_copies = {kind.distractor_copies}")
    # Without a distractor 'no-support' leaves out nothing that 'iid' does not.
    if kind.rest == "unique":
        raise NoTheoryError("episodes.rows", kind, "rest = 'unique'")
