"""Named results of groups or classes, which predictions and runs have alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, TypeVar

from theory.setting import AnyTask


class Entry(Protocol):
    """A result of one group or class."""

    @property
    def name(self) -> str:
        """Name of the group or class."""
        ...

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, strings and ``None``."""
        ...


AnyEntry = TypeVar("AnyEntry", bound=Entry)


def find_entry(entries: Sequence[AnyEntry], name: str) -> AnyEntry:
    """The entry of a group or class; ``KeyError`` with the name if there is none."""
    for entry in entries:
        if entry.name == name:
            return entry
    raise KeyError(name)


def entries_to_dict(task: AnyTask, entries: Sequence[Entry]) -> dict[str, Any]:
    """The JSON contract: ``groups`` by name for a two-level task, a list ``classes`` for another one."""
    if task.grouped:
        return {"groups": {entry.name: entry.to_dict() for entry in entries}}
    return {"classes": [{"class": entry.name, **entry.to_dict()} for entry in entries]}
