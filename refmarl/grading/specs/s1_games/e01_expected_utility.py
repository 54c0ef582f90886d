"""What an answer to exercise 1.1 must satisfy."""

from itertools import product
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from ....check import Array
from ....games import NormalForm
from ....games import expected_utility as reference
from ...spec import PURE, Answer, Mistake, Property, Spec, close, shaped
from .._layouts import layouts
from ._games import plays


class Case(NamedTuple):
    """Arguments of the exercise's function."""

    payoffs: Array
    profile: list[Array]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Games of one to four players with one to three actions; pure and mixed strategies."""
    payoffs, profile = draw(plays())
    return Case(payoffs, list(profile))


def _at(payoffs: Any, a: tuple[int, ...]) -> Any:
    """u(a), shape (n,)."""
    return payoffs[(slice(None), *a)]


def _weights(case: Case) -> dict[tuple[int, ...], float]:
    """Π_j x_j(a_j) of every joint action a."""
    indices = product(*(range(len(x)) for x in case.profile))
    return {
        a: float(np.prod([x[k] for x, k in zip(case.profile, a, strict=True)])) for a in indices
    }


def _definition(answer: Answer, case: Case) -> None:
    terms = [w * _at(case.payoffs, a) for a, w in _weights(case).items()]
    close(answer(*case), np.sum(terms, axis=0), "u(x)")


def _shape(answer: Answer, case: Case) -> None:
    shaped(answer(*case), (len(case.profile),), "u(x)")


def _pure_profiles(answer: Answer, case: Case) -> None:
    for a in _weights(case):
        profile = [np.eye(len(x))[k] for x, k in zip(case.profile, a, strict=True)]
        close(answer(case.payoffs, profile), _at(case.payoffs, a), f"u at the pure {a}")


def _linear(answer: Answer, case: Case) -> None:
    for j, x in enumerate(case.profile):
        pure = [
            answer(case.payoffs, [*case.profile[:j], e, *case.profile[j + 1 :]])
            for e in np.eye(len(x))
        ]
        mixed = np.sum([p * np.asarray(u) for p, u in zip(x, pure, strict=True)], axis=0)
        close(answer(*case), mixed, f"the average over player {j}'s actions")


def _one_mixes(answer: Answer, case: Case) -> None:
    for j, x in enumerate(case.profile):
        profile = [np.eye(len(z))[-1] for z in case.profile]
        profile[j] = x
        others: list[Any] = [-1] * len(profile)
        others[j] = slice(None)
        row = case.payoffs[(slice(None), *others)]  # (n, A_j): all but j play their last action
        wanted = (row * x).sum(axis=1)
        close(answer(case.payoffs, profile), wanted, f"u where only player {j} mixes, with {x}")


def _renaming(answer: Answer, case: Case) -> None:
    u = case.payoffs
    for axis in range(1, u.ndim):
        u = np.flip(u, axis)
    flipped = [x[::-1].copy() for x in case.profile]
    close(answer(np.ascontiguousarray(u), flipped), answer(*case), "u with all actions renamed")


def _zero_sum_shortcut(payoffs: Any, profile: Any) -> Any:
    u = payoffs[0]
    for x in reversed(profile):
        u = u @ x
    return np.array([u, *[-u] * (len(payoffs) - 1)])


def _axes_in_wrong_order(payoffs: Any, profile: Any) -> Any:
    u = payoffs
    for x in profile:
        u = np.tensordot(u, x, axes=(-1, 0)) if u.shape[-1] == len(x) else u.mean(-1)
    return u


def _only_most_likely(payoffs: Any, profile: Any) -> Any:
    return _at(payoffs, tuple(int(np.argmax(x)) for x in profile))


def _sum_of_probabilities(payoffs: Any, profile: Any) -> Any:
    n = len(profile)
    weights = sum(
        np.broadcast_to(x.reshape([-1 if k == j else 1 for k in range(n)]), payoffs.shape[1:])
        for j, x in enumerate(profile)
    )
    return (payoffs * weights).reshape(n, -1).sum(axis=1)


def _uniform(payoffs: Any, profile: Any) -> Any:
    return payoffs.reshape(len(payoffs), -1).mean(axis=1)


def _first_two_players(payoffs: Any, profile: Any) -> Any:
    u = payoffs
    for k, x in reversed(list(enumerate(profile))):
        u = u @ x if k < 2 else u[..., 0]
    return u


def _reversed_profile(payoffs: Any, profile: Any) -> Any:
    """The first strategy is summed over the last axis, where it fits."""
    sizes = [len(x) for x in profile]
    turned = profile[::-1] if sizes == sizes[::-1] else profile
    u = payoffs
    for x in reversed(turned):
        u = u @ x
    return u


def _players_summed(payoffs: Any, profile: Any) -> Any:
    u = payoffs
    for x in reversed(profile):
        u = u @ x
    return u + 0.0 * u[0] if len(u) == 1 else np.full(len(u), u.sum())


def _library(payoffs: Any, profile: Any) -> Any:
    return reference(NormalForm(payoffs), profile)


SPEC = Spec(
    exercise="expected-utility",
    function="expected_utility",
    cases=cases(),
    properties=(
        Property(
            "it is one real number per player",
            _shape,
            "After the last player's actions are summed out, only the axis of the players is left.",
            gate=True,
        ),
        Property(
            "at a pure profile it is the payoff of that joint action",
            _pure_profiles,
            "Only one term of (1.1) survives. Which entry of payoffs is it, and whose payoffs?",
        ),
        Property(
            "where one player mixes it is the average of that player's row of payoffs",
            _one_mixes,
            "The others are certain. What is summed over, and with which weights?",
        ),
        Property(
            "it is linear in each player's own strategy",
            _linear,
            "Mixing two strategies of one player must mix the two utilities.",
            weight=0,
        ),
        Property(
            "renaming actions changes nothing",
            _renaming,
            "Does each strategy meet the axis of its own player?",
            weight=0,
        ),
        Property(
            "it equals (1.1) summed joint action by joint action",
            _definition,
            "Write the sum out for two players with two actions: four terms, each with a product.",
            weight=2,
        ),
        layouts(_definition, "payoffs"),
        *PURE,
    ),
    mistakes=(
        Mistake("the utility of one player is used for all", _zero_sum_shortcut),
        Mistake("strategies meet the axes of other players", _axes_in_wrong_order),
        Mistake("only the most likely action of each player counts", _only_most_likely),
        Mistake("probabilities are added where they must be multiplied", _sum_of_probabilities),
        Mistake("the strategies are ignored: a plain mean of the payoffs", _uniform),
        Mistake(
            "players after the second are taken to play their first action", _first_two_players
        ),
        Mistake("strategies meet the axes in reverse order", _reversed_profile),
        Mistake("everybody is given the sum of all utilities", _players_summed),
    ),
    reference=_library,
)
