"""Shares from representative classes against those from the gate of every class."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from theory.classes import kinds_at
from theory.errors import SettingError
from theory.scaling.many_classes import context_share, zipf_task_share
from theory.setting import Attention, GatedPredictor, TaskDistribution
from theory.solver import class_curves, predict

MODEL = GatedPredictor(in_context=Attention(floor=1e-3))
STEPS = [0, 100, 2000]


def zipf(num_classes: int = 26, **changes: Any) -> TaskDistribution:
    values: dict[str, Any] = {
        "zipf_exponent": 1.2, "context_length": 3, "relevant_examples": 1, "label_noise": 0.05,
    }  # fmt: skip
    return TaskDistribution(frequencies="zipf", num_classes=num_classes, **{**values, **changes})


def class_by_class(task: TaskDistribution, model: GatedPredictor) -> NDArray[np.float64]:
    p = task.class_probabilities
    curves = class_curves(task, model, kinds_at(task, np.arange(p.size)))
    gates = np.array([[curve.at_steps(n, q) for n in STEPS] for curve, q in zip(curves, p.tolist(), strict=True)])
    return np.asarray(p @ (1 - gates), dtype=np.float64)


@pytest.mark.parametrize("changes", [{"zipf_exponent": 0.9}, {"relevant_examples": None}], ids=str)
def test_few_classes_stand_for_all(changes: dict[str, Any]) -> None:
    task = zipf(**changes)
    found = context_share(task, MODEL, STEPS, representatives=5)
    exact = class_by_class(task, MODEL)
    assert len(found.representatives) <= 7
    # What is measured half-way between the representatives is what the sum is off by, within a factor of 2.
    assert np.all(np.abs(found.share - exact) <= 2 * found.interpolation_error + 1e-9)
    # The wrong variant: the gate of one class for all of them.
    (first,) = class_curves(task, MODEL, kinds_at(task, np.array([0])))
    p = task.class_probabilities
    one = np.array([sum(q * (1 - first.at_steps(n, q)) for q in p.tolist()) for n in STEPS])
    assert np.abs(one - exact).max() > 20 * np.abs(found.share - exact).max()


def test_more_representatives_are_closer() -> None:
    task = zipf(zipf_exponent=0.9)
    exact = class_by_class(task, MODEL)
    errors = [np.abs(context_share(task, MODEL, STEPS, representatives=n).share - exact).max() for n in (3, 10)]
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < errors[0] / 4


def test_every_class_where_there_are_few() -> None:
    task = zipf(15)
    found = context_share(task, MODEL, STEPS)
    assert found.share == pytest.approx(class_by_class(task, MODEL), abs=1e-12)
    assert np.all(found.interpolation_error == 0)
    assert sorted(found.representatives) == list(range(15))


def test_one_gate_is_enough_where_all_are_alike() -> None:
    clean = zipf(label_noise=0.0)
    found = context_share(clean, MODEL, STEPS)
    assert found.representatives == (0,)
    assert found.share == pytest.approx(class_by_class(clean, MODEL), abs=1e-12)
    whole = zipf(relevant_examples=3)
    assert context_share(whole, MODEL, STEPS).representatives == (0,)


def test_the_order_of_the_classes_does_not_matter() -> None:
    counts = np.random.default_rng(5).permutation(np.repeat([400, 50, 7, 1], [2, 5, 9, 14])).tolist()
    clean: dict[str, Any] = {"context_length": 4, "relevant_examples": 2}
    shuffled = TaskDistribution(frequencies="counts", counts=[*counts, 0], **clean)
    ordered = TaskDistribution(frequencies="counts", counts=sorted([*counts, 0], reverse=True), **clean)
    found = context_share(shuffled, MODEL, STEPS).share
    assert found == pytest.approx(context_share(ordered, MODEL, STEPS).share, abs=1e-12)
    assert found == pytest.approx(class_by_class(ordered, MODEL), abs=1e-12)


def test_two_levels_agree_with_the_prediction() -> None:
    task = TaskDistribution(num_high=4, num_low=16, p_high=0.8, context_length=8, label_noise=0.1)
    found = context_share(task, MODEL, STEPS)
    assert found.share == pytest.approx(predict(task, MODEL).in_context_share(STEPS), abs=1e-12)


def test_millions_of_classes_agree_with_a_sum_over_all() -> None:
    task = zipf(20_000, zipf_exponent=1.5, label_noise=0.0)
    model = GatedPredictor(in_context=Attention(floor=1e-6))
    (curve,) = class_curves(task, model, kinds_at(task, np.array([0])))
    p, steps = task.class_probabilities, 10**6
    direct = sum(q * (1 - curve.at_steps(steps, q)) for q in p.tolist())
    assert context_share(task, model, [steps]).share[0] == pytest.approx(direct, rel=1e-6)
    law = zipf_task_share(task, model, [steps])
    assert law.share[0] == pytest.approx(direct, rel=1e-6)
    assert abs(law.law[0] - direct) <= law.error_bound[0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"steps": [-1]}, "steps = -1 is not allowed"),
        ({"representatives": 2}, "representatives = 2 is not allowed: expected a whole number of at least 3"),
    ],
)
def test_bad_input_is_named(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        context_share(zipf(), MODEL, **arguments)


def test_the_law_needs_zipf_frequencies() -> None:
    uniform = TaskDistribution(frequencies="uniform", num_classes=5)
    with pytest.raises(SettingError, match="frequencies = 'uniform' is not allowed: expected 'zipf'"):
        zipf_task_share(uniform, MODEL, [10])
    with pytest.raises(SettingError, match=r"zipf_exponent = 1\.0 is not allowed"):
        zipf_task_share(zipf(zipf_exponent=1.0), MODEL, [10])
