"""Settings as nested dictionaries and as TOML text."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any

from theory.setting import AnyTask, EpisodeDistribution, GatedPredictor
from theory.setting_file.assembly import TASK_KEYS, Setting
from theory.setting_file.episode_tables import episode_table, plain
from theory.setting_file.parts import PARTS


def to_dict(task: AnyTask, model: GatedPredictor) -> Setting:
    """Nested dictionaries that :func:`assemble` turns into the same task and model; settings left out are left out.

    Examples
    --------
    >>> from theory.setting_file import assemble, load
    >>> task, model = load("paper")
    >>> assemble(to_dict(task, model)) == (task, model)
    True
    """
    parts = {}
    for role in PARTS:
        part = getattr(model, role)
        kind = getattr(part, "kind", type(part).__name__)
        parts[role] = {"kind": kind, **{f.name: plain(getattr(part, f.name)) for f in fields(part)}}
    if isinstance(task, EpisodeDistribution):
        return {"episodes": episode_table(task), "model": parts}
    own = {name: getattr(task, name) for name in TASK_KEYS}
    return {"task": {name: plain(value) for name, value in own.items() if value is not None}, "model": parts}


def to_toml(task: AnyTask, model: GatedPredictor) -> str:
    """The settings as TOML text, which :func:`load` reads back to equal objects."""
    setting = to_dict(task, model)
    lines = []
    for section in ("task", "episodes"):
        if section in setting:
            lines += _toml_table(section, setting[section])
    for role, part in setting["model"].items():
        lines += ["", *_toml_table(f"model.{role}", part)]
    return "\n".join(lines) + "\n"


def _toml_table(name: str, table: dict[str, Any]) -> list[str]:
    """Lines of a table: its values first, then the tables within it."""
    inner = {key: value for key, value in table.items() if _is_table(value)}
    lines = [f"[{name}]", *(f"{key} = {_toml_value(value)}" for key, value in table.items() if key not in inner)]
    for key, value in inner.items():
        tables = value if isinstance(value, list) else [value]
        for entry in tables:
            header, *settings = _toml_table(f"{name}.{key}", entry)
            lines += ["", f"[{header}]" if isinstance(value, list) else header, *settings]
    return lines


def _is_table(value: object) -> bool:
    return isinstance(value, dict) or (isinstance(value, list) and bool(value) and isinstance(value[0], dict))


def _toml_value(value: object) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(_toml_value(item) for item in value) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        # A JSON string is a TOML basic string, but for DEL, which TOML wants escaped.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return repr(value)
