"""COMA on navigation, three agents, 30 copies for 25 steps: updates, beside PyTorch's.

Actors have GRUs of 64 units below 64 more, critics of all actions two layers of 128 as in the
paper; four steps of the critic for each of the actor. Every copy plays one whole episode, so that
the PyTorch program calls its recurrent layer once for all steps. ``size`` updates from the same
parameters on the same rows; everybody must come to the same losses.
"""

from typing import Any

import numpy as np

from ...value_grad import Real
from ._torch import Given, Reader, Stepper, follow, load, task

AGENTS, SEEN, MOVES, STEPS, COPIES = 3, 18, 5, 25, 30
UNITS, HIDDEN, FITS = 64, 128, 4
GAMMA, LAM, TAU, RATE, NORM = 0.99, 0.8, 0.05, 1e-3, 10.0


class _Ours:
    def __init__(self, given: Given) -> None:
        from ...cooperative import coma, on_policy
        from ...envs.navigation import Navigation
        from ...rollout import collect

        self.on_policy, self.rules, self.env, self.given = (
            on_policy,
            coma.RULES,
            Navigation(),
            given,
        )
        self.cfg = coma.Config(
            gamma=GAMMA, lam=LAM, tau=TAU, lr=RATE, critic_lr=RATE, critic_steps=FITS,
            max_norm=NORM, hidden=(HIDDEN,), memory=UNITS, num_envs=COPIES, num_steps=STEPS,
            reward="mean",
        )  # fmt: skip
        self.rng = np.random.default_rng(given.seed)
        progress = coma.start(self.env, self.cfg, self.rng)
        self.agent, roll = progress.agent, progress.roll
        act = coma.policy(self.env, self.cfg, self.agent, self.rng)
        _, self.batch = collect(self.env, act, roll, STEPS, central=True)
        began = np.zeros(COPIES, dtype=np.int64)
        self.seen = on_policy.looked_at(
            self.env, self.cfg, self.agent, self.batch, began, self.rng
        )  # fmt: skip

    def run(self) -> tuple[float, float]:
        agent = self.agent
        for _ in range(self.given.size):
            agent, told = self.on_policy.update(
                self.env, self.cfg, agent, self.batch, self.seen, RATE, self.rng, self.rules
            )
        return told["critic_loss"], told["gain"]


class _Torch:
    """All agents' rows at once."""

    def __init__(self, given: Given) -> None:
        self.torch, self.count = load(), given.size
        ours = _Ours(given)
        self.agent, batch, seen = ours.agent, ours.batch, ours.seen
        final = ours.on_policy.asked(
            ours.env, ours.cfg, batch.final_state, seen.final_action, 0
        )  # fmt: skip
        obs = batch.obs[0][:-1].reshape(STEPS, COPIES * AGENTS, SEEN)
        paid = np.repeat(batch.reward[0].mean(axis=-1, keepdims=True), AGENTS, axis=-1)
        # after row t comes row t + 1, and the end of the episode after the last
        x, pi = (
            np.concatenate([seen.x[0][1:-1], final[None]]),
            np.concatenate([seen.pi[0][1:-1], seen.final_pi[0][None]]),
        )
        rows = (obs, seen.x[0][:-1], seen.pi[0][:-1], batch.action[0][..., None], paid, x, pi)
        self.obs, self.x, self.pi, self.action, self.paid, self.after, self.pi_after = (
            self.torch.tensor(np.asarray(r, np.int64 if k == 3 else np.float32))
            for k, r in enumerate(rows)
        )

    def _critic(self, phi: Real) -> Any:
        sizes = (self.x.shape[-1], HIDDEN, MOVES)
        return Reader(self.torch, phi).perceptron(sizes, self.torch.nn.Tanh)

    def _actor(self, theta: Real) -> Any:
        nn, read = self.torch.nn, Reader(self.torch, theta)
        below = read.gru(SEEN, UNITS)
        top = read.perceptron((SEEN + UNITS, HIDDEN, MOVES), nn.Tanh)
        return nn.ModuleDict({"gru": below, "top": top})

    def run(self) -> tuple[float, float]:
        agent, found = self.agent, (np.nan, np.nan)
        actor, critic = self._actor(agent.theta[0]), self._critic(agent.phi[0])
        slow, epsilon = self._critic(agent.phi_target[0]), float(agent.epsilon[0])
        of_actor, of_critic = (
            Stepper(self.torch, net.parameters(), RATE, NORM) for net in (actor, critic)
        )
        for _ in range(self.count):
            y, losses = self._targets(slow), []
            for _ in range(FITS):
                q = critic(self.x).gather(-1, self.action)[..., 0]
                loss = (q - y).square().mean()
                of_critic.down(loss)
                follow(self.torch, slow, critic, TAU)
                losses.append(float(loss.detach()))
            gain = self._gain(actor, critic, epsilon)
            of_actor.down(-gain)
            found = losses[0], float(gain.detach())
        return found

    def _targets(self, slow: Any) -> Any:
        """G^λ (T, B, n)."""
        torch, found = self.torch, []
        with torch.no_grad():
            value = (self.pi_after * slow(self.after)).sum(-1)
            total = value[-1]
            for paid, v in zip(self.paid.flip(0), value.flip(0), strict=True):
                total = paid + GAMMA * ((1.0 - LAM) * v + LAM * total)
                found.append(total)
            return torch.stack(found[::-1])

    def _gain(self, actor: Any, critic: Any, epsilon: float) -> Any:
        torch = self.torch
        with torch.no_grad():
            q = critic(self.x)
            worth = q.gather(-1, self.action) - (self.pi * q).sum(-1, keepdim=True)
        kept = actor["gru"](self.obs)[0]
        logits = actor["top"](torch.cat([self.obs, kept], dim=-1)).view(self.pi.shape)
        pi = (1.0 - epsilon) * torch.softmax(logits, dim=-1) + epsilon / MOVES
        return (worth * pi.gather(-1, self.action).log()).mean()


TASKS = (
    task(
        "coma-updates",
        "COMA with GRUs, updates of three agents by 30 episodes of 25 steps",
        _Ours,
        {"torch": _Torch},
    ),
)
