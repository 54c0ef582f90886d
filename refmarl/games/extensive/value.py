"""What behaviour strategies are worth, and how far from equilibrium they are  [+].

    u(x) = Σ_leaves w(l) r_1(s_1(l)) r_2(s_2(l))
    g_i(s) = Σ of what the leaves and the own decisions after s are worth to i, given x_-i
    best response: at each own information set, from the last to the first, the best of g_i

All is exact, one pass over the leaves and one over the information sets. As in a game in normal
form, NashConv is the sum of what both players' best responses would gain, and here equals what the
two best responses are worth; exploitability is half of it.

Axes: S sequences, L leaves, P_i pure plans of player i.
"""

from itertools import product
from typing import Any, NamedTuple

import numpy as np

from ... import check
from ...check import Array
from ...kernels._jit import kernel
from ..normal_form import NormalForm
from .tree import ExtensiveGame, Ints


class Response(NamedTuple):
    """A best response to the other player's part of a strategy."""

    value: float  # to the player who responds
    strategy: Array  # (S,) pure at the responder's sets, as given at the other's


def expected_value(game: ExtensiveGame, x: Any) -> float:
    """u(x), what player 0 receives on average; player 1 receives the negative.

    Examples
    --------
    >>> from refmarl.games.extensive import kuhn
    >>> round(expected_value(kuhn(), kuhn().uniform()), 12)
    0.125
    """
    plan = realisation(game, game.strategy(x))
    return float((game.weight * plan[game.last[0]] * plan[game.last[1]]).sum())


def best_response(game: ExtensiveGame, x: Any, player: int) -> Response:
    """The best that ``player`` can do against the other's part of ``x``; exact.

    Where several actions are equally good the first is taken.

    Examples
    --------
    >>> from refmarl.games.extensive import kuhn
    >>> game = kuhn()
    >>> [round(best_response(game, game.uniform(), i).value, 9) for i in (0, 1)]
    [0.5, 0.416666667]
    """
    strategy, i = game.strategy(x), check.player(player, 2)
    plan, gain = realisation(game, strategy), np.empty(game.num_sequences + 1)
    gains(game.last, game.weight, plan, i, gain)
    respond(game.owner, game.offset, game.parent, i, gain, strategy)
    return Response(float(gain[-1]), strategy)


def nash_conv(game: ExtensiveGame, x: Any) -> float:
    """What both best responses to ``x`` are worth together: 0 at an equilibrium and only there.

    Examples
    --------
    >>> from refmarl.games.extensive import kuhn
    >>> round(nash_conv(kuhn(), kuhn().uniform()) * 12, 9)
    11.0
    """
    return sum(best_response(game, x, i).value for i in range(2))


def exploitability(game: ExtensiveGame, x: Any) -> float:
    """NashConv / 2: what a best response earns when seats are drawn at random."""
    return nash_conv(game, x) / 2


def realisation(game: ExtensiveGame, strategy: Array) -> Array:
    """r (S + 1,) of both players, for a strategy that is already checked."""
    plan = np.empty(game.num_sequences + 1)
    reach(game.offset, game.parent, strategy, plan)
    return plan


def plans(game: ExtensiveGame, player: int) -> Array:
    """All pure plans (P, S + 1) of a player: 1 at the sequences that they play, else 0.

    A plan says nothing of sets that it never reaches (reduced plans). The other player's entries
    are 0.

    Raises
    ------
    InputError
        If there are more than fit under the cap on payoffs.
    """
    i, size = check.player(player, 2), game.num_sequences
    below: dict[int, list[int]] = {s: [] for s in range(size + 1)}
    for k in np.flatnonzero(game.owner == i).tolist():
        below[int(game.parent[k])].append(k)
    found: dict[int, list[tuple[int, ...]]] = {}
    for s in [*range(size - 1, -1, -1), size]:  # what follows s is done before s
        options = [
            [(t, *rest) for t in range(game.offset[k], game.offset[k + 1]) for rest in found[t]]
            for k in below[s]
        ]
        check.size_cap((size, *(len(o) for o in options)), f"pure plans of player {i}")
        found[s] = [tuple(t for part in parts for t in part) for parts in product(*options)]
    table = np.zeros((len(found[size]), size + 1))
    table[:, size] = 1.0
    for row, chosen in zip(table, found[size], strict=True):
        row[list(chosen)] = 1.0
    return table


def to_normal_form(game: ExtensiveGame) -> NormalForm:
    """The zero-sum game of both players' pure (reduced) plans.

    Raises
    ------
    InputError
        If the plans or the payoffs are more than the cap allows.

    Examples
    --------
    >>> from refmarl.games.extensive import kuhn
    >>> to_normal_form(kuhn()).num_actions
    (27, 64)
    """
    first, second = plans(game, 0), plans(game, 1)
    for table in (first, second):
        check.size_cap((len(table), len(game.weight)), "plans at the leaves")
    check.size_cap((2, len(first), len(second)), "payoffs")
    payoffs = (first[:, game.last[0]] * game.weight) @ second[:, game.last[1]].T
    names = tuple(tuple(_plan_name(game, row) for row in table) for table in (first, second))
    return NormalForm.zero_sum(payoffs, title=game.title, actions=names)


def _plan_name(game: ExtensiveGame, plan: Array) -> str:
    """Such as "J:p Q:b Jpb:p"."""
    labels = [
        f"{n}:{a}" for n, names in zip(game.information, game.actions, strict=True) for a in names
    ]
    return " ".join(labels[s] for s in np.flatnonzero(plan[:-1])) or "–"


@kernel
def reach(offset: Ints, parent: Ints, x: Array, plan: Array) -> None:
    """Write r(s) of both players into ``plan`` (S + 1,), the empty sequence last."""
    plan[len(plan) - 1] = 1.0
    for k in range(len(parent)):
        for s in range(offset[k], offset[k + 1]):
            plan[s] = plan[parent[k]] * x[s]


@kernel
def gains(last: Ints, weight: Array, plan: Array, player: int, gain: Array) -> None:
    """Write into ``gain`` (S + 1,) what the leaves right after each sequence are worth."""
    sign = 1.0 if player == 0 else -1.0
    for s in range(len(gain)):
        gain[s] = 0.0
    for leaf in range(len(weight)):
        gain[last[player, leaf]] += sign * weight[leaf] * plan[last[1 - player, leaf]]


@kernel
def respond(owner: Ints, offset: Ints, parent: Ints, player: int, gain: Array, x: Array) -> None:
    """Best actions into ``x``, from the last set to the first; ``gain`` [S] becomes the value."""
    for k in range(len(owner) - 1, -1, -1):
        if owner[k] == player:
            best = offset[k]
            for s in range(offset[k], offset[k + 1]):
                x[s] = 0.0
                if gain[s] > gain[best]:
                    best = s
            x[best] = 1.0
            gain[parent[k]] += gain[best]
