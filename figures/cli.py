"""``python -m figures``: figures on the command line."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from figures.numbers import boundary_rows, field_rows, write_csv
from figures.overlay_figure import overlay
from figures.style import save_figure
from simulate.cli import add_run_arguments, interval_text, run_arguments
from simulate.comparison import Comparison, compare_along, parse_axis, settings_along
from theory.command import (
    add_setting_arguments,
    check_writable,
    number,
    overrides_of,
    parser_for,
    print_json,
    print_table,
    run_command,
    writable_folder,
)
from theory.coverage import check_theory
from theory.setting_file import assemble, read

FILES = ("overlay.png", "overlay.pdf", "boundaries.csv", "field.csv")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    parser = parser_for("figures", "Predicted and simulated transition boundaries over each other.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_overlay(commands)
    return run_command(parser, argv)


def _add_overlay(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "overlay",
        help="predict, simulate, and draw both",
        description="Writes overlay.png, overlay.pdf, boundaries.csv and field.csv, and prints how well prediction and "
        "simulation agree. Without --vary the boundaries are drawn against the class probability.",
    )
    add_setting_arguments(parser)
    parser.add_argument("--vary", metavar="KEY=LOW:HIGH:COUNT[:log]", help="parameter to vary, or KEY=V1,V2,...")
    add_run_arguments(parser, steps=None, replicates=32)
    parser.add_argument(
        "--out", metavar="DIR", default="out/overlay", help="folder for the files (default out/overlay)"
    )
    parser.add_argument("--json", action="store_true", help="print the agreement as JSON")
    parser.set_defaults(run=_overlay)


def _overlay(arguments: argparse.Namespace) -> None:
    setting = read(arguments.task, counts=arguments.counts, overrides=overrides_of(arguments))
    axis = None if arguments.vary is None else parse_axis(arguments.vary)
    settings = [assemble(setting)] if axis is None else settings_along(setting, axis)
    steps, replicates, seed = run_arguments(arguments)
    for task, model in settings:
        check_theory(task, model)
    folder = writable_folder(arguments.out)
    for name in FILES:
        check_writable(folder / name)
    from tqdm import tqdm

    with tqdm(total=2 * len(settings), desc="predict and simulate", disable=None, leave=False) as bar:
        comparison = compare_along(settings, axis, steps, replicates, seed, advance=bar.update)
    rows = boundary_rows(comparison)
    written = [*save_figure(overlay(comparison), folder / "overlay")]
    for name, content in (("boundaries.csv", rows), ("field.csv", list(field_rows(comparison)))):
        write_csv(folder / name, content)
        written.append(folder / name)
    _report(arguments.json, comparison, rows, written)


def _report(as_json: bool, comparison: Comparison, rows: list[dict[str, Any]], written: list[Path]) -> None:
    run = comparison.runs[0]
    if as_json:
        print_json(
            {
                "parameter": comparison.parameter,
                "steps": run.steps,
                "replicates": run.replicates,
                "seed": run.seed,
                "boundaries": rows,
                "summary": summary(rows),
                "files": [str(path) for path in written],
            }
        )
        return
    header = ("class", "predicted, steps", "simulated", "95 % interval", "error", "inside")
    first = () if comparison.parameter is None else (comparison.parameter,)
    print_table((*first, *header), [_row(row, comparison.parameter) for row in rows])
    found = summary(rows)
    print(f"{run.replicates} replicates of {run.steps:,} steps, seed {run.seed}")
    if found["boundaries"]:
        print(
            f"{found['boundaries']} boundaries predicted and simulated: median |error| "
            f"{100 * found['median_absolute_relative_error']:.2g} %, largest "
            f"{100 * found['largest_absolute_relative_error']:.2g} %; "
            f"{found['inside_interval']} of {found['intervals']} inside their 95 % interval"
        )
    print("wrote " + " ".join(str(path) for path in written))


def _row(row: dict[str, Any], parameter: str | None) -> tuple[str, ...]:
    first = () if parameter is None else (number(row[parameter]),)
    interval = None if row["interval_low"] is None else (row["interval_low"], row["interval_high"])
    error = row["relative_error"]
    return (
        *first,
        row["class"],
        number(row["predicted_steps"]),
        number(row["simulated_steps"]),
        interval_text(interval),
        "-" if error is None else f"{100 * error:+.1f} %",
        {None: "-", True: "yes", False: "no"}[row["inside_interval"]],
    )


def summary(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """How well prediction and simulation agree over all boundaries that both have."""
    errors = np.abs([row["relative_error"] for row in rows if row["relative_error"] is not None])
    judged = [row["inside_interval"] for row in rows if row["inside_interval"] is not None]
    return {
        "boundaries": int(errors.size),
        "median_absolute_relative_error": float(np.median(errors)) if errors.size else None,
        "largest_absolute_relative_error": float(errors.max()) if errors.size else None,
        "intervals": len(judged),
        "inside_interval": sum(judged),
    }
