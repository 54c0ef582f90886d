"""What an answer to exercise 2.3 must satisfy."""

from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from ....check import Array
from ....cooperative import deterministic
from ...spec import PURE, Answer, Mistake, Property, Spec, close, need, shaped
from .._layouts import layouts


class Case(NamedTuple):
    """Arguments of the exercise's function."""

    q: Array
    reward: Array
    terminated: Any
    truncated: Any
    next_obs: Array
    policies: Array
    critics: Array
    gamma: float


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Up to four steps of up to three agents; each step may end its episode, in either way."""
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    rows, agents, size = draw(st.integers(1, 4)), draw(st.integers(1, 3)), draw(st.integers(1, 2))
    ends = rng.random(rows)
    q, reward = rng.integers(-9, 10, (2, rows, agents)) / 2.0
    return Case(
        q, reward, ends < 0.3, (ends >= 0.3) & (ends < 0.6),
        rng.integers(-4, 5, (rows, agents, size)) / 2.0,
        rng.integers(-4, 5, (agents, size)) / 2.0,
        rng.integers(-4, 5, (agents, agents * size + agents)) / 2.0,
        draw(st.sampled_from([0.0, 0.5, 0.9, 1.0])),
    )  # fmt: skip


def _target(case: Case) -> Array:
    """Step by step and agent by agent."""
    y = case.reward.astype(float)
    for m, i in np.ndindex(y.shape):
        if not case.terminated[m]:
            pairs = zip(case.policies, case.next_obs[m], strict=True)
            seen = [*case.next_obs[m].reshape(-1), *(np.tanh(w @ o) for w, o in pairs)]
            y[m, i] += case.gamma * float(case.critics[i] @ np.array(seen))
    return y


def _parts(answer: Answer, case: Case) -> tuple[Array, Array, Array]:
    found = answer(*case)
    need(isinstance(found, tuple | list), f"need (loss, y, dq), got {found!r:.60}")
    need(len(found) == 3, f"need (loss, y, dq), got {len(found)} things")
    shaped(found[0], case.reward.shape[1:], "loss")
    shaped(found[1], case.reward.shape, "y")
    shaped(found[2], case.reward.shape, "dq")
    loss, y, dq = (np.asarray(part, float) for part in found)
    return loss, y, dq


def _shape(answer: Answer, case: Case) -> None:
    _parts(answer, case)


def _terminal(answer: Answer, case: Case) -> None:
    y, over = _parts(answer, case)[1], case.terminated
    close(y[over], case.reward[over], "y where the episode terminated: the own reward alone")


def _truncated(answer: Answer, case: Case) -> None:
    y, cut = _parts(answer, case)[1], case.truncated
    close(y[cut], _target(case)[cut], "y where only the clock cut")


def _alone(answer: Answer, case: Case) -> None:
    """One agent: DDPG."""
    size, agents = case.next_obs.shape[2], len(case.policies)
    own = [*range(size), size * agents]
    case = case._replace(
        q=case.q[:, :1], reward=case.reward[:, :1], next_obs=case.next_obs[:, :1],
        policies=case.policies[:1], critics=case.critics[:1, own],
    )  # fmt: skip
    close(_parts(answer, case)[1], _target(case), "y of one agent, the target of DDPG")


def _relabel(answer: Answer, case: Case) -> None:
    """The last agent first: everything else follows."""
    agents, size = case.policies.shape
    order = np.roll(np.arange(agents), 1)
    columns = np.arange(agents * size).reshape(agents, size)[order].reshape(-1)
    moved = case._replace(
        q=case.q[:, order], reward=case.reward[:, order], next_obs=case.next_obs[:, order],
        policies=case.policies[order],
        critics=case.critics[order][:, [*columns, *(agents * size + order)]],
    )  # fmt: skip
    before, after = _parts(answer, case), _parts(answer, moved)
    close(after[1], _target(case)[:, order], "y with the agents in another order")
    for what, old, new in zip(("loss", "y", "dq"), before, after, strict=True):
        close(new, old[..., order], f"{what} with the agents in another order")


def _whole(answer: Answer, case: Case) -> None:
    close(_parts(answer, case)[1], _target(case), "y")


def _loss(answer: Answer, case: Case) -> None:
    close(_parts(answer, case)[0], ((case.q - _target(case)) ** 2).mean(axis=0), "the losses")


def _slope(answer: Answer, case: Case) -> None:
    """The losses are quadratic in q: a central difference of any step is exact."""
    dq, y = _parts(answer, case)[2], _target(case)
    wanted = np.zeros(case.q.shape)
    for at in np.ndindex(case.q.shape):
        move = np.zeros(case.q.shape)
        move[at] = 0.5
        ahead, back = (((case.q + s * move - y) ** 2).mean(axis=0).sum() for s in (1.0, -1.0))
        wanted[at] = ahead - back
    close(dq, wanted, "dq, the slope of the losses with y held")


def _all(answer: Answer, case: Case) -> None:
    _whole(answer, case)
    _loss(answer, case)
    _slope(answer, case)


def _variant(kind: str) -> Answer:
    """The losses with one thing changed, for the wrong answers below."""

    def answer(
        q: Any, reward: Any, terminated: Any, truncated: Any, next_obs: Any, policies: Any,
        critics: Any, gamma: float,
    ) -> Any:  # fmt: skip
        rows, agents = reward.shape
        who = {"first policy": 0 * np.arange(agents), "shifted": np.arange(agents)[::-1]}
        used = policies[who.get(kind, np.arange(agents))]
        out = np.einsum("no,mno->mn", used, next_obs)
        after = out if kind == "no tanh" else np.tanh(out)
        x = np.concatenate([next_obs.reshape(rows, -1), after], axis=1)
        value = x @ critics.T
        if kind == "own alone":  # the others are taken to do nothing
            own = critics[:, -agents:] * np.eye(agents)
            value = next_obs.reshape(rows, -1) @ critics[:, :-agents].T + after @ own.T
        if kind == "first critic":
            value = value[:, :1] + 0.0 * value
        over = terminated | truncated if kind == "clock" else terminated
        on = 1.0 if kind == "goes on" else 1.0 - over[:, None]
        paid = reward.mean(axis=1, keepdims=True) if kind == "team" else reward
        y = paid + (1.0 if kind == "no gamma" else gamma) * on * value
        error = q - y
        half = 0.5 if kind == "half" else 1.0
        loss = half * (error**2).mean(axis=0)
        if kind == "one loss":
            loss = loss.mean() + 0.0 * loss
        dq = 2.0 * half * error / (rows * agents if kind == "per agent" else rows)
        if kind == "summed":
            loss, dq = loss * rows, dq * rows
        return loss, y, -dq if kind == "down" else dq

    return answer


def _library(
    q: Any, reward: Any, terminated: Any, truncated: Any, next_obs: Any, policies: Any,
    critics: Any, gamma: float,
) -> Any:  # fmt: skip
    rows, agents = np.shape(reward)
    after = np.tanh((np.asarray(policies) * next_obs).sum(axis=-1))
    x = np.concatenate([np.reshape(next_obs, (rows, -1)), after], axis=1)
    over = np.broadcast_to(np.asarray(terminated), (agents, rows))
    q_next, paid = (x @ np.transpose(critics)).T, np.transpose(np.asarray(reward, float))
    y = deterministic.critic_target(paid, over, q_next[None], gamma)
    q, weight = np.transpose(np.asarray(q, float)), np.full((agents, rows), 1.0 / rows)
    parts = [deterministic.critic_loss(q[None, i], y[i], weight[i]) for i in range(agents)]
    loss = [part.value for part in parts]
    return np.array(loss), y.T, np.stack([part.gradient[0] for part in parts], axis=1)


SPEC = Spec(
    exercise="maddpg-critic",
    function="maddpg_critic",
    cases=cases(),
    properties=(
        Property(
            "a loss for each agent, a target and a slope for each step and agent",
            _shape,
            "Agents do not share a critic here: nothing is summed over them.",
            gate=True,
        ),
        Property(
            "where an episode terminates y is the agent's own reward",
            _terminal,
            "Nothing comes after. An episode ends for all agents at once.",
        ),
        Property(
            "where only the clock cuts, y goes on",
            _truncated,
            "The state in which a time limit stops is worth what it is worth.",
        ),
        Property(
            "one agent: the target of DDPG",
            _alone,
            "tanh of policies[0] @ o', behind o', and that against the slow critic.",
        ),
        Property(
            "agents in another order: the same numbers in that order",
            _relabel,
            "Agent j's action comes from agent j's policy at agent j's observation.",
        ),
        Property("y is the target of (2.3)", _whole, "Put the pieces together.", weight=2),
        Property(
            "the losses are mean squared errors",
            _loss,
            "For each agent: the mean over the steps of (Q_i - y_i)^2, without a half.",
        ),
        Property(
            "dq is the slope of these losses, y held",
            _slope,
            "The slope of (Q - y)^2 is 2 (Q - y), and the mean divides by M.",
        ),
        layouts(_all, "q", "reward", "next_obs", "policies", "critics"),
        *PURE,
    ),
    mistakes=(
        Mistake("all agents act by the first agent's policy", _variant("first policy")),
        Mistake("policies go to the wrong agents", _variant("shifted")),
        Mistake("the policies' tanh is left out", _variant("no tanh")),
        Mistake("the others are taken to do nothing", _variant("own alone")),
        Mistake("the first agent's critic serves all", _variant("first critic")),
        Mistake("a truncated episode is not bootstrapped", _variant("clock")),
        Mistake("a terminated episode is bootstrapped", _variant("goes on")),
        Mistake("everybody is paid the mean reward", _variant("team")),
        Mistake("gamma is left out", _variant("no gamma")),
        Mistake("a half stands before the squares", _variant("half")),
        Mistake("the losses are averaged over the agents", _variant("one loss")),
        Mistake("dq is divided by the number of agents, too", _variant("per agent")),
        Mistake("the losses are summed over the steps", _variant("summed")),
        Mistake("dq points down the slope", _variant("down")),
    ),
    reference=_library,
)
