"""MADDPG on navigation, three agents: whole training, and updates alone, beside PyTorch's.

``maddpg-navigation``: ``size`` environment steps with an update of 1024 rows for every hundred.
Before the clock starts 1100 steps have been taken. Ours steps 25 copies at once; the PyTorch
program, written as the usual ones are, steps MPE2's simple_spread. Two runs need not be the same:
as many updates, and critics that stand where the rewards are, is asked of everybody.

``maddpg-updates``: ``size`` updates, from the same parameters, the same rows and the same Gumbel
noise; everybody must come to the same losses.

Networks 18-64-64-5 and 69-64-64-1 of ReLU for each agent, Adam at 0.01, gradients cut at 0.5.
"""

from dataclasses import replace
from importlib import import_module
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from ...value_grad import Real
from ..s3_policy_gradient.networks import LARGE, LIMIT
from ..task import Peer, Task
from ._torch import Given, Moved, given, load
from ._torch import same as same_losses

AGENTS, SEEN, MOVES, UNITS, ROWS = 3, 18, 5, 64, 1024
GAMMA, TAU, RATE, CLIP, FLAT = 0.95, 0.01, 1e-2, 0.5, 1e-3
EVERY, COPIES, BEFORE, CAPACITY = 100, 25, 1100, 100_000
WORST = 40.0  # nobody's value is below minus this: γ and 25 steps of the worst reward


class Trained(NamedTuple):
    """What came out of a run."""

    updates: float  # by those asked for
    value: float  # mean of the critics over the rows of the last update, by WORST


def same_run(truth: Trained, got: Trained) -> bool:
    """As many updates; values below 0 and above what can be."""
    return abs(got.updates - 1.0) < 1e-9 and -1.0 < got.value < 0.0


def operations() -> int:
    """Multiplications and additions of an update's matrix products.

    Actors at o′, target critics; critics forward, ∂L/∂W and ∂L/∂x of all layers but the first;
    actors forward; critics forward and ∂Q/∂a; actors' ∂L/∂W and ∂L/∂x of all but the first.
    """
    sizes = (SEEN, UNITS, UNITS, MOVES), (AGENTS * (SEEN + MOVES), UNITS, UNITS, 1)
    actor, critic = (sum(i * o for i, o in pairwise(layers)) for layers in sizes)
    inner = actor - SEEN * UNITS, critic - sizes[1][0] * UNITS  # without the first layers
    total = 3 * actor + inner[0] + 4 * critic + 2 * inner[1] + MOVES * UNITS
    return 2 * ROWS * AGENTS * total


# ------------------------------------------------------------------------------------------- ours


class _Ours:
    def __init__(self, given: Given) -> None:
        from ...cooperative import maddpg
        from ...envs.navigation import Navigation

        self.maddpg, self.env, self.given = maddpg, Navigation(), given
        self.cfg = maddpg.Config(
            hidden=(UNITS, UNITS), lr=RATE, gamma=GAMMA, tau=TAU, clip=CLIP, flat=FLAT, batch=ROWS,
            every=EVERY, num_envs=COPIES, num_steps=EVERY // COPIES, warmup=BEFORE + 1,
            capacity=CAPACITY,
        )  # fmt: skip
        self.progress = maddpg.start(self.env, self.cfg, np.random.default_rng(given.seed))
        for _ in range(BEFORE // EVERY):
            self.progress, _ = maddpg.iterate(self.env, self.cfg, self.progress)

    def train(self) -> tuple[float, float]:
        before = self.progress.agent.opt_phi[0].step
        for _ in range(self.given.size // EVERY):
            self.progress, metrics = self.maddpg.iterate(self.env, self.cfg, self.progress)
        return float(self.progress.agent.opt_phi[0].step - before), metrics["q"]


class _OurUpdates(_Ours):
    def __init__(self, given: Given) -> None:
        from ...replay import ring

        super().__init__(given)
        roll: Any = self.progress.roll
        rng = np.random.default_rng([given.seed, 1])
        self.batch = ring.sample(roll.stand.memory, rng, ROWS)

    def update(self) -> tuple[float, float]:
        agent, rng = self.progress.agent, np.random.default_rng(self.given.seed)
        for _ in range(self.given.size):
            agent, told = self.maddpg.update(self.env, self.cfg, agent, self.batch, rng)
        return told["critic_loss"], told["gain"]


# ---------------------------------------------------------------------------------------- PyTorch


class _Torch:
    """Networks and optimisers of each agent by itself, a loop over the agents."""

    def __init__(self, given: Given) -> None:
        self.torch = torch = load()
        torch.manual_seed(given.seed)
        self.given, self.updates = given, 0
        self.actors = [self._network(SEEN, MOVES) for _ in range(AGENTS)]
        self.critics = [self._network(AGENTS * (SEEN + MOVES), 1) for _ in range(AGENTS)]
        self.slow_actors = [self._network(SEEN, MOVES) for _ in range(AGENTS)]
        self.slow_critics = [self._network(AGENTS * (SEEN + MOVES), 1) for _ in range(AGENTS)]
        for fast, slow in self._pairs():
            slow.load_state_dict(fast.state_dict())
        self._begin()

    def _begin(self) -> None:
        adam = self.torch.optim.Adam
        self.actor_steps = [adam(net.parameters(), RATE) for net in self.actors]
        self.critic_steps = [adam(net.parameters(), RATE) for net in self.critics]

    def _network(self, inputs: int, outputs: int) -> Any:
        nn = self.torch.nn
        return nn.Sequential(
            nn.Linear(inputs, UNITS), nn.ReLU(), nn.Linear(UNITS, UNITS), nn.ReLU(),
            nn.Linear(UNITS, outputs),
        )  # fmt: skip

    def _pairs(self) -> list[tuple[Any, Any]]:
        fast, slow = self.actors + self.critics, self.slow_actors + self.slow_critics
        return list(zip(fast, slow, strict=True))

    def _joint(self, i: int, obs: Any, acts: Any) -> Any:
        """Agent i's own observation and action first, then the others'."""
        order = [i, *(j for j in range(AGENTS) if j != i)]
        return self.torch.cat([x for j in order for x in (obs[:, j], acts[j])], dim=1)

    def _choose(self, logits: Any, noise: Any) -> Any:
        """One-hot, with the derivative of the softmax."""
        torch = self.torch
        soft = torch.softmax(logits + noise, dim=1)
        hard = torch.nn.functional.one_hot(soft.argmax(dim=1), MOVES).to(soft.dtype)
        return hard + (soft - soft.detach())

    def _step(self, net: Any, optimiser: Any, loss: Any) -> None:
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.torch.nn.utils.clip_grad_norm_(net.parameters(), CLIP)
        optimiser.step()

    def learn(self, rows: list[Any], noise: Any) -> list[Any]:
        """One update of all agents; (critic's loss, J, mean Q) of each."""
        torch, told = self.torch, []
        obs, act, reward, after = rows
        with torch.no_grad():
            best = [net(after[:, j]).argmax(dim=1) for j, net in enumerate(self.slow_actors)]
            then = [torch.nn.functional.one_hot(b, MOVES).to(obs.dtype) for b in best]
        now = [act[:, j] for j in range(AGENTS)]
        for i in range(AGENTS):
            with torch.no_grad():
                y = reward[:, i] + GAMMA * self.slow_critics[i](self._joint(i, after, then))[:, 0]
            q = self.critics[i](self._joint(i, obs, now))[:, 0]
            loss = (q - y).square().mean()
            self._step(self.critics[i], self.critic_steps[i], loss)
            logits = self.actors[i](obs[:, i])
            acts = [self._choose(logits, noise[i]) if j == i else now[j] for j in range(AGENTS)]
            gain = self.critics[i](self._joint(i, obs, acts)).mean()
            gain = gain - FLAT * logits.square().mean()
            self._step(self.actors[i], self.actor_steps[i], -gain)
            told.append((float(loss.detach()), float(gain.detach()), float(q.mean().detach())))
        with torch.no_grad():
            for fast, slow in self._pairs():
                for p, s in zip(fast.parameters(), slow.parameters(), strict=True):
                    s.lerp_(p, TAU)
        self.updates += 1
        return told


class _TorchUpdates(_Torch):
    """From our parameters and rows, with our noise."""

    def __init__(self, given: Given) -> None:
        super().__init__(given)
        ours, torch = _OurUpdates(given), self.torch
        agent, batch = ours.progress.agent, ours.batch
        act = np.eye(MOVES, dtype=np.float32)[batch.action[0]]
        rows = (batch.obs[0], act, batch.reward[0], batch.next_obs[0])
        self.rows = [torch.as_tensor(x) for x in rows]
        self.noise = [torch.as_tensor(x) for x in _noise(given)]
        sets = (agent.theta, agent.phi, agent.theta_target, agent.phi_target)
        self.first = [
            self._state(flat, self._inputs(k), MOVES if k % 2 == 0 else 1)
            for k, part in enumerate(sets) for flat in np.reshape(part[0], (AGENTS, -1))
        ]  # fmt: skip

    def _inputs(self, k: int) -> int:
        return SEEN if k % 2 == 0 else AGENTS * (SEEN + MOVES)

    def _state(self, flat: Real, inputs: int, outputs: int) -> dict[str, Any]:
        """A network's parameters, from one vector; theirs multiply from the other side."""
        sizes, at, found = (inputs, UNITS, UNITS, outputs), 0, {}
        for k, (i, o) in enumerate(pairwise(sizes)):
            w, b = flat[at : at + i * o].reshape(i, o), flat[at + i * o : at + (i + 1) * o]
            found[f"{2 * k}.weight"] = self.torch.as_tensor(w.T.copy())
            found[f"{2 * k}.bias"] = self.torch.as_tensor(b.copy())
            at += (i + 1) * o
        return found

    def update(self) -> tuple[float, float]:
        nets = (*self.actors, *self.critics, *self.slow_actors, *self.slow_critics)
        for net, state in zip(nets, self.first, strict=True):
            net.load_state_dict(state)
        self._begin()
        for noise in self.noise:
            told = self.learn(self.rows, noise)
        loss, gain, _ = np.mean(told, axis=0)
        return float(loss), float(gain)


class _TorchMpe2(_Torch):
    """One copy of MPE2's simple_spread, a memory of arrays."""

    def __init__(self, given: Given) -> None:
        super().__init__(given)
        self.env = import_module("mpe2.simple_spread_v3").parallel_env()
        self.rng, self.steps, self.value = np.random.default_rng(given.seed), 0, 0.0
        shapes = ((AGENTS, SEEN), (AGENTS, MOVES), (AGENTS,), (AGENTS, SEEN))
        self.memory = [np.zeros((CAPACITY, *shape), np.float32) for shape in shapes]
        self.seen, _ = self.env.reset(seed=given.seed)
        self._go(BEFORE)

    def _act(self, obs: Real) -> Real:
        torch, found = self.torch, []
        with torch.no_grad():
            for i, net in enumerate(self.actors):
                logits = net(torch.as_tensor(obs[i : i + 1]))
                noise = torch.empty_like(logits).exponential_().log().neg()
                found.append(self._choose(logits, noise)[0])
            return np.asarray(torch.stack(found).numpy())

    def _go(self, count: int) -> None:
        names = self.env.possible_agents
        for _ in range(count):
            obs = np.stack([self.seen[name] for name in names])
            act = self._act(obs)
            moves = {name: int(a.argmax()) for name, a in zip(names, act, strict=True)}
            self.seen, reward, *_ = self.env.step(moves)
            after = np.stack([self.seen[name] for name in names])
            paid = np.array([reward[name] for name in names])
            at = self.steps % CAPACITY
            for own, row in zip(self.memory, (obs, act, paid, after), strict=True):
                own[at] = row
            self.steps += 1
            if not self.env.agents:
                self.seen, _ = self.env.reset()
            if self.steps > BEFORE and self.steps % EVERY == 0:
                chosen = self.rng.integers(0, min(self.steps, CAPACITY), ROWS)
                rows = [self.torch.as_tensor(own[chosen]) for own in self.memory]
                noise = -self.torch.empty(AGENTS, ROWS, MOVES).exponential_().log()
                self.value = float(np.mean(self.learn(rows, noise), axis=0)[2])

    def train(self) -> tuple[float, float]:
        before = self.updates
        self._go(self.given.size)
        return float(self.updates - before), self.value


def _noise(given: Given) -> list[Real]:
    """The Gumbel noise that our update draws, update by update."""
    from ...nn import gumbel_softmax

    rng, shape = np.random.default_rng(given.seed), (AGENTS, ROWS, MOVES)
    return [gumbel_softmax.noise(rng, shape, np.float32) for _ in range(given.size)]


# ------------------------------------------------------------------------------------------ tasks


def _train(learner: Any) -> Any:
    return learner.train()


def _update(learner: Any) -> Any:
    return learner.update()


def _trained(given: Given, result: tuple[float, float]) -> Trained:
    return Trained(result[0] / (given.size // EVERY), result[1] / WORST)


def _moved(given: Given, result: tuple[float, float]) -> Moved:
    return Moved(*result)


def _products(given: Given) -> tuple[int, Real, Real]:
    """(operations of all updates' products, a large matrix, room for a product)."""
    a = np.random.default_rng(0).standard_normal((LARGE, LARGE)).astype(np.float32)
    return given.size * operations(), a, np.empty_like(a)


def _peer(name: str, prepare: Any, run: Any, answer: Any, package: str) -> Peer:
    return Peer(name=name, package=package, prepare=prepare, run=run, answer=answer)


TASKS = (
    Task(
        name="maddpg-navigation",
        title="MADDPG on navigation, three agents, an update for every 100 steps",
        size="steps",
        sizes=(1000, 4000),
        quick=(1000,),
        inputs=given,
        ours=_peer("refmarl", _Ours, _train, _trained, "refmarl"),
        peers=(_peer("torch-mpe2", _TorchMpe2, _train, _trained, "mpe2"),),
        same=same_run,
        patience=60.0,
    ),
    Task(
        name="maddpg-updates",
        title="MADDPG, updates of three agents by 1024 rows",
        size="updates",
        sizes=(5, 20),
        quick=(5,),
        inputs=given,
        ours=_peer("refmarl", _OurUpdates, _update, _moved, "refmarl"),
        peers=(_peer("torch", _TorchUpdates, _update, _moved, "torch"),),
        same=same_losses,
        limit=replace(LIMIT, prepare=_products),
        patience=60.0,
    ),
)
