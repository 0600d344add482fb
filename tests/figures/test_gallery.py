"""What holds for every figure of the gallery."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from figures import gallery
from figures.making import make

FOLDER = Path(gallery.__file__).parent


@pytest.mark.parametrize("name", gallery.NAMES)
def test_figures_say_what_they_show_and_how_to_read_it(name: str) -> None:
    recipe = gallery.find_figure(name)
    assert 20 < len(recipe.meaning) < 110
    assert "\n" not in recipe.meaning
    # A caption says what is predicted and what is simulated, or that something is not.
    assert any(word in recipe.reading for word in ("predict", "exact", "bound"))
    assert len(recipe.reading) > 100
    assert "simulat" in recipe.reading or "measured" in recipe.reading


def test_every_module_is_a_figure() -> None:
    modules = {path.stem for path in FOLDER.glob("*.py")} - {"__init__"}
    assert modules == {name.replace("-", "_") for name in gallery.NAMES}
    assert len(set(gallery.NAMES)) == len(gallery.NAMES)


@pytest.mark.parametrize("path", sorted(FOLDER.glob("[a-z]*.py")), ids=lambda path: path.stem)
def test_figures_do_not_import_each_other(path: Path) -> None:
    imported = [node.module for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ImportFrom)]
    assert not [module for module in imported if module and module.startswith("figures.gallery")]


@pytest.mark.slow
@pytest.mark.parametrize("name", gallery.NAMES)
def test_figures_are_made_and_drawn_again_from_what_is_stored(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = {path: path.read_bytes() for path in make(name, tmp_path, quick=True, workers=1)}
    assert {path.suffix for path in first} == {".png", ".pdf", ".svg", ".csv"}
    monkeypatch.setattr("simulate.sweeps.store.Store.write", lambda *_: pytest.fail("computed again"))
    assert {path: path.read_bytes() for path in make(name, tmp_path, quick=True, workers=1)} == first


def test_recipes_are_found_without_loading_matplotlib() -> None:
    code = (
        "import sys; from figures import gallery; [gallery.find_figure(name) for name in gallery.NAMES];"
        "sys.exit('matplotlib' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0  # noqa: S603 (our own interpreter and code)
