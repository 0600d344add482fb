"""Episode distributions as tables of a settings file: ``[episodes]`` and its six parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from theory.errors import SettingError, unknown_name
from theory.setting import (
    INPUT_KINDS,
    SAMPLING_KINDS,
    ArrayInputs,
    ClassLaw,
    EpisodeDistribution,
    LabelRule,
    RowKind,
)
from theory.setting_file.parts import checked_table, kind_of, made, made_of_kind

EPISODE_KEYS = tuple(f.name for f in fields(EpisodeDistribution))
NUMBERS = ("context_length", "held_out_classes")
PLAIN_TABLES: dict[str, type] = {"classes": ClassLaw, "labels": LabelRule}
KIND_TABLES: dict[str, dict[str, type]] = {"inputs": INPUT_KINDS, "sampling": SAMPLING_KINDS}
ROW_KEYS = tuple(f.name for f in fields(RowKind))


def assemble_episodes(table: Mapping[str, Any]) -> EpisodeDistribution:
    """Checked episode distribution from nested dictionaries."""
    for key in table:
        if key not in EPISODE_KEYS:
            raise unknown_name("episodes key", key, EPISODE_KEYS)
    values = {key: table[key] for key in NUMBERS if key in table}
    values["classes"] = _class_law(table.get("classes", {}))
    values["rows"] = tuple(_row_kind(row) for row in row_tables(table.get("rows")))
    if "labels" in table:
        values["labels"] = made("episodes.labels", LabelRule, checked_table("episodes.labels", table["labels"]))
    if "inputs" in table:
        values["inputs"] = _inputs(checked_table("episodes.inputs", table["inputs"]))
    if "sampling" in table:
        sampling = checked_table("episodes.sampling", table["sampling"])
        values["sampling"] = made_of_kind("episodes.sampling", SAMPLING_KINDS, sampling)
    return EpisodeDistribution(**values)


def row_tables(rows: object) -> list[dict[str, Any]]:
    """The tables of the kinds of rows."""
    if not isinstance(rows, Sequence) or isinstance(rows, str) or not rows:
        raise SettingError("episodes.rows", rows, "at least one table [[episodes.rows]]")
    if not all(isinstance(row, dict) for row in rows):
        raise SettingError("episodes.rows", rows, "tables [[episodes.rows]], each with its settings")
    return list(rows)


def _class_law(table: object) -> ClassLaw:
    try:
        law: ClassLaw = made("episodes.classes", ClassLaw, checked_table("episodes.classes", table))
    except SettingError as error:
        if error.field.startswith("episodes"):
            raise
        # The class law is a task's, too, and so does not know its place.
        raise SettingError(f"episodes.classes.{error.field}", error.value, error.allowed) from error
    return law


def _row_kind(table: Mapping[str, Any]) -> RowKind:
    place = f"episodes.rows.{table['name']}" if isinstance(table.get("name"), str) else "episodes.rows"
    row: RowKind = made(place, RowKind, table)
    return row


def _inputs(table: Mapping[str, Any]) -> Any:
    if kind_of("episodes.inputs", INPUT_KINDS, table.get("kind", "tabular")) != ArrayInputs.kind:
        return made_of_kind("episodes.inputs", INPUT_KINDS, table)
    for key in table:
        if key not in ("kind", "file"):
            raise unknown_name("episodes.inputs key", key, ("kind", "file"))
    file = table.get("file")
    if not isinstance(file, str):
        raise SettingError("episodes.inputs.file", file, "the path of an .npz file with embeddings and classes")
    return ArrayInputs.from_file(file)


def episode_table(episodes: EpisodeDistribution) -> dict[str, Any]:
    """Nested dictionaries that :func:`assemble_episodes` turns into an equal distribution."""
    return {
        **{key: getattr(episodes, key) for key in NUMBERS},
        "classes": _given(episodes.classes),
        "rows": [_given(kind) for kind in episodes.rows],
        "inputs": {"kind": episodes.inputs.kind, **_input_table(episodes.inputs)},
        "labels": _given(episodes.labels),
        "sampling": {"kind": episodes.sampling.kind, **_given(episodes.sampling)},
    }


def _input_table(inputs: Any) -> dict[str, Any]:
    if not isinstance(inputs, ArrayInputs):
        return _given(inputs)
    if inputs.file is None:
        raise SettingError("episodes.inputs.file", None, "a file, since settings can only name where arrays are")
    return {"file": inputs.file}


def _given(part: Any) -> dict[str, Any]:
    """Settings of a part that are not left out."""
    values = {f.name: getattr(part, f.name) for f in fields(part)}
    return {name: plain(value) for name, value in values.items() if value is not None}


def plain(value: object) -> object:
    """Tuples as lists, within each other too."""
    return [plain(entry) for entry in value] if isinstance(value, tuple) else value


def episode_setting_keys() -> list[str]:
    """Dotted names of all settings of an episode distribution."""
    keys = [f"episodes.{key}" for key in NUMBERS]
    for name, part in PLAIN_TABLES.items():
        keys += [f"episodes.{name}.{f.name}" for f in fields(part)]
    for name, kinds in KIND_TABLES.items():
        names = dict.fromkeys(f.name for kind in kinds.values() if kind is not ArrayInputs for f in fields(kind))
        keys += [f"episodes.{name}.{key}" for key in ("kind", *names)]
    return [*keys, "episodes.inputs.file", *(f"episodes.rows.NAME.{key}" for key in ROW_KEYS)]
