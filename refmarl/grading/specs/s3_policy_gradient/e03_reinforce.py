"""What an answer to exercise 3.3 must satisfy."""

import itertools
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from ....check import Array
from ....nn import categorical
from ....policy_gradient import reinforce
from ....testing.trajectories import SEEDS, UNIT
from ...spec import PURE, Answer, Mistake, Property, Spec, close, shaped
from .._layouts import layouts
from ._softmax import log_pi, slope

Lists = list[Any]


class Case(NamedTuple):
    """Arguments of the exercise's function."""

    logits: Array
    states: Lists
    actions: Lists
    rewards: Lists
    gamma: float
    baseline: Array


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """One to three episodes of one to four steps, up to three states and three actions."""
    rng = np.random.default_rng(draw(SEEDS))
    num_states, num_actions = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    lengths = draw(st.lists(st.integers(1, 4), min_size=1, max_size=3))
    return Case(
        rng.uniform(-2.0, 2.0, (num_states, num_actions)).round(1),
        [rng.integers(num_states, size=k) for k in lengths],
        [rng.integers(num_actions, size=k) for k in lengths],
        [rng.uniform(-2.0, 2.0, k).round(1) for k in lengths],
        draw(UNIT),
        rng.uniform(-1.0, 1.0, num_states).round(1),
    )


def _gradient(answer: Answer, case: Case) -> Array:
    found = answer(*case)
    shaped(found, case.logits.shape, "the gradient")
    return np.asarray(found, dtype=float)


def _shape(answer: Answer, case: Case) -> None:
    _gradient(answer, case)


def _one_step(answer: Answer, case: Case) -> None:
    short = case._replace(
        states=[x[:1] for x in case.states[:1]],
        actions=[x[:1] for x in case.actions[:1]],
        rewards=[x[:1] for x in case.rewards[:1]],
    )
    s, a, r = (int(short.states[0][0]), int(short.actions[0][0]), float(short.rewards[0][0]))
    wanted = r * slope(lambda x: log_pi(x)[s, a], case.logits)
    found = _gradient(answer, short._replace(baseline=0.0 * case.baseline))
    close(found, wanted, f"the gradient of one episode of one step, without a baseline: {s, a, r}")


def _sums_to_zero(answer: Answer, case: Case) -> None:
    total = _gradient(answer, case).sum(axis=1)
    close(total, np.zeros(len(case.logits)), "the sum over the actions of each state")


def _mean(answer: Answer, case: Case) -> None:
    each = [
        _gradient(answer, case._replace(states=[s], actions=[a], rewards=[r]))
        for s, a, r in zip(case.states, case.actions, case.rewards, strict=True)
    ]
    close(_gradient(answer, case), np.mean(each, axis=0), "the gradient, as mean over episodes")


def _rewards_to_go(answer: Answer, case: Case) -> None:
    # a reward at k moves the scores of the actions up to k, each by γ^t γ^(k−t) = γ^k
    s, a, r = case.states[0], case.actions[0], case.rewards[0]
    one = case._replace(states=[s], actions=[a], rewards=[r])
    for k in range(len(r)):
        more = r.copy()
        more[k] += 1.0
        moved = _gradient(answer, one._replace(rewards=[more])) - _gradient(answer, one)
        wanted = slope(lambda x, k=k: log_pi(x)[s[: k + 1], a[: k + 1]].sum(), case.logits)
        close(moved, case.gamma**k * wanted, f"what one more reward at step {k} changes")


def _baseline(answer: Answer, case: Case) -> None:
    lift = 2.0 + np.arange(len(case.baseline))

    def shift(x: Any) -> Any:
        return sum(
            (case.gamma ** np.arange(len(s)) * lift[s] * log_pi(x)[s, a]).sum()
            for s, a in zip(case.states, case.actions, strict=True)
        ) / len(case.states)

    moved = _gradient(answer, case._replace(baseline=case.baseline + lift))
    wanted = _gradient(answer, case) - slope(shift, case.logits)
    close(moved, wanted, f"the gradient for a baseline that is higher by {lift}")


def _definition(answer: Answer, case: Case) -> None:
    wanted = np.zeros(case.logits.shape)
    for s, a, r in zip(case.states, case.actions, case.rewards, strict=True):
        for t in range(len(r)):
            to_come = case.gamma ** np.arange(len(r) - t) @ r[t:]
            weight = case.gamma**t * (to_come - case.baseline[s[t]])
            wanted += weight * slope(lambda x, s=s[t], a=a[t]: log_pi(x)[s, a], case.logits)
    close(_gradient(answer, case), wanted / len(case.rewards), "the gradient")


def _large(answer: Answer, case: Case) -> None:
    _definition(answer, case._replace(logits=500.0 * case.logits))


def _unbiased(answer: Answer, case: Case) -> None:
    # Two steps, state 0 first; action a leads to state a modulo S and pays rewards[a modulo T].
    logits, pay = case.logits, case.rewards[0]
    num_states, num_actions = logits.shape

    def worth(a: int, b: int) -> float:
        return float(pay[a % len(pay)] + case.gamma * (b - pay[b % len(pay)]))

    def expected(x: Any) -> Any:
        chance = np.exp(log_pi(x))
        pairs = itertools.product(range(num_actions), repeat=2)
        return sum(chance[0, a] * chance[a % num_states, b] * worth(a, b) for a, b in pairs)

    chance, total = np.exp(log_pi(logits)), np.zeros(logits.shape)
    for a, b in itertools.product(range(num_actions), repeat=2):
        s = np.array([0, a % num_states])
        r = np.array([pay[a % len(pay)], b - pay[b % len(pay)]])
        one = case._replace(states=[s], actions=[np.array([a, b])], rewards=[r])
        total += chance[0, a] * chance[s[1], b] * _gradient(answer, one)
    close(total, slope(expected, logits), "the expected gradient of all episodes of two steps")


def _variant(
    weigh: bool = True,
    to_go: str = "later",
    subtract: bool = True,
    per: str = "episode",
    own: bool = False,
    sign: float = 1.0,
    by_time: bool = False,
    last: bool = False,
    plain_b: bool = False,
) -> Answer:
    """The estimate with one thing changed, for the wrong answers below."""

    def answer(
        logits: Any, states: Any, actions: Any, rewards: Any, gamma: float, baseline: Any
    ) -> Any:
        chances = np.exp(log_pi(logits))
        gradient = np.zeros(logits.shape)
        for s, a, r in zip(states, actions, rewards, strict=True):
            for t in range(len(r)):
                first = {"later": t, "all": 0, "after": t + 1, "plain": t}[to_go]
                rest = r[first:]
                powers = np.arange(len(rest)) + (first - t if to_go == "after" else 0)
                g = rest.sum() if to_go == "plain" else gamma**powers @ rest
                b = baseline[t % len(baseline)] if by_time else baseline[s[t]]
                score = -(not own) * chances[s[t]]
                score[a[t]] += 1.0 - own * chances[s[t], a[t]]
                factor = gamma**t if weigh else 1.0
                share = factor * g - (1.0 if plain_b else factor) * subtract * b
                gradient[s[t]] = sign * share * score + (not last) * gradient[s[t]]
        count = {"episode": len(rewards), "step": sum(map(len, rewards)), "nothing": 1}[per]
        return gradient / count

    return answer


def _overflows(
    logits: Any, states: Any, actions: Any, rewards: Any, gamma: float, baseline: Any
) -> Any:
    with np.errstate(all="ignore"):
        chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    spoilt = np.where(np.isnan(chances), np.nan, 0.0)
    return spoilt + _variant()(logits, states, actions, rewards, gamma, baseline)


def _runs_on(
    logits: Any, states: Any, actions: Any, rewards: Any, gamma: float, baseline: Any
) -> Any:
    """All episodes joined to one."""
    joined = [[np.concatenate(part)] for part in (states, actions, rewards)]
    return _variant()(logits, *joined, gamma, baseline) / len(rewards)


def _library(
    logits: Any, states: Any, actions: Any, rewards: Any, gamma: float, baseline: Any
) -> Any:
    lengths = [len(r) for r in rewards]
    at = np.array([(t, n) for n, k in enumerate(lengths) for t in range(k)])
    padded = np.zeros((max(lengths), len(lengths), 1))
    for n, r in enumerate(rewards):
        padded[: len(r), n, 0] = r
    s, a = np.concatenate(states), np.concatenate(actions)
    cfg = reinforce.Config(gamma=gamma, baseline="value")
    weight, _ = reinforce.weights(cfg, padded, at, baseline[s][:, None])
    gain = reinforce.score_gain(categorical, logits[s], a, weight[:, 0])
    gradient = np.zeros(logits.shape)
    np.add.at(gradient, s, gain.gradient)
    return gradient


SPEC = Spec(
    exercise="reinforce",
    function="reinforce",
    cases=cases(),
    properties=(
        Property(
            "one number for each logit", _shape, "The answer has the shape of logits.", gate=True
        ),
        Property(
            "the numbers of a state sum to zero over its actions",
            _sums_to_zero,
            "Adding one number to all logits of a state does not change pi. Which logits does "
            "log pi(a|s) depend on, besides that of a?",
            weight=0,
        ),
        Property(
            "episodes are averaged, whatever their lengths",
            _mean,
            "Divide by the number of episodes, once. What one episode gives a state is added to "
            "what others gave it; each begins anew, with nothing to come.",
            weight=0,
        ),
        Property(
            "after one step, with no baseline, it is r times the slope of log pi",
            _one_step,
            "One step: its return is r. The slope is 1 - pi(a|s) in the logit of a, -pi(b|s) in "
            "those of the others, 0 in other states. J grows along it.",
        ),
        Property(
            "a reward counts for the actions before it and for no later one",
            _rewards_to_go,
            "The reward at k reaches action t ≤ k by gamma^t of the action and gamma^(k-t) of G_t: "
            "gamma^k in all. An action cannot change what was paid before it.",
        ),
        Property(
            "a higher baseline takes away the weighted scores",
            _baseline,
            "G_t - b(s_t) weighs the score: b is that of the state in which the action was taken, "
            "and counts gamma^t times, as G_t does.",
        ),
        Property(
            "on average it is the gradient of J",
            _unbiased,
            "J discounts the second step. Does the second action's share know that?",
        ),
        Property(
            "it is the mean over episodes of the sum of weighted scores",
            _definition,
            "A state may come more than once in an episode: what it is given adds up.",
            weight=2,
        ),
        Property(
            "logits may be of any size",
            _large,
            "exp of a large number overflows. pi stays the same if a row's largest logit is "
            "subtracted first.",
        ),
        layouts(_definition, "logits", "rewards", "baseline"),
        *PURE,
    ),
    mistakes=(
        Mistake("gamma^t is left out", _variant(weigh=False)),
        Mistake("each action is given the return of the whole episode", _variant(to_go="all")),
        Mistake("the reward of the action itself is left out", _variant(to_go="after")),
        Mistake("the rewards to come are not discounted", _variant(to_go="plain")),
        Mistake("the baseline is ignored", _variant(subtract=False)),
        Mistake("the baseline is read at t instead of at the state", _variant(by_time=True)),
        Mistake("it is divided by the number of steps", _variant(per="step")),
        Mistake("the episodes are summed", _variant(per="nothing")),
        Mistake("only the logit of the action taken is moved", _variant(own=True)),
        Mistake("the sign is that of a loss", _variant(sign=-1.0)),
        Mistake("a state that comes again keeps its last share only", _variant(last=True)),
        Mistake("the baseline is not weighed with gamma^t", _variant(plain_b=True)),
        Mistake("exponentials of large logits overflow", _overflows),
        Mistake("the rewards of the next episode count for this one", _runs_on),
    ),
    reference=_library,
)
