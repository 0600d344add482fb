"""``predict`` as a whole: the paper's statements under their conditions, phases, edges, and parts without theory."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from theory.errors import NoTheoryError, SettingError
from theory.gating.curve import GateCurve
from theory.prediction import ClassPrediction
from theory.setting import Attention, BayesGate, DirichletTable, GatedPredictor, HedgeGate, TaskDistribution
from theory.setting_file import load
from theory.solver import predict


def task(**changes: Any) -> TaskDistribution:
    values: dict[str, Any] = {
        "num_high": 4, "num_low": 16, "p_high": 0.8, "context_length": 8, "relevant_examples": 4, "label_noise": 0.1,
    }  # fmt: skip
    return TaskDistribution(**{**values, **changes})


def low(setting: TaskDistribution, model: GatedPredictor | None = None) -> ClassPrediction:
    return predict(setting, model)["low"]


def sharp(setting: TaskDistribution, model: GatedPredictor | None = None) -> float:
    boundary = low(setting, model).vanish_visits.sharp
    assert boundary is not None
    return boundary


def test_rare_classes_keep_in_context_learning_longer() -> None:
    prediction = predict(task())
    high, rare = prediction["high"].vanish_steps, prediction["low"].vanish_steps
    assert high is not None
    assert rare is not None
    assert rare > 5 * high


def test_fewer_relevant_examples_shorten_it() -> None:
    assert sharp(task(relevant_examples=2)) < sharp(task(relevant_examples=4)) < sharp(task(relevant_examples=7))


def test_more_irrelevant_examples_shorten_it() -> None:
    lengths = [sharp(task(context_length=length, relevant_examples=1)) for length in (2, 4, 16)]
    assert lengths == sorted(lengths, reverse=True)


def test_noise_in_the_context_alone_shortens_it_where_queries_are_clean() -> None:
    noises = [sharp(task(label_noise=0.0, context_label_noise=noise)) for noise in (0.0, 0.02, 0.1, 0.3)]
    assert noises == sorted(noises, reverse=True)


def test_noise_in_the_context_alone_can_lengthen_it_where_queries_are_noisy() -> None:
    """The counterexample: a copy of clean labels is overconfident, and noise in the context hedges it."""
    noises = [sharp(task(label_noise=0.1, context_label_noise=noise)) for noise in (0.0, 0.02, 0.1)]
    assert noises == sorted(noises)


def test_noise_on_query_and_context_together_can_lengthen_it() -> None:
    """The counterexample to "noise always favours weights": noise also slows the in-weight predictor."""
    model = GatedPredictor(in_context=Attention(odds=1.0, floor=1e-4))
    many = {"context_length": 32, "relevant_examples": 32}
    assert sharp(task(label_noise=0.3, **many), model) > sharp(task(label_noise=0.02, **many), model)


def test_without_noise_irrelevant_examples_and_floor_it_persists() -> None:
    clean = task(label_noise=0.0, relevant_examples=8)
    entry = low(clean, GatedPredictor(in_context=Attention(floor=0.0)))
    assert (entry.phase, entry.in_context_risk) == ("persistent", 0.0)
    assert entry.vanish_visits.sharp is entry.vanish_visits.instantaneous is entry.vanish_visits.asymptotic is None
    assert entry.vanish_steps is None


@pytest.mark.parametrize("floor", [1e-4, 1e-6, 1e-8])
def test_a_small_floor_makes_the_boundary_diverge(floor: float) -> None:
    """It solves ``n (C-1) floor = a log n + kappa``: like ``a log n / ((C-1) floor)`` as the floor goes to 0."""
    clean = task(label_noise=0.0, relevant_examples=8)
    boundary = sharp(clean, GatedPredictor(in_context=Attention(floor=floor)))
    a = 19 * 0.5
    kappa = math.lgamma(0.5) - math.lgamma(20 * 0.5)
    assert boundary * -math.log1p(-19 * floor) == pytest.approx(a * math.log(boundary) + kappa, rel=1e-3)


def test_in_weight_from_the_start_where_copying_is_worse_than_guessing() -> None:
    blind = task(p_relevant=0.0, label_noise=0.0)
    entry = low(blind, GatedPredictor(in_context=Attention(odds=1.0, floor=1e-9)))
    assert entry.in_context_risk > math.log(20)
    assert (entry.phase, entry.vanish_visits.sharp) == ("in-weight", None)


def test_instantaneous_crossing_comes_much_earlier_than_the_gate() -> None:
    entry = low(task())
    assert entry.vanish_visits.instantaneous is not None
    assert entry.vanish_visits.sharp is not None
    assert entry.vanish_visits.sharp > 2 * entry.vanish_visits.instantaneous


def test_asymptotic_form_approaches_the_sharp_one() -> None:
    """The relative difference falls as the boundary moves out (a smaller floor without noise)."""
    clean = task(label_noise=0.0, relevant_examples=8)
    errors = []
    for floor in (1e-2, 1e-4, 1e-6):
        visits = low(clean, GatedPredictor(in_context=Attention(floor=floor))).vanish_visits
        assert visits.asymptotic is not None
        assert visits.sharp is not None
        errors.append(abs(visits.asymptotic / visits.sharp - 1))
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 1e-4


def test_steps_are_about_visits_over_frequency() -> None:
    entry = low(task())
    assert entry.vanish_steps is not None
    assert entry.vanish_visits.sharp is not None
    assert entry.vanish_steps == pytest.approx(entry.vanish_visits.sharp / entry.class_probability, rel=0.05)


def test_mean_gate_over_steps_is_the_binomial_average() -> None:
    entry = low(task())
    n, p = 700, entry.class_probability
    weights = [math.comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(60)]
    direct = sum(
        share * sum(w * curve.at_visits(k) for k, w in enumerate(weights)) for share, curve in entry.curve.parts
    )
    assert float(entry.mean_gate([n])[0]) == pytest.approx(direct, abs=2e-4)


def test_group_gate_crosses_one_half_at_its_boundary() -> None:
    for entry in predict(task()).entries:
        assert entry.vanish_steps is not None
        around = entry.mean_gate([math.floor(entry.vanish_steps), math.ceil(entry.vanish_steps)])
        assert around[0] < 0.5 + 1e-9
        assert around[1] >= 0.5 - 1e-9


def test_equal_frequencies_in_both_groups() -> None:
    even = predict(task(num_high=5, num_low=5, p_high=0.5))
    assert even["high"].vanish_steps == pytest.approx(even["low"].vanish_steps)
    assert [entry.num_classes for entry in even.entries] == [5, 5]


def test_explicit_weights_equal_the_two_level_task() -> None:
    grouped = task(num_high=2, num_low=3)
    listed = TaskDistribution(
        frequencies="weights",
        weights=grouped.class_probabilities.tolist(),
        **{name: getattr(grouped, name) for name in ("context_length", "relevant_examples", "label_noise")},
    )
    entries = predict(listed).entries
    risks = [entry.in_context_risk for entry in entries]
    assert np.mean(risks[2:]) == pytest.approx(predict(grouped)["low"].in_context_risk)


def test_a_class_that_never_occurs_has_no_boundary_in_steps() -> None:
    counted = TaskDistribution(frequencies="counts", counts=[9, 3, 0], context_length=2, relevant_examples=1)
    entry = predict(counted).entries[2]
    assert entry.class_probability == 0
    assert entry.vanish_steps is None
    assert entry.vanish_visits.sharp is not None


def test_gate_per_query_and_relevance_has_cells() -> None:
    mixed = task(p_relevant=0.6)
    per_cell = GatedPredictor(gate=BayesGate(per="query-and-relevance"))
    entry = low(mixed, per_cell)
    relevant, irrelevant = entry.cells["relevant"], entry.cells["irrelevant"]
    assert relevant.in_context_risk < irrelevant.in_context_risk
    assert 0.6 * relevant.in_context_risk + 0.4 * irrelevant.in_context_risk == pytest.approx(entry.in_context_risk)
    assert not entry.sharp_is_exact
    assert low(mixed).sharp_is_exact
    only_relevant = low(task(), per_cell)
    assert only_relevant.cells["relevant"].vanish_visits.sharp == pytest.approx(sharp(task()))


@dataclass(frozen=True, kw_only=True)
class OwnPart:
    kind = "my-own"
    pseudo_count: float = 0.5


@pytest.mark.parametrize("role", ["in_weight", "in_context", "gate"])
def test_part_without_theory_is_named(role: str) -> None:
    with pytest.raises(NoTheoryError, match=rf"model\.{role} = 'my-own' has no theory"):
        predict(task(), GatedPredictor(**{role: OwnPart()}))


def test_floor_must_leave_room() -> None:
    with pytest.raises(
        SettingError, match=r"model\.in_context\.floor = 0\.05 is not allowed: expected less than 1/C = 0\.05"
    ):
        predict(task(), GatedPredictor(in_context=Attention(floor=0.05)))


def test_json_has_the_contract_keys_and_no_nan() -> None:
    data = predict(*load("transient")).to_dict()
    assert set(data["groups"]) == {"high", "low"}
    for group in data["groups"].values():
        assert {"class_probability", "bayes_risk", "in_context_risk", "phase"} <= set(group)
        assert set(group["vanish_visits"]) == {"instantaneous", "asymptotic", "sharp", "rigorous", "confidence"}
        assert set(group["vanish_steps"]) == {"sharp", "band", "rigorous", "confidence"}
    json.dumps(data, allow_nan=False)


@pytest.mark.parametrize("changes", [
    {"num_high": 1, "num_low": 1},
    {"num_low": 1_000_000 - 4},
    {"p_high": 1 - 1e-12},
    {"label_noise": 1.0},
    {"label_noise": 0.5, "label_noise_kind": "symmetric"},
    {"p_relevant": 1e-9},
    {"context_length": 1, "relevant_examples": None},
    {"context_length": 300, "relevant_examples": None},
])  # fmt: skip
def test_corners_give_finite_numbers(changes: dict[str, Any]) -> None:
    data = predict(task(**changes), GatedPredictor(in_context=Attention(floor=1e-9))).to_dict()
    text = json.dumps(data, allow_nan=False)
    assert "phase" in text


def test_prior_moves_the_boundary() -> None:
    priors = [sharp(task(), GatedPredictor(gate=BayesGate(prior_in_weight=prior))) for prior in (0.01, 0.5, 0.99)]
    assert priors == sorted(priors, reverse=True)


def test_nodes_of_a_steep_curve_are_dense() -> None:
    steep = replace(task(), label_noise=0.0)
    curve = low(steep, GatedPredictor(in_weight=DirichletTable(pseudo_count=1.0))).curve.parts[0][1]
    assert isinstance(curve, GateCurve)
    visits, gate = curve.nodes
    assert np.all((np.abs(np.diff(gate)) <= 0.04) | (np.diff(visits) == 1))


@pytest.mark.parametrize("noise", [0.0, 0.05])
@pytest.mark.parametrize("kind", ["cyclic", "symmetric"])
@pytest.mark.parametrize("classes", [50, 150, 275, 1000, 30_000, 10**6])
def test_a_transient_class_has_a_boundary(classes: int, kind: str, noise: float) -> None:
    """A transition much narrower than any grid must not be stepped over (many labels, no noise)."""
    setting = task(num_high=10, num_low=classes - 10, p_high=0.9, label_noise=noise, label_noise_kind=kind)
    model = GatedPredictor(in_context=Attention(floor=min(1e-4, 0.5 / classes)))
    entry = predict(setting, model)["high"]
    assert entry.phase == "transient"
    assert entry.vanish_visits.sharp is not None
    assert entry.vanish_steps == pytest.approx(entry.vanish_visits.sharp / entry.class_probability, rel=0.05)
    assert entry.mean_gate([3 * int(entry.vanish_steps)])[0] > 0.99


@pytest.mark.parametrize("prior", [0.2, 0.5])
def test_a_boundary_before_the_first_visit_on_average(prior: float) -> None:
    """Rare classes whose mean gate crosses while hardly any of them was visited: by definition, from step 1 on."""
    rare = TaskDistribution(
        frequencies="weights", weights=[0.1034, 0.4744, 0.4222], context_length=5, relevant_examples=3,
        label_noise_kind="symmetric", context_label_noise=0.5,
    )  # fmt: skip
    model = GatedPredictor(in_context=Attention(odds=2.0, floor=1e-12), gate=BayesGate(prior_in_weight=prior))
    entry = predict(rare, model).entries[0]
    gate = entry.mean_gate(range(1, 200))
    below = np.flatnonzero(gate < 0.5)
    assert entry.vanish_steps is not None
    assert below[-1] + 1 <= entry.vanish_steps <= below[-1] + 2


def test_exactness_is_claimed_only_where_nothing_is_left_out() -> None:
    assert low(task()).sharp_is_exact
    late = low(task(label_noise=0.0, relevant_examples=8), GatedPredictor(in_context=Attention(floor=1e-6)))
    assert late.vanish_visits.sharp is not None
    assert late.vanish_visits.sharp > 20_000
    assert not late.sharp_is_exact


def test_small_in_context_losses_keep_their_digits() -> None:
    clean = task(label_noise=0.0, relevant_examples=8)
    for floor in (1e-3, 1e-9, 1e-15):
        exact = -math.log1p(-19 * floor)
        assert low(clean, GatedPredictor(in_context=Attention(floor=floor))).in_context_risk == pytest.approx(
            exact, rel=1e-12
        )


# Hedge gates.


def test_hedge_at_rate_one_is_the_bayes_gate() -> None:
    setting = task(label_noise=0.1)
    bayes = predict(setting, GatedPredictor(gate=BayesGate(prior_in_weight=0.7)))
    hedge = predict(setting, GatedPredictor(gate=HedgeGate(rate=1.0, prior_in_weight=0.7)))
    for entry, other in zip(bayes.entries, hedge.entries, strict=True):
        assert entry.to_dict() == other.to_dict()


@pytest.mark.parametrize("rate", [0.25, 3.0])
def test_single_runs_of_hedge_are_those_of_bayes_with_the_prior_scaled(rate: float) -> None:
    """The sign of the log-odds does not change with the rate, if the prior log-odds are divided by it."""
    setting = task(label_noise=0.1)
    prior = 0.9
    hedge = predict(setting, GatedPredictor(gate=HedgeGate(rate=rate, prior_in_weight=prior)))["low"]
    scaled = 1 / (1 + (1 / prior - 1) ** (1 / rate))
    bayes = predict(setting, GatedPredictor(gate=BayesGate(prior_in_weight=scaled)))["low"]
    assert hedge.vanish_visits.rigorous == bayes.vanish_visits.rigorous
    assert hedge.emerge_visits.rigorous == bayes.emerge_visits.rigorous
    assert hedge.vanish_visits.asymptotic == pytest.approx(bayes.vanish_visits.asymptotic)
    assert hedge.vanish_visits.instantaneous == bayes.vanish_visits.instantaneous
    # But where the mean of the gate is 1/2 depends on the rate.
    assert hedge.vanish_visits.sharp is not None
    assert bayes.vanish_visits.sharp is not None
    assert abs(hedge.vanish_visits.sharp / bayes.vanish_visits.sharp - 1) > 1e-4


@pytest.mark.parametrize("steps", [-1, 1.5, True, 10**19, float("nan"), float("inf"), "a", None, [[1, 2]], [1, [2]]])
def test_bad_numbers_of_steps(steps: Any) -> None:
    prediction = predict(task())
    for asked in (prediction.mean_gate, prediction.in_context_share, prediction["low"].mean_gate):
        with pytest.raises(SettingError, match="steps"):
            asked(steps)


def test_whole_numbers_of_steps_may_come_as_floats() -> None:
    entry = predict(task())["low"]
    assert entry.mean_gate([100.0, 1e6]).tolist() == entry.mean_gate([100, 10**6]).tolist()


def test_a_gate_with_teeth_has_its_last_rise_found() -> None:
    world = TaskDistribution(
        frequencies="uniform",
        num_classes=188,
        label_noise=0.00187,
        context_length=31,
        relevant_examples=18,
        p_relevant=0.58,
    )
    model = GatedPredictor(
        in_weight=DirichletTable(pseudo_count=1.57),
        in_context=Attention(odds=67.3, floor=1.9e-4),
        gate=HedgeGate(rate=1.9, prior_in_weight=0.645),
    )
    entry = predict(world, model).entries[0]
    gate = np.array([entry.curve.at_visits(n) for n in range(1, 200)])
    # It rises through 1/2 between 15 and 16 visits, and once more between 17 and 18.
    last = int(np.flatnonzero(gate < 0.5)[-1])
    expected = last + 1 + (0.5 - gate[last]) / (gate[last + 1] - gate[last])
    assert (gate < 0.5).tolist()[14:18] == [True, False, True, False]
    assert entry.vanish_visits.sharp == pytest.approx(expected, rel=1e-9)
