"""The figures of the gallery: a module each, with a ``RECIPE``."""

from __future__ import annotations

from importlib import import_module

from figures.recipe import Recipe
from theory.errors import unknown_name

NAMES: tuple[str, ...] = (
    "paper-bounds",
    "errors-by-examples",
    "overlay-p-high",
    "overlay-num-low",
    "overlay-context-length",
    "overlay-relevant-examples",
    "overlay-p-relevant",
    "overlay-label-noise",
    "overlay-input-noise",
    "phase-map",
    "transience",
    "agreement",
    "real-counts",
    "regrets",
    "zipf-law",
    "tightness",
)
"""All figures, in the order of the gallery; each is the module of its name."""


def check_name(name: str) -> None:
    """Refuse a name that is none, without loading the figure; raises as :func:`find_figure`."""
    if name not in NAMES:
        raise unknown_name("figure", name, NAMES)


def find_figure(name: str) -> Recipe:
    """The recipe of a figure.

    Raises
    ------
    SettingError
        There is no such figure.
    """
    check_name(name)
    recipe: Recipe = import_module(f"figures.gallery.{name.replace('-', '_')}").RECIPE
    return recipe
