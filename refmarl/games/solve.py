"""One call for every way to solve a game, with a certificate for each answer.

``METHODS`` says what there is, which options each takes and which it does not: an option that
does nothing is an error. The methods themselves, with their sources, stand in their own modules
and are imported when they are used.
"""

from collections.abc import Callable
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..check import Array, InputError, Profile, player, positive
from .nash import TOLERANCE, certify, pure_equilibria, regrets, scale
from .normal_form import NormalForm, expected_utility

if TYPE_CHECKING:
    from .exact import ExactEquilibrium, NashSubset
    from .support import Equilibria

MAX_LISTED = 1000  # pure equilibria
STEPS = 10_000


class Answer(NamedTuple):
    """A solution of a game: a profile of mixed strategies, or a distribution of joint actions."""

    kind: str  # nash, approximate, (coarse-)correlated, stackelberg or quantal-response
    payoffs: Array  # (n,)
    regret: float  # the most that a player would gain by the deviations that ``kind`` allows
    profile: Profile | None = None
    distribution: Array | None = None  # (A_1, …, A_n)
    exact: "ExactEquilibrium | None" = None  # the same in Fractions


class Solution(NamedTuple):
    """What a method found."""

    method: str
    complete: bool  # there are no equilibria of this kind but these
    reason: str  # why there may be others; "" if complete
    equilibria: tuple[Answer, ...]
    facts: dict[str, Any]  # what else the method says: numbers, texts and lists of them
    components: "tuple[tuple[NashSubset, ...], ...]" = ()  # all equilibria, if solved exactly


class Method(NamedTuple):
    """A way to solve a game, and the options it takes."""

    summary: str
    run: Callable[..., Solution]
    options: tuple[str, ...] = ()


def solve(
    game: NormalForm,
    method: str = "auto",
    *,
    steps: int | None = None,
    seed: int | None = None,
    objective: Any = None,
    leader: int | None = None,
    ties: str | None = None,
    exact: Any = None,
    rationality: float | None = None,
) -> Solution:
    """Solve ``game`` by one of ``METHODS``.

    Parameters
    ----------
    game : NormalForm
    method : a key of ``METHODS``, or "auto"
        For two players all equilibria (``support``), or where the game is too large for that
        its value if it is of constant sum (``zero-sum``). In all other cases ``pure``, and if
        there is no pure equilibrium, ``homotopy``.
    steps : rounds of play, for ``fictitious-play`` and ``regret-matching``; by default 10 000
    seed : whole number ≥ 0
        Draws the first joint action of ``fictitious-play``, which otherwise begins with everybody's
        first action; makes ``regret-matching`` draw its actions instead of taking expectations.
    objective : what ``correlated`` and ``coarse-correlated`` maximise, by default "welfare"
    leader : index of the player who commits, for ``stackelberg``; by default 0
    ties : "strong" or "weak", for ``stackelberg``; by default "strong"
    exact : True, or exact payoffs [A, B] of Fractions, for ``support`` ("auto" then means that)
        Solves in rational numbers: the game's floats as what they are, or the payoffs given.
    rationality : λ ≥ 0 in 1 / payoff, for ``logit``; by default the limit λ → ∞

    Raises
    ------
    InputError
        If the method is unknown, cannot treat this game, or does not take one of the options.

    Examples
    --------
    >>> found = solve(NormalForm.zero_sum([[3, 0], [1, 2]]))
    >>> print(found.method, found.complete, found.equilibria[0].profile[0].round(9))
    support True [0.25 0.75]
    """
    name = method
    if name != "auto" and name not in METHODS:
        raise InputError(f"method: need auto, {', '.join(METHODS)}; got {method!r}")
    given = {"steps": steps, "seed": seed, "objective": objective, "leader": leader, "ties": ties,
             "rationality": rationality}  # fmt: skip
    options = {key: value for key, value in given.items() if value is not None}
    if exact is not None and exact is not False:
        options["exact"] = exact
        name = "support" if name == "auto" else name
    known = METHODS[name].options if name != "auto" else ()
    for key in options:
        if key not in known:
            users = ", ".join(m for m, way in METHODS.items() if key in way.options)
            raise InputError(f"{key}: not an option of the method {name}, but of {users}")
    return _auto(game) if name == "auto" else METHODS[name].run(game, **options)


def _auto(game: NormalForm) -> Solution:
    if game.num_players != 2:
        return _some(game)
    try:
        return _support(game)
    except InputError as error:  # too large
        found = _zero_sum(game) if _constant_sum(game) else _some(game)
        return found._replace(reason=f"{error}; {found.reason}")


def _some(game: NormalForm) -> Solution:
    """All pure equilibria, or one in mixed strategies if there are none."""
    found = _pure(game)
    if found.equilibria:
        return found
    try:
        return _homotopy(game)
    except InputError as error:  # too large
        return found._replace(reason=f"{found.reason}: {error}")


def _answer(game: NormalForm, profile: Profile, kind: str = "nash") -> Answer:
    found = certify(game, profile)
    return Answer(kind, found.payoffs, float(found.regrets.max()), found.profile)


def _support(game: NormalForm, exact: Any = None) -> Solution:
    if exact is not None:
        return _exact(game, game if exact is True else exact)
    from .vertex import MAX_LABELS, vertex_enumeration

    if sum(game.num_actions) <= MAX_LABELS:
        return _listed("support", game, vertex_enumeration(game))
    from .support import support_enumeration

    return _listed("support", game, support_enumeration(game))


def _vertex(game: NormalForm) -> Solution:
    from .vertex import vertex_enumeration

    return _listed("vertex", game, vertex_enumeration(game))


def _listed(method: str, game: NormalForm, found: "Equilibria") -> Solution:
    """The equilibria of two players, certified all at once."""
    answers: tuple[Answer, ...] = ()
    if found.profiles:
        x, y = (np.stack(side) for side in zip(*found.profiles, strict=True))
        payoffs, regret = expected_utility(game, (x, y)), regrets(game, (x, y)).max(axis=-1)
        answers = tuple(
            Answer("nash", u, float(r), profile)
            for u, r, profile in zip(payoffs, regret, found.profiles, strict=True)
        )
    facts = {"degenerate": bool(found.degenerate)}
    return Solution(method, found.complete, found.reason, answers, facts)


def _exact(game: NormalForm, payoffs: Any) -> Solution:
    """All equilibria in Fractions: the extreme ones, and the components that they span."""
    from .component_index import component_indices
    from .exact import exact_equilibria

    found = exact_equilibria(payoffs)
    answers = []
    for equilibrium in found.extreme:
        profile = tuple(np.array([float(p) for p in x]) for x in equilibrium.profile)
        answers.append(_answer(game, profile)._replace(exact=equilibrium))
    facts: dict[str, Any] = {"degenerate": found.degenerate}
    if found.degenerate:
        facts["indices"] = list(component_indices(payoffs, found))
    return Solution("support", True, "", tuple(answers), facts, found.components)


def _lemke_howson(game: NormalForm) -> Solution:
    from .lemke_howson import all_labels

    try:
        found = all_labels(game)
    except ArithmeticError as error:  # too large for its path
        raise InputError(str(error)) from None
    names = [f"{p}: {a}" for p, own in zip(game.players, game.actions, strict=True) for a in own]
    facts = {"labels": [[names[k] for k in labels] for _, labels in found]}
    reason = "those at the end of a path from each action's label; there may be others"
    answers = tuple(_answer(game, profile) for profile, _ in found)
    return Solution("lemke-howson", False, reason, answers, facts)


def _pure(game: NormalForm) -> Solution:
    found = pure_equilibria(game)
    answers = tuple(_answer(game, game.pure(a)) for a in islice(found, MAX_LISTED))
    reason = "equilibria in mixed strategies were not searched"
    if len(found) > MAX_LISTED:
        reason = f"the first {MAX_LISTED} of {len(found)} pure equilibria; {reason}"
    if sum(k > 1 for k in game.num_actions) <= 1:  # one player decides: all its best actions
        reason = "" if len(found) == 1 else "each mixture of these is an equilibrium, too"
    return Solution("pure", not reason, reason, answers, {"count": len(found)})


def _homotopy(game: NormalForm) -> Solution:
    from .homotopy import one_equilibrium

    found = one_equilibrium(game)
    kind = "nash" if found.certified else "approximate"
    reason = "one equilibrium, at the end of a path; there may be others"
    if not found.certified:
        reason = "no path led to an equilibrium; the best profile is given, with its regret"
    return Solution("homotopy", False, reason, (_answer(game, found.profile, kind),), {})


def _logit(game: NormalForm, rationality: float | None = None) -> Solution:
    from .homotopy import logit_limit
    from .quantal import quantal_equilibrium

    if rationality is None:
        limit = logit_limit(game)
        kind = "nash" if limit.certified else "approximate"
        reason = "the end of the path of logit equilibria; there may be other equilibria"
        if not limit.certified:
            reason = "the path breaks off; where it does the profile is no equilibrium"
        return Solution("logit", False, reason, (_answer(game, limit.profile, kind),), {})
    try:
        found = quantal_equilibrium(game, rationality)
    except ArithmeticError as error:
        raise InputError(str(error)) from None
    answer = _answer(game, found.profile, "quantal-response")
    reason = "an equilibrium of players who err; its regret tends to 0 as the rationality grows"
    return Solution("logit", False, reason, (answer,), {"rationality": found.rationality})


def _constant_sum(game: NormalForm) -> bool:
    total = game.payoffs.sum(axis=0)
    return game.num_players == 2 and bool(np.ptp(total) <= TOLERANCE * scale(game).max())


def _zero_sum(game: NormalForm) -> Solution:
    from .zero_sum import zero_sum_value

    if not _constant_sum(game):
        total = game.payoffs.sum(axis=0)
        raise InputError(
            f"zero-sum: need 2 players whose payoffs have a constant sum; got "
            f"{game.num_players} players, sums from {total.min():g} to {total.max():g}"
        )
    found = zero_sum_value(game.payoffs[0])
    reason = "the value is unique, optimal strategies need not be: one pair of them is given"
    answer = _answer(game, (found.x, found.y))
    return Solution("zero-sum", False, reason, (answer,), {"value": float(found.value)})


def _rng(seed: int) -> np.random.Generator:
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise InputError(f"seed: need a whole number ≥ 0, got {seed!r}")
    return np.random.default_rng(seed)


def _average(game: NormalForm, method: str, averages: Profile, steps: int) -> Solution:
    """The last averages of a repeated play, as an equilibrium up to their regret."""
    answer = _answer(game, tuple(x[-1] for x in averages), "approximate")
    reason = f"the average of {steps} rounds, an equilibrium only up to its regret"
    return Solution(method, False, reason, (answer,), {"steps": steps})


def _fictitious_play(game: NormalForm, steps: int = STEPS, seed: int | None = None) -> Solution:
    from .fictitious import fictitious_play

    positive(steps, "steps")
    start = None if seed is None else [int(k) for k in _rng(seed).integers(0, game.num_actions)]
    play = fictitious_play(game, steps, start=start, times=[steps])
    return _average(game, "fictitious-play", play.averages, steps)


def _regret_matching(game: NormalForm, steps: int = STEPS, seed: int | None = None) -> Solution:
    from .regret import regret_matching

    positive(steps, "steps")
    rng = None if seed is None else _rng(seed)
    play = regret_matching(game, steps, rng=rng, times=[steps])
    return _average(game, "regret-matching", play.averages, steps)


def _correlated(game: NormalForm, objective: Any = "welfare", coarse: bool = False) -> Solution:
    from .correlated import correlated_equilibrium

    found = correlated_equilibrium(game, objective, coarse)
    kind = "coarse-correlated" if coarse else "correlated"
    regret = max(found.violation, 0.0)
    answer = Answer(kind, found.payoffs, regret, distribution=found.distribution)
    reason = "they are a convex set, and this is one that is best under the objective"
    return Solution(kind, False, reason, (answer,), {"value": float(found.value)})


def _coarse_correlated(game: NormalForm, objective: Any = "welfare") -> Solution:
    return _correlated(game, objective, coarse=True)


def _stackelberg(game: NormalForm, leader: int = 0, ties: str = "strong") -> Solution:
    from .stackelberg import stackelberg

    found = stackelberg(game, player(leader, game.num_players, "leader"), ties)  # type: ignore[arg-type]
    follower = 1 - leader
    reply = np.eye(game.num_actions[follower])[found.response]
    profile = (found.strategy, reply) if leader == 0 else (reply, found.strategy)
    payoffs = np.empty(2)
    payoffs[leader], payoffs[follower] = found.payoff, found.follower_payoff
    regret = float(certify(game, profile).regrets[follower])  # the leader is committed
    reason = "the best commitment; others may be as good"
    if not found.attained:
        reason = "the limit of commitments that earn nearly as much; it is not attained itself"
    facts = {"leader": game.players[leader], "attained": bool(found.attained)}
    answer = Answer("stackelberg", payoffs, regret, profile)
    return Solution("stackelberg", False, reason, (answer,), facts)


def _dominance(game: NormalForm) -> Solution:
    from .dominance import iterated_elimination

    found = iterated_elimination(game)
    kept = [[game.actions[i][a] for a in actions] for i, actions in enumerate(found.kept)]
    removed = [
        {
            "round": r.round,
            "player": game.players[r.player],
            "action": game.actions[r.player][r.action],
            "dominator": r.dominator.tolist(),
        }
        for r in found.rounds
    ]
    facts = {"kept": kept, "removed": removed}
    if all(len(actions) == 1 for actions in found.kept):
        answer = _answer(game, game.pure([actions[0] for actions in found.kept]))
        return Solution("dominance", True, "", (answer,), facts)
    left = " × ".join(str(len(actions)) for actions in found.kept)
    reason = f"{left} actions are left, and every equilibrium uses these alone"
    return Solution("dominance", False, reason, (), facts)


METHODS = {
    "support": Method(
        "all equilibria of two players, by supports or vertices", _support, ("exact",)
    ),
    "pure": Method("all pure equilibria, any number of players", _pure),
    "lemke-howson": Method(
        "some equilibria of two players, by complementary pivots", _lemke_howson
    ),
    "homotopy": Method("one equilibrium of any number of players, by a path", _homotopy),
    "logit": Method(
        "the quantal response equilibrium of a rationality, or the limit", _logit, ("rationality",)
    ),
    "vertex": Method("all equilibria of two players, by vertex enumeration", _vertex),
    "zero-sum": Method("the value and optimal strategies, payoffs of constant sum", _zero_sum),
    "dominance": Method("iterated elimination of strictly dominated actions", _dominance),
    "correlated": Method("the best correlated equilibrium", _correlated, ("objective",)),
    "coarse-correlated": Method(
        "the best coarse correlated equilibrium", _coarse_correlated, ("objective",)
    ),
    "stackelberg": Method(
        "the best commitment of one of two players", _stackelberg, ("leader", "ties")
    ),
    "fictitious-play": Method(
        "approximate: replies to past frequencies", _fictitious_play, ("steps", "seed")
    ),
    "regret-matching": Method(
        "approximate: play in proportion to regret", _regret_matching, ("steps", "seed")
    ),
}
