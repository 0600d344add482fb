"""A simulation as a table: results of groups or classes, and gate curves of strata."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulate.curves import GateCurve
from simulate.evaluation.grading import PARTS
from simulate.run_result import GroupResult, Run
from simulate.sweeps.tables import Quantity, Table, distinct, quantity

LETTERS = {"in_weight": "in-weight predictor g", "in_context": "in-context predictor h", "gated": "gated predictor f"}
"""What the predictors are called."""
_LATE = "over the last tenth of the steps"


def table_of_run(run: Run, curve_points: int) -> Table:
    """Table of a run.

    Along ``class`` (the groups of a two-level task, the classes of another one): ``members`` (number of classes),
    ``class_probability``, ``crossing_steps`` with ``crossing_low`` and ``crossing_high`` (a 95 % interval; a low end of
    0 stands for a gate that is never below 1/2), ``gate_mean``, ``loss_in_weight``, ``loss_in_context``,
    ``loss_gated``. Numbers: ``regret_in_weight`` and ``regret_in_context`` with ``…_bound``. Along ``stratum`` and
    ``checkpoint``: ``gate`` and ``gate_standard_error``. The strata of a two-level task are its groups; those of
    another one are numbered from the most frequent classes on, so that they are the same in all cells of a sweep, and
    have ``stratum_members`` and ``stratum_class_probability`` of their own.

    Parameters
    ----------
    run : Run
        What was simulated.
    curve_points : int
        Checkpoints kept of the curves, evenly spaced in the logarithm as far as there are some, the first and the last
        among them; 0: no curves. What is kept is exact.
    """
    classes = np.array(distinct(entry.name for entry in run.entries))
    coordinates: dict[str, NDArray[Any]] = {"class": classes}
    quantities = _of_classes(run.entries) | _of_regret(run)
    if curve_points:
        grouped = run.task.grouped
        names = list(classes) if grouped else [str(number) for number in range(1, len(run.strata) + 1)]
        curves = [stratum.curve for stratum in run.strata]
        kept = kept_checkpoints(curves[0].steps, curve_points)
        coordinates |= {"stratum": np.array(names), "checkpoint": curves[0].steps[kept]}
        quantities |= ({} if grouped else _of_strata(run.strata)) | _of_curves(curves, kept)
    return Table(coordinates=coordinates, quantities=quantities)


def kept_checkpoints(steps: NDArray[np.int64], number: int) -> NDArray[np.intp]:
    """Places of checkpoints that are nearly evenly spaced in the logarithm, both ends among them.

    Parameters
    ----------
    steps : ndarray of int, shape (k,)
        Checkpoints, increasing.
    number : int
        How many are wanted, at least 2; there are fewer where several wishes have the same nearest checkpoint.

    Examples
    --------
    >>> kept_checkpoints(np.array([1, 2, 3, 5, 8, 13, 21, 34, 55, 100]), 3).tolist()
    [0, 4, 9]
    """
    logs = np.log(steps.astype(np.float64))
    wishes = np.linspace(logs[0], logs[-1], number)
    if steps.size == 1:
        return np.zeros(1, dtype=np.intp)
    after = np.searchsorted(logs, wishes).clip(1, steps.size - 1)
    nearest = np.where(wishes - logs[after - 1] <= logs[after] - wishes, after - 1, after)
    return np.unique(nearest)


def _of_classes(entries: Sequence[GroupResult]) -> dict[str, Quantity]:
    def along(values: list[Any], unit: str, meaning: str) -> Quantity:
        return quantity(["class"], values, unit, meaning)

    intervals = [entry.boundary.interval or (None, None) for entry in entries]
    crossing = "where the mean gate last rises through 1/2 (missing: not by the last step, or never below)"
    found = {
        "members": along([entry.num_classes for entry in entries], "", "number of classes of this name"),
        "class_probability": along([entry.class_probability for entry in entries], "", "probability of one of them"),
        "crossing_steps": along([entry.boundary.steps for entry in entries], "steps", crossing),
        "crossing_low": along([low for low, _ in intervals], "steps", f"{crossing}: lower end of a 95 % interval"),
        "crossing_high": along([high for _, high in intervals], "steps", f"{crossing}: upper end of a 95 % interval"),
        "gate_mean": along([entry.gate_mean for entry in entries], "", f"mean weight on g {_LATE}"),
    }
    for part in PARTS:
        losses = [getattr(entry.loss, part) for entry in entries]
        found[f"loss_{part}"] = along(losses, "nats", f"mean loss of the {LETTERS[part]} at visits {_LATE}")
    return found


def _of_regret(run: Run) -> dict[str, Quantity]:
    found = {}
    for part in PARTS[:2]:
        against = f"regret against the {LETTERS[part]}"
        largest = f"largest {against} over gate cells and replicates"
        found[f"regret_{part}"] = quantity([], getattr(run.regret, part), "nats", largest)
        bound = getattr(run.regret, f"{part}_bound")
        found[f"regret_{part}_bound"] = quantity([], bound, "nats", f"bound on the {against}")
    return found


def _of_strata(strata: Sequence[GroupResult]) -> dict[str, Quantity]:
    members = [stratum.num_classes for stratum in strata]
    probabilities = [stratum.class_probability for stratum in strata]
    return {
        "stratum_members": quantity(["stratum"], members, "", "number of classes in the stratum"),
        "stratum_class_probability": quantity(["stratum"], probabilities, "", "mean probability of its classes"),
    }


def _of_curves(curves: Sequence[GateCurve], kept: NDArray[np.intp]) -> dict[str, Quantity]:
    dimensions = ("stratum", "checkpoint")
    means = np.stack([curve.mean[kept] for curve in curves])
    errors = [curve.standard_error for curve in curves]
    lacking = np.ma.MaskedArray(np.zeros(kept.size), mask=True)
    error = np.ma.stack([lacking if error is None else np.ma.MaskedArray(error[kept]) for error in errors])
    return {
        "gate": quantity(dimensions, means, "", "mean weight on g after so many steps"),
        "gate_standard_error": quantity(dimensions, error, "", "standard error of the mean over replicates"),
    }
