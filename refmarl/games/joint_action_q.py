"""Joint-action learning (course §1).

    EV_i(a_i) = Σ_{a_-i} π̂_-i(a_-i) Q_i(a_i, a_-i)                           (1.16)

A joint-action learner sees what the others did. It learns a value of every *joint* action, models
the others by the frequencies of what they did, and values its own actions by what they are worth
on average against that model.

With three or more players the model may be a *product* of one distribution for each of them,
π̂_-i(a_-i) = Π_{j≠i} π̂_j(a_j), as in Claus and Boutilier, or one *joint* distribution of what
they did together, which also sees how they correlate. With two players both are the same.

C. Claus, C. Boutilier 1998.

Axes: n players, A_i actions, A_-i the axes of all players but i, R runs, M = max_i A_i,
S = Π_i A_i joint actions.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from .. import check
from ..check import Array, InputError
from ..kernels._jit import kernel
from ..kernels.joint import Ints, digits, flat_index, mixed_values
from ._repeated import Exploration, draws, explore, fraction
from .normal_form import NormalForm


@dataclass(frozen=True, kw_only=True)
class JointConfig(Exploration):
    """How joint-action learners learn; how they explore is in :class:`Exploration`."""

    alpha: float = 0.1  # α in (0, 1]
    model: str = "product"  # or "joint"
    prior: float = 1.0  # ≥ 0: imagined plays of each action (product) or of each a_-i (joint)

    def __post_init__(self) -> None:
        super().__post_init__()
        fraction(self.alpha, "alpha", positive=True)
        if self.model not in ("product", "joint"):
            raise InputError(f"model: need 'product' or 'joint', got {self.model!r}")
        if not check.real_array(self.prior, "prior", 0) >= 0:
            raise InputError(f"prior: need a number ≥ 0, got {self.prior!r}")


class JointLearned(NamedTuple):
    """What R runs of a repeated game ended with."""

    q: tuple[Array, ...]  # Q_i, (R, A_1, …, A_n) for each player
    models: tuple[Array, ...]  # π̂_-i, (R, A_-i) for each player
    values: tuple[Array, ...]  # EV_i, (R, A_i) for each player
    greedy: Ints  # the last greedy joint actions, (R, n); of equals the lowest index
    payoffs: Array  # means of what was received in all rounds, (R, n)


def frequencies(counts: Any) -> Array:
    """``counts`` divided by their sum; even where nothing has been counted. Same shape.

    Raises
    ------
    InputError
        If a count is negative or not a finite number.

    Examples
    --------
    >>> print(frequencies([3, 1]), frequencies([0, 0]))
    [0.75 0.25] [0.5 0.5]
    """
    array = check.real_array(counts, "counts")
    if (array < 0).any():
        raise InputError(f"counts: need numbers ≥ 0, got {array.min():g}")
    total = array.sum()
    shares: Array = array / total if total > 0 else np.full(array.shape, 1.0 / array.size)
    return shares


def product_model(counts: Sequence[Any], player: int) -> Array:
    """π̂_-i(a_-i) = Π_{j≠i} π̂_j(a_j) of one player's opponents, shape (A_-i).

    Parameters
    ----------
    counts : n arrays (A_j,)
        How often each player took each action; the player's own are not used.
    player : i

    Examples
    --------
    >>> print(product_model([[1, 1], [3, 1], [1, 0]], 0))
    [[0.75 0.  ]
     [0.25 0.  ]]
    """
    i, model = check.player(player, len(counts)), np.ones(())
    for j, row in enumerate(counts):
        if j != i:
            model = model[..., None] * frequencies(
                check.real_array(row, f"counts of player {j}", 1)
            )
    return model


def expected_values(q: Any, model: Any, player: int) -> Array:
    """EV_i(a_i) of every action of player i, shape (A_i,); Eq. (1.16).

    Parameters
    ----------
    q : float (A_1, …, A_n)
        Q_i(a), the player's own table
    model : float (A_-i)
        π̂_-i, see :func:`product_model` and :func:`frequencies`
    player : i

    Raises
    ------
    InputError
        If the shapes do not fit, or ``model`` is not a distribution.

    Examples
    --------
    >>> print(expected_values([[11, -30, 0], [-30, 7, 6], [0, 0, 5]], [0.5, 0.25, 0.25], 0))
    [ -2.   -11.75   1.25]
    """
    table = check.real_array(q, "q")
    i = check.player(player, table.ndim)
    rows = np.moveaxis(table, i, 0).reshape(table.shape[i], -1)
    weights = np.asarray(model, dtype=float)
    others = (*table.shape[:i], *table.shape[i + 1 :])
    if weights.shape != others:
        raise InputError(f"model: need shape {others}, got {weights.shape}")
    values: Array = rows @ check.mixture(weights.ravel(), rows.shape[1], "model")  # (1.16)
    return values


def learn(
    game: NormalForm, cfg: JointConfig, rng: np.random.Generator, runs: int = 1
) -> JointLearned:
    """All players are joint-action learners while they play ``game`` again and again.

    Q_i(a) moves by α (u_i(a) - Q_i(a)) from 0; exploration is by EV_i, with ties broken at random.
    A round costs a pass over the table of each player. The rule for random numbers is that of
    :func:`refmarl.games.independent_q.learn`, so that a single player learns the same, bit for bit.

    Raises
    ------
    InputError
        If ``rng`` is no Generator, ``runs`` no whole number ≥ 1, or the tables of all runs are
        larger than the cap.

    Examples
    --------
    >>> team = NormalForm.bimatrix([[2, 0], [0, 1]], [[2, 0], [0, 1]])
    >>> found = learn(team, JointConfig(alpha=0.5), np.random.default_rng(1))
    >>> print(found.greedy, found.q[0][0].round(3).tolist())
    [[0 0]] [[2.0, 0.0], [0.0, 1.0]]
    """
    n, sizes = game.num_players, np.array(game.num_actions)
    payoffs = np.array(game.payoffs.reshape(n, -1))
    pieces = draws(rng, runs, cfg.steps, n)
    check.size_cap((runs, *payoffs.shape), "runs")
    product = cfg.model == "product"
    counts = np.full((runs, n, int(sizes.max()) if product else payoffs.shape[1]), float(cfg.prior))
    q, paid = np.zeros((runs, *payoffs.shape)), np.zeros((runs, n))
    for part, first, last, uniforms in pieces:
        amounts = cfg.schedule(first, last)
        play(
            payoffs, sizes, cfg.boltzmann, amounts, uniforms, float(cfg.alpha), product,
            q[part], counts[part], paid[part],
        )  # fmt: skip
    models = tuple(_models(row, game.num_actions, product) for row in counts)
    tables = q.reshape(runs, n, *game.num_actions)
    return _learned(tables, models, paid / cfg.steps)


def _models(counts: Array, sizes: tuple[int, ...], product: bool) -> tuple[Array, ...]:
    """π̂_-i of every player i from the ``counts`` of one run, as :func:`play` keeps them."""
    if product:
        rows = [row[:k] for row, k in zip(counts, sizes, strict=True)]
        return tuple(product_model(rows, i) for i in range(len(sizes)))
    return tuple(
        frequencies(row[: row.size // k].reshape(sizes[:i] + sizes[i + 1 :]))
        for i, (row, k) in enumerate(zip(counts, sizes, strict=True))
    )


def _learned(tables: Array, models: tuple[tuple[Array, ...], ...], paid: Array) -> JointLearned:
    """The result from Q (R, n, A_1, …, A_n) and the models of each run."""
    values = [
        [expected_values(q, model, i) for i, (q, model) in enumerate(zip(qs, pis, strict=True))]
        for qs, pis in zip(tables, models, strict=True)
    ]
    evs = tuple(np.stack(rows) for rows in zip(*values, strict=True))
    best = np.stack([ev.argmax(axis=1) for ev in evs], axis=1)
    pis = tuple(np.stack(rows) for rows in zip(*models, strict=True))
    return JointLearned(tuple(np.moveaxis(tables, 1, 0).copy()), pis, evs, best, paid)


@kernel
def shares(counts: Array, size: int, out: Array) -> None:
    """Write into ``out`` the first ``size`` counts over their sum; even where that is 0."""
    total = 0.0
    for a in range(size):
        total += counts[a]
    for a in range(size):
        out[a] = counts[a] / total if total > 0.0 else 1.0 / size


@kernel
def others_index(sizes: Ints, actions: Ints, i: int) -> int:
    """The place of a_-i among the joint actions of all players but i."""
    index = 0
    for j in range(len(sizes)):
        if j != i:
            index = index * sizes[j] + actions[j]
    return index


@kernel
def joint_values(q: Array, sizes: Ints, model: Array, values: Array) -> None:
    """values[i, a_i] = Σ_{a_-i} model[i, a_-i] q[i, a]; ``q`` (n, S), ``model`` (n, ≥ S/A_i)."""
    n, last = len(sizes), sizes[-1]
    actions = np.zeros(n, dtype=np.int64)
    for i in range(n):
        for a in range(sizes[i]):
            values[i, a] = 0.0
    for index in range(q.shape[1]):
        digits(index // last, sizes, actions)
        actions[n - 1] = index % last
        for i in range(n):
            values[i, actions[i]] += model[i, others_index(sizes, actions, i)] * q[i, index]


@kernel
def value_actions(
    q: Array, sizes: Ints, counts: Array, product: bool, model: Array, values: Array
) -> None:
    """Write EV_i into ``values`` (n, M), and the frequencies into ``model``, shaped as counts."""
    size = q.shape[1]
    for i in range(len(sizes)):
        shares(counts[i], sizes[i] if product else size // sizes[i], model[i])
    if product:
        mixed_values(q, sizes, model, values)  # (1.16)
    else:
        joint_values(q, sizes, model, values)


@kernel
def play(
    payoffs: Array,
    sizes: Ints,
    boltzmann: bool,
    amounts: Array,
    uniforms: Array,
    alpha: float,
    product: bool,
    q: Array,
    counts: Array,
    paid: Array,
) -> None:
    """Play rounds with exploration ``amounts`` (T,) and ``uniforms`` (R, T, n, 3).

    ``q`` (R, n, S), ``paid`` (R, n) and ``counts`` are changed. The latter are (R, n, M), of
    the players' own actions, or (R, n, S), of which the first S/A_i count the a_-i.
    """
    n, actions = len(sizes), np.zeros(len(sizes), dtype=np.int64)
    values, model = np.zeros((n, sizes.max())), np.zeros(counts.shape[1:])
    for run in range(len(q)):
        for t in range(len(amounts)):
            value_actions(q[run], sizes, counts[run], product, model, values)
            for i in range(n):
                actions[i] = explore(
                    values[i], sizes[i], boltzmann, amounts[t], uniforms[run, t, i]
                )
            joint = flat_index(sizes, actions)
            for i in range(n):
                reward = payoffs[i, joint]
                q[run, i, joint] += alpha * (reward - q[run, i, joint])
                seen = actions[i] if product else others_index(sizes, actions, i)
                counts[run, i, seen] += 1.0
                paid[run, i] += reward
