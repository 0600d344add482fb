"""How well a prediction and a simulation agree: numbers, not adjectives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from simulate.run_result import GroupResult, Run
from theory.errors import SettingError
from theory.prediction import ClassPrediction, Prediction


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """Predicted against simulated boundary of one group or class, in steps.

    Parameters
    ----------
    name : str
        Group or class.
    predicted, simulated : float or None
        Boundaries; ``None`` where there is none.
    interval : pair or None
        Interval of the simulated boundary.
    """

    name: str
    predicted: float | None
    simulated: float | None
    interval: tuple[float, float] | None

    @property
    def relative_error(self) -> float | None:
        """Predicted minus simulated boundary, as a share of the simulated one; ``None`` where one is missing."""
        if self.predicted is None or self.simulated is None:
            return None
        return self.predicted / self.simulated - 1

    @property
    def inside(self) -> bool | None:
        """Whether the prediction lies in the interval; ``None`` where one of them is missing."""
        if self.predicted is None or self.interval is None:
            return None
        low, high = self.interval
        return low <= self.predicted <= high

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, strings and ``None``."""
        return {
            "name": self.name,
            "predicted_steps": self.predicted,
            "simulated_steps": self.simulated,
            "interval": None if self.interval is None else list(self.interval),
            "relative_error": self.relative_error,
            "inside_interval": self.inside,
        }


def agreement(prediction: Prediction, run: Run) -> tuple[Agreement, ...]:
    """Compare all groups or classes of a prediction and a run of the same setting.

    Parameters
    ----------
    prediction : Prediction
        From ``theory.predict``.
    run : Run
        From ``simulate.run``, with the same task and model.

    Raises
    ------
    SettingError
        If the two are of different settings.

    Examples
    --------
    >>> import theory, simulate
    >>> task = theory.TaskDistribution(num_high=2, num_low=4, p_high=0.9, context_length=4, relevant_examples=1)
    >>> rows = agreement(theory.predict(task), simulate.run(task, steps=10_000, replicates=40, seed=1))
    >>> [abs(row.relative_error) < 0.2 for row in rows]
    [True, True]
    """
    check_same_setting(prediction, run)
    return tuple(compare(entry, result) for entry, result in zip(prediction.entries, run.entries, strict=True))


def check_same_setting(prediction: Prediction, run: Run) -> None:
    """Raise :class:`SettingError` if a prediction and a run are of different settings."""
    if (prediction.task, prediction.model) != (run.task, run.model):
        raise SettingError("run", run.task, "a run of the prediction's own task and model")


def compare(predicted: ClassPrediction, simulated: GroupResult) -> Agreement:
    """Compare one group or class."""
    return Agreement(
        name=predicted.name,
        predicted=predicted.vanish_steps,
        simulated=simulated.boundary.steps,
        interval=simulated.boundary.interval,
    )
