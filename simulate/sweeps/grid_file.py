"""Grids as TOML files."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from simulate.sweeps.grid import Grid, with_changes
from simulate.sweeps.grid_axes import GridAxis, grid_axis
from theory.errors import SettingError, unknown_name
from theory.setting_file import Setting, read_text
from theory.setting_file.parts import checked_table
from theory.setting_file.sources import parse_setting, read

_SECTIONS = ("sweep", "axes", "task", "episodes", "model")
_PLAIN = tuple(f.name for f in fields(Grid) if f.name not in ("setting", "axes"))
_KEYS = ("base", "set", *_PLAIN)
_FILES = ("counts_file", "inputs.file")


def read_grid(path: str | Path) -> Grid:
    """The grid of a TOML file.

    ``[sweep]`` holds ``steps``, ``replicates``, ``seed`` and the other numbers of :class:`simulate.sweeps.grid.Grid`,
    and optionally ``base``: a preset's name or a settings file, relative to this file, with changes in ``[sweep.set]``.
    Without a base, ``[task]`` (or ``[episodes]``) and ``[model.*]`` stand in the file itself. ``[axes]`` has an entry
    for each axis:

    .. code-block:: toml

        [axes]
        label_noise = { low = 0.02, high = 0.2, count = 8 }
        "model.in_context.odds" = { low = 5, high = 50, count = 4, spacing = "log" }
        relevant_examples = [1, 2, 4]

    Parameters
    ----------
    path : str or Path
        The file.

    Raises
    ------
    SettingError
        The file is missing or not TOML, a key is unknown, or a value is not admissible.
    """
    content = read_text("grid file", Path(path))
    try:
        parsed = tomllib.loads(content)
    except (ValueError, RecursionError) as error:
        raise SettingError("grid file", str(path), f"valid TOML ({error})") from error
    return grid_of(parsed, Path(path).parent)


def grid_of(parsed: Mapping[str, Any], folder: Path = Path()) -> Grid:
    """The grid that a grid file's tables describe.

    Parameters
    ----------
    parsed : mapping
        The tables.
    folder : Path
        What paths are relative to.

    Examples
    --------
    >>> grid_of({"sweep": {"base": "transient", "steps": 1000}, "axes": {"label_noise": "0:0.2:5"}}).shape
    (5,)
    """
    for section in parsed:
        if section not in _SECTIONS:
            raise unknown_name("section", section, _SECTIONS)
    numbers = dict(checked_table("sweep", parsed.get("sweep", {})))
    for key in numbers:
        if key not in _KEYS:
            raise unknown_name("sweep key", key, _KEYS)
    axes = checked_table("axes", parsed.get("axes", {}))
    setting = _base(parsed, numbers.pop("base", None), folder)
    changes = _found_from(folder, checked_table("sweep.set", numbers.pop("set", {})))
    along = tuple(grid_axis(name, given) for name, given in axes.items())
    _check_apart(changes, along)
    return Grid(setting=with_changes(setting, changes.items()), axes=along, **numbers)


def _found_from(folder: Path, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Changes whose files are named from the grid file's folder."""
    return {
        key: str(folder / value) if key.endswith(_FILES) and isinstance(value, str) else value
        for key, value in changes.items()
    }


def _check_apart(changes: Mapping[str, Any], axes: Sequence[GridAxis]) -> None:
    """Raise where a setting has a value, and values along an axis too."""
    moved = {key for axis in axes for case in axis.changes for key, _ in case}
    for key in changes:
        if key.removeprefix("task.") in moved or key in moved:
            raise SettingError("sweep.set", key, "nothing for a setting that an axis changes")


def _base(parsed: Mapping[str, Any], base: object, folder: Path) -> Setting:
    own = {section: parsed[section] for section in ("task", "episodes", "model") if section in parsed}
    if base is None:
        return parse_setting(own, folder)
    if own:
        raise SettingError("sweep.base", base, f"nothing, since the file has a section [{next(iter(own))}] of its own")
    if not isinstance(base, str):
        raise SettingError("sweep.base", base, "a preset's name, or the path of a settings file")
    return read(folder / base if base.endswith(".toml") else base)
