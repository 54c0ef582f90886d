"""What the library says of a game, and the register of the games."""

import difflib
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

import numpy as np

from ...check import Array, InputError, Profile
from .._parameters import count as count
from .._parameters import joint_actions as joint_actions
from .._parameters import number as number
from ..normal_form import NormalForm

ExactProfile = tuple[tuple[Fraction, ...], ...]


@dataclass(frozen=True, eq=False, kw_only=True)
class Entry:
    """A named game with what has been published about it.

    ``equilibria`` holds every pure equilibrium, unless it is empty. Where ``complete``, it holds
    all equilibria; of a degenerate game, which has infinitely many, the extreme ones. The
    probabilities are exact wherever they are rational.
    """

    game: NormalForm
    equilibria: tuple[ExactProfile, ...]
    complete: bool
    source: str
    value: Fraction | None = None  # of a zero-sum game, to the first player
    notes: str = ""
    name: str = ""
    parameters: Mapping[str, float] = field(default_factory=dict)

    @property
    def profiles(self) -> tuple[Profile, ...]:
        """The equilibria as float64 arrays, for the functions of :mod:`refmarl.games`."""
        return tuple(
            tuple(np.array([float(p) for p in x]) for x in profile) for profile in self.equilibria
        )


_BUILDERS: dict[str, Callable[..., Entry]] = {}


def register(name: str) -> Callable[[Callable[..., Entry]], Callable[..., Entry]]:
    """Enter the function that builds a game; its arguments, all with defaults, are parameters."""

    def enter(builder: Callable[..., Entry]) -> Callable[..., Entry]:
        _BUILDERS[name] = builder
        return builder

    return enter


def names() -> tuple[str, ...]:
    """The names of all games, in alphabetic order."""
    return tuple(sorted(_BUILDERS))


def parameters(name: str) -> dict[str, float]:
    """The parameters of a game with their defaults; empty for most games.

    Examples
    --------
    >>> parameters("penalty")
    {'k': -100}
    """
    signature = inspect.signature(_BUILDERS[_known(name)])
    return {key: p.default for key, p in signature.parameters.items()}


def entry(name: str, **values: float) -> Entry:
    """The game called ``name`` with its published equilibria.

    Raises
    ------
    InputError
        If no game or no parameter is so called, or a parameter is out of range.

    Examples
    --------
    >>> found = entry("oneill")
    >>> found.value, found.complete
    (Fraction(-1, 5), True)
    """
    known = parameters(name)
    for key in values:
        if key not in known:
            has = f"its parameters are {', '.join(known)}" if known else "it has none"
            raise InputError(f"{name}: no parameter {key!r}; {has}")
    used = known | values
    return replace(_BUILDERS[name](**used), name=name, parameters=used)


def game(name: str, **values: float) -> NormalForm:
    """The game called ``name``; arguments and errors as those of :func:`entry`.

    Examples
    --------
    >>> print(game("penalty", k=-30).payoffs[0])
    [[ 10.   0. -30.]
     [  0.   2.   0.]
     [-30.   0.  10.]]
    """
    return entry(name, **values).game


def _known(name: str) -> str:
    """``name`` if a game is so called."""
    if name not in _BUILDERS:
        near = difflib.get_close_matches(str(name), _BUILDERS, n=1, cutoff=0.0)[0]
        raise InputError(f"no game is called {name!r}; the nearest name is {near!r}")
    return name


# -- for the builders ---------------------------------------------------------------


def exact(text: str) -> ExactProfile:
    """A profile written as ``"4/5 1/5 0 | 2/3 1/3"``: players between bars."""
    return tuple(tuple(Fraction(p) for p in x.split()) for x in text.split("|"))


def pure(actions: Sequence[int], sizes: Sequence[int]) -> ExactProfile:
    """The pure profile of a joint action, counted from 0."""
    return tuple(
        tuple(Fraction(int(a == b)) for b in range(k)) for a, k in zip(actions, sizes, strict=True)
    )


def even(sizes: Sequence[int]) -> ExactProfile:
    """The profile in which every player mixes evenly."""
    return tuple((Fraction(1, k),) * k for k in sizes)


def fixed(
    name: str,
    title: str,
    row: Any,
    column: Any | None,
    equilibria: Sequence[str],
    *,
    source: str,
    complete: bool = True,
    value: str | None = None,
    notes: str = "",
    actions: Sequence[str] | tuple[Sequence[str], Sequence[str]] = (),
) -> None:
    """Enter a game of two players without parameters; ``column`` None: zero-sum.

    ``actions`` are one list for both players, or two lists.
    """

    def build() -> Entry:
        a: Array = np.array(row, dtype=float)
        b = -a if column is None else np.array(column, dtype=float)
        both = (actions, actions) if actions and isinstance(actions[0], str) else actions
        return Entry(
            game=NormalForm.bimatrix(a, b, title=title, actions=both),
            equilibria=tuple(exact(text) for text in equilibria),
            complete=complete,
            source=source,
            value=None if value is None else Fraction(value),
            notes=notes,
        )

    register(name)(build)


def symmetric(row: Any) -> list[list[float]]:
    """The second player's payoffs where both are alike: the transpose."""
    return [list(column) for column in zip(*row, strict=True)]
