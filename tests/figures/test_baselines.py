"""Panels look as they did: small pictures without text, which depends on the font library, are compared."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.testing.compare import compare_images

from figures.gallery import agreement, errors_by_examples
from figures.recipe import canvas
from figures.style import style
from simulate.sweeps.sweep_table import SweepTable
from simulate.sweeps.tables import Table, quantity
from tests.figures.test_agreement_figure import made_up

BASELINES = Path(__file__).parent / "baselines"
TOLERANCE = 2.0
"""Root mean square difference of values up to 255: room for another rasteriser, not for other numbers."""


def made_up_errors(shift: float = 0.0) -> dict[str, Any]:
    steps = np.array([10, 30, 100, 300, 1000, 3000, 10_000])
    falling = 0.05 + 0.8 / (1 + (steps / 80) ** 2) + shift
    labels = {"base": np.array(["in-base"]), "context": np.array(["relevant"]), "class": np.array(["low"])}
    predicted = Table(
        coordinates={**labels, "steps": steps},
        quantities={
            "error_in_weight": quantity(["base", "class", "steps"], falling[None, None], "", "g"),
            "error_in_context": quantity(["base", "context", "class"], np.array([[[0.1]]]), "", "h"),
            "crossing_steps": quantity(["class"], [150.0], "steps", "crossing"),
            "band_low": quantity(["class"], [40.0], "steps", "low"),
            "band_high": quantity(["class"], [600.0], "steps", "high"),
        },
    )
    means = {"in_weight": falling - shift, "in_context": np.full(7, 0.1), "gated": np.linspace(0.1, 0.05, 7)}
    quantities = {}
    for part, mean in means.items():
        quantities[f"error_{part}"] = quantity([*labels, "checkpoint"], mean[None, None, None], "", part)
        error = np.full((1, 1, 1, 7), 0.02)
        quantities[f"error_{part}_standard_error"] = quantity([*labels, "checkpoint"], error, "", part)
    whole = np.ones((), dtype=np.bool_)
    simulated = SweepTable(
        axes=(), coordinates={**labels, "checkpoint": steps}, quantities=quantities, complete=whole, possible=whole,
        description={},
    )  # fmt: skip
    return {"predicted": predicted, "simulated": simulated}


def draw_errors(axis: Any, altered: bool) -> None:
    results = made_up_errors(0.1 if altered else 0.0)
    errors_by_examples.draw_errors(axis, results, "in-base", "relevant", "low")


def draw_identity(axis: Any, altered: bool) -> None:
    agreement.draw_identity(axis, agreement._columns(made_up(1.2 if altered else 1.0)))


def draw_spread(axis: Any, altered: bool) -> None:
    agreement.draw_spread(axis, agreement._columns(made_up(1.2 if altered else 1.0)))


PANELS = {"errors": draw_errors, "identity": draw_identity, "spread": draw_spread}


def picture(name: str, folder: Path, altered: bool = False) -> Path:
    with style():
        figure, axes = canvas(2.0, 2.0)
        axis = axes[0, 0]
        PANELS[name](axis, altered)
        for text in [*axis.texts, axis.title, axis.xaxis.label, axis.yaxis.label]:
            text.set_visible(False)
        axis.set_title("", loc="left")
        axis.tick_params(which="both", labelbottom=False, labelleft=False)
        path = folder / f"{name}.png"
        figure.savefig(path, dpi=80, metadata={"Software": None})
    return path


@pytest.mark.parametrize("name", PANELS)
def test_panels_look_as_they_did(name: str, tmp_path: Path) -> None:
    assert compare_images(str(BASELINES / f"{name}.png"), str(picture(name, tmp_path)), TOLERANCE) is None


@pytest.mark.parametrize("name", PANELS)
def test_panels_of_other_numbers_are_rejected(name: str, tmp_path: Path) -> None:
    assert compare_images(str(BASELINES / f"{name}.png"), str(picture(name, tmp_path, altered=True)), TOLERANCE)


def draw_baselines() -> None:
    """Draw the baselines anew: ``python -c "from tests.figures.test_baselines import *; draw_baselines()"``."""
    for name in PANELS:
        picture(name, BASELINES)
