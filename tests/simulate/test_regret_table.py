"""``regret_table`` and the recorder: what they say, and what they refuse."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest

import simulate
from simulate.gates.mixing import log_mixture_of_weights
from simulate.implementations import gate_state
from simulate.protocols import GatePath
from simulate.regrets.comparators import best_constant, least_switching_loss
from simulate.regrets.node_price import mixture_price, worst_monomial
from simulate.regrets.recorder import RegretRecorder
from tests.simulate.test_gates import lanes_of, losses, prompts
from theory.errors import SettingError
from theory.setting import (
    BayesGate,
    DecreasingHedgeGate,
    FixedShareGate,
    GatedPredictor,
    HedgeGate,
    LogisticGate,
    TaskDistribution,
    UniversalMixtureGate,
)

LOSSES = [0.5, 1.0, 2.0]
BAD: dict[str, tuple[Any, Any]] = {
    "not a number": ([0.5, math.nan, 1.0], LOSSES),
    "infinite": (LOSSES, [0.5, math.inf, 1.0]),
    "negative": ([0.5, -1e-300, 1.0], LOSSES),
    "lengths": (LOSSES, LOSSES[:2]),
    "empty": ([], []),
    "one number": (1.0, 1.0),
    "table": ([LOSSES], [LOSSES]),
    "ragged": ([[1.0], [1.0, 2.0]], LOSSES),
    "words": (["a", "b", "c"], LOSSES),
    "truth values": ([True, False, True], LOSSES),
    "complex": ([1j, 1.0, 1.0], LOSSES),
    "nothing": (None, LOSSES),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_losses_are_refused(name: str) -> None:
    with pytest.raises(SettingError, match=r"in_(weight|context)_losses"):
        simulate.regret_table(BayesGate(), *BAD[name])


@pytest.mark.parametrize("gate", [LogisticGate(), None, "bayes", 3, BayesGate])
def test_gates_without_a_bound_are_refused(gate: object) -> None:
    with pytest.raises(SettingError, match=r"gate.*a gate with cells and a regret bound"):
        simulate.regret_table(gate, LOSSES, LOSSES)


def test_a_table_by_hand(capsys: pytest.CaptureFixture[str]) -> None:
    in_weight, in_context = simulate.regret_table(BayesGate(prior_in_weight=0.25), [math.log(4)], [0.0])
    gated = -math.log(0.25 / 4 + 0.75)
    assert in_weight.regret == pytest.approx(gated - math.log(4), rel=1e-14)
    assert (in_context.regret, in_context.bound) == pytest.approx((gated, math.log(4 / 3)), rel=1e-14)
    assert in_context.slack == in_context.bound - in_context.regret
    assert in_context.to_dict() == {
        "gate": "bayes",
        "comparator": "in-context",
        "regret": in_context.regret,
        "bound": in_context.bound,
        "slack": in_context.slack,
        "visits": 1,
        "theorem": "bayes_regret",
    }
    assert capsys.readouterr() == ("", "")


def test_what_the_cells_are_does_not_matter() -> None:
    tables = [simulate.regret_table(HedgeGate(per=per), [3, 1, 0], [0, 1, 2]) for per in ("query", "shared")]
    assert tables[0] == tables[1]


def test_the_best_switching_sequence_by_enumeration() -> None:
    generator = np.random.default_rng(2)
    for visits, switches in ((1, 0), (2, 1), (6, 2), (7, 3), (7, 6)):
        pays = tuple(generator.exponential(size=(2, visits)))
        every = (
            sum(pays[who][i] for i, who in enumerate(chosen))
            for chosen in itertools.product((0, 1), repeat=visits)
            if chosen[0] == 0 and sum(a != b for a, b in itertools.pairwise(chosen)) == switches
        )
        assert least_switching_loss((pays[0], pays[1]), switches) == pytest.approx(min(every), rel=1e-13)


@pytest.mark.parametrize("scale", [1e-9, 1.0, 300.0])
def test_no_constant_gate_is_better_than_the_best(scale: float) -> None:
    generator = np.random.default_rng(5)
    shares = np.sin(np.linspace(0, np.pi / 2, 4001)) ** 2
    for _ in range(20):
        gains = scale * generator.normal(loc=generator.normal() / 3, size=30)
        best, (log_odds, loss) = np.inf, best_constant(gains)
        for share in shares:
            weights = np.full((2, 30), share)
            weights[1] = 1 - share
            mixed = log_mixture_of_weights((weights[0], weights[1]), np.minimum(gains, 0), np.minimum(-gains, 0))
            best = min(best, -float(mixed.sum()))
        tolerance = 1e-12 * np.abs(gains).sum()
        assert loss <= best + tolerance
        # The grid is fine enough to come near, where the best one is not next to an end.
        if abs(log_odds) < 5 and scale <= 1:
            assert loss > best - 1e-4 * scale


def test_the_nodes_suffice_up_to_their_square() -> None:
    """The count behind the universal mixture's bound; twice the square is too much, so the check can fail."""
    for nodes in (2, 3, 5, 8, 16):
        for visits in range(1, nodes**2 + 1):
            assert worst_monomial(visits, nodes) <= math.log1p(4 * visits) / 2
            assert abs(mixture_price(visits, nodes) - math.log1p(4 * visits) / 2) < 1e-14
        assert worst_monomial(2 * nodes**2, nodes) > math.log1p(8 * nodes**2) / 2
    for nodes in (64, 320):
        assert worst_monomial(nodes**2, nodes) <= math.log1p(4 * nodes**2) / 2
    assert mixture_price(101, 10) == worst_monomial(101, 10)


def test_the_worst_monomial_by_running_it() -> None:
    """Extreme losses make every visit a factor a or 1 - a; the nodes' mean of the product is what the gate pays."""
    for visits, nodes, wins in ((40, 4, 13), (64, 6, 0), (200, 10, 100)):
        gains = np.where(np.arange(visits) < wins, 900.0, -900.0)
        table = simulate.regret_table(UniversalMixtureGate(nodes=nodes), np.maximum(-gains, 0), np.maximum(gains, 0))
        regret = {row.comparator: row for row in table}["best constant gate"]
        assert regret.slack >= -1e-9
        assert regret.bound <= worst_monomial(visits, nodes) + 1e-9


@pytest.mark.parametrize("gates", [(HedgeGate(rate=0.3), HedgeGate(rate=0.9)), (FixedShareGate(), FixedShareGate())])
def test_the_recorder_finds_the_worst_cell_of_each_setting(gates: tuple[Any, Any]) -> None:
    generator = np.random.default_rng(1)
    lanes = lanes_of(gates, 2)
    block, both = prompts(generator, 300, 4), losses(generator, 1.0, (300, 4))
    state, recorder = gate_state(gates[0], lanes), RegretRecorder(lanes)
    for start, end in ((0, 10), (10, 10), (10, 300)):
        part = both[0][start:end], both[1][start:end]
        path = state.advance(block.part(start, end), *part)
        told = path if start else GatePath(path.before, path.after)
        recorder.add(block.part(start, end), *part, told)
    for setting, gate in enumerate(gates):
        least: dict[str, float] = {}
        for lane in (2 * setting, 2 * setting + 1):
            for query in range(5):
                own = block.query[:, lane] == query
                values = (-side[own, lane] for side in both)
                whole = {
                    row.comparator: row.slack for row in simulate.regret_table(gate, *values) if row.visits <= own.sum()
                }
                for name, slack in whole.items():
                    least[name] = min(least.get(name, np.inf), slack)
        rows = recorder.rows(setting)
        assert [row.comparator for row in rows] == list(least)
        for row in rows:
            # The table looks at the beginnings too, and so finds no more slack.
            assert row.slack >= least[row.comparator] - 1e-9
            assert row.slack >= 0


def test_a_recorder_of_nothing_has_no_rows() -> None:
    assert RegretRecorder(lanes_of((BayesGate(),))).rows(0) == ()


def test_the_recorder_keeps_only_so_much(monkeypatch: pytest.MonkeyPatch) -> None:
    from simulate.regrets import recorder as module

    monkeypatch.setattr(module, "MOST_KEPT", 5)
    block, both = prompts(np.random.default_rng(0), 3, 2), (np.zeros((3, 2)), np.zeros((3, 2)))
    recorder = RegretRecorder(lanes_of((BayesGate(),), 2))
    with pytest.raises(SettingError, match="at most 5 where regrets are recorded"):
        recorder.add(block, *both, GatePath(both[0], both[0]))


def test_losses_that_overflow_are_refused() -> None:
    with pytest.raises(SettingError, match=r"in_weight_losses\[0\] = 1e\+160"):
        simulate.regret_table(DecreasingHedgeGate(), [1e160] * 3, [0.0, 1.0, 2.0])


@pytest.mark.parametrize("gate", [BayesGate(), FixedShareGate(per="shared"), UniversalMixtureGate(nodes=40)])
def test_no_regret_of_a_simulation_exceeds_its_bound(gate: Any) -> None:
    task = TaskDistribution(num_high=2, num_low=4, p_high=0.9, context_length=4, label_noise=0.2)
    rows = simulate.run_regrets(task, GatedPredictor(gate=gate), steps=800, replicates=3)
    assert rows
    assert all(row.slack > -1e-9 for row in rows)
    assert all(math.isfinite(row.bound) for row in rows)


def test_a_gate_without_cells_has_no_regret_table_along_runs() -> None:
    task = TaskDistribution(num_high=2, num_low=4, p_high=0.9, context_length=4)
    with pytest.raises(SettingError, match=r"model\.gate"):
        simulate.run_regrets(task, GatedPredictor(gate=LogisticGate()), steps=8, replicates=1)


def loss_of_the_logistic_gate(score: float, g: float, h: float) -> float:
    """Loss in nats where the log-odds of the gate are a score, which is linear in the learned weights."""
    weight = 1 / (1 + math.exp(-score))
    return -math.log(weight * g + (1 - weight) * h)


def test_the_loss_of_the_logistic_gate_is_not_convex() -> None:
    """So that gradient descent's bound does not hold for it: a counterexample, and the reason why there always is one.

    In the mixing weight itself the loss is convex; in the score it is bounded, and no bounded function that varies is.
    """
    g, h = 0.9, 0.1
    ends = [loss_of_the_logistic_gate(score, g, h) for score in (-6.0, 0.0)]
    middle = loss_of_the_logistic_gate(-3.0, g, h)
    assert middle > sum(ends) / 2 + 0.4
    weights = [1 / (1 + math.exp(6.0)), 0.5]
    mean = sum(weights) / 2
    assert -math.log(mean * g + (1 - mean) * h) < sum(ends) / 2
    # Only an in-context predictor that excludes the label makes it convex: then it is the logistic loss.
    scores = np.linspace(-20, 20, 81)
    for least, convex in ((0.0, True), (1e-6, False), (0.1, False)):
        losses = np.array([loss_of_the_logistic_gate(score, g, least) for score in scores])
        assert bool((np.diff(losses, 2) >= -1e-12).all()) is convex
