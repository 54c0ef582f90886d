"""CartPole: 200 steps of all copies by given actions, episodes restarted as they end.

Everybody starts in the same states; the answer is where all copies are after five steps, before
any episode can have ended. envpool starts where it likes: its answer is ours, plus what it differs
from ours started there. In ``cartpole`` each step is a call, as whoever acts in between must do; in
``cartpole-script`` everybody may do as many steps in one call as it can.
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


class _OursScript:
    def __init__(self, given: Given) -> None:
        step = _Ours(given)
        self.env, self.state, self.script = step.env, step.state, (given.action[..., None],)

    def run(self) -> Any:
        self.state, obs, _, _ = self.env.play(self.state, self.script)
        return obs[LOOK - 1, :, 0]


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


class _EnvPool:
    """C++ on one thread; the step after an end is the restart."""

    def __init__(self, given: Given) -> None:
        options = {"num_envs": len(given.state), "num_threads": 1, "seed": 0}
        self.env = import_module("envpool").make("CartPole-v1", env_type="gymnasium", **options)
        self.start = np.array(self.env.reset()[0], dtype=np.float64)
        self.actions = list(given.action.astype(np.int32))

    def run(self) -> Any:
        env = self.env
        for t, action in enumerate(self.actions, start=1):
            obs = env.step(action)[0]
            if t == LOOK:
                seen = obs
        return self.start, seen


class _Gymnax:
    """One jitted call for each step."""

    def __init__(self, given: Given) -> None:
        jax, gymnax = import_module("jax"), import_module("gymnax")
        env, constants = gymnax.make("CartPole-v1")
        keys = jax.random.split(jax.random.PRNGKey(0), len(given.state))
        step = jax.vmap(env.step, in_axes=(0, 0, 0, None))

        def run(keys: Any, state: Any, action: Any) -> Any:
            keys = jax.vmap(lambda key: jax.random.split(key)[0])(keys)
            obs, state, *_ = step(keys, state, action, constants)
            return keys, state, obs

        self.jax, self.one, self.step, self.keys = jax, run, jax.jit(run), keys
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


class _GymnaxScript(_Gymnax):
    """All steps in one jitted scan."""

    def __init__(self, given: Given) -> None:
        super().__init__(given)
        rows, jax = self.jax.numpy.asarray(given.action), self.jax

        def body(carried: Any, action: Any) -> Any:
            keys, state, obs = self.one(carried[0], carried[1], action)
            return (keys, state), obs

        self.scan = jax.jit(lambda *start: jax.lax.scan(body, start, rows))

    def run(self) -> Any:
        (self.keys, self.state), obs = self.scan(self.keys, self.state)
        obs.block_until_ready()
        return obs[LOOK - 1]


def _run(env: Any) -> Any:
    return env.run()


def _seen(given: Given, result: Any) -> Seen:
    return Seen(np.asarray(result, dtype=np.float64))


def _moved(given: Given, result: tuple[Any, Any]) -> Seen:
    """Ours, plus what theirs differs from ours started where it started."""
    start, seen = result
    there, here = (_Ours(given._replace(state=s)).run() for s in (start, given.state))
    return Seen(np.asarray(seen, dtype=np.float64) - there + here)


def _peer(name: str, prepare: Any, answer: Any = _seen) -> Peer:
    return Peer(name=name, package=name, prepare=prepare, run=_run, answer=answer)


def _task(script: bool) -> Task:
    return Task(
        name="cartpole" + "-script" * script,
        title=f"{STEPS} steps of every copy of CartPole" + ", many in one call" * script,
        size="copies",
        sizes=(1, 8, 64, 1024),
        quick=(1, 64),
        inputs=begin,
        ours=_peer("refmarl", _OursScript if script else _Ours),
        peers=(
            _peer("gymnasium", _gymnasium),
            _peer("envpool", _EnvPool, _moved),
            _peer("gymnax", _GymnaxScript if script else _Gymnax),
        ),
        same=same,
        patience=10.0,
    )


TASKS = (_task(False), _task(True))
