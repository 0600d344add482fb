"""The code on the pages: what runs it tells the truth, and fails where the code does."""

from __future__ import annotations

import importlib.util
import os
import re
import runpy
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))


def extension(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, DOCS / "extensions" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


executed_pages = extension("executed_pages")
CODE_PAGES = [page for page in PAGES if executed_pages.BLOCK.search(page.read_text(encoding="utf-8"))]


def told(text: str, tmp_path: Path) -> str:
    return str(executed_pages.execute("page", text, tmp_path))


def python(*lines: str) -> str:
    return "\n".join(("```python", *lines, "```", ""))


def console(*lines: str) -> str:
    return "\n".join(("```console", *lines, "```", ""))


def test_blocks_share_names_and_show_what_they_print_and_their_last_value(tmp_path: Path) -> None:
    text = told("Before.\n\n" + python("x = 6") + "\nBetween.\n\n" + python("print('six', x)", "x * 7"), tmp_path)
    assert "``````{code-block} text\n:class: result\n\nsix 6\n42\n``````" in text
    assert text.index("Before.") < text.index("x = 6") < text.index("Between.") < text.index("x * 7")
    assert text.count(":class: result") == 1


def test_pages_without_blocks_stay_as_they_are(tmp_path: Path) -> None:
    text = "Text with `code`.\n\n```toml\na = 1\n```\n\n```bash\nfalse\n```\n"
    assert told(text, tmp_path) == text


def test_hidden_blocks_leave_only_their_results(tmp_path: Path) -> None:
    text = told("```python hidden\nprint(2 + 3)\n```\n", tmp_path)
    assert "print" not in text
    assert "\n5\n" in text


@pytest.mark.parametrize(
    ("block", "said"),
    [
        (python("ok = 1", "1 / 0"), "ZeroDivisionError"),
        (python("x ="), "SyntaxError"),
        (python("import warnings", "warnings.warn('beware')"), "beware"),
        (python("raise SystemExit(0)"), "SystemExit"),
        (console("$ python -c 'raise SystemExit(3)'"), "exit code 3"),
        (console("$ python -c pass  # exit code 2"), "exit code 0"),
        (console("$ ls"), "only commands that begin with python"),
        (console("no command"), "without a line"),
    ],
    ids=["error", "syntax", "warning", "exit", "command", "wrong exit code", "other program", "no command"],
)
def test_what_fails_is_named_by_page_and_line(block: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(executed_pages.PageError, match="page") as error:
        told("\n\n" + block, tmp_path)
    assert said in str(error.value)


def test_the_line_of_a_failure_is_that_of_its_block(tmp_path: Path) -> None:
    with pytest.raises(executed_pages.PageError, match="page, line 6:"):
        told("One.\n\n" + python("x = 1") + python("y"), tmp_path)


def test_expected_exit_codes_are_accepted_and_speeds_left_out(tmp_path: Path) -> None:
    text = told(
        console("$ python -c 'raise SystemExit(2)'  # exit code 2", "$ python -c 'print(\"1,234 steps per second\")'"),
        tmp_path,
    )
    assert "# exit code 2\n$ python" in text
    assert "\n... steps per second\n" in text


def test_pictures_need_words_and_are_the_same_bytes_again(tmp_path: Path) -> None:
    lines = ("from matplotlib.figure import Figure", "figure = Figure()", "figure.subplots().plot([1, 2])", "figure")
    with pytest.raises(executed_pages.PageError, match="alt"):
        told(python(*lines), tmp_path)
    files = []
    for folder in (tmp_path / "a", tmp_path / "b"):
        text = told(python("# alt: a line", *lines), folder)
        assert ":alt: a line" in text
        assert "# alt" not in text
        files.append((folder / "page-0.svg").read_bytes())
    assert files[0] == files[1]


def test_pictures_that_a_command_has_made_are_shown(tmp_path: Path) -> None:
    lines = ("# alt: a file", "from pathlib import Path", "p = Path('a.svg')", "_ = p.write_text('<svg/>')", "p")
    assert ":alt: a file" in told(python(*lines), tmp_path)
    assert (tmp_path / "page-0.svg").read_text(encoding="utf-8") == "<svg/>"


def test_keys_of_the_bibliography_become_citations() -> None:
    cited = extension("cited_keys").cited
    assert cited("see ``a2000b`` and `c2001d`, not ``e2002f``", {"a2000b", "c2001d"}, ":cite:t:") == (
        "see :cite:t:`a2000b` and :cite:t:`c2001d`, not ``e2002f``"
    )


def test_references_by_the_defining_module_find_public_names_only() -> None:
    names = extension("public_names")
    candidates, exists = names.candidates, names.exists
    assert candidates("simulate.sweeps.grid_axes.grid_axis", {"grid_axis"})[1:] == ["grid_axis"]
    assert candidates("simulate.sweeps.tables.quantity", {"grid_axis"})[1:] == []
    assert exists("simulate.sweeps.tables.quantity")
    assert not exists("simulate.sweeps.tables.no_such_thing")
    assert not exists("os.path")


@pytest.mark.slow
@pytest.mark.parametrize("page", CODE_PAGES, ids=lambda page: page.stem)
def test_every_page_runs(page: Path, tmp_path: Path) -> None:
    told(page.read_text(encoding="utf-8"), tmp_path)


def test_there_are_pages_with_code() -> None:
    assert {"quick-start", "ten-minutes", "certainty", "simulator", "sweeps", "gallery", "reproduction"} <= {
        page.stem for page in CODE_PAGES
    }


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash here")
def test_shell_blocks_are_shell() -> None:
    for page in PAGES:
        for block in re.findall(r"```bash\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL):
            assert subprocess.run(["bash", "-n"], input=block, text=True, check=False).returncode == 0, page.name  # noqa: S607


GRID = """
[sweep]
base = "transient"
steps = 200
replicates = 1

[axes]
label_noise = [0.1, 0.2]
"""


def with_python(folder: Path) -> dict[str, str]:
    """The environment of an activated virtual environment: `python` and `dask` are those of these tests."""
    for name, words in (("python", ""), ("dask", "-m dask")):
        (folder / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" {words} "$@"\n', encoding="utf-8")
        (folder / name).chmod(0o755)
    return {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash here")
def test_the_shards_of_the_job_array_are_the_whole_sweep(tmp_path: Path) -> None:
    grid = tmp_path / "grid.toml"
    grid.write_text(GRID, encoding="utf-8")
    activated = with_python(tmp_path)
    for task in ("1", "2"):
        environment = {**activated, "SLURM_ARRAY_TASK_ID": task, "SHARDS": "2"}
        command = ["bash", str(ROOT / "examples/sweep_array.sh"), str(grid), str(tmp_path / "sweep")]
        done = subprocess.run(  # noqa: S603 (a script of the project)
            command, env=environment, capture_output=True, text=True, check=False, cwd=ROOT
        )
        assert done.returncode == 0, done.stderr
        assert "1 cell computed" in done.stdout
    assert len(list((tmp_path / "sweep" / "cells").glob("*.npz"))) == 2


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash here")
def test_the_dask_recipe_sweeps_on_workers_of_its_own(tmp_path: Path) -> None:
    pytest.importorskip("distributed")
    (tmp_path / "grid.toml").write_text(GRID, encoding="utf-8")
    page = (DOCS / "sweeps.md").read_text(encoding="utf-8")
    (block,) = [block for block in re.findall(r"```bash\n(.*?)```", page, re.DOTALL) if "dask" in block]
    # On loopback, at any free port, and small.
    block = block.replace("dask scheduler", "dask scheduler --host 127.0.0.1 --port 0 --no-dashboard")
    block = block.replace("--nworkers 8", "--host 127.0.0.1 --nworkers 1 --no-dashboard")
    script = f"trap 'kill $(jobs -p); wait' EXIT\n{block}"
    done = subprocess.run(  # noqa: S603 (the project's own page)
        ["bash", "-c", script],  # noqa: S607
        env=with_python(tmp_path),
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert "2 cells computed, 0 were there, 0 failed" in done.stdout


def test_the_mpi_recipe_sweeps_with_any_executor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    grid = tmp_path / "grid.toml"
    grid.write_text(GRID, encoding="utf-8")
    stand_in = ModuleType("mpi4py.futures")
    stand_in.MPIPoolExecutor = ThreadPoolExecutor  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "mpi4py", ModuleType("mpi4py"))
    monkeypatch.setitem(sys.modules, "mpi4py.futures", stand_in)
    monkeypatch.setattr(sys, "argv", ["mpi_sweep.py", str(grid), str(tmp_path / "sweep")])
    with pytest.raises(SystemExit) as end:
        runpy.run_path(str(ROOT / "examples/mpi_sweep.py"), run_name="__main__")
    assert end.value.code == 0
    assert "2 cells computed, 0 were there, 0 failed" in capsys.readouterr().out
