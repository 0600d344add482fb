"""How answers change along the training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulate.evaluation.estimates import plain
from simulate.evaluation.grading import PARTS
from simulate.evaluation.results import EvaluationCell, absent_to_list, find_cell
from theory.checks import choice
from theory.setting import AnyTask, GatedPredictor

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class TrainingLosses:
    """Losses in training between neighbouring checkpoints (before the first one: from the start), of one group.

    Parameters
    ----------
    group : str
        Whose queries.
    visits : ndarray, shape (k, replicates)
        Number of its queries in each interval.
    in_weight, in_context, gated : ndarray, shape (k, replicates)
        Sums of the losses in nats.
    """

    group: str
    visits: Array
    in_weight: Array
    in_context: Array
    gated: Array

    def mean(self, part: str) -> tuple[Any, Any]:
        r"""Mean loss of a predictor over the interval's visits in all replicates, and its standard error.

        The mean is the ratio :math:`\bar\ell = \sum_r S_r/\sum_r n_r` of summed losses and visits; its standard error
        that of a ratio, :math:`\sqrt{\frac{R}{R-1}\sum_r (S_r - \bar\ell\,n_r)^2}/\sum_r n_r`.

        Parameters
        ----------
        part : {"in_weight", "in_context", "gated"}
            Whose loss.

        Returns
        -------
        mean, standard_error : masked array, shape (k,)
            Masked where no replicate had a visit, and the standard error where fewer than two had; it is ``None`` for
            a run of one replicate.
        """
        sums = getattr(self, choice("part", part, PARTS))
        total = self.visits.sum(axis=-1)
        none = total == 0
        visits = np.where(none, 1.0, total)
        mean = sums.sum(axis=-1) / visits
        replicates = sums.shape[-1]
        if replicates < 2:
            return np.ma.masked_array(mean, none), None
        # As in Estimate: deviations from an infinite mean have no meaning.
        finite = np.isfinite(mean)
        ratio = np.where(finite, mean, 0.0)[:, None]
        apart = np.where(finite[:, None], sums - ratio * self.visits, np.inf)
        error = np.sqrt((apart**2).sum(axis=-1) * replicates / (replicates - 1)) / visits
        # One replicate with visits says nothing about how replicates differ.
        few = np.count_nonzero(self.visits, axis=-1) < 2
        return np.ma.masked_array(mean, none), np.ma.masked_array(error, few)

    def to_dict(self) -> dict[str, Any]:
        """Means and standard errors as lists; ``None`` where there is none."""
        means = {part: self.mean(part) for part in PARTS}
        return {
            "group": self.group,
            "loss": {part: {"mean": plain(m), "standard_error": plain(error)} for part, (m, error) in means.items()},
        }


def losses_of(group: str, values: Array) -> TrainingLosses:
    """Training losses from visits and sums, shape (4, k, replicates)."""
    visits, in_weight, in_context, gated = values
    return TrainingLosses(group=group, visits=visits, in_weight=in_weight, in_context=in_context, gated=gated)


@dataclass(frozen=True, kw_only=True, eq=False)
class Trace:
    """How learners answer along their training.

    Parameters
    ----------
    task, model : TaskDistribution, GatedPredictor
        What was trained.
    steps : ndarray of int, shape (k,)
        Steps of training at the checkpoints.
    replicates, prompts, seed : int
        How; ``prompts`` is the number of questions in each cell and replicate, the same at all checkpoints.
    cells : tuple of EvaluationCell
        One for each base, context and group, with values of shape (k, replicates);
        ``trace["out-of-base", "relevant", "low"]`` is one of them.
    training : tuple of TrainingLosses
        One for each group that occurs in training.
    """

    task: AnyTask
    model: GatedPredictor
    steps: NDArray[np.int64]
    replicates: int
    prompts: int
    seed: int
    cells: tuple[EvaluationCell, ...]
    training: tuple[TrainingLosses, ...]

    def __getitem__(self, name: tuple[str, str, str]) -> EvaluationCell:
        return find_cell(self.cells, name, self.task)

    def curve(self, part: str, measure: str, base: str, context: str, group: str) -> tuple[Any, Any]:
        """Mean and standard error of a predictor's measure at the checkpoints.

        Parameters
        ----------
        part : {"in_weight", "in_context", "gated"}
            Whose.
        measure : {"error", "cross_entropy"}
            What.
        base, context, group : str
            The questions.

        Returns
        -------
        mean, standard_error : ndarray, shape (k,)
            The standard error is ``None`` for one replicate.
        """
        values = getattr(self[base, context, group], choice("measure", measure, ("error", "cross_entropy")))
        estimate = getattr(values, choice("part", part, PARTS))
        return estimate.mean, estimate.standard_error

    def training_loss(self, part: str, group: str) -> tuple[Any, Any]:
        """Mean training loss of a predictor before each checkpoint: see :meth:`TrainingLosses.mean`."""
        for losses in self.training:
            if losses.group == group:
                return losses.mean(part)
        raise KeyError(group)

    def to_dict(self) -> dict[str, Any]:
        """The JSON contract: lists over the checkpoints ``steps``."""
        from theory.setting_file import to_dict

        return {
            "steps": self.steps.tolist(),
            "cells": [cell.to_dict() for cell in self.cells],
            "absent": absent_to_list(self.task),
            "training": [losses.to_dict() for losses in self.training],
            "replicates": self.replicates,
            "prompts": self.prompts,
            "seed": self.seed,
            "setting": to_dict(self.task, self.model),
        }
