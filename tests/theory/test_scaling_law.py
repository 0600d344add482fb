"""Scaling laws against the predicted boundary where they should hold, and local exponents against differences."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from theory.catalogue import find_theorem
from theory.classes import class_kinds
from theory.errors import SettingError
from theory.in_context import in_context_loss
from theory.in_weight import LabelLaw, cumulative_loss_constants
from theory.scaling.exponents import local_exponent
from theory.scaling.leading_orders import ScalingLaw, scaling_laws
from theory.setting import Attention, BayesGate, DirichletTable, GatedPredictor, TaskDistribution
from theory.solver import class_curves, predict
from theory.transitions.boundaries import asymptotic_visits
from theory.transitions.crossing import last_rise_between_integers

LAWS: dict[str, ScalingLaw] = {law.parameter: law for law in scaling_laws()}


def task(classes: int = 20, **changes: Any) -> TaskDistribution:
    values: dict[str, Any] = {"context_length": 8, "relevant_examples": 8, **changes}
    return TaskDistribution(num_high=classes // 2, num_low=classes - classes // 2, p_high=0.5, **values)


def labels_of(setting: TaskDistribution) -> LabelLaw:
    return LabelLaw(total_labels=setting.total_classes, noise=setting.label_noise, noisy_labels=setting.noisy_labels)


def constants(setting: TaskDistribution, model: GatedPredictor) -> dict[str, float]:
    weight, constant = cumulative_loss_constants(labels_of(setting), model.in_weight.pseudo_count)
    return {"log_weight": weight, "constant": constant - model.gate.prior_log_odds}


def sharp(setting: TaskDistribution, model: GatedPredictor) -> float:
    """Sharp boundary in visits of the first kind of classes."""
    (curve,) = class_curves(setting, model, class_kinds(setting)[0][:1])
    visits, gate = curve.nodes
    return last_rise_between_integers(curve.at_visits, visits[1:], gate[1:], 0.5)


def gap_of(setting: TaskDistribution, model: GatedPredictor) -> float:
    loss = in_context_loss(setting, model.in_context, class_kinds(setting)[0][0])
    return loss.risk - labels_of(setting).entropy


def off(law: str, boundary: float, **values: float) -> float:
    return float(LAWS[law].leading_order(**values)) / boundary - 1


# Leading orders converge as the parameter goes to its limit.


def test_floor() -> None:
    errors = []
    for floor in (1e-3, 1e-5, 1e-7):
        model = GatedPredictor(in_context=Attention(floor=floor))
        errors.append(abs(off("floor", sharp(task(), model), C=20, floor=floor, **constants(task(), model))))
    assert errors[1] < errors[0] / 50
    assert errors[2] < errors[1] / 50
    assert errors[2] < 2e-6


@pytest.mark.parametrize("law", ["odds", "relevant_examples", "context_length"])
def test_irrelevant_examples(law: str) -> None:
    errors = []
    examples: dict[str, float] = {"m": 3, "context_length": 8} if law == "context_length" else {"m": 3, "k": 5}
    for odds in (1e2, 1e3, 1e4):
        setting, model = task(relevant_examples=3), GatedPredictor(in_context=Attention(floor=0.0, odds=odds))
        errors.append(abs(off(law, sharp(setting, model), odds=odds, **examples, **constants(setting, model))))
    assert errors[1] < errors[0] / 8
    assert errors[2] < errors[1] / 8
    assert errors[2] < 2e-4


def test_many_classes_make_it_longer_in_proportion() -> None:
    errors, per_class, model = [], [], GatedPredictor(in_context=Attention(floor=0.0, odds=1e4))
    for classes in (20, 200, 2000):
        setting = task(classes, relevant_examples=4)
        boundary = sharp(setting, model)
        errors.append(abs(off("num_classes", boundary, C=classes, b=0.5, gap=gap_of(setting, model))))
        per_class.append(boundary / classes)
    assert errors[1] < errors[0] / 8
    assert errors[2] < errors[1] / 8
    assert errors[2] < 1e-3
    # Not C log C, by which it would be 1.43 times more for each class.
    assert per_class[2] / per_class[1] == pytest.approx(1, abs=0.01)
    assert math.log(2000) / math.log(200) > 1.4


def test_label_noise() -> None:
    errors = []
    for noise in (0.03, 0.01, 0.003):
        setting = task(context_length=3, relevant_examples=3, label_noise=noise)
        model = GatedPredictor(in_context=Attention(floor=1e-3))
        values = {"C": 20, "floor": 1e-3, "m": 3, "label_noise": noise, **constants(setting, model)}
        boundary = asymptotic_visits(gap_of(setting, model) + labels_of(setting).entropy, labels_of(setting), 0.5, 0.0)
        assert boundary is not None
        errors.append(abs(off("label_noise", boundary, **values)))
    assert errors[1] < errors[0] / 2
    assert errors[2] < errors[1] / 4
    assert errors[2] < 1e-2


def test_frequency() -> None:
    """Inverse for a fixed number of relevant examples: within a per mille at a thousand visits."""
    model = GatedPredictor(in_context=Attention(floor=1e-4))
    for p_high in (0.5, 0.99):
        setting = TaskDistribution(num_high=10, num_low=10, p_high=p_high, context_length=8, relevant_examples=4)
        entry = predict(setting, model)["low"]
        assert entry.vanish_steps is not None
        assert entry.vanish_visits.sharp is not None
        law = LAWS["class_probability"].leading_order(
            visits=entry.vanish_visits.sharp, class_probability=entry.class_probability
        )
        assert float(law) == pytest.approx(entry.vanish_steps, rel=1e-3)


def test_prior() -> None:
    model = GatedPredictor(in_context=Attention(floor=1e-4))
    moved = GatedPredictor(in_context=Attention(floor=1e-4), gate=BayesGate(prior_in_weight=0.55))
    boundary = sharp(task(), model)
    slope = float(
        LAWS["prior_log_odds"].leading_order(
            visits=boundary, gap=gap_of(task(), model), log_weight=constants(task(), model)["log_weight"]
        )
    )
    change = math.log(sharp(task(), moved) / boundary) / moved.gate.prior_log_odds
    assert change == pytest.approx(slope, rel=2e-3)


def test_wrong_variants_do_not_converge() -> None:
    """Without the logarithm, or with the principal branch, the law stays far off."""
    model = GatedPredictor(in_context=Attention(floor=1e-7))
    boundary, known = sharp(task(), model), constants(task(), model)
    without = known["log_weight"] / (19 * 1e-7)
    assert boundary / without > 10
    assert float(find_theorem("boundary_lambert").evaluate(gap=19e-7, **known)) == pytest.approx(boundary, rel=1e-4)


def test_every_law_names_a_theorem_and_prints() -> None:
    for law in scaling_laws():
        assert find_theorem(law.theorem).family == "transition"
        assert law.validity
        assert law.variables == tuple(sorted(str(symbol) for symbol in law.formula.free_symbols))


def test_laws_take_arrays() -> None:
    values = LAWS["N"].leading_order(N=[1e4, 1e6], threshold=10.0, a=2.0, normalisation=math.pi**2 / 6)
    assert values.shape == (2,)
    assert values[0] / values[1] == pytest.approx(10)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"visits": 3.0}, "class_probability is missing"),
        ({"visits": 3.0, "class_probability": 0.1, "p": 1}, "variable = 'p' is not allowed"),
        ({"visits": 3.0, "class_probability": 0.0}, "values within the law's range"),
    ],
)
def test_laws_refuse(values: dict[str, float], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        LAWS["class_probability"].leading_order(**values)


# Local exponents.


def test_the_exponent_in_the_floor() -> None:
    """-w/(w - 1) with w = n Delta / a, times the exponent of the gap in the floor."""
    model = GatedPredictor(in_context=Attention(floor=1e-5))
    found = local_exponent(task(), model, "model.in_context.floor", name="high")
    n, weight = predict(task(), model)["high"].vanish_visits.asymptotic, constants(task(), model)["log_weight"]
    assert n is not None
    w = n * gap_of(task(), model) / weight
    assert found.asymptotic == pytest.approx(-w / (w - 1), rel=1e-3)
    assert found.visits == pytest.approx(-w / (w - 1), rel=1e-3)
    assert found.steps == pytest.approx(found.visits, rel=1e-3)
    assert (found.by_weight, found.by_constant) == (0.0, 0.0)
    # The wrong variant: inversely, as if the logarithm did not move.
    assert abs(found.visits + 1) > 0.05


def test_the_exponent_of_the_frequency_is_minus_one() -> None:
    setting = TaskDistribution(
        frequencies="two-level", num_high=4, num_low=6, p_high=0.5, context_length=8, relevant_examples=4
    )
    found = local_exponent(setting, GatedPredictor(in_context=Attention(floor=1e-3)), "p_high", name="high")
    assert found.visits == pytest.approx(0, abs=1e-9)
    assert found.steps == pytest.approx(-1, abs=1e-3)


@pytest.mark.parametrize("parameter", ["model.in_weight.pseudo_count", "label_noise", "model.gate.prior_in_weight"])
def test_the_asymptotic_exponent_is_the_derivative_of_the_asymptotic_boundary(parameter: str) -> None:
    setting = task(10, label_noise=0.05, context_length=4, relevant_examples=4)
    found = local_exponent(setting, GatedPredictor(), parameter)
    logs = []
    for sign in (-1, 1):
        factor = math.exp(sign * 1e-3)
        noise = 0.05 * (factor if parameter == "label_noise" else 1)
        b = 0.5 * (factor if "pseudo" in parameter else 1)
        prior = 0.5 * (factor if "prior" in parameter else 1)
        moved = task(10, label_noise=noise, context_length=4, relevant_examples=4)
        model = GatedPredictor(in_weight=DirichletTable(pseudo_count=b), gate=BayesGate(prior_in_weight=prior))
        loss = in_context_loss(moved, model.in_context, class_kinds(moved)[0][0])
        boundary = asymptotic_visits(loss.risk, labels_of(moved), b, model.gate.prior_log_odds)
        assert boundary is not None
        logs.append(math.log(boundary))
    assert found.asymptotic == pytest.approx((logs[1] - logs[0]) / 2e-3, rel=2e-3)
    assert None not in (found.by_gap, found.by_weight, found.by_constant)


@pytest.mark.parametrize("parameter", ["model.in_weight.pseudo_count", "model.gate.prior_in_weight"])
def test_both_exponents_agree_where_visits_are_many(parameter: str) -> None:
    """At a few dozen visits they differ by a fifth; beyond ten thousand they do not."""
    few = local_exponent(task(10, label_noise=0.05, context_length=4, relevant_examples=4), None, parameter)
    many = local_exponent(task(10), GatedPredictor(in_context=Attention(floor=1e-5)), parameter)
    differences = []
    for found in (few, many):
        assert found.visits is not None
        assert found.asymptotic is not None
        differences.append(abs(found.visits / found.asymptotic - 1))
    assert differences[0] > 0.1
    assert differences[1] < 1e-3


def test_whole_numbers_move_by_one_and_to_the_side_that_there_is() -> None:
    setting = task(10, context_length=4, relevant_examples=4)
    model = GatedPredictor(in_context=Attention(floor=1e-3))
    found = local_exponent(setting, model, "relevant_examples")
    before = predict(task(10, context_length=4, relevant_examples=3), model).entries[-1].vanish_visits.sharp
    here = predict(setting, model).entries[-1].vanish_visits.sharp
    assert before is not None
    assert here is not None
    assert found.visits == pytest.approx(math.log(here / before) / math.log(4 / 3))


@pytest.mark.parametrize(
    ("parameter", "message"),
    [
        ("label_noise", "label_noise = 0.0 is not allowed: expected a positive number"),
        ("label_noise_kind", "expected a positive number"),
        ("label_noize", "label_noise"),
        ("model.in_context.odd", "model.in_context"),
        ("class_names", "expected a positive number"),
    ],
)
def test_exponents_refuse(parameter: str, message: str) -> None:
    with pytest.raises(SettingError, match=message):
        local_exponent(task(10), None, parameter)


def test_no_boundary_no_exponent() -> None:
    persistent = GatedPredictor(in_context=Attention(floor=0.0))
    found = local_exponent(task(10), persistent, "model.in_context.odds")
    assert (found.visits, found.steps, found.asymptotic) == (None, None, None)
    assert np.isfinite(found.value)
