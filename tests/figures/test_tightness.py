"""Tightness of the catalogue's bounds: all of them, never below 1, and drawn where they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from figures.gallery import tightness as figure
from simulate.sweeps.tables import Table
from tests.figures.gallery_checks import an_axis, made_twice
from theory.catalogue import THEOREMS


@pytest.fixture(scope="module")
def table() -> Table:
    return figure.bounds(figure.SETTINGS, 1)


def test_every_bound_with_an_exact_side_is_there() -> None:
    """Those of high probability whose left side is what they bound, not how often they fail."""
    kinds = {"upper", "lower", "high probability"}
    bounds = [t.name for t in THEOREMS if t.kind in kinds and t.left_name != "violated_with_probability"]
    assert sorted(figure.SETTINGS) == sorted(bounds)


def test_no_bound_is_beyond_what_it_bounds(table: Table) -> None:
    ratio, bound, exact = (table.quantities[name].values for name in ("ratio", "bound", "exact"))
    lower = table.quantities["kind"].values == 1
    assert ratio.min() >= 1 - 1e-9
    assert ratio[~lower] == pytest.approx(bound[~lower] / exact[~lower])
    assert ratio[lower] == pytest.approx(exact[lower] / bound[lower])
    # Both sides are numbers of their own: most bounds are not attained.
    assert np.mean(ratio > 1.001) > 0.8


def test_ratios_by_hand(table: Table) -> None:
    """Attention over eight examples, three of them irrelevant and at the squared distance d: odds e^d."""
    names = [label.partition(":")[0] for label in table.coordinates["theorem"].tolist()]
    distance = table.quantities["main"].values[names.index("in_context_loss_upper")]
    loss = np.log1p(3 / 5 * np.exp(-distance))
    ratios = table.quantities["ratio"].values
    assert ratios[names.index("in_context_loss_upper")] == pytest.approx(np.log(8 / 5) / loss)
    assert ratios[names.index("in_context_loss_lower")] == pytest.approx(loss * (3 + 5 * np.exp(4)) / 3)


def test_a_bound_without_an_exact_side_is_refused() -> None:
    with pytest.raises(ValueError, match="hedge_regret has no exact side"):
        figure.bounds({"hedge_regret": "n=1000 S=0 rate=0.5 B=1 gap=1"}, 1)


def test_what_is_drawn(table: Table) -> None:
    with an_axis() as axis:
        drawn = figure.draw_panel(axis, table)
        labels = [label.get_text() for label in axis.get_yticklabels()]
    assert labels == list(figure.SETTINGS) == list(drawn)
    for place, dots in enumerate(drawn.values()):
        ratios = table.quantities["ratio"].values[place]
        places = np.asarray(dots.get_offsets())[:, 0]
        apart = ratios > 1.0001
        assert places[apart] == pytest.approx(ratios[apart] - 1)
        # Those that are attained stand by themselves, before the break of the axis.
        assert np.all(places[~apart] == figure._ONE)
        assert np.all((places < figure._BREAK[0]) == ~apart)
        assert np.all(np.diff(dots.get_sizes()) > 0)


def test_every_main_variable_has_a_word() -> None:
    assert {figure.main_variable(text) for text in figure.SETTINGS.values()} == set(figure._WORDS)


def test_made_and_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made_twice("tightness", tmp_path, monkeypatch, ("bounds",))
