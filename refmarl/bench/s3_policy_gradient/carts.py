"""CartPole: 200 steps of all copies by given actions, episodes restarted as they end.

Everybody starts in the same states; the answer is where all copies are after five steps, before
any episode can have ended.
"""

from importlib import import_module
from typing import Any, NamedTuple

import numpy as np

from ...value_grad import Real
from ..task import Peer, Task

STEPS, LOOK = 200, 5


class Given(NamedTuple):
    """B copies: states (B, 4) to begin with, actions (STEPS, B)."""

    state: Real
    action: Real


class Seen(NamedTuple):
    """(B, 4), what was observed after ``LOOK`` steps."""

    obs: Real


def begin(seed: int, copies: int) -> tuple[Given, ...]:
    """Random states of the start and random actions."""
    rng = np.random.default_rng([seed, copies])
    return (Given(rng.uniform(-0.05, 0.05, (copies, 4)), rng.integers(0, 2, (STEPS, copies))),)


def same(truth: Seen, got: Seen) -> bool:
    """Every number; some peers count in float32."""
    return bool((abs(got.obs - truth.obs) < 1e-5).all())


# --------------------------------------------------------------------------------------------- ways


class _Ours:
    def __init__(self, given: Given) -> None:
        from ...env_api import advance
        from ...envs.cartpole import CartPole

        self.env, self.advance = CartPole(), advance
        self.state = self.env.reset(np.random.default_rng(0), len(given.state))
        self.state = self.state._replace(x=given.state.copy())
        self.actions = [(row[:, None],) for row in given.action]

    def run(self) -> Any:
        env, advance, state = self.env, self.advance, self.state
        for t, action in enumerate(self.actions, start=1):
            state = advance(env, state, action).state
            (obs,) = env.observe(state)
            if t == LOOK:
                seen = obs[:, 0]
        self.state = state
        return seen


class _GymnasiumOne:
    def __init__(self, given: Given) -> None:
        self.env = import_module("gymnasium").make("CartPole-v1")
        self.env.reset(seed=0)
        self.env.unwrapped.state = given.state[0].copy()
        self.actions = [int(a) for a in given.action[:, 0]]

    def run(self) -> Any:
        env = self.env
        for t, action in enumerate(self.actions, start=1):
            obs, _, terminated, truncated, _ = env.step(action)
            if t == LOOK:
                seen = obs[None]
            if terminated or truncated:
                env.reset()
        return seen


class _GymnasiumMany:
    def __init__(self, given: Given) -> None:
        gymnasium = import_module("gymnasium")
        mode = "vector_entry_point"
        self.env = gymnasium.make_vec("CartPole-v1", len(given.state), vectorization_mode=mode)
        self.env.reset(seed=0)
        self.env.unwrapped.state = given.state.T.copy()
        self.actions = list(given.action)

    def run(self) -> Any:
        env = self.env
        for t, action in enumerate(self.actions, start=1):
            obs = env.step(action)[0]
            if t == LOOK:
                seen = obs
        return seen


def _gymnasium(given: Given) -> Any:
    """Its single environment for one copy, its environment in NumPy for several."""
    return _GymnasiumOne(given) if len(given.state) == 1 else _GymnasiumMany(given)


class _Gymnax:
    """One jitted call for each step, as whoever acts in between must do."""

    def __init__(self, given: Given) -> None:
        jax, gymnax = import_module("jax"), import_module("gymnax")
        env, constants = gymnax.make("CartPole-v1")
        keys = jax.random.split(jax.random.PRNGKey(0), len(given.state))
        step = jax.vmap(env.step, in_axes=(0, 0, 0, None))

        def run(keys: Any, state: Any, action: Any) -> Any:
            keys = jax.vmap(lambda key: jax.random.split(key)[0])(keys)
            obs, state, *_ = step(keys, state, action, constants)
            return keys, state, obs

        self.step, self.keys = jax.jit(run), keys
        self.state = jax.vmap(env.reset, in_axes=(0, None))(keys, constants)[1]
        names = dict(zip(("x", "x_dot", "theta", "theta_dot"), given.state.T, strict=True))
        given_state = {name: jax.numpy.asarray(v, "float32") for name, v in names.items()}
        self.state = self.state.replace(**given_state)
        self.actions = [jax.numpy.asarray(row) for row in given.action]

    def run(self) -> Any:
        for t, action in enumerate(self.actions, start=1):
            self.keys, self.state, obs = self.step(self.keys, self.state, action)
            if t == LOOK:
                seen = obs
        obs.block_until_ready()
        return seen


def _run(env: Any) -> Any:
    return env.run()


def _seen(given: Given, result: Any) -> Seen:
    return Seen(np.asarray(result, dtype=np.float64))


def _peer(name: str, prepare: Any) -> Peer:
    return Peer(name=name, package=name, prepare=prepare, run=_run, answer=_seen)


TASKS = (
    Task(
        name="cartpole",
        title=f"{STEPS} steps of every copy of CartPole",
        size="copies",
        sizes=(1, 8, 64, 1024),
        quick=(1, 64),
        inputs=begin,
        ours=_peer("refmarl", _Ours),
        peers=(_peer("gymnasium", _gymnasium), _peer("gymnax", _Gymnax)),
        same=same,
        patience=10.0,
    ),
)
