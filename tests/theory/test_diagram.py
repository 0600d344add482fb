"""Phase diagrams against ``predict``'s own parts, point by point: laws, gates, boundaries, phases; and bad grids."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from tests.verification.settings import draw_setting
from theory.classes import class_kinds
from theory.diagrams.boundary_arrays import gates_at_nodes
from theory.diagrams.diagram import PHASES, GroupDiagram, phase_diagram
from theory.diagrams.diagram_grid import Axis, settings_grid
from theory.diagrams.gate_arrays import rough_gates
from theory.diagrams.gate_search import last_rises
from theory.diagrams.kind_arrays import kind_rows, prompt_rows
from theory.diagrams.problems import Problems
from theory.diagrams.prompt_arrays import loss_moments
from theory.errors import NoTheoryError, SettingError
from theory.gating.cell import GateCell
from theory.gating.curve import GateCurve, GroupCurve
from theory.in_context import in_context_loss
from theory.in_weight import LabelLaw
from theory.setting import Attention, BayesGate, GatedPredictor, HedgeGate, LearnedAttention, TaskDistribution
from theory.solver import predict
from theory.transitions.boundaries import asymptotic_visits, instantaneous_visits
from theory.transitions.crossing import FROM_THE_START, NOT_YET

Setting = tuple[TaskDistribution, GatedPredictor]


def task(**changes: Any) -> TaskDistribution:
    values: dict[str, Any] = {
        "num_high": 4, "num_low": 16, "p_high": 0.8, "context_length": 8, "relevant_examples": 4, "label_noise": 0.1,
    }  # fmt: skip
    return TaskDistribution(**{**values, **changes})


def settings(number: int, seed: int, kind: str) -> list[Setting]:
    """Random two-level settings with groups of different frequency."""
    generator = np.random.default_rng(seed)
    found: list[Setting] = []
    while len(found) < number:
        one, model = draw_setting(generator, kind, "query")
        one = replace(one, num_low=int(generator.integers(1, 100)), p_high=float(generator.uniform(0.2, 0.95)))
        if one.total_labels * model.in_context.floor < 1:
            found.append((one, model))
    return found


@dataclass(frozen=True)
class Reference:
    """What the parts of ``predict`` say about one group, without its brackets."""

    labels: LabelLaw
    curve: GroupCurve
    risk: float
    probability: float

    @classmethod
    def of(cls, setting: Setting, name: str) -> Reference:
        one, model = setting
        labels = LabelLaw(total_labels=one.total_labels, noise=one.label_noise, noisy_labels=one.noisy_labels)
        kinds = [k for k in class_kinds(one)[0] if (k.representative < (one.num_high or 0)) == (name == "high")]
        total = sum(kind.size for kind in kinds)
        parts, risk = [], 0.0
        for kind in kinds:
            loss = in_context_loss(one, model.in_context, kind)
            cell = GateCell(model.gate.prior_log_odds, labels, model.in_weight.pseudo_count, loss)
            parts.append((kind.size / total, GateCurve([(1.0, cell)])))
            risk += kind.size / total * loss.risk
        return cls(labels, GroupCurve(parts), risk, kinds[0].probability)


def at_one_point(setting: Setting) -> dict[str, GroupDiagram]:
    one, model = setting
    diagram = phase_diagram(one, model, x=("p_relevant", [one.p_relevant]), y=("label_noise", [one.label_noise]))
    return {group.name: group for group in diagram.groups}


@pytest.mark.parametrize("kind", ["cyclic", "symmetric"])
def test_moments_equal_those_of_the_exact_law(kind: str) -> None:
    found = settings(60, 1, kind)
    tasks, attentions = [one for one, _ in found], [model.in_context for _, model in found]
    kinds = kind_rows(tasks, ("high", "low"))
    rows = np.arange(kinds.task.size)
    prompts = prompt_rows(kinds, tasks, attentions, rows, kinds.task)
    moments = {noisy: loss_moments(prompts, noisy=noisy) for noisy in (False, True)}
    first = np.searchsorted(kinds.task, np.arange(len(tasks)))
    for position, one in enumerate(tasks):
        for offset, class_kind in enumerate(class_kinds(one)[0]):
            law = in_context_loss(one, attentions[position], class_kind)
            for noisy, exact in ((False, law.own), (True, law.noisy)):
                row, centred = first[position] + offset, exact.values - exact.mean
                # Beyond 4096 values the exact law is merged: its mean is exact, its other moments are not.
                close = 1e-12 if exact.values.size < 1024 else 1e-4
                assert moments[noisy].mean[row] == pytest.approx(exact.mean, rel=1e-12, abs=1e-15)
                assert moments[noisy].variance[row] == pytest.approx(exact.variance, rel=close, abs=1e-13)
                third = float(centred**3 @ exact.probabilities)
                assert moments[noisy].third[row] == pytest.approx(third, rel=close, abs=1e-12)


@pytest.mark.parametrize("kind", ["cyclic", "symmetric"])
def test_risks_and_closed_boundaries_equal_those_of_predict(kind: str) -> None:
    for setting in settings(40, 2, kind):
        model = setting[1]
        for name, group in at_one_point(setting).items():
            reference = Reference.of(setting, name)
            b = model.in_weight.pseudo_count
            assert group.bayes_risk[0, 0] == pytest.approx(reference.labels.entropy, rel=1e-12, abs=1e-15)
            assert group.in_context_risk[0, 0] == pytest.approx(reference.risk, rel=1e-12)
            instantaneous = instantaneous_visits(reference.risk, reference.labels, b)
            assert same(group.instantaneous[0, 0], instantaneous, 1e-9)
            asymptotic = asymptotic_visits(reference.risk, reference.labels, b, model.gate.prior_log_odds)
            assert same(group.asymptotic[0, 0], asymptotic, 1e-9)


def same(boundary: float, expected: float | None, relative: float) -> bool:
    """Whether a diagram's boundary is that of ``predict``, where ``None`` stands for none."""
    if expected is None or not 0 < boundary < math.inf:
        return expected is None and not 0 < boundary < math.inf
    return abs(boundary / expected - 1) <= relative


def gates_around(reference: Reference, boundary: float) -> tuple[float, float]:
    return reference.curve.at_visits(math.floor(boundary)), reference.curve.at_visits(math.ceil(boundary))


def errors_at_the_boundary(kind: str, seed: int, number: int, at: str) -> list[float]:
    """How far the exact mean gate is from 1/2 at the diagrams' boundaries, in visits; beyond 30 visits."""
    found = []
    for setting in settings(number, seed, kind):
        for name, group in at_one_point(setting).items():
            boundary = float(getattr(group, at)[0, 0])
            if 30 < boundary < 20_000:
                below, above = gates_around(Reference.of(setting, name), boundary)
                share = boundary - math.floor(boundary)
                found.append(abs(below + share * (above - below) - 0.5))
    return found


@pytest.mark.parametrize("kind", ["cyclic", "symmetric"])
def test_exact_gate_is_one_half_at_the_sharp_boundary(kind: str) -> None:
    """Measured: 3e-4 at most; the closed form and a normal law of the log-odds are rejected by the same number."""
    errors = errors_at_the_boundary(kind, 3, 60, "sharp")
    assert len(errors) > 30
    assert max(errors) < 2e-3


@pytest.mark.parametrize("wrong", ["asymptotic", "instantaneous"])
def test_exact_gate_is_not_one_half_at_other_boundaries(wrong: str) -> None:
    errors = errors_at_the_boundary("cyclic", 3, 60, wrong)
    assert np.median(errors) > 2e-3


@pytest.mark.parametrize("kind", ["cyclic", "symmetric"])
def test_mean_gates_equal_the_exact_ones_and_a_normal_law_does_not(kind: str) -> None:
    ours, normal = [], []
    for setting in settings(25, 4, kind):
        one, model = setting
        gates = Problems.of(point_grid(one, model), ("high",)).gates
        reference, problem = Reference.of(setting, "high"), np.zeros(1, dtype=np.intp)
        for visits in (2.0, 11.0, 47.0, 230.0):
            ((_, part),) = gates_at_nodes(gates, problem, np.array([visits]), np.array([visits]))
            exact = reference.curve.at_visits(int(visits))
            ours.append(abs(part.mean_gates(problem, np.array([visits]))[0] - exact))
            normal.append(abs(rough_gates(gates, problem, np.array([visits]))[0] - exact))
    assert max(ours) < 4e-3
    assert np.quantile(ours, 0.9) < 1e-3
    assert max(normal) > 4e-3
    assert np.quantile(normal, 0.9) > 1e-3


def point_grid(one: TaskDistribution, model: GatedPredictor) -> Any:
    axes = Axis(name="p_relevant", values=(one.p_relevant,)), Axis(name="label_noise", values=(one.label_noise,))
    return settings_grid(one, model, *axes, skip_impossible=False)


def test_a_grid_agrees_with_predict() -> None:
    base = task(num_high=3, num_low=30)
    diagram = phase_diagram(base, x=("p_high", [0.6, 0.95]), y=("relevant_examples", [1, 8]))
    for j, relevant in enumerate((1, 8)):
        for i, p_high in enumerate((0.6, 0.95)):
            prediction = predict(replace(base, p_high=p_high, relevant_examples=relevant))
            for entry in prediction.entries:
                group = diagram[entry.name]
                assert PHASES[group.phase[j, i]] == entry.phase
                assert group.class_probability[j, i] == entry.class_probability
                assert same(group.sharp[j, i], entry.vanish_visits.sharp, 5e-3)
                assert same(group.sharp_steps[j, i], entry.vanish_steps, 1e-2)


def test_phases_and_their_boundaries() -> None:
    clean, copying = task(label_noise=0.0), GatedPredictor(in_context=Attention(floor=0.0))
    low = phase_diagram(clean, copying, x=("relevant_examples", [4, 8]), y=("label_noise", [0.0]))["low"]
    assert [PHASES[code] for code in low.phase[0]] == ["transient", "persistent"]
    assert low.sharp[0, 1] == low.sharp_steps[0, 1] == low.instantaneous[0, 1] == low.asymptotic[0, 1] == NOT_YET
    guessing = GatedPredictor(in_context=Attention(odds=1.0, floor=1e-9))
    low = phase_diagram(clean, guessing, x=("p_relevant", [0.0, 1.0]), y=("label_noise", [0.0]))["low"]
    assert [PHASES[code] for code in low.phase[0]] == ["in-weight", "transient"]
    assert low.sharp[0, 0] == FROM_THE_START


def test_boundaries_move_as_they_must() -> None:
    diagram = phase_diagram(
        task(num_low=40),
        x=("model.gate.prior_in_weight", "0.05:0.95:7"),
        y=("relevant_examples", [1, 2, 4, 6]),
    )
    for group in diagram.groups:
        assert np.all(np.diff(group.sharp, axis=1) < 0)
        assert np.all(np.diff(group.sharp, axis=0) > 0)
        assert np.all(np.diff(group.sharp_steps, axis=1) < 0)
    assert np.all(diagram["low"].sharp_steps > diagram["high"].sharp_steps)


def test_mean_gate_along_steps() -> None:
    steps = [0, 1, 30, 300, 3000, 30_000]
    diagram = phase_diagram(task(), x=("steps", steps), y=("label_noise", [0.0, 0.2]))
    for j, noise in enumerate((0.0, 0.2)):
        for entry in predict(task(label_noise=noise)).entries:
            gate = diagram[entry.name].mean_gate
            assert gate is not None
            np.testing.assert_allclose(gate[j], entry.mean_gate(steps), atol=4e-3)
            assert gate[j].min() < 0.45
    assert phase_diagram(task(), x=("p_high", [0.5]), y=("label_noise", [0.1]))["low"].mean_gate is None


def test_grid_does_not_depend_on_its_other_points() -> None:
    whole = phase_diagram(task(), x=("p_high", [0.3, 0.5, 0.9]), y=("label_noise", [0.0, 0.05, 0.2]))
    part = phase_diagram(task(), x=("p_high", [0.9]), y=("label_noise", [0.05]))
    for name in ("high", "low"):
        for field in ("in_context_risk", "instantaneous", "sharp", "sharp_steps"):
            assert getattr(whole[name], field)[1, 2] == pytest.approx(getattr(part[name], field)[0, 0], rel=1e-6)


def test_classes_of_other_tasks() -> None:
    listed = TaskDistribution(frequencies="zipf", num_classes=4, zipf_exponent=1.0, context_length=4)
    diagram = phase_diagram(listed, x=("zipf_exponent", [0.5, 1.5]), y=("label_noise", [0.1]), classes=["0", "3"])
    for i, exponent in enumerate((0.5, 1.5)):
        prediction = predict(replace(listed, zipf_exponent=exponent, label_noise=0.1))
        for name in ("0", "3"):
            entry, group = prediction[name], diagram[name]
            assert group.in_context_risk[0, i] == pytest.approx(entry.in_context_risk, rel=1e-12)
            assert same(group.sharp[0, i], entry.vanish_visits.sharp, 5e-3)


def test_very_many_classes() -> None:
    """As in the issue: a million classes and 10^12 steps are no harder."""
    huge = task(num_high=10, num_low=10**6 - 10, p_high=0.9)
    model = GatedPredictor(in_context=Attention(floor=1e-8))
    diagram = phase_diagram(huge, model, x=("steps", [10**6, 10**12]), y=("label_noise", [0.05]))
    entry = predict(replace(huge, label_noise=0.05), model)["low"]
    assert same(diagram["low"].sharp_steps[0, 1], entry.vanish_steps, 1e-3)
    np.testing.assert_allclose(diagram["low"].mean_gate, [entry.mean_gate([10**6, 10**12])], atol=1e-3)


@pytest.mark.parametrize(
    ("changes", "gate"),
    [
        ({}, HedgeGate(rate=0.3, prior_in_weight=0.4)),
        ({}, HedgeGate(rate=2.0)),
        ({"num_labels": 7}, BayesGate()),
        ({"num_labels": 5, "label_noise_kind": "symmetric"}, BayesGate()),
    ],
)
def test_hedge_gates_and_shared_labels(changes: dict[str, Any], gate: BayesGate | HedgeGate) -> None:
    one, model = task(**changes), GatedPredictor(gate=gate)
    diagram = phase_diagram(one, model, x=("p_relevant", [0.9]), y=("label_noise", [0.15]))
    for entry in predict(replace(one, p_relevant=0.9, label_noise=0.15), model).entries:
        group = diagram[entry.name]
        assert group.in_context_risk[0, 0] == pytest.approx(entry.in_context_risk, rel=1e-12)
        assert same(group.asymptotic[0, 0], entry.vanish_visits.asymptotic, 1e-9)
        assert same(group.sharp[0, 0], entry.vanish_visits.sharp, 5e-3)
        assert same(group.sharp_steps[0, 0], entry.vanish_steps, 1e-2)


# Grids that are none.


def test_impossible_points_are_named_or_skipped() -> None:
    axes: dict[str, Any] = {"x": ("context_length", [2, 8]), "y": ("relevant_examples", [1, 4])}
    with pytest.raises(SettingError, match=r"relevant_examples = 4 .*context_length = 2, relevant_examples = 4"):
        phase_diagram(task(), **axes)
    diagram = phase_diagram(task(), **axes, skip_impossible=True)
    assert diagram.possible.tolist() == [[True, True], [False, True]]
    assert diagram["low"].phase[1, 0] == -1
    assert diagram["low"].sharp[1, 0] == 0
    assert np.all(diagram["low"].sharp[diagram.possible] > 0)


def test_a_floor_that_does_not_fit_is_named_or_skipped() -> None:
    axes: dict[str, Any] = {"x": ("num_low", [6, 600]), "y": ("model.in_context.floor", [0.0, 1e-4, 1e-2])}
    with pytest.raises(SettingError, match=r"floor = 0\.0 .*num_low = 6, model\.in_context\.floor = 0"):
        phase_diagram(task(p_relevant=0.9), **axes)
    with pytest.raises(SettingError, match=r"floor = 0\.01 .*num_low = 600, model\.in_context\.floor = 0\.01"):
        phase_diagram(task(), **{**axes, "y": ("model.in_context.floor", [1e-4, 1e-2])})
    diagram = phase_diagram(task(p_relevant=0.9), **axes, skip_impossible=True)
    assert diagram.possible.tolist() == [[False, False], [True, True], [True, False]]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"x": ("label_nois", [0.1])}, r"x = 'label_nois' .*did you mean 'label_noise'"),
        ({"x": ("label_noise_kind", ["cyclic"])}, r"x = 'label_noise_kind'"),
        ({"x": ("label_noise", [0.1, 2.0])}, r"label_noise = 2\.0 .*at the point label_noise = 2"),
        ({"x": ("label_noise", [])}, r"x values"),
        ({"x": ("label_noise", [[0.1]])}, r"x values"),
        ({"x": ("label_noise", [True])}, r"label_noise = True"),
        ({"x": "label_noise"}, r"x = 'label_noise'"),
        ({"x": ("label_noise", "0.1:0.2")}, r"x = 'label_noise=0.1:0.2'"),
        ({"x": ("p_high", [0.5])}, r"y = 'p_high'"),
        ({"x": ("context_length", [4.5])}, r"context_length = 4\.5"),
        ({"x": ("steps", [1.5])}, r"steps = 1\.5"),
        ({"x": ("steps", [-1])}, r"steps = -1"),
        ({"x": ("model.gate.prior_in_weight", [1.0])}, r"model\.gate\.prior_in_weight = 1\.0"),
        ({"classes": ["middle"]}, r"classes = 'middle'"),
        ({"classes": "high"}, r"classes = 'high'"),
        ({"classes": ["high", "high"]}, r"classes"),
        ({"model": GatedPredictor(gate=BayesGate(per="query-and-relevance"))}, r"model\.gate\.per"),
    ],
)
def test_bad_grids_are_refused(changes: dict[str, Any], message: str) -> None:
    arguments: dict[str, Any] = {"x": ("label_noise", [0.1]), "y": ("p_high", [0.5]), **changes}
    with pytest.raises(SettingError, match=message):
        phase_diagram(task(), **arguments)


def test_other_tasks_need_names_of_classes() -> None:
    listed = TaskDistribution(frequencies="uniform", num_classes=5)
    with pytest.raises(SettingError, match="classes is missing"):
        phase_diagram(listed, x=("label_noise", [0.1]), y=("p_relevant", [0.5]))


@dataclass(frozen=True, kw_only=True)
class OwnPart:
    kind = "my-own"
    pseudo_count: float = 0.5


@pytest.mark.parametrize("role", ["in_weight", "in_context", "gate"])
def test_part_without_theory_is_named(role: str) -> None:
    with pytest.raises(NoTheoryError, match=rf"model\.{role} = 'my-own' has no theory"):
        phase_diagram(task(), GatedPredictor(**{role: OwnPart()}), x=("label_noise", [0.1]), y=("p_high", [0.5]))


def test_learned_attention_has_no_diagram() -> None:
    model = GatedPredictor(in_context=LearnedAttention(learning_rate=0.1))
    with pytest.raises(NoTheoryError, match="in_context"):
        phase_diagram(task(), model, x=("label_noise", [0.1]), y=("p_high", [0.5]))


# The search.


def test_last_rise_of_curves_with_several() -> None:
    """A curve that falls below 1/2 between two risings has the later one."""
    curves = np.array([[0.6, 0.2, 0.7, 0.4, 0.8, 0.9], [0.4, 0.45, 0.49, 0.495, 0.499, 0.7], [0.9] * 6, [0.1] * 6])

    def evaluate(which: np.ndarray, n: np.ndarray) -> np.ndarray:
        return curves[which, np.minimum(n, 6).astype(int) - 1]

    rises = last_rises(evaluate, np.full(4, 6.0), ratio=1.2, largest=1e3)
    np.testing.assert_allclose(rises, [4.25, 5.0 + 0.001 / 0.201, 0.0, np.inf])


def test_a_dip_far_beyond_the_prior_is_found() -> None:
    """A prior that holds for a dozen visits, and no closed form: the gate falls below 1/2 later all the same."""
    setting = TaskDistribution(
        num_high=1, num_low=10**15, p_high=0.9, context_length=4, relevant_examples=1, p_relevant=0.5
    )
    model = GatedPredictor(in_context=Attention(odds=30.0, floor=1e-18), gate=HedgeGate(rate=0.01, prior_in_weight=0.9))
    axes = {"x": ("label_noise", [0.0, 0.02]), "y": ("model.in_context.odds", [30.0, 31.0])}
    found = phase_diagram(setting, model, **axes, in_steps=False)["high"]  # type: ignore[arg-type]
    expected = predict(setting, model)["high"]
    assert PHASES[found.phase[0, 0]] == expected.phase == "transient"
    assert found.sharp[0, 0] == pytest.approx(expected.vanish_visits.sharp, rel=1e-6)
