"""``python -m figures``: figures on the command line."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from figures.explore_command import add_explore_command
from figures.make_command import add_make_commands
from figures.numbers import boundary_rows, field_rows, write_csv
from figures.overlay_figure import overlay
from figures.report_command import add_report_command
from figures.style import save_figure
from simulate.cli import FEW_REPLICATES, add_run_arguments, interval_text, replicates_text, run_arguments
from simulate.comparison import Axis, Comparison, compare_along, compare_one, parse_axis, settings_along
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
from theory.errors import SettingError
from theory.setting_file import assemble_task, parse_override, read

FILES = ("overlay.png", "overlay.pdf", "overlay.svg", "boundaries.csv", "field.csv")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    parser = parser_for("figures", "Pictures and pages of what is predicted and simulated.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_overlay(commands)
    add_report_command(commands)
    add_explore_command(commands)
    add_make_commands(commands)
    return run_command(parser, argv)


def _add_overlay(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "overlay",
        help="predict, simulate, and draw both",
        description="Writes overlay.png, .pdf, .svg, boundaries.csv and field.csv, and prints how well prediction and "
        "simulation agree. Without --vary the boundaries are drawn against the class probability.",
    )
    add_setting_arguments(parser)
    parser.add_argument(
        "--vary", metavar="KEY=LOW:HIGH:COUNT[:log]", action="append", default=[], help="or KEY=V1,V2,..."
    )
    add_run_arguments(parser, steps=None, replicates=32)
    parser.add_argument(
        "--out", metavar="DIR", default="out/overlay", help="folder for the files (default out/overlay)"
    )
    parser.add_argument("--json", action="store_true", help="print the agreement as JSON")
    parser.set_defaults(run=_overlay)


def _overlay(arguments: argparse.Namespace) -> None:
    setting = read(arguments.task, counts=arguments.counts, overrides=overrides_of(arguments))
    axis = _axis(arguments)
    settings = [assemble_task(setting)] if axis is None else settings_along(setting, axis.parameter, axis.values)
    steps, replicates, seed = run_arguments(arguments)
    for task, model in settings:
        check_theory(task, model)
    folder = writable_folder(arguments.out)
    for name in FILES:
        check_writable(folder / name)
    if axis is None:
        comparison = compare_one(*settings[0], steps, replicates, seed)
    else:
        from tqdm import tqdm

        total = 2 * len(axis.values) + len(axis.between)
        with tqdm(total=total, desc="predict and simulate", disable=None, leave=False) as bar:
            comparison = compare_along(setting, axis, steps, replicates, seed, advance=bar.update)
    rows = boundary_rows(comparison)
    written = [*save_figure(overlay(comparison), folder / "overlay")]
    for name, content in (("boundaries.csv", rows), ("field.csv", list(field_rows(comparison)))):
        write_csv(folder / name, content)
        written.append(folder / name)
    _report(arguments.json, comparison, rows, written)


def _axis(arguments: argparse.Namespace) -> Axis | None:
    """The parameter to vary; one at most, and not one that is set to a value too."""
    if len(arguments.vary) > 1:
        raise SettingError("--vary", " ".join(arguments.vary), "one parameter")
    if not arguments.vary:
        return None
    axis = parse_axis(arguments.vary[0])
    for pair in overrides_of(arguments):
        if parse_override(pair)[0].removeprefix("task.") == axis.parameter:
            raise SettingError("--set", pair, f"nothing for {axis.parameter}, which --vary varies")
    return axis


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
    seeds = f"seed {run.seed}" if len(comparison.runs) == 1 else f"seeds {run.seed} to {comparison.runs[-1].seed}"
    print(f"{replicates_text(run)}, {seeds}")
    print(f"{found['boundaries']} of {found['predicted']} predicted boundaries were reached in the simulation")
    if found["boundaries"]:
        print(
            f"median |error| {100 * found['median_absolute_relative_error']:.2g} %, largest "
            f"{100 * found['largest_absolute_relative_error']:.2g} % (Monte Carlo error included); "
            f"{found['inside_interval']} of {found['intervals']} inside their 95 % interval, where "
            f"{0.95 * found['intervals']:.3g} are expected"
        )
    if run.replicates < FEW_REPLICATES:
        print(f"fewer than {FEW_REPLICATES} replicates: the intervals are too short to be trusted")
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
        "predicted": sum(row["predicted_steps"] is not None for row in rows),
        "boundaries": int(errors.size),
        "median_absolute_relative_error": float(np.median(errors)) if errors.size else None,
        "largest_absolute_relative_error": float(errors.max()) if errors.size else None,
        "intervals": len(judged),
        "inside_interval": sum(judged),
    }
