"""Settings as files: presets, TOML in and out, overrides, and class counts from CSV."""

from __future__ import annotations

import csv
import math
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from theory.errors import SettingError
from theory.setting import (
    Attention,
    BayesGate,
    DirichletTable,
    EpisodeDistribution,
    GatedPredictor,
    HedgeGate,
    LearnedAttention,
    TaskDistribution,
)
from theory.setting_file import (
    TASK_KEYS,
    assemble,
    load,
    override_setting,
    parse_override,
    parse_value,
    presets,
    read,
    read_counts,
    to_dict,
    to_toml,
)

STRANGE_NAMES = (
    'quo"te',
    "apo'strophe",
    '"""',
    "back\\slash",
    "\\n",
    "\\u0041",
    "new\nline",
    "carriage\rreturn",
    "both\r\n",
    "tab\t",
    "nul\0",
    "bell\x07",
    "delete\x7f",
    "next line\x85",
    "separator\u2028",
    "mark\ufeff",
    "",
    " ",
    " padded ",
    "comma,semicolon;",
    "# no comment",
    "[task]",
    "a = 1",
    "true",
    "nan",
    "1.5",
    "Ünïcödé",
    "类别",
    "🐍",
    "e\u0301",
)


def refusal(field: str, allowed: str) -> str:
    """Pattern of a message that names the field, shows a value, and says what is allowed."""
    return rf"^{re.escape(field)} (= .+ is not allowed|is missing): expected .*{re.escape(allowed)}"


def written(path: Path, text: str) -> Path:
    """The path, after the text has been written to it as it is."""
    path.write_bytes(text.encode())
    return path


# Presets.


def test_every_preset_has_a_meaning_and_loads() -> None:
    found = presets()
    assert {"paper", "transient"} <= set(found)
    for name, meaning in found.items():
        task, model = load(name)
        assert isinstance(task, TaskDistribution | EpisodeDistribution)
        assert isinstance(model, GatedPredictor)
        assert len(meaning) > 20
        assert not meaning.startswith("#")


def test_preset_paper() -> None:
    task, model = load("paper")
    assert task == TaskDistribution(num_high=5, num_low=5, p_high=0.9, context_length=1, p_relevant=0.9)
    assert model == GatedPredictor()


def test_preset_transient() -> None:
    task, model = load("transient")
    assert (task.frequencies, task.num_high, task.num_low, task.p_high) == ("two-level", 5, 95, 0.9)
    assert task.total_classes == 100
    assert task.label_noise > 0
    assert model == GatedPredictor()


@pytest.mark.parametrize("name", ["papr", "Paper", "transient ", "transeint"])
def test_the_near_preset_is_suggested(name: str) -> None:
    near = "paper" if name.lower().startswith("p") else "transient"
    with pytest.raises(SettingError, match=refusal("task", f"did you mean {near!r}?")) as caught:
        load(name)
    assert "the path of a TOML file" in str(caught.value)
    assert all(preset in str(caught.value) for preset in presets())


def test_a_name_like_no_preset_gets_no_suggestion() -> None:
    with pytest.raises(SettingError, match=refusal("task", "one of")) as caught:
        load("qqqqqq")
    assert "did you mean" not in str(caught.value)


# Round trips: objects to dictionaries and TOML text, and back to equal objects.


def probabilities(*, inside: bool = False) -> st.SearchStrategy[float]:
    """Floats from 0 to 1, with or without the ends."""
    return st.floats(0, 1, exclude_min=inside, exclude_max=inside)


@st.composite
def laws(draw: st.DrawFn) -> dict[str, Any]:
    """Settings of one frequency law."""
    law = draw(st.sampled_from(["two-level", "zipf", "uniform", "weights", "counts"]))
    if law == "two-level":
        number = st.integers(1, 10**6)
        own: dict[str, Any] = {"num_high": draw(number), "num_low": draw(number)}
        own["p_high"] = draw(probabilities(inside=True))
    elif law == "zipf":
        own = {"num_classes": draw(st.integers(2, 10**4)), "zipf_exponent": draw(st.floats(0, 8))}
    elif law == "uniform":
        own = {"num_classes": draw(st.integers(2, 10**4))}
    else:
        several = st.lists(st.integers(0, 10**9), min_size=2, max_size=8)
        counts = draw(several.filter(lambda values: sum(value > 0 for value in values) > 1))
        if law == "counts":
            names = st.lists(st.text(max_size=6), min_size=len(counts), max_size=len(counts), unique=True)
            own = {"counts": counts, "class_names": draw(st.none() | names)}
        else:
            shares = [max(count, 1) if count else 0 for count in (count % 1000 + (count > 0) for count in counts)]
            own = {"weights": [share / sum(shares) for share in shares]}
    classes = TaskDistribution(frequencies=law, **own).total_classes
    return {"frequencies": law, **own, "num_labels": draw(st.none() | st.integers(2, classes))}


@st.composite
def tasks(draw: st.DrawFn) -> TaskDistribution:
    """Any task."""
    length = draw(st.integers(1, 100))
    return TaskDistribution(
        **draw(laws()),
        context_length=length,
        p_relevant=draw(probabilities()),
        relevant_examples=draw(st.none() | st.integers(1, length)),
        label_noise=draw(probabilities()),
        label_noise_kind=draw(st.sampled_from(["cyclic", "symmetric"])),
        context_label_noise=draw(st.none() | probabilities()),
    )


def models() -> st.SearchStrategy[GatedPredictor]:
    """Any model that a file can name."""
    return st.builds(
        GatedPredictor,
        in_weight=st.builds(DirichletTable, pseudo_count=st.floats(1e-100, 1e15)),
        in_context=st.builds(Attention, odds=st.floats(1, 1e100), floor=st.floats(0, 1, exclude_max=True)),
        gate=st.builds(
            BayesGate,
            prior_in_weight=probabilities(inside=True),
            per=st.sampled_from(["query", "query-and-relevance"]),
        )
        | st.builds(HedgeGate, rate=st.floats(1e-3, 100), prior_in_weight=probabilities(inside=True)),
    )


STRANGE = TaskDistribution(frequencies="counts", counts=range(1, len(STRANGE_NAMES) + 1), class_names=STRANGE_NAMES)


@settings(derandomize=True, deadline=None, max_examples=200, database=None)
@given(task=tasks(), model=models())
@example(task=STRANGE, model=GatedPredictor())
def test_dictionaries_and_back(task: TaskDistribution, model: GatedPredictor) -> None:
    assert assemble(to_dict(task, model)) == (task, model)


@settings(derandomize=True, deadline=None, max_examples=200, database=None)
@given(task=tasks(), model=models())
@example(task=STRANGE, model=GatedPredictor())
def test_toml_file_and_back(
    tmp_path_factory: pytest.TempPathFactory, task: TaskDistribution, model: GatedPredictor
) -> None:
    text = to_toml(task, model)
    path = tmp_path_factory.getbasetemp() / "round_trip.toml"
    path.write_text(text, encoding="utf-8")
    assert load(path) == (task, model)
    assert tomllib.loads(text) == to_dict(task, model)
    assert to_toml(*load(str(path))) == text


@pytest.mark.parametrize("name", STRANGE_NAMES, ids=ascii)
def test_strange_class_name_and_back(tmp_path: Path, name: str) -> None:
    task = TaskDistribution(frequencies="counts", counts=(2, 1), class_names=(name, "other"))
    path = written(tmp_path / "task.toml", to_toml(task, GatedPredictor()))
    loaded, _ = load(path)
    assert loaded.name_of(0) == name
    assert loaded == task


@pytest.mark.parametrize("preset", ["paper", "transient", "zipf", "words", "shared-labels"])
def test_presets_and_back(tmp_path: Path, preset: str) -> None:
    path = written(tmp_path / "again.toml", to_toml(*load(preset)))
    assert load(path) == load(preset)


def test_settings_left_out_are_left_out() -> None:
    setting = to_dict(TaskDistribution(frequencies="uniform", num_classes=3), GatedPredictor())
    assert set(setting) == {"task", "model"}
    assert not {"num_high", "weights", "relevant_examples", "context_label_noise"} & set(setting["task"])
    assert setting["task"]["num_classes"] == 3
    assert {role: part["kind"] for role, part in setting["model"].items()} == {
        "in_weight": "dirichlet",
        "in_context": "attention",
        "gate": "bayes",
    }


# TOML files.


def test_a_whole_file(tmp_path: Path) -> None:
    path = written(
        tmp_path / "task.toml",
        """
        # A comment.
        [task]
        frequencies = "weights"
        weights = [0.5, 0.25, 0.25]
        context_length = 8
        relevant_examples = 4
        label_noise = 0.1
        label_noise_kind = "symmetric"
        [model.in_weight]
        kind = "dirichlet"
        pseudo_count = 1
        [model.in_context]
        odds = 50
        floor = 1e-5
        [model.gate]
        prior_in_weight = 0.9
        per = "query-and-relevance"
        """,
    )
    expected_task = TaskDistribution(
        frequencies="weights",
        weights=(0.5, 0.25, 0.25),
        context_length=8,
        relevant_examples=4,
        label_noise=0.1,
        label_noise_kind="symmetric",
    )
    expected_model = GatedPredictor(
        in_weight=DirichletTable(pseudo_count=1.0),
        in_context=Attention(odds=50.0, floor=1e-5),
        gate=BayesGate(prior_in_weight=0.9, per="query-and-relevance"),
    )
    assert load(path) == (expected_task, expected_model)
    assert load(str(path)) == load(path)


def test_a_file_without_a_suffix(tmp_path: Path) -> None:
    path = written(tmp_path / "setting", to_toml(*load("paper")))
    assert load(path) == load("paper")


def test_read_does_not_check_and_does_not_share() -> None:
    first = read("paper", overrides=["label_noise=7"])
    assert first["task"]["label_noise"] == 7
    assert "label_noise" not in read("paper")["task"]


@pytest.mark.parametrize(
    ("text", "field", "allowed"),
    [
        ("[task", "task file", "valid TOML"),
        ("[task]\nnum_high = ", "task file", "valid TOML"),
        ("[task]\nnum_high = 5\nnum_high = 6", "task file", "valid TOML"),
        ("[task]\nlabel_noise = __import__('os')", "task file", "valid TOML"),
        ("[task]\nlabel_noise = .1", "task file", "valid TOML"),
        ("task = 3", "task", "a table of settings"),
        ("task = []", "task", "a table of settings"),
        ("[task]\n[model]\ngate = 3", "model.gate", "a table of settings"),
        ("[taks]\nnum_high = 5", "section", "one of task, episodes, model (did you mean 'task'?)"),
        ("[task]\n[modle]", "section", "one of task, episodes, model (did you mean 'model'?)"),
        ("[task]\n[zzz]", "section", "one of task, episodes, model"),
        ("[task]\nlabel_noize = 0.1", "task key", "did you mean 'label_noise'?"),
        ("[task]\nnum_hihg = 5", "task key", "did you mean 'num_high'?"),
        ("[task]\nzzz = 5", "task key", "one of frequencies, num_high"),
        ("[task]\nfrequencies = 'weights'\n[task.weights]\na = 1", "weights", "a list with one entry for each class"),
        ("[task]\n[model.gte]\nper = 'query'", "model part", "did you mean 'gate'?"),
        ("[task]\n[model.gate]\nprior_weight = 0.5", "model.gate key", "did you mean 'prior_in_weight'?"),
        ("[task]\n[model.gate]\nkind = 'baies'", "model.gate.kind", "did you mean 'bayes'?"),
        ("[task]\n[model.gate]\nkind = 3", "model.gate.kind", "one of bayes"),
        ("[task]\n[model.in_context]\nodd = 3", "model.in_context key", "did you mean 'odds'?"),
        ("[task]\n[model.in_context]\nodds = nan", "model.in_context.odds", "at least 1"),
        ("[task]\n[model.in_context]\nodds = inf", "model.in_context.odds", "at least 1"),
        ("[task]\n[model.in_weight]\npseudo_count = true", "model.in_weight.pseudo_count", "at least 1e-100"),
        ("[task]\nnum_high = 5\nnum_low = 5\np_high = nan", "p_high", "above 0 and below 1"),
        ("[task]\nnum_high = 5\nnum_low = 5\np_high = +inf", "p_high", "above 0 and below 1"),
        ("[task]\nnum_high = 5\nnum_low = 5\np_high = '0.5'", "p_high", "above 0 and below 1"),
        ("[task]\nnum_high = true\nnum_low = 5\np_high = 0.5", "num_high", "a whole number of at least 1"),
        ("[task]\nnum_high = 5.0\nnum_low = 5\np_high = 0.5", "num_high", "a whole number of at least 1"),
        ("[task]\nnum_high = 1979-05-27\nnum_low = 5\np_high = 0.5", "num_high", "a whole number of at least 1"),
        ("[task]\nnum_high = 5\nnum_low = 5", "p_high", "needs num_high, num_low, p_high"),
        ("[task]\nfrequencies = 'zipf'\nnum_classes = 5", "zipf_exponent", "needs num_classes, zipf_exponent"),
        ("[task]\nfrequencies = 'zipff'", "frequencies", "did you mean 'zipf'?"),
        ("[task]\nfrequencies = 'weights'\nweights = [0.5, 0.6]", "weights", "sum to one"),
        ("[task]\nfrequencies = 'weights'\nweights = '0.5'", "weights", "a list with one entry for each class"),
        ("[task]\ncounts_file = 3", "counts_file", "the path of a CSV file"),
        ("[task]\ncounts_file = 'nowhere.csv'", "counts_file", "a readable file"),
        ('[task]\ncounts_file = "nul\\u0000.csv"', "counts_file", ""),
        ("[task]\nweights = " + "[" * 5000 + "]" * 5000, "task file", ""),
        ("[task]\nnum_high = " + "9" * 5000, "task file", ""),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else None,
)
def test_bad_files(tmp_path: Path, text: str, field: str, allowed: str) -> None:
    with pytest.raises(SettingError, match=refusal(field, allowed)) as caught:
        load(written(tmp_path / "task.toml", text))
    assert len(str(caught.value).splitlines()) == 1


def test_an_empty_file_names_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(
        SettingError, match=r"^(num_high|num_low|p_high) is missing: .* needs num_high, num_low, p_high"
    ):
        load(written(tmp_path / "task.toml", ""))


def test_settings_outside_of_a_section_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"label_noise"):
        load(written(tmp_path / "task.toml", "label_noise = 0.1"))


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    for path in (tmp_path / "missing.toml", tmp_path / "missing" / "task.toml", tmp_path):
        with pytest.raises(SettingError, match=refusal("task file", "a readable file")) as caught:
            load(path)
        assert caught.value.value == str(path)


def test_a_file_that_is_not_utf8(tmp_path: Path) -> None:
    path = tmp_path / "latin.toml"
    path.write_bytes("[task]\n# Größe\nnum_high = 5".encode("latin-1"))
    with pytest.raises(SettingError, match=refusal("task file", "a UTF-8 text file")):
        load(path)


@pytest.mark.parametrize("name", ["x" * 300, "x" * 300 + ".toml", "x" * 5000], ids=["name", "file", "path"])
def test_a_name_that_no_file_can_have(name: str) -> None:
    with pytest.raises(SettingError, match=r"^task( file)? = 'xxx"):
        load(name)


@pytest.mark.parametrize(
    ("setting", "field"),
    [
        ({"task": None}, "task"),
        ({"task": {}, "model": []}, "model"),
        ({"task": {}, "model": {"gate": "bayes"}}, "model.gate"),
        ({"task": {}, "model": {"gate": {"kind": ["bayes"]}}}, "model.gate.kind"),
    ],
)
def test_assemble_refuses_what_is_no_table(setting: dict[str, Any], field: str) -> None:
    with pytest.raises(SettingError, match=refusal(field, "")):
        assemble(setting)


# Overrides.


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        ("-1", -1),
        ("1_000", 1000),
        ("0x10", 16),
        ("0.5", 0.5),
        (".5", 0.5),
        ("5.", 5.0),
        ("1e-4", 1e-4),
        ("1E3", 1000.0),
        ("true", True),
        ("True", "True"),
        ('"a b"', "a b"),
        ("'it'", "it"),
        ("zipf", "zipf"),
        ("query-and-relevance", "query-and-relevance"),
        ("[1, 2]", [1, 2]),
        ("[0.5,0.5]", [0.5, 0.5]),
        ("", ""),
        ("1 + 1", "1 + 1"),
        ("1\nother = 2", "1\nother = 2"),
        ("1 # note", 1),
        ("__import__('os').getcwd()", "__import__('os').getcwd()"),
        ("(1, 2)", "(1, 2)"),
        ("2**3", "2**3"),
        ("None", "None"),
    ],
)
def test_parse_value(text: str, value: object) -> None:
    parsed = parse_value(text)
    assert parsed == value
    assert type(parsed) is type(value)


@pytest.mark.parametrize("text", ["inf", "-inf", "Infinity"])
def test_infinity_is_read_so_that_the_field_can_refuse_it(text: str) -> None:
    assert math.isinf(parse_value(text))


@pytest.mark.parametrize(
    ("text", "pair"),
    [
        ("label_noise=0.1", ("label_noise", 0.1)),
        (" label_noise = 0.1 ", ("label_noise", 0.1)),
        ("task.num_high=3", ("task.num_high", 3)),
        ("a=b=c", ("a", "b=c")),
        ("a=", ("a", "")),
    ],
)
def test_parse_override(text: str, pair: tuple[str, object]) -> None:
    assert parse_override(text) == pair


@pytest.mark.parametrize("text", ["", "label_noise", "label_noise:0.1", "=", "=0.1", "  =0.1"])
def test_parse_override_refuses(text: str) -> None:
    with pytest.raises(SettingError, match=refusal("--set", "key=value, such as label_noise=0.1")):
        parse_override(text)


@settings(derandomize=True, deadline=None, max_examples=300, database=None)
@given(st.text(max_size=30) | st.from_regex(r"[\[\]{}'\"=.,0-9eE+-]{1,20}", fullmatch=True))
@example("[" * 5000)
@example("9" * 5000)
@example("{a = " * 2000)
def test_any_text_is_a_value_or_a_setting_error(text: str) -> None:
    try:
        key, value = parse_override(f"label_noise={text}")
    except SettingError as error:
        assert "label_noise" in str(error)  # noqa: PT017 (either outcome is fine)
    else:
        assert key == "label_noise"
        assert value is not None


@pytest.mark.parametrize(
    ("overrides", "changed"),
    [
        (["label_noise=0.25"], {"label_noise": 0.25}),
        (["task.label_noise=0.25"], {"label_noise": 0.25}),
        (["label_noise=0.5", "label_noise=0.25"], {"label_noise": 0.25}),
        (["label_noise=0", "p_relevant=1"], {"label_noise": 0.0, "p_relevant": 1.0}),
        (["label_noise_kind=symmetric"], {"label_noise_kind": "symmetric"}),
        (["context_length=4", "relevant_examples=2"], {"context_length": 4, "relevant_examples": 2}),
        (["relevant_examples=2", "context_length=4"], {"context_length": 4, "relevant_examples": 2}),
    ],
)
def test_task_overrides(overrides: list[str], changed: dict[str, Any]) -> None:
    paper = {"num_high": 5, "num_low": 5, "p_high": 0.9, "context_length": 1, "p_relevant": 0.9}
    assert load("paper", overrides=overrides) == (TaskDistribution(**{**paper, **changed}), GatedPredictor())


def test_model_overrides() -> None:
    overrides = ["model.in_weight.pseudo_count=1", "model.in_context.odds=50", "model.gate.prior_in_weight=.9"]
    _, model = load("paper", overrides=overrides)
    assert model == GatedPredictor(
        in_weight=DirichletTable(pseudo_count=1),
        in_context=Attention(odds=50),
        gate=BayesGate(prior_in_weight=0.9),
    )


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        (["frequencies=uniform", "num_classes=4"], {"frequencies": "uniform", "num_classes": 4}),
        (
            ["frequencies=zipf", "num_classes=4", "zipf_exponent=1.5"],
            {"frequencies": "zipf", "num_classes": 4, "zipf_exponent": 1.5},
        ),
        (["frequencies=weights", "weights=[0.5, 0.5]"], {"frequencies": "weights", "weights": (0.5, 0.5)}),
        (["frequencies=counts", "counts=[3, 1]"], {"frequencies": "counts", "counts": (3, 1)}),
    ],
)
def test_a_new_law_drops_the_settings_of_the_old_one(overrides: list[str], expected: dict[str, Any]) -> None:
    task, _ = load("paper", overrides=overrides)
    assert task == TaskDistribution(**expected, context_length=1, p_relevant=0.9)


def test_the_same_law_again_keeps_its_settings() -> None:
    assert load("paper", overrides=["frequencies=two-level"]) == load("paper")


@pytest.mark.parametrize(
    ("override", "field", "allowed"),
    [
        ("label_noize=0.1", "setting", "did you mean 'label_noise'?"),
        ("task.label_noize=0.1", "setting", "did you mean 'label_noise'?"),
        ("zzz=0.1", "setting", "one of frequencies, num_high"),
        ("label_noise.x=0.1", "setting", "one of frequencies, num_high"),
        ("model=3", "setting", "model.gate.per"),
        ("model.gate=3", "setting", "model.gate.per"),
        ("model.gate.prior_in_weight.x=3", "setting", "did you mean 'model.gate.prior_in_weight'?"),
        ("model.gat.prior_in_weight=0.5", "setting", "did you mean 'model.gate.prior_in_weight'?"),
        ("model.gate.prior_weight=0.5", "model.gate key", "did you mean 'prior_in_weight'?"),
        ("model.in_weight.kind=ngram", "model.in_weight.kind", "one of dirichlet"),
        ("num_classes=5", "num_classes", "frequencies = 'two-level' has no such setting"),
        ("frequencies=uniform", "num_classes", "needs num_classes"),
        ("label_noise=nan", "label_noise", "at least 0 and at most 1"),
        ("label_noise=true", "label_noise", "at least 0 and at most 1"),
        ("label_noise='0.1'", "label_noise", "at least 0 and at most 1"),
        ("label_noise=0.1+0.1", "label_noise", "at least 0 and at most 1"),
        ("num_high=2.0", "num_high", "a whole number of at least 1"),
        ("counts_file=nowhere.csv", "counts_file", "a readable file"),
    ],
)
def test_bad_overrides(override: str, field: str, allowed: str) -> None:
    with pytest.raises(SettingError, match=refusal(field, allowed)):
        load("paper", overrides=[override])


def test_every_task_key_can_be_overridden() -> None:
    for key in TASK_KEYS:
        setting: dict[str, dict[str, Any]] = {}
        override_setting(setting, key, 3)
        assert setting["task"][key] == 3


# Class counts from CSV.


@pytest.mark.parametrize(
    ("text", "names", "counts"),
    [
        ("class,count\na,3\nb,1\n", ("a", "b"), (3, 1)),
        ("class,count\r\na,3\r\nb,1", ("a", "b"), (3, 1)),
        ("count,class\n3,a\n1,b\n", ("a", "b"), (3, 1)),
        ("id,class,note,count\n7,a,x,3\n8,b,,1\n", ("a", "b"), (3, 1)),
        (" class , count \na, 3 \nb,1\n", ("a", "b"), (3, 1)),
        ("class,count\n\na,3\n\n\nb,1\n\n", ("a", "b"), (3, 1)),
        ("class,count\na,0\nb,1\nc,007\n", ("a", "b", "c"), (0, 1, 7)),
        ('class,count\n"a,b",3\n"say ""hi""",1\n', ("a,b", 'say "hi"'), (3, 1)),
        ("class,count\n类,3\n🐍,1\nÜ,2\n", ("类", "🐍", "Ü"), (3, 1, 2)),
        ("class,count\n1,3\n1.0,1\nnan,2\n", ("1", "1.0", "nan"), (3, 1, 2)),
        ("class,count\na,3\nA,1\n", ("a", "A"), (3, 1)),
        ("\ufeffclass,count\na,3\nb,1\n", ("a", "b"), (3, 1)),
        ('class,count\n"two\nlines",3\ntwolines,1\n', ("two\nlines", "twolines"), (3, 1)),
        ("class,count\nseparator\u2028,3\nnext\x85line,1\n", ("separator\u2028", "next\x85line"), (3, 1)),
        ("class,count\nform\x0cfeed,3\nunit\x1cgroup,1\n", ("form\x0cfeed", "unit\x1cgroup"), (3, 1)),
    ],
    ids=ascii,
)
def test_read_counts(tmp_path: Path, text: str, names: tuple[str, ...], counts: tuple[int, ...]) -> None:
    path = written(tmp_path / "counts.csv", text)
    assert read_counts(path) == {"class_names": names, "counts": counts}
    assert read_counts(str(path)) == read_counts(path)


@settings(derandomize=True, deadline=None, max_examples=100, database=None)
@given(
    st.dictionaries(
        st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Zs"])), st.integers(0, 10**15)
    )
)
def test_what_the_csv_module_writes_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, counted: dict[str, int]
) -> None:
    counted = {"first": 1, **counted}
    path = tmp_path_factory.getbasetemp() / "counts_back.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("class", "count"), *counted.items()])
    assert read_counts(path) == {"class_names": tuple(counted), "counts": tuple(counted.values())}


@pytest.mark.parametrize(
    ("text", "field", "allowed"),
    [
        ("", "counts_file", "the columns class,count (no 'class' in its header)"),
        ("\n\n", "counts_file", "the columns class,count"),
        ("a,3\nb,1\n", "counts_file", "the columns class,count (no 'class' in its header)"),
        ("class\na\n", "counts_file", "the columns class,count (no 'count' in its header)"),
        ("count\n3\n", "counts_file", "the columns class,count (no 'class' in its header)"),
        ("Class,Count\na,3\n", "counts_file", "the columns class,count"),
        ("class;count\na;3\n", "counts_file", "the columns class,count"),
        ("class,count\n", "counts_file", "at least two classes"),
        ("class,count\na,-3\nb,1\n", "counts.csv line 2, count", "a whole number of at least 0"),
        ("class,count\na,3\nb,1.5\n", "counts.csv line 3, count", "a whole number of at least 0"),
        ("class,count\na,3\nb,2.0\n", "counts.csv line 3, count", "a whole number of at least 0"),
        ("class,count\na,3\nb,1e3\n", "counts.csv line 3, count", "a whole number of at least 0"),
        ("class,count\na,3\nb,many\n", "counts.csv line 3, count", "a whole number of at least 0"),
        ("class,count\na,3\nb,\n", "counts.csv line 3, count", "a whole number of at least 0"),
        ("class,count\na,3\nb,nan\n", "counts.csv line 3, count", "a whole number of at least 0"),
        ("class,count\na,3\nb,inf\n", "counts.csv line 3, count", "a whole number of at least 0"),
        ("class,count\na,3\nb,True\n", "counts.csv line 3, count", "a whole number of at least 0"),
        ("class,count\na,3\nb,1_000\n", "counts.csv line 3, count", "a whole number of at least 0"),
        ("class,count\na,3\nb,٣\n", "counts.csv line 3, count", "a whole number of at least 0"),
        ("class,count\na,3\nb,²\n", "counts.csv line 3, count", "a whole number of at least 0"),
        ("class,count\na,3\nb,__import__('os')\n", "counts.csv line 3, count", "a whole number of at least 0"),
        ("class,count\na,3\nb\n", "counts.csv line 3", "a class and a count"),
        ("class,count\na,3\nb,1\na,2\n", "counts.csv line 4, class", "a class that is not listed before"),
        ("class,count\na,3\na,3\n", "counts.csv line 3, class", "a class that is not listed before"),
        ("class,count\na,3\nb," + "9" * 5000 + "\n", "counts.csv line 3, count", ""),
    ],
    ids=lambda value: ascii(value)[:50] if isinstance(value, str) else None,
)
def test_bad_counts(tmp_path: Path, text: str, field: str, allowed: str) -> None:
    with pytest.raises(SettingError, match=refusal(field, allowed)) as caught:
        read_counts(written(tmp_path / "counts.csv", text))
    assert len(str(caught.value).splitlines()) == 1
    assert len(str(caught.value)) < 400


def test_a_class_name_longer_than_the_csv_module_takes(tmp_path: Path) -> None:
    path = written(tmp_path / "counts.csv", "class,count\n" + "a" * 200_000 + ",3\nb,1\n")
    with pytest.raises(SettingError, match=r"counts.*is not allowed") as caught:
        read_counts(path)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("text", ["class,count\na,3\n", "class,count\na,3\nb,0\n", "class,count\na,0\nb,0\n"])
def test_fewer_than_two_classes_that_occur(tmp_path: Path, text: str) -> None:
    with pytest.raises(SettingError, match=refusal("counts", "at least two classes")):
        load("paper", counts=written(tmp_path / "counts.csv", text))


def test_counts_files_that_cannot_be_read(tmp_path: Path) -> None:
    for path in (tmp_path / "missing.csv", tmp_path):
        with pytest.raises(SettingError, match=refusal("counts_file", "a readable file")):
            load("paper", counts=path)
    latin = tmp_path / "latin.csv"
    latin.write_bytes("class,count\nGröße,3\nb,1\n".encode("latin-1"))
    with pytest.raises(SettingError, match=refusal("counts_file", "a UTF-8 text file")):
        load("paper", counts=latin)
    binary = tmp_path / "binary.csv"
    binary.write_bytes(bytes(range(256)))
    with pytest.raises(SettingError, match=refusal("counts_file", "a UTF-8 text file")):
        load("paper", counts=binary)


def test_counts_replace_the_frequencies_of_any_preset(tmp_path: Path) -> None:
    path = written(tmp_path / "counts.csv", "class,count\nthe,6\nof,3\nand,1\n")
    for preset in ("paper", "zipf", "words"):
        task, model = load(preset, counts=path)
        original, same_model = load(preset)
        assert (task.counts, task.class_names) == ((6, 3, 1), ("the", "of", "and"))
        assert task.class_probabilities.tolist() == pytest.approx([0.6, 0.3, 0.1])
        assert (task.context_length, task.label_noise) == (original.context_length, original.label_noise)
        assert model == same_model


@pytest.mark.parametrize("pair", ["frequencies=uniform", "num_classes=7", "task.num_low=3", "counts_file=other.csv"])
def test_counts_leave_no_room_for_another_law(tmp_path: Path, pair: str) -> None:
    path = written(tmp_path / "counts.csv", "class,count\na,3\nb,1\n")
    task, _ = load("paper", counts=path, overrides=["label_noise=0.25"])
    assert (task.frequencies, task.counts, task.label_noise) == ("counts", (3, 1), 0.25)
    with pytest.raises(SettingError, match="nothing, since the counts replace the frequencies"):
        load("paper", counts=path, overrides=[pair])


def test_a_counts_file_is_sought_beside_the_task_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here" / "data").mkdir(parents=True)
    written(tmp_path / "here" / "data" / "counts.csv", "class,count\na,3\nb,1\n")
    path = written(tmp_path / "here" / "task.toml", '[task]\ncounts_file = "data/counts.csv"\nlabel_noise = 0.1')
    monkeypatch.chdir(tmp_path)
    for source in (path, Path("here/task.toml"), "here/task.toml"):
        task, _ = load(source)
        assert (task.frequencies, task.counts, task.label_noise) == ("counts", (3, 1), 0.1)


def test_a_counts_file_as_an_override(tmp_path: Path) -> None:
    path = written(tmp_path / "counts.csv", "class,count\na,3\nb,1\n")
    task, _ = load("paper", overrides=[f"counts_file={path}"])
    assert task.class_names == ("a", "b")


def test_a_counts_file_does_not_go_with_another_law(tmp_path: Path) -> None:
    written(tmp_path / "counts.csv", "class,count\na,3\nb,1\n")
    path = written(tmp_path / "task.toml", "[task]\nfrequencies = 'zipf'\ncounts_file = 'counts.csv'")
    with pytest.raises(SettingError, match=r"frequencies = 'zipf'"):
        load(path)


def test_the_kind_of_a_part_can_be_set_with_what_belongs_to_it() -> None:
    """In any order; what the new kind has too is kept, the rest of the old kind's settings goes."""
    overrides = [
        "model.in_context.learning_rate=0.02",
        "model.in_context.kind=learned-attention",
        "model.in_context.initial_odds=3",
    ]
    for order in (overrides, overrides[::-1]):
        task, model = load("paper", overrides=["model.in_context.floor=1e-5", *order])
        assert model.in_context == LearnedAttention(learning_rate=0.02, initial_odds=3, floor=1e-5)
        assert assemble(to_dict(task, model)) == (task, model)
        assert "learned-attention" in to_toml(task, model)
    again = load("paper", overrides=["model.in_context.kind=attention", "model.in_context.odds=7"])[1]
    assert again.in_context.odds == 7
