"""What an answer to exercise 1.20 must satisfy."""

from itertools import product
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from ....check import Array
from ....games.markov import MarkovGame
from ....games.posg import POSG, observation_probabilities
from ....games.posg import belief_update as reference
from ....testing.posgs import posgs, sparse_rows
from ...spec import PURE, Answer, Mistake, Property, Spec, close
from .._layouts import layouts


class Case(NamedTuple):
    """Arguments of the exercise's function."""

    transition: Any
    observation: Any
    belief: Array
    actions: tuple[int, ...]
    seen: tuple[int, ...]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """One to three players, often unequal in actions and signals; what is seen can occur."""
    posg = draw(posgs(max_actions=3, max_observations=3))
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    belief = sparse_rows(rng, posg.game.num_states)
    actions = tuple(draw(st.integers(0, k - 1)) for k in posg.num_actions)
    chance = observation_probabilities(posg, belief, actions)
    possible = np.argwhere(chance > 0.0)
    pick = draw(st.integers(0, len(possible) - 1))
    seen = tuple(int(o) for o in possible[pick])
    return Case(posg.game.transition.copy(), posg.observation.copy(), belief, actions, seen)


def _pair(answer: Answer, case: Case) -> tuple[Array, float]:
    """The answer's belief and probability, of the right shapes."""
    found = answer(*case)
    assert isinstance(found, tuple | list), (
        f"need a belief and a probability, got {type(found).__name__}"
    )
    assert len(found) == 2, f"need a belief and a probability, got {len(found)} things"
    close(found[0], np.zeros(len(case.belief)), "the belief", atol=np.inf)
    close(found[1], 0.0, "the probability", atol=np.inf)
    return np.asarray(found[0], dtype=float), float(found[1])


def _weights(case: Case) -> Array:
    """P(s', o | b, a) for what was seen, one pair of states at a time."""
    states = range(len(case.belief))
    found = np.zeros(len(case.belief))
    for s, t in product(states, states):
        moved = case.transition[(s, *case.actions, t)]
        seen = case.observation[(t, *case.actions, *case.seen)]
        found[t] += case.belief[s] * moved * seen
    return found


def _sums_to_one(answer: Answer, case: Case) -> None:
    belief, _ = _pair(answer, case)
    assert (belief >= -1e-12).all(), f"a probability of the belief is negative: {belief}"
    close(belief.sum(), 1.0, "the sum of the belief")


def _bayes(answer: Answer, case: Case) -> None:
    weights = _weights(case)
    close(_pair(answer, case)[0], weights / weights.sum(), "the belief")


def _probability(answer: Answer, case: Case) -> None:
    close(_pair(answer, case)[1], _weights(case).sum(), "the probability of what was seen")


def _average(answer: Answer, case: Case) -> None:
    mean = np.zeros(len(case.belief))
    for seen in product(*map(range, case.observation.shape[1 + len(case.actions) :])):
        other = case._replace(seen=seen)
        if _weights(other).sum() > 0.0:
            belief, chance = _pair(answer, other)
            mean += chance * belief
    moved = case.transition[(slice(None), *case.actions)]
    close(mean, case.belief @ moved, "the beliefs after all observations, by their probabilities")


def _full_observation(answer: Answer, case: Case) -> None:
    players = len(case.actions)
    table: Any = np.zeros((*case.transition.shape[:-1], *[len(case.belief)] * players))
    for t in range(len(case.belief)):
        table[(t, ..., *[t] * players)] = 1.0
    moved = case.belief @ case.transition[(slice(None), *case.actions)]
    t = int(moved.argmax())
    shown = case._replace(observation=table, seen=(t,) * players)
    close(_pair(answer, shown)[0], np.eye(len(moved))[t], "the belief of who sees the state")


def _impossible(answer: Answer, case: Case) -> None:
    _bayes(answer, case)  # who refuses what cannot be has to answer what can
    never = np.concatenate([case.observation, np.zeros_like(case.observation)], axis=-1)
    seen = (*case.seen[:-1], case.seen[-1] + case.observation.shape[-1])
    try:
        found = answer(*case._replace(observation=never, seen=seen))
    except ValueError:
        return
    raise AssertionError(f"this observation has probability 0, yet the answer is {found}")


def _weighed(case: Case, weight: Any) -> tuple[Any, Any]:
    """Normalised weights, refusing what cannot be; for the wrong answers below."""
    total = weight.sum()
    if _weights(case).sum() <= 0.0 or total <= 0.0:
        if _weights(case).sum() > 0.0:  # the mistake makes it impossible
            return np.zeros_like(weight), 0.0
        raise ValueError("cannot occur")
    return weight / total, total


def _parts(case: Case) -> tuple[Any, Any]:
    moved = case.transition[(slice(None), *case.actions)]
    seen = case.observation[(slice(None), *case.actions, *case.seen)]
    return moved, seen


def _unnormalised(*given: Any) -> Any:
    _weighed(Case(*given), _weights(Case(*given)))
    return _weights(Case(*given)), _weights(Case(*given)).sum()


def _signal_of_old_state(*given: Any) -> Any:
    case = Case(*given)
    moved, seen = _parts(case)
    return _weighed(case, (case.belief * seen) @ moved)


def _no_prediction(*given: Any) -> Any:
    case = Case(*given)
    return _weighed(case, case.belief * _parts(case)[1])


def _no_signal(*given: Any) -> Any:
    case = Case(*given)
    moved, _ = _parts(case)
    _weighed(case, _weights(case))
    return case.belief @ moved, _weights(case).sum()


def _backwards(*given: Any) -> Any:
    case = Case(*given)
    moved, seen = _parts(case)
    return _weighed(case, seen * (moved @ case.belief))


def _first_player_only(*given: Any) -> Any:
    case = Case(*given)
    players = len(case.actions)
    drop = tuple(range(2, 1 + players))
    seen = case.observation[(slice(None), *case.actions)].sum(axis=drop)[:, case.seen[0]]
    return _weighed(case, seen * (case.belief @ _parts(case)[0]))


def _one(*given: Any) -> Any:
    case = Case(*given)
    return _weighed(case, _weights(case))[0], 1.0


def _never_refuses(*given: Any) -> Any:
    weight = _weights(Case(*given))
    total = weight.sum()
    return (weight / total if total > 0 else np.full_like(weight, 1 / len(weight))), total


def _library(transition: Any, observation: Any, belief: Any, actions: Any, seen: Any) -> Any:
    reward = np.zeros((len(actions), *transition.shape[:-1]))
    posg = POSG(MarkovGame(transition, reward, 0.0), observation)
    chance = observation_probabilities(posg, belief, actions)[seen]
    return reference(posg, belief, actions, seen), chance


SPEC = Spec(
    exercise="posg",
    function="belief_update",
    cases=cases(),
    properties=(
        Property(
            "the belief is a distribution",
            _sums_to_one,
            "Weights become probabilities when they are divided by their sum.",
            gate=True,
        ),
        Property(
            "it is P(s' | b, a, o), by the definition of conditional probability",
            _bayes,
            "Two states, two signals: make the table of P(s', o) by hand and read off a column.",
            weight=2,
        ),
        Property(
            "the probability is that of all signals together",
            _probability,
            "Which number did you divide by?",
        ),
        Property(
            "over all observations the beliefs average to the prediction",
            _average,
            "Before the signals are seen, nothing is known but b and the actions.",
        ),
        Property(
            "who is shown the state believes in that state",
            _full_observation,
            "The signal is about the state after the move.",
        ),
        Property(
            "what cannot occur raises a ValueError",
            _impossible,
            "If all weights are 0 there is no belief: look before you divide.",
        ),
        layouts(_bayes),
        *PURE,
    ),
    mistakes=(
        Mistake("the weights are not normalised", _unnormalised),
        Mistake("the signal is taken to be about the old state", _signal_of_old_state),
        Mistake("the belief is not moved on before it is weighed", _no_prediction),
        Mistake("what was seen is not used", _no_signal),
        Mistake("the transition is applied backwards", _backwards),
        Mistake("the first player's signal alone is used", _first_player_only),
        Mistake("the probability of what was seen is taken to be 1", _one),
        Mistake("an impossible observation gives an answer", _never_refuses),
    ),
    reference=_library,
)
