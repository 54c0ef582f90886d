r"""What independent Q-learning, VDN, QMIX, weighted QMIX and QTRAN share: everything but the loss.

    y    = r + γ (1 − d) Q'_tot(s', a'),   a'_i = argmax Q_i(o'_i, ·)     decomposition.td_target
    L(φ) = E[(y − Q_tot(s, a))²]                                          descended   (2.7) (2.8)
    φ'   ← φ every C updates, or τ φ + (1 − τ) φ' after each              nn.optim.polyak   (2.5)

Agents act ε-greedily by utilities of their own observations; what mixes them, and the global state,
is there for learning only. With ``double`` the greedy actions at s' are those of φ, valued by φ'
(van Hasselt et al. 2016, arXiv:1509.06461), else both are of φ'. An agent that is gone counts 0
in every sum. All parameters of a method stand in one vector φ.

With ``memory`` each agent has a GRU that goes along its episodes. The loss is the mean over all
steps of M stretches of T; its derivatives go back through time (Hausknecht and Stone 2015,
arXiv:1507.06527). φ and φ' both begin a stretch with what was remembered when it was played.

A method says which networks there are and what their gradient is: :mod:`~refmarl.cooperative.vdn`
is the shortest. ``[+]`` marks what the course's equations do not contain.

Axes: B copies, M rows, n agents, J values of a row.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

import numpy as np

from ..check import InputError
from ..config import Settings, option
from ..env_api import Discrete, Env
from ..learner import Metrics, Progress
from ..nn import schedules
from ..nn.optim import Adam, clip_norm, polyak
from ..nn.optim import State as OptState
from ..policy_gradient.off_policy import Choose, Ends, Stand, begin, collect, legal
from ..policy_gradient.spaces import require
from ..rollout import Act, Arrays, Masks
from ..rollout import Policy as Acting
from ..value_grad import Real
from .all_actions import choices
from .experience import Batch, extras, sample
from .team_reward import REWARDS, require_reward
from .utilities import Utilities, Valued, chosen, greedy

ADAM = Adam()


@dataclass(frozen=True, kw_only=True)
class Config(Settings):
    """Constants of a run."""

    gamma: float = option(0.99, "γ, discount", "[0, 1]")
    lr: float = option(1e-3, "step of Adam", "(0, inf)")
    double: bool = option(True, "whether φ chooses the actions that φ' values  [+]")
    n_step: int = option(1, "rewards before a value takes over  [+]", "[1, inf)")
    period: int = option(200, "C, updates between copies into φ'; 0: by τ", "[0, inf)")
    tau: float = option(0.005, "τ, share of φ in φ' after an update, if C is 0", "(0, 1]")
    reward: str = option("common", "what the team is paid, if not the same for all", REWARDS)
    epsilon: float = option(1.0, "ε, share of random actions at first", "[0, 1]")
    epsilon_last: float = option(0.05, "ε at last", "[0, 1]")
    epsilon_steps: int = option(20_000, "environment steps until then", "[1, inf)")
    hidden: tuple[int, ...] = option((64, 64), "units of each hidden layer", "[1, inf)")
    activation: str = option("relu", "of the hidden layers", ("relu", "tanh"))
    share: bool = option(True, "whether the agents of a group share parameters")
    ids: bool = option(True, "whether agents that share see which one they are")
    memory: int = option(0, "H, units of the GRUs that remember; 0: none  [+]", "[0, inf)")
    stretch: int = option(10, "T, steps that are learnt through at once, if H > 0", "[1, inf)")
    max_norm: float = option(10.0, "limit of the gradient's norm  [+]", "(0, inf)")
    num_envs: int = option(8, "B, copies of the environment", "[1, inf)")
    num_steps: int = option(50, "steps of each copy in an iteration", "[1, inf)")
    updates: int = option(1, "updates after each step of the copies", "[0, inf)")
    batch: int = option(64, "M, rows of an update; with a memory stretches", "[1, inf)")
    capacity: int = option(50_000, "rows of the memory", "[1, inf)")
    warmup: int = option(500, "steps at first without updates", "[0, inf)")
    iterations: int = option(200, "of num_steps steps and their updates", "[1, inf)")
    dtype: str = option("float32", "of the parameters", ("float32", "float64"))

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.memory and self.n_step > 1:
            raise InputError(f"n_step: with a memory need 1, got {self.n_step}")
        if self.capacity < self.along * self.num_envs:
            need = f"need at least stretch · num_envs = {self.along * self.num_envs}"
            raise InputError(f"capacity: with a memory {need}, got {self.capacity}")

    @property
    def along(self) -> int:
        """T, or 0 without a memory."""
        return self.stretch if self.memory else 0


class Agent(NamedTuple):
    """All that learning changes."""

    phi: Real  # (P,): utilities first, then what the method has beside them
    target: Real  # φ', (P,)
    opt: OptState
    memory: tuple[Arrays, ...] = ()  # of each team of utilities that remembers, (B, N_g, H)


Remembering = Callable[[Arrays, Arrays, Arrays], tuple[Arrays, Arrays]]
# (obs, masks, memory) ↦ (actions (B, N_g), memory')
Nets = tuple[Any, ...]  # each with size and init
Parts = tuple[Real, ...]  # each network's parameters
Found = tuple[Parts, Mapping[str, float]]  # (∂L/∂ of each part, metrics)


class Method(NamedTuple):
    """What makes the difference."""

    nets: Callable[[Env, Any], Nets]  # (env, cfg) ↦ networks, the utilities first
    gradient: Callable[[Any, Nets, Parts, Parts, Batch], Found]  # of (cfg, nets, φ, φ', rows)
    central: bool  # whether it looks at the global state


def utilities(env: Env, cfg: Config) -> Utilities:
    """The agents' own networks.

    Raises
    ------
    InputError
        If actions are not one of K.
    """
    return Utilities(env.groups, cfg.hidden, cfg.activation, cfg.share, cfg.ids, cfg.memory)


def split(nets: Nets, phi: Real) -> Parts:
    """Views of φ, one for each network."""
    ends = np.cumsum([net.size for net in nets])[:-1]
    return tuple(np.split(phi, ends))


# -- parts of the losses ----------------------------------------------------------------


def taken(q: Arrays, actions: Arrays, alive: Real | None) -> Real:
    """Utilities (M, n) of these actions, 0 for agents that are gone."""
    values = chosen(q, actions)
    return values if alive is None else values * alive


def pulled(
    net: Utilities, theta: Real, now: Valued, batch: Batch, *parts: tuple[Arrays, Real]
) -> Real:
    """∂L/∂θ from (actions, ∂L/∂ of what :func:`taken` gives for them), which add up."""
    if batch.alive is not None:
        parts = tuple((actions, dq * batch.alive) for actions, dq in parts)
    return net.gradient(theta, now, *parts)


def beyond(net: Utilities, theta: Real, batch: Batch, team: int = 0) -> Arrays:
    """All values at o', after what this θ remembers of the steps before; of one ``team``."""
    known = net.remembered(theta, batch.obs, batch.stretches[team])
    return net.step(theta, batch.next_obs, known)[0]


def next_actions(
    cfg: Config, net: Utilities, theta: Real, q_next: Arrays, batch: Batch, memory: Arrays = ()
) -> Arrays:
    """a' (M, N_g): greedy for φ if ``double``, else for ``q_next``, which is of φ'.

    ``memory`` is what φ remembers after each row, if it does.
    """
    q = net.step(theta, batch.next_obs, memory)[0] if cfg.double else q_next
    return greedy(q, batch.next_mask)


def width(env: Env) -> int:
    """K, how many numbers say one-hot what everybody does."""
    return sum(choices(group) * len(group.agents) for group in env.groups)


def seen(net: Utilities, state: Real, actions: Arrays, alive: Real | None) -> Real:
    """The state and, one-hot, what everybody does; zeros of those that are gone: (M, S + K)."""
    parts, first = [state], 0
    for group, own in zip(net.groups, actions, strict=True):
        hot = (own[..., None] == np.arange(choices(group))).astype(state.dtype)
        last = first + own.shape[1]
        if alive is not None:
            hot *= alive[:, first:last, None]
        parts.append(hot.reshape(len(own), -1))
        first = last
    return np.concatenate(parts, axis=1)


# -- algorithm --------------------------------------------------------------------------


def start(env: Env, cfg: Config, rng: np.random.Generator, method: Method) -> Progress:
    """New networks, an empty memory, fresh copies of the environment.

    Raises
    ------
    InputError
        If actions are not one of K, or the agents are paid differently and should not be.
    """
    require(env, "a value of each action", Discrete)
    nets = method.nets(env, cfg)
    require_reward(env, cfg.reward)
    init_rng, env_rng, act_rng, draw_rng = rng.spawn(4)
    kind = np.dtype(cfg.dtype).type
    phi = np.concatenate([net.init(init_rng, dtype=kind) for net in nets])
    teams = sum(map(_team, nets)) if cfg.memory else 0
    shapes = [(cfg.num_envs, len(group.agents), cfg.memory) for group in env.groups]
    memory = tuple(tuple(np.zeros(s, kind) for s in shapes) for _ in range(teams))
    more = extras(method.central, cfg.n_step, cfg.dtype, memory)
    stand = begin(env, env_rng, cfg.num_envs, cfg.capacity, cfg.dtype, more)
    agent = Agent(phi, phi.copy(), ADAM.init(phi), memory)
    return Progress(0, 0, agent, stand, (act_rng, draw_rng))


def exploration(cfg: Config, steps: int) -> float:
    """ε after so many environment steps."""
    return schedules.linear(steps, cfg.epsilon_steps, cfg.epsilon, cfg.epsilon_last)


def choose(
    env: Env, cfg: Config, agent: Agent, rng: np.random.Generator, epsilon: float
) -> Remembering:
    """How to act: with probability ε any legal action, else the best."""
    net = utilities(env, cfg)
    theta = agent.phi[: net.size]

    def act(obs: Arrays, mask: Arrays, memory: Arrays) -> tuple[Arrays, Arrays]:
        q, kept = net.step(theta, obs, memory)
        best = greedy(q, mask)
        if epsilon == 0.0:
            return best, kept
        found = []
        for g, own in enumerate(q):
            explores = rng.random(best[g].shape) < epsilon
            u = rng.random(own.shape)
            any_ = (np.where(mask[g], u, -1.0) if mask else u).argmax(axis=-1)
            found.append(np.where(explores, any_, best[g]))
        return tuple(found), kept

    return act


def policy(
    env: Env, cfg: Config, agent: Agent, rng: np.random.Generator, greedy: bool = False
) -> Acting:
    """How the agent acts: ε-greedily with the last ε, or greedily."""
    inner = choose(env, cfg, agent, rng, 0.0 if greedy else cfg.epsilon_last)

    def act(obs: Arrays, mask: Masks, memory: Arrays) -> Act:
        actions, kept = inner(obs, legal(env, mask, len(obs[0])), memory)
        return Act(actions, tuple(np.zeros(a.shape) for a in actions), kept)

    return act


def iterate(env: Env, cfg: Config, progress: Progress, method: Method) -> tuple[Progress, Metrics]:
    """``num_steps`` times: one step of all copies, and ``updates`` updates."""
    iteration, steps, agent, roll, (act_rng, draw_rng) = progress
    stand, ends, found = cast(Stand, roll), Ends([], []), []
    nets, ready = method.nets(env, cfg), max(cfg.warmup, cfg.along * cfg.num_envs)
    epsilon = exploration(cfg, steps)
    for _ in range(cfg.num_steps):
        epsilon = exploration(cfg, steps)
        left: list[tuple[Arrays, ...]] = []
        both = _both(choose(env, cfg, agent, act_rng, epsilon), nets, agent, left)
        more = extras(method.central, cfg.n_step, cfg.dtype, agent.memory)
        stand, count = collect(env, both, stand, 1, cfg.dtype, ends, more)
        agent = agent._replace(memory=_kept(stand, left[0]))
        steps += count
        for _ in range(cfg.updates if steps >= ready else 0):
            rows = (cfg.batch, cfg.num_envs, cfg.gamma, cfg.n_step, cfg.reward, cfg.along)
            batch = sample(stand.memory, draw_rng, *rows)
            agent, metrics = update(cfg, nets, agent, batch, method)
            found.append(metrics)
        if found and not math.isfinite(sum(found[-1].values())):
            break  # whoever runs this is told of it by the means, and stops
    means = {key: sum(m[key] for m in found) / len(found) for key in (found[0] if found else {})}
    means["epsilon"] = epsilon
    if ends.returns:
        means |= {"return": float(np.mean(ends.returns)), "length": float(np.mean(ends.lengths))}
    return Progress(iteration + 1, steps, agent, stand, (act_rng, draw_rng)), means


def _both(act: Remembering, nets: Nets, agent: Agent, left: list[tuple[Arrays, ...]]) -> Choose:
    """The environment's actions are the network's; ``left`` gets what each team remembers then."""
    teams = [(n, p) for n, p in zip(nets, split(nets, agent.phi), strict=True) if _team(n)]

    def both(obs: Arrays, mask: Arrays) -> tuple[Arrays, Arrays]:
        actions, kept = act(obs, mask, agent.memory[0] if agent.memory else ())
        others = zip(teams[1:], agent.memory[1:], strict=False)  # none without a memory
        rest = [net.step(theta, obs, memory)[1] for (net, theta), memory in others]
        left.append((kept, *rest) if agent.memory else ())
        return actions, actions

    return both


def _team(net: Any) -> bool:
    return isinstance(net, Utilities)


def _kept(stand: Stand, memories: tuple[Arrays, ...]) -> tuple[Arrays, ...]:
    """What is remembered before the next step: nothing where an episode begins."""
    begins = (stand.state.t == 0)[:, None, None]
    return tuple(tuple(np.where(begins, h.dtype.type(0), h) for h in team) for team in memories)


def update(
    cfg: Config, nets: Nets, agent: Agent, batch: Batch, method: Method
) -> tuple[Agent, dict[str, float]]:
    """(agent', metrics) after one step down the gradient, and what follows for φ'."""
    phi, target, opt, _ = agent
    parts, metrics = method.gradient(cfg, nets, split(nets, phi), split(nets, target), batch)
    slope, norm = clip_norm(np.concatenate(parts), cfg.max_norm)
    opt, phi = ADAM.update(opt, phi, slope, cfg.lr)
    if cfg.period == 0:
        target = polyak(target, phi, cfg.tau)  # (2.5)
    elif opt.step % cfg.period == 0:
        target = phi.copy()
    return agent._replace(phi=phi, target=target, opt=opt), {**metrics, "norm": float(norm)}
