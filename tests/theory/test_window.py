"""The window of in-context learning of curves that are known, and where it closes."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from theory.errors import NoTheoryError, SettingError
from theory.setting import BayesGate, GatedPredictor, LearnedAttention, TaskDistribution
from theory.solver import step_gate
from theory.transitions.closing import closing_value
from theory.transitions.window import find_window, lowest_gate

TASK = TaskDistribution(num_high=2, num_low=2, p_high=0.5, context_length=8, relevant_examples=4)


def dip(start: float, center: float, depth: float, width: float) -> Callable[[int], float]:
    """A curve at ``start`` with a dip in the logarithm of the steps."""
    return lambda n: start - depth * math.exp(-(((math.log1p(n) - math.log1p(center)) / width) ** 2))


@pytest.mark.parametrize("center", [30, 4000, 10**7])
@pytest.mark.parametrize("width", [0.4, 2.0])
@pytest.mark.parametrize("depth", [0.101, 0.15, 0.5])
def test_a_single_dip(center: int, width: float, depth: float) -> None:
    gate = dip(0.6, center, depth, width)
    window = find_window(gate, 10**9)
    reach = width * math.sqrt(math.log(depth / 0.1))
    low, high = (math.expm1(math.log1p(center) + sign * reach) for sign in (-1, 1))
    assert window.emerge == pytest.approx(max(low, 0.0), abs=0.5, rel=1e-6)
    assert window.vanish == pytest.approx(high, abs=0.5, rel=1e-6)
    if depth < 0.2:
        assert window.lowest == pytest.approx(0.6 - depth, abs=1e-3)


def test_the_last_interval_counts() -> None:
    first, second = dip(0.6, 20, 0.2, 0.5), dip(0.6, 5000, 0.2, 0.5)
    window = find_window(lambda n: min(first(n), second(n)), 10**6)
    alone = find_window(second, 10**6)
    assert window.emerge == pytest.approx(alone.emerge, abs=1e-6)
    assert window.vanish == pytest.approx(alone.vanish, abs=1e-6)
    assert window.emerge is not None
    assert window.emerge > 1000


@pytest.mark.parametrize(
    ("gate", "emerge", "vanish"),
    [
        (lambda n: 0.5 if n == 0 else min(0.3 + n / 100, 1.0), None, 20.0),
        (lambda _: 0.3, None, None),
        (lambda _: 0.7, None, None),
        (lambda n: max(0.9 - n / 100, 0.1), 40.0, None),
        (lambda _: 0.5, None, None),
    ],
)
def test_curves_without_one_of_the_ends(
    gate: Callable[[int], float], emerge: float | None, vanish: float | None
) -> None:
    window = find_window(gate, 1000)
    assert window.emerge == (None if emerge is None else pytest.approx(emerge))
    assert window.vanish == (None if vanish is None else pytest.approx(vanish))
    assert window.lowest == lowest_gate(gate, 1000)


def test_the_prior_before_the_first_step_is_no_window() -> None:
    window = find_window(lambda n: 0.4 if n == 0 else 0.6, 100)
    assert (window.emerge, window.vanish, window.lowest) == (None, None, 0.6)


def test_closing_value_is_where_the_lowest_gate_is_one_half() -> None:
    value = closing_value(TASK, GatedPredictor(), "model.gate.prior_in_weight", 0.5, 0.999, name="high")
    assert value is not None
    gate = step_gate(TASK, GatedPredictor(gate=BayesGate(prior_in_weight=value)), "high")
    assert min(gate.at(n) for n in range(1, 1500)) == pytest.approx(0.5, abs=1e-4)
    for factor, closed in ((0.98, False), (1.01, True)):
        gate = step_gate(TASK, GatedPredictor(gate=BayesGate(prior_in_weight=value * factor)), "high")
        assert (min(gate.at(n) for n in range(1, 1500)) >= 0.5) is closed


def test_no_closing_value_within_the_range() -> None:
    for low, high, state in ((0.5, 0.9, "open"), (0.995, 0.999, "closed")):
        with pytest.raises(SettingError, match=rf"prior_in_weight = \({low}, {high}\) .*it is {state} at both"):
            closing_value(TASK, GatedPredictor(), "model.gate.prior_in_weight", low, high, name="high")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": None}, "name is missing"),
        ({"name": "hihg"}, "did you mean 'high'"),
        ({"parameter": "model.gate.priro"}, "one of kind, prior_in_weight"),
        ({"parameter": "num_high"}, "a whole number"),
        ({"parameter": "label_noise_kind"}, "one of cyclic"),
        ({"low": 0.9, "high": 0.9}, "more than low = 0.9"),
        ({"high": 1.5}, "below 1"),
        ({"low": math.nan}, "a finite number"),
    ],
)
def test_closing_value_refuses(changes: dict[str, Any], message: str) -> None:
    arguments = {"parameter": "model.gate.prior_in_weight", "low": 0.5, "high": 0.9, "name": "high", **changes}
    with pytest.raises(SettingError, match=message):
        closing_value(TASK, GatedPredictor(), **arguments)


def test_closing_value_names_a_part_without_theory() -> None:
    class Own:
        kind = "own"

    with pytest.raises(NoTheoryError, match=r"model\.gate = 'own'"):
        step_gate(TASK, GatedPredictor(gate=Own()), "high")  # type: ignore[arg-type]


def test_a_class_that_never_occurs_has_no_gate() -> None:
    task = TaskDistribution(frequencies="weights", weights=(0.5, 0.5, 0.0), context_length=2)
    with pytest.raises(SettingError, match="a class that occurs"):
        step_gate(task, GatedPredictor(in_context=LearnedAttention(learning_rate=0.1)), "2")
    assert np.isfinite(step_gate(task, GatedPredictor(), "1").at(10))
