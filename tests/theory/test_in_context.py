"""Law of the in-context loss: exact against an enumeration of every prompt."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.special import logsumexp

from theory import in_context
from theory.classes import class_kinds, kind_of_class
from theory.errors import SettingError
from theory.in_context import in_context_loss, relevant_law
from theory.setting import Attention, TaskDistribution

TASKS = [
    TaskDistribution(num_high=1, num_low=2, p_high=0.6, context_length=3, p_relevant=0.7, label_noise=0.2),
    TaskDistribution(num_high=2, num_low=2, p_high=0.7, context_length=2, relevant_examples=1, label_noise=0.1),
    TaskDistribution(
        frequencies="weights", weights=[0.5, 0.3, 0.2], context_length=3, relevant_examples=2, p_relevant=0.5,
        label_noise=0.3, label_noise_kind="symmetric", context_label_noise=0.1,
    ),
    TaskDistribution(frequencies="zipf", num_classes=4, zipf_exponent=1.0, context_length=2, label_noise=0.25,
                     label_noise_kind="symmetric"),
    TaskDistribution(frequencies="counts", counts=[5, 3, 0, 1], context_length=2, label_noise=0.4, p_relevant=0.0),
    TaskDistribution(num_high=1, num_low=3, p_high=0.6, num_labels=2, context_length=3, p_relevant=0.7,
                     label_noise=0.2),
    TaskDistribution(
        frequencies="weights", weights=[0.5, 0.2, 0.2, 0.1], num_labels=3, context_length=3, relevant_examples=1,
        label_noise=0.3, label_noise_kind="symmetric", context_label_noise=0.1,
    ),
    TaskDistribution(frequencies="counts", counts=[5, 3, 2, 1], num_labels=2, context_length=2, p_relevant=0.0),
    TaskDistribution(num_high=2, num_low=3, p_high=0.6, num_labels=3, context_length=2, label_noise=0.15),
]  # fmt: skip


def label_law(task: TaskDistribution, x: int, noise: float) -> list[float]:
    total = task.total_labels
    own, result = x % total, [0.0] * total
    result[own] = 1 - noise
    others = [(own + 1) % total] if task.label_noise_kind == "cyclic" else [y for y in range(total) if y != own]
    for y in others:
        result[y] += noise / len(others)
    return result


def enumerated_risk(task: TaskDistribution, attention: Attention, x: int) -> float:
    """Risk of class x: a sum over every context (classes in order) and every labelling of it."""
    total, length = task.total_labels, task.context_length
    p = task.class_probabilities
    labels = [label_law(task, y, task.noise_in_context) for y in range(task.total_classes)]
    query = label_law(task, x, task.label_noise)

    def weight_of(m: int) -> float:
        """Probability of one given set of m places for the relevant examples."""
        if m == 0:
            return 1 - task.p_relevant
        if task.p_relevant == 0:
            return 0.0
        if task.relevant_examples is not None:
            return task.p_relevant / math.comb(length, m) if m == task.relevant_examples else 0.0
        some = 1 - (1 - p[x]) ** length
        return task.p_relevant * p[x] ** m * (1 - p[x]) ** (length - m) / some

    risk = 0.0
    for classes in itertools.product(range(task.total_classes), repeat=length):
        m = classes.count(x)
        weight = weight_of(m) * math.prod(p[c] / (1 - p[x]) for c in classes if c != x)
        if weight == 0:
            continue
        for carried in itertools.product(range(total), repeat=length):
            chance = weight * math.prod(labels[c][y] for c, y in zip(classes, carried, strict=True))
            if chance == 0:
                continue
            scores = [attention.odds if c == x else 1.0 for c in classes]
            for y, q in enumerate(query):
                mass = sum(s for s, z in zip(scores, carried, strict=True) if z == y) / sum(scores)
                risk -= chance * q * math.log((1 - total * attention.floor) * mass + attention.floor) if q else 0.0
    return risk


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("attention", [Attention(odds=9.0, floor=1e-3), Attention(odds=1.0, floor=0.05)])
def test_risk_equals_enumeration(task: TaskDistribution, attention: Attention) -> None:
    kinds, _ = class_kinds(task)
    of_class = kind_of_class(task)
    for x in range(task.total_classes):
        exact = enumerated_risk(task, attention, x)
        assert in_context_loss(task, attention, kinds[of_class[x]]).risk == pytest.approx(exact, rel=1e-11)


def test_enumeration_rejects_a_wrong_collision() -> None:
    """The wrong variant: irrelevant examples drawn from all classes, the query's among them."""
    task, attention = TASKS[1], Attention(odds=9.0, floor=1e-3)
    kinds, _ = class_kinds(task)
    wrong = in_context_loss(task, attention, kinds[0]).risk * (1 - kinds[0].probability)
    assert wrong != pytest.approx(enumerated_risk(task, attention, 0), rel=1e-2)


@pytest.mark.parametrize("task", [task for task in TASKS if task.num_labels])
def test_enumeration_rejects_classes_that_do_not_share(task: TaskDistribution) -> None:
    """The wrong variant: every class with a label of its own."""
    attention, apart = Attention(odds=9.0, floor=1e-3), replace(task, num_labels=None)
    wrong = in_context_loss(apart, attention, class_kinds(apart)[0][0]).risk
    assert wrong != pytest.approx(enumerated_risk(task, attention, 0), rel=1e-2)


def test_group_sizes_add_up() -> None:
    for high, low in itertools.product([1, 2, 3, 7], repeat=2):
        task = TaskDistribution(num_high=high, num_low=low, p_high=0.8, label_noise=0.1)
        kinds, _ = class_kinds(task)
        assert sum(kind.size for kind in kinds) == high + low
        assert sum(kind.size * kind.probability for kind in kinds) == pytest.approx(1)
        explicit = TaskDistribution(frequencies="weights", weights=task.class_probabilities.tolist(), label_noise=0.1)
        explicit_kinds, of_class = class_kinds(explicit)
        here = kind_of_class(task)
        for x in range(high + low):
            ours, theirs = kinds[here[x]], explicit_kinds[of_class[x]]
            assert ours.own_collision == pytest.approx(theirs.own_collision)
            assert ours.noisy_collisions == pytest.approx(theirs.noisy_collisions)


@pytest.mark.parametrize("p", [1e-300, 1e-9, 0.3, 0.999])
def test_natural_number_of_relevant_examples(p: float) -> None:
    task = TaskDistribution(frequencies="uniform", num_classes=2, context_length=6)
    values, weights = relevant_law(task, p)
    exact = np.array([math.comb(6, m) * p**m * (1 - p) ** (6 - m) for m in range(1, 7)])
    if p > 1e-100:
        assert weights == pytest.approx((exact / exact.sum())[values - 1], rel=1e-6)
    else:
        assert values.tolist() == [1]


@pytest.mark.parametrize(
    ("changes", "finite"),
    [
        ({}, True),
        ({"label_noise": 0.1}, False),
        ({"p_relevant": 0.9}, False),
        ({"context_label_noise": 1e-300}, False),
        ({"relevant_examples": 2}, True),
        ({"label_noise": 1.0}, True),
        ({"label_noise": 1.0, "context_label_noise": 0.0}, False),
    ],
)
def test_floor_of_zero_only_where_the_risk_is_finite(changes: dict[str, float], finite: bool) -> None:
    values = {"num_high": 2, "num_low": 3, "p_high": 0.5, "context_length": 2, "relevant_examples": 1, **changes}
    task = TaskDistribution(**values)
    kinds, _ = class_kinds(task)
    if finite:
        assert all(math.isfinite(in_context_loss(task, Attention(floor=0), kind).risk) for kind in kinds)
        return
    with pytest.raises(SettingError, match=r"floor = 0\.0 is not allowed: expected a positive floor"):
        in_context_loss(task, Attention(floor=0), kinds[0])


def test_long_contexts_keep_their_law() -> None:
    task = TaskDistribution(num_high=5, num_low=95, p_high=0.9, context_length=256, label_noise=0.1)
    kinds, _ = class_kinds(task)
    for kind in kinds:
        loss = in_context_loss(task, Attention(), kind)
        assert loss.own.probabilities.sum() == pytest.approx(1)
        assert 0 < loss.risk < 10


def test_laws_for_tails_dominate_every_exponential_moment() -> None:
    # Long contexts have more losses than are kept: merged at their means they would have smaller moments.
    task = TaskDistribution(
        frequencies="weights",
        weights=(0.5, 0.3, 0.2),
        context_length=160,
        label_noise=0.2,
        label_noise_kind="symmetric",
        context_label_noise=0.3,
    )
    kind = class_kinds(task)[0][0]
    attention = Attention(odds=50.0, floor=1e-12)
    loss = in_context_loss(task, attention, kind)
    assert loss.dominating is not None
    match = task.noise_in_context / 2
    for law, merged, collisions, matched in (
        (loss.tails.own, loss.own, np.array([kind.own_collision]), 1 - task.noise_in_context),
        (loss.tails.dearest, loss.noisy, kind.noisy_collisions.min(keepdims=True), match),
        (loss.tails.cheapest, loss.noisy, kind.noisy_collisions.max(keepdims=True), match),
    ):
        values, weights = in_context._losses(task, attention, kind, 1.0, matched, collisions, np.ones(1))
        assert law.mean == pytest.approx(float(values @ weights), rel=1e-12)
        for tilt in (-3.0, -0.5, 0.5, 3.0, 30.0):
            exact = float(logsumexp(tilt * values, b=weights))
            found = float(logsumexp(tilt * law.values, b=law.probabilities))
            assert found >= exact - 1e-12
            assert found <= exact + 1e-3
        # A wrong variant: the law that serves for means.
        if merged is loss.own:
            assert float(logsumexp(30 * merged.values, b=merged.probabilities)) < float(
                logsumexp(30 * values, b=weights)
            )
    low, high = (float(logsumexp(law.values, b=law.probabilities)) for law in (loss.tails.cheapest, loss.tails.dearest))
    assert low < float(logsumexp(loss.noisy.values, b=loss.noisy.probabilities)) < high
