"""``python -m theory``: the bound calculator on the command line."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from theory.command import (
    ROWS_SHOWN,
    add_setting_arguments,
    load_setting,
    number,
    parser_for,
    print_json,
    print_table,
    real_number,
    run_command,
)
from theory.prediction import ClassPrediction
from theory.setting_file import presets, to_toml
from theory.single_runs.band import Band
from theory.single_runs.bracket import Bracket
from theory.solver import predict
from theory.theorems.cli import add_theorem_commands

HEADER = (
    "class",
    "p_x",
    "H_x",
    "r_h",
    "phase",
    "risks meet",
    "asymptotic",
    "switch",
    "rigorous",
    "switch, steps",
    "band",
)
LEGEND = """p_x: probability of one class; H_x, r_h: Bayes risk and in-context risk in nats. Then visits of one class
until the in-weight risk falls below r_h ('risks meet'), the closed form for many visits, the mean gate's last rise
through 1/2 ('switch': from context to weights), and where the switch of a single run lies with probability
--confidence ('rigorous'). Last, in steps of the stream: the switch, and the band that holds the share --confidence of
single runs' switches. '-': no such crossing (or, of the closed form, too few visits for it to exist; of the bracket, no
bound known; of the band, more runs without a switch than it may miss, or a gate per query and relevance)."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    parser = parser_for("theory", "What mathematics says: exact risks, phases and boundaries of the gated predictor.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_predict(commands)
    add_theorem_commands(commands)
    listing = commands.add_parser("presets", help="list the named settings")
    listing.set_defaults(run=_presets)
    setting = commands.add_parser("setting", help="print a checked setting as TOML")
    add_setting_arguments(setting)
    setting.set_defaults(run=_setting)
    return run_command(parser, argv)


def _add_predict(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "predict",
        help="when is each class answered in context, when in weights",
        description=LEGEND,
    )
    add_setting_arguments(parser)
    parser.add_argument(
        "--confidence", metavar="P", default=0.95, help="probability of brackets and bands (default 0.95)"
    )
    parser.add_argument("--json", action="store_true", help="print everything as JSON")
    parser.set_defaults(run=_predict)


def _predict(arguments: argparse.Namespace) -> None:
    prediction = predict(*load_setting(arguments), confidence=real_number(arguments.confidence))
    if arguments.json:
        print_json(prediction.to_dict())
        return
    # A band takes a moment for each class: only rows that are shown need theirs.
    rows = [
        _row(entry, entry.band_steps if place < ROWS_SHOWN else None) for place, entry in enumerate(prediction.entries)
    ]
    print_table(HEADER, rows)
    print(LEGEND)
    if not all(entry.sharp_is_exact for entry in prediction.entries):
        print("The switch rests on a named approximation here (see docs/model.md).")


def _row(entry: ClassPrediction, band: Band | None) -> tuple[str, ...]:
    visits = entry.vanish_visits
    return (
        entry.name if entry.num_classes == 1 else f"{entry.name} ({entry.num_classes})",
        number(entry.class_probability),
        number(entry.bayes_risk),
        number(entry.in_context_risk),
        entry.phase,
        number(visits.instantaneous),
        number(visits.asymptotic),
        number(visits.sharp),
        _interval(visits.rigorous),
        number(entry.vanish_steps),
        _interval(band),
    )


def _interval(found: Bracket | Band | None) -> str:
    return "-" if found is None else f"[{number(found.lower)}, {number(found.upper)}]"


def _presets(_: argparse.Namespace) -> None:
    for name, meaning in presets().items():
        print(f"{name:12s} {meaning}")


def _setting(arguments: argparse.Namespace) -> None:
    print(to_toml(*load_setting(arguments)), end="")
