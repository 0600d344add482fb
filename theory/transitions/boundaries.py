r"""Boundaries of one gate cell in visits: instantaneous and asymptotic (the sharp one is read off the mean gate)."""

from __future__ import annotations

import math

from scipy.special import lambertw

from theory.gating.curve import LARGEST_VISITS
from theory.in_weight import LabelLaw, cumulative_loss_constants, risk
from theory.transitions.crossing import geometric_integers, last_rise_between_integers


def finite_or_none(boundary: float) -> float | None:
    """A boundary, or ``None`` where the curve has none (never below its level, or not yet above it)."""
    return boundary if 0 < boundary < math.inf else None


def instantaneous_visits(in_context_risk: float, labels: LabelLaw, pseudo_count: float) -> float | None:
    r"""Visits at which the in-weight risk last falls through the in-context risk, :math:`R_n = r_h`.

    This is where :math:`g` becomes the better predictor, not where the gate has noticed: the gate has to win back
    the cumulative loss first.

    Parameters
    ----------
    in_context_risk : float
        :math:`r_h` in nats.
    labels : LabelLaw
        Label law of the class.
    pseudo_count : float
        :math:`b`.

    Returns
    -------
    float or None
        ``None`` where :math:`R_n` is never, or at last not, above :math:`r_h` for :math:`n \ge 1`.
    """

    def advantage(n: int) -> float:
        return in_context_risk - float(risk(n, labels, pseudo_count))

    grid = geometric_integers(1, LARGEST_VISITS, 1.1)
    return finite_or_none(
        last_rise_between_integers(advantage, grid, in_context_risk - risk(grid, labels, pseudo_count), 0.0)
    )


def asymptotic_visits(
    in_context_risk: float, labels: LabelLaw, pseudo_count: float, prior_log_odds: float, share: float = 1.0
) -> float | None:
    r"""Asymptotic boundary in closed form: the larger root of :math:`d_0/s + n\Delta = a\log n + \kappa`.

    .. math:: n_v = -\frac{a}{\Delta}\, W_{-1}\!\left(-\frac{\Delta}{a}\, e^{-\kappa'/a}\right),
        \qquad \Delta = r_h - H,\quad \kappa' = \kappa - d_0/s

    with the lower branch of the Lambert function (the principal branch gives the small root, where the gate *falls*).

    Parameters
    ----------
    in_context_risk : float
        :math:`r_h` in nats.
    labels : LabelLaw
        Label law of the class.
    pseudo_count : float
        :math:`b`.
    prior_log_odds : float
        :math:`d_0`.
    share : float
        Share :math:`s` of the class's visits that the gate cell sees.

    Returns
    -------
    float or None
        ``None`` where :math:`\Delta \le 0` (in-context learning persists) or the expected log-odds have no root.

    Examples
    --------
    >>> labels = LabelLaw(total_labels=10, noise=0.1, noisy_labels=1)
    >>> n = asymptotic_visits(0.6, labels, 0.5, 0.0)
    >>> a, kappa = cumulative_loss_constants(labels, 0.5)
    >>> math.isclose(n * (0.6 - labels.entropy), a * math.log(n) + kappa)
    True
    """
    gap = in_context_risk - labels.entropy
    if gap <= 0 or share <= 0:
        return None
    a, kappa = cumulative_loss_constants(labels, pseudo_count)
    u = (kappa - prior_log_odds / share) / a + math.log(a / gap)
    root = a / gap * lower_lambert(u) if u >= 1 else math.inf
    return root if math.isfinite(root) else None


def lower_lambert(u: float) -> float:
    r""":math:`-W_{-1}(-e^{-u})` for :math:`u \ge 1`: the larger root of :math:`w - \log w = u`, at any size of u.

    Examples
    --------
    >>> w = lower_lambert(3.0)
    >>> round(w - math.log(w), 12), lower_lambert(1e6) > 1e6
    (3.0, True)
    """
    if u < 700:
        # At u = 1 both branches meet at -1/e, beyond which rounding must not step.
        argument = max(-math.exp(-u), -math.exp(-1))
        return -float(lambertw(argument, -1).real) if argument > -math.exp(-1) else 1.0
    root = u
    for _ in range(8):
        # e^-u underflows; this iteration gains a factor u in accuracy each time.
        root = u + math.log(root)
    return root
