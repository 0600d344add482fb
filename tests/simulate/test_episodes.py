"""Classes of episodes: every kind of rows against the exact law by enumeration."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulate.episodes import context_draws as context_module
from simulate.episodes.class_draws import class_draws
from simulate.episodes.sampler import episode_sampler
from simulate.prompts import PromptStatistics
from simulate.statistics import statistics_sampler
from tests.simulate.episode_laws import (
    CLASSES,
    KINDS,
    ROWS,
    context_counts,
    distribution,
    drawn,
    exact_contexts,
    fits,
    law_of_matches,
)
from tests.simulate.test_statistics import TASKS, codes, same_law
from theory.errors import SettingError
from theory.match_laws import match_law
from theory.setting import (
    ClassLaw,
    EpisodeDistribution,
    RowKind,
    episodes_of,
)

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
