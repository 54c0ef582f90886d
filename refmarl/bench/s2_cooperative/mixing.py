"""QMIX's update on one batch: three agents of 15 numbers and 6 actions, a state of 45, 32 rows.

Networks and constants are those that PyMARL names: two layers of 64 for the agents, who share them
and see an id, 32 units of mixing, 64 of the networks of its weights; double Q-learning, gradients
of norm 10 at most, Adam. ``size`` updates follow each other on the same rows. Two starts need not
be the same; that all updates were made and that the loss fell is asked of everybody.
"""

from importlib import import_module
from typing import Any, NamedTuple

import numpy as np

from ...value_grad import Real
from ..task import Peer, Task

AGENTS, SEEN, ACTIONS, ROWS, STATE = 3, 15, 6, 32, 45
UNITS, MIXING, HYPER, RATE, GAMMA, PERIOD, NORM = 64, 32, 64, 5e-4, 0.99, 200, 10.0


class Given(NamedTuple):
    """How many updates, and the rows."""

    updates: int
    seed: int
    obs: Real  # (2, M, n, O): before and after
    state: Real  # (2, M, S)
    action: Real  # (M, n)
    reward: Real  # (M,)
    over: Real  # (M,)


class Trained(NamedTuple):
    """What came out."""

    updates: float  # by those asked for
    loss: float  # the last by the first


def rows(seed: int, size: int) -> tuple[Given, ...]:
    """Random rows; the number of updates is the size."""
    rng = np.random.default_rng(seed)
    obs, state = (
        rng.standard_normal(shape).astype(np.float32)
        for shape in ((2, ROWS, AGENTS, SEEN), (2, ROWS, STATE))
    )
    action, reward = rng.integers(ACTIONS, size=(ROWS, AGENTS)), rng.standard_normal(ROWS)
    over = rng.random(ROWS) < 0.5
    return (Given(size, seed, obs, state, action, reward.astype(np.float32), over),)


def same(truth: Trained, got: Trained) -> bool:
    """As many updates, and a loss that has fallen."""
    return abs(got.updates - 1.0) < 1e-9 and 0.0 <= got.loss < 0.9


class _Ours:
    def __init__(self, given: Given) -> None:
        from ...cooperative import qmix
        from ...cooperative import value_decomposition as base
        from ...cooperative.experience import Batch
        from ...cooperative.mixers import Monotone
        from ...cooperative.utilities import Utilities
        from ...env_api import Discrete, Group

        group = Group("team", tuple("abc"), SEEN, Discrete(ACTIONS))
        self.nets = Utilities((group,), (UNITS, UNITS)), Monotone(AGENTS, STATE, MIXING, HYPER)
        self.cfg = qmix.Config(lr=RATE, gamma=GAMMA, period=PERIOD, max_norm=NORM, batch=ROWS)
        rng = np.random.default_rng(given.seed)
        phi = np.concatenate([net.init(rng, dtype=np.float32) for net in self.nets])
        self.agent = base.Agent(phi, phi.copy(), base.ADAM.init(phi))
        whole = np.repeat(given.reward[:, None], AGENTS, axis=1)
        self.batch = Batch(
            (given.obs[0],), (given.action,), whole, np.full((ROWS, 1), GAMMA, np.float32),
            np.repeat(given.over[:, None], AGENTS, axis=1), (given.obs[1],), (), (),
            given.state[0], given.state[1], None, None,
        )  # fmt: skip
        self.update, self.method, self.count = base.update, qmix.METHOD, given.updates
        self.first: float | None = None

    def run(self) -> tuple[float, float]:
        before = self.agent.opt.step
        metrics: dict[str, float] = {"loss": np.nan}
        for _ in range(self.count):
            self.agent, metrics = self.update(
                self.cfg, self.nets, self.agent, self.batch, self.method
            )
            self.first = metrics["loss"] if self.first is None else self.first
        return self.agent.opt.step - before, metrics["loss"] / (self.first or 1.0)


class Sizes(NamedTuple):
    """Of a team and its learner."""

    agents: int
    inputs: int  # of an agent's network
    actions: int
    state: int
    rate: float = RATE
    period: int = PERIOD


class Program:
    """QMIX in PyTorch, written as one would."""

    def __init__(self, sizes: Sizes, seed: int) -> None:
        self.torch, self.sizes = import_module("torch"), sizes
        self.torch.set_num_threads(1)
        self.torch.manual_seed(seed)
        self.net, self.slow = self._build(), self._build()
        self.slow.load_state_dict(self.net.state_dict())
        self.parameters = list(self.net.parameters())
        self.adam = self.torch.optim.Adam(self.parameters, lr=sizes.rate)
        self.done = 0

    def _build(self) -> Any:
        nn, (agents, inputs, actions, state, *_) = self.torch.nn, self.sizes

        def two(i: int, h: int, o: int) -> Any:
            return nn.Sequential(nn.Linear(i, h), nn.ReLU(), nn.Linear(h, o))

        agent = nn.Sequential(
            nn.Linear(inputs, UNITS), nn.ReLU(), nn.Linear(UNITS, UNITS), nn.ReLU(),
            nn.Linear(UNITS, actions),
        )  # fmt: skip
        return nn.ModuleDict({
            "agent": agent, "w1": two(state, HYPER, agents * MIXING),
            "w2": two(state, HYPER, MIXING), "b": nn.Linear(state, MIXING),
            "v": two(state, MIXING, 1),
        })  # fmt: skip

    def mix(self, net: Any, q: Any, state: Any) -> Any:
        """Q_tot (M,) of utilities (M, n)."""
        w1 = net["w1"](state).abs().view(-1, self.sizes.agents, MIXING)
        b, w2 = net["b"](state)[:, None], net["w2"](state).abs().view(-1, MIXING, 1)
        hidden = self.torch.nn.functional.elu(self.torch.bmm(q[:, None], w1) + b)
        return self.torch.bmm(hidden, w2)[:, 0, 0] + net["v"](state)[:, 0]

    def learn(self, obs: Any, state: Any, action: Any, reward: Any, going: Any) -> float:
        """One update; ``obs`` and ``state`` before and after, the loss comes back."""
        torch = self.torch
        with torch.no_grad():
            best = self.net["agent"](obs[1]).argmax(-1, keepdim=True)
            q_next = self.slow["agent"](obs[1]).gather(-1, best)[..., 0]
            y = reward + GAMMA * going * self.mix(self.slow, q_next, state[1])
        q = self.net["agent"](obs[0]).gather(-1, action)[..., 0]
        loss = ((self.mix(self.net, q, state[0]) - y) ** 2).mean()
        self.adam.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.parameters, NORM)
        self.adam.step()
        self.done += 1
        if self.done % self.sizes.period == 0:
            self.slow.load_state_dict(self.net.state_dict())
        return float(loss.detach())


class _Torch(Program):
    """Updates on the given rows."""

    def __init__(self, given: Given) -> None:
        super().__init__(Sizes(AGENTS, SEEN + AGENTS, ACTIONS, STATE), given.seed)
        ids = np.broadcast_to(np.eye(AGENTS, dtype=np.float32), (2, ROWS, AGENTS, AGENTS))
        obs, going = np.concatenate([given.obs, ids], axis=-1), 1.0 - given.over.astype(np.float32)
        action = given.action[..., None]
        self.rows = [self.torch.tensor(x) for x in (obs, given.state, action, given.reward, going)]
        self.count = given.updates
        self.first: float | None = None

    def run(self) -> tuple[float, float]:
        value = np.nan
        for _ in range(self.count):
            value = self.learn(*self.rows)
            self.first = value if self.first is None else self.first
        return float(self.count), value / (self.first or 1.0)


def _run(learner: Any) -> Any:
    return learner.run()


def _trained(given: Given, result: tuple[float, float]) -> Trained:
    return Trained(result[0] / given.updates, result[1])


TASKS = (
    Task(
        name="qmix-update",
        title="QMIX: updates of three agents, 32 rows",
        size="updates",
        sizes=(200, 1000),
        quick=(200,),
        inputs=rows,
        ours=Peer(name="refmarl", package="refmarl", prepare=_Ours, run=_run, answer=_trained),
        peers=(Peer(name="torch", package="torch", prepare=_Torch, run=_run, answer=_trained),),
        same=same,
        patience=30.0,
    ),
)
