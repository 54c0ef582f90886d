"""What an answer to exercise 2.4 must satisfy."""

from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from ....check import Array
from ....cooperative import deterministic
from ....env_api import Box, Group
from ....nn.mlp import MLP, Tape
from ...spec import PURE, Answer, Mistake, Property, Spec, close, need, shaped
from .._layouts import layouts


class Case(NamedTuple):
    """Arguments of the exercise's function."""

    weights: Array
    obs: Array
    actions: Array
    linear: Array
    curved: Array
    agent: int


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Up to three steps of up to three agents whose critic couples all their actions."""
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    rows, agents = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    size, seen = draw(st.integers(1, 2)), draw(st.integers(1, 2))
    half = rng.integers(-4, 5, (agents * size, agents * size)) / 2.0
    return Case(
        rng.integers(-2, 3, (size, seen)) / 2.0, rng.integers(-2, 3, (rows, seen)) / 2.0,
        rng.integers(-2, 3, (rows, agents, size)) / 2.0,
        rng.integers(-6, 7, (rows, agents * size)) / 2.0, half + half.T,
        draw(st.integers(0, agents - 1)),
    )  # fmt: skip


def _parts(answer: Answer, case: Case) -> tuple[float, Array]:
    found = answer(*case)
    need(isinstance(found, tuple | list), f"need (gain, dw), got {found!r:.60}")
    need(len(found) == 2, f"need (gain, dw), got {len(found)} things")
    shaped(found[0], (), "gain")
    shaped(found[1], case.weights.shape, "dw")
    return float(found[0]), np.asarray(found[1], float)


def _shape(answer: Answer, case: Case) -> None:
    _parts(answer, case)


def _value(case: Case, weights: Any) -> Any:
    """J, step by step; weights may be complex."""
    total = 0.0
    for m, row in enumerate(case.actions):
        parts = [*row]
        parts[case.agent] = np.tanh(weights @ case.obs[m])
        a = np.concatenate(parts)
        total = total + case.linear[m] @ a + 0.5 * a @ case.curved @ a
    return total / len(case.actions)


def _slope(case: Case) -> Array:
    """By the complex step, number by number: exact to rounding."""
    out = np.zeros(case.weights.shape)
    for at in np.ndindex(out.shape):
        move = np.zeros(out.shape, complex)
        move[at] = 1e-20j
        out[at] = _value(case, case.weights + move).imag / 1e-20
    return out


def _gain(answer: Answer, case: Case) -> None:
    close(_parts(answer, case)[0], _value(case, case.weights), "the gain")


def _own_past(answer: Answer, case: Case) -> None:
    """What the agent itself once did is replaced."""
    other = case.actions.copy()
    other[:, case.agent] += 3.0
    gain, dw = _parts(answer, case._replace(actions=other))
    wanted = _value(case, case.weights)
    close(gain, wanted, "the gain where the agent itself once did something else")
    close(dw, _slope(case), "dw where the agent itself once did something else")


def _uncoupled(answer: Answer, case: Case) -> None:
    case = case._replace(curved=0.0 * case.curved)
    close(_parts(answer, case)[1], _slope(case), "dw where Q is linear in all actions")


def _coupled(answer: Answer, case: Case) -> None:
    """dw changes with the others' remembered actions as the coupling says."""
    other = case.actions + 1.0
    other[:, case.agent] -= 1.0
    moved = case._replace(actions=other)
    change = _parts(answer, moved)[1] - _parts(answer, case)[1]
    close(change, _slope(moved) - _slope(case), "what dw gains where the others did one more")


def _whole(answer: Answer, case: Case) -> None:
    close(_parts(answer, case)[1], _slope(case), "dw, the slope of the gain in every weight")


def _all(answer: Answer, case: Case) -> None:
    _gain(answer, case)
    _whole(answer, case)


def _variant(kind: str) -> Answer:
    """The gradient with one thing changed, for the wrong answers below."""

    def answer(weights: Any, obs: Any, actions: Any, linear: Any, curved: Any, agent: int) -> Any:
        rows, agents, size = actions.shape
        out = obs @ weights.T
        mu = out if kind == "no tanh" else np.tanh(out)
        joint = actions.astype(float)
        if kind == "everybody":
            joint[:] = mu[:, None]
        elif kind == "silent":
            joint[:] = 0.0
        if kind != "memory":
            joint[:, 0 if kind == "first slot" else agent] = mu
        a = joint.reshape(rows, -1)
        at = actions.reshape(rows, -1) if kind == "old slope" else a
        bend = {"half": 0.5, "flat": 0.0}.get(kind, 1.0)
        slopes = (linear + bend * at @ curved).reshape(rows, agents, size)
        slope = slopes.sum(axis=1) if kind == "all slots" else slopes[:, agent]
        if kind == "first slot":
            slope = slopes[:, 0]
        squeeze = 1.0 if kind in ("no squeeze", "no tanh") else 1.0 - mu**2
        dw = (slope * squeeze).T @ obs / (1 if kind == "summed" else rows)
        gain = ((linear * a).sum(axis=1) + 0.5 * ((a @ curved) * a).sum(axis=1)).mean()
        return gain, -dw if kind == "down" else dw

    return answer


class _Quadratic:
    """The exercise's critic as the library sees one: x is (o, a_i, the others' a)."""

    def __init__(self, case: Case) -> None:
        _, agents, size = case.actions.shape
        first = range(case.agent * size, (case.agent + 1) * size)
        order = [*first, *(k for k in range(agents * size) if k not in first)]
        self.seen = case.obs.shape[1]
        self.linear = np.asarray(case.linear, float)[:, order]
        self.curved = np.asarray(case.curved, float)[np.ix_(order, order)]

    def forward(self, phi: Array, x: Array) -> tuple[Array, Array]:
        a = x[:, self.seen :]
        q = (self.linear * a).sum(axis=1) + 0.5 * ((a @ self.curved) * a).sum(axis=1)
        return q[:, None], a

    def input_gradient(self, phi: Array, tape: Array, dy: Array) -> Array:
        slope = dy * (self.linear + tape @ self.curved)
        return np.concatenate([np.zeros((len(slope), self.seen)), slope], axis=1)


class _NoBias:
    """A policy of weights alone."""

    def __init__(self, case: Case) -> None:
        self.net = MLP((case.obs.shape[1], case.weights.shape[0]))
        self.bias = np.zeros(case.weights.shape[0])

    def forward(self, theta: Array, x: Array) -> tuple[Array, Tape]:
        return self.net.forward(np.concatenate([theta, self.bias]), x)

    def gradient(self, theta: Array, tape: Tape, dy: Array) -> Array:
        found = self.net.gradient(np.concatenate([theta, self.bias]), tape, dy)
        return found[: theta.size]


def _library(weights: Any, obs: Any, actions: Any, linear: Any, curved: Any, agent: int) -> Any:
    first, second, third, fourth, fifth = (
        np.asarray(part, float) for part in (weights, obs, actions, linear, curved)
    )
    case = Case(first, second, third, fourth, fifth, agent)
    rows, _, size = case.actions.shape
    group = Group("g", ("a",), case.obs.shape[1], Box(-1.0, 1.0, size))
    others = np.delete(case.actions, agent, axis=1).reshape(rows, -1)
    nets: Any = (_NoBias(case), _Quadratic(case))
    theta = case.weights.T.reshape(-1)
    space: Any = group.space
    climb = deterministic.actor_gradient(
        space, nets, theta, theta, deterministic.Seen(case.obs, others, None), None,
        deterministic.Relaxation(1.0, True), 0.0, np.full(rows, 1.0 / rows),
    )  # fmt: skip
    return climb.value, climb.gradient.reshape(case.weights.T.shape).T


SPEC = Spec(
    exercise="maddpg-actor",
    function="maddpg_actor",
    cases=cases(),
    properties=(
        Property(
            "a number, and a gradient in the shape of weights",
            _shape,
            "One agent's actor: nothing is returned for the others.",
            gate=True,
        ),
        Property(
            "the gain is the mean of Q with the agent's slot replaced",
            _gain,
            "Copy the actions, write mu(o) into slot `agent`, and put them side by side.",
        ),
        Property(
            "what the agent itself once did does not count",
            _own_past,
            "Its slot is replaced, for the value and for the slope.",
        ),
        Property(
            "where Q is linear, only its slope in the own action counts",
            _uncoupled,
            "dQ/da_i are the A numbers of slot `agent`; they go through tanh, whose slope is "
            "1 - mu^2, and then to weights by obs.",
        ),
        Property(
            "the others' remembered actions move dw through the coupling",
            _coupled,
            "The slope of a @ curved @ a / 2 is curved @ a, a all actions.",
        ),
        Property(
            "dw is the slope of the gain in every weight",
            _whole,
            "Mean over the steps of slope * (1 - mu^2), each times the step's obs.",
            weight=2,
        ),
        layouts(_all, "weights", "obs", "actions", "linear", "curved"),
        *PURE,
    ),
    mistakes=(
        Mistake("the memory's own action is left in its slot", _variant("memory")),
        Mistake("everybody acts by the agent's policy", _variant("everybody")),
        Mistake("the others are taken to do nothing", _variant("silent")),
        Mistake("the slope is taken at the remembered actions", _variant("old slope")),
        Mistake("the slopes in all slots are summed", _variant("all slots")),
        Mistake("the first agent's slot is taken", _variant("first slot")),
        Mistake("the slope of tanh is left out", _variant("no squeeze")),
        Mistake("tanh is left out", _variant("no tanh")),
        Mistake("half the slope of the square", _variant("half")),
        Mistake("the square is not differentiated", _variant("flat")),
        Mistake("the gradient is summed over the steps", _variant("summed")),
        Mistake("the actor goes down Q", _variant("down")),
    ),
    reference=_library,
)
