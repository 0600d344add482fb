"""Labels and inputs of episodes: relabelling, noise, centres, a user's own array."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace
from itertools import permutations
from typing import Any

import numpy as np
import pytest

from simulate.episodes.arrays import Episodes
from simulate.episodes.label_draws import episode_labels
from simulate.episodes.sampler import episode_sampler
from tests.simulate.episode_laws import drawn, fits
from theory.setting import (
    AnyInputs,
    ArrayInputs,
    ClassLaw,
    EpisodeDistribution,
    GaussianInputs,
    LabelRule,
    RowKind,
    SphereInputs,
)

ROWS = 60_000
CLASSES = ClassLaw(frequencies="weights", weights=[0.4, 0.3, 0.2, 0.1])
PLAIN = RowKind(name="plain", share=1, matches="iid")
MATRIX = ((0.7, 0.2, 0.1, 0.0), (0.0, 0.6, 0.4, 0.0), (0.25, 0.25, 0.25, 0.25), (0.5, 0.0, 0.0, 0.5))
OTHER_MATRIX = ((0.1, 0.9, 0.0, 0.0), (0.0, 0.1, 0.9, 0.0), (0.0, 0.0, 0.1, 0.9), (0.9, 0.0, 0.0, 0.1))


def labelled(rule: LabelRule, rows: int = ROWS, **asked: Any) -> Episodes:
    episodes = EpisodeDistribution(classes=CLASSES, rows=(PLAIN,), context_length=3, labels=rule)
    return drawn(episode_sampler(episodes, "labels"), rows, **asked)


def pairs(episodes: Episodes) -> tuple[Counter[tuple[int, int]], Counter[tuple[int, int]]]:
    """Class and label of the queries, and of the context's examples."""
    query = zip(episodes.query.tolist(), episodes.label.tolist(), strict=True)
    context = zip(
        np.ravel(episodes.context_classes).tolist(),  # type: ignore[arg-type]
        np.ravel(episodes.context_labels).tolist(),  # type: ignore[arg-type]
        strict=True,
    )
    return Counter(query), Counter(context)


def pair_law(kernel: Any, labels: int) -> dict[tuple[int, int], float]:
    """Law of class and label for a noise kernel (row: right label)."""
    p = CLASSES.class_probabilities.tolist()
    return {(x, y): p[x] * kernel[x % labels][y] for x in range(4) for y in range(labels) if kernel[x % labels][y] > 0}


def kernel(noise: float, kind: str, labels: int) -> list[list[float]]:
    spread = [[noise / (labels - 1)] * labels for _ in range(labels)]
    for y in range(labels):
        if kind == "cyclic":
            spread[y] = [0.0] * labels
            spread[y][(y + 1) % labels] = noise
        spread[y][y] = 1 - noise
    return spread


NOISE: dict[str, tuple[LabelRule, Any, Any]] = {
    "cyclic": (LabelRule(label_noise=0.3), kernel(0.3, "cyclic", 4), kernel(0.3, "cyclic", 4)),
    "cyclic, apart": (
        LabelRule(label_noise=0.3, context_label_noise=0.1), kernel(0.3, "cyclic", 4), kernel(0.1, "cyclic", 4)
    ),
    "symmetric": (
        LabelRule(label_noise=0.3, label_noise_kind="symmetric", context_label_noise=0.0),
        kernel(0.3, "symmetric", 4),
        kernel(0.0, "symmetric", 4),
    ),
    "shared": (LabelRule(num_labels=3, label_noise=0.2), kernel(0.2, "cyclic", 3), kernel(0.2, "cyclic", 3)),
    "matrix": (LabelRule(label_noise_kind="matrix", noise_matrix=MATRIX), MATRIX, MATRIX),
    "matrices": (
        LabelRule(label_noise_kind="matrix", noise_matrix=MATRIX, context_noise_matrix=OTHER_MATRIX),
        MATRIX,
        OTHER_MATRIX,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", NOISE)
def test_noise_has_the_law_of_its_kernel(name: str) -> None:
    rule, of_query, of_context = NOISE[name]
    labels = rule.num_labels or 4
    query, context = pairs(labelled(rule))
    assert fits(query, pair_law(of_query, labels), ROWS)
    assert fits(context, pair_law(of_context, labels), 3 * ROWS)


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("cyclic", kernel(0.3, "symmetric", 4)),
        ("cyclic", kernel(0.32, "cyclic", 4)),
        ("symmetric", kernel(0.3, "cyclic", 4)),
        ("matrix", tuple(zip(*MATRIX, strict=True))),
        ("matrices", OTHER_MATRIX),
    ],
)
def test_another_kernel_is_rejected(name: str, wrong: Any) -> None:
    """Among them the transposed matrix, and that of the context in place of the query's."""
    query, _ = pairs(labelled(NOISE[name][0]))
    total = sum(pair_law(wrong, 4).values())
    assert not fits(query, {pair: p / total for pair, p in pair_law(wrong, 4).items()}, ROWS)


def test_noise_of_the_examples_is_independent() -> None:
    """Correlation of noisy labels within an episode (6 sigma)."""
    found = labelled(LabelRule(label_noise=0.4))
    noisy = np.column_stack([found.label != found.query, np.asarray(found.context_labels) != found.context_classes])
    correlation = np.corrcoef(noisy.T)
    assert np.abs(correlation - np.eye(4)).max() < 6 / math.sqrt(ROWS)


def maps(episodes: Episodes, labels: int) -> np.ndarray:
    """For every row the new label of each old one, or -1 where it does not occur; rows have to be consistent."""
    classes = np.column_stack([episodes.query, np.asarray(episodes.context_classes)])
    given = np.column_stack([episodes.label, np.asarray(episodes.context_labels)])
    found = np.full((classes.shape[0], labels), -1)
    rows = np.arange(classes.shape[0])
    for old, new in zip((classes % labels).T, given.T, strict=True):
        assert ((found[rows, old] == -1) | (found[rows, old] == new)).all()
        found[rows, old] = new
    return found


@pytest.mark.parametrize("labels", [None, 3])
def test_a_fresh_permutation_is_uniform(labels: int | None) -> None:
    count = labels or 4
    found = maps(labelled(LabelRule(relabel="permutation", num_labels=labels)), count)
    both = found[(found[:, 0] >= 0) & (found[:, 1] >= 0)]
    law = dict.fromkeys(permutations(range(count), 2), 1 / (count * (count - 1)))
    assert fits(Counter(map(tuple, both[:, :2].tolist())), law, len(both))
    wrong = {pair: p * (1.25 if pair[0] == 0 else 1) for pair, p in law.items()}
    total = sum(wrong.values())
    assert not fits(Counter(map(tuple, both[:, :2].tolist())), {k: p / total for k, p in wrong.items()}, len(both))


def test_a_pool_is_drawn_once_for_each_replicate() -> None:
    rule = LabelRule(relabel="pool", pool_size=3)
    episodes = EpisodeDistribution(classes=CLASSES, rows=(PLAIN,), context_length=9, labels=rule)
    sampler = episode_sampler(episodes, "labels")
    pools = []
    for replicate in (0, 1):
        found = maps(drawn(sampler, 20_000, replicate=replicate), 4)
        whole = Counter(map(tuple, found[(found >= 0).all(axis=1)].tolist()))
        pool = sampler.state(1, replicate).label_maps
        assert pool is not None
        assert set(whole) == set(map(tuple, pool.tolist()))
        assert all(sorted(one) == [0, 1, 2, 3] for one in pool.tolist())
        shares = Counter(map(tuple, pool.tolist()))
        assert fits(whole, {one: number / 3 for one, number in shares.items()}, whole.total())
        pools.append(pool.tolist())
    assert pools[0] != pools[1]


def test_few_shot_labels_are_a_uniform_order_of_the_classes() -> None:
    classes = np.tile([7, 3, 7, 9, 3], (ROWS, 1))
    keys = np.random.default_rng(1).random(classes.shape)
    found = episode_labels(classes, keys)
    assert (found[:, 0] == found[:, 2]).all()
    assert (found[:, 1] == found[:, 4]).all()
    orders = Counter(map(tuple, found[:, [0, 1, 3]].tolist()))
    assert fits(orders, dict.fromkeys(permutations(range(3)), 1 / 6), ROWS)


def test_few_shot_rows_of_two_classes_have_the_labels_0_and_1() -> None:
    """Chan et al.'s evaluation on held-out classes: two classes, four examples each, labels 0 and 1 by chance."""
    row = RowKind(name="few-shot", share=1, matches="exact", copies=4, distractor_copies=4)
    episodes = EpisodeDistribution(
        classes=ClassLaw(frequencies="uniform", num_classes=20),
        rows=(row,),
        context_length=8,
        held_out_classes=5,
        labels=LabelRule(relabel="few-shot"),
    )
    found = drawn(episode_sampler(episodes.of_held_out_classes(), "labels"), 4000)
    assert found.query.min() == 20
    assert np.asarray(found.context_classes).min() == 20
    assert set(np.ravel(np.asarray(found.context_labels)).tolist()) == {0, 1}
    assert (found.relevant_matches == 4).all()
    assert (found.irrelevant_matches == 0).all()
    assert abs(found.label.mean() - 0.5) < 6 * 0.5 / math.sqrt(4000)


def test_a_query_without_examples_has_a_few_shot_label_of_its_own() -> None:
    row = RowKind(name="none", share=1, matches="none")
    episodes = EpisodeDistribution(
        classes=ClassLaw(frequencies="uniform", num_classes=6),
        rows=(row,),
        context_length=3,
        labels=LabelRule(relabel="few-shot"),
    )
    found = drawn(episode_sampler(episodes, "labels"), 2000)
    assert (found.irrelevant_matches == 0).all()
    classes = np.column_stack([found.query, np.asarray(found.context_classes)])
    labels = np.column_stack([found.label, np.asarray(found.context_labels)])
    for own, given in zip(classes.tolist(), labels.tolist(), strict=True):
        assert set(given) == set(range(len(set(own))))
    # Every label is as likely for the query: the rank among its w classes is uniform.
    assert abs((found.label == 0).mean() - np.mean([1 / len(set(own)) for own in classes.tolist()])) < 0.06


def test_noise_comes_after_relabelling() -> None:
    rule = LabelRule(relabel="few-shot", label_noise=1.0, context_label_noise=0.0)
    row = RowKind(name="k", share=1, matches="exact", copies=3)
    episodes = EpisodeDistribution(classes=CLASSES, rows=(row,), context_length=3, labels=rule)
    found = drawn(episode_sampler(episodes, "labels"), 200)
    assert (np.asarray(found.context_labels) == 0).all()
    assert (found.label == 1).all()


# Inputs.


def inputs_of(part: AnyInputs, rows: int = 4000, replicate: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Classes and inputs of all examples, and the centre of each class (its input without noise)."""
    row = RowKind(name="k", share=1, matches="none")
    episodes = EpisodeDistribution(classes=CLASSES, rows=(row,), context_length=3, inputs=part, held_out_classes=1)
    found = drawn(episode_sampler(episodes, "inputs"), rows, replicate=replicate)
    classes = np.concatenate([found.query, np.ravel(np.asarray(found.context_classes))])
    context = np.asarray(found.context_inputs)
    assert context.shape == (rows, 3, part.dimension)  # type: ignore[union-attr]
    inputs = np.concatenate([np.asarray(found.query_inputs), context.reshape(3 * rows, -1)])
    still = part if isinstance(part, ArrayInputs) else replace(part, input_noise=0.0)
    quiet = drawn(
        episode_sampler(replace(episodes, inputs=still), "inputs"), 5, replicate=replicate, query=np.arange(5)
    )
    return classes, inputs, np.asarray(quiet.query_inputs)


def within(statistic: float, degrees: int) -> bool:
    """Whether a sum of squares of standard normals is not extreme (false alarms 1e-7)."""
    from scipy.stats import chi2

    return bool(chi2.ppf(5e-8, degrees) < statistic < chi2.isf(5e-8, degrees))


def test_sphere_inputs_are_unit_centres_with_noise_of_the_given_size() -> None:
    classes, inputs, centres = inputs_of(SphereInputs(dimension=8, input_noise=0.2))
    assert (centres**2).sum(axis=1) == pytest.approx(np.ones(5), abs=1e-12)
    assert np.unique(centres.round(9), axis=0).shape == (5, 8)
    residual = inputs - centres[classes]
    assert within(float((residual**2).sum()) / 0.2**2, residual.size)
    # The power: noise that is 2 % larger, and noise scaled by the dimension, are rejected.
    assert not within(float((residual**2).sum()) / 0.204**2, residual.size)
    assert not within(float((residual**2).sum()) / (0.2**2 / 8), residual.size)
    assert np.abs(np.corrcoef(residual.T) - np.eye(8)).max() < 6 / math.sqrt(len(residual))


def test_gaussian_inputs_rescale_centre_and_noise() -> None:
    noise, dimension = 0.5, 6
    classes, inputs, centres = inputs_of(GaussianInputs(dimension=dimension, input_noise=noise))
    factor = 1 / math.sqrt(1 + noise**2)
    residual = inputs - centres[classes] * factor
    assert within(float((residual**2).sum()) * dimension / (noise * factor) ** 2, residual.size)
    assert not within(float((residual**2).sum()) * dimension / noise**2, residual.size)
    _, plain, same = inputs_of(GaussianInputs(dimension=dimension, input_noise=noise, rescale=False))
    assert np.array_equal(same, centres)
    assert plain == pytest.approx(inputs / factor, rel=1e-12, abs=1e-12)


def test_gaussian_centres_have_unit_mean_square_length() -> None:
    """Over 300 replicates of 5 centres in 6 dimensions: 9,000 coordinates of variance 1/6."""
    part = GaussianInputs(dimension=6)
    centres = np.concatenate([inputs_of(part, rows=1, replicate=r)[2] for r in range(300)])
    assert within(float((centres**2).sum()) * 6, centres.size)
    assert not within(float((centres**2).sum()), centres.size)


def test_examples_of_an_array_are_rows_of_their_class_uniformly() -> None:
    owners = np.array([0, 1, 1, 3, 2, 1, 4, 3])
    array = np.column_stack([np.arange(8.0), owners])
    classes, inputs, _ = inputs_of(ArrayInputs(embeddings=array, classes=owners), rows=10_000)
    assert np.array_equal(inputs[:, 1], classes)
    for x in range(4):
        own = np.flatnonzero(owners == x)
        counted = Counter(inputs[classes == x, 0].astype(int).tolist())
        assert fits(counted, dict.fromkeys(own.tolist(), 1 / own.size), int((classes == x).sum()))


def test_noise_is_fresh_for_every_example_of_a_stream_and_kept_in_a_sample() -> None:
    from theory.setting import FiniteSample

    stream = EpisodeDistribution(
        classes=CLASSES, rows=(PLAIN,), context_length=2, inputs=SphereInputs(dimension=3, input_noise=0.1)
    )
    fresh = np.asarray(drawn(episode_sampler(stream, "inputs"), 500).query_inputs)
    assert len(np.unique(fresh, axis=0)) == 500
    kept = replace(stream, sampling=FiniteSample(rows=10))
    stored = np.asarray(drawn(episode_sampler(kept, "inputs"), 500).query_inputs)
    assert len(np.unique(stored, axis=0)) == 10
