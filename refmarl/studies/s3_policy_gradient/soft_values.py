"""Maximum-entropy values: three ways to them, what entropy costs, what it buys, what α does.

On random decision processes soft policy iteration, soft value iteration and the plain sum of
rewards and entropies are held against each other. For a range of temperatures the best soft policy
is judged by its reward alone, and by its worst reward when somebody may take away from each action:
an adversary of limited means, against which keeping several good actions is insurance. Discrete SAC
then learns one process from steps, with α held, and its critics are compared with linear algebra;
and the tuned α is compared with the α whose soft policy has just the target entropy.

Axes: S states, A actions, one temperature for each point.
"""

from typing import Any, NamedTuple

import numpy as np

from ...analysis import plots
from ...check import Array
from ...envs.tabular import TabularEnv
from ...games.markov import MarkovGame
from ...games.mdp import MDP, solve_mdp
from ...learner import Progress
from ...nn import categorical
from ...policy_gradient import sac
from ...policy_gradient import soft_values as soft
from ...policy_gradient.soft_networks import actor, critic
from ..study import Outcome, Row, at_most

STATES, ACTIONS, GAMMA = 6, 4, 0.9
ALPHAS = np.geomspace(0.01, 10.0, 25)
HELD = 0.3  # α of the run with a fixed temperature
TARGET = 0.5  # of log A: the entropy that the other is asked for


class Price(NamedTuple):
    """What the best soft policy of each α earns, from the first state, in steps' worth."""

    reward: Array  # discounted, by that of the best policy
    entropy: Array  # mean per step, by log A
    worst: Array  # reward against the adversary, by that of the best policy


def run(rng: np.random.Generator, full: bool = False) -> Outcome:
    """Fixed points three ways; prices over α; SAC beside both."""
    gaps = [fixed_points(rng) for _ in range(200 if full else 40)]
    mdp = process(rng)
    found = prices(mdp)
    learnt = [learnt_values(mdp, seed) for seed in range(10 if full else 1)]
    tuned = [tuned_temperature(mdp, seed) for seed in range(10 if full else 1)]
    caption = (
        "Left: the best policy of each temperature α, judged by its reward alone and by its "
        "entropy (of log A). Right: its reward when an adversary takes π(a|s) away from every "
        "action a, beside that of the policy that is best without adversary."
    )
    sample = (
        f"{len(gaps)} random processes of {STATES} states and {ACTIONS} actions; {len(learnt)} "
        "runs of discrete SAC on one of them with α held, as many with α tuned."
    )
    panels = (_price_panel(found), _worst_panel(mdp, found))
    rows = _rows(gaps, found, learnt, tuned)
    return Outcome(rows, (plots.Figure(caption, panels),), sample)


def process(rng: np.random.Generator) -> MDP:
    """Rows drawn from Dirichlet distributions, normal rewards."""
    rows = rng.dirichlet(np.full(STATES, 0.3), (STATES, ACTIONS))
    return MDP(rows, rng.standard_normal((STATES, ACTIONS)), GAMMA)


def fixed_points(rng: np.random.Generator) -> Array:
    """(distance of value iteration, of the policy's own J, how far above V* beyond the bound)."""
    mdp, alpha = process(rng), float(rng.choice([0.05, 0.5, 5.0]))
    values, policy, _ = soft.solve_softly(mdp, alpha)
    swept = soft.soft_value_iteration(mdp, alpha, 400)
    earned = soft.evaluate_softly(mdp, policy, alpha)
    above = values - solve_mdp(mdp).values
    most = alpha * np.log(ACTIONS) / (1.0 - GAMMA)
    beyond = max(float((-above).max()), float((above - most).max()), 0.0)
    return np.array([abs(swept - values).max(), abs(earned - values).max(), beyond])


def prices(mdp: MDP) -> Price:
    """Of the best soft policy at each α."""
    best = solve_mdp(mdp).values[0]
    rewards, entropies, worsts = [], [], []
    for alpha in ALPHAS:
        policy = soft.solve_softly(mdp, float(alpha)).policy
        reward = soft.evaluate_softly(mdp, policy, 0.0)[0]
        whole = soft.evaluate_softly(mdp, policy, 1.0)[0] - reward
        rewards.append(reward)
        entropies.append(whole * (1.0 - GAMMA) / np.log(ACTIONS))
        worsts.append(under_attack(mdp, policy))
    return Price(np.array(rewards) / best, np.array(entropies), np.array(worsts) / best)


def under_attack(mdp: MDP, policy: Array) -> float:
    """The reward from the first state when each action a loses π(a|s): the predictable pay."""
    robbed = MDP(mdp.transition, mdp.reward - policy, mdp.gamma)
    return float(soft.evaluate_softly(robbed, policy, 0.0)[0])


# -- learning from steps ----------------------------------------------------------------


def as_env(mdp: MDP) -> TabularEnv:
    """The process, played by one agent."""
    return TabularEnv(MarkovGame(mdp.transition, mdp.reward[None], mdp.gamma), horizon=25)


def trained(mdp: MDP, seed: int, **settings: Any) -> tuple[TabularEnv, sac.Config, Progress]:
    """Discrete SAC on a process, long enough to settle."""
    env = as_env(mdp)
    cfg = sac.Config(
        gamma=GAMMA, lr=3e-3, tau=0.05, hidden=(32,), num_envs=8, num_steps=50, warmup=400,
        capacity=20_000, batch=128, iterations=24, **settings,
    )  # fmt: skip
    progress = sac.start(env, cfg, np.random.default_rng(seed))
    for _ in range(cfg.iterations):
        progress, _ = sac.iterate(env, cfg, progress)
    return env, cfg, progress


def _states(env: TabularEnv) -> Array:
    """What the agent sees in each state: (who it is, the state), one-hot."""
    seen: Array = np.concatenate([np.ones((STATES, 1)), np.eye(STATES)], axis=1)
    assert seen.shape[1] == env.groups[0].obs_dim
    return seen


def learnt_values(mdp: MDP, seed: int) -> float:
    """How far the smaller critic's Q is from linear algebra, by the spread of the values."""
    env, cfg, progress = trained(mdp, seed, alpha=HELD, tune=False)
    net = critic(env.groups[0], cfg.hidden, cfg.activation)
    q = net.forward(progress.agent.phi[0], _states(env)[None])[0].min(axis=0)
    exact = mdp.action_values(soft.solve_softly(mdp, HELD).values)
    return float(np.sqrt(np.square(q - exact).mean()) / exact.std())


def tuned_temperature(mdp: MDP, seed: int) -> float:
    """By how much the learnt policy misses the entropy that it was asked for, in nats."""
    env, cfg, progress = trained(mdp, seed, choice_entropy=TARGET, alpha_lr=1e-2)
    net = actor(env.groups[0], cfg.hidden, cfg.activation)
    logits, _ = net.forward(progress.agent.theta[0], _states(env))
    policy = np.asarray(categorical.probs(logits), dtype=float)
    chain = np.einsum("sa,sat->st", policy / policy.sum(axis=1, keepdims=True), mdp.transition)
    visits = np.linalg.matrix_power(chain, 200)[0]
    return float(visits @ categorical.entropy(logits) - TARGET * np.log(ACTIONS))


def _rows(
    gaps: list[Array], found: Price, learnt: list[float], tuned: list[float]
) -> tuple[Row, ...]:
    worst = np.max(gaps, axis=0)
    peak = int(found.worst.argmax())
    return (
        at_most("soft value iteration beside soft policy iteration", float(worst[0]), 1e-8),
        at_most("J of the soft policy beside V, by a linear solve", float(worst[1]), 1e-8),
        at_most("V − V* outside of [0, α log A / (1 − γ)]", float(worst[2]), 1e-8),
        at_most("reward falls with α: largest rise", float(np.diff(found.reward).max()), 1e-9),
        at_most("entropy rises with α: largest fall", float(-np.diff(found.entropy).min()), 1e-9),
        at_most(
            f"worst reward of a sharp policy less that of α = {ALPHAS[peak]:.2g}",
            float(found.worst[0] - found.worst[peak]), 0.0,
        ),
        at_most("discrete SAC's Q beside linear algebra, by their spread", max(learnt), 0.25),
        at_most("tuned α: entropy beside its target, nats", float(np.abs(tuned).max()), 0.15),
    )  # fmt: skip


# -- figures ----------------------------------------------------------------------------


def _price_panel(found: Price) -> plots.Panel:
    def draw(ax: Any) -> None:
        pairs = ((found.reward, "reward, by the best"), (found.entropy, "entropy, by log A"))
        for (y, label), (color, line) in zip(pairs, plots.CYCLE, strict=False):
            ax.semilogx(ALPHAS, y, color=color, linestyle=line, label=label)
        ax.set(xlabel="temperature α", ylabel="share")

    alt = "As α grows entropy rises to 1 and the reward falls, slowly at first."
    return plots.Panel("What entropy costs", alt, draw)


def _worst_panel(mdp: MDP, found: Price) -> plots.Panel:
    sharp = under_attack(mdp, solve_mdp(mdp).policy) / solve_mdp(mdp).values[0]

    def draw(ax: Any) -> None:
        color, line = plots.CYCLE[0]
        ax.semilogx(ALPHAS, found.worst, color=color, linestyle=line, label="best soft policy")
        ax.axhline(sharp, color=plots.INK, linewidth=0.9, linestyle=":", label="best policy")
        ax.set(xlabel="temperature α", ylabel="reward under attack, by the best")

    alt = "Under attack a middle temperature earns more than the policy that is best without it."
    return plots.Panel("What entropy buys", alt, draw)
