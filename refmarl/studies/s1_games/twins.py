"""Learners on games whose answers are known exactly: a table of twins.

Each twin runs a learner with several seeds, and knows what it converges to and why:

    minimax-Q, foe-Q     V* of the zero-sum Markov game (Littman & Szepesvári 1996; Littman 2001)
    Nash-Q               the same there; the best joint policy of a team (all equilibria equal)
    friend-Q, correlated the best joint policy of a team (Littman 2001; Greenwald & Hall 2003)
    independent Q        its best reply to players who explore for ever (Watkins & Dayan 1992)
    hysteretic, lenient  the expectile of what evenly exploring teammates make of an action
    joint-action         the mean of an action's payoffs, over what the others are seen to do

The mean over seeds is to lie within Student's 99.9 % interval around it, or within a tolerance
for the bias that finitely many steps leave. Of Q = 0 they leave exp(-(1 - γ) Σ α), Σ α the sum of
the rates at the pair that was tried least. Maxima of noisy values are too high, by less than one
run's deviation.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from ...check import Array
from ...games import (
    MarkovGame,
    NormalForm,
    independent_q,
    joint_action_q,
    library,
    nash_conv,
    wolf_phc,
)
from ...games.independent_q import IndependentConfig
from ...games.induced import induced_mdp
from ...games.joint_action_q import JointConfig
from ...games.markov_examples import pennies_until_equal, random_markov_game
from ...games.mdp import MDP, solve_mdp
from ...games.minimax_q import correlated_q, friend_or_foe_q, minimax_q, nash_q
from ...games.shapley import shapley_iteration
from ...games.wolf_phc import WolfConfig

GAMMA = 0.5
LEVEL = 0.999
FRIENDS, FOES = np.ones((2, 2)), np.zeros((2, 2))
CLIMBING = library.game("climbing")
EVENLY: dict[str, Any] = {"steps": 6000, "alpha": 0.01, "epsilon_min": 1.0}


class Twin(NamedTuple):
    """A learner's answers beside the exact one."""

    name: str
    exact: float
    found: Array  # (n,), one for each seed
    bias: float  # tolerance beside the interval
    size: float  # of the payoffs, for drawing

    @property
    def half(self) -> float:
        """Half the width of Student's interval of the mean."""
        return float(half_width(self.found))

    @property
    def tolerance(self) -> float:
        """The larger of the interval and the bias."""
        return max(self.half, self.bias)


def half_width(found: Array, level: float = LEVEL) -> Any:
    """Of the interval of the mean over the first axis, n ≥ 2."""
    from scipy.special import stdtrit

    n = len(found)
    quantile = float(stdtrit(n - 1, (1 + level) / 2))
    half: Any = quantile * found.std(axis=0, ddof=1) / np.sqrt(n)
    return half


def team_game() -> MarkovGame:
    """Two states, two actions each, one reward for all; which is why equilibria can be compared."""
    return random_markov_game(np.random.default_rng(5), 2, (2, 2), GAMMA, "team")


def zero_sum_game() -> MarkovGame:
    """Three states, two actions each."""
    return random_markov_game(np.random.default_rng(3), 3, (2, 2), GAMMA, "zero-sum")


def joint_optimum(game: MarkovGame) -> Array:
    """V* (S,) of a team that chooses joint actions as one player."""
    shape = (game.num_states, -1)
    flat = game.transition.reshape(*shape, game.num_states)
    return solve_mdp(MDP(flat, game.reward[0].reshape(shape), game.gamma)).values


def expectile(payoffs: Array, ratio: float) -> float:
    """The q with E(r - q)₊ = ratio · E(q - r)₊, r evenly from ``payoffs``; by bisection."""
    low, high = float(payoffs.min()), float(payoffs.max())
    for _ in range(100):
        q = (low + high) / 2
        up, down = np.maximum(payoffs - q, 0).sum(), np.maximum(q - payoffs, 0).sum()
        low, high = (q, high) if up > ratio * down else (low, q)
    return (low + high) / 2


def twins(rng: np.random.Generator, seeds: int, full: bool = False) -> Iterator[Twin]:
    """All of them, in ``full`` with more steps and with the two slowest."""
    yield from _stage_twins(rng, seeds, full)
    yield from _independent(rng, seeds)
    yield from _repeated(rng, seeds)


def _over_seeds(
    learn: Callable[[np.random.Generator], Array], rng: np.random.Generator, seeds: int
) -> Array:
    return np.array([learn(stream) for stream in rng.spawn(seeds)])


def _stage_twins(rng: np.random.Generator, seeds: int, full: bool) -> Iterator[Twin]:
    """V_1 of the first state; by default the quick learners take more steps than the slow."""
    pennies, zero, team = pennies_until_equal(GAMMA), zero_sum_game(), team_game()
    best, shapley = joint_optimum(team)[0], shapley_iteration(zero).value[0]
    even = 1 / (2 - GAMMA)
    cases: list[tuple[str, Callable[..., Any], MarkovGame, float, int, int]] = [
        ("minimax-Q, pennies until equal", minimax_q, pennies, even, 400, 4000),
        ("minimax-Q, three states", minimax_q, zero, shapley, 800, 8000),
        ("foe-Q, three states", _foe_q, zero, shapley, 400, 8000),
        ("friend-Q, team", _friend_q, team, best, 600, 4000),
        ("Nash-Q, team", nash_q, team, best, 120, 2000),
        ("Nash-Q, pennies until equal", nash_q, pennies, even, 0, 2000),
        ("correlated-Q, team", correlated_q, team, best, 0, 1000),
    ]
    for name, learn, game, exact, few, many in cases:
        steps = many if full else few
        if steps == 0:
            continue
        found = _over_seeds(lambda r: learn(game, r, steps).values[0, 0], rng, seeds)  # noqa: B023
        size = float(np.abs(game.reward).max()) / (1 - game.gamma)
        yield Twin(name, float(exact), found, _bias(game, steps) * size, size)


def _bias(game: MarkovGame, steps: int) -> float:
    """exp(-(1 - γ) Σ α) for a pair tried half as often as the average one, α = k^-0.8."""
    visits = np.arange(1, max(2, steps // (2 * game.reward[0].size)))
    return float(np.exp(-(1 - game.gamma) * (visits**-0.8).sum()))


def _foe_q(game: MarkovGame, rng: np.random.Generator, steps: int) -> Any:
    return friend_or_foe_q(game, rng, steps, FOES)


def _friend_q(game: MarkovGame, rng: np.random.Generator, steps: int) -> Any:
    return friend_or_foe_q(game, rng, steps, FRIENDS)


def _independent(rng: np.random.Generator, seeds: int) -> Iterator[Twin]:
    """Everybody explores for ever: each player faces one decision process, and learns it."""
    cfg = WolfConfig(
        steps=60_000, alpha=0.5, alpha_half=200, delta_win=0.0, delta_lose=None,
        explore=1.0, restart=0.1,
    )  # fmt: skip
    game = random_markov_game(np.random.default_rng(8), 3, (2, 2), GAMMA)
    learnt = wolf_phc.learn(game, cfg, rng, seeds)
    for i in range(2):
        exact = solve_mdp(induced_mdp(game, game.uniform(), i)).values[0]
        found = learnt.q[i][:, 0].max(axis=1)
        name = f"independent Q, player {i + 1}, three states"
        yield Twin(name, float(exact), found, float(found.std(ddof=1)), 9.0 / (1 - GAMMA))


def _repeated(rng: np.random.Generator, seeds: int) -> Iterator[Twin]:
    """The climbing game, all exploring: what player 1 thinks of its first action."""
    row, size = CLIMBING.payoffs[0, 0], 30.0
    for name, beta, leniency, ratio in (
        ("independent Q, climbing", None, 0.0, 1.0),
        ("hysteretic (β = α/5), climbing", 0.002, 0.0, 0.2),
        ("lenient (l = 4/5), climbing", None, 0.8, 0.2),
    ):
        cfg = IndependentConfig(beta=beta, leniency=leniency, **EVENLY)
        found = independent_q.learn(CLIMBING, cfg, rng, seeds).q[0][:, 0]
        yield Twin(name, expectile(row, ratio), found, 0.0, size)
    cfg_joint = JointConfig(**EVENLY | {"alpha": 0.1})
    found = joint_action_q.learn(CLIMBING, cfg_joint, rng, seeds).values[0][:, 0]
    yield Twin("joint-action learner, climbing", float(row.mean()), found, 0.0, size)


def greedy_in_pennies(rng: np.random.Generator, runs: int) -> tuple[float, float]:
    """(least NashConv of the greedy profiles, share of runs that still change).

    Independent Q-learners take pure actions, and no pure profile of matching pennies is an
    equilibrium. Runs of 4000 and of 5000 rounds from the same numbers are compared.
    """
    game: NormalForm = library.game("matching-pennies")
    state = rng.spawn(1)[0].bit_generator.random_raw()
    ends = [
        independent_q.learn(
            game, IndependentConfig(steps=steps), np.random.default_rng(state), runs
        ).greedy
        for steps in (4000, 5000)
    ]
    conv = min(float(nash_conv(game, game.pure(a.tolist()))) for a in ends[1])
    return conv, float((ends[0] != ends[1]).any(axis=1).mean())
