"""``python -m figures report``: one page that holds everything about a setting."""

from __future__ import annotations

import argparse
from pathlib import Path

from figures.report.contents import DEFAULT_PROMPTS, DEFAULT_REPLICATES, gather
from figures.report.page import report_page
from simulate.cli import add_run_arguments, run_arguments
from theory.checks import integer
from theory.command import (
    add_setting_arguments,
    check_writable,
    load_setting,
    overrides_of,
    whole_number,
    write_atomically,
)


def add_report_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The sub-command ``report``."""
    parser = commands.add_parser(
        "report",
        help="one page with the task in words, what is predicted, what is simulated, and how they agree",
        description="Predicts, simulates, asks the learners, measures their regret, and writes one self-contained "
        "page. Parts without a theory are simulated only, and the page says so.",
    )
    add_setting_arguments(parser)
    add_run_arguments(parser, steps=None, replicates=DEFAULT_REPLICATES)
    parser.add_argument(
        "--prompts",
        metavar="P",
        default=DEFAULT_PROMPTS,
        help=f"questions of each kind and replicate (default {DEFAULT_PROMPTS})",
    )
    parser.add_argument("--out", metavar="FILE.html", default="report.html", help="the page (default report.html)")
    parser.set_defaults(run=_report)


def _report(arguments: argparse.Namespace) -> None:
    task, model = load_setting(arguments)
    steps, replicates, seed = run_arguments(arguments)
    prompts = integer("--prompts", whole_number(arguments.prompts), minimum=1)
    check_writable(arguments.out)
    contents = gather(task, model, steps=steps, replicates=replicates, seed=seed, prompts=prompts)
    page = report_page(
        contents,
        title=Path(arguments.task).stem,
        command=_command(arguments, contents.run.steps, replicates, seed, prompts),
    )

    def write(temporary: Path) -> None:
        temporary.write_text(page, encoding="utf-8")

    write_atomically(arguments.out, write)
    print(f"wrote {arguments.out}")


def _command(arguments: argparse.Namespace, steps: int, replicates: int, seed: int, prompts: int) -> list[str]:
    """The same command with every number in it; the folder and the name of the page do not matter to it."""
    counts = [] if arguments.counts is None else ["--counts", arguments.counts]
    overrides = overrides_of(arguments)
    return [
        *("python", "-m", "figures", "report", arguments.task),
        *counts,
        *(["--set", *overrides] if overrides else []),
        *("--steps", str(steps), "--replicates", str(replicates), "--seed", str(seed), "--prompts", str(prompts)),
        *("--out", "report.html"),
    ]
