"""What the commands of the three packages share: how a setting is named, how a bad one is reported, how tables look."""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
from collections.abc import Callable, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any, NoReturn

from theory.errors import OutputError
from theory.setting import AnyTask, GatedPredictor
from theory.setting_file import load

BAD_INPUT = 2
ROWS_SHOWN = 25


def parser_for(program: str, description: str) -> argparse.ArgumentParser:
    """Parser of a package's command, with ``--version``."""
    parser = _Parser(prog=program, description=description)
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and exit")
    return parser


class _Parser(argparse.ArgumentParser):
    """Reports a mistake on the command line in one line, as any other bad input."""

    def error(self, message: str) -> NoReturn:
        self.exit(BAD_INPUT, f"{self.prog}: {message} (see {self.prog} --help)\n")


class _Version(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        print(metadata.version("icl-iwl"))
        parser.exit()


def add_setting_arguments(parser: argparse.ArgumentParser, default: str | None = None) -> None:
    """``TASK`` (which may be left out if it has a default), ``--counts`` and ``--set``: of all that take a setting."""
    what = "settings file, or one of: theory presets" + (f" (default {default})" if default else "")
    number = "?" if default else None
    parser.add_argument("task", metavar="TASK.toml|PRESET", nargs=number, default=default, help=what)
    parser.add_argument("--counts", metavar="FILE.csv", help="class counts (columns class,count) as frequencies")
    parser.add_argument(
        "--set",
        metavar="KEY=VALUE",
        action="append",
        nargs="+",
        default=[],
        dest="overrides",
        help="change settings: label_noise=0.1, model.in_context.odds=50",
    )


def overrides_of(arguments: argparse.Namespace) -> list[str]:
    """All ``--set`` pairs, in order."""
    return [pair for group in arguments.overrides for pair in group]


def load_setting(arguments: argparse.Namespace) -> tuple[AnyTask, GatedPredictor]:
    """Task (or episode distribution) and model that the arguments name."""
    return load(arguments.task, counts=arguments.counts, overrides=overrides_of(arguments))


def run_command(parser: argparse.ArgumentParser, argv: Sequence[str] | None) -> int:
    """Parse, run the sub-command's ``run``, return its exit code (0 for ``None``); bad input: 2, with one line."""
    arguments = parser.parse_args(argv)
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A class may have any name; a terminal that cannot show it gets an escape, not a crash.
        sys.stdout.reconfigure(errors="backslashreplace")
    run: Callable[[argparse.Namespace], int | None] = arguments.run
    code: int | None = 0
    try:
        code = run(arguments)
        sys.stdout.flush()
    except ValueError as error:
        print(f"{parser.prog}: {' '.join(str(error).split())}", file=sys.stderr)
        return BAD_INPUT
    except BrokenPipeError:
        # The reader (head, less) has gone; what is still buffered has nowhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return code or 0


def print_json(data: dict[str, Any]) -> None:
    """JSON on standard output; numbers that JSON does not know are an error, not a guess."""
    print(json.dumps(data, indent=2, allow_nan=False))


def print_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Aligned columns: the first to the left, the others to the right; long tables are cut and say so."""
    shown = list(rows[:ROWS_SHOWN])
    widths = [max(len(row[i]) for row in [header, *shown]) for i in range(len(header))]
    for row in [header, *shown]:
        cells = [
            cell.ljust(w) if i == 0 else cell.rjust(w) for i, (cell, w) in enumerate(zip(row, widths, strict=True))
        ]
        print("  ".join(cells).rstrip())
    if len(rows) > len(shown):
        print(f"... and {len(rows) - len(shown)} more rows (--json prints all)")


def number(value: float | None, digits: int = 4) -> str:
    """A number for a table; a dash where there is none."""
    if value is None:
        return "-"
    if value != 0 and not 1e-3 <= abs(value) < 1e15:
        return f"{value:.{digits - 1}e}"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.{digits}g}"


def whole_number(text: object) -> object:
    """What a command-line option says, as an ``int`` where it is one (``1e6`` and ``1_000_000`` are too)."""
    try:
        return int(str(text))
    except ValueError:
        pass
    try:
        as_float = float(str(text))
    except ValueError:
        return text
    return int(as_float) if as_float.is_integer() and abs(as_float) < 2**53 else text


def real_number(text: object) -> Any:
    """What a command-line option says, as a ``float`` where it is one."""
    try:
        return float(str(text))
    except ValueError:
        return text


def writable_folder(path: str | Path) -> Path:
    """The folder, made if it is missing, or an :class:`OutputError`."""
    if not str(path).strip():
        raise OutputError(path, "an empty name is no folder")
    folder = Path(path)
    if os.path.exists(folder) and not os.path.isdir(folder):
        raise OutputError(folder, "it is not a folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(folder, error.strerror or error) from error
    except ValueError as error:
        raise OutputError(folder, error) from error
    if not os.access(folder, os.W_OK):
        raise OutputError(folder, "the folder is read-only")
    return folder


def check_writable(path: str | Path) -> None:
    """Raise :class:`OutputError` early where a file could not be written: before hours of work, not after."""
    target = Path(path)
    if os.path.isdir(target):
        raise OutputError(target, "it is a folder")
    if not os.path.isdir(target.parent):
        raise OutputError(target, f"there is no folder {str(target.parent)!r}")
    write_atomically(target, lambda temporary: temporary.touch(), keep=False)


def write_atomically(path: str | Path, write: Callable[[Path], None], *, keep: bool = True) -> None:
    """Let ``write`` fill a temporary file beside the target, then rename it: a file is whole, or not there.

    Parameters
    ----------
    path : str or Path
        The target; its folder must exist.
    write : callable
        Gets the temporary path, whose suffix is that of the target.
    keep : bool
        Whether to keep the file; ``False`` only tries.
    """
    target = Path(path)
    temporary = target.with_name(f".{target.stem}.{os.getpid()}{target.suffix}")
    try:
        try:
            write(temporary)
            if keep:
                os.replace(temporary, target)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(target, error.strerror or error) from error
    except ValueError as error:
        raise OutputError(target, error) from error
