r"""Excess risk on any sequence of two labels, by the distance of their shares from their law: every step a proof.

``q`` is the share of the noisy label among the visits, ``label_noise`` its probability; both strictly between 0 and 1.
"""

from __future__ import annotations

from typing import Final

import sympy

from theory.catalogue.letters import C, b, label_noise, n
from theory.theorems.checks.identities import simplifies
from theory.theorems.checks.inequalities import by_convexity, by_sign
from theory.theorems.checks.outcomes import combines, same_logarithms
from theory.theorems.checks.reductions import after, follows_from, in_every_case, instance_of
from theory.theorems.derivation import Step
from theory.theorems.two_labels import ExcessQuantile

q = sympy.Symbol("q", positive=True)
_x = sympy.Symbol("x", positive=True)
_z = sympy.Symbol("z", positive=True)
_c = sympy.Symbol("c", nonnegative=True)
_d = sympy.Symbol("d", nonnegative=True)
_u, _v, _w = (sympy.Symbol(name, positive=True) for name in "uvw")
_SHARES: Final = {q: 1 / (1 + _x), label_noise: 1 / (1 + _z)}


def _log_count(share: sympy.Expr) -> sympy.Expr:
    """Log of a count with its pseudo-count."""
    return sympy.log(n * share + b)


def _minus_entropy(share: sympy.Expr) -> sympy.Expr:
    return share * sympy.log(share) + (1 - share) * sympy.log(1 - share)


def _mean_log_count(weight: sympy.Expr, share: sympy.Expr) -> sympy.Expr:
    return weight * _log_count(share) + (1 - weight) * _log_count(1 - share)


def _instance(step: Step, values: dict[sympy.Symbol, sympy.Expr]) -> Step:
    left, right = (side.subs(values, simultaneous=True) for side in (step.left, step.right))
    return Step(left, step.relation, right, step.reason, instance_of(step, values, _SHARES))


_COUNTED: Final = Step(
    sympy.log(n) + sympy.log(q),
    "<=",
    _log_count(q),
    "A pseudo-count only adds.",
    after(sympy.exp, by_sign()),
)
_TANGENT: Final = Step(
    sympy.log(_u) - sympy.log(_v) - sympy.log(_w),
    "<=",
    _u / (_v * _w) - 1,
    "log r is at most r - 1.",
    by_convexity(_u, _v * _w),
)
_TOTAL: Final = Step(
    (n + 2 * b) / (n + C * b),
    "<=",
    sympy.Integer(1),
    "Two of C labels have at most all the probability.",
    by_sign({C: 2 + _c}),
)
_SPAN: Final = Step(
    _log_count(q) - _log_count(1 - q),
    "<=",
    sympy.log(n + b) - sympy.log(b),
    "The table's log-probabilities lie within log(1 + n/b) of each other.",
    after(sympy.exp, by_sign(_SHARES)),
)
LEMMAS: Final = (_COUNTED, _TANGENT, _TOTAL, _SPAN)

_NOT_Q: Final = {q: 1 - q}
_TRUE_SHARE: Final = {q: label_noise}
_TRUE_REST: Final = {q: 1 - label_noise}
_LOG_TOTAL: Final = sympy.log(n + C * b)
_OWN: Final = _minus_entropy(label_noise)
_TABLE_SPAN: Final = _log_count(1 - q) - _log_count(q)
_LAW_SPAN: Final = _log_count(label_noise) - _log_count(1 - label_noise)
_OFF: Final = label_noise - q
_SMOOTHED: Final = {_v: n + C * b, _u: n * label_noise + b, _w: q}
_SMOOTHED_REST: Final = {_v: n + C * b, _u: n * (1 - label_noise) + b, _w: 1 - q}

_EXCESS: Final = ExcessQuantile(n, C, b, label_noise, sympy.Integer(1)).outcome(q)
_FORMS: Final = (
    _EXCESS,
    _OWN + _LOG_TOTAL - _mean_log_count(q, q) + _OFF * _TABLE_SPAN,
    _OWN + _LOG_TOTAL - sympy.log(n) - _minus_entropy(q) + _OFF * _TABLE_SPAN,
    _OWN + 2 * _LOG_TOTAL - sympy.log(n) - _mean_log_count(q, label_noise) + _OFF * _TABLE_SPAN,
    _OWN + 2 * _LOG_TOTAL - sympy.log(n) - _mean_log_count(label_noise, label_noise) + _OFF * (_TABLE_SPAN + _LAW_SPAN),
    2 * _LOG_TOTAL - 2 * sympy.log(n) + _OFF * (_TABLE_SPAN + _LAW_SPAN),
    2 * _LOG_TOTAL - 2 * sympy.log(n) + 2 * sympy.Abs(_OFF) * (sympy.log(n + b) - sympy.log(b)),
    2 * sympy.log(1 + C * b / n) + 2 * sympy.Abs(_OFF) * sympy.log(1 + n / b),
)
_ABOVE: Final = combines(
    ((sympy.Abs(_OFF), _instance(_SPAN, _TRUE_SHARE)), (sympy.Abs(_OFF), _instance(_SPAN, _NOT_Q))),
    {},
    {label_noise: q + _d},
)
_BELOW: Final = combines(
    ((sympy.Abs(_OFF), _instance(_SPAN, _TRUE_REST)), (sympy.Abs(_OFF), _SPAN)),
    {},
    {q: label_noise + _d},
)
STEPS: Final = (
    Step(_FORMS[0], "=", _FORMS[1], "From the law to the empirical law: its distance times a difference.", simplifies),
    Step(
        _FORMS[1],
        "<=",
        _FORMS[2],
        "The table's cross-entropy under the empirical law is at most log(1 + Cb/n) above the empirical entropy.",
        combines(((q, _COUNTED), (1 - q, _instance(_COUNTED, _NOT_Q))), _SHARES),
    ),
    Step(
        _FORMS[2],
        "<=",
        _FORMS[3],
        "Gibbs: the empirical entropy is at most the cross-entropy of the smoothed law.",
        combines(
            (
                (q, _instance(_TANGENT, _SMOOTHED)),
                (1 - q, _instance(_TANGENT, _SMOOTHED_REST)),
                (sympy.Integer(1), _TOTAL),
            ),
            _SHARES,
        ),
    ),
    Step(_FORMS[3], "=", _FORMS[4], "Back from the empirical law to the law.", simplifies),
    Step(
        _FORMS[4],
        "<=",
        _FORMS[5],
        "The smoothed law's cross-entropy under the law is at most log(1 + Cb/n) above the entropy.",
        combines(
            ((label_noise, _instance(_COUNTED, _TRUE_SHARE)), (1 - label_noise, _instance(_COUNTED, _TRUE_REST))),
            _SHARES,
        ),
    ),
    Step(
        _FORMS[5],
        "<=",
        _FORMS[6],
        "Both differences of log-probabilities lie within their range.",
        in_every_case(_ABOVE, _BELOW),
    ),
    Step(_FORMS[6], "=", _FORMS[7], "The same logarithms.", same_logarithms),
)
ON_EVERY_SEQUENCE: Final = Step(
    _FORMS[0],
    "<=",
    _FORMS[-1],
    "On every sequence the excess is at most 2 log(1 + Cb/n) plus the distance times log(1 + n/b).",
    follows_from(*STEPS),
)
