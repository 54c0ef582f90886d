"""PPO on CartPole: ``size`` environment steps, at two settings.

``ppo-cartpole``: 4 copies × 128 steps, 4 passes in 4 minibatches, networks 4-64-64-2 and 4-64-64-1
of tanh, Adam, gradients clipped at 0.5. ``ppo-cartpole-zoo``: 8 copies × 32 steps, 20 passes of
the whole batch, which is the setting that Stable-Baselines3's authors publish for CartPole.

Two runs need not be the same; that all take as many steps and come to a policy that is not yet
certain of anything is asked of everybody. JAX compiles before the clock starts.
"""

from functools import partial
from importlib import import_module
from itertools import pairwise
from math import sqrt
from typing import Any, NamedTuple

import numpy as np

from ..task import Peer, Task
from .training import Given, _run, _trained, same, steps

CLIP, MAX_NORM, VALUE = 0.2, 0.5, 0.5
WIDTHS = (4, 64, 64)


class Plan(NamedTuple):
    """What an iteration is made of."""

    copies: int
    rows: int
    epochs: int
    minibatches: int
    rate: float
    gamma: float
    lam: float
    entropy: float

    @property
    def batch(self) -> int:
        """Environment steps between updates."""
        return self.copies * self.rows


PLANS = {
    "ppo-cartpole": Plan(4, 128, 4, 4, 2.5e-4, 0.99, 0.95, 0.01),
    "ppo-cartpole-zoo": Plan(8, 32, 20, 1, 1e-3, 0.98, 0.8, 0.0),
}


class _Ours:
    def __init__(self, plan: Plan, given: Given) -> None:
        from ...envs.cartpole import CartPole
        from ...policy_gradient import ppo

        self.iterations = given.steps // plan.batch
        self.env, self.ppo = CartPole(), ppo
        self.cfg = ppo.Config(
            num_envs=plan.copies, num_steps=plan.rows, epochs=plan.epochs, gamma=plan.gamma,
            minibatches=plan.minibatches, lr=plan.rate, lam=plan.lam, entropy=plan.entropy,
            anneal=False, clip=CLIP, max_norm=MAX_NORM, popart=False,
        )  # fmt: skip
        self.progress = ppo.start(self.env, self.cfg, np.random.default_rng(given.seed))

    def run(self) -> tuple[int, float]:
        before = self.progress.steps
        for _ in range(self.iterations):
            self.progress, metrics = self.ppo.iterate(self.env, self.cfg, self.progress)
        return self.progress.steps - before, metrics["entropy"]


class _Torch:
    """One file of PyTorch, as CleanRL has it: Gymnasium's copies one by one, one optimiser."""

    def __init__(self, plan: Plan, given: Given) -> None:
        self.torch = torch = import_module("torch")
        gymnasium = import_module("gymnasium")
        torch.set_num_threads(1)
        torch.manual_seed(given.seed)
        self.plan, self.iterations = plan, given.steps // plan.batch
        self.rng = np.random.default_rng(given.seed)
        self.env = gymnasium.make_vec("CartPole-v1", plan.copies, vectorization_mode="sync")
        self.actor, self.critic = self._network(2, 0.01), self._network(1, 1.0)
        self.parameters = [*self.actor.parameters(), *self.critic.parameters()]
        self.optimiser = torch.optim.Adam(self.parameters, lr=plan.rate, eps=1e-5)
        self.obs = torch.as_tensor(self.env.reset(seed=given.seed)[0])

    def _network(self, outputs: int, scale: float) -> Any:
        nn, parts = self.torch.nn, []
        for inputs, units in pairwise((*WIDTHS, outputs)):
            linear = nn.Linear(inputs, units)
            nn.init.orthogonal_(linear.weight, scale if units == outputs else sqrt(2.0))
            nn.init.zeros_(linear.bias)
            parts += [linear, nn.Tanh()]
        return nn.Sequential(*parts[:-1])

    def _collect(self) -> list[Any]:
        torch, kept = self.torch, []
        for _ in range(self.plan.rows):
            with torch.no_grad():
                choice = torch.distributions.Categorical(logits=self.actor(self.obs))
                action = choice.sample()
                found = choice.log_prob(action), self.critic(self.obs)[:, 0]
            obs, reward, terminated, truncated, _ = self.env.step(action.numpy())
            ended = torch.as_tensor(terminated | truncated, dtype=torch.float32)
            reward = torch.as_tensor(reward, dtype=torch.float32)
            kept.append((self.obs, action, *found, reward, ended))
            self.obs = torch.as_tensor(obs)
        return [torch.stack(part) for part in zip(*kept, strict=True)]

    def _iterate(self) -> float:
        torch, plan = self.torch, self.plan
        obs, action, log_prob, value, reward, ended = self._collect()
        with torch.no_grad():
            after, tail, found = self.critic(self.obs)[:, 0], 0.0, []
            for t in range(plan.rows - 1, -1, -1):
                delta = reward[t] + plan.gamma * (1.0 - ended[t]) * after - value[t]
                tail = delta + plan.gamma * plan.lam * (1.0 - ended[t]) * tail
                after = value[t]
                found.append(tail)
            advantage = torch.stack(found[::-1])
        parts = (obs, action, log_prob, advantage, advantage + value)
        flat = [x.reshape(-1, *x.shape[2:]) for x in parts]
        for _ in range(plan.epochs):
            order = self.rng.permutation(plan.batch)
            for chosen in np.array_split(order, plan.minibatches):
                entropy = self._step(*(x[chosen] for x in flat))
        return entropy

    def _step(self, obs: Any, action: Any, old: Any, advantage: Any, target: Any) -> float:
        torch = self.torch
        choice = torch.distributions.Categorical(logits=self.actor(obs))
        ratio = (choice.log_prob(action) - old).exp()
        weight = (advantage - advantage.mean()) / (advantage.std() + 1e-8)
        held = torch.clamp(ratio, 1.0 - CLIP, 1.0 + CLIP)
        gain, entropy = torch.min(ratio * weight, held * weight).mean(), choice.entropy().mean()
        error = 0.5 * (self.critic(obs)[:, 0] - target).square().mean()
        self.optimiser.zero_grad(set_to_none=True)
        (VALUE * error - gain - self.plan.entropy * entropy).backward()
        torch.nn.utils.clip_grad_norm_(self.parameters, MAX_NORM)
        self.optimiser.step()
        return float(entropy.detach())

    def run(self) -> tuple[int, float]:
        for _ in range(self.iterations):
            entropy = self._iterate()
        return self.iterations * self.plan.batch, entropy


class _Sb3:
    def __init__(self, plan: Plan, given: Given) -> None:
        import_module("torch").set_num_threads(1)
        sb3 = import_module("stable_baselines3")
        env_util = import_module("stable_baselines3.common.env_util")
        env = env_util.make_vec_env("CartPole-v1", n_envs=plan.copies, seed=given.seed)
        self.steps = given.steps // plan.batch * plan.batch
        self.model = sb3.PPO(
            "MlpPolicy", env, n_steps=plan.rows, batch_size=plan.batch // plan.minibatches,
            n_epochs=plan.epochs, gamma=plan.gamma, gae_lambda=plan.lam, learning_rate=plan.rate,
            clip_range=CLIP, ent_coef=plan.entropy, seed=given.seed, device="cpu",
        )  # fmt: skip

    def run(self) -> tuple[int, float]:
        before = self.model.num_timesteps
        self.model.learn(self.steps, reset_num_timesteps=False)
        entropy = -float(self.model.logger.name_to_value["train/entropy_loss"])
        return self.model.num_timesteps - before, entropy


class _Jax:
    """Everything in one compiled function, as PureJaxRL has it, with gymnax' CartPole."""

    def __init__(self, plan: Plan, given: Given) -> None:
        jax, gymnax = import_module("jax"), import_module("gymnax")
        optax = import_module("optax")
        self.jax, self.plan, self.iterations = jax, plan, given.steps // plan.batch
        self.env, self.rules = gymnax.make("CartPole-v1")
        self.adam = optax.chain(
            optax.clip_by_global_norm(MAX_NORM), optax.adam(plan.rate, eps=1e-5)
        )
        keys = jax.random.split(jax.random.PRNGKey(given.seed), 4)
        params = self._network(keys[0], 2, 0.01), self._network(keys[1], 1, 1.0)
        obs, state = jax.vmap(self.env.reset, (0, None))(
            jax.random.split(keys[2], plan.copies), self.rules
        )
        stand = params, self.adam.init(params), obs, state, keys[3]
        many = jax.jit(lambda s: jax.lax.scan(self._iterate, s, None, length=self.iterations))
        self.go = many.lower(stand).compile()
        self.stand = stand

    def _network(self, key: Any, outputs: int, scale: float) -> list[Any]:
        make, np_ = self.jax.nn.initializers.orthogonal, self.jax.numpy
        sizes = list(pairwise((*WIDTHS, outputs)))
        keys = self.jax.random.split(key, len(sizes))
        return [
            (make(scale if o == outputs else sqrt(2.0))(k, (i, o)), np_.zeros(o))
            for k, (i, o) in zip(keys, sizes, strict=True)
        ]

    def _forward(self, layers: Any, x: Any) -> Any:
        for w, b in layers[:-1]:
            x = self.jax.numpy.tanh(x @ w + b)
        return x @ layers[-1][0] + layers[-1][1]

    def _act(self, carry: Any, _: Any) -> tuple[Any, Any]:
        jax = self.jax
        params, obs, state, key = carry
        key, one, two = jax.random.split(key, 3)
        logits = self._forward(params[0], obs)
        action = jax.random.categorical(one, logits)
        log_prob = jax.nn.log_softmax(logits)[jax.numpy.arange(self.plan.copies), action]
        value = self._forward(params[1], obs)[:, 0]
        found = jax.vmap(self.env.step, (0, 0, 0, None))(
            jax.random.split(two, self.plan.copies), state, action, self.rules
        )
        ended = (found[3] | found[4]) if len(found) > 5 else found[3]
        kept = obs, action, log_prob, value, found[2], ended.astype(obs.dtype)
        return (params, found[0], found[1], key), kept

    def _iterate(self, stand: Any, _: Any) -> tuple[Any, Any]:
        jax, plan = self.jax, self.plan
        params, opt, obs, state, key = stand
        (_, obs, state, key), kept = jax.lax.scan(
            self._act, (params, obs, state, key), None, length=plan.rows
        )
        last = self._forward(params[1], obs)[:, 0]

        def back(carry: Any, row: Any) -> tuple[Any, Any]:
            (tail, after), (value, reward, ended) = carry, row
            delta = reward + plan.gamma * after * (1.0 - ended) - value
            tail = delta + plan.gamma * plan.lam * (1.0 - ended) * tail
            return (tail, value), tail

        value = kept[3]
        _, advantage = jax.lax.scan(back, (0.0 * last, last), kept[3:], reverse=True)
        parts = (*kept[:3], advantage, advantage + value)
        flat = [x.reshape(plan.batch, *x.shape[2:]) for x in parts]

        def one_pass(carry: Any, one: Any) -> tuple[Any, Any]:
            order = jax.random.permutation(one, plan.batch).reshape(plan.minibatches, -1)
            moved, entropy = jax.lax.scan(partial(self._step, flat), carry, order)
            return moved, entropy

        key, one = jax.random.split(key)
        (params, opt), entropy = jax.lax.scan(
            one_pass, (params, opt), jax.random.split(one, plan.epochs)
        )
        return (params, opt, obs, state, key), entropy[-1, -1]

    def _step(self, flat: Any, carry: Any, chosen: Any) -> tuple[Any, Any]:
        params, opt = carry
        some = [x[chosen] for x in flat]
        slope, entropy = self.jax.grad(self._loss, has_aux=True)(params, some)
        moves, opt = self.adam.update(slope, opt, params)
        return (import_module("optax").apply_updates(params, moves), opt), entropy

    def _loss(self, params: Any, some: Any) -> tuple[Any, Any]:
        np_ = self.jax.numpy
        obs, action, old, advantage, target = some
        log_probs = self.jax.nn.log_softmax(self._forward(params[0], obs))
        ratio = np_.exp(log_probs[np_.arange(len(action)), action] - old)
        weight = (advantage - advantage.mean()) / (advantage.std() + 1e-8)
        held = np_.clip(ratio, 1.0 - CLIP, 1.0 + CLIP)
        gain = np_.minimum(ratio * weight, held * weight).mean()
        error = 0.5 * ((self._forward(params[1], obs)[:, 0] - target) ** 2).mean()
        entropy = -(np_.exp(log_probs) * log_probs).sum(-1).mean()
        return VALUE * error - gain - self.plan.entropy * entropy, entropy

    def run(self) -> tuple[int, float]:
        self.stand, entropy = self.go(self.stand)
        return self.iterations * self.plan.batch, float(entropy[-1])


def _peer(name: str, package: str, way: Any, plan: Plan) -> Peer:
    return Peer(name=name, package=package, prepare=partial(way, plan), run=_run, answer=_trained)


TASKS = tuple(
    Task(
        name=name,
        title=f"PPO on CartPole, {plan.copies} copies of {plan.rows} steps, {plan.epochs} passes",
        size="steps",
        sizes=(2048, 10240),
        quick=(10240,),
        inputs=steps,
        ours=_peer("refmarl", "refmarl", _Ours, plan),
        peers=(
            _peer("stable-baselines3", "stable_baselines3", _Sb3, plan),
            _peer("torch", "torch", _Torch, plan),
            _peer("jax", "gymnax", _Jax, plan),
        ),
        same=same,
        patience=60.0,
    )
    for name, plan in PLANS.items()
)
