"""Streams of episodes: blocks, replicates, what is kept, held-out classes, finite samples, bad questions."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from simulate.episodes import sampler as sampler_module
from simulate.episodes.arrays import Episodes
from simulate.episodes.sampler import episode_sampler
from tests.simulate.episode_laws import (
    KINDS,
    ROWS,
    distribution,
    drawn,
    fits,
)
from theory.errors import SettingError
from theory.setting import (
    ArrayInputs,
    ClassLaw,
    EpisodeDistribution,
    FiniteSample,
    GaussianInputs,
    LabelRule,
    RowKind,
    SphereInputs,
)

# Streams: blocks, replicates, what is kept.

VARIETY = {
    "statistics": (distribution(KINDS["at-least-one"], labels=LabelRule(label_noise=0.3)), "statistics"),
    "labels": (
        distribution(
            KINDS["exact, distractor, unique"],
            rows=(
                replace(KINDS["exact, distractor, unique"], name="a", share=0.5),
                replace(KINDS["iid"], name="b", share=0.5),
            ),
            labels=LabelRule(relabel="few-shot", label_noise=0.2, label_noise_kind="symmetric"),
        ),
        "labels",
    ),
    "sphere": (
        distribution(
            KINDS["none"],
            inputs=SphereInputs(dimension=3, input_noise=0.5),
            labels=LabelRule(relabel="pool", pool_size=3),
        ),
        "inputs",
    ),
    "gaussian": (
        distribution(
            KINDS["exact"],
            inputs=GaussianInputs(dimension=2, input_noise=0.1),
            labels=LabelRule(relabel="permutation", num_labels=3),
        ),
        "inputs",
    ),
    "array": (
        distribution(
            KINDS["iid"], inputs=ArrayInputs(embeddings=np.arange(24.0).reshape(12, 2), classes=np.arange(12) % 6)
        ),
        "inputs",
    ),
    "finite": (
        distribution(
            KINDS["at-least-one"],
            inputs=SphereInputs(dimension=2, input_noise=0.1),
            sampling=FiniteSample(rows=9, coverage="forced"),
        ),
        "inputs",
    ),
}


def arrays(episodes: Episodes) -> dict[str, NDArray[Any]]:
    return {name: array for name, array in vars(episodes).items() if array is not None}


@pytest.mark.parametrize("name", VARIETY)
def test_drawing_in_blocks_gives_the_same_rows(name: str) -> None:
    sampler = episode_sampler(*VARIETY[name])  # type: ignore[arg-type]
    state = sampler.state(4, 2)
    whole = arrays(sampler.draw(30, sampler.streams(4, 2), state))
    streams = sampler.streams(4, 2)
    parts = [arrays(sampler.draw(rows, streams, state)) for rows in (10, 0, 1, 19)]
    for key, array in whole.items():
        assert np.array_equal(np.concatenate([part[key] for part in parts]), array)


@pytest.mark.parametrize("name", VARIETY)
def test_replicates_are_addressable_and_differ(name: str) -> None:
    sampler = episode_sampler(*VARIETY[name])  # type: ignore[arg-type]
    later = arrays(drawn(sampler, 200, seed=4, replicate=7))
    assert all(np.array_equal(a, later[key]) for key, a in arrays(drawn(sampler, 200, seed=4, replicate=7)).items())
    for seed, replicate in ((4, 6), (5, 7)):
        other = arrays(drawn(sampler, 200, seed=seed, replicate=replicate))
        assert not np.array_equal(other["query"], later["query"])
        assert not np.array_equal(other["label"], later["label"])
    if "query_inputs" in later:
        centre = {c: later["query_inputs"][later["query"] == c][:1] for c in range(6)}
        assert name == "array" or not np.array_equal(centre[0], other["query_inputs"][other["query"] == 0][:1])


def test_an_evaluation_has_streams_of_its_own() -> None:
    sampler = episode_sampler(*VARIETY["labels"])  # type: ignore[arg-type]
    found = [sampler.draw(100, sampler.streams(1, 0, evaluation)).query for evaluation in (None, 0, 1, 0)]
    assert np.array_equal(found[1], found[3])
    assert not any(np.array_equal(a, b) for a, b in ((found[0], found[1]), (found[1], found[2])))


@pytest.mark.parametrize("name", VARIETY)
def test_what_is_kept_changes_nothing_else(name: str) -> None:
    episodes, _ = VARIETY[name]
    found = [arrays(drawn(episode_sampler(episodes, needs), 50)) for needs in ("statistics", "labels", "inputs")]
    for less, more in ((0, 1), (1, 2)):
        assert set(found[less]) <= set(found[more])
        assert all(np.array_equal(array, found[more][key]) for key, array in found[less].items())
    assert "context_labels" not in found[0]
    assert "query_inputs" not in found[1]
    assert ("query_inputs" in found[2]) == (name not in ("statistics", "labels"))


@pytest.mark.parametrize("name", VARIETY)
def test_statistics_are_those_of_the_context(name: str) -> None:
    found = drawn(episode_sampler(VARIETY[name][0], "labels"), 300)
    relevant = np.asarray(found.context_classes) == found.query[:, None]
    match = np.asarray(found.context_labels) == found.label[:, None]
    assert np.array_equal(found.relevant_examples, relevant.sum(axis=1))
    assert np.array_equal(found.relevant_matches, (relevant & match).sum(axis=1))
    assert np.array_equal(found.irrelevant_matches, (~relevant & match).sum(axis=1))


def test_draw_is_deterministic_given_everything_and_leaves_the_state_alone() -> None:
    sampler = episode_sampler(*VARIETY["finite"])  # type: ignore[arg-type]
    state = sampler.state(1, 0)
    assert state.sample is not None
    before = {key: array.copy() for key, array in arrays(state.sample.episodes).items()}
    sampler.draw(1000, sampler.streams(1, 0), state)
    assert all(np.array_equal(before[key], array) for key, array in arrays(state.sample.episodes).items())


# Held-out classes.


def test_held_out_classes_are_only_there_when_asked_for() -> None:
    kind = RowKind(name="bursty", share=1, matches="exact", copies=2, distractor_copies=1, rest="unique")
    episodes = EpisodeDistribution(
        classes=ClassLaw(frequencies="uniform", num_classes=5),
        rows=(kind,),
        context_length=5,
        held_out_classes=2,
        inputs=SphereInputs(dimension=4),
    )
    sampler = episode_sampler(episodes, "inputs")
    found = drawn(sampler, 5000)
    assert found.query.max() == 4
    assert np.asarray(found.context_classes).max() == 4
    asked = drawn(sampler, 100, query=np.repeat([5, 6], 50))
    context = np.asarray(asked.context_classes)
    assert ((context == asked.query[:, None]).sum(axis=1) == 2).all()
    assert (context < 5).sum() == 300
    assert np.array_equal(asked.label, asked.query)
    assert not np.array_equal(np.asarray(asked.query_inputs)[0], np.asarray(asked.query_inputs)[99])


# Finite samples.


def finite(rows: int, coverage: str, **classes: Any) -> EpisodeDistribution:
    kinds = (
        RowKind(name="relevant", share=0.9, matches="at-least-one"),
        RowKind(name="irrelevant", share=0.1, matches="none"),
    )
    return EpisodeDistribution(
        classes=ClassLaw(**{"num_high": 5, "num_low": 495, "p_high": 0.9, **classes}),
        rows=kinds,
        context_length=2,
        labels=LabelRule(label_noise=0.2),
        sampling=FiniteSample(rows=rows, coverage=coverage),
    )


def test_forced_coverage_covers_and_says_what_it_does_to_the_shares() -> None:
    """500 classes on 1,024 rows: the share of high-frequency queries falls from 0.9 to about 0.465 (6 sigma)."""
    state = episode_sampler(finite(1024, "forced")).state(1, 0)
    assert state.sample is not None
    shares = state.sample.shares
    assert (shares.classes > 0).all()
    assert shares.classes.sum() == pytest.approx(1, abs=1e-12)
    assert shares.row_kinds.sum() == pytest.approx(1, abs=1e-12)
    free = (1024 - 500) / 1024
    deviation = math.sqrt(0.9 * 0.1 * free / 1024)
    assert abs(shares.classes[:5].sum() - (0.9 * free + 5 / 1024)) < 6 * deviation
    assert abs(shares.row_kinds[0] - 0.9) < 6 * math.sqrt(0.09 / 1024)
    assert shares.relevant == shares.row_kinds[0]
    rows = state.sample.episodes
    assert np.array_equal(np.bincount(rows.query, minlength=500) / 1024, shares.classes)
    # The forced queries have contexts of their own, not those of the queries that they replaced.
    assert (rows.relevant_examples[rows.row_kind == 0] >= 1).all()
    assert (rows.relevant_examples[rows.row_kind == 1] == 0).all()


def test_an_independent_sample_does_not_cover() -> None:
    state = episode_sampler(finite(1024, "iid")).state(1, 0)
    assert state.sample is not None
    assert (state.sample.shares.classes == 0).any()
    assert abs(state.sample.shares.classes[:5].sum() - 0.9) < 6 * math.sqrt(0.09 / 1024)


def test_forced_rows_are_random_ones() -> None:
    """Each of 10 rows is forced in 4/10 of the replicates (6 sigma)."""
    sampler = episode_sampler(finite(10, "forced", num_high=1, num_low=3, p_high=0.999))
    low = np.array([sampler.state(1, r).sample.episodes.query > 0 for r in range(600)])  # type: ignore[union-attr]
    assert np.abs(low.mean(axis=0) - 0.3).max() < 6 * math.sqrt(0.3 * 0.7 / 600)


def test_as_many_rows_as_classes_that_occur_are_enough() -> None:
    law = {"frequencies": "counts", "counts": [5, 0, 1], "num_high": None, "num_low": None, "p_high": None}
    state = episode_sampler(finite(2, "forced", **law)).state(1, 0)
    assert state.sample is not None
    assert sorted(state.sample.episodes.query.tolist()) == [0, 2]
    with pytest.raises(SettingError, match=r"rows = 1 .*at least the number of classes that occur, 2"):
        finite(1, "forced", **law)


def rows_of(episodes: Episodes) -> list[tuple[int, ...]]:
    columns = [episodes.query[:, None], episodes.label[:, None], np.asarray(episodes.context_labels)]
    return list(map(tuple, np.concatenate(columns, axis=1).tolist()))


def test_training_draws_stored_rows_uniformly() -> None:
    sampler = episode_sampler(finite(20, "iid"), "labels")
    state = sampler.state(1, 0)
    assert state.sample is not None
    stored = Counter(rows_of(state.sample.episodes))
    found = Counter(rows_of(sampler.draw(ROWS, sampler.streams(1, 0), state)))
    assert fits(found, {row: number / 20 for row, number in stored.items()}, ROWS)
    fresh = rows_of(sampler.draw(20, sampler.streams(1, 0), state, fresh=True))
    assert fresh != rows_of(state.sample.episodes)
    assert len(set(rows_of(sampler.draw(2000, sampler.streams(1, 0), state, fresh=True)))) > 20


@pytest.mark.parametrize("name", VARIETY)
def test_blocks_within_a_draw_change_nothing(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    sampler = episode_sampler(*VARIETY[name])  # type: ignore[arg-type]
    whole = arrays(drawn(sampler, 100, fresh=True))
    asked = arrays(drawn(sampler, 100, query=np.arange(100) % 6))
    monkeypatch.setattr(sampler_module, "BLOCK_VARIATES", 1)
    monkeypatch.setattr(sampler_module, "FEWEST_ROWS", 7)
    parts = arrays(drawn(sampler, 100, fresh=True))
    assert all(np.array_equal(array, parts[key]) for key, array in whole.items())
    parts = arrays(drawn(sampler, 100, query=np.arange(100) % 6))
    assert all(np.array_equal(array, parts[key]) for key, array in asked.items())


def test_a_sample_beyond_memory_is_refused() -> None:
    episodes = replace(finite(1 << 29, "iid"), inputs=SphereInputs(dimension=64))
    with pytest.raises(SettingError, match=r"sampling\.rows = 536870912 .*at most 5,\d+,\d+, since a row holds 202"):
        episode_sampler(episodes, "inputs").state(1, 0)


# Bad input.


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"rows": -1}, "rows"),
        ({"rows": 2.0}, "rows"),
        ({"rows": True}, "rows"),
        ({"rows": 2, "query": [0]}, "query"),
        ({"rows": 2, "query": [0, 6]}, "query"),
        ({"rows": 2, "query": [0, -1]}, "query"),
        ({"rows": 2, "query": [0.0, 1.0]}, "query"),
        ({"rows": 2, "query": [0, math.nan]}, "query"),
        ({"rows": 2, "query": [[0, 1]]}, "query"),
        ({"rows": 2, "query": [True, False]}, "query"),
        ({"rows": 2, "query": "01"}, "query"),
        ({"rows": 2, "row_kind": "zzz"}, "row_kind"),
    ],
)
def test_bad_questions_are_refused(asked: dict[str, Any], field: str) -> None:
    sampler = episode_sampler(distribution(KINDS["exact"]))
    with pytest.raises(SettingError) as caught:
        sampler.draw(streams=sampler.streams(1, 0), **asked)
    assert caught.value.field == field


@pytest.mark.parametrize("name", ["sphere", "finite"])
def test_a_missing_state_is_an_error(name: str) -> None:
    sampler = episode_sampler(*VARIETY[name])  # type: ignore[arg-type]
    with pytest.raises(SettingError, match="state is missing"):
        sampler.draw(3, sampler.streams(1, 0))


def test_unknown_needs_are_an_error() -> None:
    with pytest.raises(SettingError, match=r"needs = 'label' .*did you mean 'labels'"):
        episode_sampler(distribution(KINDS["exact"]), "label")  # type: ignore[arg-type]


@pytest.mark.parametrize(("seed", "replicate"), [(-1, 0), (0.5, 0)])
def test_bad_seeds_are_refused(seed: Any, replicate: int) -> None:
    with pytest.raises(SettingError):
        episode_sampler(distribution(KINDS["exact"])).streams(seed, replicate)


def test_no_rows_are_no_rows() -> None:
    for name, (episodes, needs) in VARIETY.items():
        found = drawn(episode_sampler(episodes, needs), 0)  # type: ignore[arg-type]
        assert found.rows == 0, name
        assert drawn(episode_sampler(episodes), 0, query=[]).rows == 0
