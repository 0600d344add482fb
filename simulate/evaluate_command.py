"""``python -m simulate evaluate`` and ``trace``: what learners answer, after their training or along it."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from simulate.evaluation.absent import absent_out_of_base
from simulate.evaluation.evaluating import CHECKPOINTS, DEFAULT_STEPS, evaluate, trace
from simulate.evaluation.grading import PARTS
from simulate.evaluation.results import EvaluationCell
from simulate.evaluation.trace_file import save_trace
from theory.checks import integer
from theory.command import (
    add_setting_arguments,
    check_writable,
    load_setting,
    number,
    print_json,
    print_table,
    whole_number,
)
from theory.setting import AnyTask

_LETTERS = dict(zip(PARTS, "ghf", strict=True))
EVALUATION_HEADER = (
    "labels, context, class",
    *(f"error of {letter}" for letter in _LETTERS.values()),
    *(f"loss of {letter}" for letter in _LETTERS.values()),
    "gate",
    "in-context share",
)
TRACE_HEADER = ("steps", "labels, context, class", *(f"error of {letter}" for letter in _LETTERS.values()), "gate")


def add_evaluation_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The sub-commands ``evaluate`` and ``trace``."""
    parser = _add(
        commands,
        "evaluate",
        "ask trained learners prompts of every kind",
        "Learners are trained, then asked prompts with relevant and irrelevant contexts, with labels as in training "
        "(in-base) and moved within their frequency group (out-of-base). Error: against the drawn label. Loss: "
        "cross-entropy against the law of the label, in nats. In-context share: how far f follows h, from 0 to 1.",
        prompts=1000,
    )
    parser.set_defaults(run=_evaluate)
    parser = _add(
        commands,
        "trace",
        "ask learners prompts of every kind along their training",
        "As evaluate, at checkpoints that are evenly spaced in the logarithm of the steps.",
        prompts=200,
    )
    parser.add_argument("--points", metavar="K", default=CHECKPOINTS, help=f"checkpoints (default {CHECKPOINTS})")
    parser.add_argument("--out", metavar="FILE.npz", help="write everything to a file")
    parser.set_defaults(run=_trace)


def _add(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], name: str, short: str, long: str, *, prompts: int
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=short, description=long)
    add_setting_arguments(parser)
    for option, letter, default, what in (
        ("--steps", "N", DEFAULT_STEPS, "examples of the stream"),
        ("--replicates", "R", 16, "repetitions"),
        ("--seed", "S", 0, "seed of the random streams"),
        ("--prompts", "P", prompts, "questions in each cell and replicate"),
    ):
        parser.add_argument(option, metavar=letter, default=default, help=f"{what} (default {default})")
    parser.add_argument("--json", action="store_true", help="print everything as JSON")
    return parser


def _settings(arguments: argparse.Namespace) -> dict[str, Any]:
    task, model = load_setting(arguments)
    least = {"steps": 1, "replicates": 1, "seed": 0, "prompts": 1}
    numbers = {
        name: integer(f"--{name}", whole_number(getattr(arguments, name)), minimum=minimum)
        for name, minimum in least.items()
    }
    return {"task": task, "model": model, **numbers}


def _evaluate(arguments: argparse.Namespace) -> None:
    evaluation = evaluate(**_settings(arguments))
    if arguments.json:
        print_json(evaluation.to_dict())
        return
    print_table(EVALUATION_HEADER, [_row(cell) for cell in evaluation.cells])
    _print_absent(evaluation.task)
    print(_how_much(evaluation.replicates, evaluation.steps, evaluation.prompts, evaluation.seed))


def _trace(arguments: argparse.Namespace) -> None:
    settings = _settings(arguments)
    points = integer("--points", whole_number(arguments.points), minimum=1)
    if arguments.out is not None:
        check_writable(arguments.out)
    traced = trace(**settings, checkpoints=points)
    if arguments.out is not None:
        save_trace(traced, arguments.out)
    if arguments.json:
        print_json(traced.to_dict())
        return
    if arguments.out is not None:
        print(f"wrote {arguments.out}")
    print_table(TRACE_HEADER, [row for cell in traced.cells for row in _trace_rows(traced.steps.tolist(), cell)])
    _print_absent(traced.task)
    print(_how_much(traced.replicates, settings["steps"], traced.prompts, traced.seed))


def _print_absent(task: AnyTask) -> None:
    for group, reason in absent_out_of_base(task).items():
        print(f"out-of-base, {group}: not asked, since {reason}")


def _name(cell: EvaluationCell) -> str:
    return f"{cell.base}, {cell.context}, {cell.group}"


def _row(cell: EvaluationCell) -> tuple[str, ...]:
    share = cell.in_context_share
    means = [getattr(values, part).mean for values in (cell.error, cell.cross_entropy) for part in PARTS]
    means += [cell.gate.mean, None if share is None else share.mean]
    return (_name(cell), *map(number, means))


def _trace_rows(steps: Sequence[int], cell: EvaluationCell) -> list[tuple[str, ...]]:
    """First, middle and last checkpoint: --json and --out have all."""
    columns = [getattr(cell.error, part).mean for part in PARTS] + [cell.gate.mean]
    shown = sorted({0, len(steps) // 2, len(steps) - 1})
    return [(f"{steps[i]:,}", _name(cell), *(number(float(column[i])) for column in columns)) for i in shown]


def _how_much(replicates: int, steps: int, prompts: int, seed: int) -> str:
    plural = "s" * (replicates > 1)
    questions = "question" + "s" * (prompts > 1)
    return f"{replicates} replicate{plural} of {steps:,} steps, {prompts:,} {questions} in each cell, seed {seed}"
