"""``python -m figures list`` and ``make``: the gallery."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from figures.gallery import NAMES, check_name, find_figure
from figures.making import make_all
from theory.checks import integer
from theory.command import whole_number, writable_folder

DEFAULT_FOLDER = "out/figures"


def add_make_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The sub-commands ``list`` and ``make``."""
    parser = commands.add_parser("list", help="the figures of the gallery")
    parser.set_defaults(run=_list)
    parser = commands.add_parser(
        "make",
        help="regenerate figures: PNG, PDF, SVG and the numbers as CSV",
        description="Results are kept in DIR/store: what is there is not computed again, so that redrawing is quick "
        "and an interrupted run resumes.",
    )
    parser.add_argument("names", nargs="+", metavar="NAME", help="figures, or all")
    parser.add_argument("--quick", action="store_true", help="fewer points and repetitions")
    parser.add_argument("--out", metavar="DIR", default=DEFAULT_FOLDER, help=f"folder (default {DEFAULT_FOLDER})")
    parser.add_argument("--workers", metavar="N", help="processes (default: as many as cores)")
    parser.set_defaults(run=_make)


def _list(_: argparse.Namespace) -> None:
    width = max(map(len, NAMES))
    for name in NAMES:
        print(f"{name:{width}s}  {find_figure(name).meaning}")


def _make(arguments: argparse.Namespace) -> int:
    names = list(dict.fromkeys(arguments.names))
    for name in names:
        if name != "all":
            check_name(name)
    if "all" in names:
        names = list(NAMES)
    folder = writable_folder(arguments.out)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    workers = cores if arguments.workers is None else integer("--workers", whole_number(arguments.workers), minimum=1)
    failed = 0
    for made in make_all(names, Path(folder), quick=arguments.quick, workers=workers):
        if made.error:
            failed += 1
            print(f"failed: {made.name}: {made.error}", file=sys.stderr)
        else:
            print(f"{made.name}: {made.seconds:.1f} s, {made.files[0]} and {len(made.files) - 1} more", flush=True)
    return 1 if failed else 0
