"""The report: what stands in it is read back and compared with what was predicted and simulated."""

from __future__ import annotations

import csv
import io
import math
import shlex
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import theory
from figures.cli import main
from figures.report.contents import ASKED_STEPS, Contents, asked_size, gather
from figures.report.numbers_in_words import mean_text, number_text
from figures.report.page import report_page
from figures.report.tables import MOST_ROWS_IN_PAGE, ROWS_SHOWN, spread_by_frequency, table
from figures.report.task_in_words import task_sentences
from simulate.agreements import agreement
from tests.figures.page_reading import PageReader, flaws
from theory.errors import SettingError
from theory.setting_file import load, presets

SMALL = ("num_high=2", "num_low=4", "p_high=0.8", "context_length=3", "relevant_examples=2", "label_noise=0.1")
QUICK = {"steps": 300, "replicates": 3, "prompts": 5}
SMALLER = {
    "transient": SMALL,
    "zipf": ("num_classes=4", "context_length=3", "relevant_examples=2"),
    "words": ("num_classes=4", "context_length=3", "relevant_examples=2"),
    "shared-labels": ("num_classes=6", "num_labels=2", "context_length=3", "relevant_examples=2"),
}
ALIKE = ("frequencies=uniform", "num_classes=30", "context_length=3", "relevant_examples=2", "label_noise=0")


@cache
def contents_of(preset: str, *overrides: str, **numbers: int) -> Contents:
    return gather(*load(preset, overrides=overrides), **{**QUICK, **numbers})


@cache
def read(preset: str, *overrides: str, **numbers: int) -> PageReader:
    return PageReader(report_page(contents_of(preset, *overrides, **numbers)))


# The page as a whole.


@pytest.mark.parametrize("preset", presets())
def test_every_preset_gives_a_whole_page(preset: str) -> None:
    overrides = SMALLER.get(preset, ())
    page = report_page(contents_of(preset, *overrides), title=preset)
    assert flaws(page) == []
    reader = PageReader(page)
    assert len(reader.named("img")) == 1
    said = task_sentences(load(preset, overrides=overrides)[0])
    assert [sentence for sentence in (*said, "How to reproduce this page") if sentence not in reader.text] == []
    assert all(table.rows for table in reader.tables)
    has_theory = contents_of(preset, *overrides).prediction is not None
    assert has_theory == ("has no theory" not in reader.text)
    assert len(reader.tables) == (6 if has_theory else 4)


@pytest.mark.parametrize(
    ("page", "flaw"),
    [
        ("<html lang='en'><h1>a</h1><h1>b</h1></html>", "not one h1"),
        ("<html><h1>a</h1></html>", "no language"),
        ("<html lang='en'><h1>a</h1><img src='data:,'></html>", "a picture without words"),
        ("<html lang='en'><h1>a</h1><img src='a.png' alt='a'></html>", "img src = a.png"),
        ("<html lang='en'><h1>a</h1><script>1</script></html>", "<script>"),
        ("<html lang='en'><h1 onclick='x'>a</h1></html>", "h1 onclick"),
        ("<html lang='en'><h1>a</h1><style>@import 'a'</style></html>", "a style that fetches"),
        (
            "<html lang='en'><h1>a</h1><table><caption>c</caption><th></th></table></html>",
            "a table header without scope",
        ),
        ("<html lang='en'><h1>a</h1><table></table></html>", "a table without caption"),
        ("<html lang='en'><h1>a</h1><p></html>", None),
    ],
)
def test_flaws_are_found(page: str, flaw: str | None) -> None:
    if flaw is None:
        with pytest.raises(AssertionError):
            flaws(page)
        return
    assert flaws(page) == [flaw]


def test_the_same_contents_give_the_same_bytes() -> None:
    setting = load("transient", overrides=SMALL)
    first, second = (report_page(gather(*setting, **QUICK)) for _ in range(2))
    assert first == second
    assert first != report_page(gather(*setting, **QUICK, seed=1))


def test_names_of_classes_are_only_shown() -> None:
    evil = "<script>alert('a & b')</script>"
    task = theory.TaskDistribution(
        frequencies="counts", counts=[5, 3, 2], class_names=[evil, "b", "c"], context_length=4, relevant_examples=2
    )
    page = report_page(gather(task, **QUICK), title=evil)
    assert flaws(page) == []
    assert "<script" not in page
    assert PageReader(page).table("Simulated").rows[0][0] == evil
    assert page.count("&lt;script&gt;") > 3


# What stands in it.


def test_numbers_of_the_prediction_stand_in_the_page() -> None:
    contents = contents_of("transient", *SMALL, steps=3000)
    reader = read("transient", *SMALL, steps=3000)
    rows = reader.table("Predicted risks").rows
    for row, entry in zip(rows, contents.prediction.entries, strict=True):
        assert row[0] == f"{entry.name} ({entry.num_classes})"
        assert row[2] == entry.phase == "transient"
        assert row[6:8] == [number_text(entry.vanish_visits.sharp), number_text(entry.vanish_steps)]
        assert f"from about {number_text(entry.vanish_steps)} steps on" in reader.text
    assert rows[0][7] != rows[1][7]
    kept = list(csv.DictReader(io.StringIO(reader.files["predicted.csv"].decode())))
    assert [float(row["sharp_steps"]) for row in kept] == [e.vanish_steps for e in contents.prediction.entries]


def test_numbers_of_the_simulation_stand_in_the_page() -> None:
    contents = contents_of("transient", *SMALL, steps=3000)
    reader = read("transient", *SMALL, steps=3000)
    for row, entry in zip(reader.table("Simulated").rows, contents.run.entries, strict=True):
        low, high = entry.boundary.interval
        assert row[2:4] == [number_text(entry.boundary.steps), f"{number_text(low)} to {number_text(high)}"]
        assert row[4] == mean_text(float(entry.curve.mean[-1]), float(entry.curve.standard_error[-1]))
    pairs = agreement(contents.prediction, contents.run)
    for row, pair in zip(reader.table("Predicted and simulated").rows, pairs, strict=True):
        assert float(row[4].removesuffix(" %")) == pytest.approx(100 * pair.relative_error, abs=0.06)
        assert row[5] == ("yes" if pair.inside else "no")


def test_answers_and_regrets_stand_in_the_page() -> None:
    contents = contents_of("transient", *SMALL, steps=3000)
    reader = read("transient", *SMALL, steps=3000)
    rows = {row[0]: row for row in reader.table("Shares of wrong answers").rows}
    assert len(rows) == 8
    cell = contents.evaluation["out-of-base", "relevant", "low"]
    found = rows["out-of-base, relevant, low"]
    assert found[2] == mean_text(float(cell.error.in_context.mean), float(cell.error.in_context.standard_error))
    assert found[1] == "1 ± 0"
    losses = {row[0]: row for row in reader.table("Cross-entropies").rows}
    mean = float(cell.cross_entropy.gated.mean)
    assert float(losses["out-of-base, relevant, low"][3].split(" ±")[0]) == pytest.approx(mean, rel=0.1)
    regrets = reader.table("Regret").rows
    assert [row[0] for row in regrets] == [row.comparator for row in contents.regrets]
    assert [row[1] for row in regrets] == [number_text(row.regret) for row in contents.regrets]


def test_long_tables_are_cut_and_kept_whole_in_the_file() -> None:
    reader = read("transient", *ALIKE)
    assert len(reader.table("Predicted risks").rows) == ROWS_SHOWN
    assert "24 of 30 rows are shown; the file has all." in reader.text
    kept = list(csv.DictReader(io.StringIO(reader.files["simulated.csv"].decode())))
    assert [row["class"] for row in kept] == [str(i) for i in range(30)]
    assert [row[0] for row in reader.table("Simulated").rows][:2] == ["0", "1"]
    assert reader.table("Simulated").rows[-1][0] == "29"


def test_very_long_files_are_cut_and_say_so() -> None:
    number = MOST_ROWS_IN_PAGE + 1
    made = table("a", ("a",), [("x",)] * number, [{"a": 1}] * number, file_name="a.csv")
    assert f"the file has the first {MOST_ROWS_IN_PAGE:,}" in made.note


@given(st.lists(st.floats(1e-6, 1.0), min_size=1, max_size=400))
def test_shown_rows_go_from_the_most_to_the_least_frequent(probabilities: list[float]) -> None:
    places = spread_by_frequency(probabilities)
    assert len(set(places)) == len(places) == min(len(probabilities), ROWS_SHOWN)
    shown = [probabilities[i] for i in places]
    assert shown == sorted(shown, reverse=True)
    assert (shown[0], shown[-1]) == (max(probabilities), min(probabilities))


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e5))
def test_means_are_right_to_their_standard_error(mean: float, error: float) -> None:
    shown, said = mean_text(mean, error).replace(",", "").split(" ± ")
    assert abs(float(shown) - mean) <= 0.51 * error or abs(float(shown) - mean) <= 0.501
    assert float(said) == pytest.approx(error, rel=0.5, abs=0.5)


# Settings that have less to say.


def test_a_single_replicate_has_no_uncertainty_and_says_so() -> None:
    reader = read("transient", *SMALL, replicates=1)
    assert "A single replicate tells nothing of its uncertainty" in reader.text
    assert all("±" not in cell for made in reader.tables for row in made.rows for cell in row)
    assert "±" in " ".join(cell for made in read("transient", *SMALL).tables for row in made.rows for cell in row)


def test_a_part_without_theory_is_simulated_only() -> None:
    reader = read("transient", *SMALL, "model.gate.kind=fixed-share")
    assert "model.gate = 'fixed-share' has no theory" in reader.text
    assert not [made for made in reader.tables if made.caption.startswith("Predicted")]
    assert "Simulated mean gates. After 300 steps they are high-frequency" in reader.named("img")[0]["alt"]
    assert "fixed-share" not in read("transient", *SMALL).text


def test_a_learning_rate_beyond_the_theory_is_simulated_only() -> None:
    learned = ("model.in_context.kind=learned-attention", "model.in_context.learning_rate=5")
    assert "simulated only: model.in_context.learning_rate = 5.0" in read("transient", *SMALL, *learned).text


def test_learners_that_cannot_be_asked_say_why() -> None:
    reader = read("transient", *SMALL, "label_noise=0", "model.in_context.floor=0")
    assert "The learners are not asked: " in reader.text
    assert not [made for made in reader.tables if made.caption.startswith("Shares")]
    assert "The learners are not asked: " not in read("transient", *SMALL).text


def test_groups_that_cannot_be_asked_out_of_base_say_why() -> None:
    reader = read("transient", "num_high=1", "num_low=3", "context_length=2", "relevant_examples=1")
    assert "Not asked out-of-base: high, since it has a single label" in reader.text
    assert "out-of-base, relevant, high" not in [row[0] for row in reader.table("Shares").rows]
    assert "Not asked out-of-base" not in read("transient", *SMALL).text


def test_a_gate_without_cells_has_no_regret_and_says_why() -> None:
    reader = read("transient", *SMALL, "model.gate.kind=logistic")
    assert "No regret is shown: model.gate" in reader.text
    assert not [made for made in reader.tables if made.caption.startswith("Regret")]


def test_a_prior_that_favours_g_shows_where_context_emerges() -> None:
    reader = read("transient", *SMALL, "model.gate.prior_in_weight=0.9")
    assert reader.table("Predicted risks").header[-1] == "emerges, steps"
    assert reader.table("Predicted risks").rows[0][-1] != "–"
    assert read("transient", *SMALL).table("Predicted risks").header[-1] != "emerges, steps"


def test_episodes_with_the_law_of_a_task_are_predicted() -> None:
    task, model = load("transient", overrides=SMALL)
    contents = gather(theory.episodes_of(task), model, **QUICK)
    assert contents.task == task
    assert contents.prediction is not None


def test_arrays_from_python_are_said_not_to_fit_in_a_file() -> None:
    episodes, model = load("chan2024")
    rng = np.random.default_rng(0)
    inputs = theory.ArrayInputs(embeddings=rng.normal(size=(10, 4)), classes=np.arange(10))
    reader = PageReader(report_page(gather(replace(episodes, inputs=inputs), model, **QUICK)))
    assert "No settings file can hold this setting" in reader.text
    assert "Inputs are rows of a given array, in 4 dimensions." in reader.text


# How much is simulated.


@given(st.integers(1, 10**12), st.integers(1, 10**4))
def test_learners_that_are_asked_take_bounded_time(steps: int, replicates: int) -> None:
    asked, few = asked_size(steps, replicates)
    assert 1 <= asked <= steps
    assert min(2, replicates) <= few <= replicates
    assert asked * few <= max(ASKED_STEPS, 2)
    assert (asked, few) == (steps, replicates) or asked * few * 2 >= min(ASKED_STEPS, steps * replicates)


@pytest.mark.parametrize(
    "numbers",
    [
        {"steps": 0},
        {"replicates": 0},
        {"prompts": 0},
        {"seed": -1},
        {"steps": math.nan},
        {"steps": 1.5},
        {"prompts": True},
    ],
)
def test_numbers_that_are_not_admissible_are_refused(numbers: dict[str, int]) -> None:
    with pytest.raises(SettingError, match=next(iter(numbers))):
        gather(*load("transient", overrides=SMALL), **{**QUICK, **numbers})


def test_a_floor_that_does_not_fit_is_refused() -> None:
    with pytest.raises(SettingError, match="floor"):
        gather(*load("transient", overrides=[*SMALL, "model.in_context.floor=0.5"]), **QUICK)


# The command.


def test_the_command_in_the_page_writes_the_same_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    argv = ["report", "transient", "--set", *SMALL, "--replicates", "2", "--prompts", "4", "--out", "first.html"]
    assert main(argv) == 0
    page = Path("first.html").read_text(encoding="utf-8")
    command = shlex.split(PageReader(page).codes[0])
    assert command[:4] == ["python", "-m", "figures", "report"]
    assert "--steps" in command
    assert main(command[3:]) == 0
    assert Path("report.html").read_text(encoding="utf-8") == page


def test_the_setting_in_the_page_is_the_setting(tmp_path: Path) -> None:
    path = tmp_path / "task.toml"
    path.write_bytes(read("transient", *SMALL).files["task.toml"])
    assert load(path) == load("transient", overrides=SMALL)


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (("--prompts", "0"), "--prompts"),
        (("--prompts", "many"), "--prompts"),
        (("--steps", "-1"), "--steps"),
        (("--out", "no/such/folder/report.html"), "cannot write"),
        (("--set", "label_noise=2"), "label_noise"),
    ],
)
def test_bad_input_is_refused_before_anything_is_computed(
    argv: tuple[str, ...],
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["report", "words", *argv]) == 2
    assert words in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
