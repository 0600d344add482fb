"""A cell's configuration: all that determines its arrays, with a name that follows from it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from theory.checks import integer
from theory.errors import SettingError
from theory.setting_file import Setting

SCHEMA = 1
"""Version of what configurations mean and cells hold; another one makes other names: nothing old is believed."""
_NUMBERS = {"steps": 1, "replicates": 1, "seed": 0}
_KEYS = ("measure", "setting", *_NUMBERS, "options", "files")


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """All that determines a cell's arrays.

    Parameters
    ----------
    measure : str
        What is done with the setting: a key of ``simulate.sweeps.measures.MEASURES``.
    setting : dict
        Complete settings, as ``theory.setting_file.to_dict`` gives them.
    steps, replicates, seed : int
        As in :func:`simulate.run`.
    options : mapping
        Further settings of the measure, all of them.
    files : mapping of str to str
        SHA-256 of every file that the settings name, by path: the contents count, not the place.

    Examples
    --------
    >>> first = Configuration(measure="run", setting={"task": {}}, steps=10, replicates=1, seed=0)
    >>> second = Configuration.from_dict(first.to_dict())
    >>> first.key == second.key, len(first.key)
    (True, 32)
    """

    measure: str
    setting: Setting
    steps: int
    replicates: int
    seed: int
    options: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, minimum in _NUMBERS.items():
            object.__setattr__(self, name, integer(name, getattr(self, name), minimum=minimum))

    @cached_property
    def key(self) -> str:
        """Name of the cell: 32 hexadecimal digits of SHA-256 over the canonical JSON and the schema's version."""
        data = self.to_dict()
        text = canonical({**data, "files": None, "setting": by_contents(self.setting, self.files), "schema": SCHEMA})
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    def to_dict(self) -> dict[str, Any]:
        """Plain values, from which :meth:`from_dict` makes the same configuration."""
        return {
            "measure": self.measure,
            "setting": self.setting,
            **{name: getattr(self, name) for name in _NUMBERS},
            "options": dict(self.options),
            "files": dict(self.files),
        }

    @classmethod
    def from_dict(cls, data: object) -> Configuration:
        """The configuration that a dictionary describes.

        Raises
        ------
        SettingError
            It describes none.
        """
        if not isinstance(data, Mapping) or set(data) != set(_KEYS):
            raise SettingError("configuration", data, f"a table with the keys {', '.join(_KEYS)}")
        for name in ("setting", "options", "files"):
            if not isinstance(data[name], Mapping):
                raise SettingError(f"configuration.{name}", data[name], "a table")
        return cls(**data)

    def check_files(self) -> None:
        """Raise :class:`SettingError` where a file that the settings name has other contents than it had."""
        for path, digest in self.files.items():
            if file_digest(path) != digest:
                raise SettingError("file", path, "the contents that it had when the sweep was made")


def canonical(data: object) -> str:
    """JSON with one spelling for equal data: sorted keys, no spaces, numbers as Python writes them.

    Raises
    ------
    SettingError
        The data holds something that a file has no name for, such as a user's own part.
    """
    try:
        return json.dumps(data, sort_keys=True, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError) as error:
        raise SettingError("configuration", data, f"numbers, text, lists and tables only ({error})") from error


def named_files(setting: Setting) -> dict[str, str]:
    """Digests of the files that settings name (a user's own inputs), by path."""
    inputs = setting.get("episodes", {}).get("inputs", {})
    return {inputs["file"]: file_digest(inputs["file"])} if "file" in inputs else {}


def plain_values(data: Any) -> Any:
    """The same data with Python's own numbers and lists in place of NumPy's and of tuples."""
    if isinstance(data, Mapping):
        return {key: plain_values(value) for key, value in data.items()}
    if isinstance(data, np.ndarray | np.generic):
        return data.tolist()
    return [plain_values(value) for value in data] if isinstance(data, list | tuple) else data


def with_absolute_files(setting: Setting) -> Setting:
    """The same settings, with files named so that they are found from every folder."""
    inputs = setting.get("episodes", {}).get("inputs", {})
    if not isinstance(inputs, Mapping) or not isinstance(inputs.get("file"), str):
        return setting
    file = str(Path(inputs["file"]).resolve())
    return {**setting, "episodes": {**setting["episodes"], "inputs": {**inputs, "file": file}}}


def by_contents(setting: Setting, files: Mapping[str, str]) -> Setting:
    """The same settings, with the digest of a file in place of its path."""
    if not files:
        return setting
    inputs = setting["episodes"]["inputs"]
    return {**setting, "episodes": {**setting["episodes"], "inputs": {**inputs, "file": files[inputs["file"]]}}}


def file_digest(path: str) -> str:
    """SHA-256 of a file's contents."""
    try:
        return hashlib.sha256(Path(path).read_bytes()).hexdigest()
    except OSError as error:
        raise SettingError("file", path, f"a file that can be read ({error.strerror or error})") from error


def derived_seed(seed: int, setting: Setting) -> int:
    """Seed of a cell from that of its grid and its settings (by contents), so that cells are independent of each other.

    Neither the number of steps nor that of replicates counts: with more of them a cell's replicates only go on.
    """
    text = canonical({"seed": seed, "setting": setting})
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1
