"""``predict(task, model)``: what mathematics says about every class, before anything is simulated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import singledispatch
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from theory.classes import ClassKind, class_kinds
from theory.crossing import last_rise_between_integers
from theory.curve import GateCurve
from theory.errors import NoTheoryError
from theory.gate import GateCell
from theory.in_context import InContextLoss, check_attention, in_context_loss
from theory.in_weight import LabelLaw
from theory.setting import Attention, BayesGate, DirichletTable, GatedPredictor, TaskDistribution
from theory.transition import asymptotic_visits, finite_or_none, instantaneous_visits

Array = NDArray[np.float64]

LARGEST_STEPS = 10**18


@dataclass(frozen=True, kw_only=True)
class VisitBoundary:
    """Boundaries in visits of one class; ``None`` where there is no crossing.

    Parameters
    ----------
    instantaneous : float or None
        Where the in-weight risk falls through the in-context risk.
    asymptotic : float or None
        Closed form for many visits, from the expected log-odds.
    sharp : float or None
        Where the mean gate last rises through 1/2.
    """

    instantaneous: float | None
    asymptotic: float | None
    sharp: float | None


@dataclass(frozen=True, kw_only=True)
class CellPrediction:
    """One of the two gate cells of a class with a gate per query and relevance; fields as in ClassPrediction."""

    probability: float
    in_context_risk: float
    vanish_visits: VisitBoundary


@dataclass(frozen=True, kw_only=True, eq=False)
class ClassPrediction:
    r"""What is predicted for a class, or for a group of equally frequent classes.

    Parameters
    ----------
    name : str
        Name of the class or group.
    num_classes : int
        How many classes it stands for.
    class_probability : float
        :math:`p_x` of one class.
    bayes_risk : float
        :math:`H_x` in nats.
    in_context_risk : float
        :math:`r_h` in nats; the mean over the group's classes.
    phase : {"in-weight", "transient", "persistent"}
        Answered from weights from the first visit on; in context at first and in weights at last; in context at last.
    vanish_visits : VisitBoundary
        Boundaries in visits of one class.
    vanish_steps : float or None
        Where :math:`E\alpha(N)`, mean over the group's classes, last rises through 1/2, in steps.
    sharp_is_exact : bool
        Whether the mean gate is exact (to 1e-9) rather than a named approximation; see ``theory.gate``.
    cells : dict
        For a gate per query and relevance: predictions of the cells ``relevant`` and ``irrelevant``.
    curves : sequence of (float, GateCurve)
        Mean gates of the kinds of classes in the group, with the share of classes of each kind.
    """

    name: str
    num_classes: int
    class_probability: float
    bayes_risk: float
    in_context_risk: float
    phase: str
    vanish_visits: VisitBoundary
    vanish_steps: float | None
    sharp_is_exact: bool
    cells: dict[str, CellPrediction]
    curves: Sequence[tuple[float, GateCurve]]

    def mean_gate(self, steps: ArrayLike) -> Array:
        r"""Predicted :math:`E\alpha(N)`, mean over the group's classes.

        Parameters
        ----------
        steps : array_like of int, shape (k,)
            Numbers of steps :math:`N \ge 0`.

        Returns
        -------
        ndarray, shape (k,)
        """
        steps = np.atleast_1d(np.asarray(steps))
        return np.array([_mean_gate_at(self.curves, int(n), self.class_probability) for n in steps])

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, strings and ``None`` under the names of the JSON contract."""
        result: dict[str, Any] = {
            "num_classes": self.num_classes,
            "class_probability": self.class_probability,
            "bayes_risk": self.bayes_risk,
            "in_context_risk": self.in_context_risk,
            "phase": self.phase,
            "vanish_visits": vars(self.vanish_visits).copy(),
            "vanish_steps": {"sharp": self.vanish_steps},
            "sharp_is_exact": self.sharp_is_exact,
        }
        if self.cells:
            result["cells"] = {
                name: {
                    "probability": cell.probability,
                    "in_context_risk": cell.in_context_risk,
                    "vanish_visits": vars(cell.vanish_visits).copy(),
                }
                for name, cell in self.cells.items()
            }
        return result


@dataclass(frozen=True, kw_only=True, eq=False)
class Prediction:
    """Predictions for all groups of a two-level task, or all classes of another one.

    Parameters
    ----------
    task, model : TaskDistribution, GatedPredictor
        What was asked.
    entries : tuple of ClassPrediction
        One for each group (``high``, ``low``) or class.
    """

    task: TaskDistribution
    model: GatedPredictor
    entries: tuple[ClassPrediction, ...]

    def __getitem__(self, name: str) -> ClassPrediction:
        for entry in self.entries:
            if entry.name == name:
                return entry
        raise KeyError(name)

    def to_dict(self) -> dict[str, Any]:
        """The JSON contract: ``groups`` by name for a two-level task, a list ``classes`` for another one."""
        from theory.setting_file import to_dict

        if self.task.grouped:
            entries: dict[str, Any] = {"groups": {entry.name: entry.to_dict() for entry in self.entries}}
        else:
            entries = {"classes": [{"class": entry.name, **entry.to_dict()} for entry in self.entries]}
        return {**entries, "setting": to_dict(self.task, self.model)}


def predict(task: TaskDistribution, model: GatedPredictor | None = None) -> Prediction:
    r"""Predict when each class is answered in context and when in weights.

    Parameters
    ----------
    task : TaskDistribution
        What the world is like.
    model : GatedPredictor, optional
        What learns in it; by default Dirichlet table, attention and a Bayes gate per query with their defaults.

    Returns
    -------
    Prediction
        Exact risks, phases and boundaries of every group or class.

    Raises
    ------
    NoTheoryError
        A part of the model has no theory; the error names it.
    SettingError
        The parts do not fit the task (:math:`C\varepsilon \ge 1`, or a floor of 0 with infinite in-context risk).

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
    model = model or GatedPredictor()
    table, attention, gate = check_theory(task, model)
    labels = LabelLaw(total_labels=task.total_classes, noise=task.label_noise, noisy_labels=task.noisy_labels)
    kinds, kind_of = class_kinds(task)
    theories = [_ClassTheory.of(task, table, attention, gate, labels, kind) for kind in kinds]
    if task.grouped:
        entries = tuple(
            _summary(name, [theories[k] for k in members], labels, table, gate)
            for name, members in _groups(kinds, task).items()
        )
    else:
        of_kind = [_summary("", [theory], labels, table, gate) for theory in theories]
        entries = tuple(_renamed(of_kind[kind], task.name_of(i)) for i, kind in enumerate(kind_of.tolist()))
    return Prediction(task=task, model=model, entries=entries)


def check_theory(task: TaskDistribution, model: GatedPredictor) -> tuple[DirichletTable, Attention, BayesGate]:
    """The parts of a model, once it is sure that there is a theory for them and that they fit the task.

    Raises
    ------
    NoTheoryError, SettingError
        As :func:`predict`, before anything is computed.
    """
    table, attention = in_weight_theory(model.in_weight), in_context_theory(model.in_context)
    gate = gate_theory(model.gate)
    check_attention(task, attention)
    return table, attention, gate


@singledispatch
def in_weight_theory(part: object) -> DirichletTable:
    """The in-weight part, if there is a theory for it."""
    raise NoTheoryError("in_weight", part)


@singledispatch
def in_context_theory(part: object) -> Attention:
    """The in-context part, if there is a theory for it."""
    raise NoTheoryError("in_context", part)


@singledispatch
def gate_theory(part: object) -> BayesGate:
    """The gate, if there is a theory for it."""
    raise NoTheoryError("gate", part)


@in_weight_theory.register
def _(part: DirichletTable) -> DirichletTable:
    return part


@in_context_theory.register
def _(part: Attention) -> Attention:
    return part


@gate_theory.register
def _(part: BayesGate) -> BayesGate:
    return part


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
        gate: BayesGate,
        labels: LabelLaw,
        kind: ClassKind,
    ) -> _ClassTheory:
        loss = in_context_loss(task, attention, kind)
        parts: dict[str, tuple[float, bool | None]] = {"all": (1.0, None)}
        if gate.per == "query-and-relevance":
            both = {"relevant": (task.p_relevant, True), "irrelevant": (1 - task.p_relevant, False)}
            parts = {name: (share, relevant) for name, (share, relevant) in both.items() if share > 0}
        cells = {}
        for name, (share, relevant) in parts.items():
            cell_loss = in_context_loss(task, attention, kind, relevant)
            cells[name] = (share, GateCell(gate.prior_log_odds, labels, table.pseudo_count, cell_loss, share))
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
    name: str, theories: list[_ClassTheory], labels: LabelLaw, table: DirichletTable, gate: BayesGate
) -> ClassPrediction:
    sizes = np.array([theory.kind.size for theory in theories], dtype=np.float64)
    weights = sizes / sizes.sum()
    probability = theories[0].kind.probability
    risk = float(weights @ [theory.loss.risk for theory in theories])
    curves = [(float(weight), theory.curve) for weight, theory in zip(weights, theories, strict=True)]
    in_visits = _sharp_visits(curves)
    instantaneous = instantaneous_visits(risk, labels, table.pseudo_count)
    asymptotic = None
    if gate.per == "query":
        asymptotic = asymptotic_visits(risk, labels, table.pseudo_count, gate.prior_log_odds)
    return ClassPrediction(
        name=name,
        num_classes=int(sizes.sum()),
        class_probability=probability,
        bayes_risk=labels.entropy,
        in_context_risk=risk,
        phase=_phase(in_visits, float(weights @ [theory.final_gate for theory in theories])),
        vanish_visits=VisitBoundary(
            instantaneous=instantaneous, asymptotic=asymptotic, sharp=finite_or_none(in_visits)
        ),
        vanish_steps=_sharp_steps(curves, probability),
        sharp_is_exact=all(cell.exact for theory in theories for _, cell in theory.cells.values()),
        cells=_cells(theories, weights, labels, table, gate),
        curves=curves,
    )


def _cells(
    theories: list[_ClassTheory], weights: Array, labels: LabelLaw, table: DirichletTable, gate: BayesGate
) -> dict[str, CellPrediction]:
    if gate.per == "query":
        return {}
    result = {}
    for name, (share, _) in theories[0].cells.items():
        members = [theory.cells[name][1] for theory in theories]
        risk = float(weights @ [cell.loss.risk for cell in members])
        curves = [(float(weight), GateCurve([(1.0, cell)])) for weight, cell in zip(weights, members, strict=True)]
        boundary = VisitBoundary(
            instantaneous=instantaneous_visits(risk, labels, table.pseudo_count),
            asymptotic=asymptotic_visits(risk, labels, table.pseudo_count, gate.prior_log_odds, share),
            sharp=finite_or_none(_sharp_visits(curves)),
        )
        result[name] = CellPrediction(probability=share, in_context_risk=risk, vanish_visits=boundary)
    return result


def _phase(sharp_visits: float, final_gate: float) -> str:
    if final_gate <= 0.5:
        return "persistent"
    return "in-weight" if sharp_visits == 0 else "transient"


def _sharp_visits(curves: Sequence[tuple[float, GateCurve]]) -> float:
    """Last rise of the mean gate through 1/2 in visits (0: never below, infinity: not up to 10^15 visits)."""
    grid = np.unique(np.concatenate([curve.nodes[0] for _, curve in curves]))
    grid = grid[grid >= 1]

    def gate(n: int) -> float:
        return sum(weight * curve.at_visits(n) for weight, curve in curves)

    values = np.array([_interpolated(curves, n) for n in grid.tolist()])
    return last_rise_between_integers(gate, grid, values, 0.5)


def _interpolated(curves: Sequence[tuple[float, GateCurve]], visits: int) -> float:
    total = 0.0
    for weight, curve in curves:
        nodes, gate = curve.nodes
        total += weight * float(np.interp(np.log1p(visits), np.log1p(nodes), gate))
    return total


def _sharp_steps(curves: Sequence[tuple[float, GateCurve]], probability: float) -> float | None:
    """Last rise through 1/2 of the mean gate over the steps of the stream."""
    if probability <= 0:
        return None
    visits = np.unique(np.concatenate([curve.nodes[0] for _, curve in curves])).astype(np.float64)
    # Beyond 10^18 steps a class's boundary is not looked for.
    scaled = np.append(visits, 1.5 * visits[-1]) / max(probability, 1e-290)
    grid = np.unique(np.clip(np.rint(scaled), 1, LARGEST_STEPS).astype(np.int64))

    def gate(steps: int) -> float:
        return _mean_gate_at(curves, steps, probability)

    values = np.array([gate(n) for n in grid.tolist()])
    return finite_or_none(last_rise_between_integers(gate, grid, values, 0.5))


def _mean_gate_at(curves: Sequence[tuple[float, GateCurve]], steps: int, probability: float) -> float:
    return sum(weight * curve.at_steps(steps, probability) for weight, curve in curves)


def _renamed(entry: ClassPrediction, name: str) -> ClassPrediction:
    from dataclasses import replace

    return replace(entry, name=name, num_classes=1)
