"""The figures of the gallery: a module each, with a ``RECIPE``."""

from __future__ import annotations

from importlib import import_module

from figures.recipe import Recipe
from theory.errors import unknown_name

NAMES: tuple[str, ...] = ("errors-by-examples", "agreement", "real-counts")
"""All figures, in the order of the gallery; each is the module of its name."""


def find_figure(name: str) -> Recipe:
    """The recipe of a figure.

    Raises
    ------
    SettingError
        There is no such figure.
    """
    if name not in NAMES:
        raise unknown_name("figure", name, NAMES)
    recipe: Recipe = import_module(f"figures.gallery.{name.replace('-', '_')}").RECIPE
    return recipe
