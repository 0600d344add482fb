"""The axes of a sweep: what changes along each, from lists, ranges and named cases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cache
from typing import Any

from theory.checks import choice
from theory.errors import SettingError, unknown_name
from theory.ranges import parse_values
from theory.setting import EpisodeDistribution, LabelRule, RowKind, TaskDistribution
from theory.setting_file import PARTS
from theory.setting_file.episode_tables import KIND_TABLES

Value = float | int | bool | str
_RANGE_KEYS = ("low", "high", "count", "spacing")


@dataclass(frozen=True, kw_only=True)
class GridAxis:
    """One axis of a sweep.

    Parameters
    ----------
    name : str
        Dotted name of the setting that changes along it (without ``task.``), or any name for an axis of cases.
    values : tuple of float, int, bool or str
        Its values, or the names of the cases; all different.
    changes : tuple of tuple of (str, object)
        For each value the settings that it changes, with what they change to.
    """

    name: str
    values: tuple[Value, ...]
    changes: tuple[tuple[tuple[str, Any], ...], ...]


def grid_axis(name: str, given: object) -> GridAxis:
    """An axis from what a user gave.

    Parameters
    ----------
    name : str
        Dotted setting, such as ``label_noise`` or ``model.in_context.odds``; any name for cases.
    given : sequence, str or mapping
        Listed values; ``"low:high:count"`` or ``"low:high:count:log"``; ``{low, high, count, spacing}``; or
        ``{cases = {NAME = {SETTING = VALUE, ...}, ...}}``, where every case changes several settings at once.
        A range of a setting that is a whole number is rounded, without repetition.

    Raises
    ------
    SettingError
        It is none of these, or has a value twice.

    Examples
    --------
    >>> grid_axis("task.relevant_examples", {"low": 1, "high": 8, "count": 4, "spacing": "log"}).values
    (1, 2, 4, 8)
    >>> grid_axis("size", {"cases": {"small": {"num_low": 5}, "large": {"num_low": 50}}}).changes
    ((('num_low', 5),), (('num_low', 50),))
    """
    field = f"axes.{name}"
    name = name.removeprefix("task.")
    if isinstance(given, Mapping) and "cases" in given:
        return _axis_of_cases(field, name, given)
    values = _values(field, name, given)
    return GridAxis(name=name, values=values, changes=tuple(((name, value),) for value in values))


def _axis_of_cases(field: str, name: str, given: Mapping[str, Any]) -> GridAxis:
    for key in given:
        if key != "cases":
            raise unknown_name(f"{field} key", key, ("cases",))
    cases = given["cases"]
    if not isinstance(cases, Mapping) or not cases:
        raise SettingError(f"{field}.cases", cases, "a table with a table of settings for every case")
    for case, changes in cases.items():
        if not isinstance(changes, Mapping) or not changes:
            raise SettingError(f"{field}.cases.{case}", changes, "a table of settings, such as { num_low = 5 }")
    changed = tuple(tuple(changes.items()) for changes in cases.values())
    return GridAxis(name=name, values=tuple(map(str, cases)), changes=changed)


def _values(field: str, name: str, given: object) -> tuple[Value, ...]:
    if isinstance(given, Mapping):
        given = _range_text(field, given)
    if isinstance(given, str):
        values = _spanned(field, name, given)
    elif isinstance(given, Sequence):
        values = [_plain(field, value) for value in given]
    else:
        raise SettingError(field, given, "a list of values, {low, high, count, spacing}, or {cases}")
    if not values:
        raise SettingError(field, given, "at least one value")
    # 1 and true are equal in Python, but not the same value.
    if len({(isinstance(value, bool), value) for value in values}) < len(values):
        raise SettingError(field, given, "different values")
    return tuple(values)


def _range_text(field: str, given: Mapping[str, Any]) -> str:
    for key, value in given.items():
        if key not in _RANGE_KEYS:
            if isinstance(value, Mapping | list):
                raise SettingError(field, key, f'a dotted name in quotes, such as "{field[5:]}.{key}"')
            raise unknown_name(f"{field} key", key, (*_RANGE_KEYS, "cases"))
    for key in _RANGE_KEYS[:3]:
        value = given.get(key)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise SettingError(f"{field}.{key}", value, "a number")
    spacing = choice(f"{field}.spacing", given.get("spacing", "linear"), ("linear", "log"))
    return ":".join([*(repr(given[key]) for key in _RANGE_KEYS[:3]), *(["log"] if spacing == "log" else [])])


def _spanned(field: str, name: str, text: str) -> list[Value]:
    values = parse_values(field, text, text)
    if name.rpartition(".")[2] not in whole_settings():
        return list(values)
    if ":" in text:
        return list(dict.fromkeys(round(value) for value in values))
    return [int(value) if value.is_integer() else value for value in values]


def _plain(field: str, value: object) -> Value:
    if hasattr(value, "item") and getattr(value, "ndim", None) == 0:
        value = value.item()  # a NumPy number
    if not isinstance(value, bool | int | float | str):
        raise SettingError(field, value, "values that are numbers, true or false, or text")
    if isinstance(value, float) and not abs(value) < float("inf"):
        raise SettingError(field, value, "finite values")
    return value


@cache
def whole_settings() -> frozenset[str]:
    """Names of the settings that are whole numbers.

    Examples
    --------
    >>> "context_length" in whole_settings(), "label_noise" in whole_settings()
    (True, False)
    """
    kinds = [kind for table in (*PARTS.values(), *KIND_TABLES.values()) for kind in table.values()]
    owners = [TaskDistribution, EpisodeDistribution, LabelRule, RowKind, *kinds]
    # Annotations are text here, since every module postpones them.
    return frozenset(f.name for owner in owners for f in fields(owner) if f.type in ("int", "int | None"))
