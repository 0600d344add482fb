r"""``predict`` for attention that learns its temperature: everything in steps, since its losses change with the steps.

The temperature is shared by all queries, so that how well a class is answered in context after its :math:`n`-th visit
depends on when this visit comes. Boundaries in visits of one class have no meaning of their own then, and are ``None``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from theory.classes import ClassKind, class_kinds
from theory.errors import NoTheoryError
from theory.gating.cell import LARGEST_FREQUENCY, GateCell
from theory.in_context import prompt_laws
from theory.in_weight import LabelLaw
from theory.learned.gate_in_steps import LearnedCell, LearnedCurve, LearnedGroupCurve
from theory.learned.loss_history import LossHistory
from theory.learned.temperature import temperature_path
from theory.prediction import CellPrediction, ClassPrediction, VisitBoundary
from theory.setting import AnyGate, GatedPredictor, LearnedAttention, TaskDistribution
from theory.transitions.window import Window, find_window

_NO_VISITS = VisitBoundary(sharp=None)


def learned_curves(
    task: TaskDistribution, model: GatedPredictor, groups: Mapping[str, Sequence[int]]
) -> dict[str, LearnedGroupCurve]:
    """Mean gates over the steps, for groups of kinds of classes.

    Parameters
    ----------
    task, model : TaskDistribution, GatedPredictor
        The setting, with learned attention.
    groups : mapping
        Positions in ``class_kinds(task)`` of the kinds in each group, whose classes are equally frequent.
    """
    kinds, _ = class_kinds(task)
    attention = model.in_context
    if not isinstance(attention, LearnedAttention):
        raise NoTheoryError("in_context", attention)
    path = temperature_path(task, attention)
    labels = LabelLaw(total_labels=task.total_labels, noise=task.label_noise, noisy_labels=task.noisy_labels)

    def curve(kind: ClassKind) -> LearnedCurve:
        cells = {}
        for name, (share, relevant) in cell_shares(task, model.gate).items():
            frequency = model.gate.rate * LARGEST_FREQUENCY
            history = LossHistory(task, prompt_laws(task, kind, relevant), path, attention.floor, frequency)
            prior, pseudo_count = model.gate.prior_log_odds, model.in_weight.pseudo_count
            cell = GateCell(prior, labels, pseudo_count, history.average_law(1), share, model.gate.rate)
            cells[name] = (share, LearnedCell(cell, history))
        return LearnedCurve(cells)

    result = {}
    for name, members in groups.items():
        sizes = np.array([kinds[k].size for k in members], dtype=np.float64)
        parts = [(float(size), curve(kinds[k])) for size, k in zip(sizes / sizes.sum(), members, strict=True)]
        result[name] = LearnedGroupCurve(parts, path, int(sizes.sum()), kinds[members[0]].probability)
    return result


def cell_shares(task: TaskDistribution, gate: AnyGate) -> dict[str, tuple[float, bool | None]]:
    """Gate cells of a class: the share of its visits that each sees, and which contexts (``None``: all)."""
    if gate.per == "query":
        return {"all": (1.0, None)}
    both: dict[str, tuple[float, bool | None]] = {
        "relevant": (task.p_relevant, True),
        "irrelevant": (1 - task.p_relevant, False),
    }
    return {name: cell for name, cell in both.items() if cell[0] > 0}


def learned_entries(
    task: TaskDistribution, model: GatedPredictor, groups: Mapping[str, Sequence[int]], confidence: float
) -> tuple[ClassPrediction, ...]:
    """Prediction of every group; arguments as in :func:`learned_curves`."""
    labels = LabelLaw(total_labels=task.total_labels, noise=task.label_noise, noisy_labels=task.noisy_labels)
    return tuple(_entry(name, curve, labels, confidence) for name, curve in learned_curves(task, model, groups).items())


def _entry(name: str, curve: LearnedGroupCurve, labels: LabelLaw, confidence: float) -> ClassPrediction:
    probability, final = curve.class_probability, curve.final_gate
    window = Window(None, None, 1.0)
    if probability > 0:
        window = find_window(lambda n: curve.at_steps(n, probability), curve.last_open_step)
    return ClassPrediction(
        name=name,
        num_classes=curve.num_classes,
        class_probability=probability,
        bayes_risk=labels.entropy,
        in_context_risk=curve.risk_at(curve.path.limit),
        phase=_phase(window, final),
        emerge_visits=_NO_VISITS,
        emerge_steps=window.emerge,
        rigorous_emerge_steps=None,
        vanish_visits=_NO_VISITS,
        vanish_steps=window.vanish if final > 0.5 else None,
        confidence=confidence,
        rigorous_steps=None,
        sharp_is_exact=False,
        cells=_cells(curve),
        curve=curve,
    )


def _phase(window: Window, final_gate: float) -> str:
    if final_gate <= 0.5:
        return "persistent"
    return "in-weight" if window.lowest >= 0.5 else "transient"


def _cells(curve: LearnedGroupCurve) -> dict[str, CellPrediction]:
    first = curve.parts[0][1].cells
    if "all" in first:
        return {}
    return {
        name: CellPrediction(
            probability=share,
            in_context_risk=sum(
                part * member.cells[name][1].history.risk_at(curve.path.limit) for part, member in curve.parts
            ),
            vanish_visits=_NO_VISITS,
        )
        for name, (share, _) in first.items()
    }
