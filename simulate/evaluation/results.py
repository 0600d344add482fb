"""What an evaluation finds, cell by cell of the grid of questions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulate.evaluation.absent import absent_out_of_base
from simulate.evaluation.estimates import Estimate
from simulate.evaluation.exam import CellName
from simulate.evaluation.grading import MEASURES, PARTS
from theory.setting import AnyTask, GatedPredictor

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class PartValues:
    """A measure of the in-weight, the in-context and the gated predictor."""

    in_weight: Estimate
    in_context: Estimate
    gated: Estimate


@dataclass(frozen=True, kw_only=True, eq=False)
class EvaluationCell:
    r"""Answers to questions of one kind.

    Parameters
    ----------
    base : {"in-base", "out-of-base"}
        Whether labels are as in training, or moved to the next one within their frequency group.
    context : {"relevant", "irrelevant"}
        Whether contexts hold examples of the query's class.
    group : str
        Classes that were asked for.
    error : PartValues
        0-1 error against the drawn label; ties are broken evenly, in expectation.
    cross_entropy : PartValues
        Expected log loss in nats under the law of the label given the query's class and the episode's label map (after
        the move), not against the drawn label. Infinite where a predictor excludes a label that can occur.
    gate : Estimate
        Weight on the in-weight predictor.
    distance_to_in_weight, distance_to_in_context : Estimate
        :math:`\lVert f-g\rVert_1` and :math:`\lVert f-h\rVert_1`, mean over the questions.
    """

    base: str
    context: str
    group: str
    error: PartValues
    cross_entropy: PartValues
    gate: Estimate
    distance_to_in_weight: Estimate
    distance_to_in_context: Estimate

    @property
    def in_context_share(self) -> Estimate | None:
        r"""How far the gated predictor follows h rather than g, in [0, 1].

        :math:`\sum\lVert f-g\rVert_1 / \sum(\lVert f-g\rVert_1 + \lVert f-h\rVert_1)`, sums over the questions. It
        does not exist (``None``; masked at a point of a trace) if g = h on all questions of some replicate.
        """
        towards = self.distance_to_in_weight.of_replicates
        whole = towards + self.distance_to_in_context.of_replicates
        exists = np.asarray((whole > 0).all(axis=-1))
        if not exists.any():
            return None
        share = towards / np.where(whole > 0, whole, 1.0)
        if exists.all():
            return Estimate(share)
        return Estimate(np.ma.masked_array(share, np.broadcast_to(~exists[..., None], share.shape)))

    def to_dict(self) -> dict[str, Any]:
        """Means and standard errors as plain numbers (lists in a trace); ``None`` where there is no finite one."""
        share = self.in_context_share
        return {
            "base": self.base,
            "context": self.context,
            "group": self.group,
            "error": {part: getattr(self.error, part).to_dict() for part in PARTS},
            "cross_entropy": {part: getattr(self.cross_entropy, part).to_dict() for part in PARTS},
            "gate": self.gate.to_dict(),
            "in_context_share": None if share is None else share.to_dict(),
        }


def cell_of(name: CellName, values: Array) -> EvaluationCell:
    """A cell from the values of all measures, shape (measures, replicates) or (measures, k, replicates)."""
    estimates = dict(zip(MEASURES, map(Estimate, values), strict=True))
    return EvaluationCell(
        **name._asdict(),
        error=PartValues(**{part: estimates[f"error_{part}"] for part in PARTS}),
        cross_entropy=PartValues(**{part: estimates[f"cross_entropy_{part}"] for part in PARTS}),
        gate=estimates["gate"],
        distance_to_in_weight=estimates["distance_to_in_weight"],
        distance_to_in_context=estimates["distance_to_in_context"],
    )


def values_of(cell: EvaluationCell) -> Array:
    """What :func:`cell_of` makes the cell of."""
    parts = [getattr(values, part) for values in (cell.error, cell.cross_entropy) for part in PARTS]
    estimates = [*parts, cell.gate, cell.distance_to_in_weight, cell.distance_to_in_context]
    return np.stack([estimate.of_replicates for estimate in estimates])


def find_cell(cells: Sequence[EvaluationCell], name: tuple[str, str, str], task: AnyTask) -> EvaluationCell:
    """The cell of a base, context and group; ``KeyError``, with the reason where the task has one, if there is none."""
    for cell in cells:
        if (cell.base, cell.context, cell.group) == name:
            return cell
    group = name[2] if len(name) == 3 and tuple(name[:1]) == ("out-of-base",) else None
    reason = absent_out_of_base(task).get(str(group))
    raise KeyError(name) if reason is None else KeyError(f"{name} was not asked: {reason}")


def absent_to_list(task: AnyTask) -> list[dict[str, str]]:
    """Groups without out-of-base questions under the names of the JSON contract."""
    return [
        {"base": "out-of-base", "group": group, "reason": reason} for group, reason in absent_out_of_base(task).items()
    ]


@dataclass(frozen=True, kw_only=True, eq=False)
class Evaluation:
    """How learners answer after their training.

    Parameters
    ----------
    task, model : TaskDistribution, GatedPredictor
        What was trained.
    steps, replicates, seed : int
        How.
    prompts : int
        Questions in each cell and replicate.
    cells : tuple of EvaluationCell
        One for each base, context and group; ``evaluation["out-of-base", "relevant", "low"]`` is one of them. A group
        of a single label has none out-of-base, nor has any where every episode has labels of its own.
    """

    task: AnyTask
    model: GatedPredictor
    steps: int
    replicates: int
    prompts: int
    seed: int
    cells: tuple[EvaluationCell, ...]

    def __getitem__(self, name: tuple[str, str, str]) -> EvaluationCell:
        return find_cell(self.cells, name, self.task)

    def to_dict(self) -> dict[str, Any]:
        """The JSON contract: lists ``cells`` and ``absent`` (who was not asked, and why), and how they came about."""
        from theory.setting_file import to_dict

        return {
            "cells": [cell.to_dict() for cell in self.cells],
            "absent": absent_to_list(self.task),
            "steps": self.steps,
            "replicates": self.replicates,
            "prompts": self.prompts,
            "seed": self.seed,
            "setting": to_dict(self.task, self.model),
        }
