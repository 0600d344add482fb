"""Predictions and runs of a setting, or of one setting along a parameter: what an overlay is drawn from."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from simulate.run_result import Run
from simulate.simulation import run
from theory.errors import SettingError
from theory.prediction import Prediction
from theory.ranges import parse_values
from theory.setting import GatedPredictor, TaskDistribution
from theory.setting_file import Setting, assemble_task, override_setting
from theory.solver import predict

WHOLE_NUMBERS = ("num_high", "num_low", "num_classes", "num_labels", "context_length", "relevant_examples")
FEWEST_STEPS, MOST_STEPS = 1_000, 2_000_000


@dataclass(frozen=True, kw_only=True, eq=False)
class Comparison:
    """Predictions and runs along a parameter (or of a single setting).

    Parameters
    ----------
    parameter : str or None
        Dotted name of the parameter; ``None`` for a single setting.
    values : tuple of float
        Its values, one for each setting (empty for a single setting).
    predictions : tuple of Prediction
        One for each setting.
    runs : tuple of Run
        One for each setting.
    between : tuple of (float, Prediction)
        Predictions at further values of the parameter, between those that are simulated.
    """

    parameter: str | None
    values: tuple[float, ...]
    predictions: tuple[Prediction, ...]
    runs: tuple[Run, ...]
    between: tuple[tuple[float, Prediction], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Axis:
    """A parameter and the values that it takes, in increasing order."""

    parameter: str
    values: tuple[float, ...]

    @property
    def between(self) -> tuple[float, ...]:
        """Two further values in each gap, where prediction lines are evaluated too; none for whole numbers."""
        if self.parameter in WHOLE_NUMBERS:
            return ()
        gaps = zip(self.values[:-1], self.values[1:], strict=True)
        return tuple(low + (high - low) * share for low, high in gaps for share in (1 / 3, 2 / 3))


def parse_axis(text: str) -> Axis:
    """Read ``key=low:high:count`` (evenly spaced), ``key=low:high:count:log`` or ``key=v1,v2,...``.

    Raises
    ------
    SettingError
        The text has another form, or fewer than two different values.

    Examples
    --------
    >>> parse_axis("label_noise=0.1:0.3:3").values
    (0.1, 0.2, 0.3)
    >>> parse_axis("context_length=1:8:4:log").values
    (1, 2, 4, 8)
    """
    key, separator, spec = text.partition("=")
    key = key.strip().removeprefix("task.")
    if not separator or not key:
        raise SettingError("--vary", text, "key=low:high:count[:log] or key=v1,v2,...")
    values = parse_values("--vary", text, spec)
    if key in WHOLE_NUMBERS:
        values = [_whole(text, value, generated=":" in spec) for value in values]
    distinct = sorted(set(values))
    if len(distinct) < 2:
        raise SettingError("--vary", text, "at least two different values")
    return Axis(parameter=key, values=tuple(distinct))


def _whole(text: str, value: float, *, generated: bool) -> int:
    """A whole number: a generated one is rounded, one that the user listed has to be whole."""
    if not (generated or value.is_integer()):
        raise SettingError("--vary", text, f"whole numbers, not {value:g}")
    return round(value)


def settings_along(
    setting: Setting, parameter: str, values: Sequence[float]
) -> list[tuple[TaskDistribution, GatedPredictor]]:
    """One checked task and model for each value of a parameter: a bad value is an error before anything is computed."""
    result = []
    for value in values:
        changed: dict[str, Any] = copy.deepcopy(setting)
        override_setting(changed, parameter, value)
        result.append(assemble_task(changed))
    return result


def compare_one(
    task: TaskDistribution, model: GatedPredictor, steps: int | None, replicates: int, seed: int
) -> Comparison:
    """Predict and simulate a single setting; arguments as in :func:`compare_along`."""
    prediction = predict(task, model)
    length = sufficient_steps([prediction]) if steps is None else steps
    simulated = run(task, model, length, replicates, seed, progress=True)
    return Comparison(parameter=None, values=(), predictions=(prediction,), runs=(simulated,))


def compare_along(
    setting: Setting,
    axis: Axis,
    steps: int | None,
    replicates: int,
    seed: int,
    advance: Callable[[], object] = lambda: None,
) -> Comparison:
    """Predict and simulate a setting along a parameter.

    Parameters
    ----------
    setting : dict
        Nested settings, from :func:`theory.setting_file.read` or ``to_dict``.
    axis : Axis
        The parameter and its values; from :func:`parse_axis`, for instance.
    steps : int or None
        Steps of every run; ``None`` takes 1.5 times the largest predicted boundary, from 1,000 to 2,000,000.
    replicates, seed : int
        Of the first run; the seed grows by one from run to run, so that their errors are independent.
    advance : callable
        Called after each of the ``2 * len(axis.values) + len(axis.between)`` predictions and runs (for a bar).
    """

    def predicted(values: Sequence[float]) -> list[Prediction]:
        result = []
        for task, model in settings_along(setting, axis.parameter, values):
            result.append(predict(task, model))
            advance()
        return result

    predictions = predicted(axis.values)
    length = sufficient_steps(predictions) if steps is None else steps
    runs = []
    for number, prediction in enumerate(predictions):
        runs.append(run(prediction.task, prediction.model, length, replicates, seed + number))
        advance()
    return Comparison(
        parameter=axis.parameter,
        values=axis.values,
        predictions=tuple(predictions),
        runs=tuple(runs),
        between=tuple(zip(axis.between, predicted(axis.between), strict=True)),
    )


def sufficient_steps(predictions: Sequence[Prediction]) -> int:
    """One and a half times the largest predicted boundary, within the limits, rounded to two digits."""
    boundaries = [entry.vanish_steps for prediction in predictions for entry in prediction.entries]
    wanted = 1.5 * max((boundary for boundary in boundaries if boundary is not None), default=FEWEST_STEPS)
    rounded = float(f"{wanted:.1e}")
    return int(min(max(rounded, FEWEST_STEPS), MOST_STEPS))
