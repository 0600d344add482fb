"""The documents tell the truth: links lead somewhere, settings load, code runs, citations have their key."""

from __future__ import annotations

import importlib
import re
import shlex
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest

from simulate.sweeps.grid_file import grid_of
from theory.setting_file import load, presets

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
PACKAGES = ("theory", "simulate", "figures")
# What the README shows at full size, made small enough for a test.
SMALLER = {
    "steps=1_200_000": "steps=3000, replicates=2",
    "steps=1_000_000, replicates=32": "steps=3000, replicates=2",
    '"label_noise=0.02:0.2:8"': '"label_noise=0.1:0.2:2"',
    "None, 32, 0": "2000, 2, 0",
}
SMALLER_COMMANDS = {
    "MY_COUNTS.csv": "MY_COUNTS.csv --steps 2000 --replicates 2",
    "--out out/grid": "--out out/grid --workers 1",
    "theory check laplace_upper_log": "theory check laplace_upper_log --budget 100",
    "figures make all --quick": "figures make tightness --quick --workers 1",
    "figures report transient": "figures report transient --steps 2000 --replicates 2 --prompts 20",
}


def read(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    found = re.findall(r"^```(\w*)\n(.*?)^```$", read(ROOT / "README.md"), re.MULTILINE | re.DOTALL)
    return [block for named, block in found if named == language]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8"))
    assert [target for target in targets if "://" not in target and not (page.parent / target).exists()] == []


def test_readme_setting_is_the_transient_preset(tmp_path: Path) -> None:
    (block,) = [block for block in blocks("toml") if "[sweep]" not in block]
    path = tmp_path / "task.toml"
    path.write_text(block, encoding="utf-8")
    assert load(path) == load("transient")


def test_readme_grid_is_a_grid() -> None:
    (block,) = [block for block in blocks("toml") if "[sweep]" in block]
    assert grid_of(tomllib.loads(block)).shape == (7, 4, 4)
    # What is commented out is right too.
    everything = re.sub(r"^# (?=[a-z_]+ = )", "", block, flags=re.MULTILINE).replace("# or [task]", "")
    assert grid_of(tomllib.loads(everything)).shape == (7, 4, 4, 2)


def test_readme_names_every_preset() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [name for name in presets() if f"`{name}`" not in text] == []


def test_readme_code_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("MY_COUNTS.csv").write_text("class,count\na,5\nb,3\nc,1\n", encoding="utf-8")
    for block in blocks("python"):
        code = block
        for full, small in SMALLER.items():
            code = code.replace(full, small)
        exec(compile(code, "README.md", "exec"), {})  # noqa: S102 (the project's own README)
    assert Path("gates.pdf").stat().st_size > 0
    assert Path("overlay.pdf").stat().st_size > 0


def commands() -> list[str]:
    """The lines of the README's blocks that begin with a command of the project, without remarks."""
    lines = [line for block in blocks("") for line in block.splitlines()]
    return [re.split(r"\s+#\s", line)[0] for line in lines if line.startswith("python -m ")]


PLACEHOLDER = re.compile(r"[\[|]|\b(TASK|GRID|DIR|FILE|NAME(?!\.npz))\b")
SYNOPSES = [command for command in commands() if PLACEHOLDER.search(command)]
COMMANDS = [command for command in commands() if command not in SYNOPSES]
SMALL_GRID = """
[sweep]
base = "transient"
steps = 500
replicates = 2

[axes]
label_noise = [0.1, 0.2]
"""


def main_of(package: str) -> Callable[[list[str]], int]:
    return cast(Callable[[list[str]], int], importlib.import_module(f"{package}.cli").main)


def made_small(command: str) -> str:
    """What the README shows at full size, small; NAME is that of a stored cell."""
    for full, small in SMALLER_COMMANDS.items():
        command = command.replace(full, small)
    stored = sorted(cell.name for cell in Path().glob("out/grid/cells/*.npz"))
    return command.replace("NAME.npz", stored[0]) if stored else command


def test_readme_commands_run_one_after_the_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("MY_COUNTS.csv").write_text("class,count\na,5\nb,3\nc,1\n", encoding="utf-8")
    Path("examples").mkdir()
    Path("examples/grid.toml").write_text(SMALL_GRID, encoding="utf-8")
    for command in COMMANDS:
        _, _, package, *arguments = shlex.split(made_small(command))
        if arguments[0] == "explore":
            continue  # opens a window; tests/figures/test_explore.py moves its sliders without one
        assert main_of(package)(arguments) == 0, command
    assert Path("out/grid.csv").stat().st_size > 0


@pytest.mark.parametrize("synopsis", SYNOPSES)
def test_readme_synopses_name_options_that_there_are(synopsis: str, capsys: pytest.CaptureFixture[str]) -> None:
    _, _, package, name, *_ = synopsis.split()
    with pytest.raises(SystemExit) as end:
        main_of(package)([name, "--help"])
    assert end.value.code == 0
    known = set(re.findall(r"--[a-z-]+", capsys.readouterr().out))
    assert set(re.findall(r"--[a-z-]+", synopsis)) <= known


def test_readme_shows_commands() -> None:
    assert len(COMMANDS) >= 10
    assert len(SYNOPSES) >= 12
    assert not {"theory", "simulate", "figures"} - {command.split()[2] for command in SYNOPSES}


def test_make_targets_that_the_documents_name_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    code = [part for page in PAGES for part in re.findall(r"`make ([a-z]+)`|^make ([a-z]+)$", read(page), re.MULTILINE)]
    named = {target for pair in code for target in pair if target}
    assert "docs" in named
    assert {target for target in named if not re.search(rf"^{target}:", makefile, re.MULTILINE)} == set()


@pytest.mark.parametrize("package", PACKAGES)
def test_api_pages_name_all_public_names_once(package: str) -> None:
    listed = re.findall(rf"^\.\. auto\w+:: {package}\.(\w+)$", read(ROOT / f"docs/api/{package}.md"), re.MULTILINE)
    assert sorted(listed) == sorted(importlib.import_module(package).__all__)


def test_documents_name_no_place_of_one_machine() -> None:
    assert [page.name for page in PAGES if re.search(r"/work/|/root/|/home/|/tmp/|localhost", read(page))] == []


def test_source_keys_are_in_the_bibliography() -> None:
    keys = set(re.findall(r"@\w+\{(\w+),", read(ROOT / "docs/references.bib")))
    cited = set()
    sources = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    for path in [*sources, *PAGES]:
        cited |= set(re.findall(r"`([a-z]+(?:1[89]|20)\d\d[a-z]+)`", read(path)))
    assert cited
    assert cited <= keys


def test_bibliography_entries_are_closed() -> None:
    text = read(ROOT / "docs/references.bib")
    for entry in re.split(r"^(?=@)", text, flags=re.MULTILINE)[1:]:
        assert entry.count("{") == entry.count("}"), entry.splitlines()[0]
        assert entry.rstrip().endswith("\n}"), entry.splitlines()[0]
