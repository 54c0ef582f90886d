"""What an answer to exercise 3.10 must satisfy."""

from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from ....check import Array
from ....nn.policy import Policy
from ....policy_gradient import trust_region
from ...spec import PURE, Answer, Mistake, Property, Spec, close
from .._layouts import layouts
from ._networks import (
    Lists,
    as_lists,
    as_vector,
    directional,
    forward,
    gradient_of,
    networks,
    results,
    shapes_of,
)
from ._softmax import log_pi


class Case(NamedTuple):
    """Arguments of the exercise's function."""

    weights: Lists
    biases: Lists
    x: Array
    v_weights: Lists
    v_biases: Lists


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Networks of any depth from one layer on, any direction."""
    net, rng = draw(networks())
    along = [[rng.uniform(-1.0, 1.0, p.shape) for p in part] for part in net[:2]]
    return Case(*net, *along)


def _flat(weights: Lists, biases: Lists) -> Array:
    return np.concatenate([p.ravel() for p in (*weights, *biases)])


def _product(answer: Answer, case: Case) -> Array:
    """H v as one vector, all weights and then all biases."""
    return _flat(*results(answer(*case), "(hv_weights, hv_biases)", case.weights, case.biases))


def _jv(case: Case) -> Array:
    depth = len(case.weights)
    arrays, along = [*case.weights, *case.biases], [*case.v_weights, *case.v_biases]
    moved: Array = directional(
        lambda *p: forward([*p[:depth]], [*p[depth:]], case.x), arrays, along
    )
    return moved


def _exact(case: Case) -> Array:
    """The gradient of the mean divergence from what the policy is, along v, by a complex step."""
    old = np.exp(log_pi(forward(case.weights, case.biases, case.x)))

    def error(y: Any) -> Any:
        return (np.exp(log_pi(y)) - old) / len(old)

    arrays, along = [*case.weights, *case.biases], [*case.v_weights, *case.v_biases]
    gradient = gradient_of(case.x, len(case.weights), error)
    found: Array = directional(gradient, arrays, along)
    return found


def _shape(answer: Answer, case: Case) -> None:
    _product(answer, case)


def _last_biases(answer: Answer, case: Case) -> None:
    size = len(case.biases[-1])
    close(_product(answer, case)[-size:], _exact(case)[-size:], "hv_biases of the last layer")


def _variance(answer: Answer, case: Case) -> None:
    p, moved = np.exp(log_pi(forward(case.weights, case.biases, case.x))), _jv(case)
    centred = moved - (p * moved).sum(axis=1, keepdims=True)
    wanted = (p * centred**2).sum(axis=1).mean()
    v = _flat(case.v_weights, case.v_biases)
    close((v * _product(answer, case)).sum(), wanted, "v . Hv, the mean variance of Jv under pi")


def _hessian(answer: Answer, case: Case) -> None:
    close(_product(answer, case), _exact(case), "Hv (all weights, then all biases)")


def _symmetric(answer: Answer, case: Case) -> None:
    depth = len(case.weights)
    other = [
        np.cos(np.arange(p.size) + 1.0).reshape(p.shape) for p in (*case.weights, *case.biases)
    ]
    turned = case._replace(v_weights=other[:depth], v_biases=other[depth:])
    left = (_flat(other[:depth], other[depth:]) * _product(answer, case)).sum()
    right = (_flat(case.v_weights, case.v_biases) * _product(answer, turned)).sum()
    close(left, right, "u . Hv and v . Hu")


def _large(answer: Answer, case: Case) -> None:
    lifted = [*case.biases[:-1], case.biases[-1] + 800.0]
    _hessian(answer, case._replace(biases=lifted))


def _variant(
    metric: str = "right",
    over: str = "rows",
    slope: str = "both",
    moves: bool = True,
    own: bool = True,
    plain: bool = False,
) -> Answer:
    """The product with one thing changed, for the wrong answers below."""

    def answer(weights: Any, biases: Any, x: Any, v_w: Any, v_b: Any) -> Any:
        h, moved, last = [x], np.zeros_like(x), len(weights) - 1
        for k, (w, b) in enumerate(zip(weights, biases, strict=True)):
            z = h[k] @ w + b
            moved = (moved @ w if moves else 0.0) + h[k] @ v_w[k] + (v_b[k] if own else 0.0)
            h.append(z if k == last else np.tanh(z))
            if k < last and slope != "backwards":
                moved = (1.0 - h[-1] ** 2) * moved
        p = np.exp(h[-1]) if plain else np.exp(log_pi(h[-1]))
        p = p / p.sum(axis=1, keepdims=True)
        mean = (p * moved).sum(axis=1, keepdims=True)
        bent = {
            "right": p * (moved - mean),
            "diagonal": p * moved,
            "identity": moved + 0.0,
            "bernoulli": p * (1.0 - p) * moved,
            "even": p * (moved - moved.mean(axis=1, keepdims=True)),
            "plus": p * (moved + mean),
        }[metric]
        delta = bent / (len(p) if over == "rows" else 1.0)
        hv_w: list[Any] = []
        hv_b: list[Any] = []
        for k in reversed(range(len(weights))):
            hv_w.insert(0, h[k].T @ delta)
            hv_b.insert(0, delta.sum(axis=0))
            delta = delta @ weights[k].T
            if k > 0 and slope != "forwards":
                delta = delta * (1.0 - h[k] ** 2)
        return hv_w, hv_b

    return answer


def _empirical(weights: Any, biases: Any, x: Any, v_w: Any, v_b: Any) -> Any:
    """g gᵀ v with the mean score of the likeliest actions."""
    y, net = forward(weights, biases, x), shapes_of(weights)
    theta, v = as_vector(net, weights, biases), as_vector(net, v_w, v_b)
    taken = (y == y.max(axis=1, keepdims=True)).astype(float)
    score = net.gradient(theta, net.forward(theta, x)[1], (taken - np.exp(log_pi(y))) / len(x))
    return as_lists(net, score * (score @ v))


def _library(weights: Any, biases: Any, x: Any, v_w: Any, v_b: Any) -> Any:
    net = shapes_of(weights)
    theta, v = as_vector(net, weights, biases), as_vector(net, v_w, v_b)
    actor, seen = Policy(net, "categorical"), np.asarray(x, dtype=float)[:, None]
    params, tape = actor.forward(theta, seen)
    share = trust_region.shares(theta, params.shape[:-1])
    return as_lists(net, trust_region.fisher_product(actor, theta, tape, params, share, v))


SPEC = Spec(
    exercise="trpo-fisher",
    function="fisher_product",
    cases=cases(),
    properties=(
        Property(
            "one product for every weight and bias, in its shape",
            _shape,
            "H v has the shapes of the parameters.",
            gate=True,
        ),
        Property(
            "the last biases' product is the mean of M J v",
            _last_biases,
            "J v is how the logits move. M u = pi * (u - the mean of u under pi), row by row.",
        ),
        Property(
            "v . Hv is the mean variance of J v under pi",
            _variance,
            "Forwards v moves, backwards M J v: through the same tanh, by the same slopes.",
        ),
        Property(
            "H v is how the gradient of the mean divergence moves along v",
            _hessian,
            "J^T is the backward pass of 3.1, begun with M J v / M_rows at the logits.",
            weight=2,
        ),
        Property("H is symmetric", _symmetric, "Is something missing on one way only?", weight=0),
        Property(
            "logits may be of any size",
            _large,
            "exp of a large number overflows. Subtract a row's largest logit first.",
        ),
        layouts(_hessian, "weights", "biases", "x", "v_weights", "v_biases"),
        *PURE,
    ),
    mistakes=(
        Mistake("M is diag(pi): the mean of J v is not taken away", _variant(metric="diagonal")),
        Mistake("M is left out: that is J^T J", _variant(metric="identity")),
        Mistake("M is diag(pi (1 - pi)), without what lies off the diagonal",
                _variant(metric="bernoulli")),
        Mistake("the mean of J v is taken without pi", _variant(metric="even")),
        Mistake("pi pi^T is added", _variant(metric="plus")),
        Mistake("the states are summed, not averaged", _variant(over="nothing")),
        Mistake("the slope of tanh is forgotten on the way forwards", _variant(slope="backwards")),
        Mistake("the slope of tanh is forgotten on the way back", _variant(slope="forwards")),
        Mistake("what moved below does not move what is above", _variant(moves=False)),
        Mistake("the direction's biases are forgotten", _variant(own=False)),
        Mistake("an outer product of one gradient is taken for the Fisher matrix", _empirical),
        Mistake("exponentials of large logits overflow", _variant(plain=True)),
    ),
    reference=_library,
)  # fmt: skip
