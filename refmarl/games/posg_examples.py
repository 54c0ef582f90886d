"""Partially observed games from the literature, all of common interest (Dec-POMDPs).

γ matters for play without end alone; over a finite horizon these problems are usually undiscounted.
"""

from itertools import product

import numpy as np

from ..check import Array
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
