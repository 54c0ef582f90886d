"""Commons, in a few states: a stock that is harvested, a river that is polluted.

What is left of Harvest and Cleanup (Perolat et al. 2017; Hughes et al. 2018) without the grid:
who is where does not matter, only how much there is, and what everybody does about it.
"""

from collections.abc import Iterator

from ... import check
from ...check import InputError
from ..markov import MarkovGame
from ..sparse import Outcome, tabulate


def harvest(n: int = 2, capacity: int = 4, growth: float = 0.5, gamma: float = 0.9) -> MarkovGame:
    """n players take an apple each, or wait; what is left grows, but nothing grows from nothing.

    The state is the stock, 0 to ``capacity``. If more want an apple than there are, those there
    are go to everybody who wants one with the same probability. Of the stock k that is left one
    more grows with probability ``growth`` · k/``capacity``, while k < ``capacity``.

    Raises
    ------
    InputError
        If n or the capacity is not positive, or the growth is not in [0, 1].

    Examples
    --------
    >>> game = harvest()
    >>> print(game.reward[0, 1], game.transition[4, 0, 1])  # take, wait
    [[0.5 1. ]
     [0.  0. ]] [0.    0.    0.    0.625 0.375]
    """
    n, top = check.positive(n, "n", 8), check.positive(capacity, "capacity", 100)
    growth = _share(growth, "growth")

    def rules(stock: int, actions: tuple[int, ...]) -> Iterator[Outcome]:
        takers = actions.count(0)
        taken = min(takers, stock)
        pays = [taken / takers if a == 0 else 0.0 for a in actions]
        left = stock - taken
        grows = growth * left / top if left < top else 0.0
        yield Outcome(1.0 - grows, left, pays)
        if grows > 0.0:
            yield Outcome(grows, left + 1, pays)

    states = list(range(top + 1))
    start = [float(k == top) for k in states]
    return tabulate(states, (2,) * n, rules, gamma, n, initial=start, title="Harvest").dense()


def cleanup(n: int = 2, levels: int = 3, waste: float = 0.75, gamma: float = 0.9) -> MarkovGame:
    """n players clean the river, or harvest where it is clean.

    The state is the pollution, 0 to ``levels``. Who harvests gets 1 - pollution/``levels``, who
    cleans nothing; each of them takes away one unit, and with probability ``waste`` one is added.

    Raises
    ------
    InputError
        If n or the levels are not positive, or the waste is not in [0, 1].

    Examples
    --------
    >>> game = cleanup()
    >>> print(game.reward[0, 0], game.transition[3, 0, 1])  # clean, harvest
    [[0. 0.]
     [1. 1.]] [0.   0.   0.25 0.75]
    """
    n, top = check.positive(n, "n", 8), check.positive(levels, "levels", 100)
    waste = _share(waste, "waste")

    def rules(dirt: int, actions: tuple[int, ...]) -> Iterator[Outcome]:
        pays = [0.0 if a == 0 else 1.0 - dirt / top for a in actions]
        left = max(dirt - actions.count(0), 0)
        yield Outcome(1.0 - waste, left, pays)
        yield Outcome(waste, min(left + 1, top), pays)

    return tabulate(
        list(range(top + 1)), (2,) * n, rules, gamma, n,
        initial=[1.0] + [0.0] * top, title="Cleanup",
    ).dense()  # fmt: skip


def _share(value: float, name: str) -> float:
    """A number in [0, 1]."""
    found = float(check.real_array(value, name, 0))
    if not 0.0 <= found <= 1.0:
        raise InputError(f"{name}: need a probability, got {found:g}")
    return found
