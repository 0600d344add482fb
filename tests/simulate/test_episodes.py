"""Classes of episodes: every kind of rows against the exact law by enumeration; streams, queries, finite samples."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace
from itertools import permutations, product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from simulate.episodes import context_draws as context_module
from simulate.episodes import sampler as sampler_module
from simulate.episodes.arrays import Episodes
from simulate.episodes.class_draws import class_draws
from simulate.episodes.sampler import EpisodeSampler, episode_sampler
from simulate.prompts import PromptStatistics
from simulate.statistics import statistics_sampler
from tests.simulate.test_statistics import TASKS, codes, same_law
from theory.errors import SettingError
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
    episodes_of,
)

FALSE_ALARM = 1e-7
ROWS = 120_000
LENGTH = 4
CLASSES = ClassLaw(frequencies="weights", weights=[0.4, 0.0, 0.3, 0.1, 0.15, 0.05])

KINDS = {
    "exact": RowKind(name="k", share=1, matches="exact", copies=2),
    "exact, distractor": RowKind(name="k", share=1, matches="exact", copies=1, distractor_copies=2),
    "exact, distractor, no-support": RowKind(
        name="k", share=1, matches="exact", copies=1, distractor_copies=1, rest="no-support"
    ),
    "exact, distractor, unique": RowKind(
        name="k", share=1, matches="exact", copies=1, distractor_copies=1, rest="unique"
    ),
    "at-least-one": RowKind(name="k", share=1, matches="at-least-one"),
    "at-least-one, unique": RowKind(name="k", share=1, matches="at-least-one", rest="unique"),
    "none": RowKind(name="k", share=1, matches="none"),
    "none, unique": RowKind(name="k", share=1, matches="none", rest="unique"),
    "none, distractor": RowKind(name="k", share=1, matches="none", distractor_copies=2, rest="no-support"),
    "iid": RowKind(name="k", share=1, matches="iid"),
}


def distribution(kind: RowKind, **changes: Any) -> EpisodeDistribution:
    return EpisodeDistribution(**{"classes": CLASSES, "rows": (kind,), "context_length": LENGTH, **changes})


def law_of_matches(kind: RowKind, p: float) -> dict[int, float]:
    """By counting subsets: an independent form of what ``match_law`` computes."""
    if kind.matches in ("exact", "none"):
        return {kind.copies or 0: 1.0}
    binomial = {m: math.comb(LENGTH, m) * p**m * (1 - p) ** (LENGTH - m) for m in range(LENGTH + 1)}
    if kind.matches == "iid":
        return binomial
    some = 1 - binomial[0]
    return {m: binomial[m] / some for m in range(1, LENGTH + 1)} if some > 0 else {1: 1.0}


def sequences(weights: dict[int, float], number: int, unique: bool) -> dict[tuple[int, ...], float]:
    """Probability of every way to draw so many classes one after the other."""
    total = sum(weights.values())
    if not unique:
        return {s: math.prod(weights[x] / total for x in s) for s in product(weights, repeat=number)}
    found = {}
    for order in permutations(weights, number):
        left, probability = total, 1.0
        for x in order:
            probability *= weights[x] / left
            left -= weights[x]
        found[order] = probability
    return found


def exact_contexts(kind: RowKind, query: int) -> dict[tuple[int, ...], float]:
    """Law of the ordered context given the query, straight from the words of ``RowKind``."""
    p = {x: float(w) for x, w in enumerate(CLASSES.class_probabilities) if w > 0}
    others = {x: w for x, w in p.items() if x != query}
    multisets: Counter[tuple[int, ...]] = Counter()
    for m, chance in law_of_matches(kind, p.get(query, 0.0)).items():
        distractors = others if kind.distractor_copies else {-1: 1.0}
        for distractor, weight in distractors.items():
            left = {x: w for x, w in others.items() if kind.rest == "iid" or x != distractor}
            number = LENGTH - m - kind.distractor_copies
            for rest, probability in sequences(left, number, kind.rest == "unique").items():
                fixed = (query,) * m + (distractor,) * kind.distractor_copies
                share = weight / sum(distractors.values())
                multisets[tuple(sorted(fixed + rest))] += chance * share * probability
    law = {}
    for multiset, probability in multisets.items():
        orders = set(permutations(multiset))
        law.update(dict.fromkeys(orders, probability / len(orders)))
    return law


def fits(counted: Counter[Any], law: dict[Any, float], draws: int) -> bool:
    """Chi-square test of counts against exact probabilities, rare outcomes pooled; false alarms 1e-7."""
    from scipy.stats import chi2

    if any(law.get(outcome, 0.0) <= 0 for outcome in counted):
        return False
    assert math.isclose(sum(law.values()), 1, rel_tol=1e-9)
    common = {outcome for outcome, p in law.items() if p * draws >= 8}
    pairs = [(counted[outcome], law[outcome] * draws) for outcome in common]
    rest = draws * sum(p for outcome, p in law.items() if outcome not in common)
    pairs.append((sum(n for outcome, n in counted.items() if outcome not in common), rest))
    statistic = sum((n - mean) ** 2 / mean for n, mean in pairs if mean > 0)
    return statistic < chi2.isf(FALSE_ALARM, max(len(pairs) - 1, 1))


def drawn(sampler: EpisodeSampler, rows: int, seed: int = 1, replicate: int = 0, **asked: Any) -> Episodes:
    return sampler.draw(rows, sampler.streams(seed, replicate), sampler.state(seed, replicate), **asked)


def context_counts(kind: RowKind, query: int, seed: int = 1) -> Counter[tuple[int, ...]]:
    sampler = episode_sampler(distribution(kind), "labels")
    episodes = drawn(sampler, ROWS, seed, query=np.full(ROWS, query))
    return Counter(map(tuple, np.asarray(episodes.context_classes).tolist()))


# Contexts.


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("query", [0, 1, 3])
def test_ordered_contexts_have_the_exact_law(name: str, query: int) -> None:
    """Query 1 never occurs, so that it is asked for like a held-out class."""
    assert fits(context_counts(KINDS[name], query), exact_contexts(KINDS[name], query), ROWS)


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("exact, distractor", {"rest": "no-support"}),
        ("exact, distractor, no-support", {"rest": "iid"}),
        ("exact, distractor, unique", {"rest": "no-support"}),
        ("exact", {"matches": "at-least-one", "copies": None}),
        ("exact", {"distractor_copies": 2}),
        ("at-least-one", {"matches": "iid"}),
        ("at-least-one, unique", {"rest": "iid"}),
        ("none", {"matches": "iid"}),
        ("none, unique", {"rest": "iid"}),
        ("iid", {"matches": "at-least-one"}),
    ],
)
def test_another_rule_is_rejected(name: str, wrong: dict[str, Any]) -> None:
    assert not fits(context_counts(KINDS[name], 0), exact_contexts(replace(KINDS[name], **wrong), 0), ROWS)


@pytest.mark.parametrize("name", ["exact", "exact, distractor, unique", "at-least-one", "none, unique"])
def test_a_context_that_is_not_shuffled_is_rejected(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(context_module, "shuffled", lambda context, _: context)
    assert not fits(context_counts(KINDS[name], 0), exact_contexts(KINDS[name], 0), ROWS)


def test_slightly_different_weights_are_rejected() -> None:
    """The power: a class's weight off by 0.01 is seen."""
    sampler = episode_sampler(
        distribution(KINDS["none"], classes=ClassLaw(frequencies="weights", weights=[0.4, 0, 0.29, 0.11, 0.15, 0.05])),
        "labels",
    )
    episodes = drawn(sampler, ROWS, query=np.zeros(ROWS, dtype=int))
    counted = Counter(map(tuple, np.asarray(episodes.context_classes).tolist()))
    assert not fits(counted, exact_contexts(KINDS["none"], 0), ROWS)


@pytest.mark.parametrize("name", KINDS)
def test_the_number_of_matches_has_the_match_law(name: str) -> None:
    episodes = distribution(KINDS[name])
    found = drawn(episode_sampler(episodes), ROWS, seed=3)
    for query in range(6):
        law = match_law(episodes, query)
        assert law.sum() == pytest.approx(1, abs=1e-12)
        assert {m: p for m, p in enumerate(law) if p > 0} == pytest.approx(
            {m: p for m, p in law_of_matches(KINDS[name], float(CLASSES.class_probabilities[query])).items() if p > 0},
            rel=1e-9,
        )
        numbers = found.relevant_examples[found.query == query]
        if numbers.size:
            assert fits(Counter(numbers.tolist()), dict(enumerate(law.tolist())), numbers.size)
        assert episodes.relevance_of_class[query] == pytest.approx(1 - law[0], abs=1e-12)


def test_queries_and_kinds_have_their_shares() -> None:
    rows = (
        RowKind(name="a", share=0.5, matches="none"),
        RowKind(name="b", share=0.3, matches="iid"),
        RowKind(name="c", share=0.0, matches="iid"),
        RowKind(name="d", share=0.2, matches="exact", copies=1),
    )
    episodes = distribution(rows[0], rows=rows)
    found = drawn(episode_sampler(episodes), ROWS)
    law = {
        (x, k): float(p) * kind.share
        for x, p in enumerate(CLASSES.class_probabilities)
        for k, kind in enumerate(rows)
        if p * kind.share > 0
    }
    assert fits(Counter(zip(found.query.tolist(), found.row_kind.tolist(), strict=True)), law, ROWS)
    assert not fits(Counter(zip(found.query.tolist(), (found.row_kind * 0).tolist(), strict=True)), law, ROWS)
    assert (found.relevant_examples[found.row_kind == 3] == 1).all()
    assert (found.relevant_examples[found.row_kind == 0] == 0).all()
    assert (drawn(episode_sampler(episodes), 500, row_kind="c").row_kind == 2).all()


@pytest.mark.parametrize("name", TASKS)
def test_a_task_in_other_clothes_has_the_law_of_its_statistics(name: str) -> None:
    task = TASKS[name]
    fast = statistics_sampler(task)
    found = drawn(episode_sampler(episodes_of(task)), ROWS, seed=5)
    as_statistics = PromptStatistics(
        query=found.query,
        label_offset=(found.label - found.query) % task.total_labels,
        relevant_examples=found.relevant_examples,
        relevant_matches=found.relevant_matches,
        irrelevant_matches=found.irrelevant_matches,
    )
    assert same_law(codes(task, as_statistics), codes(task, fast.draw(ROWS, fast.streams(6, 0))))
    if task.total_labels > 2 and task.label_noise not in (0, 1):
        other = statistics_sampler(replace(task, label_noise=task.label_noise + 0.05))
        assert not same_law(codes(task, as_statistics), codes(task, other.draw(ROWS, other.streams(6, 0))))


# Classes without others, at the edges of their pieces.


@pytest.mark.parametrize("avoided", [[[0]], [[2]], [[4]], [[0, 2]], [[4, 0]], [[3, 2, 4]], [[1, 5, 0]]])
def test_edges_never_give_an_avoided_or_impossible_class(avoided: list[list[int]]) -> None:
    weights = np.array([0.1, 0.0, 0.2, 0.3, 0.4, 0.0])
    draws = class_draws(weights)
    below = np.nextafter(1.0, 0.0)
    ends = draws.before / (1 - draws.mass[avoided[0]].sum())
    uniforms = np.concatenate([[0.0, 5e-324, below], ends, np.nextafter(ends, 0), np.nextafter(ends, 1)])
    uniforms = np.clip(uniforms, 0.0, below)[None, :]
    found = draws.draw_without(uniforms, np.array(avoided))
    assert set(found.ravel().tolist()) <= {0, 2, 3, 4} - set(avoided[0])
    assert set(draws.draw(np.append(draws.before.clip(0, below), below)).tolist()) <= {0, 2, 3, 4}


def test_rounding_at_the_edges_of_many_laws() -> None:
    """Uniforms that fall on the ends of gaps: of 2,000 laws, some round into a gap, and some up to one."""
    generator = np.random.default_rng(3)
    below = np.nextafter(1.0, 0.0)
    for _ in range(2000):
        weights = generator.dirichlet(np.full(6, 0.3))
        if np.sort(weights)[:4].sum() < 1e-6:
            continue
        draws, avoided = class_draws(weights), generator.permutation(6)[:2]
        ends = draws.before / (1 - draws.mass[avoided].sum())
        uniforms = np.clip(np.concatenate([[below], ends, np.nextafter(ends, 0), np.nextafter(ends, 2)]), 0, below)
        for some in (avoided, avoided[:1]):
            found = draws.draw_without(uniforms[None, :].copy(), some[None, :])
            assert not np.isin(found, some).any()


def test_a_draw_within_a_gap_leaves_it() -> None:
    draws = class_draws(np.array([0.25, 0.0, 0.25, 0.5]))
    found = np.array([[0, 2, 3]])
    draws._leave(found, np.array([[0, 2]]))
    assert found.tolist() == [[3, 3, 3]]


@given(
    weights=st.lists(st.integers(0, 20), min_size=3, max_size=9).filter(lambda w: np.count_nonzero(w) >= 3),
    number=st.integers(1, 2),
    seed=st.integers(0, 2**32 - 1),
)
@settings(max_examples=60, deadline=None)
def test_avoided_classes_are_never_drawn(weights: list[int], number: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    p = np.array(weights, dtype=float)
    avoided = np.array([generator.permutation(p.size)[:number] for _ in range(50)])
    found = class_draws(p / p.sum()).draw_without(generator.random((50, 7)), avoided)
    assert (p[found] > 0).all()
    assert not (found[:, :, None] == avoided[:, None, :]).any()


@given(
    matches=st.sampled_from(["exact", "at-least-one", "none", "iid"]),
    rest=st.sampled_from(["iid", "no-support", "unique"]),
    copies=st.integers(1, 4),
    distractor=st.integers(0, 3),
    length=st.integers(1, 8),
    held_out=st.integers(0, 2),
    seed=st.integers(0, 1000),
)
@settings(max_examples=80, deadline=None)
def test_every_row_keeps_its_rule(
    matches: str, rest: str, copies: int, distractor: int, length: int, held_out: int, seed: int
) -> None:
    try:
        kind = RowKind(
            name="k",
            share=1,
            matches=matches,
            copies=copies if matches == "exact" else None,
            distractor_copies=distractor,
            rest=rest,
        )
        law = ClassLaw(frequencies="zipf", num_classes=8, zipf_exponent=1.0)
        episodes = EpisodeDistribution(classes=law, rows=(kind,), context_length=length, held_out_classes=held_out)
    except SettingError:
        return
    found = drawn(episode_sampler(episodes, "labels"), 60, seed, query=np.arange(60) % episodes.total_classes)
    for query, context, m in zip(
        found.query.tolist(), np.asarray(found.context_classes).tolist(), found.relevant_examples, strict=True
    ):
        counted = Counter(context)
        assert counted[query] == m
        assert match_law(episodes, query)[m] > 0
        others = Counter({x: n for x, n in counted.items() if x != query})
        assert max(others, default=0) < 8
        if rest == "unique":
            assert sorted(others.values(), reverse=True)[1:] == [1] * max(len(others) - 1, 0)
        if distractor:
            assert max(others.values()) >= distractor


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
    fresh = rows_of(sampler.draw(2000, sampler.streams(1, 0), state, fresh=True))
    assert len(set(fresh)) > 20


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
