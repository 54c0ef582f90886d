"""A2C on CartPole: ``size`` environment steps of 8 copies, an update every 5 steps.

Networks 4-64-64-2 and 4-64-64-1 of tanh, RMSProp, gradients clipped at 0.5, as in ours. Two runs
need not be the same; that both take as many steps, and that a policy comes out that is not yet
certain of anything, is asked of everybody.
"""

from importlib import import_module
from itertools import pairwise
from math import log
from typing import Any, NamedTuple

import numpy as np

from ..task import Peer, Task

COPIES, ROWS, GAMMA, RATE, MAX_NORM = 8, 5, 0.99, 7e-4, 0.5


class Given(NamedTuple):
    """How many environment steps, and a seed."""

    steps: int
    seed: int


class Trained(NamedTuple):
    """What came out."""

    steps: float  # by those asked for
    entropy: float  # of the policy, the mean over the last batch


def steps(seed: int, size: int) -> tuple[Given, ...]:
    """The number of steps is the size."""
    return (Given(size, seed),)


def same(truth: Trained, got: Trained) -> bool:
    """As many steps; entropy between that of 95 : 5 and that of 1 : 1."""
    return abs(got.steps - 1.0) < 1e-9 and 0.2 < got.entropy < log(2) + 1e-4


# --------------------------------------------------------------------------------------------- ways


class _Ours:
    def __init__(self, given: Given) -> None:
        from ...envs.cartpole import CartPole
        from ...policy_gradient import a2c

        self.updates = given.steps // (COPIES * ROWS)
        self.env, self.a2c = CartPole(), a2c
        self.cfg = a2c.Config(
            lr=RATE, lam=1.0, epsilon=1e-5, num_envs=COPIES, num_steps=ROWS, max_norm=MAX_NORM
        )
        self.progress = a2c.start(self.env, self.cfg, np.random.default_rng(given.seed))

    def run(self) -> tuple[int, float]:
        before = self.progress.steps
        for _ in range(self.updates):
            self.progress, metrics = self.a2c.iterate(self.env, self.cfg, self.progress)
        return self.progress.steps - before, metrics["entropy"]


class _Torch:
    """The usual loop: Gymnasium's copies one by one, PyTorch's modules and distributions."""

    def __init__(self, given: Given) -> None:
        self.torch = torch = import_module("torch")
        gymnasium = import_module("gymnasium")
        torch.set_num_threads(1)
        torch.manual_seed(given.seed)
        self.updates = given.steps // (COPIES * ROWS)
        self.env = gymnasium.make_vec("CartPole-v1", COPIES, vectorization_mode="sync")
        self.actor, self.critic = self._network(2), self._network(1)
        self.parameters = [*self.actor.parameters(), *self.critic.parameters()]
        self.optimiser = torch.optim.RMSprop(self.parameters, lr=RATE, alpha=0.99, eps=1e-5)
        self.obs = torch.as_tensor(self.env.reset(seed=given.seed)[0])

    def _network(self, outputs: int) -> Any:
        nn = self.torch.nn
        sizes, parts = (4, 64, 64, outputs), []
        for inputs, units in pairwise(sizes):
            linear = nn.Linear(inputs, units)
            nn.init.orthogonal_(linear.weight, 0.01 if units == 2 else 2.0**0.5)
            nn.init.zeros_(linear.bias)
            parts += [linear, nn.Tanh()]
        return nn.Sequential(*parts[:-1])

    def _collect(self) -> Any:
        torch, rows = self.torch, []
        for _ in range(ROWS):
            with torch.no_grad():
                choice = torch.distributions.Categorical(logits=self.actor(self.obs))
                action = choice.sample()
            obs, reward, terminated, truncated, _ = self.env.step(action.numpy())
            ended = torch.as_tensor(terminated | truncated, dtype=torch.float32)
            reward = torch.as_tensor(reward, dtype=torch.float32)
            rows.append((self.obs, action, reward, ended))
            self.obs = torch.as_tensor(obs)
        return [torch.stack(part) for part in zip(*rows, strict=True)]

    def _update(self) -> float:
        torch = self.torch
        obs, action, reward, ended = self._collect()
        with torch.no_grad():
            tail, targets = self.critic(self.obs)[:, 0], []
            for t in range(ROWS - 1, -1, -1):
                tail = reward[t] + GAMMA * (1.0 - ended[t]) * tail
                targets.append(tail)
            target = torch.stack(targets[::-1])
        value = self.critic(obs)[..., 0]
        choice = torch.distributions.Categorical(logits=self.actor(obs))
        advantage = (target - value).detach()
        loss = 0.5 * (value - target).square().mean()
        loss = loss - (advantage * choice.log_prob(action)).mean()
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.parameters, MAX_NORM)
        self.optimiser.step()
        return float(choice.entropy().mean())

    def run(self) -> tuple[int, float]:
        for _ in range(self.updates):
            entropy = self._update()
        return self.updates * COPIES * ROWS, entropy


def _run(learner: Any) -> Any:
    return learner.run()


def _trained(given: Given, result: tuple[int, float]) -> Trained:
    return Trained(result[0] / given.steps, result[1])


TASKS = (
    Task(
        name="a2c-cartpole",
        title="A2C on CartPole, 8 copies",
        size="steps",
        sizes=(400, 4000),
        quick=(4000,),
        inputs=steps,
        ours=Peer(name="refmarl", package="refmarl", prepare=_Ours, run=_run, answer=_trained),
        peers=(Peer(name="torch", package="torch", prepare=_Torch, run=_run, answer=_trained),),
        same=same,
        patience=20.0,
    ),
)
