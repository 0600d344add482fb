"""Exact laws of contexts by enumeration, and what the tests of episodes share."""

from __future__ import annotations

import math
from collections import Counter
from itertools import permutations, product
from typing import Any

import numpy as np

from simulate.episodes.arrays import Episodes
from simulate.episodes.sampler import EpisodeSampler, episode_sampler
from theory.setting import (
    ClassLaw,
    EpisodeDistribution,
    RowKind,
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
