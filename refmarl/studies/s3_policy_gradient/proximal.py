"""PPO beside published numbers: values of its losses, and runs to the end.

A run's figure is the mean return of the likeliest actions over episodes of their own, after the
published number of steps, or fewer.
"""

import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from ...env_api import Env
from ...envs.acrobot import Acrobot
from ...envs.cartpole import CartPole
from ...learner import learn
from ...nn import categorical
from ...policy_gradient import ppo
from ...policy_gradient.a2c import policy_gain
from ...policy_gradient.surrogate import clip_gain
from ...rng import streams
from ...training.evaluate import evaluate
from ..published import Found
from .spread import between

Data = dict[str, Any]
CARTPOLE = ppo.Config(
    num_envs=8, num_steps=32, minibatches=1, epochs=20, lam=0.8, gamma=0.98, lr=1e-3,
    clip_anneal=True, popart=False, iterations=390,
)  # fmt: skip
ACROBOT = ppo.Config(
    num_envs=16, num_steps=256, minibatches=64, epochs=4, lam=0.94, lr=3e-4, anneal=False,
    popart=False, iterations=73,
)  # fmt: skip
EPISODES = 100  # of an evaluation


class Trained(NamedTuple):
    """One seed."""

    greedy: float  # mean return of the likeliest actions
    steps: int
    seconds: float  # of the processor


def trained(env: Env, cfg: ppo.Config, seed: int) -> Trained:
    """Train to the end, then evaluate."""
    begin, (rng,) = time.process_time(), streams(seed, "learn")
    lines = list(learn(ppo, env, cfg, rng))
    progress = lines[-1][0]
    seconds = time.process_time() - begin
    act_rng, env_rng = streams(seed, "act", "evaluate")
    act = ppo.policy(env, cfg, progress.agent, act_rng, greedy=True)
    greedy = float(evaluate(env, act, env_rng, EPISODES).team.mean())
    return Trained(greedy, progress.steps, seconds)


# ------------------------------------------------------------------------------------ losses


def clipped(data: Data, full: bool) -> Iterator[Found]:
    """S3.03: the source descends, so that its loss is minus L."""
    logits, old = (np.array(data[key], dtype=float) for key in ("logits", "old_logits"))
    action, advantage = np.array(data["actions"]), np.array(data["advantages"])
    log_prob, log_prob_old = (categorical.log_prob(x, action) for x in (logits, old))
    for name, sign in (("as given", 1.0), ("signs turned", -1.0)):
        found = clip_gain(log_prob, log_prob_old, sign * advantage, data["epsilon"])
        yield Found(f"advantages {name}", data["loss"][name], -found.value, data["tolerance"])


def parts(data: Data, full: bool) -> Iterator[Found]:
    """S3.04: each row with a weight; both are losses there."""
    for k, (weight, wanted) in enumerate(zip(data["weights"], data["loss"], strict=True)):
        logits, action = np.array(data["logits"], float) + k, np.array(data["actions"][k])
        advantage = np.array(data["advantages"][k]) * weight
        found = policy_gain(categorical, logits, action, advantage, 0.0)
        name = f"batch {k + 1}"
        yield Found(f"policy's loss, {name}", wanted, -found.value, data["tolerance"])
        entropy = -float((np.array(weight) * categorical.entropy(logits)).mean())
        yield Found(f"entropy's loss, {name}", data["entropy"][k], entropy, data["tolerance"])


# -------------------------------------------------------------------------------------- runs


def cartpole(data: Data, full: bool) -> Iterator[Found]:
    """S3.09: SB3-zoo's constants, and fewer steps than are allowed."""
    yield from _solved(CartPole(), CARTPOLE, data, full)


def acrobot(data: Data, full: bool) -> Iterator[Found]:
    """S3.10."""
    yield from _solved(Acrobot(), ACROBOT, data, full)


def _solved(env: Env, cfg: ppo.Config, data: Data, full: bool) -> Iterator[Found]:
    """Ten seeds in full, one otherwise: each within the interval at the end."""
    count = data["seeds"] if full else 1
    runs = [trained(env, cfg, seed) for seed in range(count)]
    got, steps = np.array([run.greedy for run in runs]), runs[0].steps
    slowest = max(run.seconds for run in runs)
    name = f"greedy policy after {steps:,} steps, median of {count} seeds{between(got)}"
    yield Found(name, data["return"], float(np.median(got)), data["tolerance"])
    above, spare = int((got >= data["threshold"]).sum()), 0 if count == 1 else data["spare"]
    name = f"seeds of {count} at {data['threshold']} or above (longest {slowest:.1f} s of one core)"
    yield Found(name, count, above, spare)
