r"""How the boundary of *one* setting scales with one of its parameters: the local exponent.

The exponent is :math:`d\log n^*/d\log\theta`: -1 where the boundary is inverse to the parameter, 0 where it does not
move. Of the sharp boundary it is a difference between neighbouring predictions. The asymptotic boundary solves
:math:`n\Delta = a\log n + \kappa'`, so that

.. math:: \frac{d\log n}{d\log\theta} = \frac{1}{n\Delta - a}\left[-n\Delta\,\frac{d\log\Delta}{d\log\theta}
    + a\log n\,\frac{d\log a}{d\log\theta} + \frac{d\kappa'}{d\log\theta}\right]

(theorems ``boundary_elasticity_gap``, ``..._weight`` and ``..._prior``): it comes in three parts.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from theory.errors import SettingError, unknown_name
from theory.in_weight import LabelLaw, cumulative_loss_constants
from theory.prediction import ClassPrediction
from theory.setting import GatedPredictor, TaskDistribution
from theory.setting_file import assemble_task, override_setting, to_dict
from theory.solver import predict

_RELATIVE_STEP = 0.01
_WHOLE_STEP = 0.05


@dataclass(frozen=True, kw_only=True)
class LocalExponent:
    r"""Local exponents :math:`d\log(\text{boundary})/d\log(\text{parameter})`; ``None`` where there is no boundary.

    Parameters
    ----------
    parameter : str
        Name of the parameter, as in a settings file.
    value : float
        Where it stands.
    visits : float or None
        Of the sharp boundary in visits.
    steps : float or None
        Of the sharp boundary in steps.
    asymptotic : float or None
        Of the asymptotic boundary in visits, the sum of the next three.
    by_gap, by_weight, by_constant : float or None
        What the gap :math:`\Delta`, the weight :math:`a` and the constant :math:`\kappa'` contribute to it.
    """

    parameter: str
    value: float
    visits: float | None
    steps: float | None
    asymptotic: float | None
    by_gap: float | None
    by_weight: float | None
    by_constant: float | None


def local_exponent(
    task: TaskDistribution, model: GatedPredictor | None, parameter: str, *, name: str | None = None
) -> LocalExponent:
    r"""Local exponent of the boundary of a setting in one of its parameters.

    Parameters
    ----------
    task, model : TaskDistribution, GatedPredictor or None
        The setting.
    parameter : str
        A number of the setting, named as in a settings file: ``label_noise``, ``model.in_context.odds``, ... It is
        moved by a per cent to both sides (a whole number by 5 %, at least 1), or to one where the other is not
        admissible.
    name : str, optional
        Name of the group or class; by default the last one (of a two-level task: ``low``).

    Returns
    -------
    LocalExponent

    Raises
    ------
    SettingError
        The parameter is not a positive number of this setting, or cannot be moved.
    NoTheoryError
        As :func:`theory.predict`.

    Examples
    --------
    >>> task = TaskDistribution(num_high=4, num_low=16, p_high=0.8, context_length=8, relevant_examples=8)
    >>> found = local_exponent(task, None, "model.in_context.floor")
    >>> round(found.visits, 2), round(found.asymptotic, 2)  # inverse, and a little more: the logarithm moves too
    (-1.12, -1.12)
    """
    model = model or GatedPredictor()
    value = _value(task, model, parameter)
    points = [_Point.of(task, model, name)]
    for sign in (-1, 1):
        moved = _moved(task, model, parameter, value, sign)
        if moved is not None:
            points.insert(0 if sign < 0 else len(points), _Point.of(*moved[1], name, moved[0]))
    first, last = points[0], points[-1]
    if len(points) == 1:
        raise SettingError(parameter, value, "a number with an admissible neighbour")
    centre = next(point for point in points if point.value is None)
    width = math.log((last.value or value) / (first.value or value))
    parts = _parts(first, centre, last, width)
    return LocalExponent(
        parameter=parameter,
        value=float(value),
        visits=_log_ratio(first.visits, last.visits, width),
        steps=_log_ratio(first.steps, last.steps, width),
        asymptotic=None if parts is None else math.fsum(parts),
        by_gap=None if parts is None else parts[0],
        by_weight=None if parts is None else parts[1],
        by_constant=None if parts is None else parts[2],
    )


@dataclass(frozen=True)
class _Point:
    """What the exponent needs of one prediction; ``value`` is that of a moved parameter."""

    value: float | None
    visits: float | None
    steps: float | None
    asymptotic: float | None
    gap: float
    weight: float
    constant: float

    @classmethod
    def of(cls, task: TaskDistribution, model: GatedPredictor, name: str | None, value: float | None = None) -> _Point:
        prediction = predict(task, model)
        names = [entry.name for entry in prediction.entries]
        if name is not None and name not in names:
            raise unknown_name("name", name, names)
        found: ClassPrediction = prediction.entries[-1] if name is None else prediction[name]
        labels = LabelLaw(total_labels=task.total_labels, noise=task.label_noise, noisy_labels=task.noisy_labels)
        weight, constant = cumulative_loss_constants(labels, model.in_weight.pseudo_count)
        return cls(
            value=value,
            visits=found.vanish_visits.sharp,
            steps=found.vanish_steps,
            asymptotic=found.vanish_visits.asymptotic,
            gap=found.in_context_risk - found.bayes_risk,
            weight=weight,
            constant=constant - model.gate.prior_log_odds / model.gate.rate,
        )


def _value(task: TaskDistribution, model: GatedPredictor, parameter: str) -> float:
    setting = to_dict(task, model)
    path = parameter.removeprefix("task.").split(".")
    override_setting(to_dict(task, model), parameter, 1)
    value = setting["task"].get(path[0]) if len(path) == 1 else setting["model"].get(path[1], {}).get(path[2])
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        raise SettingError(parameter, value, "a positive number, to have a logarithm")
    return value


def _moved(
    task: TaskDistribution, model: GatedPredictor, parameter: str, value: float, sign: int
) -> tuple[float, tuple[TaskDistribution, GatedPredictor]] | None:
    """The setting with the parameter moved to one side; ``None`` where it is not admissible."""
    if isinstance(value, int):
        moved: float = value + sign * max(1, round(_WHOLE_STEP * value))
    else:
        moved = value * math.exp(sign * _RELATIVE_STEP)
    setting = to_dict(task, model)
    override_setting(setting, parameter, moved)
    try:
        return moved, assemble_task(setting)
    except SettingError:
        return None


def _log_ratio(first: float | None, last: float | None, width: float) -> float | None:
    return None if first is None or last is None else math.log(last / first) / width


def _parts(first: _Point, centre: _Point, last: _Point, width: float) -> tuple[float, float, float] | None:
    n, a = centre.asymptotic, centre.weight
    if n is None or min(first.gap, centre.gap, last.gap) <= 0:
        return None
    slope = n * centre.gap - a
    return (
        -n * centre.gap * math.log(last.gap / first.gap) / (width * slope),
        a * math.log(n) * math.log(last.weight / first.weight) / (width * slope),
        (last.constant - first.constant) / (width * slope),
    )
