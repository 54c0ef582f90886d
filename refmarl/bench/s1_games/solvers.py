"""All equilibria, one equilibrium, the value: our solvers and those of others.

Peers: Nashpy, QuantEcon and Gambit, and HiGHS as SciPy calls it, each in the form its manual shows.
What is timed is the solver's call on a game that is already in the package's own form.
"""

from collections.abc import Callable
from functools import cache, partial
from importlib import import_module
from typing import Any

import numpy as np

from ...check import Array
from ...games import NormalForm
from ..task import Peer, Task
from . import answers
from .answers import Bimatrix, One, Profiles

# ------------------------------------------------------------------------------------------- ours


def _ours(given: Bimatrix) -> NormalForm:
    return NormalForm.bimatrix(*given)


@cache
def _function(module: str, name: str) -> Callable[..., Any]:
    """Found once for each side: an import statement in a timed call would cost it 1 µs."""
    found: Callable[..., Any] = getattr(import_module(module), name)
    return found


def _all(game: NormalForm) -> Any:
    return _function("refmarl.games.vertex", "vertex_enumeration")(game).profiles


def _path(game: NormalForm) -> Any:
    return [import_module("refmarl.games.lemke_howson").lemke_howson(game, 0).profile]


def _value(matrix: Array) -> Any:
    return _function("refmarl.games.zero_sum", "zero_sum_value")(matrix)


# ------------------------------------------------------------------------------------------ Nashpy


def _nashpy(given: Any) -> Any:
    return import_module("nashpy").Game(*given)


def _nashpy_zero_sum(matrix: Array) -> Any:
    return import_module("nashpy").Game(matrix)


def _nashpy_all(method: str, game: Any) -> Any:
    return list(getattr(game, method)())


def _nashpy_path(game: Any) -> Any:
    return [game.lemke_howson(initial_dropped_label=0)]


def _nashpy_value(game: Any) -> Any:
    x, y = game.linear_program()
    return x @ game.payoff_matrices[0] @ y, x, y


# --------------------------------------------------------------------------------------- QuantEcon


def _quantecon(given: Bimatrix) -> Any:
    theory = import_module("quantecon.game_theory")
    a, b = given
    return theory.NormalFormGame((theory.Player(a), theory.Player(np.ascontiguousarray(b.T))))


def _quantecon_all(method: str, game: Any) -> Any:
    return _function("quantecon.game_theory", method)(game)


def _quantecon_labels(game: Any) -> Any:
    lemke_howson = _function("quantecon.game_theory", "lemke_howson")
    return [lemke_howson(game, init_pivot=k) for k in range(sum(game.nums_actions))]


def _quantecon_path(game: Any) -> Any:
    return [_function("quantecon.game_theory", "lemke_howson")(game, init_pivot=0)]


def _quantecon_value(matrix: Array) -> Any:
    return _function("quantecon.optimize", "minmax")(matrix)


# ------------------------------------------------------------------------------------------ Gambit


def _gambit(given: Bimatrix) -> Any:
    return import_module("pygambit").Game.from_arrays(*given)


def _gambit_whole(given: Bimatrix) -> Any:
    """The same game in whole numbers, which are what rational arithmetic likes best."""
    whole = all((u == np.rint(u)).all() for u in given)
    size = 1.0 if whole else 1.0 / answers.UNIT
    return import_module("pygambit").Game.from_arrays(*((size * u).astype(int) for u in given))


def _gambit_mixed(rational: bool, game: Any) -> Any:
    return import_module("pygambit").nash.enummixed_solve(game, rational=rational).equilibria


def _gambit_lcp(stop: int | None, game: Any) -> Any:
    solve = import_module("pygambit").nash.lcp_solve
    return solve(game, rational=False, use_strategic=True, stop_after=stop).equilibria


def _gambit_pairs(found: Any) -> list[list[list[float]]]:
    """Mixed strategy profiles, numbers by player and strategy, as pairs (x, y)."""
    return [
        [[float(profile[s]) for s in player.strategies] for player in profile.game.players]
        for profile in found
    ]


def _gambit_profiles(given: Bimatrix, found: Any) -> Profiles:
    return answers.profiles(given, _gambit_pairs(found))


def _gambit_one(given: Bimatrix, found: Any) -> One:
    return answers.one(given, _gambit_pairs(found))


# ------------------------------------------------------------------------------------------- SciPy


def _same(given: Any) -> Any:
    return given


def _highs(matrix: Array) -> Any:
    """The row player's linear program; y are its dual variables."""
    linprog = import_module("scipy.optimize").linprog
    m, n = matrix.shape
    solved = linprog(
        np.append(np.zeros(m), -1.0),
        A_ub=np.column_stack([-matrix.T, np.ones(n)]),
        b_ub=np.zeros(n),
        A_eq=np.append(np.ones(m), 0.0)[None, :],
        b_eq=[1.0],
        bounds=[(0, None)] * m + [(None, None)],
        method="highs",
    )
    return -solved.fun, solved.x[:m], -solved.ineqlin.marginals


# ------------------------------------------------------------------------------------------- limits


def _support(matrix: Array) -> tuple[Array, Array]:
    """The equations of the optimal supports: which they are is given away."""
    _, x, y = _value(matrix)[:3]
    rows, columns = np.flatnonzero(x > 0), np.flatnonzero(y > 0)
    k = min(len(rows), len(columns))
    square = matrix[np.ix_(rows[:k], columns[:k])]
    system = np.block([[square, -np.ones((k, 1))], [np.ones((1, k)), np.zeros((1, 1))]])
    return system, np.append(np.zeros(k), 1.0)


def _solve(system: tuple[Array, Array]) -> Any:
    return np.linalg.solve(*system)


def _nothing(given: Any, found: Any) -> None:
    return None


# -------------------------------------------------------------------------------------------- tasks


def _peer(name: str, prepare: Any, run: Any, answer: Any = answers.profiles, **more: Any) -> Peer:
    package = name.partition(" ")[0]
    return Peer(name=name, package=package, prepare=prepare, run=run, answer=answer, **more)


ALL = (
    _peer("nashpy support", _nashpy, partial(_nashpy_all, "support_enumeration")),
    _peer("nashpy vertex", _nashpy, partial(_nashpy_all, "vertex_enumeration")),
    _peer("quantecon support", _quantecon, partial(_quantecon_all, "support_enumeration")),
    _peer("quantecon vertex", _quantecon, partial(_quantecon_all, "vertex_enumeration")),
    _peer("quantecon lemke-howson", _quantecon, _quantecon_labels),
    _peer("pygambit lcp", _gambit, partial(_gambit_lcp, None), _gambit_profiles),
    _peer("pygambit enummixed", _gambit, partial(_gambit_mixed, False), _gambit_profiles),
    _peer("pygambit rational", _gambit_whole, partial(_gambit_mixed, True), _gambit_profiles),
)

TASKS = (
    Task(
        name="equilibria",
        title="all equilibria of a random n × n game",
        size="n",
        sizes=(3, 4, 5, 6, 8, 10, 12),
        quick=(3, 5, 8),
        inputs=answers.random_bimatrix,
        ours=_peer("refmarl", _ours, _all),
        peers=ALL,
        truth=answers.all_equilibria,
        same=answers.same_equilibria,
    ),
    Task(
        name="equilibria-degenerate",
        title="all extreme equilibria of an n × n game full of ties",
        size="n",
        sizes=(3, 4, 5, 6),
        quick=(3, 5),
        inputs=answers.degenerate_bimatrix,
        ours=_peer("refmarl", _ours, _all),
        peers=ALL,
        truth=answers.all_equilibria,
        same=answers.same_equilibria,
    ),
    Task(
        name="lemke-howson",
        title="one equilibrium of a random n × n game",
        size="n",
        sizes=(3, 6, 12, 24),
        quick=(3, 12),
        inputs=answers.random_bimatrix,
        ours=_peer("refmarl", _ours, _path, answers.one),
        peers=(
            _peer("nashpy lemke-howson", _nashpy, _nashpy_path, answers.one),
            _peer("quantecon lemke-howson", _quantecon, _quantecon_path, answers.one),
            _peer("pygambit lcp", _gambit, partial(_gambit_lcp, 1), _gambit_one),
        ),
        same=answers.one_equilibrium,
    ),
    Task(
        name="zero-sum",
        title="value and optimal strategies of an n × n zero-sum game",
        size="n",
        sizes=(10, 100, 300),
        quick=(10, 100),
        inputs=answers.normal_matrix,
        ours=_peer("refmarl", _same, _value, answers.value),
        peers=(
            _peer("quantecon minmax", _same, _quantecon_value, answers.value),
            _peer("scipy highs", _same, _highs, answers.value),
            _peer("nashpy linear_program", _nashpy_zero_sum, _nashpy_value, answers.value),
        ),
        same=answers.same_value,
        limit=Peer(
            name="limit",
            package="refmarl",
            prepare=_support,
            run=_solve,
            answer=_nothing,
        ),
    ),
)
