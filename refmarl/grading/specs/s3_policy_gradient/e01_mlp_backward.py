"""What an answer to exercise 3.1 must satisfy."""

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
    networks,
    results,
    shapes_of,
)


class Case(NamedTuple):
    """Arguments of the exercise's function."""

    weights: Lists
    biases: Lists
    x: Array
    dy: Array


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Networks of any depth from one layer on, and any gradient at their output."""
    net, rng = draw(networks())
    dy = rng.uniform(-2.0, 2.0, (len(net.x), len(net.biases[-1]))).round(1)
    return Case(*net, dy)


def _parts(answer: Answer, case: Case) -> tuple[Lists, Lists, Array]:
    """The three results, of the right numbers and shapes."""
    needs = case.weights, case.biases, case.x
    found = results(answer(*case), "(d_weights, d_biases, dx)", *needs)
    return found[0], found[1], found[2]


def _loss(case: Case) -> Any:
    """⟨dy, y⟩ as a function of all weights, all biases and x: its gradient is what is asked."""
    depth = len(case.weights)

    def loss(*arrays: Any) -> Any:
        y = forward(list(arrays[:depth]), list(arrays[depth:-1]), arrays[-1])
        return (case.dy * y).sum()

    return loss, [*case.weights, *case.biases, case.x]


def _slopes(case: Case, which: int) -> Array:
    """∂L of one of the arrays, number by number, by the complex step."""
    loss, arrays = _loss(case)
    out = np.zeros(arrays[which].shape)
    for index in np.ndindex(out.shape):
        along = [np.zeros(a.shape) for a in arrays]
        along[which][index] = 1.0
        out[index] = directional(loss, arrays, along)
    return out


def _shape(answer: Answer, case: Case) -> None:
    _parts(answer, case)


def _last_layer(answer: Answer, case: Case) -> None:
    found, last = _parts(answer, case), len(case.weights) - 1
    close(found[0][last], _slopes(case, last), "d_weights of the last layer")
    close(found[1][last], case.dy.sum(axis=0), "d_biases of the last layer")


def _weights(answer: Answer, case: Case) -> None:
    for k, got in enumerate(_parts(answer, case)[0]):
        close(got, _slopes(case, k), f"d_weights[{k}]")


def _biases(answer: Answer, case: Case) -> None:
    for k, got in enumerate(_parts(answer, case)[1]):
        close(got, _slopes(case, len(case.weights) + k), f"d_biases[{k}]")


def _inputs(answer: Answer, case: Case) -> None:
    close(_parts(answer, case)[2], _slopes(case, 2 * len(case.weights)), "dx")


def _along(answer: Answer, case: Case) -> None:
    loss, arrays = _loss(case)
    along = [np.cos(np.arange(a.size) + k).reshape(a.shape) for k, a in enumerate(arrays)]
    d_weights, d_biases, dx = _parts(answer, case)
    found = [(g * v).sum() for g, v in zip([*d_weights, *d_biases, dx], along, strict=True)]
    exact = directional(loss, arrays, along)
    close(np.sum(found), exact, "the slope of L where all weights, biases and inputs move at once")


def _rows(answer: Answer, case: Case) -> None:
    whole = _parts(answer, case)
    each = [
        _parts(answer, case._replace(x=case.x[[m]], dy=case.dy[[m]])) for m in range(len(case.x))
    ]
    for k, got in enumerate(whole[0]):
        close(sum(row[0][k] for row in each), got, f"d_weights[{k}], summed over single rows")
        biases = sum(row[1][k] for row in each)
        close(biases, whole[1][k], f"d_biases[{k}], summed over single rows")
    close(np.concatenate([row[2] for row in each]), whole[2], "dx, row by row")


def _linear(answer: Answer, case: Case) -> None:
    once, thrice = _parts(answer, case), _parts(answer, case._replace(dy=-3.0 * case.dy))
    for k, (a, b) in enumerate(zip(once[0], thrice[0], strict=True)):
        close(b, -3.0 * a, f"d_weights[{k}], for a dy that is −3 times as large")


def _variant(
    slope: Any = lambda h: 1.0 - h**2,
    through: bool = True,
    last: bool = False,
    mean: bool = False,
    own: int = 0,
    first: bool = True,
) -> Answer:
    """The backward pass with one thing changed, for the wrong answers below."""

    def answer(weights: Any, biases: Any, x: Any, dy: Any) -> Any:
        hidden = [x]
        for w, b in zip(weights, biases, strict=True):
            hidden.append(np.tanh(hidden[-1] @ w + b))
        d_weights: list[Any] = []
        d_biases: list[Any] = []
        if last:
            dy = dy * (1.0 - hidden[-1] ** 2)
        for k in reversed(range(len(weights))):
            size = len(x) if mean else 1
            d_weights.insert(0, hidden[k].T @ dy / size)
            d_biases.insert(0, dy.sum(axis=0) / size)
            dy = dy @ weights[k].T
            if (k > 0 or not first) and through:
                dy = dy * slope(hidden[k])
        return d_weights, d_biases, dy * 0.0 + (x if own else dy)

    return answer


def _first_row(weights: Any, biases: Any, x: Any, dy: Any) -> Any:
    d_weights, _, dx = _variant()(weights, biases, x, dy)
    d_biases = _variant()(weights, biases, x[:1], dy[:1])[1]
    return d_weights, d_biases, dx


def _above(weights: Any, biases: Any, x: Any, dy: Any) -> Any:
    """delta goes through the weights that have been stepped along their gradient already."""
    d_weights, d_biases, _ = _variant()(weights, biases, x, dy)
    moved = [w - 0.1 * g for w, g in zip(weights, d_weights, strict=True)]
    return d_weights, d_biases, _variant()(moved, biases, x, dy)[2]


def _no_biases(weights: Any, biases: Any, x: Any, dy: Any) -> Any:
    return _variant()(weights, [0.0 * b for b in biases], x, dy)


def _reversed(weights: Any, biases: Any, x: Any, dy: Any) -> Any:
    d_weights, d_biases, dx = _variant()(weights, biases, x, dy)
    return d_weights[::-1], d_biases[::-1], dx


def _library(weights: Any, biases: Any, x: Any, dy: Any) -> Any:
    net = shapes_of(weights)
    dtheta, dx = net.vjp(as_vector(net, weights, biases), x, dy)
    return *as_lists(net, dtheta), dx


SPEC = Spec(
    exercise="mlp-backward",
    function="mlp_backward",
    cases=cases(),
    properties=(
        Property(
            "one gradient for every weight, bias and input, in its shape",
            _shape,
            "Go through the layers backwards, but return the lists in the layers' order.",
            gate=True,
        ),
        Property(
            "the gradient of a batch is the sum of those of its rows",
            _rows,
            "L is a sum over the rows: nothing is divided, and a bias acts on all rows alike.",
            weight=0,
        ),
        Property(
            "the answer is linear in dy",
            _linear,
            "Is dy changed by anything but products?",
            weight=0,
        ),
        Property(
            "the last layer's gradients are h^T dy and the sum of dy",
            _last_layer,
            "The last layer is linear: nothing stands between its z and y. h is the output of the "
            "layer below, x if there is none.",
        ),
        Property(
            "every bias' gradient is the slope of L in that bias",
            _biases,
            "It is delta_k = dL/dz_k, summed over the rows. What does delta become on its way down "
            "through W_k and through tanh? The slope of tanh at z is 1 - h^2.",
        ),
        Property(
            "every weight's gradient is the slope of L in that weight",
            _weights,
            "It is h^T delta_k, with the h that went into this layer.",
        ),
        Property(
            "dx is the slope of L in every input",
            _inputs,
            "Below the first layer there is W_1, and no tanh.",
        ),
        layouts(_along, "weights", "biases", "x", "dy"),
        *PURE,
    ),
    mistakes=(
        Mistake("the slope of tanh is left out", _variant(through=False)),
        Mistake(
            "the slope of tanh is taken as 1 − h instead of 1 − h²", _variant(lambda h: 1.0 - h)
        ),
        Mistake("the slope is tanh′ of h instead of z", _variant(lambda h: 1.0 - np.tanh(h) ** 2)),
        Mistake("the last layer is given a tanh too", _variant(last=True)),
        Mistake("the gradients are averaged over the rows", _variant(mean=True)),
        Mistake("the biases hear of the first row only", _first_row),
        Mistake("x itself is returned for dx", _variant(own=1)),
        Mistake("dx goes through a tanh below the first layer", _variant(first=False)),
        Mistake("the forward pass forgets the biases", _no_biases),
        Mistake("the lists are returned in the order of the backward pass", _reversed),
        Mistake("weights are stepped before the gradient has gone through them", _above),
    ),
    reference=_library,
)
