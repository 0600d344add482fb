"""Settings as files: TOML in and out, named presets, single overrides, and class counts from CSV."""

from __future__ import annotations

from theory.setting_file.assembly import TASK_KEYS, Setting, assemble, assemble_task
from theory.setting_file.counts import read_counts, read_text
from theory.setting_file.overrides import FREQUENCY_SETTINGS, override_setting, parse_override, parse_value
from theory.setting_file.parts import PARTS
from theory.setting_file.sources import load, presets, read
from theory.setting_file.writing import to_dict, to_toml

__all__ = [
    "FREQUENCY_SETTINGS",
    "PARTS",
    "TASK_KEYS",
    "Setting",
    "assemble",
    "assemble_task",
    "load",
    "override_setting",
    "parse_override",
    "parse_value",
    "presets",
    "read",
    "read_counts",
    "read_text",
    "to_dict",
    "to_toml",
]
