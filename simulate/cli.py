"""``python -m simulate``: simulations on the command line."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from simulate.evaluate_command import add_evaluation_commands
from simulate.result_file import save
from simulate.run_result import GroupResult, Run
from simulate.simulation import run
from simulate.sweep_commands import add_sweep_commands
from theory.checks import integer
from theory.command import (
    add_setting_arguments,
    check_writable,
    load_setting,
    number,
    parser_for,
    print_json,
    print_table,
    run_command,
    whole_number,
)

DEFAULT_STEPS = 100_000
FEW_REPLICATES = 8
HEADER = ("class", "p_x", "boundary, steps", "95 % interval", "gate", "loss of g", "loss of h", "loss of f")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    parser = parser_for("simulate", "What happens when the gated predictor learns online.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_run(commands)
    add_evaluation_commands(commands)
    add_sweep_commands(commands)
    return run_command(parser, argv)


def _add_run(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "run",
        help="simulate one setting",
        description="Boundary: where the mean gate last rises through 1/2. Gate and losses (nats) are means over "
        "the last tenth of the steps.",
    )
    add_setting_arguments(parser)
    add_run_arguments(parser, steps=DEFAULT_STEPS, replicates=16)
    parser.add_argument("--json", action="store_true", help="print everything as JSON")
    parser.add_argument("--out", metavar="FILE.npz", help="write curves and results to a file")
    parser.set_defaults(run=_run)


def add_run_arguments(parser: argparse.ArgumentParser, *, steps: int | None, replicates: int) -> None:
    """``--steps``, ``--replicates`` and ``--seed``; steps without a default follow from the prediction."""
    default = "1.5 times the last predicted boundary, 2,000,000 at most" if steps is None else str(steps)
    parser.add_argument("--steps", metavar="N", default=steps, help=f"examples of the stream (default: {default})")
    parser.add_argument("--replicates", metavar="R", default=replicates, help=f"repetitions (default {replicates})")
    parser.add_argument("--seed", metavar="S", default=0, help="seed of the random streams (default 0)")


def run_arguments(arguments: argparse.Namespace) -> tuple[int | None, int, int]:
    """Steps (``None`` if not given), replicates and seed, checked."""
    return (
        None if arguments.steps is None else integer("--steps", whole_number(arguments.steps), minimum=1),
        integer("--replicates", whole_number(arguments.replicates), minimum=1),
        integer("--seed", whole_number(arguments.seed), minimum=0),
    )


def _run(arguments: argparse.Namespace) -> None:
    task, model = load_setting(arguments)
    steps, replicates, seed = run_arguments(arguments)
    if arguments.out is not None:
        check_writable(arguments.out)
    result = run(task, model, steps or DEFAULT_STEPS, replicates, seed, progress=True)
    if arguments.out is not None:
        save(result, arguments.out)
    if arguments.json:
        print_json(result.to_dict())
        return
    if arguments.out is not None:
        print(f"wrote {arguments.out}")
    print_table(HEADER, [_row(entry) for entry in result.entries])
    rate = result.steps * result.replicates / result.seconds
    print(f"{replicates_text(result)}, seed {seed}; {rate:,.0f} steps per second")
    if result.replicates < FEW_REPLICATES:
        print(f"fewer than {FEW_REPLICATES} replicates: the intervals are too short to be trusted")


def _row(entry: GroupResult) -> tuple[str, ...]:
    return (
        entry.name if entry.num_classes == 1 else f"{entry.name} ({entry.num_classes})",
        number(entry.class_probability),
        number(entry.boundary.steps),
        interval_text(entry.boundary.interval),
        number(entry.gate_mean),
        *(number(value) for value in vars(entry.loss).values()),
    )


def replicates_text(run: Run) -> str:
    """How much was simulated, in words."""
    return f"{run.replicates} replicate{'s' * (run.replicates > 1)} of {run.steps:,} steps"


def interval_text(interval: tuple[float, float] | None) -> str:
    """An interval for a table."""
    if interval is None:
        return "-"
    return f"[{number(interval[0])}, {number(interval[1])}]"
