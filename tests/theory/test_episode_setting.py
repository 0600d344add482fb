"""Episode distributions as settings: checks, what a simulator asks, what has theory, the flip."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from simulate.episodes.sampler import episode_sampler
from tests.simulate.test_statistics import TASKS
from theory.errors import NoTheoryError, SettingError
from theory.match_laws import match_law
from theory.setting import (
    ArrayInputs,
    ClassLaw,
    EpisodeDistribution,
    FiniteSample,
    GaussianInputs,
    LabelRule,
    RowKind,
    SphereInputs,
    TabularInputs,
    TaskDistribution,
    episodes_of,
    task_of,
)
from theory.setting.label_flip import flip_within_groups
from theory.setting_file import load
from theory.solver import predict

NAN, INF = math.nan, math.inf
CLASSES = ClassLaw(frequencies="uniform", num_classes=6)
PLAIN = RowKind(name="plain", share=1, matches="iid")
LITERATURE = ("chan2022", "singh2023", "reddy2023", "chan2024")


def made(**changes: Any) -> EpisodeDistribution:
    return EpisodeDistribution(**{"classes": CLASSES, "rows": (PLAIN,), "context_length": 4, **changes})


def row(**changes: Any) -> RowKind:
    return RowKind(**{"name": "k", "share": 1.0, "matches": "exact", "copies": 2, **changes})


def preset(name: str) -> EpisodeDistribution:
    episodes, _ = load(name)
    assert isinstance(episodes, EpisodeDistribution)
    return episodes


# Bad settings.

E = "episodes."
BAD: list[tuple[Any, str, str]] = [
    (lambda: row(name=""), "rows.name", "a name"),
    (lambda: row(name="a.b"), "rows.name", "without dots"),
    (lambda: row(name=3), "rows.name", "a name"),
    (lambda: row(share=-0.1), "rows.k.share", "at least 0"),
    (lambda: row(share=1.5), "rows.k.share", "at most 1"),
    (lambda: row(share=NAN), "rows.k.share", "at most 1"),
    (lambda: row(share="1"), "rows.k.share", "a number"),
    (lambda: row(matches="exactly"), "rows.k.matches", "did you mean 'exact'"),
    (lambda: row(copies=None), "rows.k.copies", "matches = 'exact' needs it"),
    (lambda: row(copies=0), "rows.k.copies", "at least 1"),
    (lambda: row(copies=2.0), "rows.k.copies", "a whole number"),
    (lambda: row(matches="none"), "rows.k.copies", "nothing"),
    (lambda: row(distractor_copies=-1), "rows.k.distractor_copies", "at least 0"),
    (lambda: row(matches="iid", copies=None, distractor_copies=1), "rows.k.distractor_copies", "no certain room"),
    (lambda: row(matches="at-least-one", copies=None, distractor_copies=1), "rows.k.distractor_copies", "0"),
    (lambda: row(rest="some"), "rows.k.rest", "one of iid, no-support, unique"),
    (lambda: row(matches="iid", copies=None, rest="unique"), "rows.k.rest", "'iid'"),
    (lambda: made(rows=()), "rows", "at least one RowKind"),
    (lambda: made(rows="plain"), "rows", "at least one RowKind"),
    (lambda: made(rows=({"name": "a"},)), "rows", "at least one RowKind"),
    (lambda: made(rows=(PLAIN, replace(PLAIN, share=0.0))), "rows", "different names"),
    (lambda: made(rows=(replace(PLAIN, share=0.5),)), "rows", "sum to one (sum: 0.5)"),
    (lambda: made(context_length=0), "context_length", "at least 1"),
    (lambda: made(context_length=10_001), "context_length", "at most 10,000"),
    (lambda: made(context_length=True), "context_length", "a whole number"),
    (lambda: made(held_out_classes=-1), "held_out_classes", "at least 0"),
    (lambda: made(held_out_classes=NAN), "held_out_classes", "a whole number"),
    (lambda: made(classes=None), "classes", "a ClassLaw"),
    (lambda: made(inputs="sphere"), "inputs", "a TabularInputs or SphereInputs"),
    (lambda: made(labels=3), "labels", "a LabelRule"),
    (lambda: made(sampling="stream"), "sampling", "a Stream or FiniteSample"),
    (lambda: made(rows=(row(copies=5),)), "rows.k.copies", "do not fit into context_length = 4"),
    (lambda: made(rows=(row(copies=2, distractor_copies=3),)), "rows.k.copies", "distractor_copies = 3 do not fit"),
    (lambda: made(rows=(row(matches="none", copies=None, distractor_copies=5),)), "rows.k.distractor_copies", "less"),
    (
        lambda: made(rows=(row(matches="none", copies=None, rest="unique"),), context_length=6),
        "rows.k.rest",
        "without any 6 classes others have to be left",
    ),
    (
        lambda: made(
            rows=(row(copies=1, distractor_copies=1, rest="no-support"),),
            classes=ClassLaw(frequencies="uniform", num_classes=2),
        ),
        "rows.k.rest",
        "without any 2 classes",
    ),
    (
        lambda: made(
            rows=(row(copies=1, distractor_copies=1, rest="no-support"),),
            classes=ClassLaw(frequencies="weights", weights=[0.5, 0.5 - 1e-10, 1e-10]),
        ),
        "rows.k.rest",
        "1e-09 of the probability",
    ),
    (lambda: SphereInputs(dimension=0), "inputs.dimension", "at least 1"),
    (lambda: SphereInputs(dimension=2.5), "inputs.dimension", "a whole number"),
    (lambda: SphereInputs(input_noise=-1), "inputs.input_noise", "at least 0"),
    (lambda: GaussianInputs(input_noise=INF), "inputs.input_noise", "at most"),
    (lambda: GaussianInputs(rescale="yes"), "inputs.rescale", "true or false"),
    (lambda: ArrayInputs(embeddings=[], classes=[]), "inputs.embeddings", "a table of finite numbers"),
    (lambda: ArrayInputs(embeddings=[1.0, 2.0], classes=[0, 1]), "inputs.embeddings", "a table"),
    (lambda: ArrayInputs(embeddings=[[1.0], [NAN]], classes=[0, 1]), "inputs.embeddings", "finite"),
    (lambda: ArrayInputs(embeddings=[[1.0], [-INF]], classes=[0, 1]), "inputs.embeddings", "finite"),
    (lambda: ArrayInputs(embeddings=[[1.0], [1e200]], classes=[0, 1]), "inputs.embeddings", "1e+100"),
    (lambda: ArrayInputs(embeddings=[[1.0], [2.0, 3.0]], classes=[0, 1]), "inputs.embeddings", "a table"),
    (lambda: ArrayInputs(embeddings=[["a"], ["b"]], classes=[0, 1]), "inputs.embeddings", "a table"),
    (lambda: ArrayInputs(embeddings=[[object()]], classes=[0]), "inputs.embeddings", "a table"),
    (lambda: ArrayInputs(embeddings=[[1j]], classes=[0]), "inputs.embeddings", "a table"),
    (lambda: ArrayInputs(embeddings=[[1.0]], classes=[0, 1]), "inputs.classes", "a list of 1 class numbers"),
    (lambda: ArrayInputs(embeddings=[[1.0]], classes=[0.5]), "inputs.classes", "a list of 1 class numbers"),
    (lambda: ArrayInputs(embeddings=[[1.0]], classes=[-1]), "inputs.classes", "a list of 1 class numbers"),
    (lambda: ArrayInputs(embeddings=[[1.0], [2.0]], classes=[[0], [1, 2]]), "inputs.classes", "a list of 2"),
    (
        lambda: made(inputs=ArrayInputs(embeddings=np.ones((6, 2)), classes=[0, 1, 2, 3, 4, 6])),
        "inputs.classes",
        "below the number of classes, 6",
    ),
    (
        lambda: made(inputs=ArrayInputs(embeddings=np.ones((5, 2)), classes=[0, 1, 2, 4, 5])),
        "inputs.classes",
        "class 3 has none",
    ),
    (
        lambda: made(inputs=ArrayInputs(embeddings=np.ones((6, 2)), classes=np.arange(6)), held_out_classes=1),
        "inputs.classes",
        "class 6 has none",
    ),
    (lambda: LabelRule(num_labels=1), "labels.num_labels", "at least 2"),
    (lambda: made(labels=LabelRule(num_labels=7)), "labels.num_labels", "at most the number of classes, 6"),
    (lambda: LabelRule(label_noise=1.1), "labels.label_noise", "at most 1"),
    (lambda: LabelRule(label_noise=NAN), "labels.label_noise", "at most 1"),
    (lambda: LabelRule(context_label_noise=-0.1), "labels.context_label_noise", "at least 0"),
    (lambda: LabelRule(label_noise_kind="cycle"), "labels.label_noise_kind", "did you mean 'cyclic'"),
    (lambda: LabelRule(noise_matrix=[[1, 0], [0, 1]]), "labels.noise_matrix", "nothing"),
    (lambda: LabelRule(label_noise_kind="matrix"), "labels.noise_matrix", "a matrix"),
    (lambda: LabelRule(label_noise_kind="matrix", noise_matrix="x"), "labels.noise_matrix", "a square matrix"),
    (lambda: LabelRule(label_noise_kind="matrix", noise_matrix=[[1]]), "labels.noise_matrix", "at least two rows"),
    (lambda: LabelRule(label_noise_kind="matrix", noise_matrix=np.array(1.0)), "labels.noise_matrix", "a square"),
    (lambda: LabelRule(label_noise_kind="matrix", noise_matrix=[[1, 0], [1]]), "labels.noise_matrix[1]", "a square"),
    (lambda: LabelRule(label_noise_kind="matrix", noise_matrix=[[1, 0], 3]), "labels.noise_matrix[1]", "a square"),
    (
        lambda: LabelRule(label_noise_kind="matrix", noise_matrix=[[1, 0], [0.5, 0.4]]),
        "labels.noise_matrix[1]",
        "sum to one",
    ),
    (
        lambda: LabelRule(label_noise_kind="matrix", noise_matrix=[[1, 0], [1.5, -0.5]]),
        "labels.noise_matrix[1][0]",
        "at most 1",
    ),
    (
        lambda: LabelRule(label_noise_kind="matrix", noise_matrix=[[1, 0], [NAN, 1]]),
        "labels.noise_matrix[1][0]",
        "at most 1",
    ),
    (
        lambda: LabelRule(label_noise_kind="matrix", noise_matrix=[[1, 0], [0, 1]], label_noise=0.1),
        "labels.label_noise",
        "the matrix says",
    ),
    (
        lambda: LabelRule(label_noise_kind="matrix", noise_matrix=[[1, 0], [0, 1]], context_label_noise=0.1),
        "labels.context_label_noise",
        "nothing",
    ),
    (
        lambda: made(labels=LabelRule(label_noise_kind="matrix", noise_matrix=[[1, 0], [0, 1]])),
        "labels.noise_matrix",
        "a row for each of the 6 labels",
    ),
    (lambda: LabelRule(relabel="shuffle"), "labels.relabel", "one of none, permutation, pool, few-shot"),
    (lambda: LabelRule(relabel="pool"), "labels.pool_size", "relabel = 'pool' needs it"),
    (lambda: LabelRule(relabel="pool", pool_size=0), "labels.pool_size", "at least 1"),
    (lambda: LabelRule(pool_size=3), "labels.pool_size", "nothing"),
    (
        lambda: made(labels=LabelRule(num_labels=4, relabel="few-shot")),
        "labels.relabel",
        "may have 5 classes and there are 4 labels",
    ),
    (lambda: FiniteSample(rows=0), "sampling.rows", "at least 1"),
    (lambda: FiniteSample(rows=1e6), "sampling.rows", "a whole number"),
    (lambda: FiniteSample(coverage="all"), "sampling.coverage", "one of iid, forced"),
    (lambda: made(sampling=FiniteSample(rows=5, coverage="forced")), "sampling.rows", "that occur, 6"),
    (lambda: match_law(made(), 6), "query", "at most 5"),
    (lambda: match_law(made(), 0, "bursty"), "row_kind", "one of plain"),
]


@pytest.mark.parametrize(("make", "field", "allowed"), BAD, ids=range(len(BAD)))
def test_bad_settings_are_refused(make: Any, field: str, allowed: str) -> None:
    with pytest.raises(SettingError) as caught:
        make()
    assert caught.value.field in (field, E + field)
    assert allowed in caught.value.allowed
    assert len(str(caught.value).splitlines()) == 1


def test_settings_are_frozen_keyword_only_and_comparable() -> None:
    assert made() == made()
    assert made() != made(context_length=3)
    with pytest.raises(AttributeError):
        made().context_length = 3  # type: ignore[misc]
    with pytest.raises(TypeError):
        RowKind("k", 1.0, "iid")  # type: ignore[misc]
    array = np.ones((6, 1))
    inputs = ArrayInputs(embeddings=array, classes=np.arange(6))
    array[0] = 5
    assert inputs.embeddings[0, 0] == 1
    with pytest.raises(ValueError, match="read-only"):
        inputs.embeddings[0, 0] = 2
    assert inputs == ArrayInputs(embeddings=np.ones((6, 1)), classes=np.arange(6))
    assert hash(inputs) == hash(ArrayInputs(embeddings=np.ones((6, 1)), classes=np.arange(6)))
    assert inputs != ArrayInputs(embeddings=np.zeros((6, 1)), classes=np.arange(6))
    assert inputs != TabularInputs()


def test_the_limits_are_admissible() -> None:
    full = row(matches="none", copies=None, rest="unique")
    assert made(rows=(full,), context_length=5).context_length == 5
    assert made(rows=(row(copies=4),)).rows[0].rest_examples(4) == (0, 0)
    assert made(labels=LabelRule(num_labels=5, relabel="few-shot")).total_labels == 5
    assert made(sampling=FiniteSample(rows=6, coverage="forced")).sampling == FiniteSample(rows=6, coverage="forced")


# What a simulator asks of it.


def test_it_answers_what_a_task_answers() -> None:
    task = TaskDistribution(num_high=2, num_low=3, p_high=0.8, context_length=4, label_noise=0.1, num_labels=4)
    episodes = episodes_of(task)
    for name in (
        "total_classes", "total_labels", "grouped", "level_probabilities", "num_high", "num_low", "context_length",
        "num_labels", "label_noise", "label_noise_kind", "noise_in_context", "noisy_labels",
    ):  # fmt: skip
        assert getattr(episodes, name) == getattr(task, name), name
    assert np.array_equal(episodes.class_probabilities, task.class_probabilities)
    assert [episodes.name_of(i) for i in range(5)] == [task.name_of(i) for i in range(5)]
    more = replace(episodes, held_out_classes=2)
    assert more.class_probabilities.tolist() == [*task.class_probabilities.tolist(), 0.0, 0.0]
    assert (more.total_classes, more.total_labels, more.name_of(6)) == (7, 4, "6")
    assert replace(more, labels=LabelRule()).total_labels == 7


def test_relevance_and_match_law_by_hand() -> None:
    """Two examples of classes with p = 1/6: no match in the i.i.d. rows has probability 25/36."""
    rows = (replace(PLAIN, share=0.5), row(name="b", share=0.25, copies=2), row(name="c", share=0.25, copies=1))
    episodes = made(rows=rows, context_length=2, held_out_classes=1)
    assert match_law(episodes, 0) == pytest.approx([25 / 72, 10 / 72 + 0.25, 1 / 72 + 0.25], rel=1e-12, abs=0)
    assert match_law(episodes, 6).tolist() == [0.5, 0.25, 0.25]
    assert match_law(episodes, 0, "c").tolist() == [0, 1, 0]
    assert episodes.relevance_of_class == pytest.approx([*[47 / 72] * 6, 0.5], rel=1e-12)


def test_match_laws_keep_their_digits_for_rare_classes() -> None:
    """P(M >= 1) of a class with p = 1e-13 is L p to 12 digits; a difference from one would keep three."""
    law = ClassLaw(frequencies="weights", weights=[1e-13, 0.5, 0.5 - 1e-13])
    episodes = made(classes=law, context_length=8)
    assert episodes.relevance_of_class[0] == pytest.approx(8e-13, rel=1e-11, abs=0)
    assert match_law(episodes, 0)[1] == pytest.approx(8e-13, rel=1e-11, abs=0)
    conditioned = made(classes=law, context_length=8, rows=(row(matches="at-least-one", copies=None),))
    assert match_law(conditioned, 0)[2] == pytest.approx(28 / 8 * 1e-13, rel=1e-11, abs=0)


# Tasks in other clothes.


@pytest.mark.parametrize("name", TASKS)
def test_tasks_there_and_back(name: str) -> None:
    assert task_of(episodes_of(TASKS[name])) == TASKS[name]
    assert task_of(TASKS[name]) is TASKS[name]


def test_theory_predicts_a_task_in_other_clothes() -> None:
    task = TaskDistribution(num_high=2, num_low=3, p_high=0.8, context_length=4, p_relevant=0.7, label_noise=0.1)
    assert predict(episodes_of(task)).to_dict() == predict(task).to_dict()


def test_other_words_for_the_same_task() -> None:
    """No support without a distractor, and two kinds of one law, change nothing."""
    task = TaskDistribution(
        frequencies="uniform", num_classes=6, context_length=4, p_relevant=0.75, relevant_examples=2
    )
    rows = (
        row(name="a", share=0.5, rest="no-support"),
        row(name="b", share=0.25),
        row(name="c", share=0.25, matches="none", copies=None),
        row(name="d", share=0.0, matches="iid", copies=None),
    )
    assert task_of(made(rows=rows)) == task


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"inputs": SphereInputs()}, "episodes.inputs = 'sphere' has no theory"),
        ({"sampling": FiniteSample(rows=10)}, "episodes.sampling = 'finite' has no theory"),
        ({"held_out_classes": 2}, "episodes with held_out_classes = 2 has no theory"),
        ({"labels": LabelRule(relabel="permutation")}, "episodes.labels with relabel = 'permutation' has no theory"),
        (
            {"labels": LabelRule(label_noise_kind="matrix", noise_matrix=np.eye(6))},
            "episodes.labels with label_noise_kind = 'matrix' has no theory",
        ),
        ({"rows": (PLAIN,)}, "episodes.rows = 'plain' with matches = 'iid' has no theory"),
        ({"rows": (row(distractor_copies=1),)}, "episodes.rows = 'k' with distractor_copies = 1 has no theory"),
        ({"rows": (row(rest="unique"),)}, "episodes.rows = 'k' with rest = 'unique' has no theory"),
        (
            {"rows": (row(share=0.5), row(name="l", share=0.5, copies=3))},
            "episodes.rows = 'l' with another number of matches than the first kind's has no theory",
        ),
    ],
)
def test_what_has_no_theory_is_named(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(NoTheoryError, match="^" + re.escape(message)):
        predict(made(**{"rows": (row(),), **changes}))


# The flip.


def flipped(num_high: int, num_low: int, num_labels: int | None = None, held_out: int = 0) -> list[int]:
    task = TaskDistribution(num_high=num_high, num_low=num_low, p_high=0.8, num_labels=num_labels)
    return flip_within_groups(replace(episodes_of(task), held_out_classes=held_out) if held_out else task).tolist()


def test_the_flip_stays_within_the_group() -> None:
    assert flipped(2, 3) == [1, 0, 3, 4, 2]
    assert flipped(2, 3, held_out=2) == [1, 0, 3, 4, 2, 6, 5]
    assert flip_within_groups(made()).tolist() == [1, 2, 3, 4, 5, 0]
    assert flip_within_groups(TaskDistribution(frequencies="uniform", num_classes=3)).tolist() == [1, 2, 0]


def test_groups_that_share_labels_flip_together() -> None:
    assert flipped(2, 6, num_labels=4) == [1, 2, 3, 0]
    assert flipped(3, 2, num_labels=3) == [1, 2, 0]
    assert flipped(2, 2, num_labels=2) == [1, 0]
    assert flipped(2, 2, num_labels=4) == [1, 0, 3, 2]


@pytest.mark.parametrize(
    ("sizes", "group"), [((1, 3), "high-frequency"), ((3, 1), "low-frequency"), ((2, 2, None, 1), "held-out")]
)
def test_a_single_label_cannot_flip(sizes: tuple[Any, ...], group: str) -> None:
    with pytest.raises(
        SettingError, match=rf"labels of the {group} classes = \[\d\] is not allowed: expected at least"
    ):
        flipped(*sizes)


# Held-out classes.


def test_held_out_classes_alone_keep_their_centres() -> None:
    episodes = made(held_out_classes=3, inputs=SphereInputs(dimension=4), labels=LabelRule(relabel="pool", pool_size=2))
    alone = episodes.of_held_out_classes()
    assert (alone.total_classes, alone.total_labels, alone.held_out_classes) == (9, 9, 0)
    samplers = [episode_sampler(one, "inputs") for one in (episodes, alone)]
    states = [sampler.state(3, 1) for sampler in samplers]
    asked = [s.draw(9, s.streams(3, 1), state, query=np.arange(9)) for s, state in zip(samplers, states, strict=True)]
    assert np.array_equal(np.asarray(asked[0].query_inputs), np.asarray(asked[1].query_inputs))
    assert np.array_equal(np.asarray(states[0].label_maps), np.asarray(states[1].label_maps))
    found = samplers[1].draw(500, samplers[1].streams(3, 1), states[1])
    assert set(np.ravel(np.asarray(found.context_classes)).tolist()) == {6, 7, 8} == set(found.query.tolist())
    for count in (0, 1):
        with pytest.raises(SettingError, match=r"held_out_classes = \d is not allowed: expected at least 2"):
            made(held_out_classes=count).of_held_out_classes()
