"""What an answer to exercise 2.9 must satisfy."""

from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from ....check import Array
from ....cooperative.shaping import shaped_reward
from ....value_grad import Real
from ...spec import PURE, Answer, Mistake, Property, Spec, close, shaped
from .._layouts import layouts


class Case(NamedTuple):
    """Arguments of the exercise's function."""

    reward: Array
    potential: Array
    next_potential: Array
    terminated: Real
    gamma: float


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Potentials in halves; a row follows the one above, except after an end."""
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    shape = draw(st.integers(1, 5)), draw(st.integers(1, 3))
    reward, phi, beyond = (rng.integers(-6, 7, shape) / 2.0 for _ in range(3))
    ended = rng.random(shape) < draw(st.sampled_from([0.0, 0.4, 1.0]))
    after = np.where(ended, beyond, np.concatenate([phi[1:], beyond[-1:]]))
    terminated = ended & (rng.random(shape) < 0.6)
    return Case(reward, phi, after, terminated, draw(st.sampled_from([0.5, 0.9, 0.0, 1.0])))


def _shape(answer: Answer, case: Case) -> None:
    shaped(answer(*case), case.reward.shape, "r'")


def _added(answer: Answer, case: Case) -> Array:
    _shape(answer, case)
    return np.asarray(answer(*case), dtype=float) - case.reward


def _no_potential(answer: Answer, case: Case) -> None:
    none = np.zeros_like(case.potential)
    got = answer(*case._replace(potential=none, next_potential=none))
    close(got, case.reward, "r' where the potential is 0 everywhere")


def _after_the_end(answer: Answer, case: Case) -> None:
    other = np.where(case.terminated, case.next_potential + 8.0, case.next_potential)
    want = np.asarray(answer(*case), dtype=float)
    close(
        answer(*case._replace(next_potential=other)), want, "r' with 8 more potential in the ends"
    )


def _at_the_limit(answer: Answer, case: Case) -> None:
    """Where nothing terminates, the reached state counts with γ."""
    never = case._replace(terminated=np.zeros_like(case.terminated))
    more = _added(answer, never._replace(next_potential=never.next_potential + 4.0))
    close(more - _added(answer, never), np.full(more.shape, 4.0 * case.gamma), "what 4 more add")


def _telescopes(answer: Answer, case: Case) -> None:
    """All rows of a column as one episode, which ends as its last row says."""
    after = np.concatenate([case.potential[1:], case.next_potential[-1:]])
    over = np.zeros_like(case.terminated)
    over[-1] = case.terminated[-1]
    added = _added(answer, case._replace(next_potential=after, terminated=over))
    weights = case.gamma ** np.arange(len(added))
    last = np.where(over[-1], 0.0, case.gamma ** len(added) * after[-1])
    close(weights @ added, last - case.potential[0], "the discounted sum of what is added")


def _action_values(answer: Answer, case: Case) -> None:
    """States in a ring: action m of state t leads m + 1 further; actions are taken evenly."""
    size, width = case.reward.shape
    to = (np.arange(size)[:, None] + np.arange(width) + 1) % size
    phi, gamma = case.potential[:, 0], min(case.gamma, 0.9)
    given = case._replace(
        potential=np.repeat(phi[:, None], width, axis=1), next_potential=phi[to], gamma=gamma
    )
    _shape(answer, given)
    goes = (np.eye(size)[to] * ~case.terminated[..., None]).mean(axis=1)

    def values(reward: Array) -> Array:
        v = np.linalg.solve(np.eye(size) - gamma * goes, reward.mean(axis=1))
        return np.asarray(reward + gamma * ~case.terminated * v[to])

    new, old = (values(r) for r in (np.asarray(answer(*given), dtype=float), case.reward))
    close(new, old - phi[:, None], "Q' of states in a ring")


def _definition(answer: Answer, case: Case) -> None:
    want = np.zeros(case.reward.shape)
    for k in np.ndindex(want.shape):
        ahead = 0.0 if case.terminated[k] else case.gamma * case.next_potential[k]
        want[k] = case.reward[k] + ahead - case.potential[k]
    close(answer(*case), want, "r'")


def _rolled(reward: Any, phi: Any, after: Any, over: Any, gamma: Any) -> Any:
    below = np.concatenate([phi[1:], after[-1:]])
    return reward + gamma * (1 - np.asarray(over)) * below - phi


SPEC = Spec(
    exercise="potential-shaping",
    function="shaped_rewards",
    cases=cases(),
    properties=(
        Property("one number for each reward", _shape, "All arrays are (T, M).", gate=True),
        Property(
            "a potential of 0 changes no reward",
            _no_potential,
            "The reward itself stays, whole, also at the end.",
            weight=0,
        ),
        Property(
            "after a termination the potential counts as 0",
            _after_the_end,
            "There is nothing to come there: multiply the next potential by 1 - d.",
            weight=0,
        ),
        Property(
            "elsewhere the potential of the state reached counts with gamma",
            _at_the_limit,
            "What is added is gamma times the potential reached, also where a time limit cut the "
            "episode, less the one left.",
        ),
        Property(
            "along an episode what is added telescopes",
            _telescopes,
            "The potential of the first state is paid back in every case.",
        ),
        Property(
            "action values sink by the potential, whatever the action",
            _action_values,
            "Q'(s, a) = Q(s, a) - Phi(s): the order of the actions is the same.",
            most=30,
        ),
        Property(
            "it is r + gamma (1 - d) Phi(s') - Phi(s)",
            _definition,
            "Which of the two potentials does (1 - d) multiply?",
            weight=2,
        ),
        layouts(_definition, "reward", "potential", "next_potential"),
        *PURE,
    ),
    mistakes=(
        Mistake("the end's potential is kept", lambda r, p, n, d, g: r + g * n - p),
        Mistake("the signs are swapped", lambda r, p, n, d, g: r - g * (1 - d) * n + p),
        Mistake("gamma is left out", lambda r, p, n, d, g: r + (1 - d) * n - p),
        Mistake(
            "at the end nothing is added at all", lambda r, p, n, d, g: r + (1 - d) * (g * n - p)
        ),
        Mistake(
            "gamma multiplies both potentials", lambda r, p, n, d, g: r + g * ((1 - d) * n - p)
        ),
        Mistake(
            "gamma multiplies the potential left behind",
            lambda r, p, n, d, g: r + (1 - d) * n - g * p,
        ),
        Mistake("the reward is lost at the end", lambda r, p, n, d, g: (1 - d) * (r + g * n) - p),
        Mistake(
            "only the part that is added is returned", lambda r, p, n, d, g: g * (1 - d) * n - p
        ),
        Mistake("the potential is paid, not its change", lambda r, p, n, d, g: r + g * (1 - d) * n),
        Mistake("the row below is taken for the next state, across ends", _rolled),
    ),
    reference=shaped_reward,
)
