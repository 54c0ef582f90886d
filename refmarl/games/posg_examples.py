"""Partially observed games of common interest (Dec-POMDPs): from the literature, and random.

γ matters for play without end alone; over a finite horizon these problems are usually undiscounted.
"""

from itertools import product
from typing import Any

import numpy as np

from .. import check
from ..check import Array, InputError
from . import markov_examples
from .markov import MarkovGame
from .posg import POSG


def dec_tiger(gamma: float = 0.9) -> POSG:
    """Two agents before two doors, a tiger behind one (Nair et al. 2003).

    States: tiger left, tiger right, evenly at first. Actions: listen, open left, open right. While
    both listen the tiger stays, and each hears it on the right side with probability 0.85; after a
    door is opened it is placed anew and signals mean nothing. Listening costs each 1. A door
    opened alone pays 10 or, with the tiger, -100 (less 1 for the other's listening); opened
    together 20 or -50; different doors -100.
    """
    moves, seen = np.full((2, 3, 3, 2), 0.5), np.full((2, 3, 3, 2), 0.5)
    moves[:, 0, 0] = np.eye(2)
    seen[:, 0, 0] = [[0.85, 0.15], [0.15, 0.85]]
    pay = np.full((2, 3, 3), -100.0)  # different doors
    pay[:, 0, 0] = -2.0
    for tiger, door in product(range(2), range(2)):
        bad = tiger == door
        pay[tiger, door + 1, door + 1] = -50.0 if bad else 20.0
        pay[tiger, 0, door + 1] = pay[tiger, door + 1, 0] = -101.0 if bad else 9.0
    states = ("tiger left", "tiger right")
    game = MarkovGame(moves, np.stack([pay, pay]), gamma, title="Dec-Tiger", states=states)
    return POSG.independent(game, [seen, seen])


def broadcast_channel(gamma: float = 0.9) -> POSG:
    """Two stations share a channel that carries one message at a time (Hansen et al. 2004).

    State: whether each station has a message, 2 m_1 + m_2; both have at first. Actions: wait,
    send. A message sent alone pays 1. Who sends empties its buffer, even if both do, and nothing
    arrives; an empty buffer is filled in the next round with probability 0.9 and 0.1. Each station
    notices, rightly with probability 0.9, whether two messages collided (observation 1).
    """
    arrivals = (0.9, 0.1)
    moves, pay = np.zeros((4, 2, 2, 4)), np.zeros((4, 2, 2))
    seen: Array = np.full((4, 2, 2, 2), [0.9, 0.1])
    seen[:, 1, 1] = [0.1, 0.9]
    for full, a in product(product(range(2), repeat=2), repeat=2):
        now = 2 * full[0] + full[1]
        keeps = [full[i] and not a[i] for i in range(2)]
        one, two = ([0.0, 1.0] if keeps[i] else [1 - arrivals[i], arrivals[i]] for i in range(2))
        moves[now, a[0], a[1]] = np.outer(one, two).ravel()
        pay[now, a[0], a[1]] = float(sum(a) == 1 and full[a.index(1)])
    states = ("none", "second", "first", "both")
    game = MarkovGame(
        moves,
        np.stack([pay, pay]),
        gamma,
        initial=[0, 0, 0, 1],
        title="Broadcast channel",
        states=states,
    )
    return POSG.independent(game, [seen, seen])


def recycling_robots(gamma: float = 0.9) -> POSG:
    """Two robots collect cans, and see their own batteries only (Amato et al. 2007).

    State: 2 l_1 + l_2, l_i = 1 if robot i's battery is low; none is at first. Actions: recharge,
    search a little can, search the big can. A little can pays 2, the big one 5 if both search it.
    A battery that was high is low afterwards with probability 0.3 (little) or 0.5 (big). A low one
    fails with probability 0.2 or 0.3: then nobody gains anything, every robot that failed costs
    10 and returns with a high battery. Recharging makes it high.
    """
    drained, failing = (0.0, 0.3, 0.5), (0.0, 0.2, 0.3)
    moves, pay = np.zeros((4, 3, 3, 4)), np.zeros((4, 3, 3))
    for low, a in product(product(range(2), repeat=2), product(range(3), repeat=2)):
        fails = [failing[a[i]] * low[i] for i in range(2)]
        empty = [0.0 if a[i] == 0 else 1 - fails[i] if low[i] else drained[a[i]] for i in range(2)]
        one, two = ([1 - p, p] for p in empty)
        gain = 5.0 if a == (2, 2) else 2.0 * a.count(1)
        now = 2 * low[0] + low[1]
        moves[now, a[0], a[1]] = np.outer(one, two).ravel()
        pay[now, a[0], a[1]] = gain * (1 - fails[0]) * (1 - fails[1]) - 10 * sum(fails)
    states = ("both high", "second low", "first low", "both low")
    game = MarkovGame(
        moves,
        np.stack([pay, pay]),
        gamma,
        initial=[1, 0, 0, 0],
        title="Recycling robots",
        states=states,
    )
    bits = np.array([[s // 2, s % 2] for s in range(4)])
    shown = [np.broadcast_to(np.eye(2)[bits[:, i], None, None], (4, 3, 3, 2)) for i in range(2)]
    return POSG.independent(game, shown)


def switch_riddle(gamma: float = 0.9, prisoners: int = 3) -> POSG:
    """A hundred prisoners and one light, with 2 to 4 of them (Foerster et al. 2016).

    Every day one prisoner, any of them alike, is led into a room with a light that only who is
    there sees. He leaves it off (action 0) or on (1), or tells (2) that all have been there: then
    it is over, and all are paid 1 if that is so and -1 if not. The others' actions count for
    nothing. A prisoner sees that he is not in the room (0), or the light off (1) or on (2). On the
    day before the first nobody is there, and the light is off.

    Nobody can tell before all have been there: over T rounds the return is at most the probability
    that T - 1 days are enough. Three prisoners reach that: the light means that two have been in.
    """
    n = check.positive(prisoners, "prisoners", 4)
    if n < 2:
        raise InputError("prisoners: need 2 to 4, got 1")
    nodes = [(w, on, been) for w, on in product(range(n), range(2)) for been in range(1, 2**n)]
    nodes = [node for node in nodes if node[2] >> node[0] & 1]
    number, start, end = {node: k for k, node in enumerate(nodes)}, len(nodes), len(nodes) + 1
    moves, pay = np.zeros((end + 1, *(3,) * n, end + 1)), np.zeros((end + 1, *(3,) * n))
    moves[end, ..., end] = 1.0
    for w in range(n):
        moves[start, ..., number[w, 0, 1 << w]] = 1.0 / n
    for k, (w, _, been) in enumerate(nodes):
        for act in range(3):
            own: tuple[Any, ...] = (k, *(act if i == w else slice(None) for i in range(n)))
            if act == 2:
                moves[(*own, end)] = 1.0
                pay[own] = 1.0 if been == 2**n - 1 else -1.0
                continue
            for after in range(n):
                moves[(*own, number[after, act, been | 1 << after])] = 1.0 / n
    seen = np.zeros((n, end + 1, 3))
    seen[..., 0] = 1.0
    for k, (w, on, _) in enumerate(nodes):
        seen[w, k] = np.eye(3)[1 + on]
    states = (
        *(f"{w + 1} in, light {'on' if on else 'off'}" for w, on, _ in nodes),
        "before",
        "over",
    )
    first = np.eye(end + 1)[start]
    reward = np.stack([pay] * n)
    game = MarkovGame(moves, reward, gamma, first, "Switch riddle", states)
    shown = (end + 1, *(3,) * n, 3)
    return POSG.independent(
        game, [np.broadcast_to(s.reshape(end + 1, *(1,) * n, 3), shown) for s in seen]
    )


def tiny_hanabi(gamma: float = 0.9) -> POSG:
    """Two cards, and actions that are seen: the matrix game of Foerster et al. 2019.

    Each of two players is dealt one of two cards and sees only that. Then player 1 chooses one of
    three actions, which player 2 sees, then player 2 one of three; both are paid by cards and
    actions, 10 at most. Action 2 is safe and says nothing; who plays 3 with the first card and 1
    with the second tells the other the card, and 10 is sure. (Table as in OpenSpiel's game of this
    name.) The first round is the deal, in which actions count for nothing; in the second player 1
    acts, in the third player 2.

    Observations: the own card (0, 1), then player 1's action (0, 1, 2), then nothing (0).
    """
    pay = np.zeros((2, 2, 3, 3))
    pay[:, :, 1] = [4.0, 8.0, 4.0]
    for own, other in product(range(2), repeat=2):
        told = 0 if own == other else 2  # what player 2 should do
        pay[own, other, 0, told] = 10.0
        pay[own, other, 2, told] = 0.0 if (own, other) == (1, 0) else 10.0
    deal, after = 0, 17  # then cards 1 + 2c₁ + c₂, then cards and action 5 + 3(2c₁ + c₂) + a
    moves, reward = np.zeros((18, 3, 3, 18)), np.zeros((18, 3, 3))
    seen = [np.zeros((18, 3, 3, 3)) for _ in range(2)]
    for shown in seen:
        shown[..., 0] = 1.0
    moves[deal, ..., 1:5] = 0.25
    moves[after, ..., after] = 1.0
    for own, other in product(range(2), repeat=2):
        cards = 2 * own + other
        seen[0][1 + cards], seen[1][1 + cards] = np.eye(3)[own], np.eye(3)[other]
        for a in range(3):
            told = 5 + 3 * cards + a
            moves[1 + cards, a, :, told] = 1.0
            seen[0][told] = seen[1][told] = np.eye(3)[a]
            moves[told, ..., after] = 1.0
            reward[told] = pay[own, other, a]
    states = tuple(
        ["deal", *(f"cards {c // 2 + 1}, {c % 2 + 1}" for c in range(4))]
        + [f"cards {c // 2 + 1}, {c % 2 + 1}, action {a + 1}" for c in range(4) for a in range(3)]
        + ["over"]
    )
    first = np.eye(18)[deal]
    game = MarkovGame(moves, np.stack([reward] * 2), gamma, first, "Tiny Hanabi", states)
    return POSG.independent(game, seen)


def team_game(
    gamma: float = 0.9, seed: int = 0, n: int = 2, m: int = 2, states: int = 3, signals: int = 2
) -> POSG:
    """A random team: :func:`~refmarl.games.markov_examples.team_game`, and signals of their own.

    Each of the n players has ``signals`` observations; their joint distribution after each state
    and joint action is drawn from a Dirichlet distribution of concentration 1/2.

    Examples
    --------
    >>> from refmarl.games.dec_pomdp import centralised_value, solve_dec_pomdp
    >>> team = team_game(seed=3)
    >>> solve_dec_pomdp(team, 3).value <= centralised_value(team, 3)
    True
    """
    game, count = (
        markov_examples.team_game(gamma, seed, n, m, states),
        check.positive(signals, "signals"),
    )
    check.size_cap((states, *(m,) * n, *(count,) * n), "observation")
    weights = check.seeded(seed).spawn(1)[0].standard_gamma(0.5, (states, *(m,) * n, count**n))
    weights += 1e-9  # they might all underflow
    rows = weights / weights.sum(axis=-1, keepdims=True)
    return POSG(game, rows.reshape(states, *(m,) * n, *(count,) * n))
