"""``python -m figures explore``: a window with sliders in which the prediction follows at once."""

from __future__ import annotations

import argparse

from figures.explore.opening import open_explorer
from theory.command import add_setting_arguments, load_setting


def add_explore_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The sub-command ``explore``."""
    parser = commands.add_parser(
        "explore",
        help="a window with sliders: the prediction follows",
        description="Opens a window with a slider for each parameter of a two-level task. The predicted mean gates, "
        "boundaries and phases follow (nothing is simulated). It starts from a setting, the preset transient unless "
        "another one is named.",
    )
    add_setting_arguments(parser, default="transient")
    parser.set_defaults(run=_explore)


def _explore(arguments: argparse.Namespace) -> None:
    open_explorer(*load_setting(arguments))
