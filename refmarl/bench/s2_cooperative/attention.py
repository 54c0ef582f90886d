"""Attention-MAAC on navigation, three agents, 1024 rows: updates, beside PyTorch's.

Sizes are those of Iqbal and Sha: 4 heads, 128 units in all networks; encoders and heads are shared
by the agents, so that the PyTorch program has no loop over them either. ``size`` updates from the
same parameters, rows and uniform numbers; everybody must come to the same losses.
"""

from typing import Any, cast

import numpy as np

from ...value_grad import Real
from ._torch import Given, Reader, Stepper, follow, load, task

AGENTS, SEEN, MOVES, UNITS, HEADS, ROWS = 3, 18, 5, 128, 4, 1024
GAMMA, TAU, RATE, ALPHA, NORM = 0.95, 0.02, 1e-3, 0.005, 10.0


class _Ours:
    def __init__(self, given: Given) -> None:
        from ...cooperative import attention_maac
        from ...envs.navigation import Navigation
        from ...replay import ring

        self.maac, self.env, self.given = attention_maac, Navigation(), given
        self.cfg = attention_maac.Config(
            hidden=(UNITS,), units=UNITS, heads=HEADS, lr=RATE, critic_lr=RATE, gamma=GAMMA,
            tau=TAU, alpha=ALPHA, max_norm=NORM, batch=ROWS, num_steps=2 * ROWS // 8, updates=0,
            warmup=10 * ROWS,
        )  # fmt: skip
        progress = attention_maac.start(self.env, self.cfg, np.random.default_rng(given.seed))
        progress, _ = attention_maac.iterate(self.env, self.cfg, progress)
        self.agent, stand = progress.agent, cast(Any, progress.roll)
        self.batch = ring.sample(stand.memory, np.random.default_rng([given.seed, 1]), ROWS)

    def run(self) -> tuple[float, float]:
        agent, rng = self.agent, np.random.default_rng(self.given.seed)
        for _ in range(self.given.size):
            agent, told = self.maac.update(self.env, self.cfg, agent, self.batch, rng)
        return told["critic_loss"], told["gain"]


class _Torch:
    """All agents' rows at once."""

    def __init__(self, given: Given) -> None:
        self.torch, self.count = load(), given.size
        ours, rng = _Ours(given), np.random.default_rng(given.seed)
        self.agent, batch = ours.agent, ours.batch
        rows = (
            batch.obs[0], batch.action[0], batch.reward[0], batch.next_obs[0],
            1.0 - batch.terminated[:, None].astype(np.float32),
        )  # fmt: skip
        self.rows = [self.torch.tensor(x) for x in rows]
        shape = (ROWS, AGENTS, 1)
        pairs = [(rng.random(shape), rng.random(shape)) for _ in range(given.size)]
        self.uniform = [[self.torch.tensor(u) for u in pair] for pair in pairs]
        self.apart = ~self.torch.eye(AGENTS, dtype=bool)

    def _critic(self, phi: Real) -> Any:
        nn, read, u = self.torch.nn, Reader(self.torch, phi), UNITS
        sizes = {"s": (SEEN, u, u), "e": (SEEN + MOVES, u, u), "f": (2 * u, u, MOVES)}
        nets = {name: read.perceptron(s, nn.LeakyReLU) for name, s in sizes.items()}
        nets |= {name: read.matrix(u, u) for name in ("q", "k", "v")}
        return nn.ModuleDict(nets | {"o": read.perceptron((u, u), nn.LeakyReLU)})

    def _actor(self, theta: Real) -> Any:
        return Reader(self.torch, theta).perceptron((SEEN, UNITS, MOVES), self.torch.nn.ReLU)

    def _values(self, net: Any, obs: Any, action: Any) -> Any:
        """Q (M, n, K) of all own actions."""
        torch = self.torch
        hot = torch.nn.functional.one_hot(action, MOVES).to(obs.dtype)
        h, e = net["s"](obs), net["e"](torch.cat([obs, hot], dim=-1))
        given = zip((h, e, e), "qkv", strict=True)
        q, k, v = (
            net[name](x).view(ROWS, AGENTS, HEADS, -1).transpose(1, 2) for x, name in given
        )  # fmt: skip
        score = (q @ k.transpose(2, 3)) * (UNITS // HEADS) ** -0.5
        seen = torch.softmax(score.masked_fill(~self.apart, -torch.inf), dim=-1) @ v
        joined = seen.transpose(1, 2).reshape(ROWS, AGENTS, UNITS)
        return net["f"](torch.cat([h, net["o"](joined)], dim=-1))

    def _draw(self, p: Any, u: Any) -> Any:
        return (p.double().cumsum(-1) > u).int().argmax(-1)

    def run(self) -> tuple[float, float]:
        agent, found = self.agent, (np.nan, np.nan)
        actor, slow_actor = self._actor(agent.theta[0]), self._actor(agent.theta_target[0])
        critic, slow = self._critic(agent.phi), self._critic(agent.phi_target)
        of_actor, of_critic = (
            Stepper(self.torch, net.parameters(), RATE, NORM) for net in (actor, critic)
        )
        for us in self.uniform:
            loss = self._critic_loss(critic, slow, slow_actor, us[0])
            of_critic.down(loss)
            gain = self._gain(actor, critic, us[1])
            of_actor.down(-gain)
            follow(self.torch, slow_actor, actor, TAU)
            follow(self.torch, slow, critic, TAU)
            found = float(loss.detach()), float(gain.detach())
        return found

    def _critic_loss(self, critic: Any, slow: Any, slow_actor: Any, u: Any) -> Any:
        torch, (obs, action, reward, after, going) = self.torch, self.rows
        with torch.no_grad():
            log_p = torch.log_softmax(slow_actor(after), dim=-1)
            p = log_p.exp()
            q = self._values(slow, after, self._draw(p, u))
            y = reward + GAMMA * going * (p * (q - ALPHA * log_p)).sum(-1)
        q = self._values(critic, obs, action).gather(-1, action[..., None])[..., 0]
        return (q - y).square().mean()

    def _gain(self, actor: Any, critic: Any, u: Any) -> Any:
        torch, obs = self.torch, self.rows[0]
        log_p = torch.log_softmax(actor(obs), dim=-1)
        with torch.no_grad():
            p = log_p.exp()
            action = self._draw(p, u)
            worth = self._values(critic, obs, action) - ALPHA * log_p
            worth = worth - (p * worth).sum(-1, keepdim=True)
            worth = worth.gather(-1, action[..., None])
        return (worth * log_p.gather(-1, action[..., None])).mean()


TASKS = (
    task(
        "attention-maac-updates",
        "attention-MAAC, updates of three agents by 1024 rows",
        _Ours,
        {"torch": _Torch},
    ),
)
