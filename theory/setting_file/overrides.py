"""Single settings changed by ``key=value``."""

from __future__ import annotations

import tomllib
from typing import Any

from theory.errors import SettingError, unknown_name
from theory.setting import FREQUENCY_KEYS
from theory.setting_file.assembly import TASK_KEYS, Setting
from theory.setting_file.counts import read_counts
from theory.setting_file.episode_tables import (
    KIND_TABLES,
    NUMBERS,
    episode_setting_keys,
    row_tables,
)
from theory.setting_file.parts import PARTS, checked_table, kept_for_kind, part_keys

FREQUENCY_SETTINGS = (
    "frequencies",
    "counts_file",
    *dict.fromkeys(key for keys in FREQUENCY_KEYS.values() for key in keys),
)


def parse_override(text: str) -> tuple[str, Any]:
    """Split ``key=value``; the value is read as a TOML value, or else taken as a string (never evaluated).

    Examples
    --------
    >>> parse_override("label_noise=0.1"), parse_override("frequencies=zipf")
    (('label_noise', 0.1), ('frequencies', 'zipf'))
    """
    key, separator, value = text.partition("=")
    if not separator or not key.strip():
        raise SettingError("--set", text, "key=value, such as label_noise=0.1")
    return key.strip(), parse_value(value.strip())


def parse_value(text: str) -> Any:
    """One TOML value; numbers in Python's wider spelling (``.5``) too, and bare words as strings."""
    try:
        parsed = tomllib.loads(f"value = {text}")
    except (ValueError, RecursionError):
        try:
            return float(text)
        except ValueError:
            return text
    return parsed["value"] if set(parsed) == {"value"} else text


def override_setting(setting: Setting, key: str, value: Any) -> None:
    """Set one key in nested settings; a new frequency law, or a new kind, drops the settings of the old one."""
    path = key.removeprefix("task.").split(".")
    if path[0] == "model":
        _override_part(setting, key, value)
    elif path[0] == "episodes":
        _override_episodes(setting, key, value)
    elif "episodes" in setting:
        raise _no_place(key, episode_setting_keys())
    elif len(path) != 1 or path[0] not in (*TASK_KEYS, "counts_file"):
        if any(owner.endswith(f".{key}") for owner in part_keys()):
            raise _no_place(key, part_keys(), "a task key, or a part's with its place: ")
        model = ("model.in_weight.…", "model.in_context.…", "model.gate.…")
        raise unknown_name("setting", key, (*TASK_KEYS, "counts_file", *model))
    else:
        _override_class_law(setting.setdefault("task", {}), path[0], value)


def _override_part(setting: Setting, key: str, value: Any) -> None:
    path = key.removeprefix("task.").split(".")
    if len(path) != 3 or path[1] not in PARTS:
        raise unknown_name("setting", key, part_keys())
    parts = setting.setdefault("model", {})
    parts[path[1]] = _changed(dict(parts.get(path[1], {})), PARTS[path[1]], path[2], value)


def _override_episodes(setting: Setting, key: str, value: Any) -> None:
    if "episodes" not in setting:
        raise SettingError("setting", key, "a key of [task], since these settings have no [episodes]")
    path = key.split(".")
    known = episode_setting_keys()
    name = ".".join((*path[:2], "NAME", *path[3:])) if path[1:2] == ["rows"] and len(path) == 4 else key
    if name not in (*known, "episodes.classes.counts_file"):
        raise unknown_name("setting", key, known)
    episodes = setting["episodes"]
    if path[1] in NUMBERS:
        episodes[path[1]] = value
    elif path[1] == "rows":
        _row(episodes, path[2])[path[3]] = value
    else:
        table = dict(checked_table(f"episodes.{path[1]}", episodes.get(path[1], {})))
        if path[1] in KIND_TABLES:
            table = _changed(table, KIND_TABLES[path[1]], path[2], value)
        elif path[1] == "classes":
            _override_class_law(table, path[2], value)
        else:
            table[path[2]] = value
        episodes[path[1]] = table


def _row(episodes: dict[str, Any], name: str) -> dict[str, Any]:
    """The table of a kind of rows, by its name."""
    rows = [dict(row) for row in row_tables(episodes.get("rows"))]
    episodes["rows"] = rows
    named = {str(row.get("name")): row for row in rows}
    if name not in named:
        raise unknown_name("episodes.rows.name", name, named)
    return named[name]


def _changed(part: dict[str, Any], kinds: dict[str, type], key: str, value: Any) -> dict[str, Any]:
    """A part's table with one setting changed; a new kind keeps what it shares with the old one."""
    if key == "kind" and value != part.get("kind", next(iter(kinds))):
        part = kept_for_kind(kinds, part, value)
    part[key] = value
    return part


def _override_class_law(table: dict[str, Any], key: str, value: Any) -> None:
    if key == "frequencies" and value != table.get("frequencies", "two-level"):
        replace_frequencies(table, value)
    elif key == "counts_file":
        replace_frequencies(table, "counts")
        table.update(read_counts(str(value)))
    else:
        table[key] = value


def _no_place(key: str, known: list[str], introduction: str = "a setting with its place: ") -> SettingError:
    """Error for a key that only exists elsewhere, or not at all."""
    bare = key.removeprefix("task.")
    for owner in known:
        if owner.endswith(f".{bare}"):
            return SettingError("setting", key, f"{introduction}{owner!r}")
    return unknown_name("setting", key, known)


def changes_kind(key: str) -> bool:
    """Whether a setting decides which others there are."""
    bare = key.removeprefix("task.")
    return bare in ("frequencies", "episodes.classes.frequencies") or (
        bare.startswith(("model.", "episodes.")) and bare.endswith(".kind")
    )


def replace_frequencies(table: dict[str, Any], law: Any) -> None:
    """Put another frequency law in place of the one that is there."""
    for key in {key for keys in FREQUENCY_KEYS.values() for key in keys}:
        table.pop(key, None)
    table["frequencies"] = law
