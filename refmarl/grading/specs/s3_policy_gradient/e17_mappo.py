"""What an answer to exercise 3.17 must satisfy."""

from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from ....check import Array
from ....nn import categorical
from ....policy_gradient import returns, surrogate
from ....testing.trajectories import SEEDS, UNIT
from ...spec import PURE, Answer, Mistake, Property, Spec, close
from .._layouts import layouts
from ._softmax import kept, log_pi, off_kinks, parts, slope


class Case(NamedTuple):
    """Arguments of the exercise's function."""

    logits: Array
    actions: Any  # integers
    log_prob_old: Array
    alive: Any  # bool
    reward: Array
    value: Array
    next_value: Array
    terminated: Any  # bool
    truncated: Any  # bool
    gamma: float
    lam: float
    epsilon: float


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """One to four steps of one to three agents; ends of both kinds, some of the agents dead."""
    rng = np.random.default_rng(draw(SEEDS))
    steps, agents, count = (draw(st.integers(1, most)) for most in (4, 3, 3))
    shape, epsilon = (steps, agents), draw(st.sampled_from([0.2, 0.5]))
    logits, actions = rng.uniform(-1.5, 1.5, (*shape, count)), rng.integers(count, size=shape)
    ratio = off_kinks(np.exp(rng.uniform(-0.8, 0.8, shape)), epsilon)
    alive = rng.random(shape) < 0.7
    alive[rng.integers(steps), rng.integers(agents)] = True
    ended = rng.random(steps) < 0.4
    terminated = ended & (rng.random(steps) < 0.5)
    reward = np.rint(4.0 * rng.uniform(-2.0, 2.0, shape)) / 2.0
    value, after = np.rint(4.0 * rng.uniform(-1.0, 1.0, (2, steps))) / 2.0
    log_prob_old = _chosen(logits, actions) - np.log(ratio)
    return Case(
        logits, actions, log_prob_old, alive, reward, value, after, terminated,
        ended & ~terminated, draw(UNIT), draw(UNIT), epsilon,
    )  # fmt: skip


def _chosen(logits: Any, actions: Any) -> Any:
    """log π of the actions, (T, N)."""
    table = log_pi(logits.reshape(-1, logits.shape[-1]))
    return table[np.arange(len(table)), np.ravel(actions)].reshape(np.shape(actions))


def _both(answer: Answer, case: Case) -> tuple[float, Array]:
    gain, d_logits = parts(answer(*case), ("L", ()), ("slope", case.logits.shape))
    return float(gain), d_logits


def _shape(answer: Answer, case: Case) -> None:
    _both(answer, case)


def _advantage(case: Case) -> Array:
    """A_t as the sum over later TD errors, up to the episode's end."""
    team = case.reward.mean(axis=1)
    delta = team + case.gamma * np.where(case.terminated, 0.0, case.next_value) - case.value
    found = np.zeros(len(delta))
    for t in range(len(delta)):
        for k in range(t, len(delta)):
            found[t] += (case.gamma * case.lam) ** (k - t) * delta[k]
            if case.terminated[k] or case.truncated[k]:
                break
    return found


def _objective(case: Case) -> Any:
    """L as a function of the logits, the same product being the smaller one."""
    advantage = np.repeat(_advantage(case)[:, None], case.reward.shape[1], axis=1)
    moves = kept(np.exp(_chosen(case.logits, case.actions) - case.log_prob_old), advantage,
                 case.epsilon)  # fmt: skip
    edge = np.where(advantage >= 0, 1.0 + case.epsilon, 1.0 - case.epsilon)

    def gain(x: Any) -> Any:
        r = np.where(moves, np.exp(_chosen(x, case.actions) - case.log_prob_old), edge)
        return (r * advantage)[case.alive].mean()

    return gain


def _value(answer: Answer, case: Case) -> None:
    close(_both(answer, case)[0], _objective(case)(case.logits), "L")


def _derivative(answer: Answer, case: Case) -> None:
    close(_both(answer, case)[1], slope(_objective(case), case.logits), "slope")


def _alone(answer: Answer, case: Case) -> None:
    fields: list[Any] = [x[:, :1] if isinstance(x, np.ndarray) and x.ndim > 1 else x for x in case]
    one = Case(*fields)._replace(alive=np.ones((len(case.reward), 1), dtype=bool))
    gain, d_logits = _both(answer, one)
    close(gain, _objective(one)(one.logits), "L of one agent, which is PPO's")
    close(d_logits, slope(_objective(one), one.logits), "slope of one agent, which is PPO's")


def _at_old(answer: Answer, case: Case) -> None:
    here = case._replace(log_prob_old=_chosen(case.logits, case.actions))
    wanted = np.repeat(_advantage(case)[:, None], case.reward.shape[1], axis=1)
    close(_both(answer, here)[0], wanted[case.alive].mean(), "L where no policy has moved")


def _dead(answer: Answer, case: Case) -> None:
    _, d_logits = _both(answer, case)
    none = np.zeros(d_logits[~case.alive].shape)
    close(d_logits[~case.alive], none, "slope of agents that are dead")
    other = np.where(case.alive, case.actions, (case.actions + 1) % case.logits.shape[2])
    changed = _both(answer, case._replace(actions=other))
    close(changed[0], _both(answer, case)[0], "L, if the dead had done something else")


def _own_ratio(answer: Answer, case: Case) -> None:
    # what one agent's policy became moves no other's slope
    moved = case.log_prob_old.copy()
    moved[:, 0] -= 0.3
    before, after = (_both(answer, case._replace(log_prob_old=x))[1] for x in
                     (case.log_prob_old, moved))  # fmt: skip
    close(after[:, 1:], before[:, 1:], "slope of the others, if agent 0 has another ratio")


def _variant(
    pay: str = "team", ratio: str = "own", dead: str = "out", leak: bool = False,
    ends: bool = False, moves_all: bool = False, sign: float = 1.0, critic: bool = True,
) -> Answer:  # fmt: skip
    """The answer with one thing changed, for the wrong answers below."""

    def answer(*given: Any) -> Any:
        case = Case(*given)
        over = case.terminated | (case.truncated & ends)
        team = case.reward.mean(axis=1, keepdims=True)
        paid = {"team": team + 0.0 * case.reward, "own": case.reward,
                "sum": len(case.reward[0]) * team + 0.0 * case.reward}[pay]  # fmt: skip
        after = np.where(over, 0.0, case.next_value)[:, None]
        delta = paid + critic * (case.gamma * after - case.value[:, None])
        cut = (case.terminated | case.truncated) & (not leak)
        advantage, tail = np.zeros(delta.shape), np.zeros(delta.shape[1])
        for t in reversed(range(len(delta))):
            tail = delta[t] + case.gamma * case.lam * (not cut[t]) * tail
            advantage[t] = tail
        log_r = _chosen(case.logits, case.actions) - case.log_prob_old
        if ratio == "joint":
            log_r = log_r.sum(axis=1, keepdims=True) + 0.0 * log_r
        r = np.exp(log_r)
        moves = kept(r, advantage, case.epsilon) | moves_all
        held = np.clip(r, 1.0 - case.epsilon, 1.0 + case.epsilon) * advantage
        alive = case.alive | (dead == "in")
        share = alive / (alive.size if dead == "zero" else alive.sum())
        pi = np.exp(log_pi(case.logits.reshape(-1, case.logits.shape[2]))).reshape(
            case.logits.shape
        )
        one = np.eye(pi.shape[2])[case.actions]
        weight = np.where(moves, r * advantage, 0.0) * share
        gain = (np.minimum(r * advantage, held) * share).sum()
        return sign * float(gain), sign * weight[..., None] * (one - pi)

    return answer


def _library(
    logits: Any, actions: Any, log_prob_old: Any, alive: Any, reward: Any, value: Any,
    next_value: Any, terminated: Any, truncated: Any, gamma: float, lam: float, epsilon: float,
) -> Any:  # fmt: skip
    team = np.asarray(reward, dtype=float).mean(axis=1)
    ended = terminated | truncated
    found = returns.gae(team, value, next_value, terminated, ended, gamma, lam)
    logits, actions, old = np.asarray(logits), np.asarray(actions), np.asarray(log_prob_old)
    advantage = np.repeat(found[:, None], reward.shape[1], axis=1)
    now = categorical.log_prob(logits, actions)
    gain, d_log = surrogate.clip_gain(now, old, advantage, epsilon, acts=np.asarray(alive))
    return gain, d_log[..., None] * categorical.d_log_prob(logits, actions)


SPEC = Spec(
    exercise="mappo",
    function="mappo",
    cases=cases(),
    properties=(
        Property("a number, and a slope for each logit", _shape, "L is a mean.", gate=True),
        Property(
            "the dead count for nothing",
            _dead,
            "Neither their slope nor their actions; but the team's reward includes theirs.",
            weight=0,
        ),
        Property(
            "one agent's ratio is no other's business",
            _own_ratio,
            "Each agent's sample has its own ratio. A product over agents is the ratio of the "
            "joint policy, another objective.",
            weight=0,
        ),
        Property(
            "where nothing has moved L is the mean advantage of the living",
            _at_old,
            "All ratios are 1. A_t comes from the team's reward, the mean over all agents, and "
            "from V, by exercise 3.5; every agent has the same. Divide by how many are alive.",
        ),
        Property(
            "one agent is PPO",
            _alone,
            "Its own reward is the team's. Get this right first, with exercises 3.5 and 3.7.",
        ),
        Property("L is what the equation says", _value, "Smaller product, mean of all alive.",
                 weight=2),
        Property(
            "the slope is the derivative of L",
            _derivative,
            "Where r A is the smaller one: r A (1{k = a} - pi_k), divided by the number of samples "
            "that count; elsewhere 0.",
            weight=2,
        ),
        layouts(_value, "reward", "value", "next_value"),
        *PURE,
    ),
    mistakes=(
        Mistake("each agent is judged by its own reward", _variant(pay="own")),
        Mistake("the team's reward is the sum", _variant(pay="sum")),
        Mistake("the ratio is that of the joint action", _variant(ratio="joint")),
        Mistake("the dead count like the living", _variant(dead="in")),
        Mistake("the dead count in the number of samples", _variant(dead="zero")),
        Mistake("advantages leak from the next episode", _variant(leak=True)),
        Mistake("a time limit is taken for an end", _variant(ends=True)),
        Mistake("the derivative does not know of the clipping", _variant(moves_all=True)),
        Mistake("the sign is that of a loss", _variant(sign=-1.0)),
        Mistake("the critic is not asked", _variant(critic=False)),
    ),
    reference=_library,
)  # fmt: skip
