"""QMIX's update with a memory: 32 episodes of three agents, 50 steps, derivatives through time.

Networks and constants are PyMARL's: GRUs of 64 units and 64 above them for the agents, who share
them and see an id, mixing of 32 units, 64 of the networks of its weights; double Q-learning, Adam.
All episodes are whole, so that the PyTorch program may call its recurrent layer once for all steps
(``torch``), which is faster than one step after another, as PyMARL does it (``torch steps``).
``size`` updates from the same parameters on the same rows; everybody must come to the same loss.
"""

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from ...value_grad import Real
from ._torch import Given, Reader, Stepper, load, task

AGENTS, SEEN, ACTIONS, ROWS, STATE, STEPS = 3, 15, 6, 32, 45, 50
UNITS, MIXING, HYPER, RATE, GAMMA, NORM = 64, 32, 64, 5e-4, 0.99, 10.0


class _Data:
    """Random episodes, T + 1 rows of what is seen."""

    def __init__(self, seed: int) -> None:
        rng, lead = np.random.default_rng(seed), (STEPS + 1, ROWS)
        self.obs, self.state = (
            rng.standard_normal((*lead, *shape)).astype(np.float32)
            for shape in ((AGENTS, SEEN), (STATE,))
        )
        self.action = rng.integers(ACTIONS, size=(STEPS, ROWS, AGENTS))
        self.reward = rng.standard_normal((STEPS, ROWS)).astype(np.float32)
        self.over = np.zeros((STEPS, ROWS), bool)
        self.over[-1] = rng.random(ROWS) < 0.5


class _Ours:
    def __init__(self, given: Given) -> None:
        from ...cooperative import qmix
        from ...cooperative import value_decomposition as base
        from ...cooperative.mixers import Monotone
        from ...cooperative.utilities import Utilities
        from ...env_api import Discrete, Group

        group = Group("team", tuple("abc"), SEEN, Discrete(ACTIONS))
        agents = Utilities((group,), (UNITS,), memory=UNITS)
        self.nets = agents, Monotone(AGENTS, STATE, MIXING, HYPER)
        self.cfg = qmix.Config(
            lr=RATE, gamma=GAMMA, max_norm=NORM, memory=UNITS, stretch=STEPS, batch=ROWS
        )
        rng = np.random.default_rng(given.seed)
        phi = np.concatenate([net.init(rng, dtype=np.float32) for net in self.nets])
        self.agent = base.Agent(phi, phi.copy(), base.ADAM.init(phi))
        self.batch = _batch(_Data(given.seed))
        self.update, self.method, self.count = base.update, qmix.METHOD, given.size

    def run(self) -> tuple[float, float]:
        agent, told = self.agent, {"loss": np.nan, "q": np.nan}
        for _ in range(self.count):
            agent, told = self.update(self.cfg, self.nets, agent, self.batch, self.method)
        return told["loss"], told["q"]


def _batch(data: _Data) -> Any:
    """The episodes as our learner draws them: T · M rows, time first."""
    from ...cooperative.experience import Batch
    from ...cooperative.utilities import Stretch

    def flat(x: Real) -> Real:
        return np.ascontiguousarray(x).reshape(-1, *x.shape[2:])

    starts = np.zeros((STEPS, ROWS), bool)
    starts[0] = True
    memory = np.zeros((ROWS, AGENTS, UNITS), np.float32)
    paid, over = (
        np.repeat(x.reshape(-1, 1), AGENTS, axis=1) for x in (data.reward, data.over)
    )  # fmt: skip
    return Batch(
        (flat(data.obs[:-1]),), (flat(data.action),), paid,
        np.full((STEPS * ROWS, 1), GAMMA, np.float32), over, (flat(data.obs[1:]),), (), (),
        flat(data.state[:-1]), flat(data.state[1:]), None, None,
        (Stretch((memory,), starts), None),
    )  # fmt: skip


class _Torch:
    """QMIX in PyTorch as one would write it, agents side by side in rows."""

    def __init__(self, stepwise: bool, given: Given) -> None:
        self.torch, self.stepwise, self.count = load(), stepwise, given.size
        self.phi, data = _Ours(given).agent.phi, _Data(given.seed)
        ids = np.broadcast_to(
            np.eye(AGENTS, dtype=np.float32), (STEPS + 1, ROWS, AGENTS, AGENTS)
        )  # fmt: skip
        x = np.concatenate([data.obs, ids], axis=-1).reshape(STEPS + 1, ROWS * AGENTS, -1)
        going = 1.0 - data.over.astype(np.float32)
        parts = x, data.state, data.action[..., None], data.reward, going
        self.rows = [self.torch.tensor(part) for part in parts]

    def _build(self) -> Any:
        torch, read = self.torch, Reader(self.torch, self.phi)
        nn, seen = torch.nn, SEEN + AGENTS
        nets = {"gru": read.gru(seen, UNITS)}
        nets["top"] = read.perceptron((seen + UNITS, UNITS, ACTIONS), nn.ReLU)
        # the first layers of all networks of the state stand in one matrix, for W, w, v and b
        widths = (HYPER, HYPER, MIXING, MIXING)
        into = read.perceptron((STATE, sum(widths)), nn.ReLU)
        parts = zip(into[0].weight.split(widths), into[0].bias.split(widths), strict=True)
        seconds = [(HYPER, AGENTS * MIXING), (HYPER, MIXING), (MIXING, 1)]
        later = [read.perceptron(sizes, nn.ReLU)[0] for sizes in seconds]
        for name, (weight, bias) in zip(("w1", "w2", "v", "b"), parts, strict=True):
            first = nn.Linear(STATE, len(bias))
            with torch.no_grad():
                first.weight.copy_(weight)
                first.bias.copy_(bias)
            after = [nn.ReLU(), later.pop(0)] if later else []
            nets[name] = nn.Sequential(first, *after)
        return nn.ModuleDict(nets)

    def _values(self, net: Any, x: Any) -> Any:
        """(T + 1, M, n, K)."""
        if self.stepwise:
            h = x.new_zeros(1, x.shape[1], UNITS)
            found = [h := net["gru"](row[None], h)[1] for row in x]
            kept = self.torch.cat(found)
        else:
            kept = net["gru"](x)[0]
        q = net["top"](self.torch.cat([x, kept], dim=-1))
        return q.view(len(x), ROWS, AGENTS, ACTIONS)

    def _mix(self, net: Any, q: Any, state: Any) -> Any:
        """Q_tot (T, M) of utilities (T, M, n)."""
        torch = self.torch
        w1 = net["w1"](state).abs().view(-1, AGENTS, MIXING)
        w2 = net["w2"](state).abs().view(-1, MIXING, 1)
        b, v = net["b"](state).view(-1, 1, MIXING), net["v"](state)[..., 0]
        hidden = torch.nn.functional.elu(torch.bmm(q.reshape(-1, 1, AGENTS), w1) + b)
        return torch.bmm(hidden, w2).view(v.shape) + v

    def run(self) -> tuple[float, float]:
        net, slow = self._build(), self._build()
        step = Stepper(self.torch, net.parameters(), RATE, NORM).down
        *_, last = self._learn(net, slow, step)
        return last

    def _learn(self, net: Any, slow: Any, step: Any) -> Iterator[tuple[float, float]]:
        x, state, action, reward, going = self.rows
        for _ in range(self.count):
            q = self._values(net, x)
            with self.torch.no_grad():
                best = q[1:].argmax(-1, keepdim=True)
                after = self._values(slow, x)[1:].gather(-1, best)[..., 0]
                y = reward + GAMMA * going * self._mix(slow, after, state[1:])
            total = self._mix(net, q[:-1].gather(-1, action)[..., 0], state[:-1])
            loss = (total - y).square().mean()
            step(loss)
            yield float(loss.detach()), float(total.detach().mean())


TASKS = (
    task(
        "qmix-memory-update",
        "QMIX with GRUs: updates of three agents, 32 episodes of 50 steps",
        _Ours,
        {"torch": partial(_Torch, False), "torch steps": partial(_Torch, True)},
    ),
)
