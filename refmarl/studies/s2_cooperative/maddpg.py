"""What a critic gains that sees all actions, and whose actions the actor's gradient may touch.

n agents give numbers a_j ~ N(0, 1) and all are paid r = −(Σ a_j)². A critic of all actions can
know r exactly. One that sees a_i alone can know E[r | a_i] and no more, and of r's variance there
remain

    E[Var(r | a_i)] / Var(r) = (2 (n−1)² + 4 (n−1)) / (2 n²) = 1 − 1/n²,

because S = a_i + Z with Z ~ N(0, v), v = n − 1, has Var(S² | a_i) = 2 v² + 4 a_i² v. Critics are
trained on such plays by the step of MADDPG. In full, MADDPG and independent DDPG also learn
navigation, ten seeds each (:mod:`~refmarl.studies.s2_cooperative.navigators`).
"""

from typing import Any, NamedTuple

import numpy as np

from ...analysis import plots
from ...check import Array
from ...cooperative import ddpg, deterministic, maddpg
from ...env_api import Box, Group
from ...envs.pendulum import Pendulum
from ...learner import learn
from ...nn import gradcheck
from ...nn.optim import Adam
from ..study import Outcome, at_least, at_most, close
from . import navigators

AGENTS = (1, 2, 4)
STEPS, ROWS, RATE, HIDDEN = 500, 256, 5e-3, (32, 32)
ADAM = Adam()


class Left(NamedTuple):
    """Shares of r's variance that critics leave, one entry for each of ``AGENTS``."""

    central: list[float]
    alone: list[float]


def run(rng: np.random.Generator, full: bool = False) -> Outcome:
    """Critics on the quadratic team; the reduction to one agent; the gradient of the right slot."""
    left = Left(*([unexplained(rng, n, own) for n in AGENTS] for own in (False, True)))
    rows = [
        close(f"n = {n}, a critic of its own action: share of the variance left",
              left.alone[k], 1.0 - 1.0 / n**2, 0.08)
        for k, n in enumerate(AGENTS)
    ]  # fmt: skip
    rows += [at_most(f"n = {n}, a critic of all actions: the same", left.central[k], 0.08)
             for k, n in enumerate(AGENTS)]  # fmt: skip
    right, printed = slots(rng)
    rows += [
        at_most("one agent: largest difference of parameters, MADDPG and DDPG", apart(rng), 0.0),
        at_most("(2.4): largest error against differences, of the largest entry", right, 1e-6),
        at_least("the printed form (errata A5): the same", printed, 0.1),
    ]
    if full:
        rows += navigators.compared()
    caption = (
        "n agents give numbers and are paid minus the square of their sum. Share of the reward's "
        "variance that a critic leaves: dots are critics of 32 and 32 units after "
        f"{STEPS} steps of Adam, lines are 1 − 1/n² for one that sees its own agent's action "
        "alone, and 0 for one that sees all."
    )
    sample = f"{ROWS} new plays for each step, {20 * ROWS} to judge."
    return Outcome(tuple(rows), (plots.Figure(caption, (_panel(left),)),), sample)


def unexplained(rng: np.random.Generator, agents: int, own: bool) -> float:
    """E[(Q − r)²] / Var(r) of a critic that has learnt from plays of n agents."""
    space = Box(-1.0, 1.0, 1)
    group = Group("team", tuple(map(str, range(agents))), 1, space)
    net = deterministic.critic(group, HIDDEN, "tanh", 0 if own else agents - 1)
    phi = net.init(rng, (1,))
    state = ADAM.init(phi)
    weight = np.full(ROWS, 1.0 / ROWS)
    for k in range(STEPS):
        x, r = _plays(rng, agents, own, ROWS)
        d_phi = deterministic.critic_gradient(net, phi, x, r, weight)[1]
        state, phi = ADAM.update(state, phi, d_phi, RATE * (1.0 - k / STEPS))
    x, r = _plays(rng, agents, own, 20 * ROWS)
    q = net.forward(phi, x[None])[0][0, :, 0]
    return float(np.mean((q - r) ** 2) / r.var())


def _plays(rng: np.random.Generator, agents: int, own: bool, rows: int) -> tuple[Array, Array]:
    """(what the critic of agent 0 sees, r / n); nobody sees anything but a 0."""
    a = rng.standard_normal((rows, agents))
    seen = a[:, :1] if own else a
    return np.concatenate([np.zeros((rows, 1)), seen], axis=1), -np.square(a.sum(axis=1)) / agents


def apart(rng: np.random.Generator) -> float:
    """The largest difference of parameters after two iterations with one agent."""
    same: dict[str, Any] = {"num_envs": 4, "batch": 32, "warmup": 50, "iterations": 2, "every": 5}
    seed, found = int(rng.integers(2**31)), []
    for algorithm in (maddpg, ddpg):
        cfg = algorithm.Config(**same, capacity=1000, hidden=(16,))
        *_, (last, _) = learn(algorithm, Pendulum(), cfg, np.random.default_rng(seed))
        found.append(np.concatenate([last.agent.theta[0].ravel(), last.agent.phi[0].ravel()]))
    return float(abs(found[0] - found[1]).max())


def slots(rng: np.random.Generator) -> tuple[float, float]:
    """Errors against differences of J of agent 2 of two: of slot 2's gradient, and of slot 1's."""
    space = Box(-1.0, 1.0, 1)
    group = Group("team", ("a", "b"), 2, space)
    nets = deterministic.actor(group, (8,), "tanh"), deterministic.critic(group, (8,), "tanh", 3)
    theta, phi = (net.init(rng) + 0.3 * rng.standard_normal(net.size) for net in nets)
    obs, other = rng.standard_normal((2, 16, 2))
    act = rng.uniform(-1.0, 1.0, (2, 16, 1))
    weight, how = np.full(16, 1.0 / 16), deterministic.Relaxation(1.0, True)
    seen = deterministic.Seen(obs, np.concatenate([other, act[0]], axis=1), None)

    def climb(at: Array) -> tuple[float, Array]:
        found = deterministic.actor_gradient(space, nets, at, phi, seen, None, how, 0.0, weight)
        return found.value, found.gradient

    report = gradcheck.check_gradient(climb, theta)
    right = max(part.difference / max(part.numeric, 1e-12) for part in report.parts)
    out, tape = nets[0].forward(theta, obs)
    mu = np.tanh(out)
    x = np.concatenate([obs, act[1], other, mu], axis=1)  # μ_2 in the slot of agent 1
    slope = nets[1].input_gradient(phi, nets[1].forward(phi, x)[1], weight[:, None])[:, -1:]
    printed, true = nets[0].gradient(theta, tape, slope * (1.0 - mu * mu)), climb(theta)[1]
    return right, float(abs(printed - true).max() / abs(true).max())


def _panel(left: Left) -> plots.Panel:
    def draw(ax: Any) -> None:
        n = np.linspace(1, AGENTS[-1], 60)
        lines = ((1.0 - 1.0 / n**2, left.alone, "own action"), (0.0 * n, left.central, "all"))
        for (line, dots, label), (color, style) in zip(lines, plots.CYCLE, strict=False):
            ax.plot(n, line, color=color, linestyle=style, label=label)
            ax.plot(AGENTS, dots, color=color, marker="o", linestyle="none")
        ax.set(xlabel="agents", ylabel="share of the variance left", ylim=(-0.05, 1.05))

    alt = "Of its own action alone a critic leaves 1 − 1/n² of the variance, of all actions none."
    return plots.Panel("What a critic can know", alt, draw)
