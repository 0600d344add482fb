"""Regrets of all gates: never above their bounds, and drawn where they are."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from figures.gallery import regrets as figure
from simulate.sweeps.tables import Table
from tests.figures.gallery_checks import an_axis, made_twice


@pytest.fixture(scope="module")
def table() -> Table:
    return figure.regrets(visits=128, repetitions=3, steps=800, version=1)


def test_every_gate_has_its_row() -> None:
    import theory.setting as parts

    kinds = {getattr(part, "kind", None) for name, part in vars(parts).items() if name.endswith("Gate")}
    assert kinds - {None} == set(figure.GATES)


def test_no_regret_is_above_its_bound(table: Table) -> None:
    regret, bound = (table.quantities[name].masked for name in ("regret", "bound"))
    slack = bound - regret
    assert slack.count() > 60
    assert slack.min() > -1e-9
    # Bounds of 0.98 of their size are broken: the worst sequences come that near.
    assert (0.98 * bound - regret).min() < 0
    gates = list(figure.GATES)
    assert bound.mask[gates.index("logistic")].all()
    assert regret.mask[gates.index("logistic"), -1].all()


def test_regrets_by_hand(table: Table) -> None:
    """A Bayes gate: one-sided losses cost it the prior's price, alternating ones nothing."""
    bayes = table.quantities["regret"].masked[list(figure.GATES).index("bayes"), :, 0]
    one_sided, alternating = (bayes[figure.SEQUENCES.index(name)] for name in ("one-sided", "alternating"))
    assert one_sided == pytest.approx(math.log(2) - math.log1p(math.exp(-128)), rel=1e-12)
    assert alternating == pytest.approx(0, abs=1e-12)


def test_the_logistic_gate_visit_by_visit() -> None:
    gains = np.array([1.0, -0.5, 2.0, 0.3, -4.0])
    theta, loss = np.zeros(3), 0.0
    for visit, gain in enumerate(gains):
        features = np.array([1.0, 0.0, math.log1p(visit)])
        weight = 1 / (1 + math.exp(-float(theta @ features)))
        g, h = math.exp(min(gain, 0)), math.exp(min(-gain, 0))
        mixed = weight * g + (1 - weight) * h
        loss -= math.log(mixed)
        theta += 0.1 * weight * (1 - weight) * (g - h) / mixed * features
    pays = min(np.maximum(-gains, 0).sum(), np.maximum(gains, 0).sum())
    assert figure._logistic_regret(gains) == pytest.approx(loss - pays, rel=1e-12)


def test_sequences() -> None:
    for name in figure.SEQUENCES[:-1]:
        assert figure.gains(name, 200, 0).shape == (200,)
        assert np.isfinite(figure.gains(name, 200, 0)).all()
    assert not np.array_equal(figure.gains("i.i.d.", 200, 0), figure.gains("i.i.d.", 200, 1))
    with pytest.raises(KeyError):
        figure.gains("unknown", 10, 0)


def test_what_is_drawn(table: Table) -> None:
    for i, kind in enumerate(figure.GATES):
        with an_axis() as axis:
            drawn = figure.draw_panel(axis, table, kind)
            said = [text.get_text() for text in axis.texts]
        assert drawn
        assert ("no cells: not measured" in said) == (kind == "logistic")
        for (sequence, comparator), artists in drawn.items():
            place = i, figure.SEQUENCES.index(sequence), figure.COMPARATORS.index(comparator)
            regret, bound = (table.quantities[name].masked[place] for name in ("regret", "bound"))
            (shown,) = artists["regret"].get_xdata()
            assert shown == regret
            left, right = axis.get_xlim()
            assert left < regret < right
            low, high = (table.quantities[f"regret_{end}"].masked[place] for end in ("low", "high"))
            assert ("range" in artists) == (low < high)
            if "range" in artists:
                assert sequence == "i.i.d."
                assert artists["range"].get_segments()[0][:, 0].tolist() == [low, high]
            assert ("bound" in artists) == (kind != "logistic")
            if "bound" in artists:
                assert artists["bound"].get_xdata() == [bound]
                assert artists["slack"].get_segments()[0][:, 0].tolist() == [shown, bound]


def test_made_and_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figure, "QUICK", {"visits": 64, "repetitions": 2, "steps": 200})
    made_twice("regrets", tmp_path, monkeypatch, ("regrets",))
