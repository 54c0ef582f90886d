"""How well a policy does: whole episodes, each copy one, on a stream of their own."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ..check import InputError, positive
from ..env_api import Actions, Box, Env, MultiDiscrete, take
from ..rollout import Act, Arrays, Masks, Policy
from ..value_grad import Real

MAX_STEPS = 100_000  # of one episode


class Evaluation(NamedTuple):
    """E episodes."""

    returns: Real  # (E, N) undiscounted, of each agent
    lengths: Real  # (E,)

    @property
    def team(self) -> Real:
        """(E,) mean over the agents."""
        return np.asarray(self.returns.mean(axis=1))


def evaluate(env: Env, policy: Policy, rng: np.random.Generator, episodes: int) -> Evaluation:
    """Play ``episodes`` episodes side by side, to their ends.

    Every copy plays one: taking the first that finish would favour short ones. Ended copies stand
    still (they are dropped from the batch). A policy's memory begins as ``()``.

    Raises
    ------
    InputError
        If an episode does not end within ``MAX_STEPS``.
    """
    return play_out(env, seeing(env, policy), rng, episodes)


def seeing(env: Env, policy: Policy) -> Callable[[Any, Arrays], tuple[Actions, Arrays]]:
    """``choose(state, memory)`` of a policy, which is shown what agents see."""

    def choose(state: Any, memory: Arrays) -> tuple[Actions, Arrays]:
        act = policy(env.observe(state), env.mask(state), memory)
        return act.action, act.memory

    return choose


def play_out(
    env: Env,
    choose: Callable[[Any, Arrays], tuple[Actions, Arrays]],
    rng: np.random.Generator,
    episodes: int,
) -> Evaluation:
    """The same where ``choose(state, memory)``, which may see everything, gives what is done.

    It gives (actions, memory'); its memory begins as ``()``.
    """
    return play_from(env, choose, env.reset(rng, positive(episodes, "episodes")))


def play_from(
    env: Env, choose: Callable[[Any, Arrays], tuple[Actions, Arrays]], state: Any
) -> Evaluation:
    """The same from these states, an episode each.

    Raises
    ------
    InputError
        As :func:`evaluate`.
    """
    episodes = len(state.t)
    returns = np.zeros((episodes, len(env.agents)))
    lengths, alive = np.zeros(episodes, dtype=np.int64), np.arange(episodes)
    memory: Arrays = ()
    for _ in range(MAX_STEPS):
        actions, memory = choose(state, memory)
        state, step = env.step(state, actions)
        returns[alive] += np.concatenate(step.reward, axis=1)
        lengths[alive] += 1
        going = ~(step.terminated | step.truncated)
        if not going.all():
            alive = alive[going]
            state, memory = take(state, going), tuple(m[going] for m in memory)
        if len(alive) == 0:
            return Evaluation(returns, lengths)
    raise InputError(f"{env.name}: an episode of more than {MAX_STEPS} steps")


class Trace(NamedTuple):
    """One episode, state by state."""

    states: list[Any]  # the first, then one after each step; one copy each
    reward: list[float]  # of each step, mean over the agents


def trace(
    env: Env,
    choose: Callable[[Any, Arrays], tuple[Actions, Arrays]],
    rng: np.random.Generator,
    most: int = MAX_STEPS,
) -> Trace:
    """Play one episode, or its first ``most`` steps, and keep every state.

    ``choose(state, memory)`` gives (actions, memory'); its memory begins as ``()``.
    """
    state = env.reset(rng, 1)
    memory: Arrays = ()
    states, reward = [state], []
    for _ in range(positive(most, "most")):
        actions, memory = choose(state, memory)
        state, step = env.step(state, actions)
        states.append(state)
        reward.append(float(np.concatenate(step.reward, axis=1).mean()))
        if step.terminated[0] or step.truncated[0]:
            break
    return Trace(states, reward)


def at_random(env: Env, rng: np.random.Generator) -> Policy:
    """Uniform over the legal actions of each agent."""

    def choose(obs: Arrays, mask: Masks, memory: Arrays) -> Act:
        chosen: list[Real] = []
        log_prob: list[Real] = []
        for group, seen, legal in zip(env.groups, obs, mask, strict=True):
            shape, space = seen.shape[:2], group.space
            if isinstance(space, Box):
                action: Real = rng.uniform(space.low, space.high, (*shape, space.size))
            elif isinstance(space, MultiDiscrete):
                action = rng.integers(space.sizes, size=(*shape, len(space.sizes)))
            else:
                allowed = np.ones((*shape, space.n), dtype=bool) if legal is None else legal
                action = np.where(allowed, rng.random(allowed.shape), -1.0).argmax(axis=-1)
            chosen.append(action)
            log_prob.append(np.full(shape, np.nan))  # nobody learns from it
        return Act(tuple(chosen), tuple(log_prob))

    return choose
