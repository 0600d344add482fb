"""The universal mixture over long runs: nodes that fall far behind come back, and no lane changes another."""

from __future__ import annotations

import numpy as np
import pytest

from simulate.blocks import PromptBlock
from simulate.gates import universal_mixture
from simulate.implementations import gate_state
from simulate.lanes import Lanes
from theory.setting import GatedPredictor, TaskDistribution, UniversalMixtureGate

TASK = TaskDistribution(num_high=1, num_low=3, p_high=0.5)
NODES = 9
GATE = UniversalMixtureGate(nodes=NODES)
GENERATOR = np.random.default_rng(8)
GAINS = {
    "there and back": np.repeat([3.0, -3.0, 3.0], [900, 1500, 1400]),
    "one by one": np.concatenate([np.full(400, 1.0), [-4000.0], np.full(5000, 1.0), [-30.0]]),
    "drawn": GENERATOR.standard_t(1.5, size=3000),
    "ties": np.tile([0.0, 0.0, 2.0, -1.0], 500),
}


def advance(gains: np.ndarray, query: np.ndarray, cut: int = 0) -> np.ndarray:
    """Weights before each prompt; gains of shape (rows, lanes)."""
    state = gate_state(GATE, Lanes((TASK,), (GatedPredictor(gate=GATE),), gains.shape[1]))
    block = PromptBlock(query, query, query, query, query)
    parts = [(block.part(a, b), gains[a:b]) for a, b in ((0, cut), (cut, len(gains)))]
    return np.concatenate([state.advance(p, np.minimum(g, 0), np.minimum(-g, 0)).before for p, g in parts])


def by_logarithms(gains: np.ndarray, lowest: float = -np.inf) -> np.ndarray:
    """Weights before each visit of one cell; likelihoods that fall below ``lowest`` are lost for ever."""
    angle = np.pi * (2 * np.arange(NODES) + 1) / (4 * NODES)
    shares = np.sin(angle) ** 2
    logs, weights = np.zeros(NODES), []
    for gain in gains.tolist():
        likelihood = np.exp(logs - logs.max())
        weights.append(likelihood @ shares / likelihood.sum())
        logs = logs + np.logaddexp(np.log(shares) + min(gain, 0.0), np.log(np.cos(angle) ** 2) + min(-gain, 0.0))
        logs[logs - logs.max() < lowest] = -np.inf
    return np.array(weights)


@pytest.mark.parametrize("name", GAINS)
def test_long_runs_equal_sums_of_logarithms(name: str) -> None:
    gains = GAINS[name]
    found = advance(gains[:, None], np.zeros((gains.size, 1), dtype=np.intp), cut=777)
    # Logarithms of a few thousand nats have this absolute error.
    assert np.abs(found[:, 0] - by_logarithms(gains)).max() < 1e-10


def test_likelihoods_that_are_lost_would_be_seen() -> None:
    """The wrong variant: what is negligible once never counts again."""
    gains = GAINS["there and back"]
    assert np.abs(by_logarithms(gains, lowest=np.log(1e-200)) - by_logarithms(gains)).max() > 0.1


def test_lanes_do_not_change_one_another_to_the_last_digit() -> None:
    gains, query = GENERATOR.normal(scale=9.0, size=(600, 70)), GENERATOR.integers(4, size=(600, 70))
    together = advance(gains, query)
    for lanes in ([0], [69, 3], list(range(5, 42))):
        assert np.array_equal(advance(gains[:, lanes], query[:, lanes]), together[:, lanes])
    assert np.array_equal(advance(gains, query, cut=123), together)


def test_room_grows_with_the_cells_that_are_visited(monkeypatch: pytest.MonkeyPatch) -> None:
    gains, query = GENERATOR.normal(size=(40, 6)), np.repeat(np.arange(4), 10)[:, None] + np.zeros(6, dtype=np.intp)
    expected = advance(gains, query, cut=15)
    monkeypatch.setattr(universal_mixture, "_ROOM", 1)
    assert np.array_equal(advance(gains, query, cut=15), expected)
    # The wrong variant: a cell that begins with what another one has learned.
    assert not np.array_equal(advance(gains, np.zeros_like(query), cut=15), expected)
