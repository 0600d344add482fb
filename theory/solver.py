"""``predict(task, model)``: solves for every class, before anything is simulated."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from theory.checks import real
from theory.classes import ClassKind, class_kinds
from theory.coverage import check_theory
from theory.errors import NoTheoryError, SettingError, unknown_name
from theory.gating.cell import GateCell
from theory.gating.curve import LARGEST_STEPS, GateCurve, GroupCurve
from theory.gating.given_counts import EXACT_VISITS
from theory.in_context import InContextLoss, in_context_loss
from theory.in_weight import LabelLaw
from theory.learned.entries import cell_shares, learned_curves, learned_entries
from theory.learned.gate_in_steps import LearnedGroupCurve
from theory.prediction import CellPrediction, ClassPrediction, Prediction, VisitBoundary
from theory.setting import (
    AnyGate,
    AnyTask,
    Attention,
    DirichletTable,
    GatedPredictor,
    LearnedAttention,
    TaskDistribution,
    task_of,
)
from theory.single_runs.band import SingleRunBands
from theory.single_runs.bracket import emergence_bracket, in_steps, visit_bracket, widest
from theory.transitions.boundaries import asymptotic_visits, finite_or_none, instantaneous_visits
from theory.transitions.crossing import (
    NOT_YET,
    first_fall_between_integers,
    geometric_integers,
    last_rise,
    last_rise_between_integers,
)

Array = NDArray[np.float64]

_TOOTHED_VISITS, _TEETH = 1_000, 16
"""Visits below which a mean gate may dip between the points of a grid, and visits after a rise that are looked at."""


def predict(task: AnyTask, model: GatedPredictor | None = None, *, confidence: float = 0.95) -> Prediction:
    r"""Predict when each class is answered in context and when in weights.

    Parameters
    ----------
    task : TaskDistribution or EpisodeDistribution
        What the world is like; an episode distribution has to be a task in other clothes.
    model : GatedPredictor, optional
        What learns in it; by default Dirichlet table, attention and a Bayes gate per query with their defaults.
    confidence : float
        Probability, between 0 and 1, with which the boundary of a single run lies in its rigorous bracket; also the
        share of single runs that a band holds.

    Returns
    -------
    Prediction
        Exact risks, phases and boundaries of every group or class.

    Raises
    ------
    NoTheoryError
        A part of the model, or of the episodes, has no theory; the error names it.
    SettingError
        The parts do not fit the task (:math:`C\varepsilon \ge 1`, or a floor of 0 with infinite in-context risk), or
        the confidence is not a probability.

    Notes
    -----
    The boundary is the last rise through 1/2 of the mean gate over :math:`n \ge 1` visits. Source: Chan, Chen, György,
    Schuurmans (2025), ``chan2025toward`` in docs/references.bib, for the model; the boundaries are derived here.

    Examples
    --------
    >>> task = TaskDistribution(num_high=5, num_low=5, p_high=0.9, context_length=4, relevant_examples=1)
    >>> prediction = predict(task)
    >>> prediction["high"].phase, round(prediction["high"].vanish_visits.instantaneous, 1)
    ('transient', 29.4)
    """
    task, model = task_of(task), model or GatedPredictor()
    confidence = real("confidence", confidence, minimum=0, maximum=1, open_minimum=True, open_maximum=True)
    table, attention, gate = check_theory(task, model)
    labels = LabelLaw(total_labels=task.total_labels, noise=task.label_noise, noisy_labels=task.noisy_labels)
    kinds, kind_of = class_kinds(task)
    if isinstance(attention, LearnedAttention):
        groups = _groups(kinds, task) if task.grouped else {str(k): [k] for k in range(len(kinds))}
        learned = learned_entries(task, model, groups, confidence)
        if not task.grouped:
            learned = tuple(_renamed(learned[kind], task.name_of(i)) for i, kind in enumerate(kind_of.tolist()))
        return Prediction(task=task, model=model, entries=learned)
    theories = [_ClassTheory.of(task, table, attention, gate, labels, kind) for kind in kinds]
    if task.grouped:
        entries = tuple(
            _summary(name, [theories[k] for k in members], labels, table, gate, confidence)
            for name, members in _groups(kinds, task).items()
        )
    else:
        of_kind = [_summary("", [theory], labels, table, gate, confidence) for theory in theories]
        entries = tuple(_renamed(of_kind[kind], task.name_of(i)) for i, kind in enumerate(kind_of.tolist()))
    return Prediction(task=task, model=model, entries=entries)


def class_curves(task: TaskDistribution, model: GatedPredictor, kinds: list[ClassKind]) -> list[GateCurve]:
    """Mean gates of kinds of classes, over visits and steps, without their boundaries and brackets; errors as above.

    Examples
    --------
    >>> task = TaskDistribution(frequencies="zipf", num_classes=50, zipf_exponent=1.5, context_length=4)
    >>> (curve,) = class_curves(task, GatedPredictor(), class_kinds(task)[0][:1])
    >>> curve.at_visits(0)
    0.5
    """
    table, attention, gate = check_theory(task, model)
    if isinstance(attention, LearnedAttention):
        # Its gates do not depend on visits alone.
        raise NoTheoryError("in_context", attention)
    labels = LabelLaw(total_labels=task.total_labels, noise=task.label_noise, noisy_labels=task.noisy_labels)
    return [_ClassTheory.of(task, table, attention, gate, labels, kind).curve for kind in kinds]


@dataclass(frozen=True, eq=False)
class StepGate:
    """Mean gate over the steps of the stream, of one group of classes or of one class.

    Parameters
    ----------
    at : callable
        Mean gate after a number of steps.
    last : int
        Steps after which the gate is decided.
    """

    at: Callable[[int], float]
    last: int


def step_gate(task: TaskDistribution, model: GatedPredictor, name: str) -> StepGate:
    """Mean gate over the steps, as :func:`predict` has it, without anything else.

    Parameters
    ----------
    task, model : TaskDistribution, GatedPredictor
        The setting.
    name : str
        Name of a group or class.

    Raises
    ------
    NoTheoryError, SettingError
        As :func:`predict`; and if there is no such group or class, or it never occurs.
    """
    table, attention, gate = check_theory(task, model)
    kinds, kind_of = class_kinds(task)
    members = _named_kinds(task, kinds, kind_of, name)
    probability = kinds[members[0]].probability
    if probability <= 0:
        raise SettingError("name", name, "a class that occurs")
    curve: GroupCurve | LearnedGroupCurve
    if isinstance(attention, LearnedAttention):
        curve = learned_curves(task, model, {name: members})[name]
        last = curve.last_open_step
    else:
        labels = LabelLaw(total_labels=task.total_labels, noise=task.label_noise, noisy_labels=task.noisy_labels)
        theories = [_ClassTheory.of(task, table, attention, gate, labels, kinds[k]) for k in members]
        curve = _group_curve(theories)
        last = int(_step_grid(curve, probability)[-1])
    return StepGate(lambda steps: curve.at_steps(steps, probability), last)


def _named_kinds(task: TaskDistribution, kinds: list[ClassKind], kind_of: NDArray[np.intp], name: str) -> list[int]:
    """Positions of the kinds of classes that a group or class has."""
    if task.grouped:
        members: Mapping[str, list[int]] = _groups(kinds, task)
    else:
        members = {task.name_of(i): [int(kind)] for i, kind in enumerate(kind_of)}
    if name not in members:
        raise unknown_name("name", name, members)
    return members[name]


def _group_curve(theories: list[_ClassTheory]) -> GroupCurve:
    sizes = np.array([theory.kind.size for theory in theories], dtype=np.float64)
    weights = (sizes / sizes.sum()).tolist()
    return GroupCurve([(weight, theory.curve) for weight, theory in zip(weights, theories, strict=True)])


@dataclass(frozen=True, eq=False)
class _ClassTheory:
    """Mean gate and risks of one kind of classes."""

    kind: ClassKind
    loss: InContextLoss
    cells: dict[str, tuple[float, GateCell]]
    curve: GateCurve

    @classmethod
    def of(
        cls,
        task: TaskDistribution,
        table: DirichletTable,
        attention: Attention,
        gate: AnyGate,
        labels: LabelLaw,
        kind: ClassKind,
    ) -> _ClassTheory:
        loss = in_context_loss(task, attention, kind)
        cells = {}
        for name, (share, relevant) in cell_shares(task, gate).items():
            cell_loss = in_context_loss(task, attention, kind, relevant)
            cell = GateCell(gate.prior_log_odds, labels, table.pseudo_count, cell_loss, share, gate.rate)
            cells[name] = (share, cell)
        return cls(kind, loss, cells, GateCurve(list(cells.values())))

    @property
    def final_gate(self) -> float:
        """Limit of the mean gate after infinitely many visits."""
        entropy = next(iter(self.cells.values()))[1].labels.entropy
        return sum(share for share, cell in self.cells.values() if cell.loss.risk > entropy * (1 + 1e-14))


def _groups(kinds: list[ClassKind], task: TaskDistribution) -> dict[str, list[int]]:
    high = [i for i, kind in enumerate(kinds) if kind.representative < (task.num_high or 0)]
    return {"high": high, "low": [i for i in range(len(kinds)) if i not in high]}


def _summary(
    name: str,
    theories: list[_ClassTheory],
    labels: LabelLaw,
    table: DirichletTable,
    gate: AnyGate,
    confidence: float,
) -> ClassPrediction:
    sizes = np.array([theory.kind.size for theory in theories], dtype=np.float64)
    weights = sizes / sizes.sum()
    probability = theories[0].kind.probability
    risk = float(weights @ [theory.loss.risk for theory in theories])
    curve = _group_curve(theories)
    in_visits, emergence = _sharp_visits(curve), _emergence_visits(curve)
    final_gate = float(weights @ [theory.final_gate for theory in theories])
    exact = all(cell.exact for theory in theories for _, cell in theory.cells.values())
    instantaneous = instantaneous_visits(risk, labels, table.pseudo_count)
    query_cells = [cell for theory in theories for _, cell in theory.cells.values()]
    asymptotic = None
    if gate.per == "query":
        asymptotic = asymptotic_visits(risk, labels, table.pseudo_count, gate.prior_log_odds / gate.rate)
    return ClassPrediction(
        name=name,
        num_classes=int(sizes.sum()),
        class_probability=probability,
        bayes_risk=labels.entropy,
        in_context_risk=risk,
        phase=_phase(in_visits, final_gate),
        emerge_visits=VisitBoundary(
            sharp=finite_or_none(emergence),
            rigorous=widest([emergence_bracket(cell, confidence) for cell in query_cells]),
        ),
        emerge_steps=_emergence_steps(curve, probability) if 0 < emergence < math.inf else None,
        rigorous_emerge_steps=widest(
            [in_steps(emergence_bracket, cell, probability, confidence) for cell in query_cells]
        ),
        vanish_visits=VisitBoundary(
            instantaneous=instantaneous,
            asymptotic=asymptotic,
            sharp=finite_or_none(in_visits),
            rigorous=widest([visit_bracket(cell, confidence) for cell in query_cells]),
        ),
        vanish_steps=_sharp_steps(curve, probability) if final_gate > 0.5 else None,
        confidence=confidence,
        rigorous_steps=widest([in_steps(visit_bracket, cell, probability, confidence) for cell in query_cells]),
        sharp_is_exact=exact and (in_visits <= EXACT_VISITS or math.isinf(in_visits)),
        cells=_cells(theories, weights, labels, table, gate),
        curve=curve,
        bands=SingleRunBands(curve, probability, confidence),
    )


def _cells(
    theories: list[_ClassTheory], weights: Array, labels: LabelLaw, table: DirichletTable, gate: AnyGate
) -> dict[str, CellPrediction]:
    if gate.per == "query":
        return {}
    result = {}
    for name, (share, _) in theories[0].cells.items():
        members = [theory.cells[name][1] for theory in theories]
        risk = float(weights @ [cell.loss.risk for cell in members])
        curve = GroupCurve(
            [(float(weight), GateCurve([(1.0, cell)])) for weight, cell in zip(weights, members, strict=True)]
        )
        boundary = VisitBoundary(
            instantaneous=instantaneous_visits(risk, labels, table.pseudo_count),
            asymptotic=asymptotic_visits(risk, labels, table.pseudo_count, gate.prior_log_odds / gate.rate, share),
            sharp=finite_or_none(_sharp_visits(curve)),
        )
        result[name] = CellPrediction(probability=share, in_context_risk=risk, vanish_visits=boundary)
    return result


def _phase(sharp_visits: float, final_gate: float) -> str:
    if final_gate <= 0.5:
        return "persistent"
    return "in-weight" if sharp_visits == 0 else "transient"


def _sharp_visits(curve: GroupCurve) -> float:
    """Last rise of the mean gate through 1/2 in visits (0: never below, infinity: not up to 10^15 visits)."""
    found = last_rise_between_integers(curve.at_visits, *curve.nodes, 0.5)
    # At few visits a gate can have teeth that are narrower than the grid: it may dip once more.
    while 0 < found < _TOOTHED_VISITS:
        visits = math.floor(found) + np.arange(_TEETH)
        later = float(last_rise(visits, [curve.at_visits(n) for n in visits.tolist()], 0.5))
        if later != NOT_YET:
            return max(found, later)
        found = float(visits[-1])
    return found


def _emergence_visits(curve: GroupCurve) -> float:
    """First fall of the mean gate below 1/2 from its prior (0: it starts there, infinity: never below)."""
    return first_fall_between_integers(curve.at_visits, *curve.nodes_from_prior, 0.5)


def _emergence_steps(curve: GroupCurve, probability: float) -> float | None:
    """First fall of the mean gate below 1/2 over the steps of the stream."""
    if probability <= 0:
        return None
    grid, gate = np.append(0, _step_grid(curve, probability)), _gate_in_steps(curve, probability)
    values = np.array([gate(n) for n in grid.tolist()])
    return finite_or_none(first_fall_between_integers(gate, grid, values, 0.5))


def _sharp_steps(curve: GroupCurve, probability: float) -> float | None:
    """Last rise through 1/2 of the mean gate over the steps of the stream."""
    if probability <= 0:
        return None

    grid, gate = _step_grid(curve, probability), _gate_in_steps(curve, probability)
    values = np.array([gate(n) for n in grid.tolist()])
    return finite_or_none(last_rise_between_integers(gate, grid, values, 0.5))


def _gate_in_steps(curve: GroupCurve, probability: float) -> Callable[[int], float]:
    return lambda steps: curve.at_steps(steps, probability)


def _step_grid(curve: GroupCurve, probability: float) -> NDArray[np.int64]:
    """Steps, from 1 on, between which the mean gate is monotone."""
    visits = curve.nodes[0].astype(np.float64)
    scaled = np.append(visits, 1.5 * visits[-1]) / max(probability, 1e-290)
    later = np.clip(np.rint(scaled), 1, LARGEST_STEPS).astype(np.int64)
    # Long before a class is visited once on average, its mean gate may cross already.
    return np.union1d(geometric_integers(1, int(later[0]), 1.3), later)


def _renamed(entry: ClassPrediction, name: str) -> ClassPrediction:
    return replace(entry, name=name, num_classes=1)
