"""Settings as files: TOML in and out, named presets, single overrides, and class counts from CSV."""

from __future__ import annotations

import csv
import io
import json
import os
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import MISSING, fields
from importlib import resources
from pathlib import Path
from typing import Any, Protocol

from theory.errors import SettingError, unknown_name
from theory.setting import (
    FREQUENCY_KEYS,
    LARGEST_NUMBER,
    AdaHedgeGate,
    Attention,
    BayesGate,
    DecreasingHedgeGate,
    DirichletTable,
    ExponentiatedGradientGate,
    FixedShareGate,
    GatedPredictor,
    HedgeGate,
    KernelAttention,
    LabelPosterior,
    LearnedAttention,
    LogisticGate,
    LogisticRegression,
    MajorityVote,
    ProjectedGradientGate,
    TaskDistribution,
    UniversalMixtureGate,
)

_KINDS: dict[str, tuple[type, ...]] = {
    "in_weight": (DirichletTable, LogisticRegression),
    "in_context": (Attention, LearnedAttention, KernelAttention, LabelPosterior, MajorityVote),
    "gate": (
        BayesGate,
        HedgeGate,
        DecreasingHedgeGate,
        AdaHedgeGate,
        FixedShareGate,
        UniversalMixtureGate,
        ExponentiatedGradientGate,
        ProjectedGradientGate,
        LogisticGate,
    ),
}
PARTS: dict[str, dict[str, type]] = {
    role: {part.kind: part for part in parts}  # type: ignore[attr-defined]
    for role, parts in _KINDS.items()
}
"""For every role in the model the kinds of parts that a settings file can name."""


FREQUENCY_SETTINGS = (
    "frequencies",
    "counts_file",
    *dict.fromkeys(key for keys in FREQUENCY_KEYS.values() for key in keys),
)


class _Rows(Protocol):
    """What ``csv.reader`` returns."""

    line_num: int

    def __iter__(self) -> Iterator[list[str]]: ...

    def __next__(self) -> list[str]: ...


TASK_KEYS = tuple(f.name for f in fields(TaskDistribution))
Setting = dict[str, dict[str, Any]]


def load(
    source: str | Path, *, counts: str | Path | None = None, overrides: Iterable[str] = ()
) -> tuple[TaskDistribution, GatedPredictor]:
    """Task and model from a preset's name or a TOML file.

    Parameters
    ----------
    source : str or Path
        Name of a preset (see :func:`presets`), or path of a TOML file.
    counts : str or Path, optional
        CSV file with the columns ``class`` and ``count``; replaces the frequencies.
    overrides : iterable of str
        ``key=value`` pairs: task keys as ``label_noise=0.1``, and dotted ones as ``model.in_context.odds=50``.

    Returns
    -------
    task, model : TaskDistribution, GatedPredictor

    Raises
    ------
    SettingError
        The file is missing or not TOML, a key is unknown (the nearest known one is suggested), or a value is not
        admissible.

    Examples
    --------
    >>> task, model = load("paper", overrides=["p_high=0.5", "model.gate.prior_in_weight=0.9"])
    >>> task.p_high, model.gate.prior_in_weight
    (0.5, 0.9)
    """
    return assemble(read(source, counts=counts, overrides=overrides))


def read(source: str | Path, *, counts: str | Path | None = None, overrides: Iterable[str] = ()) -> Setting:
    """Settings as nested dictionaries (``task`` and ``model``), merged but not yet checked; arguments as in load."""
    setting = _read_source(source)
    if counts is not None:
        _replace_frequencies(setting["task"], "counts")
        setting["task"].update(read_counts(counts))
    # A frequency law, or the kind of a part, comes before the settings that belong to it, however they were typed.
    pairs = sorted(map(parse_override, overrides), key=lambda pair: not _changes_kind(pair[0]))
    for key, value in pairs:
        if counts is not None and key.removeprefix("task.") in FREQUENCY_SETTINGS:
            raise SettingError(key, value, "nothing, since the counts replace the frequencies")
        override_setting(setting, key, value)
    return setting


def assemble(setting: Mapping[str, Any]) -> tuple[TaskDistribution, GatedPredictor]:
    """Checked task and model from nested dictionaries."""
    for section in setting:
        if section not in ("task", "model"):
            raise unknown_name("section", section, ("task", "model"))
    task = _table("task", setting.get("task", {}))
    for key in task:
        if key not in TASK_KEYS:
            raise unknown_name("task key", key, TASK_KEYS)
    model = _table("model", setting.get("model", {}))
    for role in model:
        if role not in PARTS:
            raise unknown_name("model part", role, PARTS)
    parts = {role: _part(role, _table(f"model.{role}", model.get(role, {}))) for role in PARTS}
    return TaskDistribution(**task), GatedPredictor(**parts)


def _part(role: str, table: Mapping[str, Any]) -> Any:
    values = dict(table)
    kinds = PARTS[role]
    kind = values.pop("kind", next(iter(kinds)))
    if not isinstance(kind, str) or kind not in kinds:
        raise unknown_name(f"model.{role}.kind", str(kind), kinds)
    known = [f.name for f in fields(kinds[kind])]
    for key in values:
        if key not in known:
            raise _unknown_part_key(role, key, known)
    for needed in (f.name for f in fields(kinds[kind]) if f.default is MISSING and f.default_factory is MISSING):
        if needed not in values:
            raise SettingError(f"model.{role}.{needed}", None, f"a value, since kind = {kind!r} has no default for it")
    return kinds[kind](**values)


def _unknown_part_key(role: str, key: str, known: Sequence[str]) -> SettingError:
    owners = [other for other, part in PARTS[role].items() if key in {f.name for f in fields(part)}]
    if owners:
        return SettingError(f"model.{role} key", key, f"one of kind, {', '.join(known)} (kind {owners[0]!r} has it)")
    return unknown_name(f"model.{role} key", key, ("kind", *known))


def _table(name: str, value: object) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise SettingError(name, value, "a table of settings, such as [task] or [model.gate], with its settings")
    return value


def presets() -> dict[str, str]:
    """Names of the presets and what each stands for (the comment on its first line)."""
    folder = resources.files("theory.preset_files")
    found = {}
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.name.endswith(".toml"):
            first = entry.read_text(encoding="utf-8").splitlines()[0]
            found[entry.name.removesuffix(".toml")] = first.removeprefix("#").strip()
    return found


def _read_source(source: str | Path) -> Setting:
    text = str(source)
    if text in presets():
        content = (resources.files("theory.preset_files") / f"{text}.toml").read_text(encoding="utf-8")
        return _parse(text, content, Path())
    path = Path(source)
    if path.suffix != ".toml" and not os.path.exists(path):
        raise unknown_name("task", text, (*presets(), "the path of a TOML file"))
    return _parse(text, read_text("task file", path), path.parent)


def _parse(name: str, content: str, folder: Path) -> Setting:
    try:
        parsed = tomllib.loads(content)
    except (ValueError, RecursionError) as error:
        # Not only syntax: Python also refuses numbers of thousands of digits and very deep nesting.
        raise SettingError("task file", name, f"valid TOML ({error})") from error
    setting: Setting = {key: dict(_table(key, value)) for key, value in parsed.items()}
    task = setting.setdefault("task", {})
    if "model" in setting:
        setting["model"] = {k: dict(_table(f"model.{k}", v)) for k, v in setting["model"].items()}
    if "counts_file" in task:
        given = task.pop("counts_file")
        if not isinstance(given, str):
            raise SettingError("counts_file", given, "the path of a CSV file, relative to the task file")
        task.update(read_counts(folder / given))
        task.setdefault("frequencies", "counts")
    return setting


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
    """Set one key in nested settings; a new frequency law drops the settings of the old one."""
    path = key.removeprefix("task.").split(".")
    if path[0] == "model":
        known = _part_keys()
        if len(path) != 3 or path[1] not in PARTS:
            raise unknown_name("setting", key, known)
        part = setting.setdefault("model", {}).setdefault(path[1], {})
        if path[2] == "kind" and value != part.get("kind", next(iter(PARTS[path[1]]))):
            part = _replace_kind(path[1], part, value)
            setting["model"][path[1]] = part
        part[path[2]] = value
        return
    if len(path) != 1 or path[0] not in (*TASK_KEYS, "counts_file"):
        for owner in _part_keys():
            if owner.endswith(f".{key}"):
                raise SettingError("setting", key, f"a task key, or a part's with its place: {owner!r}")
        raise unknown_name(
            "setting",
            key,
            (*TASK_KEYS, "counts_file", "model.in_weight.…", "model.in_context.…", "model.gate.…"),
        )
    task = setting.setdefault("task", {})
    if path[0] == "frequencies" and value != task.get("frequencies", "two-level"):
        _replace_frequencies(task, value)
    elif path[0] == "counts_file":
        _replace_frequencies(task, "counts")
        task.update(read_counts(str(value)))
    else:
        task[path[0]] = value


def _changes_kind(key: str) -> bool:
    return key.removeprefix("task.") == "frequencies" or (key.startswith("model.") and key.endswith(".kind"))


def _replace_kind(role: str, part: Mapping[str, Any], kind: object) -> dict[str, Any]:
    """Settings of a part that its new kind has too, such as a floor."""
    new = PARTS[role].get(kind) if isinstance(kind, str) else None
    known = {f.name for f in fields(new)} if new is not None else set()
    return {name: value for name, value in part.items() if name in known}


def _part_keys() -> list[str]:
    """Dotted names of the settings that the model's parts have."""
    return [f"model.{role}.{f.name}" for role, kinds in PARTS.items() for kind in kinds.values() for f in fields(kind)]


def _replace_frequencies(task: dict[str, Any], law: Any) -> None:
    for key in {key for keys in FREQUENCY_KEYS.values() for key in keys}:
        task.pop(key, None)
    task["frequencies"] = law


def read_counts(path: str | Path) -> dict[str, tuple[Any, ...]]:
    """Class names and counts from a CSV file with the columns ``class`` and ``count`` (others are ignored).

    Parameters
    ----------
    path : str or Path
        The file, UTF-8, with a header line.

    Returns
    -------
    dict
        ``class_names`` (strings) and ``counts`` (non-negative integers), in the file's order.

    Raises
    ------
    SettingError
        A column is missing, a count is not a whole number or negative, a class is named twice, or there is no class.
    """
    path = Path(path)
    # newline="": line ends within quoted names are theirs.
    reader = csv.reader(io.StringIO(read_text("counts_file", path), newline=""))
    try:
        return _parse_counts(path, reader)
    except csv.Error as error:
        raise SettingError("counts_file", str(path), f"a CSV file ({error} in line {reader.line_num})") from error


def _parse_counts(path: Path, reader: _Rows) -> dict[str, tuple[Any, ...]]:
    header = [name.strip() for name in next(reader, [])]
    for column in ("class", "count"):
        if column not in header:
            raise SettingError(
                "counts_file",
                str(path),
                f"a CSV file with the columns class,count (no {column!r} in its header)",
            )
    name_at, count_at = header.index("class"), header.index("count")
    names: dict[str, int] = {}
    for row in reader:
        if not row:
            continue
        where = f"{path.name} line {reader.line_num}"
        if len(row) <= max(name_at, count_at):
            raise SettingError(where, ",".join(row), "a class and a count")
        name, text = row[name_at], row[count_at].strip()
        if not (text.isascii() and text.isdigit() and len(text) <= len(str(LARGEST_NUMBER))):
            raise SettingError(f"{where}, count", text, f"a whole number of at least 0 and at most {LARGEST_NUMBER:,}")
        if name in names:
            raise SettingError(f"{where}, class", name, "a class that is not listed before")
        names[name] = int(text)
    if not names:
        raise SettingError("counts_file", str(path), "at least two classes")
    return {"class_names": tuple(names), "counts": tuple(names.values())}


def read_text(field: str, path: Path) -> str:
    """Content of a UTF-8 file, or a :class:`SettingError` that names the field."""
    try:
        # utf-8-sig: spreadsheets put a byte order mark before the header.
        with path.open(encoding="utf-8-sig", newline="") as file:
            return file.read()
    except OSError as error:
        raise SettingError(field, str(path), f"a readable file ({error.strerror or error})") from error
    except UnicodeDecodeError as error:
        raise SettingError(field, str(path), f"a UTF-8 text file ({error.reason} at byte {error.start})") from error
    except ValueError as error:
        raise SettingError(field, str(path), f"the path of a file ({error})") from error


def to_dict(task: TaskDistribution, model: GatedPredictor) -> Setting:
    """Nested dictionaries that :func:`assemble` turns into the same task and model; settings left out are left out.

    Examples
    --------
    >>> task, model = load("paper")
    >>> assemble(to_dict(task, model)) == (task, model)
    True
    """
    own = {name: getattr(task, name) for name in TASK_KEYS}
    parts = {}
    for role in PARTS:
        part = getattr(model, role)
        kind = getattr(part, "kind", type(part).__name__)
        parts[role] = {"kind": kind, **{f.name: _plain(getattr(part, f.name)) for f in fields(part)}}
    plain = {name: _plain(value) for name, value in own.items() if value is not None}
    return {"task": plain, "model": parts}


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


def to_toml(task: TaskDistribution, model: GatedPredictor) -> str:
    """The settings as TOML text, which :func:`load` reads back to equal objects."""
    setting = to_dict(task, model)
    lines = ["[task]", *(f"{key} = {_toml_value(value)}" for key, value in setting["task"].items())]
    for role, part in setting["model"].items():
        lines += ["", f"[model.{role}]", *(f"{key} = {_toml_value(value)}" for key, value in part.items())]
    return "\n".join(lines) + "\n"


def _toml_value(value: object) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(_toml_value(item) for item in value) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        # A JSON string is a TOML basic string, but for DEL, which TOML wants escaped.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return repr(value)
