"""What an answer to exercise 2.8 must satisfy."""

import math
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from ....check import Array
from ....cooperative import decomposition
from ...spec import PURE, Answer, Mistake, Property, Spec, close, need, shaped
from .._layouts import layouts


class Case(NamedTuple):
    """Arguments of the exercise's function."""

    q: Array
    w1: Array
    b1: Array
    w2: Array
    v: Array


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Up to three rows, agents and units; numbers of both signs."""
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    m, n, e = (draw(st.integers(1, 3)) for _ in range(3))
    shapes = (m, n), (m, n, e), (m, e), (m, e), (m,)
    q, w1, b1, w2, v = (rng.integers(-6, 7, shape) / 4.0 for shape in shapes)
    return Case(q, w1, b1, w2, v)


def _value(case: Case) -> tuple[Array, Array]:
    """(total, dq), unit by unit."""
    total, dq = case.v.astype(float), np.zeros(case.q.shape)
    for m, e in np.ndindex(case.b1.shape):
        into, out = [abs(x) for x in case.w1[m, :, e]], abs(case.w2[m, e])
        z = case.b1[m, e] + sum(x * w for x, w in zip(case.q[m], into, strict=True))
        total[m] += out * (z if z >= 0.0 else math.expm1(z))
        for i, w in enumerate(into):
            dq[m, i] += w * out * math.exp(min(z, 0.0))
    return total, dq


def _parts(answer: Answer, case: Case) -> tuple[Array, Array]:
    found = answer(*case)
    need(isinstance(found, tuple | list), f"need (total, dq), got {found!r:.60}")
    need(len(found) == 2, f"need (total, dq), got {len(found)} things")
    shaped(found[0], case.v.shape, "total")
    shaped(found[1], case.q.shape, "dq")
    return np.asarray(found[0], float), np.asarray(found[1], float)


def _shape(answer: Answer, case: Case) -> None:
    _parts(answer, case)


def _rises(answer: Answer, case: Case) -> None:
    total, dq = _parts(answer, case)
    need(bool((dq >= 0.0).all()), f"dq must not be negative; got {dq.min():g}")
    for i in range(case.q.shape[1]):
        more = case.q.astype(float)
        more[:, i] += 1.5
        after = _parts(answer, case._replace(q=more))[0]
        need(bool((after >= total - 1e-9).all()), f"the total falls as utility {i} rises")


def _signs(answer: Answer, case: Case) -> None:
    turned = case._replace(w1=-case.w1, w2=-case.w2)
    for name, got, wanted in zip(
        ("total", "dq"), _parts(answer, turned), _parts(answer, case), strict=True
    ):
        close(got, wanted, f"{name} with all weights negated")


def _sum(answer: Answer, case: Case) -> None:
    """Weights 1 and 1 / E, offsets that keep all units above 0, taken back by v."""
    units = case.b1.shape[1]
    far = np.full(case.b1.shape, 20.0)
    plain = case._replace(
        w1=np.ones(case.w1.shape), b1=far, w2=np.full(far.shape, 1.0 / units), v=-far[:, 0]
    )
    total, dq = _parts(answer, plain)
    close(total, case.q.sum(axis=1), "the total where it should be the sum of the utilities")
    close(dq, np.ones(dq.shape), "dq there")


def _greedy(answer: Answer, case: Case) -> None:
    """Two choices for each agent: the larger of each is the best of all pairs, triples, …"""
    row = Case(*(x[:1] for x in case))
    low, high = case.q[0] - 0.5, case.q[0] + 1.0
    joint = [np.where(pick, high, low) for pick in product([False, True], repeat=len(low))]
    totals = [_parts(answer, row._replace(q=q[None]))[0][0] for q in joint]
    need(totals[-1] >= max(totals) - 1e-9, "everybody's best is not the team's best")


def _whole(answer: Answer, case: Case) -> None:
    close(_parts(answer, case)[0], _value(case)[0], "the total")


def _slope(answer: Answer, case: Case) -> None:
    close(_parts(answer, case)[1], _value(case)[1], "dq, how the total changes with each utility")


def _all(answer: Answer, case: Case) -> None:
    _whole(answer, case)
    _slope(answer, case)


def _variant(kind: str) -> Answer:
    """The mixing with one thing changed, for the wrong answers below."""

    def answer(q: Any, w1: Any, b1: Any, w2: Any, v: Any) -> Any:
        first = w1 if kind == "raw first" else np.maximum(w1, 0.0) if kind == "cut" else abs(w1)
        first = w1**2 if kind == "squared" else first
        second = w2 if kind == "raw second" else abs(w2)
        offset = abs(b1) if kind == "positive offset" else 0.0 * b1 if kind == "no offset" else b1
        z = (q[:, :, None] * first).sum(axis=1) + offset
        low = np.exp(np.minimum(z, 0.0))
        h, slope = np.where(z >= 0, z, low - 1.0), np.where(z >= 0, 1.0, low)
        if kind == "relu":
            h, slope = np.maximum(z, 0.0), (z >= 0) * 1.0
        elif kind == "linear":
            h, slope = z, np.ones(z.shape)
        elif kind == "jump":
            h = np.where(z >= 0, z, low)
        elif kind == "mean":
            second = second / z.shape[1]
        total = (h * second).sum(axis=1) + (0.0 if kind == "no v" else v)
        slope = np.ones(z.shape) if kind == "flat slope" else slope
        slope = np.where(z >= 0, 1.0, low - 1.0) if kind == "slope is h" else slope
        first = w1 if kind == "signed slope" else first
        inner = slope if kind == "no way out" else slope * second
        return total, (first * inner[:, None, :]).sum(axis=2)

    return answer


def _library(q: Any, w1: Any, b1: Any, w2: Any, v: Any) -> Any:
    q, w1, b1, w2, v = (np.asarray(x, float) for x in (q, w1, b1, w2, v))
    flat = w1.reshape(len(w1), -1)
    mixture = decomposition.monotone(q, flat, b1, w2, v)
    ones = np.ones(len(q))
    return mixture.total, decomposition.monotone_gradient(q, flat, w2, mixture.hidden, ones)[0]


SPEC = Spec(
    exercise="qmix",
    function="qmix",
    cases=cases(),
    properties=(
        Property(
            "a total for each row, a derivative for each row and agent",
            _shape,
            "w1[m, i, e] leads from agent i to unit e.",
            gate=True,
        ),
        Property(
            "the total never falls with a utility",
            _rises,
            "Every path from q_i to the total goes through two weights. Which sign may they have?",
            weight=0,
        ),
        Property(
            "the signs of the weights do not matter",
            _signs,
            "Absolute values in both layers; b1 and v keep their signs.",
            weight=0,
        ),
        Property(
            "it can be a sum",
            _sum,
            "Above 0 the unit f is the identity.",
        ),
        Property(
            "what is best for each is best for all",
            _greedy,
            "That follows from rising in every utility.",
            weight=0,
        ),
        Property(
            "total is that of (2.8)",
            _whole,
            "Below 0, f(z) is e^z - 1, which is 0 at 0 as well.",
            weight=2,
        ),
        Property(
            "dq is how the total changes",
            _slope,
            "Chain rule: weight in, f'(z), weight out, summed over the units. Below 0 f' is e^z.",
            weight=2,
        ),
        layouts(_all, "q", "w1", "b1", "w2", "v"),
        *PURE,
    ),
    mistakes=(
        Mistake("the first weights keep their signs", _variant("raw first")),
        Mistake("the second weights keep their signs", _variant("raw second")),
        Mistake("negative weights become 0", _variant("cut")),
        Mistake("weights are squared", _variant("squared")),
        Mistake("offsets are made positive as well", _variant("positive offset")),
        Mistake("the offsets of the units are left out", _variant("no offset")),
        Mistake("v is left out", _variant("no v")),
        Mistake("the units are rectified, not exponential", _variant("relu")),
        Mistake("the units are linear", _variant("linear")),
        Mistake("the unit jumps at 0", _variant("jump")),
        Mistake("the units are averaged", _variant("mean")),
        Mistake("f' is 1 everywhere", _variant("flat slope")),
        Mistake("below 0, f' is taken for f", _variant("slope is h")),
        Mistake("dq forgets the absolute value of w1", _variant("signed slope")),
        Mistake("dq stops at the hidden layer", _variant("no way out")),
    ),
    reference=_library,
)
