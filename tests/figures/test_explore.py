"""The explorer: its artists follow the sliders, what they show is nearly theory.predict, and it says what it cannot."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

import theory
from figures.explore.knobs import KNOBS, NATURAL, setting_with, value_in
from figures.explore.phase_words import phase_words
from figures.explore.quick_prediction import QuickPrediction, quick_predictions
from figures.explore.window import SIZE, STEPS, Explorer, explorer_on
from theory.errors import NoTheoryError, SettingError
from theory.setting_file import load

GATE_ERROR, BOUNDARY_ERROR = 0.01, 0.008
"""How far the explorer may be from theory.predict: in the mean gate, and in the boundary as a share of it."""
FEW = tuple(np.unique(np.rint(np.geomspace(1, 1e7, 60)).astype(int)).tolist())
SETTINGS = [
    (),
    ("label_noise=0",),
    ("label_noise=0.3", "num_low=20"),
    ("model.gate.prior_in_weight=0.9", "num_low=20"),
    ("p_relevant=0.5", "num_low=10"),
    ("p_relevant=0.3", "label_noise_kind=symmetric", "num_low=10"),
    ("context_length=1", "relevant_examples=1", "num_low=5"),
    ("model.in_context.odds=1", "num_low=10"),
]


@pytest.fixture(scope="module")
def explorer() -> Explorer:
    figure = Figure(figsize=SIZE)
    FigureCanvasAgg(figure)
    made = explorer_on(figure, *load("transient"))
    figure.canvas.draw()
    return made


@pytest.fixture(autouse=True)
def _start_again(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "explorer" in request.fixturenames:
        made = request.getfixturevalue("explorer")
        for slider in made.sliders.values():
            slider.set_val(slider.valinit)


def worst(overrides: tuple[str, ...], of: tuple[str, ...]) -> tuple[float, float]:
    """Largest error of the mean gate and of the boundary, held against a prediction of some setting."""
    quick = quick_predictions(*load("transient", overrides=overrides), FEW)
    gate, boundary = 0.0, 0.0
    for entry, exact in zip(quick, theory.predict(*load("transient", overrides=of)).entries, strict=True):
        gate = max(gate, float(np.abs(entry.gate - exact.mean_gate(FEW)).max()))
        if exact.vanish_steps is not None:
            boundary = max(boundary, abs(entry.sharp_steps / exact.vanish_steps - 1))
        else:
            assert entry.sharp_steps in (0, np.inf)
        assert entry.phase == exact.phase
        assert entry.in_context_risk == pytest.approx(exact.in_context_risk, rel=1e-9)
        first = exact.vanish_visits.instantaneous
        if first is not None:
            assert entry.instantaneous_steps * entry.class_probability == pytest.approx(first, rel=1e-6)
    return gate, boundary


@pytest.mark.parametrize("overrides", SETTINGS)
def test_what_is_shown_is_nearly_the_exact_prediction(overrides: tuple[str, ...]) -> None:
    gate, boundary = worst(overrides, overrides)
    assert gate < GATE_ERROR
    assert boundary < BOUNDARY_ERROR


def test_a_prediction_of_another_setting_would_be_noticed() -> None:
    with pytest.raises(AssertionError):
        worst(("label_noise=0.3", "num_low=20"), ("label_noise=0.29", "num_low=20"))
    gate, boundary = worst(
        ("model.gate.prior_in_weight=0.85", "num_low=20"), ("model.gate.prior_in_weight=0.9", "num_low=20")
    )
    assert gate > GATE_ERROR
    assert boundary > BOUNDARY_ERROR


def test_moving_a_slider_moves_the_artists(explorer: Explorer) -> None:
    before = [panel.curve.get_ydata().copy() for panel in explorer.panels]
    explorer.sliders["label_noise"].set_val(0.2)
    task, model = load("transient", overrides=["label_noise=0.2"])
    for panel, gate, entry in zip(explorer.panels, before, quick_predictions(task, model, STEPS), strict=True):
        assert panel.curve.get_xdata().tolist() == list(STEPS)
        np.testing.assert_allclose(panel.curve.get_ydata(), entry.gate, atol=1e-9)
        assert np.abs(panel.curve.get_ydata() - gate).max() > 0.5
        assert panel.sharp.get_xdata() == pytest.approx([entry.sharp_steps] * 2, rel=1e-9)
        assert panel.instantaneous.get_xdata() == pytest.approx([entry.instantaneous_steps] * 2, rel=1e-9)
        assert panel.words.get_text().endswith(phase_words(entry))
    assert explorer.sliders["label_noise"].valtext.get_text() == "0.2"


@pytest.mark.parametrize("knob", KNOBS, ids=lambda knob: knob.key)
def test_every_slider_changes_its_own_setting(explorer: Explorer, knob: object) -> None:
    task, model = load("transient")
    slider = explorer.sliders[knob.key]
    assert knob.value(slider.val) == pytest.approx(value_in(knob, task, model))
    before = explorer.values()
    slider.set_val(slider.valmin + 0.1 * (slider.valmax - slider.valmin))
    after = explorer.values()
    assert {key for key in before if before[key] != after[key]} == {knob.key}
    if not explorer.message.get_text():
        changed = setting_with(task, model, after)
        assert value_in(knob, *changed) == after[knob.key]
        assert changed != (task, model)


def test_the_picture_is_that_of_a_whole_drawing(explorer: Explorer) -> None:
    canvas = explorer.figure.canvas
    still = np.asarray(canvas.buffer_rgba()).copy()
    explorer.sliders["p_high"].set_val(0.3)
    moved = np.asarray(canvas.buffer_rgba()).copy()
    assert (moved != still).any()
    canvas.draw()
    assert (np.asarray(canvas.buffer_rgba()) == moved).all()


def test_impossible_values_are_said_in_the_window(explorer: Explorer) -> None:
    explorer.sliders["relevant_examples"].set_val(9)
    assert "relevant_examples = 9 is not allowed: expected at most context_length = 8" in explorer.message.get_text()
    assert {artist.get_alpha() for panel in explorer.panels for artist in panel.artists} == {0.2}
    explorer.sliders["context_length"].set_val(9)
    assert explorer.message.get_text() == ""
    assert {artist.get_alpha() for panel in explorer.panels for artist in panel.artists} == {None}


def test_a_boundary_that_does_not_exist_is_not_drawn(explorer: Explorer) -> None:
    explorer.sliders["p_relevant"].set_val(0.0)
    low = explorer.panels[1]
    assert np.isnan(low.sharp.get_xdata()).all()
    assert "in-weight: answered from weights" in low.words.get_text()
    explorer.sliders["p_relevant"].set_val(1.0)
    assert np.isfinite(low.sharp.get_xdata()).all()


def test_no_relevant_examples_stand_for_the_natural_law(explorer: Explorer) -> None:
    explorer.sliders["relevant_examples"].set_val(NATURAL)
    assert explorer.sliders["relevant_examples"].valtext.get_text() == "natural"
    task, model = load("transient")
    expected = quick_predictions(replace(task, relevant_examples=None), model, STEPS)
    np.testing.assert_allclose(explorer.panels[0].curve.get_ydata(), expected[0].gate, atol=1e-9)


def entry(phase: str, sharp: float) -> QuickPrediction:
    numbers = {"class_probability": 0.1, "in_context_risk": 1.0, "bayes_risk": 0.0, "instantaneous_steps": 1.0}
    return QuickPrediction(name="high", phase=phase, sharp_steps=sharp, gate=np.zeros(1), **numbers)


@pytest.mark.parametrize(
    ("phase", "sharp", "words"),
    [
        ("transient", 12345.0, "from about 12,300 steps on"),
        ("transient", np.inf, "than 1e+15 steps"),
        ("persistent", np.inf, "however long the stream"),
        ("in-weight", 0.0, "from the first visit on"),
    ],
)
def test_phases_in_words(phase: str, sharp: float, words: str) -> None:
    assert phase_words(entry(phase, sharp)).endswith(words)
    assert phase_words(entry(phase, sharp)).startswith(phase)


@given(st.sampled_from(KNOBS), st.floats(0, 1))
def test_knobs_come_back_from_their_position(knob: object, share: float) -> None:
    low, high = knob.position(knob.low), knob.position(knob.high)
    value = knob.value(low + share * (high - low))
    assert knob.low * (1 - 1e-9) <= value <= knob.high * (1 + 1e-9)
    assert knob.value(knob.position(value)) == pytest.approx(value, rel=1e-9, abs=1e-12)
    assert knob.text(value)


@pytest.mark.parametrize(
    ("preset", "overrides", "error", "words"),
    [
        ("zipf", (), SettingError, "two-level"),
        ("chan2022", (), SettingError, "two-level"),
        ("transient", ("model.gate.kind=fixed-share",), NoTheoryError, "fixed-share"),
        ("transient", ("model.gate.per=query-and-relevance",), SettingError, "per"),
        (
            "transient",
            ("model.in_context.kind=learned-attention", "model.in_context.learning_rate=0.1"),
            NoTheoryError,
            "learned-attention",
        ),
    ],
)
def test_other_settings_are_refused(
    preset: str, overrides: tuple[str, ...], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        explorer_on(Figure(), *load(preset, overrides=overrides))


@pytest.mark.parametrize("backend", ["agg", None])
def test_without_a_display_the_command_says_so(backend: str | None) -> None:
    environment = {
        key: text for key, text in os.environ.items() if key not in ("DISPLAY", "WAYLAND_DISPLAY", "MPLBACKEND")
    }
    if backend:
        environment["MPLBACKEND"] = backend
    done = subprocess.run(
        [sys.executable, "-m", "figures", "explore", "paper"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(
        "figures: Matplotlib's backend = 'agg' is not allowed: expected one that opens windows"
    )
    assert len(done.stderr.splitlines()) == 1
