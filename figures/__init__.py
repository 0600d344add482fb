"""What a reader sees: predicted and simulated boundaries over each other.

Names are loaded when they are first used, so that ``import figures`` costs little.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from theory.lazy import lazy_attributes

if TYPE_CHECKING:
    from figures.overlay_figure import overlay

_HOMES = {"overlay": "figures.overlay_figure"}

__all__ = ["overlay"]


__getattr__, __dir__ = lazy_attributes(__name__, _HOMES)
