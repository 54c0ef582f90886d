"""Sampled policy gradients beside exact ones, on environments whose tables are known.

REINFORCE's estimate is unbiased for ∇J, J = E Σ_{t<H} γ^t r_t, whatever the baseline. A2C leaves
γ^t out; with λ = 1 and the exact values V^π as its critic its advantages are unbiased, and

    E[ĝ_i] = 1/(T n) Σ_{t<T} Σ_s P(s_t = s) Σ_a π_i(a|s) ∇ log π_i(a|s) (Q_i(s, a) − V_i(s))

also where a time limit cuts episodes, if the cut is bootstrapped. Both right sides are computed by
linear algebra on the twin, and go through the network by its backward pass, parameter by parameter.
Each claim is tested by z = (mean − exact) / standard error; what should be wrong (γ^t left out in
REINFORCE, time limits taken for ends in A2C) is tested to be so, with the same numbers of samples.

Axes: n agents, S states, P parameters of all agents, K independent estimates of N episodes each.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ...analysis import plots
from ...check import Array
from ...env_api import advance, random_actions
from ...envs.chain import Chain
from ...envs.grid import Grid
from ...envs.tabular import TabularEnv
from ...games.markov import MarkovGame, average_actions, evaluate, joint_dynamics
from ...games.markov_examples import random_markov_game
from ...games.policy_gradient import cross_gradients, softmax
from ...nn.policy import Policy
from ...policy_gradient import a2c, reinforce
from ...policy_gradient.actor_critic import Agent, actor
from ...rollout import Batch, begin, collect
from ..study import Outcome, Row, at_least, at_most

GAMMA, EPISODES = 0.8, 32  # γ; N
LEVEL = 1e-4  # of the test of each claim, over all its parameters together
Sample = Callable[[np.random.Generator], Array]


class Twin(NamedTuple):
    """An environment with its game and what each agent sees in each state."""

    env: Any
    game: MarkovGame
    seen: Array  # (S, n, O)


class Claim(NamedTuple):
    """A sampled gradient and what its expectation is said to be."""

    name: str
    exact: Array  # (P,)
    sample: Sample  # one estimate (P,)


class Tested(NamedTuple):
    """K estimates of a claim."""

    name: str
    z: Array  # (P',): of the parameters that move at all
    rms: Array  # of the error of the mean of the first k, over parameters, at each of COUNTS
    predicted: Array  # the same from the variance of one


def run(rng: np.random.Generator, full: bool = False) -> Outcome:
    """Each claim against its twin; and two that must fail."""
    game_rng, theta_rng, play_rng = rng.spawn(3)
    repeats = 4000 if full else 300
    right, wrong = claims(game_rng, theta_rng)
    streams = iter(play_rng.spawn(len(right) + len(wrong)))
    held = [tested(claim, next(streams), repeats) for claim in right]
    broken = [tested(claim, next(streams), repeats) for claim in wrong]
    rows = [_agrees(t, repeats) for t in held] + [_differs(t, repeats) for t in broken]
    spread = np.concatenate([t.z for t in held])
    rows.append(at_most("all together: mean of z², 1 if the errors are right", _mean(spread), 1.5))
    caption = (
        "Left: z scores of every parameter against what normal ones of that rank would be; on the "
        "line where the sampled gradient is the exact one, off it where the estimate is biased. "
        "Right: the error of a mean of k estimates falls as 1/√k, on the line that the variance "
        "of one predicts."
    )
    sample = (
        f"Chain, grid and a random game; γ = {GAMMA}, n = {repeats} independent estimates of "
        f"{EPISODES} episodes each. Bounds are Student's at {LEVEL:g} over all parameters."
    )
    panels = (_quantiles(held, broken), _errors(held, repeats))
    return Outcome(tuple(rows), (plots.Figure(caption, panels),), sample)


# -------------------------------------------------------------------------------------- claims


def claims(game_rng: np.random.Generator, rng: np.random.Generator) -> tuple[list[Claim], ...]:
    """(what must agree, what must not)."""
    game = random_markov_game(game_rng, 3, (2, 3), GAMMA, concentration=0.3)
    chain = twin(Chain(length=3, horizon=6))
    grid = twin(Grid(rows=2, columns=2, slip=0.1, horizon=6))
    table = twin(TabularEnv(game, horizon=5))
    saving = twin(TabularEnv(later(), horizon=2))
    right = [
        by_reinforce("REINFORCE, chain", chain, rng, baseline="none"),
        by_reinforce("REINFORCE, grid", grid, rng, baseline="mean"),
        by_reinforce("REINFORCE, random game", table, rng, baseline="value"),
        by_a2c("A2C, chain", chain, rng),
        by_a2c("A2C, random game", table, rng),
        by_a2c("A2C, saving", saving, rng),
    ]
    wrong = [
        by_reinforce("REINFORCE without γᵗ, chain", chain, rng, baseline="none", weigh=False),
        by_a2c("A2C, time limits as ends, saving", saving, rng, ends=True),
    ]
    return right, wrong


def later() -> MarkovGame:
    """One agent that chooses where to be next; only the second place pays, and only then."""
    moves = np.broadcast_to(np.eye(2), (2, 2, 2))
    return MarkovGame(moves, np.repeat([[[0.0], [1.0]]], 2, axis=2), GAMMA)


def twin(env: Any) -> Twin:
    """The tables of an environment, with what is seen in each state that play comes to."""
    game: MarkovGame = env.twin(GAMMA)
    rng = np.random.default_rng(0)
    wide = env.groups[0].obs_dim if len(env.groups) == 1 else max(g.obs_dim for g in env.groups)
    seen = np.zeros((game.num_states, game.num_players, wide))
    state = env.reset(rng, 64)
    for _ in range(40):
        seen[env.twin_state(state)] = np.concatenate(env.observe(state), axis=1)
        state = advance(env, state, random_actions(env, rng, state)).state
    return Twin(env, game, seen)


def by_reinforce(
    name: str, twin: Twin, rng: np.random.Generator, baseline: str, weigh: bool = True
) -> Claim:
    """REINFORCE's claim: each agent's estimate averages to what the twin's tables say."""
    env = twin.env
    cfg = reinforce.Config(
        gamma=GAMMA, baseline=baseline, weigh=weigh, hidden=(5,), share=False, dtype="float64",
        num_envs=EPISODES,
    )  # fmt: skip
    agent = varied(reinforce.start(env, cfg, rng).agent, rng)
    tables = logits(twin, cfg.hidden, agent)
    every = cross_gradients(twin.game, tables, horizon=env.horizon).gradient
    exact = through(twin, cfg.hidden, agent, [g[i] for i, g in enumerate(every)])

    def sample(rng: np.random.Generator) -> Array:
        acting = reinforce.policy(env, cfg, agent, rng)
        episodes = reinforce.play(env, acting, rng, EPISODES, env.horizon)
        groups = range(len(env.groups))
        return flat([reinforce.gradient(env, cfg, agent, episodes, g)[0] for g in groups])

    return Claim(name, exact, sample)


def by_a2c(name: str, twin: Twin, rng: np.random.Generator, ends: bool = False) -> Claim:
    """What A2C's gradient is with exact values, over one and a half episodes; and its estimate."""
    env, game = twin.env, twin.game
    cfg = a2c.Config(
        gamma=GAMMA, lam=1.0, hidden=(), share=False, dtype="float64", num_envs=EPISODES,
        num_steps=env.horizon + env.horizon // 2, entropy=0.0,
    )  # fmt: skip
    agent = varied(a2c.start(env, cfg, rng).agent, rng)
    tables = logits(twin, cfg.hidden, agent)
    policies = [softmax(x) for x in tables]
    values = evaluate(game, policies)
    agent = agent._replace(phi=critics(twin, values))
    visits = occupied(game, policies, env.horizon, cfg.num_steps)
    slopes = []
    for i, pi in enumerate(policies):
        worth = action_values(game, policies, values, i) - values[i][:, None]
        slopes.append(visits[:, None] * pi * (worth - (pi * worth).sum(axis=1, keepdims=True)))
    exact = through(twin, cfg.hidden, agent, slopes)

    def sample(rng: np.random.Generator) -> Array:
        roll = begin(env, rng, EPISODES)
        _, batch = collect(env, a2c.policy(env, cfg, agent, rng), roll, cfg.num_steps)
        batch = as_ends(batch) if ends else batch
        groups = range(len(env.groups))
        found = [a2c.gradient(env, cfg, agent, batch, g)[0] for g in groups]
        sizes = [len(group.agents) for group in env.groups]  # the mean is over agents, too
        return flat([d * size for d, size in zip(found, sizes, strict=True)])

    return Claim(name, exact, sample)


def as_ends(batch: Batch) -> Batch:
    """The mistake: time limits taken for ends."""
    return batch._replace(terminated=batch.ended, truncated=np.zeros_like(batch.truncated))


def varied(agent: Agent, rng: np.random.Generator) -> Agent:
    """Policies that are far from uniform, and values that are wrong."""
    theta = tuple(x + 0.4 * rng.standard_normal(x.shape) for x in agent.theta)
    phi = tuple(x + 0.3 * rng.standard_normal(x.shape) for x in agent.phi)
    return agent._replace(theta=theta, phi=phi)


# ------------------------------------------------------------------------------ linear algebra


def members(twin: Twin, hidden: tuple[int, ...]) -> list[tuple[int, int, Policy, Array]]:
    """(group, place in it, network, what is seen (S, O)) of every agent."""
    found, k = [], 0
    for g, group in enumerate(twin.env.groups):
        for i in range(len(group.agents)):
            found.append((g, i, actor(group, hidden), twin.seen[:, k, : group.obs_dim]))
            k += 1
    return found


def logits(twin: Twin, hidden: tuple[int, ...], agent: Agent) -> list[Array]:
    """(S, A_i) for each agent: its network at everything that it can see."""
    return [net.forward(agent.theta[g][i], seen)[0] for g, i, net, seen in members(twin, hidden)]


def through(twin: Twin, hidden: tuple[int, ...], agent: Agent, slopes: Sequence[Array]) -> Array:
    """(P,): derivatives in the logits of every state, (S, A_i), as derivatives in θ."""
    parts: list[list[Array]] = [[] for _ in twin.env.groups]
    for (g, i, net, seen), slope in zip(members(twin, hidden), slopes, strict=True):
        theta = agent.theta[g][i]
        parts[g].append(net.gradient(theta, net.forward(theta, seen)[1], slope))
    return flat([np.stack(part) for part in parts])


def flat(gradients: Sequence[Array]) -> Array:
    """Those of all groups in one row."""
    return np.concatenate([g.ravel() for g in gradients])


def critics(twin: Twin, values: Array) -> tuple[Array, ...]:
    """φ of linear critics that are exactly V_i, where everybody sees the state one-hot."""
    found, k = [], 0
    for group in twin.env.groups:
        rows = []
        for _ in group.agents:
            weights, *_ = np.linalg.lstsq(twin.seen[:, k, : group.obs_dim], values[k], rcond=None)
            rows.append(np.append(weights, 0.0))
            k += 1
        found.append(np.stack(rows))
    return tuple(found)


def occupied(game: MarkovGame, policies: Sequence[Array], horizon: int, rounds: int) -> Array:
    """1/T Σ_{t<T} P(s_t = s), (S,), where every ``horizon`` rounds it begins anew."""
    chain, _ = joint_dynamics(game, policies)
    total, now = np.zeros(game.num_states), game.initial
    for t in range(rounds):
        now = game.initial if t % horizon == 0 else now @ chain
        total = total + now
    return total / rounds


def action_values(game: MarkovGame, policies: Sequence[Array], values: Array, i: int) -> Array:
    """Q_i(s, a_i) (S, A_i), the others' actions averaged out."""
    q = game.reward[i] + game.gamma * game.transition @ values[i]
    others = [j for j in range(game.num_players) if j != i]
    found: Array = average_actions(q[:, None], tuple(policies), others)[:, 0]
    return found


# ------------------------------------------------------------------------------------ sampling

COUNTS = (10, 30, 100, 300)  # of estimates that are averaged


def tested(claim: Claim, rng: np.random.Generator, repeats: int) -> Tested:
    """K estimates against the exact gradient."""
    found = np.array([claim.sample(rng) for _ in range(repeats)])
    deviation = found.std(axis=0, ddof=1)
    moves = deviation > 1e-12 * (1.0 + abs(found).max())
    off = found.mean(axis=0) - claim.exact
    if abs(off[~moves]).max(initial=0.0) > 1e-9:  # what never moves must be what is exact
        off[~moves], moves = np.inf, np.ones_like(moves)
    z = off[moves] / np.maximum(deviation[moves], 1e-300) * np.sqrt(repeats)
    means = np.cumsum(found, axis=0)[np.array(COUNTS) - 1] / np.array(COUNTS)[:, None]
    rms = np.sqrt(np.square(means - claim.exact).mean(axis=1))
    predicted = np.sqrt(np.square(deviation).mean() / np.array(COUNTS))
    return Tested(claim.name, z, rms, predicted)


def bound(size: int, repeats: int) -> float:
    """What the largest of ``size`` |z| exceeds with a probability of at most ``LEVEL``."""
    from scipy.special import stdtrit

    return float(stdtrit(repeats - 1, 1.0 - LEVEL / (2 * size)))


def _mean(z: Array) -> float:
    return float(np.square(z).mean())


def _agrees(t: Tested, repeats: int) -> Row:
    name = f"{t.name}: largest |z| of {len(t.z)} parameters"
    return at_most(name, float(abs(t.z).max()), round(bound(len(t.z), repeats), 2))


def _differs(t: Tested, repeats: int) -> Row:
    name = f"{t.name}: largest |z| of {len(t.z)}, biased"
    return at_least(name, float(abs(t.z).max()), round(bound(len(t.z), repeats), 2))


# -------------------------------------------------------------------------------------- figures


def _quantiles(held: Sequence[Tested], broken: Sequence[Tested]) -> plots.Panel:
    def draw(ax: Any) -> None:
        from scipy.special import ndtri

        groups = ("REINFORCE", "A2C")
        sets = [np.concatenate([t.z for t in held if t.name.startswith(g)]) for g in groups]
        sets.append(np.concatenate([t.z for t in broken]))
        for z, label, (color, _), mark in zip(
            sets, (*groups, "biased on purpose"), plots.CYCLE, "o^x", strict=False
        ):
            normal = ndtri((np.arange(len(z)) + 0.5) / len(z))
            shown = np.clip(np.sort(z), -8, 8)
            ax.plot(normal, shown, mark, color=color, markersize=3.5, label=label)
        ax.plot([-3.2, 3.2], [-3.2, 3.2], color=plots.INK, linewidth=0.8)
        ax.set(xlabel="normal quantile", ylabel="z, cut at ±8")

    alt = "The z scores lie on the line of equal quantiles, those of the biased estimates do not."
    return plots.Panel("z scores of every parameter", alt, draw)


def _errors(held: Sequence[Tested], repeats: int) -> plots.Panel:
    def draw(ax: Any) -> None:
        for k, t in enumerate(held):
            color, line = plots.look(k)
            unit = t.predicted[0]
            ax.loglog(COUNTS, t.predicted / unit, color=plots.INK, linewidth=0.8)
            ax.loglog(COUNTS, t.rms / unit, "o", color=color, linestyle=line, label=t.name)
        ax.set(xlabel="k, estimates averaged", ylabel="rms error, relative")

    alt = "The errors of all means follow the line that falls as one over the root of k."
    return plots.Panel("Error of the mean", alt, draw)
