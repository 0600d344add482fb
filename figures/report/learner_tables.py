"""What the learners answer after their training, and the regret of their gates, as tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from figures.report.numbers_in_words import estimate_text, number_text
from figures.report.tables import Table, table
from simulate.evaluation.grading import PARTS
from simulate.evaluation.results import Evaluation, EvaluationCell
from simulate.regrets.rows import RegretRow

_ROUNDING = 1e-9
_LETTERS = dict(zip(PARTS, "ghf", strict=True))
_ERRORS = ("labels, context, classes", *(f"error of {letter}" for letter in _LETTERS.values()))
_LOSSES = ("labels, context, classes", *(f"loss of {letter}, nats" for letter in _LETTERS.values()))
_REGRETS = ("held against", "regret, nats", "bound, nats", "slack, nats", "visits", "theorem")


def error_table(evaluation: Evaluation) -> Table:
    """Shares of wrong answers, the gate, and whom the gated predictor follows."""
    return table(
        f"Shares of wrong answers{_uncertainty(evaluation)}",
        (*_ERRORS, "gate", "in-context share"),
        [
            (
                _name(cell),
                *(estimate_text(getattr(cell.error, part)) for part in PARTS),
                estimate_text(cell.gate),
                estimate_text(cell.in_context_share),
            )
            for cell in evaluation.cells
        ],
        _evaluation_data(evaluation),
        file_name="evaluation.csv",
    )


def loss_table(evaluation: Evaluation) -> Table:
    """Cross-entropies against the law of the label."""
    return table(
        f"Cross-entropies against the law of the label, nats{_uncertainty(evaluation)}",
        _LOSSES,
        [
            (_name(cell), *(estimate_text(getattr(cell.cross_entropy, part)) for part in PARTS))
            for cell in evaluation.cells
        ],
        _evaluation_data(evaluation),
        file_name="evaluation.csv",
    )


def _uncertainty(evaluation: Evaluation) -> str:
    return " (± standard error)" if evaluation.replicates > 1 else ""


def _name(cell: EvaluationCell) -> str:
    return f"{cell.base}, {cell.context}, {cell.group}"


def _evaluation_data(evaluation: Evaluation) -> list[dict[str, Any]]:
    return [_flat(cell.to_dict()) for cell in evaluation.cells]


def _flat(values: dict[str, Any], name: str = "") -> dict[str, Any]:
    """Nested names joined by underscores; what does not exist keeps both of its columns."""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        full = f"{name}_{key}" if name else key
        if key == "in_context_share" and value is None:
            flat |= {f"{full}_mean": None, f"{full}_standard_error": None}
        else:
            flat |= _flat(value, full) if isinstance(value, dict) else {full: value}
    return flat


def regret_rows_table(rows: Sequence[RegretRow]) -> Table:
    """The regret of the gate where it comes nearest to its bounds."""
    return table(
        "Regret of the gate where it comes nearest to its bound",
        _REGRETS,
        [
            (
                row.comparator,
                number_text(row.regret),
                number_text(row.bound),
                # A bound that is reached leaves the rounding of long sums.
                number_text(0.0 if abs(row.slack) < _ROUNDING else row.slack),
                f"{row.visits:,}",
                row.theorem,
            )
            for row in rows
        ],
        [row.to_dict() for row in rows],
        file_name="regret.csv",
    )
