"""Task and model as objects: what they accept, what they derive, and what they refuse with which words."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import FrozenInstanceError, dataclass, fields
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulate.simulation import run
from theory.checks import choice, integer, real
from theory.errors import NoTheoryError, OutputError, SettingError, shortened, unknown_name
from theory.setting import (
    FREQUENCY_KEYS,
    Attention,
    BayesGate,
    DirichletTable,
    GatedPredictor,
    HedgeGate,
    LearnedAttention,
    TaskDistribution,
)
from theory.solver import predict

TWO: dict[str, Any] = {"num_high": 2, "num_low": 3, "p_high": 0.8}
LAWS: dict[str, dict[str, Any]] = {
    "two-level": TWO,
    "zipf": {"num_classes": 5, "zipf_exponent": 1.5},
    "uniform": {"num_classes": 5},
    "weights": {"weights": (0.5, 0.25, 0.125, 0.125, 0.0)},
    "counts": {"counts": (5, 3, 1, 1, 0), "class_names": ("a", "b", "c", "d", "e")},
}
PARTS: tuple[type, ...] = (DirichletTable, Attention, BayesGate, HedgeGate, GatedPredictor)
NOT_NUMBERS = [
    math.nan,
    math.inf,
    -math.inf,
    True,
    False,
    np.bool_(True),
    "0.5",
    b"1",
    [0.5],
    {},
    0.5 + 0j,
    Decimal("0.5"),
]
NOT_WHOLE = [*NOT_NUMBERS, 2.0, 2.5, np.float64(3), Fraction(3, 1)]


def task_of(law: str, **changes: Any) -> TaskDistribution:
    """A task of five classes."""
    return TaskDistribution(**{"frequencies": law, **LAWS[law], **changes})


def refusal(field: str, allowed: str) -> str:
    """Pattern of a message that names the field, shows a value, and says what is allowed."""
    return rf"^{re.escape(field)} (= .+ is not allowed|is missing): expected .*{re.escape(allowed)}"


# The classes are frozen, keyword-only, comparable and made of plain Python values.


@pytest.mark.parametrize("part", [TaskDistribution, *PARTS])
def test_arguments_have_to_be_named(part: Callable[..., object]) -> None:
    with pytest.raises(TypeError, match="positional argument"):
        part(0.5)


@pytest.mark.parametrize("made", [task_of("two-level"), *(part() for part in PARTS)])
def test_no_field_can_be_set(made: Any) -> None:
    for entry in fields(made):
        with pytest.raises(FrozenInstanceError, match=entry.name):
            setattr(made, entry.name, getattr(made, entry.name))


@pytest.mark.parametrize("law", LAWS)
def test_equal_settings_are_equal_and_hash_alike(law: str) -> None:
    first, second = task_of(law), task_of(law)
    assert first == second
    assert hash(first) == hash(second)
    assert first != task_of(law, label_noise=0.25)


@pytest.mark.parametrize("law", LAWS)
def test_derived_values_do_not_change_equality(law: str) -> None:
    first, second = task_of(law), task_of(law)
    assert first.class_probabilities.size == 5
    assert first == second


def test_unknown_argument_is_refused() -> None:
    with pytest.raises(TypeError, match="label_noize"):
        TaskDistribution(**TWO, label_noize=0.1)  # type: ignore[call-arg]


def test_numpy_numbers_become_plain_ones() -> None:
    task = TaskDistribution(
        num_high=np.int64(2),  # type: ignore[arg-type]
        num_low=np.uint8(3),  # type: ignore[arg-type]
        p_high=np.float64(0.8),
        label_noise=np.float32(0.25),  # type: ignore[arg-type]
        context_length=np.int32(4),  # type: ignore[arg-type]
        relevant_examples=np.int16(2),  # type: ignore[arg-type]
    )
    assert task == task_of("two-level", label_noise=0.25, context_length=4, relevant_examples=2)
    assert [type(task.num_high), type(task.p_high), type(task.label_noise)] == [int, float, float]
    assert type(task.relevant_examples) is int


@pytest.mark.parametrize("container", [list, tuple, np.array])
def test_sequences_of_any_kind_become_tuples_of_plain_numbers(container: Callable[..., Any]) -> None:
    weights = TaskDistribution(frequencies="weights", weights=container([0.5, 0.25, 0.25]))
    counts = TaskDistribution(frequencies="counts", counts=container([3, 2, 0]), class_names=container(["x", "y", "z"]))
    assert weights.weights == (0.5, 0.25, 0.25)
    assert counts.counts == (3, 2, 0)
    assert counts.class_names == ("x", "y", "z")
    kinds = {type(value) for value in (*weights.weights, *counts.counts, *counts.class_names)}
    assert kinds == {float, int, str}


def test_caller_cannot_change_a_task_through_its_list() -> None:
    given_weights = [0.5, 0.5]
    task = TaskDistribution(frequencies="weights", weights=given_weights)
    given_weights[0] = 7.0
    assert task.weights == (0.5, 0.5)


def test_whole_numbers_do_as_reals_and_fractions_too() -> None:
    task = task_of("two-level", label_noise=0, p_relevant=Fraction(1, 4))
    assert (task.label_noise, task.p_relevant) == (0.0, 0.25)
    assert type(task.label_noise) is float


def test_defaults() -> None:
    task, model = task_of("two-level"), GatedPredictor()
    assert (task.context_length, task.p_relevant, task.relevant_examples) == (1, 1.0, None)
    assert (task.label_noise, task.label_noise_kind, task.context_label_noise) == (0.0, "cyclic", None)
    assert model == GatedPredictor(in_weight=DirichletTable(), in_context=Attention(), gate=BayesGate())
    assert (model.in_weight.pseudo_count, model.gate.prior_in_weight, model.gate.per) == (0.5, 0.5, "query")
    assert model.in_context.odds == pytest.approx(math.e**3, rel=1e-5)


# What a task derives from its settings.


@pytest.mark.parametrize(
    ("law", "expected"),
    [
        ("two-level", [0.4, 0.4, 0.2 / 3, 0.2 / 3, 0.2 / 3]),
        ("zipf", np.arange(1, 6) ** -1.5 / np.sum(np.arange(1, 6) ** -1.5)),
        ("uniform", [0.2] * 5),
        ("weights", [0.5, 0.25, 0.125, 0.125, 0.0]),
        ("counts", [0.5, 0.3, 0.1, 0.1, 0.0]),
    ],
)
def test_class_probabilities(law: str, expected: list[float]) -> None:
    task = task_of(law)
    np.testing.assert_allclose(task.class_probabilities, expected, rtol=1e-14)
    assert task.total_classes == 5
    assert task.grouped is (law == "two-level")


@pytest.mark.parametrize("law", LAWS)
def test_class_probabilities_sum_to_one_and_are_read_only(law: str) -> None:
    probabilities = task_of(law).class_probabilities
    assert math.fsum(probabilities) == pytest.approx(1, abs=1e-15)
    with pytest.raises(ValueError, match="read-only"):
        probabilities[0] = 1


@settings(derandomize=True, deadline=None, max_examples=60, database=None)
@given(num_high=st.integers(1, 50), num_low=st.integers(1, 50), p_high=st.floats(1e-9, 1 - 1e-9))
def test_two_levels_share_their_probability(num_high: int, num_low: int, p_high: float) -> None:
    task = TaskDistribution(num_high=num_high, num_low=num_low, p_high=p_high)
    assert task.class_probabilities.shape == (num_high + num_low,)
    assert math.fsum(task.class_probabilities[:num_high]) == pytest.approx(p_high, rel=1e-12)
    high, low = task.level_probabilities
    assert (high, low) == pytest.approx((task.class_probabilities[0], task.class_probabilities[-1]), rel=1e-12)


@pytest.mark.parametrize("law", [law for law in LAWS if law != "two-level"])
def test_only_two_level_tasks_have_levels(law: str) -> None:
    with pytest.raises(SettingError, match=refusal("frequencies", "'two-level'")):
        task_of(law).level_probabilities  # noqa: B018 (the property raises)


def test_zipf_of_exponent_zero_is_uniform() -> None:
    np.testing.assert_allclose(task_of("zipf", zipf_exponent=0).class_probabilities, 0.2, rtol=1e-15)


@pytest.mark.parametrize(("relevant", "irrelevant"), [(1, 3), (4, 0), (None, None)])
def test_irrelevant_examples(relevant: int | None, irrelevant: int | None) -> None:
    task = task_of("two-level", context_length=4, relevant_examples=relevant)
    assert task.irrelevant_examples == irrelevant


@pytest.mark.parametrize(("own", "expected"), [(None, 0.125), (0.0, 0.0), (0.5, 0.5)])
def test_noise_in_context(own: float | None, expected: float) -> None:
    assert task_of("two-level", label_noise=0.125, context_label_noise=own).noise_in_context == expected


@pytest.mark.parametrize(("kind", "labels"), [("cyclic", 1), ("symmetric", 4)])
def test_noisy_labels(kind: str, labels: int) -> None:
    assert task_of("two-level", label_noise_kind=kind).noisy_labels == labels


def test_classes_have_their_own_names_or_numbers() -> None:
    assert [task_of("counts").name_of(i) for i in range(5)] == ["a", "b", "c", "d", "e"]
    assert [task_of("counts", class_names=None).name_of(i) for i in (0, 4)] == ["0", "4"]
    assert task_of("zipf").name_of(3) == "3"


@pytest.mark.parametrize(("prior", "odds"), [(0.5, 0.0), (0.75, math.log(3)), (0.25, -math.log(3))])
def test_prior_log_odds(prior: float, odds: float) -> None:
    assert BayesGate(prior_in_weight=prior).prior_log_odds == pytest.approx(odds, abs=1e-15)


# Settings that are numbers refuse everything else, and numbers out of range.


@pytest.mark.parametrize("value", NOT_NUMBERS, ids=repr)
@pytest.mark.parametrize(
    ("law", "field"),
    [
        ("two-level", "p_high"),
        ("two-level", "p_relevant"),
        ("two-level", "label_noise"),
        ("two-level", "context_label_noise"),
        ("zipf", "zipf_exponent"),
    ],
)
def test_real_settings_refuse_what_is_no_finite_number(law: str, field: str, value: object) -> None:
    with pytest.raises(SettingError, match=refusal(field, "number")) as caught:
        task_of(law, **{field: value})
    assert caught.value.field == field
    assert shortened(value) in str(caught.value)


@pytest.mark.parametrize("value", NOT_WHOLE, ids=repr)
@pytest.mark.parametrize(
    ("law", "field", "least"),
    [
        ("two-level", "num_high", 1),
        ("two-level", "num_low", 1),
        ("two-level", "context_length", 1),
        ("two-level", "relevant_examples", 1),
        ("zipf", "num_classes", 2),
        ("uniform", "num_classes", 2),
    ],
)
def test_whole_settings_refuse_what_is_no_whole_number(law: str, field: str, least: int, value: object) -> None:
    with pytest.raises(SettingError, match=refusal(field, f"a whole number of at least {least}")) as caught:
        task_of(law, **{field: value})
    assert shortened(value) in str(caught.value)


@pytest.mark.parametrize(
    ("law", "field", "value", "allowed"),
    [
        ("two-level", "num_high", 0, "at least 1"),
        ("two-level", "num_high", -3, "at least 1"),
        ("two-level", "num_low", 0, "at least 1"),
        ("two-level", "p_high", 0, "above 0 and below 1"),
        ("two-level", "p_high", 1, "above 0 and below 1"),
        ("two-level", "p_high", -0.1, "above 0 and below 1"),
        ("two-level", "p_high", 1.5, "above 0 and below 1"),
        ("zipf", "num_classes", 1, "at least 2"),
        ("zipf", "num_classes", 0, "at least 2"),
        ("zipf", "zipf_exponent", -0.5, "at least 0"),
        ("uniform", "num_classes", 1, "at least 2"),
        ("uniform", "num_classes", 0, "at least 2"),
        ("two-level", "context_length", 0, "at least 1"),
        ("two-level", "context_length", -1, "at least 1"),
        ("two-level", "relevant_examples", 0, "at least 1"),
        ("two-level", "p_relevant", -1e-12, "at least 0 and at most 1"),
        ("two-level", "p_relevant", 1 + 1e-12, "at least 0 and at most 1"),
        ("two-level", "label_noise", -0.1, "at least 0 and at most 1"),
        ("two-level", "label_noise", 1.1, "at least 0 and at most 1"),
        ("two-level", "context_label_noise", -0.1, "at least 0 and at most 1"),
        ("two-level", "context_label_noise", 1.1, "at least 0 and at most 1"),
    ],
)
def test_out_of_range(law: str, field: str, value: float, allowed: str) -> None:
    with pytest.raises(SettingError, match=refusal(field, allowed)) as caught:
        task_of(law, **{field: value})
    assert (caught.value.field, caught.value.value) == (field, value)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("p_relevant", 0),
        ("p_relevant", 1),
        ("label_noise", 0),
        ("label_noise", 1),
        ("context_label_noise", 0),
        ("context_label_noise", 1),
        ("relevant_examples", 1),
        ("context_length", 1),
    ],
)
def test_the_ends_of_a_range_belong_to_it(field: str, value: float) -> None:
    assert getattr(task_of("two-level", **{field: value}), field) == value


@pytest.mark.parametrize(("relevant", "length"), [(2, 1), (9, 8), (100, 4)])
def test_more_relevant_examples_than_the_context_holds(relevant: int, length: int) -> None:
    with pytest.raises(SettingError, match=refusal("relevant_examples", f"at most context_length = {length}")):
        task_of("two-level", context_length=length, relevant_examples=relevant)


@pytest.mark.parametrize("value", [10**400, -(10**400), Fraction(10**400)], ids=["large", "negative", "fraction"])
def test_a_number_too_large_for_a_float_is_refused_like_any_other(value: object) -> None:
    with pytest.raises(SettingError, match=refusal("label_noise", "at least 0 and at most 1")):
        task_of("two-level", label_noise=value)
    with pytest.raises(SettingError, match=refusal("model.in_context.odds", "at least 1 and at most 1e+100")):
        Attention(odds=value)  # type: ignore[arg-type]


@settings(derandomize=True, deadline=None, max_examples=80, database=None)
@given(st.floats(allow_nan=True).filter(lambda x: not 0 <= x <= 1))
def test_no_probability_out_of_its_interval_is_taken(value: float) -> None:
    for field in ("p_high", "p_relevant", "label_noise", "context_label_noise"):
        with pytest.raises(SettingError, match=refusal(field, "1")):
            task_of("two-level", **{field: value})


# Frequency laws: which settings belong to which, and lists of weights and counts.


@pytest.mark.parametrize("law", ["two_level", "Zipf", "power", "", 3, None, True, ["zipf"]])
def test_unknown_law(law: object) -> None:
    with pytest.raises(SettingError, match=refusal("frequencies", "one of two-level, zipf, uniform, weights")):
        TaskDistribution(frequencies=law)  # type: ignore[arg-type]


@pytest.mark.parametrize(("law", "near"), [("two_level", "two-level"), ("zip", "zipf"), ("weight", "weights")])
def test_the_near_law_is_suggested(law: str, near: str) -> None:
    with pytest.raises(SettingError, match=re.escape(f"did you mean {near!r}?")):
        TaskDistribution(frequencies=law)


@pytest.mark.parametrize(
    ("law", "missing"),
    [(law, key) for law, keys in FREQUENCY_KEYS.items() for key in keys if key != "class_names"],
)
def test_missing_setting_of_the_law(law: str, missing: str) -> None:
    with pytest.raises(SettingError, match=refusal(missing, f"{law!r} needs")) as caught:
        task_of(law, **{missing: None})
    assert missing in caught.value.allowed


@pytest.mark.parametrize(
    ("law", "foreign", "value"),
    [
        (law, key, settings_of[key])
        for law in LAWS
        for other, settings_of in LAWS.items()
        for key in FREQUENCY_KEYS[other]
        if key not in FREQUENCY_KEYS[law]
    ],
)
def test_setting_of_another_law(law: str, foreign: str, value: object) -> None:
    with pytest.raises(SettingError, match=refusal(foreign, f"frequencies = {law!r} has no such setting")):
        task_of(law, **{foreign: value})


@pytest.mark.parametrize(
    ("weights", "field", "allowed"),
    [
        ((0.5, 0.6), "weights", "sum to one (these sum to 1.1)"),
        ((0.5, 0.4), "weights", "sum to one (these sum to 0.9)"),
        ((0.5, 0.5 + 1e-8), "weights", "sum to one"),
        ((0, 0), "weights", "sum to one"),
        ((), "weights", ""),
        ((1.2, -0.2), "weights[1]", "a finite number of at least 0"),
        ((-0.5, 0.5, 1.0), "weights[0]", "a finite number of at least 0"),
        ((math.nan, 1.0), "weights[0]", "a finite number of at least 0"),
        ((0.5, math.inf), "weights[1]", "a finite number of at least 0"),
        ((True, False), "weights[0]", "a finite number of at least 0"),
        ((0.5, "0.5"), "weights[1]", "a finite number of at least 0"),
        ((0.5, None), "weights[1]", "a finite number of at least 0"),
        (np.eye(2), "weights[0]", "a finite number of at least 0"),
        ((1.0,), "weights", "at least two classes"),
        ((1.0, 0.0, 0.0), "weights", "at least two classes"),
        ("ab", "weights", "a list with one entry for each class"),
        (0.5, "weights", "a list with one entry for each class"),
        ({0.25, 0.75}, "weights", "a list with one entry for each class"),
        ({0: 0.5, 1: 0.5}, "weights", "a list with one entry for each class"),
        (np.array(0.5), "weights", "a list with one entry for each class"),
    ],
    ids=repr,
)
def test_weights_refused(weights: Any, field: str, allowed: str) -> None:
    with pytest.raises(SettingError, match=refusal(field, allowed)):
        TaskDistribution(frequencies="weights", weights=weights)


@pytest.mark.parametrize("weights", [(0.5, 0.5 + 5e-10), (0.1,) * 10, (0.5, 0.5, 0), (1, 1e-10), (1 / 3,) * 3])
def test_weights_may_miss_one_by_rounding(weights: tuple[float, ...]) -> None:
    task = TaskDistribution(frequencies="weights", weights=weights)
    assert task.weights == weights
    assert math.fsum(task.class_probabilities) == pytest.approx(1, abs=1e-15)


@pytest.mark.parametrize(
    ("counts", "field", "allowed"),
    [
        ((3, -1), "counts[1]", "a whole number of at least 0"),
        ((3.0, 1), "counts[0]", "a whole number of at least 0"),
        ((3, 1.5), "counts[1]", "a whole number of at least 0"),
        ((3, True), "counts[1]", "a whole number of at least 0"),
        ((3, "4"), "counts[1]", "a whole number of at least 0"),
        ((3, math.nan), "counts[1]", "a whole number of at least 0"),
        ((3, None), "counts[1]", "a whole number of at least 0"),
        ((), "counts", "at least two classes"),
        ((7,), "counts", "at least two classes"),
        ((7, 0), "counts", "at least two classes"),
        ((0, 0, 0), "counts", "at least two classes"),
        ("12", "counts", "a list with one entry for each class"),
        (12, "counts", "a list with one entry for each class"),
        ({3, 4}, "counts", "a list with one entry for each class"),
    ],
    ids=repr,
)
def test_counts_refused(counts: Any, field: str, allowed: str) -> None:
    with pytest.raises(SettingError, match=refusal(field, allowed)):
        TaskDistribution(frequencies="counts", counts=counts)


@pytest.mark.parametrize(
    ("names", "allowed"),
    [
        (("a",), "as many names as counts (2)"),
        (("a", "b", "c"), "as many names as counts (2)"),
        ((), "as many names as counts (2)"),
        ("ab", "a list with one entry for each class"),
        (3, "a list with one entry for each class"),
    ],
    ids=repr,
)
def test_class_names_refused(names: Any, allowed: str) -> None:
    with pytest.raises(SettingError, match=refusal("class_names", allowed)):
        TaskDistribution(frequencies="counts", counts=(1, 2), class_names=names)


@pytest.mark.parametrize("kind", ["cyclical", "Symmetric", "", 1, None, True])
def test_label_noise_kind(kind: object) -> None:
    with pytest.raises(SettingError, match=refusal("label_noise_kind", "one of cyclic, symmetric")):
        task_of("two-level", label_noise_kind=kind)


# The three parts of the model, and the model.


@pytest.mark.parametrize("value", NOT_NUMBERS, ids=repr)
@pytest.mark.parametrize(
    ("part", "field"),
    [
        (DirichletTable, "in_weight.pseudo_count"),
        (Attention, "in_context.odds"),
        (Attention, "in_context.floor"),
        (BayesGate, "gate.prior_in_weight"),
        (HedgeGate, "gate.prior_in_weight"),
        (HedgeGate, "gate.rate"),
    ],
)
def test_what_is_no_finite_number(part: Callable[..., object], field: str, value: object) -> None:
    with pytest.raises(SettingError, match=refusal(f"model.{field}", "number")):
        part(**{field.split(".")[1]: value})


@pytest.mark.parametrize(
    ("part", "field", "value", "allowed"),
    [
        (DirichletTable, "in_weight.pseudo_count", 0, "a number of at least 1e-100"),
        (DirichletTable, "in_weight.pseudo_count", -1, "a number of at least 1e-100"),
        (Attention, "in_context.odds", 0.999, "at least 1 and at most 1e+100"),
        (Attention, "in_context.odds", 1.01e100, "at least 1 and at most 1e+100"),
        (Attention, "in_context.odds", -20, "at least 1 and at most 1e+100"),
        (Attention, "in_context.floor", -1e-9, "at least 0 and below 1"),
        (Attention, "in_context.floor", 1, "at least 0 and below 1"),
        (LearnedAttention, "in_context.learning_rate", -1e-9, "at least 0 and at most 1000"),
        (LearnedAttention, "in_context.learning_rate", 1001, "at least 0 and at most 1000"),
        (BayesGate, "gate.prior_in_weight", 0, "above 0 and below 1"),
        (BayesGate, "gate.prior_in_weight", 1, "above 0 and below 1"),
        (BayesGate, "gate.prior_in_weight", -0.5, "above 0 and below 1"),
        (BayesGate, "gate.per", "class", "one of query, query-and-relevance"),
        (BayesGate, "gate.per", None, "one of query, query-and-relevance"),
        (BayesGate, "gate.per", "querry", "did you mean 'query'?"),
        (HedgeGate, "gate.prior_in_weight", 1, "above 0 and below 1"),
        (HedgeGate, "gate.per", "querry", "did you mean 'query'?"),
        (HedgeGate, "gate.rate", 0, "at least 0.001 and at most 100"),
        (HedgeGate, "gate.rate", 101, "at least 0.001 and at most 100"),
    ],
)
def test_part_out_of_range(part: Callable[..., object], field: str, value: object, allowed: str) -> None:
    with pytest.raises(SettingError, match=refusal(f"model.{field}", allowed)) as caught:
        part(**{field.split(".")[1]: value})
    assert caught.value.value == value


@pytest.mark.parametrize(("odds", "floor"), [(1, 0), (1e100, 0.5), (20, 1e-300)])
def test_the_ends_of_a_parts_range_belong_to_it(odds: float, floor: float) -> None:
    part = Attention(odds=odds, floor=floor)
    assert (part.odds, part.floor) == (odds, floor)


@pytest.mark.parametrize("role", ["in_weight", "in_context", "gate"])
def test_a_part_without_a_theory_is_named(role: str) -> None:
    @dataclass(frozen=True, kw_only=True)
    class Oracle:
        secret: int = 3

    model = GatedPredictor(**{role: Oracle()})
    with pytest.raises(NoTheoryError, match=rf"model\.{role} = 'Oracle' has no theory") as caught:
        predict(task_of("two-level"), model)
    assert isinstance(caught.value, ValueError)
    assert caught.value.role == role


@pytest.mark.parametrize(
    ("role", "part", "name"),
    [("in_weight", Attention(), "attention"), ("in_context", BayesGate(), "bayes"), ("gate", None, "NoneType")],
)
def test_a_part_in_the_wrong_role_is_named(role: str, part: object, name: str) -> None:
    model = GatedPredictor(**{role: part})  # type: ignore[arg-type]
    with pytest.raises(NoTheoryError, match=rf"model\.{role} = '{name}' has no theory"):
        predict(task_of("two-level"), model)
    with pytest.raises(ValueError, match=rf"model\.{role} = '{name}' has no implementation"):
        run(task_of("two-level"), model, steps=20, replicates=1)


# The floor of attention has to fit the task: C floor < 1, and not 0 where a context can lack the label.


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("floor", [0.2, 0.25, 0.999])
@pytest.mark.parametrize("use", [predict, lambda task, model: run(task, model, 20, 1)], ids=["predict", "run"])
def test_a_floor_that_is_too_high(use: Callable[..., object], law: str, floor: float) -> None:
    model = GatedPredictor(in_context=Attention(floor=floor))
    with pytest.raises(SettingError, match=refusal("model.in_context.floor", "less than 1/C = 0.2")) as caught:
        use(task_of(law), model)
    assert caught.value.value == floor


def test_just_below_the_bound_is_fine() -> None:
    prediction = predict(task_of("two-level"), GatedPredictor(in_context=Attention(floor=0.2 - 1e-9)))
    assert prediction["high"].in_context_risk == pytest.approx(math.log(5), rel=1e-6)


@pytest.mark.parametrize(
    "changes",
    [
        {"p_relevant": 0.9},
        {"p_relevant": 0.0, "context_length": 4},
        {"label_noise": 0.1},
        {"context_label_noise": 0.1},
        {"label_noise": 0.1, "context_label_noise": 0.0, "context_length": 8, "relevant_examples": 4},
        {"label_noise": 0.1, "context_length": 8, "relevant_examples": 8},
    ],
    ids=repr,
)
def test_floor_zero_where_the_risk_is_infinite(changes: dict[str, Any]) -> None:
    model = GatedPredictor(in_context=Attention(floor=0))
    with pytest.raises(SettingError, match=refusal("model.in_context.floor", "a positive floor")) as caught:
        predict(task_of("two-level", **changes), model)
    assert "infinite in-context risk" in str(caught.value)


@pytest.mark.parametrize(("length", "relevant"), [(4, 1), (8, 3), (2, 1)])
def test_floor_zero_where_the_risk_is_finite(length: int, relevant: int) -> None:
    task = task_of("two-level", context_length=length, relevant_examples=relevant)
    prediction = predict(task, GatedPredictor(in_context=Attention(odds=20, floor=0)))
    expected = math.log1p((length - relevant) / (20 * relevant))
    assert prediction["high"].in_context_risk == pytest.approx(expected, rel=1e-12)
    assert prediction["low"].in_context_risk == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("changes", [{}, {"relevant_examples": 1}, {"context_length": 3, "relevant_examples": 3}])
def test_floor_zero_where_attention_never_errs(changes: dict[str, Any]) -> None:
    prediction = predict(task_of("two-level", **changes), GatedPredictor(in_context=Attention(floor=0)))
    for entry in prediction.entries:
        assert entry.in_context_risk == 0
        assert entry.phase == "persistent"
        assert entry.vanish_visits.sharp is None


# Errors are ``ValueError`` and say in one line what came and what is allowed.


def test_setting_error() -> None:
    error = SettingError("p_high", 1.5, "a number between 0 and 1")
    assert isinstance(error, ValueError)
    assert str(error) == "p_high = 1.5 is not allowed: expected a number between 0 and 1"
    assert (error.field, error.value, error.allowed) == ("p_high", 1.5, "a number between 0 and 1")


def test_output_error() -> None:
    error = OutputError("some/file", "there is no folder")
    assert isinstance(error, ValueError)
    assert str(error) == "cannot write 'some/file': there is no folder"


@pytest.mark.parametrize("value", ["a\nb", "x" * 500, list(range(1000)), "\x1b[31m"], ids=range(4))
def test_messages_stay_one_short_line(value: object) -> None:
    message = str(SettingError("field", value, "something else"))
    assert len(message.splitlines()) == 1
    assert len(message) < 150
    assert message.isprintable()


@pytest.mark.parametrize(
    ("given_name", "suggested"), [("aplha", "did you mean 'alpha'?"), ("alpha ", "'alpha'"), ("zzz", None)]
)
def test_unknown_name(given_name: str, suggested: str | None) -> None:
    message = str(unknown_name("key", given_name, ("alpha", "beta")))
    assert f"key = {given_name!r} is not allowed: expected one of alpha, beta" in message
    assert ("did you mean" in message) is (suggested is not None)
    assert (suggested or "") in message


@pytest.mark.parametrize("limit", [10, 20, 60])
def test_shortened(limit: int) -> None:
    assert shortened("abc", limit) == "'abc'"
    assert len(shortened("x" * 100, limit)) == limit
    assert shortened("x" * 100, limit).endswith("...")


# The three checks themselves.


@pytest.mark.parametrize("value", [1, 7, np.int8(3), np.uint64(5), 10**30])
def test_integer(value: int) -> None:
    checked = integer("n", value, minimum=1)
    assert type(checked) is int
    assert checked == value


@pytest.mark.parametrize("value", [0, -1, 1.0, True, "1", None, math.nan])
def test_integer_refuses(value: object) -> None:
    with pytest.raises(SettingError, match=refusal("n", "a whole number of at least 1")):
        integer("n", value, minimum=1)


@pytest.mark.parametrize(
    ("limits", "inside", "outside", "allowed"),
    [
        ({"minimum": 0}, [0, 1e308], [-1e-300, math.inf, math.nan], "a finite number of at least 0"),
        ({"minimum": 0, "open_minimum": True}, [5e-324], [0, -1], "a finite number above 0"),
        ({"minimum": 0, "maximum": 1}, [0, 1, 0.5], [-0.1, 1.1], "a number of at least 0 and at most 1"),
        (
            {"minimum": 0, "maximum": 1, "open_minimum": True, "open_maximum": True},
            [0.5],
            [0, 1],
            "a number above 0 and below 1",
        ),
    ],
)
def test_real(limits: dict[str, Any], inside: list[float], outside: list[float], allowed: str) -> None:
    for value in inside:
        assert real("x", value, **limits) == value
        assert type(real("x", value, **limits)) is float
    for value in outside:
        with pytest.raises(SettingError, match=refusal("x", allowed)):
            real("x", value, **limits)


def test_choice() -> None:
    assert choice("kind", "b", ("a", "b")) == "b"
    with pytest.raises(SettingError, match=refusal("kind", "one of a, b")):
        choice("kind", ["a"], ("a", "b"))


@pytest.mark.parametrize(
    ("name", "value"),
    [("initial_odds", 0.99), ("initial_odds", math.inf), ("floor", -0.1), ("floor", 1.0), ("learning_rate", None)],
)
def test_learned_attention_refuses(name: str, value: object) -> None:
    settings = {"learning_rate": 0.1, name: value}
    with pytest.raises(SettingError, match=rf"model\.in_context\.{name} "):
        LearnedAttention(**settings)  # type: ignore[arg-type]


def test_learned_attention_starts_at_the_logarithm_of_its_odds() -> None:
    part = LearnedAttention(learning_rate=1, initial_odds=20)
    assert (part.learning_rate, part.initial_odds, part.floor) == (1.0, 20.0, 1e-4)
    assert part.initial_inverse_temperature == math.log(20)


def test_learned_attention_has_to_fit_the_task() -> None:
    with pytest.raises(SettingError, match=r"model\.in_context\.floor"):
        predict(task_of("two-level"), GatedPredictor(in_context=LearnedAttention(learning_rate=0.1, floor=0.9)))
