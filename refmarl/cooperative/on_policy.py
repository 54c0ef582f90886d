r"""What COMA and the course's MAAC share: all-action critics, on-policy steps of both networks.

    collect T steps of B copies → some steps of the critics to a target → one of the actors

Three things differ between them and stand in :class:`Rules`: what critics are trained to, what
weighs the scores, and the floor under the policies. The actors' gradient is (2.1) with the weights
as numbers, the critics' loss (2.2), slow critics follow by (2.5). Agents that no longer act move
nothing of the policy; their critics learn on, because targets of steps before look at what they
say. With ``memory`` H actors are recurrent (COMA's are in the paper): a GRU below each, empty where
an episode begins, with derivatives back through the T steps of a batch. Slow policies begin a batch
with what was remembered when it was played. Critics see the state and remember nothing. ``[+]``
marks what the course's equations do not contain.

Axes: T steps, B copies, N agents of a group, K own actions, F ends of episodes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ..config import Settings, option
from ..env_api import Env
from ..learner import Metrics, Progress
from ..nn.optim import Adam, clip_norm, polyak
from ..nn.optim import State as OptState
from ..nn.policy import Policy
from ..policy_gradient.actor_critic import (
    actor,
    along,
    begins,
    blank,
    empty,
    pull_back,
    step,
    stretch,
    whole,
)
from ..rollout import Act, Arrays, Batch, Masks, begin, collect
from ..rollout import Policy as Acting
from ..value_grad import Real
from . import all_actions
from .central import actor_gain
from .floor import Floored

ADAM = Adam()


@dataclass(frozen=True, kw_only=True)
class Config(Settings):
    """Constants of a run that both have."""

    gamma: float = option(0.99, "γ, discount", "[0, 1]")
    tau: float = option(0.05, "τ, share of a network in its slow copy", "(0, 1]")
    lr: float = option(3e-3, "step of Adam for the actors; falls linearly to 0", "(0, inf)")
    critic_lr: float = option(2e-3, "step of Adam for the critics", "(0, inf)")
    critic_steps: int = option(4, "steps of the critics for each of the actors", "[1, inf)")
    entropy: float = option(0.0, "c, weight of the entropy, without a floor  [+]", "[0, inf)")
    max_norm: float = option(10.0, "limit of a gradient's norm  [+]", "(0, inf)")
    hidden: tuple[int, ...] = option((64,), "units of each hidden layer", "[1, inf)")
    share: bool = option(True, "whether the agents of a group share parameters")
    memory: int = option(0, "H, units of the actors' GRUs; 0: no memory  [+]", "[0, inf)")
    num_envs: int = option(16, "B, copies of the environment", "[1, inf)")
    num_steps: int = option(16, "T, steps of each copy between updates", "[1, inf)")
    iterations: int = option(1000, "updates", "[1, inf)")
    dtype: str = option("float32", "of the parameters", ("float32", "float64"))


class Agent(NamedTuple):
    """All that learning changes; one entry for each group, (P,) if shared, (N, P) if not."""

    theta: Arrays
    phi: Arrays
    phi_target: Arrays
    opt_theta: tuple[OptState, ...]
    opt_phi: tuple[OptState, ...]
    epsilon: Real  # (1,): the floor under the policies now
    theta_target: Arrays = ()  # of those who have slow policies


class Seen(NamedTuple):
    """What the groups' critics ask for, T + 1 rows and the F ends."""

    pi: Arrays  # (T + 1, B, N_g, K), the policies that drew
    final_pi: Arrays  # (F, N_g, K)
    action: Arrays  # (T + 1, B, N_g); those of row T are drawn, and not played
    final_action: Arrays  # (F, N_g), likewise
    time: Real  # (T, B): steps since the episode began
    x: Arrays  # (T + 1, B, N_g, I): what critics see


class Rules(NamedTuple):
    """What differs."""

    aim: Callable[[Env, Any, Agent, Batch, Seen, int, np.random.Generator], Real]
    # what a group's critic is trained to, (T, B, N)
    merit: Callable[[Any, Seen, int, Real, Real], Real]
    # (cfg, seen, g, Q (T, B, N, K), actions) ↦ what weighs the scores, (T, B, N)
    floor: Callable[[Any, int], float]  # (cfg, iteration) ↦ ε
    slow: bool  # whether the policies have slow copies


# -- acting -------------------------------------------------------------------------


def start(env: Env, cfg: Any, rng: np.random.Generator, rules: Rules) -> Progress:
    """Networks with nearly uniform policies, and fresh copies of the environment."""
    init_rng, env_rng, act_rng, draw_rng = rng.spawn(4)
    theta: list[Real] = []
    phi: list[Real] = []
    kind = np.dtype(cfg.dtype).type
    size = all_actions.state_size(env)
    for g, group in enumerate(env.groups):
        lead = () if cfg.share else (len(group.agents),)
        own = whole(network(env, cfg, g), cfg.memory)
        theta.append(own.init(init_rng, lead, dtype=kind))
        net = all_actions.critic(env, cfg.hidden, cfg.share, g, size)
        phi.append(net.init(init_rng, lead, out_scale=all_actions.FIRST, dtype=kind))
    agent = Agent(
        tuple(theta), tuple(phi), tuple(p.copy() for p in phi), tuple(map(ADAM.init, theta)),
        tuple(map(ADAM.init, phi)), np.array([rules.floor(cfg, 0)]),
        tuple(t.copy() for t in theta) if rules.slow else (),
    )  # fmt: skip
    counts = [len(group.agents) for group in env.groups]
    stand = begin(env, env_rng, cfg.num_envs, empty(counts, cfg.num_envs, cfg.memory, kind))
    return Progress(0, 0, agent, stand, (act_rng, draw_rng))


def policy(
    env: Env, cfg: Any, agent: Agent, rng: np.random.Generator, greedy: bool = False
) -> Acting:
    """How the agent acts: with its floor, or the likeliest actions if ``greedy``."""
    head = Floored(float(agent.epsilon[0]))

    def act(obs: Arrays, mask: Masks, memory: Arrays) -> Act:
        found = []
        kept: list[Any] = []  # None without a memory
        for g, theta in enumerate(agent.theta):
            params, h = logits(env, cfg, theta, obs[g], mask[g], g, memory)
            found.append(head.draw(rng, params, greedy))
            kept.append(h)
        actions, log_probs = zip(*found, strict=True)
        return Act(actions, log_probs, tuple(kept) if cfg.memory else memory)

    return act


def network(env: Env, cfg: Any, g: int) -> Policy:
    """A group's actor, which reads a memory behind what it sees if there is one."""
    return actor(env.groups[g], cfg.hidden, units=cfg.memory)


def logits(
    env: Env, cfg: Any, theta: Real, obs: Real, mask: Real | None, g: int, memory: Arrays = ()
) -> tuple[Real, Real | None]:
    """(a group's logits (B, N, K), what it remembers then) for obs (B, N, O); −∞ where illegal.

    A memory of ``()`` is that of an episode's beginning.
    """
    net, h = network(env, cfg, g), None
    if cfg.memory:
        h = memory[g] if memory else blank(theta, obs, cfg.memory)
    params, h = step(net, cfg.memory, theta, obs, h)
    return net.restrict(params, mask), h


def logits_along(env: Env, cfg: Any, theta: Real, batch: Batch, g: int) -> tuple[Real, Real]:
    """A group's logits (T + 1, B, N, K) of a batch, and (F, N, K) where episodes ended.

    Whatever θ is, it begins with what was remembered when the batch was played.
    """
    net, h = network(env, cfg, g), batch.memory[g] if cfg.memory else None
    seen = batch.obs[g], batch.final[g]
    said = along(net, cfg.memory, theta, seen, h, batch)
    return net.restrict(said.y, legal(batch, g)), net.restrict(said.final, batch.final_mask[g])


# -- learning -----------------------------------------------------------------------


def iterate(env: Env, cfg: Any, progress: Progress, rules: Rules) -> tuple[Progress, Metrics]:
    """Collect T steps of all copies; some steps of the critics, then one of the actors."""
    iteration, steps, agent, roll, (act_rng, draw_rng) = progress
    agent = agent._replace(epsilon=np.array([rules.floor(cfg, iteration)]))
    act, began = policy(env, cfg, agent, act_rng), roll.state.t
    roll, batch = collect(env, act, roll, cfg.num_steps, central=True)
    rate = cfg.lr * (1.0 - iteration / cfg.iterations)
    seen = looked_at(env, cfg, agent, batch, began, draw_rng)
    agent, metrics = update(env, cfg, agent, batch, seen, rate, draw_rng, rules)
    if len(batch.returns):
        metrics |= {"return": float(batch.returns.mean()), "length": float(batch.lengths.mean())}
    return Progress(iteration + 1, steps + batch.steps, agent, roll, (act_rng, draw_rng)), metrics


def update(
    env: Env,
    cfg: Any,
    agent: Agent,
    batch: Batch,
    seen: Seen,
    rate: float,
    rng: np.random.Generator,
    rules: Rules,
) -> tuple[Agent, dict[str, float]]:
    """(agent', metrics) after the steps of every group's critic and actor."""
    parts: list[tuple[Any, ...]] = []
    found = []
    for g in range(len(env.groups)):
        y = rules.aim(env, cfg, agent, batch, seen, g, rng)
        kept, fitted, followed, loss = _fitted(env, cfg, agent, batch, seen, y, g)
        moved = agent._replace(phi=_put(agent.phi, g, fitted))
        d_theta, metrics = gradient(env, cfg, moved, batch, seen, g, rules)
        d_theta, norm = clip_norm(d_theta, cfg.max_norm)
        moment, moved_theta = ADAM.update(agent.opt_theta[g], agent.theta[g], -d_theta, rate)
        parts.append((moved_theta, fitted, followed, moment, kept))
        found.append(metrics | {"critic_loss": loss, "norm": float(np.mean(norm))})
    mean = {key: float(np.mean([m[key] for m in found])) for key in found[0]}
    theta, phi, lagging, opt_theta, opt_phi = map(tuple, zip(*parts, strict=True))
    pairs = zip(agent.theta_target, theta, strict=False)  # none where no policy has a slow copy
    slow = tuple(polyak(old, new, cfg.tau) for old, new in pairs)  # (2.5)
    return Agent(theta, phi, lagging, opt_theta, opt_phi, agent.epsilon, slow), mean


def looked_at(
    env: Env, cfg: Any, agent: Agent, batch: Batch, began: Real, rng: np.random.Generator
) -> Seen:
    """All that critics ask for; the actions beyond the batch are drawn.

    ``began`` (B,) says how old each copy's episode was at the first step.
    """
    head, parts = Floored(float(agent.epsilon[0])), []
    for g, theta in enumerate(agent.theta):
        here, final = logits_along(env, cfg, theta, batch, g)
        beyond = head.draw(rng, here[-1])[0][None]
        parts.append((
            head.probs(here), head.probs(final),
            np.concatenate([batch.action[g], beyond]), head.draw(rng, final)[0],
        ))  # fmt: skip
    pi, final_pi, action, final_action = zip(*parts, strict=True)
    x = tuple(asked(env, cfg, batch.state, action, g) for g in range(len(env.groups)))
    return Seen(pi, final_pi, action, final_action, ages(batch.ended, began), x)


def asked(env: Env, cfg: Any, state: Real | None, action: Arrays, g: int) -> Real:
    """What a group's critics see of states (..., S) and actions (..., N_k), (..., N, I)."""
    assert state is not None
    return all_actions.seen(env, cfg.share, state, action, g, cfg.dtype)


def legal(batch: Batch, g: int) -> Real | None:
    """The legal actions of all T + 1 rows (T + 1, B, N, K), or None."""
    mask, last = batch.mask[g], batch.last_mask[g]
    if mask is None or last is None:
        return None
    return np.concatenate([mask, last[None]])


def ages(ended: Real, began: Real) -> Real:
    """Steps since the episode began (T, B), from where episodes ended and ``began`` (B,).

    Examples
    --------
    >>> print(ages(np.array([[False], [True], [False]]), np.array([3])).ravel())
    [3 4 0]
    """
    t = np.arange(len(ended))[:, None]
    first = np.where(ended, t + 1, -began)[:-1]
    first = np.concatenate([-began[None], first])
    return np.asarray(t - np.maximum.accumulate(first, axis=0))


def slow_value(env: Env, cfg: Any, agent: Agent, x: Real, pi: Real, g: int) -> Real:
    """Σ_b π_i(b) Q'_i(s, (a_-i, b)) (..., N) from what critics see of it."""
    net = all_actions.judge(env, cfg.hidden, g, x)
    return np.asarray((pi * all_actions.values(net, agent.phi_target[g], x)).sum(axis=-1))


def gradient(
    env: Env, cfg: Any, agent: Agent, batch: Batch, seen: Seen, g: int, rules: Rules
) -> tuple[Real, dict[str, float]]:
    """(∇ gain in the shape of θ, metrics) of one group, its critic as it is."""
    net, theta, x = network(env, cfg, g), agent.theta[g], seen.x[g][:-1]
    q = all_actions.values(all_actions.judge(env, cfg.hidden, g, x), agent.phi[g], x)
    weight = rules.merit(cfg, seen, g, q, batch.action[g])

    h, starts = batch.memory[g] if cfg.memory else None, begins(batch)[:-1]
    params, tape = stretch(net, cfg.memory, theta, batch.obs[g][:-1], h, starts)
    params = net.restrict(params, batch.mask[g])
    head, none = Floored(float(agent.epsilon[0])), np.zeros_like(weight)
    gain = actor_gain(head, params, batch.action[g], weight, none, share_of(batch, g))
    entropy, slope, value = net.head.entropy(params), gain.gradient, gain.value
    if cfg.entropy:
        bonus = np.asarray(cfg.entropy * share_of(batch, g), params.dtype)
        value += float((bonus * entropy).sum())
        slope = slope + bonus[..., None] * net.head.d_entropy(params)
    d_theta = pull_back(net, cfg.memory, theta, tape, slope)
    return d_theta, {"gain": value, "q": float(q.mean()), "entropy": float(entropy.mean())}


def _fitted(
    env: Env, cfg: Any, agent: Agent, batch: Batch, seen: Seen, target: Real, g: int
) -> tuple[OptState, Real, Real, float]:
    """(the optimiser's state, φ, φ', L before) after the steps of a group's critic."""
    x = seen.x[g][:-1]
    net = all_actions.judge(env, cfg.hidden, g, x)
    state, phi, slow, losses = agent.opt_phi[g], agent.phi[g], agent.phi_target[g], []
    everybody = np.full(batch.action[g].shape, 1.0 / batch.action[g].size)  # the dead, too
    for _ in range(cfg.critic_steps):
        loss, d_phi = all_actions.critic_gradient(net, phi, x, batch.action[g], target, everybody)
        state, phi = ADAM.update(state, phi, clip_norm(d_phi, cfg.max_norm)[0], cfg.critic_lr)
        slow = polyak(slow, phi, cfg.tau)  # (2.5)
        losses.append(loss)
    return state, phi, slow, losses[0]


def share_of(batch: Batch, g: int) -> Real:
    """What each row counts, (T, B, N): the same for all who acted."""
    alive = batch.alive[g]
    if alive is None:
        return np.full(batch.action[g].shape, 1.0 / batch.action[g].size)
    return np.asarray(alive / max(np.count_nonzero(alive), 1))


def _put(parts: Arrays, g: int, new: Real) -> Arrays:
    return tuple(new if k == g else p for k, p in enumerate(parts))
