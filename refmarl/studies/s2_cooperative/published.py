"""Ours beside the published numbers of section 2: one function for each S-number."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from ...check import Array
from ...envs.navigation import Navigation, original
from ...envs.particles import State
from ..published import Found
from . import coma_variance, decomposed, navigators, non_monotone, speaker

Data = dict[str, Any]


def scripted(data: Data, full: bool) -> Iterator[Found]:
    """S2.06: where six steps lead, what they bring and what the first agent sees."""
    tol = data["tolerance"]
    env = original(horizon=0)
    ran = env.play(start(env, data), (np.array(data["actions"])[:, None],))
    wanted = {key: [row[key] for row in data["trajectory"]] for key in data["trajectory"][0]}
    velocity, place = ran.obs[0][:, 0, :, :2], ran.obs[0][:, 0, :, 2:4]
    yield Found("positions", wanted["pos"], place, tol)
    yield Found("velocities", wanted["vel"], velocity, tol)
    yield Found("rewards", wanted["reward"], ran.reward[0][:, 0], tol)
    yield Found("what agent 0 sees", wanted["obs0"], ran.obs[0][:, 0, 0], tol)


def start(env: Navigation, data: Data) -> State:
    """One copy with these places of agents and landmarks, at rest."""
    state = env.reset(np.random.default_rng(0), 1)
    x = np.zeros_like(state.x)
    x[0, :, :2] = data["agents"]
    there: State = state._replace(x=x, landmark=np.array([data["landmarks"]]))
    return there


def random_play(data: Data, full: bool) -> Iterator[Found]:
    """S2.07: the mean return of an agent under uniform actions, ten times as many in full."""
    tol, episodes = data["tolerance"], data["episodes"] * (10 if full else 1)
    env = original(horizon=data["steps"])
    rules = {
        "with collisions with oneself": env,
        "without": replace(env, self_collision=False),
        "distances alone": replace(env, local_weight=0.0),
    }
    for case, there in rules.items():
        got = float(_random_returns(there, episodes).mean())
        yield Found(f"uniform actions, {case}", data["uniform"][case], got, tol)
    got = float(_random_returns(env, episodes, still=True).mean())
    yield Found("no actions", data["still"], got, tol)


def _random_returns(env: Navigation, episodes: int, still: bool = False) -> Array:
    """Returns (episodes, N) of whole episodes, the same draws for all rules."""
    rng = np.random.default_rng(0)
    state = env.reset(rng, episodes)
    shape = (env.horizon, episodes, env.team)
    action = np.zeros(shape, dtype=np.int64) if still else rng.integers(0, 5, shape)
    total: Array = env.play(state, (action,)).reward[0].sum(axis=0)
    return total


def variances(data: Data, full: bool) -> Iterator[Found]:
    """S2.04: moments of one agent's gradient, summed over all joint actions and sampled."""
    n, noise, mean = data["agents"], data["noise"], data["mean"]
    wanted = data["variance"]
    for method, found in coma_variance.exact(n, noise).items():
        yield Found(f"{method}: mean, exact", mean, found.mean, 1e-12)
        yield Found(f"{method}: variance, exact", wanted[method], found.variance, 1e-12)
    rng = np.random.default_rng(0)
    for method, found in coma_variance.sampled(rng, n, noise, data["samples"]).items():
        room = data["tolerance"] * wanted[method] + 1e-12
        yield Found(f"{method}: variance, sampled", wanted[method], found.variance, room)
        yield Found(f"{method}: mean, sampled", mean, found.mean, data["tolerance"] * mean)


def coins_learnt(data: Data, full: bool) -> Iterator[Found]:
    """S2.05: how many updates each way of crediting needs, three times as many runs in full."""
    runs, limit = data["runs"] * (3 if full else 1), data["limit"]
    rng, given = np.random.default_rng(0), (data["agents"], data["noise"], data["step"])
    for method, wanted in data["updates"].items():
        curve = coma_variance.learnt(rng, method, *given, runs, limit)
        got = coma_variance.crossing(curve)
        tol = data["tolerance"] if isinstance(wanted, int) else 0.0
        yield Found(method, wanted, got if got is not None else "never", tol)


FOUND: dict[str, Callable[[Data, bool], Iterator[Found]]] = {
    "S2.02": decomposed.projected,
    "S2.03": decomposed.two_steps,
    "S2.08": decomposed.played,
    "S2.04": variances,
    "S2.05": coins_learnt,
    "S2.06": scripted,
    "S2.07": random_play,
    "S2.09": speaker.speaker_listener,
    "S2.10": non_monotone.reproduced,
    "S2.11": navigators.navigation,
}
