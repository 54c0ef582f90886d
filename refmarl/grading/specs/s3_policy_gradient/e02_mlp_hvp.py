"""What an answer to exercise 3.2 must satisfy."""

from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from ....check import Array
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


class Case(NamedTuple):
    """Arguments of the exercise's function."""

    weights: Lists
    biases: Lists
    x: Array
    target: Array
    v_weights: Lists
    v_biases: Lists


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Networks of any depth from one layer on, any target, any direction."""
    net, rng = draw(networks())
    target = rng.uniform(-2.0, 2.0, (len(net.x), len(net.biases[-1]))).round(1)
    along = [[rng.uniform(-1.0, 1.0, p.shape).round(1) for p in part] for part in net[:2]]
    return Case(*net, target, *along)


def _parts(answer: Answer, case: Case) -> tuple[Array, Lists, Lists]:
    """The three results, of the right numbers and shapes."""
    needs = case.target, case.weights, case.biases
    found = results(answer(*case), "(Jv, hv_weights, hv_biases)", *needs)
    return found[0], found[1], found[2]


def _gradient(case: Case) -> Any:
    """∂L/∂(weights, biases) as one vector, of real or complex parameters: plain (3.1)."""
    return gradient_of(case.x, len(case.weights), lambda y: y - case.target)


def _exact(case: Case) -> Array:
    """Hv as one vector, by the complex step through the gradient."""
    arrays, along = [*case.weights, *case.biases], [*case.v_weights, *case.v_biases]
    product: Array = directional(_gradient(case), arrays, along)
    return product


def _flat(weights: Lists, biases: Lists) -> Array:
    return np.concatenate([p.ravel() for p in (*weights, *biases)])


def _shape(answer: Answer, case: Case) -> None:
    _parts(answer, case)


def _jacobian(answer: Answer, case: Case) -> None:
    depth = len(case.weights)
    arrays, along = [*case.weights, *case.biases], [*case.v_weights, *case.v_biases]
    exact = directional(lambda *p: forward([*p[:depth]], [*p[depth:]], case.x), arrays, along)
    close(_parts(answer, case)[0], exact, "Jv")


def _hessian(answer: Answer, case: Case) -> None:
    close(_flat(*_parts(answer, case)[1:]), _exact(case), "Hv (all weights, then all biases)")


def _last_layer(answer: Answer, case: Case) -> None:
    _, hv_weights, hv_biases = _parts(answer, case)
    exact, cut = _exact(case), sum(w.size for w in case.weights)
    last = case.weights[-1].size
    close(hv_weights[-1].ravel(), exact[cut - last : cut], "hv_weights of the last layer")
    close(hv_biases[-1], exact[-case.biases[-1].size :], "hv_biases of the last layer")


def _gauss_newton(answer: Answer, case: Case) -> None:
    """Where y hits the target, δ = 0 and ⟨v, Hv⟩ = |Jv|²."""
    hit = case._replace(target=forward(case.weights, case.biases, case.x))
    moved, *product = _parts(answer, hit)
    v = _flat(case.v_weights, case.v_biases)
    close((v * _flat(*product)).sum(), (moved**2).sum(), "⟨v, Hv⟩ where y = target, and |Jv|²")


def _symmetric(answer: Answer, case: Case) -> None:
    other = [
        np.cos(np.arange(p.size) + 1.0).reshape(p.shape) for p in (*case.weights, *case.biases)
    ]
    depth = len(case.weights)
    u, v = np.concatenate([p.ravel() for p in other]), _flat(case.v_weights, case.v_biases)
    turned = case._replace(v_weights=other[:depth], v_biases=other[depth:])
    left = (u * _flat(*_parts(answer, case)[1:])).sum()
    right = (v * _flat(*_parts(answer, turned)[1:])).sum()
    close(left, right, "⟨u, Hv⟩ and ⟨Hu, v⟩")


def _all(answer: Answer, case: Case) -> None:
    _jacobian(answer, case)
    _hessian(answer, case)


def _variant(
    bend: float = -2.0, along: bool = True, moved: bool = True, curved: bool = True
) -> Answer:
    """Both passes with one term changed, for the wrong answers below."""

    def answer(weights: Any, biases: Any, x: Any, target: Any, v_w: Any, v_b: Any) -> Any:
        h, r_h, last = [x], [np.zeros_like(x)], len(weights) - 1
        for k, (w, b) in enumerate(zip(weights, biases, strict=True)):
            z, r_z = h[k] @ w + b, r_h[k] @ w + h[k] @ v_w[k] + v_b[k]
            h.append(z if k == last else np.tanh(z))
            r_h.append(r_z if k == last else (1.0 - h[-1] ** 2) * r_z)
        delta = h[-1] - target
        r_delta = r_h[-1] if curved else np.zeros_like(delta)
        hv_w: list[Any] = []
        hv_b: list[Any] = []
        for k in reversed(range(len(weights))):
            hv_w.insert(0, (r_h[k].T @ delta if moved else 0.0) + h[k].T @ r_delta)
            hv_b.insert(0, r_delta.sum(axis=0))
            r_delta = r_delta @ weights[k].T + (delta @ v_w[k].T if along else 0.0)
            delta = delta @ weights[k].T
            if k > 0:
                slope = 1.0 - h[k] ** 2
                r_delta = r_delta * slope + bend * delta * h[k] * r_h[k]
                delta = delta * slope
        return r_h[-1], hv_w, hv_b

    return answer


def _without_bias(weights: Any, biases: Any, x: Any, target: Any, v_w: Any, v_b: Any) -> Any:
    return _variant()(weights, biases, x, target, v_w, [np.zeros_like(b) for b in v_b])


def _gauss_newton_only(weights: Any, biases: Any, x: Any, target: Any, v_w: Any, v_b: Any) -> Any:
    hit = forward(weights, biases, x)
    return _variant()(weights, biases, x, hit, v_w, v_b)


def _without_half(weights: Any, biases: Any, x: Any, target: Any, v_w: Any, v_b: Any) -> Any:
    moved, hv_w, hv_b = _variant()(weights, biases, x, target, v_w, v_b)
    return moved, [2.0 * g for g in hv_w], [2.0 * g for g in hv_b]


def _coarse(weights: Any, biases: Any, x: Any, target: Any, v_w: Any, v_b: Any) -> Any:
    """Differences with a step that is much too large."""
    case, step = Case(weights, biases, x, target, v_w, v_b), 1e-3
    arrays, along = [*weights, *biases], [*v_w, *v_b]
    moved = [a + step * v for a, v in zip(arrays, along, strict=True)]
    flat = (_gradient(case)(*moved) - _gradient(case)(*arrays)) / step
    parts = np.split(flat, np.cumsum([a.size for a in arrays])[:-1])
    shaped = [part.reshape(a.shape) for part, a in zip(parts, arrays, strict=True)]
    depth = len(weights)
    return _variant()(*case)[0], shaped[:depth], shaped[depth:]


def _library(weights: Any, biases: Any, x: Any, target: Any, v_w: Any, v_b: Any) -> Any:
    net = shapes_of(weights)
    theta, v = as_vector(net, weights, biases), as_vector(net, v_w, v_b)
    y, tape = net.forward(theta, x)
    product, _ = net.hvp(theta, tape, y - target, lambda r: r, v)
    return net.jvp(theta, tape, v), *as_lists(net, product)


SPEC = Spec(
    exercise="mlp-hvp",
    function="mlp_hvp",
    cases=cases(),
    properties=(
        Property(
            "R{y}, and one product for every weight and bias, in its shape",
            _shape,
            "The direction has the shapes of the parameters, and so has Hv.",
            gate=True,
        ),
        Property(
            "Jv is how y moves along v",
            _jacobian,
            "R{h W + b} has three terms: R{h} W, h R{W} and R{b}. Through tanh R is multiplied by "
            "1 - h^2, but the last layer has none.",
        ),
        Property(
            "the last layer's products are right",
            _last_layer,
            "dL/dW = h^T delta is a product: its derivative has two terms. And R{delta} = R{y} "
            "here.",
        ),
        Property(
            "Hv is how the whole gradient moves along v",
            _hessian,
            "Apply R to delta W^T and to (1 - h^2) delta: each is a product too.",
            weight=2,
        ),
        Property(
            "where y hits the target, <v, Hv> = |Jv|^2",
            _gauss_newton,
            "With delta = 0 only the terms with R{delta} are left: H is J^T J.",
            weight=0,
        ),
        Property("H is symmetric", _symmetric, "Which of the terms have you forgotten?", weight=0),
        layouts(_all, "weights", "biases", "x", "target", "v_weights", "v_biases"),
        *PURE,
    ),
    mistakes=(
        Mistake("the bend of tanh is left out: R{1 − h²} is not 0", _variant(bend=0.0)),
        Mistake("the bend of tanh has the wrong sign", _variant(bend=2.0)),
        Mistake("R{δ Wᵀ} lacks the term δ R{W}ᵀ", _variant(along=False)),
        Mistake("R{hᵀ δ} lacks the term R{h}ᵀ δ", _variant(moved=False)),
        Mistake("the loss is taken to be linear: R{δ} = 0 at the output", _variant(curved=False)),
        Mistake("the direction's biases are forgotten", _without_bias),
        Mistake("R{1 − h²} is −h R{h}, without the 2", _variant(bend=-1.0)),
        Mistake("only the Gauss-Newton part J^T J v is computed", _gauss_newton_only),
        Mistake("the loss is taken without its 1/2", _without_half),
        Mistake("a difference of two gradients, with a step that is too large", _coarse),
    ),
    reference=_library,
)
