"""Where settings come from: presets and TOML files."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterable, Mapping
from importlib import resources
from pathlib import Path
from typing import Any

from theory.errors import SettingError, unknown_name
from theory.setting import AnyTask, GatedPredictor
from theory.setting_file.assembly import Setting, assemble
from theory.setting_file.counts import read_counts, read_text
from theory.setting_file.overrides import (
    FREQUENCY_SETTINGS,
    changes_kind,
    override_setting,
    parse_override,
    replace_frequencies,
)
from theory.setting_file.parts import checked_table


def load(
    source: str | Path, *, counts: str | Path | None = None, overrides: Iterable[str] = ()
) -> tuple[AnyTask, GatedPredictor]:
    """Task and model from a preset's name or a TOML file.

    Parameters
    ----------
    source : str or Path
        Name of a preset (see :func:`presets`), or path of a TOML file.
    counts : str or Path, optional
        CSV file with the columns ``class`` and ``count``; replaces the frequencies.
    overrides : iterable of str
        ``key=value`` pairs: task keys as ``label_noise=0.1``, and dotted ones as ``model.in_context.odds=50``,
        ``episodes.labels.label_noise=0.1`` or ``episodes.rows.bursty.share=0.8``.

    Returns
    -------
    task, model : TaskDistribution or EpisodeDistribution, GatedPredictor

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
    """Settings as nested dictionaries (``task`` or ``episodes``, ``model``), not yet checked; arguments as in load."""
    setting = _read_source(source)
    if counts is not None:
        classes = _class_table(setting)
        replace_frequencies(classes, "counts")
        classes.update(read_counts(counts))
    # A frequency law, or the kind of a part, comes before the settings that belong to it, however they were typed.
    pairs = sorted(map(parse_override, overrides), key=lambda pair: not changes_kind(pair[0]))
    for key, value in pairs:
        if counts is not None and _bare(key) in FREQUENCY_SETTINGS:
            raise SettingError(key, value, "nothing, since the counts replace the frequencies")
        override_setting(setting, key, value)
    return setting


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
    return parse_setting(parsed, folder)


def parse_setting(parsed: Mapping[str, Any], folder: Path) -> Setting:
    """Settings from the tables of a file in a folder: the files that they name are read, or found."""
    setting: Setting = {key: dict(checked_table(key, value)) for key, value in parsed.items()}
    if "episodes" not in setting:
        setting.setdefault("task", {})
    if "model" in setting:
        setting["model"] = {k: dict(checked_table(f"model.{k}", v)) for k, v in setting["model"].items()}
    _read_files(setting, folder)
    return setting


def _read_files(setting: Setting, folder: Path) -> None:
    """Read the counts, and find the arrays, whose paths are relative to the settings file."""
    classes = _class_table(setting)
    if "counts_file" in classes:
        given = classes.pop("counts_file")
        if not isinstance(given, str):
            raise SettingError("counts_file", given, "the path of a CSV file, relative to the task file")
        classes.update(read_counts(folder / given))
        classes.setdefault("frequencies", "counts")
    inputs = setting.get("episodes", {}).get("inputs")
    if isinstance(inputs, dict) and isinstance(inputs.get("file"), str):
        setting["episodes"]["inputs"] = {**inputs, "file": str(folder / inputs["file"])}


def _class_table(setting: Setting) -> dict[str, Any]:
    """The table that holds the frequencies."""
    if "episodes" not in setting:
        return setting["task"]
    table = dict(checked_table("episodes.classes", setting["episodes"].get("classes", {})))
    setting["episodes"]["classes"] = table
    return table


def _bare(key: str) -> str:
    return key.removeprefix("task.").removeprefix("episodes.classes.")
