"""Runs the code of one page, in a process and a folder of its own; told by JSON on standard input, tells by JSON.

Every ``python`` block of a page sees the names of those before it; the value of a last expression is shown, a figure
as a picture. Every ``$ python ...`` line of a ``console`` block is run as it stands, without a shell.
"""

from __future__ import annotations

import ast
import contextlib
import io
import json
import re
import shlex
import shutil
import subprocess
import sys
import traceback
import warnings
from pathlib import Path
from typing import Any

ALTERNATIVE = re.compile(r"^# alt: (.+)$", re.MULTILINE)
EXIT_CODE = re.compile(r"\s+# exit code (\d+)$")
# The only words of an output that two builds do not share.
SPEEDS = re.compile(r"[\d,.]+(?:e[+-]?\d+)? (?=steps per second|s a cell|s of work left|s, )")


class BlockError(Exception):
    """A block of a page failed, or shows what it must not."""


def run_python(source: str, names: dict[str, Any], stem: Path) -> dict[str, str]:
    """Run a block, and tell what it printed and showed."""
    tree = ast.parse(source)
    shown: Any = None
    last = tree.body[-1] if tree.body else None
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        if isinstance(last, ast.Expr):
            exec(compile(ast.Module(tree.body[:-1], []), "page", "exec"), names)
            shown = eval(compile(ast.Expression(last.value), "page", "eval"), names)
        else:
            exec(compile(tree, "page", "exec"), names)
    if hasattr(shown, "savefig") or (isinstance(shown, Path) and shown.suffix == ".svg"):
        return {"text": printed.getvalue(), **save_picture(shown, source, stem)}
    return {"text": printed.getvalue() + ("" if shown is None else f"{shown!r}\n")}


def save_picture(figure: Any, source: str, stem: Path) -> dict[str, str]:
    """Keep a figure, or the SVG file of one, without date, and tell where it is and what it shows in words."""
    found = ALTERNATIVE.search(source)
    if found is None:
        raise BlockError("a block that shows a figure needs a line '# alt: what it shows in words'")
    path = stem.with_suffix(".svg")
    if isinstance(figure, Path):
        shutil.copyfile(figure, path)
        return {"picture": path.name, "alternative": found[1]}
    import matplotlib

    with matplotlib.rc_context({"svg.hashsalt": stem.name}):
        figure.savefig(path, metadata={"Date": None, "Creator": None})
    return {"picture": path.name, "alternative": found[1]}


def run_console(source: str) -> dict[str, str]:
    """Run the lines ``$ python ...`` of a block, and tell the lines with what each printed."""
    told = []
    for command in re.findall(r"^\$ (.*(?:\\\n.*)*)$", source, re.MULTILINE):
        expected = EXIT_CODE.search(command)
        words = shlex.split(command.replace("\\\n", " "), comments=True)
        if words[0] != "python":
            raise BlockError(f"{command!r}: only commands that begin with python are run")
        done = subprocess.run(  # noqa: S603 (the project's own pages)
            [sys.executable, *words[1:]], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
        )
        if done.returncode != (int(expected[1]) if expected else 0):
            raise BlockError(f"{command!r} ended with exit code {done.returncode}:\n{done.stdout}")
        told.append(f"$ {command}\n{done.stdout}")
    if not told:
        raise BlockError("a console block without a line that begins with '$ '")
    return {"text": "".join(told)}


def run_page(page: dict[str, Any]) -> list[dict[str, str]]:
    """Run the blocks of a page in their order; the first one that fails is the last one."""
    names: dict[str, Any] = {"__name__": "__main__"}
    results = []
    for number, block in enumerate(page["blocks"]):
        try:
            if block["language"] == "python":
                found = run_python(block["source"], names, Path(page["pictures"]) / f"{page['name']}-{number}")
            else:
                found = run_console(block["source"])
        except BlockError as error:
            return [*results, {"error": str(error)}]
        except (Exception, SystemExit):
            return [*results, {"error": traceback.format_exc()}]
        results.append({**found, "text": SPEEDS.sub("... ", found["text"])})
    return results


if __name__ == "__main__":
    warnings.simplefilter("error")
    json.dump(run_page(json.load(sys.stdin)), sys.stdout)
