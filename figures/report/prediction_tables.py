"""What is predicted and what is simulated, group by group or class by class, as tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from figures.report.numbers_in_words import NOTHING, interval_text, mean_text, number_text, percent_text
from figures.report.tables import Table, spread_by_frequency, table
from simulate.agreements import Agreement
from simulate.run_result import GroupResult, Run
from theory.prediction import ClassPrediction, Prediction, ends

_PREDICTED = (
    "class",
    "p_x of one class",
    "phase",
    "risk of h, nats",
    "least risk H, nats",
    "g becomes better, visits",
    "boundary, visits",
    "boundary, steps",
    "single runs (95 %), steps",
)
_SIMULATED = ("class", "p_x of one class", "boundary, steps", "95 % interval, steps", "mean gate at the end")
_AGREEMENT = (
    "class",
    "predicted, steps",
    "simulated, steps",
    "95 % interval, steps",
    "predicted against simulated",
    "inside the interval",
)


def predicted_table(prediction: Prediction) -> Table:
    """Risks, phases and boundaries."""
    entries = prediction.entries
    emerges = any(entry.emerge_steps is not None for entry in entries)
    return table(
        "Predicted risks, phases and boundaries",
        (*_PREDICTED, "emerges, steps") if emerges else _PREDICTED,
        [_predicted_row(entry, emerges) for entry in entries],
        [_predicted_data(entry) for entry in entries],
        file_name="predicted.csv",
        shown=spread_by_frequency([entry.class_probability for entry in entries]),
    )


def _predicted_row(entry: ClassPrediction, emerges: bool) -> tuple[str, ...]:
    visits, bracket = entry.vanish_visits, entry.rigorous_steps
    row = (
        group_text(entry),
        number_text(entry.class_probability),
        entry.phase,
        number_text(entry.in_context_risk),
        number_text(entry.bayes_risk),
        number_text(visits.instantaneous),
        number_text(visits.sharp),
        number_text(entry.vanish_steps),
        NOTHING if bracket is None else interval_text((bracket.lower, bracket.upper)),
    )
    return (*row, number_text(entry.emerge_steps)) if emerges else row


def _predicted_data(entry: ClassPrediction) -> dict[str, Any]:
    lower, upper = ends(entry.rigorous_steps) or (None, None)
    return {
        "class": entry.name,
        "num_classes": entry.num_classes,
        "class_probability": entry.class_probability,
        "phase": entry.phase,
        "in_context_risk_nats": entry.in_context_risk,
        "bayes_risk_nats": entry.bayes_risk,
        "instantaneous_visits": entry.vanish_visits.instantaneous,
        "asymptotic_visits": entry.vanish_visits.asymptotic,
        "sharp_visits": entry.vanish_visits.sharp,
        "sharp_steps": entry.vanish_steps,
        "rigorous_steps_lower": lower,
        "rigorous_steps_upper": upper,
        "emerge_steps": entry.emerge_steps,
    }


def simulated_table(run: Run) -> Table:
    """Simulated boundaries, and the mean gate at the last step."""
    uncertainty = " (± standard error)" if run.replicates > 1 else ""
    return table(
        f"Simulated boundaries, and mean gates after {run.steps:,} steps{uncertainty}",
        _SIMULATED,
        [_simulated_row(entry) for entry in run.entries],
        [_simulated_data(entry) for entry in run.entries],
        file_name="simulated.csv",
        shown=spread_by_frequency([entry.class_probability for entry in run.entries]),
    )


def _last_gate(entry: GroupResult) -> tuple[float, float | None]:
    error = entry.curve.standard_error
    return float(entry.curve.mean[-1]), None if error is None else float(error[-1])


def _simulated_row(entry: GroupResult) -> tuple[str, ...]:
    return (
        group_text(entry),
        number_text(entry.class_probability),
        number_text(entry.boundary.steps),
        interval_text(entry.boundary.interval),
        mean_text(*_last_gate(entry)),
    )


def _simulated_data(entry: GroupResult) -> dict[str, Any]:
    mean, error = _last_gate(entry)
    low, high = entry.boundary.interval or (None, None)
    return {
        "class": entry.name,
        "num_classes": entry.num_classes,
        "class_probability": entry.class_probability,
        "boundary_steps": entry.boundary.steps,
        "interval_low": low,
        "interval_high": high,
        "last_gate_mean": mean,
        "last_gate_standard_error": error,
    }


def agreement_table(rows: Sequence[Agreement], prediction: Prediction) -> Table:
    """Predicted against simulated boundaries."""
    return table(
        "Predicted and simulated boundaries",
        _AGREEMENT,
        [
            (
                row.name,
                number_text(row.predicted),
                number_text(row.simulated),
                interval_text(row.interval),
                percent_text(row.relative_error),
                {None: NOTHING, True: "yes", False: "no"}[row.inside],
            )
            for row in rows
        ],
        [_agreement_data(row) for row in rows],
        file_name="agreement.csv",
        shown=spread_by_frequency([entry.class_probability for entry in prediction.entries]),
    )


def _agreement_data(row: Agreement) -> dict[str, Any]:
    data = row.to_dict()
    low, high = data.pop("interval") or (None, None)
    return {**data, "interval_low": low, "interval_high": high}


def group_text(entry: ClassPrediction | GroupResult) -> str:
    """Name of a class, or of a group with how many classes it has."""
    return entry.name if entry.num_classes == 1 else f"{entry.name} ({entry.num_classes:,})"
