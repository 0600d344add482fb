"""Classes that share labels: collision probabilities and kinds against an enumeration of all classes."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from theory.classes import candidates, class_kinds, kind_of_class
from theory.errors import SettingError
from theory.in_context import in_context_loss
from theory.label_masses import LabelMasses, label_runs, members
from theory.setting import Attention, DirichletTable, GatedPredictor, TaskDistribution
from theory.setting_file import assemble, load, to_dict, to_toml
from theory.solver import predict


def random_task(generator: np.random.Generator) -> TaskDistribution:
    """A task of up to 24 classes of any frequency law, with 2 to that many labels."""
    law = generator.choice(["two-level", "two-level", "zipf", "uniform", "weights", "counts"])
    number = int(generator.integers(2, 25))
    own: dict[str, Any] = {"num_classes": number}
    if law == "two-level":
        high = int(generator.integers(1, number))
        level = generator.choice([generator.uniform(0.01, 0.99), high / number])
        own = {"num_high": high, "num_low": number - high, "p_high": float(level)}
    elif law == "zipf":
        own["zipf_exponent"] = float(generator.uniform(0, 3))
    elif law == "weights":
        weights = generator.dirichlet(np.full(number, 0.3)) + 1e-6
        own = {"weights": (weights / weights.sum()).tolist()}
    elif law == "counts":
        counts = generator.integers(0, 5, number)
        own = {"counts": [1, 1, *counts[2:].tolist()]}
    return TaskDistribution(
        frequencies=law,
        num_labels=int(generator.integers(2, number + 1)),
        label_noise_kind=str(generator.choice(["cyclic", "symmetric"])),
        label_noise=float(generator.uniform(0, 1)),
        context_label_noise=float(generator.choice([0.0, 1.0, generator.uniform(0, 1)])),
        **own,
    )


def enumerated_collisions(task: TaskDistribution, x: int) -> list[Fraction]:
    """Probability that an irrelevant example of a prompt about class x carries each label, summed over all classes."""
    p = [Fraction(float(value)) for value in task.class_probabilities]
    noise, total = Fraction(task.noise_in_context), task.total_labels
    result = [Fraction(0)] * total
    for other, probability in enumerate(p):
        if other == x:
            continue
        own = other % total
        targets = [(own + 1) % total] if task.label_noise_kind == "cyclic" else [y for y in range(total) if y != own]
        result[own] += probability * (1 - noise)
        for y in targets:
            result[y] += probability * noise / len(targets)
    rest = sum(p) - p[x]
    return [value / rest for value in result]


def noisy_law(task: TaskDistribution, x: int, collisions: list[Fraction]) -> dict[float, float]:
    """Collision probabilities of the labels that noise leads to, with the share of the labels that have them."""
    own, total = x % task.total_labels, task.total_labels
    labels = [(own + 1) % total] if task.label_noise_kind == "cyclic" else [y for y in range(total) if y != own]
    law: dict[float, float] = {}
    for y in labels:
        value = round(float(collisions[y]), 10)
        law[value] = law.get(value, 0.0) + 1 / len(labels)
    return law


def error_of_kinds(task: TaskDistribution) -> float:
    """Largest error of the collision probabilities of any class, and of the shares of the noisy labels."""
    kinds, _ = class_kinds(task)
    worst = 0.0
    for x, position in enumerate(kind_of_class(task).tolist()):
        kind = kinds[position]
        exact = enumerated_collisions(task, x)
        noisy = noisy_law(task, x, exact)
        found: dict[float, float] = {}
        for value, weight in zip(kind.noisy_collisions.tolist(), kind.noisy_weights.tolist(), strict=True):
            nearest = min(noisy, key=lambda other: abs(other - value))
            worst = max(worst, abs(nearest - value))
            found[nearest] = found.get(nearest, 0.0) + weight
        shares = [abs(found.get(value, 0.0) - weight) for value, weight in noisy.items()]
        own = abs(kind.own_collision - float(exact[x % task.total_labels]))
        worst = max(worst, own, *shares, abs(kind.probability - float(task.class_probabilities[x])))
    return worst


def test_collisions_equal_enumeration() -> None:
    generator = np.random.default_rng(20261123)
    for _ in range(250):
        task = random_task(generator)
        assert error_of_kinds(task) < 2e-10, task


@pytest.mark.parametrize(
    "wrong",
    [
        {"num_labels": 4},
        {"num_labels": None},
        {"context_label_noise": 0.1001},
        {"label_noise_kind": "symmetric"},
        {"p_high": 0.701},
    ],
    ids=repr,
)
def test_enumeration_rejects_wrong_collisions(wrong: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Wrong variants: the kinds of another task."""
    task = TaskDistribution(num_high=3, num_low=8, p_high=0.7, num_labels=3, context_label_noise=0.1)
    assert error_of_kinds(task) < 2e-10
    other = replace(task, **wrong)
    kinds, of_class = class_kinds(other), kind_of_class(other)
    monkeypatch.setattr(f"{__name__}.class_kinds", lambda _: kinds)
    monkeypatch.setattr(f"{__name__}.kind_of_class", lambda _: of_class)
    assert error_of_kinds(task) > 1e-6


def test_enumeration_rejects_the_query_among_its_companions(monkeypatch: pytest.MonkeyPatch) -> None:
    """The wrong variant: the query's own class counts among the other classes with its label."""
    task = TaskDistribution(num_high=3, num_low=8, p_high=0.7, num_labels=3, context_label_noise=0.1)

    def with_itself(self: LabelMasses, classes: np.ndarray) -> np.ndarray:
        return self.of_labels(classes % task.total_labels)

    monkeypatch.setattr(LabelMasses, "of_companions", with_itself)
    assert error_of_kinds(task) > 1e-3


def test_sizes_count_the_classes_of_each_kind() -> None:
    generator = np.random.default_rng(7)
    for _ in range(250):
        task = random_task(generator)
        kinds, _ = class_kinds(task)
        of_class = kind_of_class(task)
        assert [kind.size for kind in kinds] == np.bincount(of_class, minlength=len(kinds)).tolist()
        assert sum(kind.size for kind in kinds) == task.total_classes
        assert [int(of_class[kind.representative]) for kind in kinds] == list(range(len(kinds)))
        if task.grouped:
            assert len(kinds) <= 18
            sides = [set((np.flatnonzero(of_class == i) < task.num_high).tolist()) for i in range(len(kinds))]
            assert all(len(side) == 1 for side in sides)


def test_every_division_of_small_groups() -> None:
    """All two-level tasks of up to 5 + 6 classes with any number of labels: members, runs and sizes."""
    for high in range(1, 6):
        for low in range(1, 7):
            for total in range(2, high + low + 1):
                task = TaskDistribution(num_high=high, num_low=low, p_high=0.8, num_labels=total, label_noise=0.1)
                numbers = np.array(members(task, np.arange(total)))
                for y in range(total):
                    of_label = range(y, high + low, total)
                    assert numbers[0, y] == sum(x < high for x in of_label)
                    assert numbers[1, y] == sum(x >= high for x in of_label)
                assert [first for first, _ in label_runs(task)] == np.cumsum(
                    [0, *(size for _, size in label_runs(task))]
                ).tolist()[:-1]
                for first, size in label_runs(task):
                    around = [
                        tuple(numbers[:, (y + step) % total]) for y in range(first, first + size) for step in (-1, 0, 1)
                    ]
                    assert around == around[:3] * size
                sizes = candidates(task)[1]
                assert sizes.sum() == high + low
                masses, counts = LabelMasses(task).distinct()
                own = LabelMasses(task).of_labels(np.arange(total))
                assert sorted(np.repeat(masses, counts.astype(int))) == pytest.approx(sorted(own))
                assert own.sum() == pytest.approx(1)


def test_astronomically_many_classes() -> None:
    """No array of the classes' length: 10^15 of them, in a few milliseconds; the sizes are exact."""
    task = TaskDistribution(
        num_high=10**12 + 7, num_low=10**15 - 12, p_high=0.3, num_labels=10**9 + 9, context_length=8, label_noise=0.1
    )
    kinds, _ = class_kinds(task)
    assert sum(kind.size for kind in kinds) == task.total_classes
    assert sum(kind.size for kind in kinds if kind.representative < task.num_high) == task.num_high
    for kind in kinds:
        labels = kind.representative % task.total_labels
        expected = float(sum(Fraction(v) for v in LabelMasses(task).of_labels(np.array([labels]))) * Fraction(0.9))
        assert kind.own_collision == pytest.approx(expected, rel=0.2)
    few = replace(task, num_labels=2, label_noise_kind="symmetric")
    assert [kind.own_collision for kind in class_kinds(few)[0]] == pytest.approx([0.5] * len(class_kinds(few)[0]))


@pytest.mark.parametrize("order", [1, -1])
def test_a_label_with_one_frequent_and_one_rare_class_keeps_digits(order: int) -> None:
    """The rest of a label's mass is not a difference that cancels."""
    weights = [1 - 3e-12, 1e-12, 1e-13, 1e-12, 0.8e-12, 0.1e-12][::order]
    task = TaskDistribution(frequencies="weights", weights=weights, num_labels=2)
    p = task.class_probabilities
    exact = [float(sum(Fraction(v) for j, v in enumerate(p) if j != x and j % 2 == x % 2)) for x in range(6)]
    assert LabelMasses(task).of_companions(np.arange(6)) == pytest.approx(exact, rel=1e-15)


def test_order_does_not_split_kinds() -> None:
    """Labels with the same frequencies in another order have the same mass to the last bit, and so the same kinds."""
    generator = np.random.default_rng(5)
    members_of_label = generator.dirichlet(np.ones(20)) / 6
    weights = np.column_stack([generator.permutation(members_of_label) for _ in range(6)]).ravel()
    task = TaskDistribution(frequencies="weights", weights=(weights / weights.sum()).tolist(), num_labels=6)
    assert len(class_kinds(task)[0]) == np.unique(task.class_probabilities).size


# The setting: what it accepts, where C counts labels, and files.


def test_without_shared_labels_every_class_has_its_own() -> None:
    task = TaskDistribution(num_high=2, num_low=3, p_high=0.6)
    assert (task.num_labels, task.total_labels, task.total_classes) == (None, 5, 5)
    # As many labels as classes is the same task in other words.
    same = replace(task, num_labels=5)
    for ours, theirs in zip(predict(same).entries, predict(task).entries, strict=True):
        assert repr(ours.to_dict()) == repr(theirs.to_dict())


@pytest.mark.parametrize(
    ("value", "allowed"),
    [
        (1, "a whole number of at least 2"),
        (0, "a whole number of at least 2"),
        (-3, "a whole number of at least 2"),
        (2.0, "a whole number of at least 2"),
        (True, "a whole number of at least 2"),
        ("3", "a whole number of at least 2"),
        (math.nan, "a whole number of at least 2"),
        (6, "at most the number of classes, 5"),
        (10**20, "at most the number of classes, 5"),
    ],
)
def test_numbers_of_labels_refused(value: object, allowed: str) -> None:
    with pytest.raises(SettingError, match=rf"^num_labels = .+ is not allowed: expected {re.escape(allowed)}"):
        TaskDistribution(num_high=2, num_low=3, p_high=0.6, num_labels=value)  # type: ignore[arg-type]


def test_numpy_number_of_labels_becomes_a_plain_one() -> None:
    task = TaskDistribution(num_high=2, num_low=3, p_high=0.6, num_labels=np.int16(3))  # type: ignore[arg-type]
    assert type(task.num_labels) is int


def test_the_floor_has_to_fit_the_labels_not_the_classes() -> None:
    task = TaskDistribution(num_high=5, num_low=95, p_high=0.9, num_labels=10, context_length=4)
    predict(task, GatedPredictor(in_context=Attention(floor=0.09)))
    with pytest.raises(SettingError, match=r"floor = 0\.1 is not allowed: expected less than 1/C = 0\.1"):
        predict(task, GatedPredictor(in_context=Attention(floor=0.1)))


def test_the_table_has_a_row_of_labels_not_of_classes() -> None:
    """Noiseless Laplace table: log((n + C)/(n + 1)) = r_h where g becomes the better predictor, with C labels."""
    task = TaskDistribution(frequencies="uniform", num_classes=12, num_labels=4, context_length=4, relevant_examples=1)
    entry = predict(task, GatedPredictor(in_weight=DirichletTable(pseudo_count=1.0))).entries[0]
    factor = math.expm1(entry.in_context_risk)
    assert entry.vanish_visits.instantaneous == pytest.approx(3 / factor - 1, rel=1e-3)
    assert entry.vanish_visits.instantaneous != pytest.approx(11 / factor - 1, rel=0.5)


@pytest.mark.parametrize(
    ("changes", "finite"),
    [
        ({"counts": (1, 0, 1, 0)}, True),
        ({"counts": (1, 0, 1, 0), "context_label_noise": 1e-300}, False),
        ({"counts": (1, 1, 1, 0)}, False),
    ],
    ids=repr,
)
def test_floor_zero_where_all_likely_classes_have_one_label(changes: dict[str, Any], finite: bool) -> None:
    """Contexts without a relevant example cannot lack the label if it is that of all classes that occur."""
    task = TaskDistribution(frequencies="counts", num_labels=2, context_length=3, p_relevant=0.5, **changes)
    kind = class_kinds(task)[0][0]
    if finite:
        assert in_context_loss(task, Attention(floor=0), kind).risk == 0
        return
    with pytest.raises(SettingError, match="infinite in-context risk"):
        in_context_loss(task, Attention(floor=0), kind)


def test_files_keep_the_number_of_labels(tmp_path: Any) -> None:
    task, model = load("transient", overrides=["num_labels=10"])
    assert task.total_labels == 10
    assert assemble(to_dict(task, model)) == (task, model)
    path = tmp_path / "task.toml"
    path.write_text(to_toml(task, model), encoding="utf-8")
    assert load(path) == (task, model)
    assert "num_labels" not in to_dict(*load("transient"))["task"]


def test_counts_that_are_fewer_than_the_labels_are_refused(tmp_path: Any) -> None:
    path = tmp_path / "counts.csv"
    path.write_text("class,count\na,3\nb,2\nc,1\n", encoding="utf-8")
    with pytest.raises(SettingError, match="at most the number of classes, 3"):
        load("transient", counts=path, overrides=["num_labels=4"])
    task, _ = load("transient", counts=path, overrides=["num_labels=2"])
    assert (task.total_classes, task.total_labels) == (3, 2)
