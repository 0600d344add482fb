"""``python -m theory list|show|bound|check|page``: what a user types, reads, and gets wrong."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import numpy as np
import pytest

from theory.catalogue import ERRATA, THEOREMS, find_theorem
from theory.cli import main
from theory.theorems import cli
from theory.theorems.calculator import bound_table, solved
from theory.theorems.falsifier import random_points
from theory.theorems.page import falsification_page, page
from theory.theorems.report import Report, check_claim
from theory.theorems.theorem import Theorem

ROOT = Path(__file__).resolve().parents[2]
NAME = "laplace_upper_log"


def out(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    assert main(arguments) == code
    captured = capsys.readouterr()
    assert captured.err == ""
    return captured.out


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    return captured.err


# list and show


def test_list_names_every_theorem_and_erratum(capsys: pytest.CaptureFixture[str]) -> None:
    lines = out(capsys, "list").splitlines()
    assert [line.split()[0] for line in lines] == [claim.name for claim in (*THEOREMS, *ERRATA)]
    listed = json.loads(out(capsys, "list", "--json"))["theorems"]
    assert [entry["name"] for entry in listed] == [claim.name for claim in (*THEOREMS, *ERRATA)]


@pytest.mark.parametrize("claim", [*THEOREMS, *ERRATA], ids=lambda claim: claim.name)
def test_show_says_all_there_is(capsys: pytest.CaptureFixture[str], claim: object) -> None:
    # The verdicts are tested with the catalogue; to run every check here again would only take time.
    name = claim.name  # type: ignore[attr-defined]
    shown = out(capsys, "show", name) if name == NAME else _statement(capsys, name)
    assert f"{name}: " in shown
    for parameter in claim.parameters:  # type: ignore[attr-defined]
        assert parameter.assumption in " ".join(shown.split())


def _statement(capsys: pytest.CaptureFixture[str], name: str) -> str:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cli, "_show_derivation", lambda *_, **__: None)
        return out(capsys, "show", name)


def test_show_prints_verdicts_and_latex(capsys: pytest.CaptureFixture[str]) -> None:
    text = " ".join(out(capsys, "show", NAME).split())
    assert "[cited (for each label: cover2006elements" in text
    assert "[proved (SymPy simplifies the difference to 0)]" in text
    assert r"\le \log" in out(capsys, "show", NAME, "--latex")
    assert "\\log" not in text


# bound


def test_bound_prints_the_value(capsys: pytest.CaptureFixture[str]) -> None:
    text = out(capsys, "bound", "laplace_upper_linear", "--set", "n=99", "C=3")
    assert text.splitlines()[1].split() == ["n", "C", "label_noise", "noisy_labels", "bound", "exact"]
    assert text.splitlines()[2].split()[:5] == ["99", "3", "0", "1", "0.02"]


def test_bound_gives_all_combinations_as_csv(capsys: pytest.CaptureFixture[str]) -> None:
    text = out(capsys, "bound", NAME, "--set", "n=1:1e6:4:log", "--set", "C=2,10", "label_noise=0.1", "--csv")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [(float(row["n"]), float(row["C"])) for row in rows] == [(n, c) for n in (1, 100, 1e4, 1e6) for c in (2, 10)]
    for row in rows:
        assert float(row["bound"]) == np.log1p((float(row["C"]) - 1) / (float(row["n"]) + 1))
        assert float(row["exact"]) <= float(row["bound"])


def test_bound_gives_json(capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(out(capsys, "bound", NAME, "--set", "n=1000", "C=2", "--json"))
    assert found["theorem"] == NAME
    assert found["column"] == "bound"
    (row,) = found["rows"]
    assert row.pop("exact") == pytest.approx(row["bound"])
    assert row == {"n": 1000, "C": 2, "label_noise": 0.0, "noisy_labels": 1, "bound": np.log1p(1 / 1001)}


@pytest.mark.parametrize(
    ("name", "settings", "target"),
    [
        ("laplace_upper_linear", ["C=3"], "n=0.0123"),
        ("in_weight_risk", ["C=10", "label_noise=0.1"], "n=0.01"),
        ("hedge_optimal_rate", ["B=2"], "n=100"),
        ("attention_mass_upper", ["L=1000"], "k=0.5"),
        ("bayes_regret", ["loss_g=3", "loss_h=50"], "prior=4.5"),
        ("laplace_upper_log", ["n=5"], "C=1.5"),
    ],
)
def test_solve_finds_where_the_value_is_reached(name: str, settings: list[str], target: str) -> None:
    theorem = find_theorem(name)
    key, _, level = target.partition("=")
    found = float(solved(theorem, settings, target).partition("=")[2])
    given = {text.partition("=")[0]: float(text.partition("=")[2]) for text in settings}

    def value(at: float) -> float:
        return float(theorem.evaluate(**given, **{key: at}))

    parameter = next(parameter for parameter in theorem.parameters if parameter.name == key)
    step = 1.0 if parameter.is_integer else 1e-9 * found
    before, at = value(found - step) - float(level), value(found) - float(level)
    assert before * at <= 0 or abs(at) < 1e-12


@pytest.mark.parametrize(
    ("settings", "target", "message"),
    [
        (["C=3"], "n=5", "between 2e-12 and 2, its values at the ends"),
        (["C=3"], "m=0.1", "did you mean|one of n, C"),
        (["C=3", "n=4"], "n=0.1", "which is not set"),
        (["C=3,4"], "n=0.1", "for each other parameter"),
        (["C=3"], "n=some", "numbers as values"),
        (["C=3"], "n=0.1,0.2", "one value for n"),
        ([], "n=0.1", "C is missing"),
    ],
)
def test_solve_refuses(capsys: pytest.CaptureFixture[str], settings: list[str], target: str, message: str) -> None:
    given = ["--set", *settings] if settings else []
    assert re.search(message, refused(capsys, "bound", "laplace_upper_linear", *given, "--solve", target))


def test_solve_prints_the_row(capsys: pytest.CaptureFixture[str]) -> None:
    text = out(capsys, "bound", "laplace_upper_linear", "--set", "C=3", "--solve", "n=0.01")
    assert text.splitlines()[2].split()[:2] == ["199", "3"]


@pytest.mark.parametrize("theorem", THEOREMS, ids=lambda theorem: theorem.name)
def test_what_stands_beside_a_bound_obeys_it(theorem: Theorem) -> None:
    points = random_points(theorem, 200, np.random.default_rng(0))
    if theorem.kind in ("exact", "asymptotic") or theorem.left_name != "exact":
        return
    value = np.broadcast_to(theorem.evaluate(**points), 200)
    beside = theorem.bounded(theorem.settings(points))
    scale = 1e-9 * np.maximum(np.abs(theorem.sides(theorem.settings(points))[0]), np.abs(value)) + 1e-13
    slack = value - beside if theorem.relation == "<=" else beside - value
    assert (slack >= -scale).all()


def test_a_generated_range_of_a_whole_number_is_rounded() -> None:
    table = bound_table(find_theorem(NAME), ["n=1:3:5", "C=2"])
    assert table.parameters["n"].tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["n=1", "C=10", "noisy_labels=10"], r"expected 1 <= noisy_labels <= C - 1, whole \(an assumption of"),
        (["n=-1", "C=10"], "n = -1.0 is not allowed: expected 0 <= n <= 1e"),
        (["n=1.5", "C=10"], "n = 1.5 is not allowed"),
        (["C=10"], r"n is missing: expected 0 <= n <= 1e\+12, whole \(visits of the query\)"),
        (["n=1", "C=10", "label_noise=1.5"], "0 <= label_noise <= 1"),
        (["n=1", "C=10", "labelnoise=0.5"], "did you mean 'label_noise'"),
        (["label_noise=0.1"], "n, C is missing"),
        (["n=1", "C=10", "n=2"], "n only once"),
        (["n=0.2:0.4:3", "C=10"], "whole numbers as ends"),
        (["n=1", "C=10", "label_noise=5e-324"], "at least 1e-300 unless 0"),
        (["n", "C=10"], "name=value"),
        (["=3"], "name=value"),
        (["n=nan", "C=10"], "finite values"),
        (["n=1e999", "C=10"], "finite values"),
        (["n=__import__('os').system('true')", "C=10"], "numbers as values"),
        (["n=2**3", "C=10"], "numbers as values"),
        (["n=1:10", "C=10"], "low:high:count"),
        (["n=0:1e6:1001", "C=9", "label_noise=0:1:1000"], "at most 1,000,000 combinations"),
    ],
)
@pytest.mark.parametrize("form", [[], ["--csv"], ["--json"]], ids=["table", "csv", "json"])
def test_bound_refuses(capsys: pytest.CaptureFixture[str], settings: list[str], message: str, form: list[str]) -> None:
    assert re.search(message, refused(capsys, "bound", NAME, "--set", *settings, *form))


@pytest.mark.parametrize("command", ["show", "bound", "check"])
def test_unknown_names_are_refused_with_the_nearest(capsys: pytest.CaptureFixture[str], command: str) -> None:
    assert f"did you mean '{NAME}'" in refused(capsys, command, "laplace_uper_log")


# check


def test_check_passes_and_reports(capsys: pytest.CaptureFixture[str]) -> None:
    text = out(capsys, "check", NAME, "--budget", "1e3", "--workers", "1")
    assert re.search(rf"{NAME} +5\+0\+0\+1 +1,000 +1 .* refuted", text)
    assert "1 of 1 passed" in text
    (found,) = json.loads(out(capsys, "check", NAME, "--budget", "1000", "--workers", "1", "--json"))["theorems"]
    assert found["passed"] is True
    assert found["points"] == 1000
    assert len(found["steps"]) == 6


def test_check_says_the_same_whatever_the_number_of_workers(capsys: pytest.CaptureFixture[str]) -> None:
    names = [theorem.name for theorem in THEOREMS[:2]]
    alone = out(capsys, "check", *names, "--budget", "500", "--workers", "1")
    assert out(capsys, "check", *names, "--budget", "500", "--workers", "2") == alone


def test_check_fails_when_anything_fails(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    broken = check_claim(find_theorem(NAME), 200, 0)
    monkeypatch.setattr(Report, "failures", property(lambda _: ("counterexample at n=1",)))
    monkeypatch.setattr(cli, "_report", lambda *_: broken)
    assert "FAILED counterexample at n=1" in out(capsys, "check", NAME, "--workers", "1", code=1)


def test_report_names_each_kind_of_failure() -> None:
    theorem = find_theorem(NAME)
    good = check_claim(theorem, 500, 0)
    assert good.failures == ()
    bad = Report(
        name=NAME,
        kind="upper",
        verdicts=good.verdicts,
        gap="the chain has no step",
        hunt=good.wrong_hunt or good.hunt,
        wrong_hunt=good.hunt,
    )
    assert [failure.split(" at ")[0] for failure in bad.failures] == [
        "derivation: the chain has no step",
        "counterexample",
        "the wrong variant was not refuted",
    ]


@pytest.mark.parametrize("option", ["--budget=0", "--budget=99", "--budget=some", "--seed=-1", "--workers=0"])
def test_check_refuses(capsys: pytest.CaptureFixture[str], option: str) -> None:
    assert option.partition("=")[0] in refused(capsys, "check", NAME, option)


# Pages.


def test_the_page_of_theorems_is_up_to_date() -> None:
    assert (ROOT / "docs/theorems.md").read_text(encoding="utf-8") == page(THEOREMS, ERRATA)


def test_the_falsification_page_names_every_theorem() -> None:
    text = (ROOT / "docs/falsification.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| (\w+) \|", text, re.MULTILINE)[1:] == [claim.name for claim in (*THEOREMS, *ERRATA)]
    assert f"All {len(THEOREMS) + len(ERRATA)} passed." in text


def test_the_falsification_page_shows_failures() -> None:
    report = check_claim(find_theorem(NAME), 200, 0)
    assert "All 1 passed." in falsification_page([report], 0)
