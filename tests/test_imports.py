"""What imports what: packages stay cheap and point one way; and tests look at what they compare."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("theory", "simulate", "figures")
HEAVY = ("matplotlib", "scipy.stats", "sympy")
MAY_NOT_IMPORT = {"theory": ("simulate", "figures"), "simulate": ("figures",), "figures": ()}

TINY = "theory.TaskDistribution(num_high=2, num_low=2, p_high=0.8)"
USES = {
    "predict": f"import theory; theory.predict({TINY})",
    "load": "import theory; theory.to_toml(*theory.load('transient'))",
    "run": f"import theory, simulate; simulate.run({TINY}, steps=20, replicates=2)",
    "theory command": "import theory.cli; theory.cli.main(['predict', 'paper'])",
    "simulate command": "import simulate.cli; simulate.cli.main('run paper --steps 20 --replicates 2'.split())",
}
REPORT = f"\nimport sys\nprint('loaded:', [name for name in {HEAVY} if name in sys.modules])"


def fresh(code: str) -> str:
    """What a fresh interpreter prints; it has to succeed, and warnings are errors."""
    done = subprocess.run(  # noqa: S603 (our own interpreter and code)
        [sys.executable, "-W", "error", "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def sources(*folders: str) -> list[Path]:
    """Python files in folders of the project."""
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def named(path: Path) -> str:
    """A path as the project names it."""
    return path.relative_to(ROOT).as_posix()


# Heavy modules.


@pytest.mark.parametrize("package", PACKAGES)
def test_importing_a_package_loads_nothing_heavy(package: str) -> None:
    assert fresh(f"import {package}{REPORT}") == "loaded: []\n"


@pytest.mark.parametrize("use", USES)
def test_using_theory_and_simulation_loads_nothing_heavy(use: str) -> None:
    assert fresh(USES[use] + REPORT).splitlines()[-1] == "loaded: []"


def test_the_report_would_notice() -> None:
    assert fresh("import scipy.stats" + REPORT) == "loaded: ['scipy.stats']\n"


# Public names.


@pytest.mark.parametrize("package", PACKAGES)
def test_every_public_name_is_what_it_says(package: str) -> None:
    code = f"""
import inspect, {package}
for name in {package}.__all__:
    found = getattr({package}, name)
    assert inspect.isclass(found) or inspect.isfunction(found), (name, found)
    assert found is getattr({package}, name), name
    assert found.__name__ == name
    assert found.__module__.split(".")[0] == "{package}"
assert sorted({package}.__all__) == sorted(dir({package}))
"""
    assert fresh(code) == ""


@pytest.mark.parametrize("package", PACKAGES)
def test_public_names_survive_the_import_of_submodules(package: str) -> None:
    code = f"""
import importlib, inspect, pkgutil, {package}
for module in pkgutil.iter_modules({package}.__path__):
    if module.name != "__main__":
        importlib.import_module("{package}." + module.name)
wrong = [name for name in {package}.__all__ if inspect.ismodule(getattr({package}, name))]
assert not wrong, wrong
from {package} import *
wrong = [name for name in {package}.__all__ if inspect.ismodule(globals()[name])]
assert not wrong, wrong
"""
    assert fresh(code) == ""


def test_a_simulation_can_be_run_twice() -> None:
    code = f"""
import simulate, theory
task = {TINY}
first = simulate.run(task, steps=20, replicates=1)
second = simulate.run(task, steps=20, replicates=1)
print(first["high"].gate_mean == second["high"].gate_mean)
"""
    assert fresh(code) == "True\n"


def test_presets_can_be_listed_after_one_was_loaded() -> None:
    assert fresh("import theory\ntheory.load('paper')\nprint('paper' in theory.presets())") == "True\n"


def test_an_overlay_can_be_drawn_after_the_command_was_imported() -> None:
    assert fresh("import figures.cli, figures\nprint(callable(figures.overlay))") == "True\n"


@pytest.mark.parametrize("package", PACKAGES)
def test_unknown_names_are_attribute_errors(package: str) -> None:
    module = import_module(package)
    with pytest.raises(AttributeError, match=f"module '{package}' has no attribute 'nothing'"):
        module.nothing  # noqa: B018 (the look-up raises)
    assert not hasattr(module, "nothing")


# Direction.


def imported(tree: ast.AST, package: str) -> Iterator[str]:
    """Top-level packages that a module imports anywhere in it, by statement or by a dotted name in a string."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield package if node.level else (node.module or "").split(".")[0]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            dotted = re.fullmatch(r"(theory|simulate|figures)((\.\w+)+)", node.value)
            if dotted:
                yield dotted[1]


@pytest.mark.parametrize("path", sources(*PACKAGES), ids=named)
def test_imports_point_one_way(path: Path) -> None:
    package = path.relative_to(ROOT).parts[0]
    found = set(imported(ast.parse(path.read_text(encoding="utf-8")), package))
    assert found & set(MAY_NOT_IMPORT[package]) == set()
    assert found & {"tests", "benchmarks", "examples"} == set()


@pytest.mark.parametrize(
    ("code", "packages"),
    [
        ("import simulate", {"simulate"}),
        ("import simulate.run as x, os", {"simulate", "os"}),
        ("def f():\n    from figures.overlay_figure import overlay", {"figures"}),
        ("from . import x", {"theory"}),
        ("if TYPE_CHECKING:\n    from simulate import run", {"simulate"}),
        ("import_module('figures.overlay')", {"figures"}),
        ("HOMES = {'run': 'simulate.run'}", {"simulate"}),
        ("'simulate' 'figures are drawn'", set()),
    ],
)
def test_imports_are_found(code: str, packages: set[str]) -> None:
    assert set(imported(ast.parse(code), "theory")) == packages


def test_there_is_something_to_check() -> None:
    assert all(len(sources(package)) > 3 for package in PACKAGES)
    assert {"tests/test_imports.py", "tests/theory/test_setting.py"} <= {named(path) for path in sources("tests")}


# Comparisons that nobody looks at.

PREDICATES = {
    "all",
    "allclose",
    "any",
    "approx",
    "array_equal",
    "array_equiv",
    "bool",
    "callable",
    "endswith",
    "exists",
    "hasattr",
    "is_dir",
    "is_file",
    "isclose",
    "isdisjoint",
    "isfinite",
    "isinf",
    "isinstance",
    "isnan",
    "issubclass",
    "issubset",
    "issuperset",
    "startswith",
}


def is_question(node: ast.expr) -> bool:
    """Whether an expression only asks: evaluated as a statement, its answer is lost."""
    if isinstance(node, ast.Call):
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        return name in PREDICATES
    return isinstance(node, ast.Compare | ast.BoolOp) or (
        isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not)
    )


def is_always_true(node: ast.expr) -> bool:
    """Whether an ``assert`` of the expression cannot fail."""
    if isinstance(node, ast.Call):
        return getattr(node.func, "attr", getattr(node.func, "id", "")) == "approx"
    return isinstance(node, ast.Tuple | ast.Lambda | ast.GeneratorExp) or (
        isinstance(node, ast.Constant) and bool(node.value)
    )


def unseen(code: str) -> list[int]:
    """Lines of questions whose answer nobody looks at, and of assertions that cannot fail."""
    found = []
    for node in ast.walk(ast.parse(code)):
        bare = isinstance(node, ast.Expr) and is_question(node.value)
        if bare or (isinstance(node, ast.Assert) and is_always_true(node.test)):
            found.append(node.lineno)
    return sorted(found)


@pytest.mark.parametrize("path", sources("tests"), ids=named)
def test_no_test_compares_without_looking(path: Path) -> None:
    assert unseen(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "code",
    [
        "x == y",
        "x < y < z",
        "x in y",
        "not x",
        "x == 1 and y == 2",
        "np.allclose(x, y)",
        "np.isclose(x, y).all()",
        "math.isclose(x, y)",
        "np.array_equal(x, y)",
        "pytest.approx(x)",
        "x == pytest.approx(y)",
        "all(x)",
        "isinstance(x, int)",
        "path.exists()",
        "for x in y:\n    x == 1",
        "with z:\n    np.allclose(x, y)",
        "assert (x == y, 'never fails')",
        "assert pytest.approx(x)",
        "assert (x for x in y)",
        "assert True",
    ],
)
def test_what_is_not_looked_at_is_found(code: str) -> None:
    assert len(unseen(code)) == 1


@pytest.mark.parametrize(
    "code",
    [
        "assert x == y",
        "assert np.allclose(x, y)",
        "same = x == y",
        "np.testing.assert_allclose(x, y)",
        "assert x == pytest.approx(y)",
        "check(x == y)",
        "return_value = not x",
        "assert not (x == y)",
        "assert False",
        "x.sort()",
    ],
)
def test_what_is_looked_at_is_left_alone(code: str) -> None:
    assert unseen(code) == []
