"""Mean gate while the temperature is learned: by enumeration, by drawing visits on the flow, and in its limits."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import expit

from theory.classes import ClassKind, class_kinds
from theory.errors import SettingError
from theory.in_context import PromptLaw, prompt_laws
from theory.learned.entries import learned_curves
from theory.learned.temperature import TemperaturePath, prompt_loss, temperature_path
from theory.setting import Attention, BayesGate, DirichletTable, GatedPredictor, LearnedAttention, TaskDistribution
from theory.solver import predict, step_gate

Array = NDArray[np.float64]

TASK = TaskDistribution(
    num_high=2, num_low=2, p_high=0.8, context_length=3, relevant_examples=1, label_noise=0.2, p_relevant=0.9
)
MODEL = GatedPredictor(
    in_weight=DirichletTable(pseudo_count=2.0),
    in_context=LearnedAttention(learning_rate=0.5, floor=1e-3),
    gate=BayesGate(prior_in_weight=0.6),
)


def mean_gate(task: TaskDistribution, model: GatedPredictor, steps: int, kind: int = 0) -> float:
    curve = learned_curves(task, model, {"one": [kind]})["one"]
    return curve.at_steps(steps, curve.class_probability)


def path_of(task: TaskDistribution, model: GatedPredictor) -> TemperaturePath:
    assert isinstance(model.in_context, LearnedAttention)
    return temperature_path(task, model.in_context)


def both_laws(task: TaskDistribution, kind: ClassKind) -> tuple[PromptLaw, PromptLaw]:
    laws = prompt_laws(task, kind)
    return laws.own, laws.noisy


def losses(task: TaskDistribution, law: PromptLaw, beta: float) -> Array:
    k = task.context_length - law.num_relevant
    return prompt_loss(law.relevant, law.irrelevant, law.num_relevant, k, beta, (task.total_labels, 1e-3))


def by_enumeration(task: TaskDistribution, model: GatedPredictor, betas: list[float]) -> float:
    """Mean gate after as many steps as there are temperatures: every sequence of visits, labels and prompts."""
    kind = class_kinds(task)[0][0]
    p, noise, b = kind.probability, task.label_noise, model.in_weight.pseudo_count
    # One step: its probability, the label (-1: no visit), the loss.
    choices = []
    for beta in betas:
        here = [(1 - p, -1, 0.0)]
        for label, (law, share) in enumerate(zip(both_laws(task, kind), (1 - noise, noise), strict=True)):
            each = zip(law.probabilities.tolist(), losses(task, law, beta).tolist(), strict=True)
            here += [(p * share * chance, label, loss) for chance, loss in each]
        choices.append(here)
    total = 0.0
    for sequence in itertools.product(*choices):
        counts, logit = [0, 0], model.gate.prior_log_odds
        for _, label, loss in sequence:
            if label >= 0:
                logit += loss + math.log((counts[label] + b) / (sum(counts) + task.total_labels * b))
                counts[label] += 1
        total += math.prod(chance for chance, _, _ in sequence) * float(expit(logit))
    return total


@pytest.mark.parametrize("noise", [0.0, 0.2])
@pytest.mark.parametrize("steps", [1, 2, 4])
def test_equals_the_enumeration_of_everything(steps: int, noise: float) -> None:
    """The class takes 40 % of the visits, so that drawing visits with replacement would be far off."""
    task = replace(TASK, label_noise=noise)
    betas = path_of(task, MODEL).at(np.arange(steps, dtype=np.float64)).tolist()
    exact = by_enumeration(task, MODEL, betas)
    found = mean_gate(task, MODEL, steps)
    assert found == pytest.approx(exact, abs=1e-9 if steps < 2 else 2e-4)
    if steps > 2:
        assert abs(by_enumeration(task, MODEL, betas[-1:] * steps) - exact) > 1e-2
        assert abs(by_enumeration(task, MODEL, betas[:1] * steps) - exact) > 1e-2


RUNS = 100_000


def drawn_gates(task: TaskDistribution, model: GatedPredictor, points: list[int], seed: int) -> dict[int, Array]:
    """Gates of independent runs of one class on the flow, step by step."""
    generator, kind = np.random.default_rng(seed), class_kinds(task)[0][0]
    betas, laws = path_of(task, model).at(np.arange(points[-1], dtype=np.float64)), both_laws(task, kind)
    b, result = model.in_weight.pseudo_count, {}
    counts, logit = np.zeros((RUNS, 1 + task.noisy_labels)), np.full(RUNS, model.gate.prior_log_odds)
    for step, beta in enumerate(betas.tolist(), start=1):
        visited = np.flatnonzero(generator.random(RUNS) < kind.probability)
        is_noise = generator.random(visited.size) < task.label_noise
        label = np.where(is_noise, generator.integers(1, 1 + task.noisy_labels, visited.size), 0)
        gained = np.empty(visited.size)
        for law, mask in zip(laws, (~is_noise, is_noise), strict=True):
            place = np.searchsorted(law.probabilities.cumsum()[:-1], generator.random(int(mask.sum())), side="right")
            gained[mask] = losses(task, law, beta)[place]
        seen = counts[visited, label]
        logit[visited] += gained + np.log((seen + b) / (counts[visited].sum(axis=1) + task.total_labels * b))
        counts[visited, label] += 1
        if step in points:
            result[step] = expit(logit)
    return result


SETTINGS = {
    "half of all visits": (replace(TASK, num_high=1), 0.2, 0.5),
    "noiseless": (replace(TASK, label_noise=0.0, p_relevant=1.0, num_low=8), 0.1, 0.5),
    "symmetric": (replace(TASK, label_noise_kind="symmetric", num_low=8, context_length=6), 0.1, 0.8),
    "shared labels": (replace(TASK, num_high=4, num_low=8, num_labels=6, context_length=6), 0.3, 0.5),
    "natural": (replace(TASK, relevant_examples=None, num_high=4, num_low=8, context_length=6), 0.3, 0.3),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_equals_visits_drawn_on_the_flow(name: str) -> None:
    """Within 5 standard errors plus 5e-4 (1e-3 for symmetric noise) at 6 points; false alarms about 1e-6 in all."""
    task, rate, prior = SETTINGS[name]
    model = replace(
        MODEL,
        in_context=LearnedAttention(learning_rate=rate, floor=1e-3),
        gate=BayesGate(prior_in_weight=prior),
    )
    allowed = 1e-3 if name == "symmetric" else 5e-4
    drawn = drawn_gates(task, model, [3, 8, 20, 40, 70, 120], seed=5)
    at_end = []
    for steps, gates in drawn.items():
        error = float(gates.std()) / math.sqrt(RUNS)
        assert abs(mean_gate(task, model, steps) - float(gates.mean())) < 5 * error + allowed
        # The temperature of the last step at all of them.
        odds = math.exp(float(path_of(task, model).at(np.array([steps - 1.0]))[0]))
        fixed = replace(model, in_context=LearnedAttention(learning_rate=1e-12, initial_odds=odds, floor=1e-3))
        at_end.append(abs(mean_gate(task, fixed, steps) - float(gates.mean())) / (5 * error + allowed))
    assert max(at_end) > 2


@pytest.mark.parametrize("per", ["query", pytest.param("query-and-relevance", marks=pytest.mark.slow)])
@pytest.mark.parametrize("kind", ["cyclic", "symmetric"])
def test_a_temperature_that_hardly_learns_is_that_of_fixed_odds(per: str, kind: str) -> None:
    task = replace(TASK, num_low=8, label_noise_kind=kind)
    gate = BayesGate(prior_in_weight=0.7, per=per)
    fixed = GatedPredictor(in_context=Attention(odds=12.0, floor=1e-3), gate=gate)
    learned = replace(fixed, in_context=LearnedAttention(learning_rate=1e-12, initial_odds=12.0, floor=1e-3))
    curve = predict(task, fixed)["low"].curve
    other = learned_curves(
        task, learned, {"low": [k for k, c in enumerate(class_kinds(task)[0]) if c.representative > 1]}
    )
    for steps in (0, 1, 5, 30, 200, 1000):
        expected = curve.at_steps(steps, 0.2 / 8)
        assert other["low"].at_steps(steps, 0.2 / 8) == pytest.approx(expected, abs=2e-4)


def test_without_learning_the_prediction_is_that_of_fixed_attention() -> None:
    fixed = predict(TASK, GatedPredictor(in_context=Attention(odds=12.0, floor=1e-3)))
    model = GatedPredictor(in_context=LearnedAttention(learning_rate=0.0, initial_odds=12.0, floor=1e-3))
    found = predict(TASK, model).to_dict()
    assert found["groups"] == fixed.to_dict()["groups"]
    assert found["setting"]["model"]["in_context"]["kind"] == "learned-attention"


def test_prediction_is_in_steps() -> None:
    entry = predict(TASK, replace(MODEL, gate=BayesGate(prior_in_weight=0.3)))["high"]
    found = entry.to_dict()
    for name in ("emerge_visits", "vanish_visits"):
        assert {key: value for key, value in found[name].items() if key != "confidence"} == {
            "instantaneous": None,
            "asymptotic": None,
            "sharp": None,
            "rigorous": None,
        }
    assert found["sharp_is_exact"] is False
    assert entry.vanish_steps is not None
    assert entry.mean_gate([0])[0] == pytest.approx(0.3)
    around = entry.mean_gate([math.floor(entry.vanish_steps), math.ceil(entry.vanish_steps)])
    assert around[0] <= 0.5 <= around[1]


def test_cells_and_classes() -> None:
    model = replace(MODEL, gate=BayesGate(per="query-and-relevance"))
    task = TaskDistribution(
        frequencies="weights", weights=(0.6, 0.4, 0.0), context_length=3, label_noise=0.1, p_relevant=0.7
    )
    prediction = predict(task, model)
    assert [entry.name for entry in prediction.entries] == ["0", "1", "2"]
    cells = prediction.entries[0].cells
    assert cells["irrelevant"].probability == pytest.approx(0.3)
    assert cells["relevant"].in_context_risk < cells["irrelevant"].in_context_risk
    assert prediction.entries[2].vanish_steps is None


@pytest.mark.parametrize(("rate", "phase"), [(0.6, "transient"), (0.8, "persistent")])
def test_noiseless_copying_without_a_floor_persists_if_it_is_learned_fast_enough(rate: float, phase: str) -> None:
    """Cumulative losses grow like log(t) p/rate in context, and like (C - 1) b log(t) in weights."""
    task = TaskDistribution(num_high=1, num_low=1, p_high=0.5, context_length=3, relevant_examples=1)
    model = GatedPredictor(
        in_weight=DirichletTable(pseudo_count=0.7), in_context=LearnedAttention(learning_rate=rate, floor=0.0)
    )
    gate = step_gate(task, model, "high")
    curve = learned_curves(task, model, {"high": [0]})["high"]
    assert curve.risk_at(curve.path.limit) == 0
    assert (0.5 / rate > 0.7) == (phase == "transient")
    assert curve.final_gate == float(phase == "transient")
    assert (gate.at(10**15) > 0.5) == (phase == "transient")


def test_a_learning_rate_that_is_no_flow_any_more_is_refused() -> None:
    task = TaskDistribution(num_high=2, num_low=2, p_high=0.8, context_length=4, relevant_examples=1)
    model = GatedPredictor(in_context=LearnedAttention(learning_rate=1.5))
    with pytest.raises(SettingError, match=r"learning_rate = 1\.5 .* at most 1"):
        predict(task, model)
