"""What an answer to exercise 1.14 must satisfy."""

from collections.abc import Callable
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from ....check import Array
from ....games.markov import MarkovGame
from ....games.policy_gradient import policy_gradient as reference
from ....testing.strategies import games_with_logits
from ...spec import PURE, Answer, Mistake, Property, Spec, close, shaped
from .._layouts import layouts

STEP = 1e-30  # of complex steps, which take no differences


class Case(NamedTuple):
    """Arguments of the exercise's function."""

    transition: Array
    reward: Array
    logits: list[Array]
    observe: list[Any]
    gamma: float
    initial: Array
    player: int


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """One to three players; in half of the cases states look alike and rows go unseen."""
    game, logits, seen = draw(games_with_logits())
    rows = seen or [list(range(game.num_states))] * game.num_players
    return Case(
        game.transition.copy(),
        game.reward.copy(),
        [x.round(1) for x in logits],  # numbers that a student can type
        [np.array(row, dtype=np.intp) for row in rows],
        game.gamma,
        game.initial.copy(),
        draw(st.integers(0, game.num_players - 1)),
    )


def _softmax(logits: Any) -> Any:
    """Over the last axis; complex logits are welcome."""
    odds = np.exp(logits)
    return odds / odds.sum(axis=-1, keepdims=True)


def _policies(case: Case) -> list[Any]:
    """(S, A_j) for each player."""
    return [_softmax(x)[o] for x, o in zip(case.logits, case.observe, strict=True)]


def _induced(case: Case, pi: Any) -> tuple[Any, Any]:
    """The player's own process (S, A, S), (S, A): joint actions are summed one by one."""
    own = pi[case.player].shape
    moves, paid = np.zeros((*own, own[0])), np.zeros(own)
    states = np.arange(len(paid))
    for a in product(*map(range, case.reward.shape[2:])):
        chosen = [p[:, b] for j, (p, b) in enumerate(zip(pi, a, strict=True)) if j != case.player]
        weight = np.prod([np.ones(len(paid)), *chosen], axis=0)
        moves[:, a[case.player]] += weight[:, None] * case.transition[(states, *a)]
        paid[:, a[case.player]] += weight * case.reward[case.player][(states, *a)]
    return moves, paid


def _earned(case: Case, logits: Any) -> Any:
    """J of the player for its own logits (…, O, A), complex where they are."""
    moves, paid = _induced(case, _policies(case))
    own = _softmax(logits)[..., case.observe[case.player], :]
    chain = np.einsum("...sa,sat->...st", own, moves)
    now = (own * paid).sum(axis=-1)[..., None]
    return np.linalg.solve(np.eye(len(paid)) - case.gamma * chain, now)[..., 0] @ case.initial


def _value_of(case: Case) -> float:
    return float(_earned(case, case.logits[case.player]))


def _derivative(case: Case) -> Array:
    """∂J/∂θ of the player, by complex steps."""
    theta = case.logits[case.player]
    steps = 1j * STEP * np.eye(theta.size).reshape(-1, *theta.shape)
    found: Array = _earned(case, theta + steps).imag.reshape(theta.shape) / STEP
    return found


def _size(case: Case) -> float:
    """How large entries of a gradient can be, at least 1."""
    return max(1.0, float(np.abs(case.reward).max())) / (1.0 - case.gamma) ** 2


def _split(answer: Answer, case: Case) -> tuple[Any, Array]:
    """(value, gradient), after type and shape."""
    got = answer(*case)
    assert isinstance(got, tuple) and len(got) == 2, "need a pair (value, gradient)"  # noqa: PT018
    shaped(got[0], (), "the value")
    shaped(got[1], case.logits[case.player].shape, "the gradient")
    return got[0], np.asarray(got[1], dtype=float)


def _same(case: Case, got: Any, expected: Any, what: str) -> None:
    """Rounding errors are of the size of the gradient's parts, not of their sum."""
    atol = 1e-9 * _size(case) / max(1.0, float(np.abs(expected).max()))
    close(got, expected, what, atol=atol)


def _value(answer: Answer, case: Case) -> None:
    expected = _value_of(case)
    _same(case, _split(answer, case)[0], expected, "the value")


def _slope(answer: Answer, case: Case) -> None:
    _same(case, _split(answer, case)[1], _derivative(case), "the gradient")


def _rows(answer: Answer, case: Case) -> None:
    total = _split(answer, case)[1].sum(axis=1)
    _same(case, total, np.zeros_like(total), "sums over the actions")


def _shaping(answer: Answer, case: Case) -> None:
    potential = 3.0 * np.arange(len(case.initial)) - 2.0
    first = potential.reshape([-1] + [1] * (case.transition.ndim - 2))
    added = case.gamma * case.transition @ potential - first + 5.0
    richer = case._replace(reward=case.reward + added)
    _same(
        richer,
        _split(answer, richer)[1],
        _split(answer, case)[1],
        "the gradient with 5 + γ Φ(s') - Φ(s) added to all rewards",
    )


def _first_states(answer: Answer, case: Case) -> None:
    each = [_split(answer, case._replace(initial=e))[1] for e in np.eye(len(case.initial))]
    expected = np.tensordot(case.initial, np.stack(each), axes=1)
    _same(case, _split(answer, case)[1], expected, "the average over first states")


def _others_rewards(answer: Answer, case: Case) -> None:
    reward = case.reward * 3.0 - 1.0
    reward[case.player] = case.reward[case.player]
    _same(
        case,
        _split(answer, case._replace(reward=reward))[1],
        _split(answer, case)[1],
        "the gradient when the others' rewards change",
    )


class Parts(NamedTuple):
    """What the formula is made of, and what may go wrong with it."""

    case: Case
    policies: list[Array]
    own: Array  # (S, A)
    moves: Array  # (S, A, S)
    paid: Array  # (S, A)
    chain: Array  # (S, S)
    visits: Array  # (S,)
    advantage: Array  # (S, A)


def _parts(case: Case, policies: Any = None, player: int | None = None) -> Parts:
    """All of them, perhaps with other policies, or rewards of another player."""
    pi = _policies(case) if policies is None else policies
    moves, paid = _induced(case, pi)
    if player is not None:
        reward = case.reward.copy()
        reward[case.player] = case.reward[player]
        paid = _induced(case._replace(reward=reward), pi)[1]
    own = pi[case.player]
    chain = np.einsum("sa,sat->st", own, moves)
    system = np.eye(len(own)) - case.gamma * chain
    v = np.linalg.solve(system, (own * paid).sum(axis=1))
    visits = np.linalg.solve(system.T, case.initial)
    advantage = paid + case.gamma * moves @ v - v[:, None]
    return Parts(case, pi, own, moves, paid, chain, visits, advantage)


def _gathered(parts: Parts, terms: Array) -> Array:
    """Terms (S, A) added up where states look alike."""
    gradient = np.zeros(parts.case.logits[parts.case.player].shape)
    np.add.at(gradient, parts.case.observe[parts.case.player], terms)
    return gradient


def _wrong(gradient: Callable[[Parts], Any], parts: Callable[[Case], Parts] = _parts) -> Answer:
    """The right value with a gradient that has one thing changed."""

    def answer(*arguments: Any) -> Any:
        case = Case(*arguments)
        return _value_of(case), gradient(parts(case))

    return answer


def _right(p: Parts) -> Any:
    return _gathered(p, p.visits[:, None] * p.own * p.advantage)


def _no_discounts(p: Parts) -> Any:
    reached, total = p.case.initial, np.zeros_like(p.case.initial)
    for _ in range(100):
        total, reached = total + reached, reached @ p.chain
    return _gathered(p, total[:, None] * p.own * p.advantage)


def _first_round_only(p: Parts) -> Any:
    return _gathered(p, p.case.initial[:, None] * p.own * p.advantage)


def _all_states_alike(p: Parts) -> Any:
    return _gathered(p, p.own * p.advantage)


def _normalised(p: Parts) -> Any:
    return (1.0 - p.case.gamma) * _right(p)


def _no_minus_pi(p: Parts) -> Any:
    q = p.advantage + np.linalg.solve(
        np.eye(len(p.own)) - p.case.gamma * p.chain, (p.own * p.paid).sum(axis=1)
    ).reshape(-1, 1)
    return _gathered(p, p.visits[:, None] * p.own * q)


def _of_probabilities(p: Parts) -> Any:
    return _gathered(p, p.visits[:, None] * p.advantage)


def _even_mean(p: Parts) -> Any:
    a = p.advantage - p.advantage.mean(axis=1, keepdims=True)
    return _gathered(p, p.visits[:, None] * p.own * a)


def _immediate(p: Parts) -> Any:
    a = p.paid - (p.own * p.paid).sum(axis=1, keepdims=True)
    return _gathered(p, p.visits[:, None] * p.own * a)


def _overwritten(p: Parts) -> Any:
    gradient = np.zeros(p.case.logits[p.case.player].shape)
    gradient[p.case.observe[p.case.player]] = p.visits[:, None] * p.own * p.advantage
    return gradient


def _even_others(case: Case) -> Parts:
    pi = _policies(case)
    even = [np.full_like(x, 1.0 / x.shape[1]) for x in pi]
    return _parts(case, [x if j == case.player else even[j] for j, x in enumerate(pi)])


def _wrong_player(case: Case) -> Parts:
    return _parts(case, player=(case.player + 1) % len(case.reward))


def _turned(p: Parts) -> Any:
    visits = np.linalg.solve(np.eye(len(p.own)) - p.case.gamma * p.chain, p.case.initial)
    return _gathered(p, visits[:, None] * p.own * p.advantage)


def _downhill(p: Parts) -> Any:
    return -_right(p)


def _library(*arguments: Any) -> Any:
    case = Case(*arguments)
    game = MarkovGame(case.transition, case.reward, case.gamma, case.initial)
    found = reference(game, case.logits, case.observe)
    return float(found.values[case.player]), found.gradient[case.player]


SPEC = Spec(
    exercise="marl-policy-gradient",
    function="policy_gradient",
    cases=cases(),
    properties=(
        Property(
            "the value is what all policies together earn from the first state on",
            _value,
            "Average the others out as in exercise 1.19; then V solves one linear system.",
        ),
        Property(
            "the gradient sums to 0 over the actions of each observation",
            _rows,
            "A shift of a row of logits changes no policy. Which average does an advantage lack?",
            weight=0,
        ),
        Property(
            "what the others are paid does not matter",
            _others_rewards,
            "Whose rewards make the advantage?",
            weight=0,
        ),
        Property(
            "a potential that is paid for arriving and taken back for leaving changes nothing",
            _shaping,
            "What is the same for all actions of a state must drop out of the advantage.",
            weight=0,
        ),
        Property(
            "it is the average over the first state",
            _first_states,
            "The first state enters by the visits, and they are linear in it.",
            weight=0,
        ),
        Property(
            "the gradient is the derivative of the value by each own logit",
            _slope,
            "For each state and action: how often, with gamma^t and from initial on; how likely; "
            "how much better than average, later rewards included. States that look alike add up.",
            weight=5,
        ),
        layouts(_slope, "reward"),
        *PURE,
    ),
    mistakes=(
        Mistake("visits are counted without the discounts γ^t", _wrong(_no_discounts)),
        Mistake("only the first round counts", _wrong(_first_round_only)),
        Mistake("every state counts once", _wrong(_all_states_alike)),
        Mistake("visits are normalised to sum to 1", _wrong(_normalised)),
        Mistake("the chain is turned the wrong way for the visits", _wrong(_turned)),
        Mistake("the score lacks its part -π", _wrong(_no_minus_pi)),
        Mistake("the gradient is by probabilities, not by logits", _wrong(_of_probabilities)),
        Mistake("the advantage is over an even mean, not that of π", _wrong(_even_mean)),
        Mistake("the advantage is that of the next reward only", _wrong(_immediate)),
        Mistake("states that look alike overwrite each other", _wrong(_overwritten)),
        Mistake("the others are taken to mix evenly", _wrong(_right, _even_others)),
        Mistake("the advantage is another player's", _wrong(_right, _wrong_player)),
        Mistake("the sign is that of descent", _wrong(_downhill)),
    ),
    reference=_library,
)
