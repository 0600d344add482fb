"""Questions of an evaluation: whose, with which contexts, and what moving their labels does."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest

from simulate.blocks import PromptBlock
from simulate.evaluation.drawing import QuestionKind, QuestionSource, asked_distribution
from simulate.evaluation.exam import Exam
from simulate.evaluation.query_groups import query_groups
from simulate.evaluation.questions import Questions
from simulate.lanes import Lanes
from simulate.sources import PromptSource
from theory.setting import (
    ClassLaw,
    EpisodeDistribution,
    FiniteSample,
    GatedPredictor,
    LabelRule,
    RowKind,
    SphereInputs,
    Stream,
    TaskDistribution,
)
from theory.setting.label_flip import flip_within_groups

TASK = TaskDistribution(num_high=3, num_low=4, p_high=0.8, context_length=4, label_noise=0.2, p_relevant=0.0)
ZIPF = TaskDistribution(frequencies="zipf", num_classes=6, zipf_exponent=1.0, context_length=5, label_noise=0.1)
SHARED = replace(ZIPF, num_labels=4, label_noise_kind="symmetric")
EPISODES = EpisodeDistribution(
    classes=ClassLaw(frequencies="uniform", num_classes=5),
    rows=(RowKind(name="bursty", share=0.9, matches="exact", copies=2, distractor_copies=2),
          RowKind(name="plain", share=0.1, matches="iid")),
    context_length=6,
    labels=LabelRule(label_noise=0.3, relabel="permutation"),
    held_out_classes=3,
)  # fmt: skip
POOLED = replace(EPISODES, labels=LabelRule(label_noise=0.3, relabel="pool", pool_size=3))
FEW_SHOT = replace(EPISODES, labels=LabelRule(label_noise=0.2, label_noise_kind="symmetric", relabel="few-shot"))
SPHERES = replace(EPISODES, inputs=SphereInputs(dimension=3, input_noise=0.1), sampling=FiniteSample(rows=20))
ALL = {"task": TASK, "zipf": ZIPF, "shared": SHARED, "permuted": EPISODES, "pooled": POOLED, "few-shot": FEW_SHOT}


def source(
    task: Any, *, relevant: bool = True, group: int = 0, number: int = 0, replicates: int = 2, **more: Any
) -> Any:
    kind = QuestionKind(number=number, relevant=relevant, group=query_groups(task)[group])
    return QuestionSource(task, kind, replicates, **({"seed": 4} | more))


def same(first: Questions, second: Questions) -> bool:
    pairs = [(getattr(first.prompts, f.name), getattr(second.prompts, f.name)) for f in fields(PromptBlock)]
    pairs.append((first.outcomes, second.outcomes))
    return all(np.array_equal(a, b) for a, b in pairs if a is not None or b is not None)


# Groups.


def test_groups_of_two_levels() -> None:
    high, low = query_groups(TASK)
    assert (high.name, high.classes.tolist(), low.name, low.classes.tolist()) == (
        "high",
        [0, 1, 2],
        "low",
        [3, 4, 5, 6],
    )
    assert high.probabilities == pytest.approx(np.full(3, 1 / 3), rel=1e-14)


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        ([0.25, 0.25, 0.25, 0.25], {"all": [0, 1, 2, 3]}),
        ([0.5, 0.0, 0.5], {"all": [0, 2]}),
        ([0.5, 0.25, 0.25], {"high": [0], "low": [1, 2]}),
        ([0.3, 0.3, 0.4], {"high": [0, 2], "low": [1]}),
        ([0.1, 0.2, 0.7], {"high": [2], "low": [0, 1]}),
        ([0.1] * 9 + [0.1 - 1e-9, 1e-9], {"high": [0, 1, 2, 3, 4], "low": [5, 6, 7, 8, 9, 10]}),
    ],
)
def test_groups_by_frequency(weights: list[float], expected: dict[str, list[int]]) -> None:
    groups = query_groups(TaskDistribution(frequencies="weights", weights=weights))
    assert {group.name: group.classes.tolist() for group in groups} == expected
    for group in groups:
        assert float(group.probabilities.sum()) == pytest.approx(1, rel=1e-12)


def test_held_out_classes_are_a_group() -> None:
    assert {group.name: group.classes.tolist() for group in query_groups(EPISODES)} == {
        "all": [0, 1, 2, 3, 4],
        "held-out": [5, 6, 7],
    }


# Laws.


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("relevant", [True, False])
def test_contexts_are_what_was_asked_for(name: str, relevant: bool) -> None:
    for group in range(len(query_groups(ALL[name]))):
        asked = source(ALL[name], relevant=relevant, group=group).draw(300)
        prompts = asked.prompts
        assert ((prompts.relevant_examples > 0) == relevant).all()
        assert np.isin(prompts.query, query_groups(ALL[name])[group].classes).all()
        held = prompts.context_classes == prompts.query[..., None]
        assert np.array_equal(held.sum(axis=-1), prompts.relevant_examples)


def test_queries_follow_the_restricted_law() -> None:
    """Chi-square with 3 degrees of freedom: above 21.1 with probability 1e-4, and far above for the uniform law."""
    group = query_groups(ZIPF)[1]
    drawn = source(ZIPF, group=1, replicates=4).draw(5000).prompts.query
    counts = np.bincount(drawn.ravel(), minlength=6)[group.classes]
    assert group.classes.size == 4

    def statistic(law: Any) -> float:
        expected = law * drawn.size
        return float(((counts - expected) ** 2 / expected).sum())

    assert statistic(group.probabilities) < 21.1
    assert statistic(np.full(4, 0.25)) > 100


@pytest.mark.parametrize("name", ALL)
def test_drawn_labels_follow_the_law_that_is_told(name: str) -> None:
    """Share of each possible label against its chance, 8000 draws: five standard deviations, false alarms: 1e-5."""
    asked = source(ALL[name], replicates=4).draw(2000)
    chances = np.broadcast_to(asked.chances, asked.outcomes.shape)
    hit = asked.outcomes == asked.prompts.label[..., None]
    assert hit.any(axis=-1).all()
    for place in range(chances.shape[-1]):
        expected = float(chances[..., place].mean())
        error = 5 * np.sqrt(expected * (1 - expected) / hit[..., place].size)
        assert float(hit[..., place].mean()) == pytest.approx(expected, abs=error)
    # Names of labels without the episode's map would be wrong most of the time where there is one.
    if name in ("permuted", "pooled", "few-shot"):
        assert float((asked.prompts.query == asked.prompts.label).mean()) < 0.5


def test_noise_matrices_are_told() -> None:
    matrix = [[0.7, 0.3, 0.0], [0.0, 0.5, 0.5], [0.1, 0.0, 0.9]]
    rule = LabelRule(label_noise_kind="matrix", noise_matrix=matrix)
    episodes = EpisodeDistribution(
        classes=ClassLaw(frequencies="uniform", num_classes=3),
        rows=(RowKind(name="relevant", share=1, matches="at-least-one"),),
        labels=rule,
    )
    asked = source(episodes).draw(50)
    assert np.array_equal(asked.chances, np.array(matrix)[asked.prompts.query])
    assert np.take_along_axis(asked.chances, asked.prompts.label[..., None], axis=-1).min() > 0


def test_of_several_kinds_of_rows_the_certain_ones_are_asked() -> None:
    relevant, irrelevant = asked_distribution(EPISODES).rows
    assert (relevant.matches, relevant.copies, relevant.distractor_copies) == ("exact", 2, 2)
    assert irrelevant.matches == "none"
    plain = replace(EPISODES, rows=(RowKind(name="plain", share=1, matches="iid"),))
    assert [kind.matches for kind in asked_distribution(plain).rows] == ["at-least-one", "none"]


# Streams.


@pytest.mark.parametrize("name", ALL)
def test_questions_do_not_depend_on_blocks_replicates_or_when_they_are_drawn(name: str) -> None:
    whole = source(ALL[name]).draw(30)
    again, more = source(ALL[name]), source(ALL[name], replicates=3).draw(30)
    for start, end in ((0, 1), (1, 12), (12, 30)):
        assert np.array_equal(again.draw(end - start).prompts.label, whole.prompts.label[start:end])
    assert np.array_equal(more.prompts.context_labels[:, :2], whole.prompts.context_labels)
    assert not np.array_equal(whole.prompts.query[:, 0], whole.prompts.query[:, 1])
    assert not same(whole, source(ALL[name], number=1).draw(30))
    assert not same(whole, source(ALL[name], seed=5).draw(30))


def test_questions_are_no_training_prompts() -> None:
    asked = source(replace(ZIPF, frequencies="uniform", zipf_exponent=None)).draw(200).prompts
    lanes = Lanes((replace(ZIPF, frequencies="uniform", zipf_exponent=None),), (GatedPredictor(),), 2)
    learned = PromptSource(lanes, "labels", 4).draw(200)
    assert asked.query.shape == learned.query.shape
    assert not np.array_equal(asked.query, learned.query)
    assert not np.array_equal(asked.label, learned.label)


def test_inputs_are_around_the_centres_of_the_training() -> None:
    """Noise of 0.1 in three dimensions against centres that are about 1.4 apart."""
    asked = source(SPHERES, needs="inputs").draw(100).prompts
    learned = PromptSource(Lanes((SPHERES,), (GatedPredictor(),), 2), "inputs", 4).draw(100)
    assert asked.query_inputs is not None
    assert learned.query_inputs is not None
    for lane in range(2):
        for x in range(5):
            mine, theirs = (
                block.query_inputs[:, lane][block.query[:, lane] == x]  # type: ignore[index]
                for block in (asked, learned)
            )
            if len(mine) and len(theirs):
                assert np.linalg.norm(mine.mean(axis=0) - theirs.mean(axis=0)) < 0.4


def test_noise_of_questions_is_none_of_the_training() -> None:
    """What noise adds to the inputs, with and without it from the same streams."""
    fresh = replace(SPHERES, sampling=Stream())
    exact = replace(fresh, inputs=SphereInputs(dimension=3))

    def noise(draw: Any) -> Any:
        return np.round(draw(fresh).query_inputs - draw(exact).query_inputs, 12)

    asked = noise(lambda task: source(task, needs="inputs").draw(50).prompts)
    learned = noise(lambda task: PromptSource(Lanes((task,), (GatedPredictor(),), 2), "inputs", 4).draw(50))
    assert np.abs(asked).min() > 0
    assert np.intersect1d(asked, learned).size == 0
    assert np.intersect1d(asked, noise(lambda task: source(task, needs="inputs").draw(20).prompts)).size == 120


def test_every_cell_has_questions_of_its_own_but_both_bases_the_same() -> None:
    seen: list[PromptBlock] = []

    class Recording:
        lanes = 2

        def label_laws(self, block: PromptBlock) -> Any:
            seen.append(block)
            uniform = np.full((*block.query.shape, 7), 1 / 7)
            return uniform, uniform, np.zeros(block.query.shape)

    Exam(task=TASK, replicates=2, seed=1, prompts=40).marks(Recording())  # type: ignore[arg-type]
    assert len(seen) == 8
    for in_base, out_of_base in zip(seen[::2], seen[1::2], strict=True):
        assert np.array_equal(in_base.query, out_of_base.query)
        assert np.array_equal(in_base.context_classes, out_of_base.context_classes)
    relevant, irrelevant = seen[0], seen[4]  # both of high-frequency queries
    assert relevant.query.max() < 3
    assert irrelevant.query.max() < 3
    assert not np.array_equal(relevant.query, irrelevant.query)


# Moving labels.


@pytest.mark.parametrize("name", ["task", "zipf", "shared", "permuted"])
def test_moving_labels_changes_names_and_nothing_else(name: str) -> None:
    task = ALL[name]
    new_label = flip_within_groups(task)
    asked = source(task).draw(100)
    copies = {f.name: getattr(asked.prompts, f.name) for f in fields(PromptBlock)}
    copies = {key: None if array is None else array.copy() for key, array in copies.items()}
    moved = asked.moved(new_label)
    for key, array in copies.items():
        assert np.array_equal(getattr(asked.prompts, key), array)  # the questions themselves are as they were
        if key not in ("label", "context_labels"):
            assert np.array_equal(getattr(moved.prompts, key), array)
    assert (moved.prompts.label != asked.prompts.label).all()
    assert np.array_equal(moved.prompts.label, new_label[asked.prompts.label])
    assert np.array_equal(moved.outcomes, new_label[asked.outcomes])
    twice = moved.moved(new_label)
    assert np.array_equal(twice.prompts.label, new_label[new_label[asked.prompts.label]])


def test_matches_survive_the_move() -> None:
    moved = source(TASK).draw(200).moved(flip_within_groups(TASK)).prompts
    assert moved.context_labels is not None
    match = moved.context_labels == moved.label[..., None]
    relevant = moved.context_classes == moved.query[..., None]
    assert np.array_equal((match & relevant).sum(axis=-1), moved.relevant_matches)
    assert np.array_equal((match & ~relevant).sum(axis=-1), moved.irrelevant_matches)


def test_moving_stored_rows_in_place_would_move_some_twice() -> None:
    """The public code's mistake: rows drawn with replacement from a store, and moved there."""
    noiseless = replace(TASK, label_noise=0.0)
    new_label = flip_within_groups(noiseless)
    asked = source(noiseless, replicates=1).draw(50)
    drawn = np.random.default_rng(0).integers(50, size=200)
    query = asked.prompts.query[drawn, 0]
    right = asked.moved(new_label).prompts.label[drawn, 0]
    assert (right != query).all()
    store, seen = asked.prompts.label[:, 0].copy(), []
    for row in drawn.tolist():
        store[row] = new_label[store[row]]
        seen.append(store[row])
    assert not np.array_equal(np.array(seen), right)
    assert (np.array(seen) == query).any()  # a cycle of three comes home: the in-weight predictor is right there
