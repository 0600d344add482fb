"""What a sweep does with each of its settings, and with which further options."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from theory.checks import choice, integer
from theory.errors import SettingError, unknown_name
from theory.setting_file import assemble

if TYPE_CHECKING:
    from simulate.sweeps.configuration import Configuration
    from simulate.sweeps.tables import Table

MOST_CURVE_POINTS = 10_000
MOST_PROMPTS = 10**9
MOST_CHECKPOINTS = 10_000


@dataclass(frozen=True, kw_only=True)
class MeasureOption:
    """A further setting of a measure.

    Parameters
    ----------
    default : object
        Its value where none was given.
    checked : callable
        From its name and what was given to what is meant; raises :class:`SettingError`.
    """

    default: Any
    checked: Callable[[str, object], Any]


def measure(configuration: Configuration) -> Table:
    """Simulate a configuration; the same one gives the same table to the last bit.

    Parameters
    ----------
    configuration : Configuration
        Setting, numbers, and what to do with them.

    Returns
    -------
    Table
        ``run``: see :func:`simulate.sweeps.run_table.table_of_run`. ``evaluate`` and ``trace``:
        :func:`simulate.sweeps.answer_tables.table_of_evaluation` and
        :func:`~simulate.sweeps.answer_tables.table_of_trace`. No wall-clock time.

    Raises
    ------
    SettingError, NoEngineError
        As :func:`simulate.run`, :func:`simulate.evaluate` and :func:`simulate.trace`; an option is not known or not
        admissible.

    Examples
    --------
    >>> from simulate.sweeps.configuration import Configuration
    >>> setting = {"task": {"num_high": 2, "num_low": 4, "p_high": 0.9}}
    >>> table = measure(Configuration(measure="run", setting=setting, steps=100, replicates=2, seed=0))
    >>> table.coordinates["class"].tolist(), table.quantities["members"].values.tolist()
    (['high', 'low'], [2, 4])
    """
    options = measure_options(configuration.measure, configuration.options)
    return MEASURES[configuration.measure](configuration, options)


def measure_options(name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """All options of a measure: those that were given, checked, and the defaults of the others.

    Parameters
    ----------
    name : {"run", "evaluate", "trace"}
        The measure.
    given : mapping
        Options by name. ``run``: ``curve_points``, checkpoints kept of the mean gates (0: none, else at least 2;
        default 200), and ``engine`` (as of :func:`simulate.run`). ``evaluate``: ``prompts`` (1000).
        ``trace``: ``prompts`` (200) and ``checkpoints`` (40).

    Raises
    ------
    SettingError
        There is no such measure or option, or a value is not admissible.

    Examples
    --------
    >>> measure_options("run", {"curve_points": 50})
    {'curve_points': 50, 'engine': None}
    """
    options = _OPTIONS[choice("measure", name, tuple(_OPTIONS))]
    if not isinstance(given, Mapping):
        raise SettingError("options", given, "a table")
    for key in given:
        if key not in options:
            raise unknown_name(f"option of {name}", str(key), options)
    return {
        key: option.checked(f"options.{key}", given[key]) if key in given else option.default
        for key, option in options.items()
    }


def _run(configuration: Configuration, options: Mapping[str, Any]) -> Table:
    from simulate.simulation import run
    from simulate.sweeps.run_table import table_of_run

    return table_of_run(run(**_stream(configuration), engine=options["engine"]), options["curve_points"])


def _evaluate(configuration: Configuration, options: Mapping[str, Any]) -> Table:
    from simulate.evaluation.evaluating import evaluate
    from simulate.sweeps.answer_tables import table_of_evaluation

    return table_of_evaluation(evaluate(**_stream(configuration), **options))


def _trace(configuration: Configuration, options: Mapping[str, Any]) -> Table:
    from simulate.evaluation.evaluating import trace
    from simulate.sweeps.answer_tables import table_of_trace

    return table_of_trace(trace(**_stream(configuration), **options))


def _stream(configuration: Configuration) -> dict[str, Any]:
    """What all measures want to know."""
    task, model = assemble(configuration.setting)
    return {
        "task": task,
        "model": model,
        "steps": configuration.steps,
        "replicates": configuration.replicates,
        "seed": configuration.seed,
    }


def _number(default: int, maximum: int) -> MeasureOption:
    return MeasureOption(default=default, checked=lambda name, value: integer(name, value, minimum=1, maximum=maximum))


def _curve_points(name: str, value: object) -> int:
    points = integer(name, value, minimum=0, maximum=MOST_CURVE_POINTS)
    if points == 1:
        raise SettingError(name, value, f"0, or a whole number from 2 to {MOST_CURVE_POINTS:,}: both ends of a curve")
    return points


def _engine(name: str, value: object) -> str | None:
    return None if value is None else choice(name, value, ("scan", "step"))


MEASURES: Mapping[str, Callable[[Configuration, Mapping[str, Any]], Table]] = {
    "run": _run,
    "evaluate": _evaluate,
    "trace": _trace,
}
"""From a configuration and all its options to a table, by the measure's name."""
_OPTIONS: Mapping[str, Mapping[str, MeasureOption]] = {
    "run": {
        "curve_points": MeasureOption(default=200, checked=_curve_points),
        "engine": MeasureOption(default=None, checked=_engine),
    },
    "evaluate": {"prompts": _number(1000, MOST_PROMPTS)},
    "trace": {"prompts": _number(200, MOST_PROMPTS), "checkpoints": _number(40, MOST_CHECKPOINTS)},
}
