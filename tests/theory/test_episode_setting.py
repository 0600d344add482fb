"""Episode distributions as settings: checks, files, overrides, presets, what has theory, the flip."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import theory.cli
from simulate.episodes.arrays import Episodes
from simulate.episodes.sampler import ReplicateState, episode_sampler
from tests.simulate.test_statistics import TASKS
from theory.errors import NoTheoryError, SettingError
from theory.match_laws import match_law
from theory.setting import (
    ArrayInputs,
    BayesGate,
    ClassLaw,
    EpisodeDistribution,
    FiniteSample,
    GatedPredictor,
    GaussianInputs,
    LabelRule,
    RowKind,
    SphereInputs,
    Stream,
    TabularInputs,
    TaskDistribution,
    episodes_of,
    task_of,
)
from theory.setting.label_flip import flip_within_groups
from theory.setting_file import assemble, load, read, to_dict, to_toml
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


@pytest.mark.parametrize("name", LITERATURE)
def test_the_flip_is_a_permutation_without_a_fixed_point(name: str) -> None:
    flip = flip_within_groups(preset(name))
    assert sorted(flip.tolist()) == list(range(flip.size))
    assert (flip != np.arange(flip.size)).all()


# Files.

EVERYTHING = [
    made(),
    made(
        rows=(row(share=0.25, distractor_copies=1, rest="unique"), replace(PLAIN, share=0.75)),
        inputs=SphereInputs(dimension=7, input_noise=0.3),
        labels=LabelRule(relabel="pool", pool_size=5, label_noise=0.1, label_noise_kind="symmetric"),
        sampling=FiniteSample(rows=77, coverage="forced"),
        held_out_classes=3,
    ),
    made(
        classes=ClassLaw(frequencies="counts", counts=[3, 1], class_names=['a "b"', "c.d"]),
        rows=(row(name="ünï köd"),),
        inputs=GaussianInputs(dimension=2, rescale=False),
        labels=LabelRule(
            label_noise_kind="matrix", noise_matrix=[[0.9, 0.1], [0.25, 0.75]], context_noise_matrix=np.eye(2)
        ),
    ),
    episodes_of(TASKS["shared, symmetric"]),
]


@pytest.mark.parametrize("number", range(len(EVERYTHING)))
def test_files_there_and_back(tmp_path: Path, number: int) -> None:
    model = GatedPredictor(gate=BayesGate(prior_in_weight=0.2))
    path = tmp_path / "episodes.toml"
    path.write_text(to_toml(EVERYTHING[number], model), encoding="utf-8")
    assert load(path) == (EVERYTHING[number], model)
    assert assemble(to_dict(EVERYTHING[number], model)) == (EVERYTHING[number], model)


def test_an_array_is_named_by_its_file(tmp_path: Path) -> None:
    np.savez(tmp_path / "vectors.npz", embeddings=np.eye(6), classes=np.arange(6))
    path = tmp_path / "episodes.toml"
    text = '[episodes.classes]\nfrequencies = "uniform"\nnum_classes = 6\n[[episodes.rows]]\nname = "a"\nshare = 1\n'
    path.write_text(text + 'matches = "iid"\n[episodes.inputs]\nkind = "array"\nfile = "vectors.npz"\n')
    episodes, model = load(path)
    assert episodes.inputs == ArrayInputs(embeddings=np.eye(6), classes=np.arange(6))  # type: ignore[union-attr]
    again = tmp_path / "elsewhere" / "again.toml"
    again.parent.mkdir()
    again.write_text(to_toml(episodes, model))
    assert load(again) == (episodes, model)
    with pytest.raises(SettingError, match=r"inputs\.file is missing: expected a file, since settings can only name"):
        to_toml(made(inputs=ArrayInputs(embeddings=np.eye(6), classes=np.arange(6))), model)


class Explosive:
    def __reduce__(self) -> Any:
        return print, ("owned",)


@pytest.mark.parametrize("content", ["missing", "text", "pickle", "one array", "broken zip", "objects"])
def test_bad_array_files_are_refused(tmp_path: Path, content: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "vectors.npz"
    if content == "text":
        path.write_text("not an archive")
    elif content == "broken zip":
        path.write_bytes(b"PK\x03\x04 broken")
    elif content == "pickle":
        np.save(tmp_path / "x.npy", np.array([Explosive()], dtype=object), allow_pickle=True)
        (tmp_path / "x.npy").rename(path)
    elif content == "one array":
        np.savez(path, embeddings=np.eye(2))
    elif content == "objects":
        np.savez(path, embeddings=np.array([[Explosive()]], dtype=object), classes=np.array([0]))
    with pytest.raises(SettingError) as caught:
        ArrayInputs.from_file(path)
    assert caught.value.field.startswith("episodes.inputs.file")
    assert len(str(caught.value)) < 500
    assert capsys.readouterr().out == ""


ROWS_TEXT = '[[episodes.rows]]\nname = "a"\nshare = 1\nmatches = "iid"\n'
CLASSES_TEXT = '[episodes.classes]\nfrequencies = "uniform"\nnum_classes = 6\n'


@pytest.mark.parametrize(
    ("text", "field", "allowed"),
    [
        ("[episodes]\n" + ROWS_TEXT, "episodes.classes.num_high", "needs num_high"),
        (CLASSES_TEXT, "episodes.rows", "at least one table [[episodes.rows]]"),
        (CLASSES_TEXT + "[task]\n", "section", "either [task] or [episodes]"),
        ("episodes = 3", "episodes", "a table of settings"),
        ("[episodes]\nclasses = 3\n" + ROWS_TEXT, "episodes.classes", "a table of settings"),
        ("[episodes]\nrows = 3\n" + CLASSES_TEXT, "episodes.rows", "at least one table"),
        ("[episodes]\nrows = [3]\n" + CLASSES_TEXT, "episodes.rows", "tables [[episodes.rows]]"),
        ("[episodes]\nrows = []\n" + CLASSES_TEXT, "episodes.rows", "at least one table"),
        (CLASSES_TEXT + "[[episodes.rows]]\nshare = 1\n", "episodes.rows.name", "a value"),
        (CLASSES_TEXT + '[[episodes.rows]]\nname = "a"\n', "episodes.rows.a.share", "a value"),
        (CLASSES_TEXT + ROWS_TEXT + "copy = 3\n", "episodes.rows.a key", "did you mean 'copies'"),
        (CLASSES_TEXT + ROWS_TEXT + "[episodes.lables]\n", "episodes key", "did you mean 'labels'"),
        (CLASSES_TEXT + ROWS_TEXT + "[episodes.labels]\nnoise = 3\n", "episodes.labels key", "label_noise"),
        (CLASSES_TEXT + ROWS_TEXT + "[episodes.inputs]\nkind = 'ball'\n", "episodes.inputs.kind", "one of tabular"),
        (CLASSES_TEXT + ROWS_TEXT + "[episodes.inputs]\nkind = 3\n", "episodes.inputs.kind", "one of tabular"),
        (
            CLASSES_TEXT + ROWS_TEXT + "[episodes.inputs]\ndimension = 3\n",
            "episodes.inputs key",
            "kind 'sphere' has it",
        ),
        (
            CLASSES_TEXT + ROWS_TEXT + "[episodes.inputs]\nkind = 'array'\n",
            "episodes.inputs.file",
            "the path of an .npz file",
        ),
        (
            CLASSES_TEXT + ROWS_TEXT + "[episodes.inputs]\nkind = 'array'\nfile = 'nowhere.npz'\n",
            "episodes.inputs.file",
            "a readable .npz file",
        ),
        (
            CLASSES_TEXT + ROWS_TEXT + "[episodes.inputs]\nkind = 'array'\nembeddings = [[1]]\n",
            "episodes.inputs key",
            "one of kind, file",
        ),
        (CLASSES_TEXT + ROWS_TEXT + "[episodes.sampling]\nrows = 5\n", "episodes.sampling key", "kind 'finite' has it"),
        (CLASSES_TEXT.replace("6", "1") + ROWS_TEXT, "episodes.classes.num_classes", "at least 2"),
        ("[episodes.classes]\nnum_clases = 6\n" + ROWS_TEXT, "episodes.classes key", "did you mean 'num_classes'"),
        ("[episodes.classes]\ncounts_file = 3\n" + ROWS_TEXT, "counts_file", "the path of a CSV file"),
    ],
)
def test_bad_files_are_refused(tmp_path: Path, text: str, field: str, allowed: str) -> None:
    path = tmp_path / "episodes.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SettingError) as caught:
        load(path)
    assert caught.value.field == field
    assert allowed in caught.value.allowed


def test_counts_become_the_classes(tmp_path: Path) -> None:
    counts = tmp_path / "counts.csv"
    counts.write_text("class,count\n" + "".join(f"w{i},{i + 1}\n" for i in range(9)), encoding="utf-8")
    path = tmp_path / "episodes.toml"
    path.write_text('[episodes.classes]\ncounts_file = "counts.csv"\n' + ROWS_TEXT, encoding="utf-8")
    episodes, _ = load(path)
    assert episodes.name_of(8) == "w8"
    assert episodes.total_classes == 9
    again, _ = load("chan2022", counts=counts)
    assert (again.total_classes, again.name_of(0), again.name_of(9)) == (19, "w0", "9")
    named, _ = load("chan2022", overrides=[f"episodes.classes.counts_file={counts}"])
    assert named == again
    with pytest.raises(SettingError, match="the counts replace the frequencies"):
        load("chan2022", counts=counts, overrides=["episodes.classes.zipf_exponent=2"])


def test_overrides_reach_every_place() -> None:
    episodes, model = load(
        "chan2022",
        overrides=[
            "episodes.context_length=10",
            "episodes.held_out_classes=4",
            "episodes.classes.num_classes=50",
            "episodes.classes.frequencies=uniform",
            "episodes.rows.bursty.copies=4",
            "episodes.rows.bursty.share=0.75",
            "episodes.rows.plain.share=0.25",
            "episodes.inputs.dimension=5",
            "episodes.inputs.kind=sphere",
            "episodes.labels.label_noise=0.1",
            "episodes.sampling.kind=finite",
            "episodes.sampling.rows=99",
            "model.gate.prior_in_weight=0.3",
        ],
    )
    assert isinstance(episodes, EpisodeDistribution)
    assert episodes.classes == ClassLaw(frequencies="uniform", num_classes=50)
    assert (episodes.context_length, episodes.held_out_classes) == (10, 4)
    assert [(kind.name, kind.share, kind.copies) for kind in episodes.rows] == [
        ("bursty", 0.75, 4),
        ("plain", 0.25, None),
    ]
    assert episodes.inputs == SphereInputs(dimension=5)
    assert (episodes.labels, episodes.sampling) == (LabelRule(label_noise=0.1), FiniteSample(rows=99))
    assert model.gate == BayesGate(prior_in_weight=0.3)


def test_a_new_kind_keeps_what_it_shares() -> None:
    episodes, _ = load("reddy2023", overrides=["episodes.inputs.kind=sphere"])
    assert isinstance(episodes, EpisodeDistribution)
    assert episodes.inputs == SphereInputs(dimension=63, input_noise=0.1)
    episodes, _ = load("chan2024", overrides=["episodes.sampling.kind=stream", "episodes.inputs.kind=tabular"])
    assert isinstance(episodes, EpisodeDistribution)
    assert (episodes.sampling, episodes.inputs) == (Stream(), TabularInputs())


@pytest.mark.parametrize(
    ("source", "override", "allowed"),
    [
        ("chan2022", "label_noise=0.1", "a setting with its place: 'episodes.labels.label_noise'"),
        ("chan2022", "context_length=3", "'episodes.context_length'"),
        ("chan2022", "p_relevant=3", "one of episodes.context_length"),
        ("chan2022", "episodes.labels.label_nois=1", "did you mean 'episodes.labels.label_noise'?"),
        ("chan2022", "episodes.rows.burst.share=1", "did you mean 'bursty'?"),
        ("chan2022", "episodes.rows.bursty=1", "one of"),
        ("chan2022", "episodes.rows.NAME.share=1", "one of bursty, plain"),
        ("chan2022", "episodes=1", "one of episodes.context_length"),
        ("chan2022", "episodes.classes=1", "one of"),
        ("chan2022", "episodes.inputs.embeddings=1", "one of"),
        ("chan2022", "model.gate.prior=1", ""),
        ("paper", "episodes.labels.label_noise=0.1", "these settings have no [episodes]"),
    ],
)
def test_bad_overrides_are_refused(source: str, override: str, allowed: str) -> None:
    with pytest.raises(SettingError) as caught:
        load(source, overrides=[override])
    assert allowed in caught.value.allowed


def test_reading_twice_gives_settings_that_share_nothing() -> None:
    first, second = read("chan2022"), read("chan2022", overrides=["episodes.rows.bursty.share=0.5"])
    assert first["episodes"]["rows"][0]["share"] == 0.9
    assert second["episodes"]["rows"][0]["share"] == 0.5


def test_the_command_prints_episodes_and_says_what_it_cannot_predict(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert theory.cli.main(["setting", "reddy2023", "--set", "episodes.labels.label_noise=0.1"]) == 0
    path = tmp_path / "again.toml"
    path.write_text(capsys.readouterr().out, encoding="utf-8")
    assert load(path) == load("reddy2023", overrides=["episodes.labels.label_noise=0.1"])
    for command in (["predict"], ["diagram", "--x", "steps=1:10:2", "--y", "p_high=0.1:0.2:2", "--out", "x.csv"]):
        assert theory.cli.main([command[0], "chan2022", *command[1:]]) == 2
        captured = capsys.readouterr()
        assert captured.out == ""
        assert captured.err.startswith("theory: episodes.rows = 'bursty' with distractor_copies = 3 has no theory")
    assert theory.cli.main(["presets"]) == 0
    listed = capsys.readouterr().out
    assert all(f"\n{name} " in f"\n{listed}" for name in LITERATURE)


# Presets against their papers.


def drawn(name: str, rows: int = 4000) -> tuple[EpisodeDistribution, Episodes, ReplicateState]:
    episodes = preset(name)
    sampler = episode_sampler(episodes, "inputs")
    state = sampler.state(1, 0)
    return episodes, sampler.draw(rows, sampler.streams(1, 0), state), state


def most_common_of_others(found: Episodes) -> np.ndarray:
    """Largest number of context examples of one class other than the query's, row by row."""
    rows = zip(found.query.tolist(), np.asarray(found.context_classes).tolist(), strict=True)
    return np.array([max((row.count(x) for x in set(row) - {query}), default=0) for query, row in rows])


def test_chan2022() -> None:
    episodes, found, _ = drawn("chan2022")
    assert (episodes.total_classes, episodes.held_out_classes, episodes.context_length) == (1623, 10, 8)
    p = episodes.class_probabilities
    assert p[0] / p[9] == pytest.approx(10, rel=1e-12)
    bursty = found.row_kind == 0
    assert abs(bursty.mean() - 0.9) < 6 * math.sqrt(0.09 / 4000)
    assert (found.relevant_examples[bursty] == 3).all()
    assert (most_common_of_others(found)[bursty] >= 3).all()
    plain = found.relevant_examples[~bursty]
    mean, square = 8 * (p**2).sum(), 8 * (p**2 * (1 - p)).sum() + 64 * (p**3).sum() - 64 * (p**2).sum() ** 2
    assert abs(plain.mean() - mean) < 6 * math.sqrt(square / plain.size)
    assert np.array_equal(found.label, found.query)
    assert found.query.max() < 1613


def test_singh2023() -> None:
    episodes, found, _ = drawn("singh2023")
    assert (episodes.total_classes, episodes.held_out_classes) == (1623, 23)
    assert (found.relevant_examples == 3).all()
    assert (most_common_of_others(found) >= 3).all()
    assert (found.row_kind == 0).all()
    assert episodes.class_probabilities[:1600] == pytest.approx(np.full(1600, 1 / 1600))


def test_reddy2023() -> None:
    episodes, found, _ = drawn("reddy2023")
    assert (episodes.total_classes, episodes.total_labels, episodes.context_length) == (1024, 32, 8)
    assert (found.relevant_examples == 4).all()
    assert (most_common_of_others(found) == 4).all()
    assert np.array_equal(found.label, found.query % 32)
    queries, context = np.asarray(found.query_inputs), np.asarray(found.context_inputs)
    assert queries.shape == (4000, 63)
    # Rescaled: mean square length 1; within a cluster the cosine is 1/(1 + 0.1^2) on average (6 sigma are below 0.02).
    assert abs((queries**2).sum(axis=1).mean() - 1) < 0.04
    products = np.einsum("rd,rld->rl", queries, context)
    own = np.asarray(found.context_classes) == found.query[:, None]
    assert abs(products[own].mean() - 1 / 1.01) < 0.04
    assert abs(products[~own].mean()) < 0.02


def test_chan2024() -> None:
    episodes, found, state = drawn("chan2024")
    assert (episodes.num_high, episodes.num_low, episodes.context_length) == (5, 5, 1)
    assert state.sample is not None
    assert (state.sample.shares.classes > 0).all()
    assert (found.relevant_examples == (found.row_kind == 0)).all()
    assert abs(state.sample.shares.row_kinds[0] - 0.9) < 6 * math.sqrt(0.09 / 4096)
    stored = {row.tobytes() for row in np.asarray(state.sample.episodes.query_inputs)}
    assert {row.tobytes() for row in np.asarray(found.query_inputs)} <= stored
    # A centre of length 1 and noise of length 0.2 * 8: the squared length is 1 + 0.04 * 64 on average.
    lengths = (np.asarray(state.sample.episodes.query_inputs) ** 2).sum(axis=1)
    assert abs(lengths.mean() - 3.56) < 6 * math.sqrt((2 * 64 * 0.04**2 + 4 * 0.04) / 4096)
    task = TaskDistribution(num_high=5, num_low=5, p_high=0.9, p_relevant=0.9)
    as_task = replace(episodes, inputs=TabularInputs(), sampling=Stream())
    assert task_of(as_task) == task == load("paper")[0]


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
