"""``python -m theory``: the bound calculator on the command line."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from theory.command import (
    ROWS_SHOWN,
    add_setting_arguments,
    check_writable,
    load_setting,
    number,
    parser_for,
    print_json,
    print_table,
    real_number,
    run_command,
)
from theory.errors import SettingError
from theory.prediction import ClassPrediction
from theory.setting import LearnedAttention, task_of
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
    _add_diagram(commands)
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
    header: tuple[str, ...] = HEADER
    if any(entry.emerge_steps is not None for entry in prediction.entries):
        header = (*HEADER, "emerges, steps")
        rows = [(*row, number(entry.emerge_steps)) for row, entry in zip(rows, prediction.entries, strict=True)]
    print_table(header, rows)
    print(LEGEND)
    if len(header) > len(HEADER):
        print("'emerges': where the mean gate first falls below 1/2, or its last interval below 1/2 begins.")
    if isinstance(prediction.model.in_context, LearnedAttention):
        print(
            "With a learned temperature boundaries exist in steps only; r_h is that at the temperature it approaches."
        )
    if not all(entry.sharp_is_exact for entry in prediction.entries):
        print("The switch rests on a named approximation here (see docs/model.md).")


def _add_diagram(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "diagram",
        help="risks, phases and boundaries on a grid of two settings, as a file",
        description="Predicts a grid of settings at once; figures and tables can be made from the file.",
    )
    add_setting_arguments(parser)
    for axis in ("x", "y"):
        parser.add_argument(
            f"--{axis}", required=True, metavar="KEY=LOW:HIGH:COUNT[:log]", help="a numeric setting, or steps"
        )
    parser.add_argument("--out", required=True, metavar="FILE.csv|FILE.npz", help="where to write it")
    parser.add_argument("--classes", nargs="+", metavar="NAME", help="classes of a task without groups")
    parser.add_argument("--skip-impossible", action="store_true", help="leave out points that are no setting")
    parser.set_defaults(run=_diagram)


def _diagram(arguments: argparse.Namespace) -> None:
    from theory.diagrams.diagram import PHASES, phase_diagram
    from theory.diagrams.files import check_suffix, save_diagram

    check_suffix(arguments.out)
    check_writable(arguments.out)
    task, model = load_setting(arguments)
    diagram = phase_diagram(
        task_of(task),
        model,
        x=_axis("--x", arguments.x),
        y=_axis("--y", arguments.y),
        classes=arguments.classes,
        skip_impossible=arguments.skip_impossible,
    )
    save_diagram(diagram, arguments.out)
    for group in diagram.groups:
        found = ((name, int((group.phase == code).sum())) for code, name in enumerate(PHASES))
        print(f"{group.name}: " + ", ".join(f"{count:,} points {name}" for name, count in found if count))
    print(f"wrote {arguments.out}")


def _axis(option: str, text: str) -> tuple[str, str]:
    name, separator, values = text.partition("=")
    if not separator or not name.strip():
        raise SettingError(option, text, "key=low:high:count[:log] or key=v1,v2,...")
    return name.strip(), values


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
