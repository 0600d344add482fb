"""Boundaries in closed form and in phases."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.special import lambertw

from theory.in_weight import LabelLaw, cumulative_loss_constants, risk
from theory.transitions.boundaries import asymptotic_visits, instantaneous_visits, lower_lambert

LABELS = LabelLaw(total_labels=20, noise=0.1, noisy_labels=1)


@settings(derandomize=True, max_examples=150, deadline=None)
@given(st.floats(1e-9, 3), st.floats(-500, 500), st.floats(0.1, 1))
def test_asymptotic_boundary_solves_its_equation_at_the_larger_root(gap: float, prior: float, share: float) -> None:
    a, kappa = cumulative_loss_constants(LABELS, 0.5)
    n = asymptotic_visits(LABELS.entropy + gap, LABELS, 0.5, prior, share)
    assume(n is not None)
    assert n is not None
    gap = (LABELS.entropy + gap) - LABELS.entropy
    assert n * gap == pytest.approx(a * math.log(n) + kappa - prior / share, rel=1e-7, abs=1e-6)
    # The larger root is the one where the expected log-odds rise: their slope gap - a / n is not negative.
    assert gap >= a / n * (1 - 1e-6)


def test_principal_branch_is_the_wrong_root() -> None:
    a, kappa = cumulative_loss_constants(LABELS, 0.5)
    gap = 0.4
    argument = -gap / a * math.exp(-kappa / a)
    wrong = -a / gap * float(lambertw(argument, 0).real)
    right = asymptotic_visits(LABELS.entropy + gap, LABELS, 0.5, 0.0)
    assert right is not None
    assert wrong * gap == pytest.approx(a * math.log(wrong) + kappa)
    assert gap < a / wrong
    assert wrong < right / 3


@pytest.mark.parametrize("u", [1.0, 1.5, 20.0, 699.9, 700.1, 1e5, 1e300])
def test_lower_lambert(u: float) -> None:
    w = lower_lambert(u)
    assert w >= 1
    assert w - math.log(w) == pytest.approx(u, rel=1e-9, abs=1e-7)


@pytest.mark.parametrize("in_context_risk", [0.34, 0.5, 1.0, 2.0])
def test_instantaneous_boundary_is_where_the_risks_meet(in_context_risk: float) -> None:
    n = instantaneous_visits(in_context_risk, LABELS, 0.5)
    assert n is not None
    low = math.floor(n)
    values = risk([low, low + 1], LABELS, 0.5)
    assert values[0] > in_context_risk >= values[1]
    assert np.interp(n, [low, low + 1], values) == pytest.approx(in_context_risk, rel=1e-9)


def test_no_boundary_where_there_is_none() -> None:
    assert instantaneous_visits(LABELS.entropy, LABELS, 0.5) is None
    assert instantaneous_visits(10.0, LABELS, 0.5) is None
    assert asymptotic_visits(LABELS.entropy, LABELS, 0.5, 0.0) is None
    assert asymptotic_visits(LABELS.entropy - 0.1, LABELS, 0.5, 0.0) is None
