"""What a learnt joint policy is worth exactly, where a game can be enumerated.

Small environments have a twin in tables: a Markov game (``twin``), or a partially observed one
(``posg``). There the policy becomes a table, too: in every state, or after every history of own
observations, what does each agent do? Values, best responses and the optimum then follow without
playing, whatever learnt the policy. Of cards every deal is played (``deals``), and the optimum is
the environment's own (``optimum``).

A best response sees what is in the twin's state (or, in a partially observed game, all that the
agent has seen and done) and may count the rounds. Returns are undiscounted over the environment's
horizon, as evaluation measures them; without a horizon they are discounted with the learner's γ.
"""

from contextlib import suppress
from typing import Any, NamedTuple

import numpy as np

from ..check import Array, InputError
from ..env_api import Discrete, Env, take
from ..games.dec_pomdp import Strategy, centralised_value, solve_dec_pomdp
from ..games.finite_horizon import finite_optimum, finite_regrets, finite_value
from ..games.induced import policy_regrets
from ..games.markov import MarkovGame, evaluate
from ..games.mdp import MDP, solve_mdp
from ..games.posg import POSG
from ..games.posg_policies import posg_regrets, posg_value
from ..rollout import Arrays, Policy
from ..value_grad import Real
from .evaluate import play_from, play_out, seeing

DRAWS = 2000  # from each distribution of a policy that is asked for its probabilities
MAX_HISTORIES = 20_000  # of one round
EXACT_ROUNDS = 4  # of Dec-POMDPs; more may take for ever


class Certificate(NamedTuple):
    """Exact values of a joint policy; the mean over agents is what evaluation calls return."""

    values: Array  # (n,), expected return of each agent
    regrets: Array | None  # (n,), what its best response would gain, ≥ 0; None if too many plays
    best: float  # mean over agents: no joint policy earns more
    reached: bool  # whether some joint policy earns it: an optimum, not only a bound
    gamma: float  # 1 over a horizon
    unseen: float  # probability of actions that were never drawn, at most: 0 for greedy policies

    @property
    def nash_conv(self) -> float | None:
        """The sum of the regrets: 0 at equilibria."""
        return None if self.regrets is None else float(self.regrets.sum())


def certify(env: Env, policy: Policy, greedy: bool, gamma: float = 0.99) -> Certificate:
    """Values, regrets and the optimum of a policy in an environment that has a twin.

    Parameters
    ----------
    env : Env
    policy : of memory or without, as evaluation takes it
    greedy : bool
        Whether it always does the same in the same situation; if not, it is asked for the
        probabilities of ``DRAWS`` actions in each.
    gamma : float in [0, 1)
        Where there is no horizon.

    Raises
    ------
    InputError
        If it cannot be done; the message says why.
    """
    if hasattr(env, "deals"):
        return _dealt(env, policy, greedy)
    posg = getattr(env, "posg", None)
    if not isinstance(posg, POSG) and not hasattr(env, "twin_copies"):
        raise InputError(f"{env.name}: no certificate: its states cannot be listed")
    if not all(isinstance(group.space, Discrete) for group in env.groups):
        raise InputError(f"{env.name}: no certificate: its actions cannot be listed")
    if isinstance(posg, POSG):
        return _partial(env, posg, policy, greedy)
    return _markov(env, policy, greedy, gamma)


def best_return(env: Env) -> tuple[float, bool] | None:
    """(the largest return of any joint policy, True), (a bound of it, False), or None if unknown.

    Mean over agents, undiscounted over the horizon; for environments that can be enumerated.
    """
    posg = getattr(env, "posg", None)
    if isinstance(posg, POSG):
        return _best(posg, env.horizon)
    if hasattr(env, "twin_copies") and env.horizon:
        return finite_optimum(env.twin(), env.horizon), True  # type: ignore[attr-defined]
    best = env.optimum() if hasattr(env, "optimum") else None
    return None if best is None else (best, True)


def ceiling(env: Env, rng: np.random.Generator, episodes: int) -> float | None:
    """What no joint policy exceeds on average over these first states; None if nobody knows.

    ``rng`` must stand where it stood for the evaluation: the first states are the same then.
    """
    known = getattr(env, "ceiling", None)
    return None if known is None else float(np.mean(known(env.reset(rng, episodes))))


def scripted(env: Env, rng: np.random.Generator, episodes: int) -> float | None:
    """What the environment's ``heuristic``, which sees all, returns; None if it has none.

    Mean over agents and episodes, from the same first states where ``rng`` stands the same.
    """
    if (heuristic := getattr(env, "heuristic", None)) is None:
        return None
    played = play_out(env, lambda state, memory: (heuristic(state), memory), rng, episodes)
    return float(played.team.mean())


# -- games of cards ---------------------------------------------------------------------


def _dealt(env: Any, policy: Policy, greedy: bool) -> Certificate:
    """All deals, each played once: chance is in them alone, if the policy draws nothing."""
    if not greedy:
        raise InputError(f"{env.name}: no certificate: the policy draws its actions")
    known, best = env.deals(), best_return(env)
    if known is None or best is None:
        raise InputError(f"{env.name}: no certificate: too many orders of the deck")
    state, weights = known
    values = weights @ play_from(env, seeing(env, policy), state).returns
    return Certificate(values, None, *best, 1.0, 0.0)


# -- games in which everybody sees the state --------------------------------------------


def _markov(env: Any, policy: Policy, greedy: bool, gamma: float) -> Certificate:
    game: MarkovGame = env.twin(gamma)
    found, unseen, memory = _asked(env, env.twin_copies(), policy, greedy, ())
    if memory:
        raise InputError(f"{env.name}: no certificate: the policy remembers what came before")
    if env.horizon:
        values = finite_value(game, found, env.horizon)
        regrets = finite_regrets(game, found, env.horizon)
        return Certificate(values, regrets, finite_optimum(game, env.horizon), True, 1.0, unseen)
    values = evaluate(game, found) @ game.initial
    best = float(solve_mdp(_team(game)).values @ game.initial)
    return Certificate(values, policy_regrets(game, found), best, True, game.gamma, unseen)


def _team(game: MarkovGame) -> MDP:
    """All players as one, paid the mean."""
    size = game.num_states
    moves = game.transition.reshape(size, -1, size)
    return MDP(moves, game.reward.mean(axis=0).reshape(size, -1), game.gamma)


# -- games in which nobody does ---------------------------------------------------------


def _partial(env: Any, posg: POSG, policy: Policy, greedy: bool) -> Certificate:
    strategies, unseen = _strategies(env, posg, policy, greedy)
    try:
        values = posg_value(posg, strategies)
    except InputError as error:
        raise InputError(f"{env.name}: no certificate: {error}") from None
    regrets = None
    with suppress(InputError):  # of who deviates every history counts
        regrets = posg_regrets(posg, strategies)
    best, reached = _best(posg, env.horizon)
    return Certificate(values, regrets, best, reached, 1.0, unseen)


def _strategies(
    env: Any, posg: POSG, policy: Policy, greedy: bool
) -> tuple[tuple[Strategy, ...], float]:
    """(one table (O_i^t, A_i) a round for every player, probability that was never drawn)."""
    signals = posg.num_observations
    size = max(signals)
    if size ** (env.horizon - 1) > MAX_HISTORIES:
        raise InputError(f"{env.name}: no certificate: {size}^{env.horizon - 1} histories")
    rounds: list[tuple[Array, ...]] = []
    memory: Arrays = ()
    unseen = 0.0
    for t in range(env.horizon):
        tables, missed, memory = _asked(env, env.in_histories(t), policy, greedy, memory)
        if memory and len(set(signals)) > 1:
            raise InputError(f"{env.name}: no certificate: memories of agents who see differently")
        pairs = zip(tables, signals, strict=True)
        rounds.append(tuple(rows[: o**t] for rows, o in pairs))
        memory = tuple(np.repeat(m, size, axis=0) for m in memory)
        unseen = max(unseen, missed)
    return tuple(zip(*rounds, strict=True)), unseen


def _best(posg: POSG, rounds: int) -> tuple[float, bool]:
    """(the team's optimum, True), or (what it would be with observations shared, False)."""
    bound = finite_optimum(posg.game, rounds)
    if not (posg.game.reward == posg.game.reward[0]).all():
        return bound, False
    if rounds <= EXACT_ROUNDS:
        with suppress(InputError):  # too many rules
            return solve_dec_pomdp(posg, rounds).value, True
    with suppress(InputError):  # too many histories
        bound = min(bound, centralised_value(posg, rounds))
    return bound, False


# -- tables -----------------------------------------------------------------------------


def _asked(
    env: Env, state: Any, policy: Policy, greedy: bool, memory: Arrays
) -> tuple[tuple[Array, ...], float, Arrays]:
    """(π_i (K, A_i) of every agent in these K copies, probability never drawn, memory')."""
    size, draws = len(state.t), 1 if greedy else DRAWS
    copies = np.repeat(np.arange(size), draws)
    asked = take(state, copies)
    act = policy(env.observe(asked), env.mask(asked), tuple(m[copies] for m in memory))
    tables, missed = [], 0.0
    for group, action, log_prob in zip(env.groups, act.action, act.log_prob, strict=True):
        for k in range(len(group.agents)):
            assert isinstance(group.space, Discrete)
            rows = np.zeros((size, group.space.n))
            rows[copies, action[:, k]] = 1.0 if greedy else np.exp(log_prob[:, k])
            if not np.isfinite(rows).all():
                raise InputError(f"{env.name}: no certificate: the policy tells no probabilities")
            missed = max(missed, float(1.0 - rows.sum(axis=1).min()))
            tables.append(_filled(rows))
    return tuple(tables), max(missed, 0.0), tuple(m[::draws] for m in act.memory)


def _filled(rows: Real) -> Array:
    """Rows that sum to 1: what is missing is shared by the actions that were not drawn."""
    missing, none = np.maximum(1.0 - rows.sum(axis=1, keepdims=True), 0.0), rows == 0.0
    count = np.maximum(none.sum(axis=1, keepdims=True), 1)
    full = rows + np.where(none, missing / count, 0.0)
    found: Array = np.asarray(full / full.sum(axis=1, keepdims=True), dtype=np.float64)
    return found
