"""Evaluations and traces as tables: what learners answer to questions of every kind."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from simulate.evaluation.exam import BASES, CONTEXTS
from simulate.evaluation.grading import PARTS
from simulate.evaluation.results import Evaluation, EvaluationCell
from simulate.evaluation.traces import Trace
from simulate.sweeps.run_table import LETTERS
from simulate.sweeps.tables import Quantity, Table, quantity

_QUESTIONS = ("base", "context", "class")
_ERROR = "_standard_error"
_SPREAD = "standard error over replicates: "


def table_of_evaluation(evaluation: Evaluation) -> Table:
    """Table of an evaluation.

    Along ``base`` (in-base, out-of-base), ``context`` (relevant, irrelevant) and ``class`` (the groups that were asked
    for): ``error_…`` and ``cross_entropy_…`` of ``in_weight``, ``in_context`` and ``gated``, ``gate`` and
    ``in_context_share``, each with its ``…_standard_error``; missing where there is none, and for kinds of questions
    that were not asked.

    Parameters
    ----------
    evaluation : Evaluation
        What was found.
    """
    groups = _groups(evaluation.cells)
    quantities = _of_answers(evaluation.cells, groups, _QUESTIONS, ())
    return Table(coordinates=_coordinates(groups), quantities=quantities)


def table_of_trace(trace: Trace) -> Table:
    """Table of a trace.

    As :func:`table_of_evaluation`, along ``checkpoint`` too; and, along ``class`` and ``checkpoint``,
    ``training_loss_…`` with its ``…_standard_error``: mean losses in training since the checkpoint before.

    Parameters
    ----------
    trace : Trace
        What was found.
    """
    groups = _groups(trace.cells)
    quantities = _of_answers(trace.cells, groups, (*_QUESTIONS, "checkpoint"), trace.steps.shape)
    return Table(
        coordinates={**_coordinates(groups), "checkpoint": trace.steps},
        quantities=quantities | _of_training(trace, groups),
    )


def _missing(shape: tuple[int, ...]) -> Any:
    """A masked array to be filled."""
    return np.ma.MaskedArray(np.zeros(shape), mask=True)


def _groups(cells: Iterable[EvaluationCell]) -> list[str]:
    return list(dict.fromkeys(cell.group for cell in cells))


def _coordinates(groups: Sequence[str]) -> dict[str, Any]:
    return {name: np.array(labels) for name, labels in zip(_QUESTIONS, (BASES, CONTEXTS, groups), strict=True)}


def _of_answers(
    cells: Sequence[EvaluationCell], groups: Sequence[str], dimensions: Sequence[str], further: tuple[int, ...]
) -> dict[str, Quantity]:
    shape = (len(BASES), len(CONTEXTS), len(groups), *further)
    filled: dict[str, Any] = {}
    told: dict[str, tuple[str, str]] = {}
    for cell in cells:
        place = BASES.index(cell.base), CONTEXTS.index(cell.context), groups.index(cell.group)
        for name, unit, meaning, estimate in _measures(cell):
            values: dict[str, Any] = {name: None, name + _ERROR: None}
            if estimate is not None:
                values = {name: estimate.mean, name + _ERROR: estimate.standard_error}
            told |= {name: (unit, meaning), name + _ERROR: (unit, _SPREAD + meaning)}
            for key, value in values.items():
                whole = filled.setdefault(key, _missing(shape))
                if value is not None:
                    whole[place] = value
    return {name: quantity(dimensions, values, *told[name]) for name, values in filled.items()}


def _measures(cell: EvaluationCell) -> Iterator[tuple[str, str, str, Any]]:
    """Name, unit, meaning and estimate of everything that is known of the answers to one kind of questions."""
    for part in PARTS:
        yield f"error_{part}", "", f"0-1 error of the {LETTERS[part]}", getattr(cell.error, part)
    for part in PARTS:
        loss = f"cross-entropy of the {LETTERS[part]}"
        yield f"cross_entropy_{part}", "nats", loss, getattr(cell.cross_entropy, part)
    yield "gate", "", "weight on g", cell.gate
    yield "in_context_share", "", "how far f follows h rather than g, from 0 to 1", cell.in_context_share


def _of_training(trace: Trace, groups: Sequence[str]) -> dict[str, Quantity]:
    found = {}
    for part in PARTS:
        mean = _missing((len(groups), trace.steps.size))
        error = _missing(mean.shape)
        for losses in trace.training:
            own_mean, own_error = losses.mean(part)
            mean[groups.index(losses.group)] = own_mean
            if own_error is not None:
                error[groups.index(losses.group)] = own_error
        meaning = f"mean loss of the {LETTERS[part]} in training since the checkpoint before"
        dimensions = ("class", "checkpoint")
        found[f"training_loss_{part}"] = quantity(dimensions, mean, "nats", meaning)
        found[f"training_loss_{part}{_ERROR}"] = quantity(dimensions, error, "nats", _SPREAD + meaning)
    return found
