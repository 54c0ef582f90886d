"""One Nash equilibrium of a game of any number of players, certified (course §1.1)  [+].

    u_i(x*) ≥ u_i(x_i, x*_-i)   for all i, x_i                                (1.3)

The path of logit equilibria (:mod:`~refmarl.games.quantal`) is followed to a large λ. There the
actions that are played and those that are not differ by orders of magnitude: every cut in the
sorted probabilities is a guess of the supports S_i. On them x solves the polynomial system

    u_i(a, x_-i) = w_i   for a in S_i,      Σ_{a in S_i} x_i(a) = 1,

by Newton's method with least-squares steps, which also converge where the solutions form a
continuum. The result is accepted if its regret is small, whatever led to it; else the path is
followed farther. With payoffs of size 1 the regret at λ is at most log(A_i) / λ, so that in the end
the path itself would do. Where a path breaks off, as it may at branchings of games with symmetries,
the next one starts at another prior, drawn at random: almost no prior leads to a branching.

T. L. Turocy, *A dynamic homotopy interpretation of the logistic quantal response equilibrium
correspondence*, Games and Economic Behavior 51, 2005; P. J.-J. Herings, R. Peeters, *Homotopy
methods to compute equilibria in game theory*, Economic Theory 42, 2010.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .. import check
from ..check import Array, Profile
from ._logit import pair_values
from .nash import TOLERANCE, Certificate, certify, pure_equilibria, scale
from .normal_form import NormalForm
from .quantal import Scaled, Tracer, scaled, strategic_range

STAGES = (1e2, 1e3, 1e4, 1e6, 1e8, 1e10)  # λ, in units of the payoffs
LATE = (1e6, 1e8, 1e10)
NEWTON_STEPS = 30
GUESSES = 8  # supports tried at a stage
NEAR = 0.2  # a refined profile farther away than this belongs to another equilibrium
STARTS = 25
SEED = 0  # of the further priors: the answer is always the same


class Homotopy(NamedTuple):
    """The end of a path of logit equilibria."""

    certificate: Certificate
    certified: bool  # no regret exceeds 1e-9 of the player's payoffs
    rationality: float  # λ, in units of each player's payoffs, where the path was left
    starts: int  # priors tried; 1: the path from the uniform profile led to it

    @property
    def profile(self) -> Profile:
        """The equilibrium."""
        return self.certificate.profile


def refine(game: NormalForm, profile: Profile, supports: NDArray[np.bool_]) -> Profile | None:
    """Solve the indifference conditions on ``supports`` (N,) from ``profile``; None if it fails.

    Examples
    --------
    >>> game = NormalForm.bimatrix([[2, 0], [0, 1]], [[2, 0], [0, 1]])
    >>> print(refine(game, ([0.3, 0.7], [0.3, 0.7]), np.ones(4, bool))[0].round(12))
    [0.33333333 0.66666667]
    """
    own = scaled(game)
    x = np.where(supports, np.concatenate(profile), 0.0)
    owner = np.repeat(np.arange(game.num_players), own.sizes)
    played = np.flatnonzero(supports)
    before = np.inf
    for _ in range(NEWTON_STEPS):
        value, slope = _indifference(own, x, played, owner)
        step = np.linalg.lstsq(slope, value, rcond=1e-11)[0][: len(played)]
        x[played] -= step
        size = float(np.abs(step).max())
        if not size < 1.0 or (x[played] < -0.5).any():
            return None
        if size <= 1e-15 or (size < 1e-12 and size >= before):
            break
        before = size
    if (x < -TOLERANCE).any() or float(np.abs(value).max()) > TOLERANCE:
        return None
    x = np.maximum(x, 0.0)
    return own.split(x / np.bincount(owner, x)[owner])


def _indifference(
    own: Scaled, x: Array, played: NDArray[np.int64], owner: NDArray[np.int64]
) -> tuple[Array, Array]:
    """Σ x - 1, then what each played action gets less the average of them; and the Jacobian."""
    n, slope = len(own.sizes), np.zeros((own.total, own.total))
    rows: Array = np.zeros((n, int(own.sizes.max())))
    for i, part in enumerate(own.split(x)):
        rows[i, : len(part)] = part
    pair_values(own.payoffs, own.sizes, rows, slope)
    mine = (owner[None, :] == np.arange(n)[:, None]).astype(float)  # (n, N)
    v = own.payoffs[0] if n == 1 else slope @ x / (n - 1)  # each j ≠ i adds v_i(a) to slope @ x
    share = mine[:, played] / mine[:, played].sum(axis=1, keepdims=True)
    centre = np.eye(len(played)) - mine[:, played].T @ share
    value = np.concatenate([mine @ x - 1.0, centre @ v[played]])
    return value, np.vstack([mine[:, played], centre @ slope[np.ix_(played, played)]])


def supports(own: Scaled, y: Array) -> Iterator[NDArray[np.bool_]]:
    """Guesses of who plays what at log-probabilities y (N,): cuts at the widest gaps first."""
    depth = np.concatenate([part.max() - part for part in own.split(y)])
    levels = np.unique(depth)
    gaps = np.diff(np.append(levels, 2.0 * levels[-1] + 1.0))
    for k in np.argsort(-gaps, kind="stable")[:GUESSES]:
        yield depth <= levels[k]


def _near(x: Profile, z: Profile) -> bool:
    return all(float(np.abs(a - b).max()) <= NEAR for a, b in zip(x, z, strict=True))


def _worst(game: NormalForm, found: Certificate) -> float:
    """The largest regret in units of the tolerance."""
    size = np.where(scale(game) > 0.0, scale(game), 1.0)
    return float((found.regrets / size).max()) / TOLERANCE


def nearest_equilibrium(game: NormalForm, logs: Array) -> Certificate:
    """The best refinement of the profile exp(``logs``), (N,), or the profile as it is."""
    own = scaled(game)
    profile = tuple(x / x.sum() for x in map(np.exp, own.split(logs)))
    best = certify(game, profile)
    for guess in supports(own, logs):
        refined = refine(game, profile, guess)
        if refined is None or not _near(profile, refined):
            continue
        found = certify(game, refined)
        if _worst(game, found) < _worst(game, best):
            best = found
        if _worst(game, best) <= 1e-3:  # rounding only
            break
    return best


def priors(game: NormalForm, starts: int) -> Iterator[Array]:
    """Logarithms of where paths start, (N,): the uniform profile, then random ones."""
    rng = np.random.default_rng(SEED)
    for k in range(starts):
        weights = [rng.dirichlet(np.full(m, 2.0)) for m in game.num_actions]
        drawn = game.uniform() if k == 0 else weights
        yield np.log(np.maximum(np.concatenate(drawn), 1e-6))


def _follow(
    game: NormalForm, own: Scaled, prior: Array, stages: Sequence[float]
) -> tuple[Certificate, float]:
    """The first certified refinement along one path, else the best; and λ there, inside."""
    tracer, best = Tracer(own, prior), None
    for target in stages:
        going = tracer.to(target) == ""
        found = nearest_equilibrium(game, tracer.points[-1][:-1])
        if best is None or _worst(game, found) < _worst(game, best):
            best = found
        if not going or _worst(game, best) <= 1.0:
            break
    assert best is not None
    return best, float(tracer.points[-1][-1])


def logit_limit(game: NormalForm, weights: Sequence[float] | None = None) -> Homotopy:
    """The Nash equilibrium at the end of the principal branch, the one that it selects.

    Unlike :func:`one_equilibrium` it is never left early, and there is no other start; λ counts in
    the payoffs as they are, the same for all players, times their ``weights``. Not certified where
    the path breaks off, as it may in games with symmetries.

    Examples
    --------
    In the stag hunt with payoffs 4 (both hunt) and 3 (hare, safe) hare is risk dominant.

    >>> hunt = NormalForm.bimatrix([[4, 0], [3, 3]], [[4, 3], [0, 3]])
    >>> found = logit_limit(hunt)
    >>> print(found.profile[0], found.certified)
    [0. 1.] True
    """
    own = scaled(game, weights)
    found, rate = _follow(game, own, np.log(np.concatenate(game.uniform())), LATE)
    return Homotopy(found, _worst(game, found) <= 1.0, rate / own.unit, 1)


def one_equilibrium(game: NormalForm, starts: int = STARTS) -> Homotopy:
    """A Nash equilibrium of a game of any number of players; see the module for the method.

    Players' rationalities are in units of their payoffs, so that the answer does not depend on
    these. The answer is always the same for the same game.

    Parameters
    ----------
    game : NormalForm
    starts : whole number ≥ 1
        Priors to try. All but very few games need one.

    Returns
    -------
    Homotopy
        ``certified`` is False if nothing with regrets ≤ 1e-9 of the players' payoffs was found;
        ``certificate`` then says how near the best profile comes.

    Examples
    --------
    >>> game = NormalForm.bimatrix([[3, 0], [0, 1]], [[0, 1], [1, 0]])
    >>> found = one_equilibrium(game)
    >>> print(found.profile[0].round(6), found.profile[1].round(6), found.certified)
    [0.5 0.5] [0.25 0.75] True
    """
    check.positive(starts, "starts")
    spans = strategic_range(game)
    own = scaled(game, [float(1.0 / s) if s > 0.0 else 1.0 for s in spans])
    best, rate, tried = None, 0.0, 0
    for prior in priors(game, starts):
        tried += 1
        found, reached = _follow(game, own, prior, STAGES)
        if best is None or _worst(game, found) < _worst(game, best):
            best, rate = found, reached
        if _worst(game, best) <= 1.0:
            break
    assert best is not None
    if _worst(game, best) > 1.0:
        for a in pure_equilibria(game)[:1]:
            best = certify(game, game.pure(a))
    return Homotopy(best, _worst(game, best) <= 1.0, rate, tried)
