"""The documents tell the truth: links lead somewhere, settings load, code runs, citations have their key."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from simulate.sweeps.grid_file import grid_of
from theory.setting_file import load, presets

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
# What the README shows at full size, made small enough for a test.
SMALLER = {
    "steps=1_200_000": "steps=3000, replicates=2",
    "steps=1_000_000, replicates=32": "steps=3000, replicates=2",
    '"label_noise=0.02:0.2:8"': '"label_noise=0.1:0.2:2"',
    "None, 32, 0": "2000, 2, 0",
}


def blocks(language: str) -> list[str]:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


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


def test_make_targets_that_the_readme_names_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    named = set(re.findall(r"make ([a-z]+)", (ROOT / "README.md").read_text(encoding="utf-8")))
    assert {target for target in named if not re.search(rf"^{target}:", makefile, re.MULTILINE)} == set()


def test_source_keys_are_in_the_bibliography() -> None:
    keys = set(re.findall(r"@\w+\{(\w+),", (ROOT / "docs/references.bib").read_text(encoding="utf-8")))
    cited = set()
    for package in ("theory", "simulate", "figures"):
        for path in (ROOT / package).glob("*.py"):
            cited |= set(re.findall(r"``([a-z]+\d{4}[a-z]+)``", path.read_text(encoding="utf-8")))
    assert cited
    assert cited <= keys
