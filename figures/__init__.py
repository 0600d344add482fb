"""What a reader sees: predicted and simulated boundaries over each other.

Names are loaded when they are first used, so that ``import figures`` costs little.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from figures.overlay_figure import overlay

_HOMES = {"overlay": "figures.overlay_figure"}

__all__ = ["overlay"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'figures' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
