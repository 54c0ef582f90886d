"""PPO at the edges: sets of choices, one action, one step, only cuts, and what is no number."""

import json
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from refmarl.cli import main
from refmarl.config import option
from refmarl.env_api import Discrete, Env, Group, MultiDiscrete, Step, discrete_actions, refuse
from refmarl.envs import CartPole, Matrix
from refmarl.games.normal_form import NormalForm
from refmarl.learner import learn
from refmarl.policy_gradient import fused, mappo, ppo
from refmarl.training.run import metrics, resume

FEW = {
    "num_envs": 3,
    "num_steps": 4,
    "minibatches": 2,
    "epochs": 2,
    "iterations": 3,
    "hidden": (4,),
}


def run(algorithm, env, cfg, seed=0):
    return list(learn(algorithm, env, cfg, np.random.default_rng(seed)))


class State(NamedTuple):
    key: np.ndarray
    t: np.ndarray
    ended: np.ndarray


class Locks(Env):
    """One step: a lock of two digits, of 2 and 3; which opens it is shown. 1 for each right digit.

    The digits are independent, so the optimum is 2, and 1/2 + 1/3 at random.
    """

    name, horizon = "locks", 1

    @cached_property
    def groups(self):
        return (Group("openers", ("one",), 5, MultiDiscrete((2, 3))),)

    def code(self, state):
        return np.stack([state.key % 2, state.key // 2 % 3], axis=-1).astype(np.int64)

    def restart(self, key):
        return State(key, np.zeros(len(key), np.int64), np.zeros(len(key), bool))

    def observe(self, state):
        one, two = self.code(state).T
        return (np.concatenate([np.eye(2)[one], np.eye(3)[two]], axis=-1)[:, None],)

    def step(self, state, actions):
        right = (actions[0][:, 0] == self.code(state)).sum(axis=-1, keepdims=True)
        over = np.ones(len(state.key), bool)
        return state._replace(t=state.t + 1, ended=over), Step((right * 1.0,), over, ~over)


@pytest.mark.parametrize("objective", ["clip", "kl"])
def test_two_choices_at_once_are_learnt(objective):
    cfg = ppo.Config(
        objective=objective, hidden=(16,), num_envs=32, num_steps=4, lr=0.02, iterations=60,
        entropy=0.0, kl_target=0.05,
    )  # fmt: skip
    told = [m for _, m in run(ppo, Locks(), cfg)]
    assert np.log(3.0) < told[0]["entropy"] <= np.log(6.0)  # of both digits together
    assert abs(told[0]["return"] - 5 / 6) < 0.3
    assert told[-1]["return"] > 1.95  # optimum is 2


@pytest.mark.parametrize("objective", ["clip", "kl"])
@pytest.mark.parametrize("share", [True, False])  # compiled where it can be, and as defined
def test_with_one_action_the_policy_stands_still(objective, share):
    cfg = ppo.Config(**FEW, objective=objective, share=share, entropy=0.1, anneal=False)
    env = Matrix(NormalForm(np.ones((1, 1))), horizon=3)
    before = ppo.start(env, cfg, np.random.default_rng(0)).agent
    found = run(ppo, env, cfg)
    progress, told = found[-1]
    assert told["entropy"] == told["kl"] == told["norm"] == told["clipped"] == 0.0
    assert all(np.isfinite(list(m.values())).all() for _, m in found)
    assert_array_equal(progress.agent.theta[0], before.theta[0])
    assert not np.array_equal(progress.agent.phi[0], before.phi[0])  # the critic learns


@pytest.mark.parametrize("horizon", [1, 500])  # every step is cut; hardly any
@pytest.mark.parametrize("options", [{}, {"share": False}, {"objective": "kl"}, {"memory": 2}])
@pytest.mark.parametrize("algorithm", [ppo, mappo])
def test_single_steps_and_single_copies(algorithm, options, horizon):
    few = FEW | {"num_envs": 1, "num_steps": 1, "minibatches": 1}
    cfg = algorithm.Config(**few, **options)
    for progress, told in run(algorithm, CartPole(horizon=horizon), cfg):
        assert np.isfinite(list(told.values())).all()
        assert np.isfinite(progress.agent.theta[0]).all()
        assert told.get("length", 1.0) == 1.0


def test_where_all_is_cut_at_once_values_say_what_would_have_come():
    # 1 is paid for every step and nothing ever ends but by the clock: V = 1 / (1 − γ) everywhere
    env = Matrix(NormalForm(np.ones((1, 2))), horizon=1)
    cfg = ppo.Config(
        hidden=(8,), gamma=0.5, num_envs=4, num_steps=8, lr=0.02, iterations=150, anneal=False
    )
    progress, _ = run(ppo, env, cfg)[-1]
    judge, scale = ppo.critic(cfg, env.groups[0].obs_dim), progress.agent.scale[0]
    seen = env.observe(env.reset(np.random.default_rng(0), 1))[0]
    v = judge.forward(progress.agent.phi[0], seen)[0] * scale.std + scale.mean
    assert abs(v.item() - 2.0) < 0.1


def test_advantages_that_are_all_alike_move_no_policy():
    # two actions, the same pay, nothing follows: A is one number for all
    env = Matrix(NormalForm(np.ones((1, 2))), horizon=0)
    cfg = ppo.Config(**FEW, gamma=0.0)
    before = ppo.start(env, cfg, np.random.default_rng(0)).agent
    progress = ppo.start(env, cfg, np.random.default_rng(0))
    # what was played last is seen, so that values differ: make the critic blind
    blind = tuple(np.zeros_like(phi) for phi in before.phi)
    progress = progress._replace(agent=before._replace(phi=blind))
    after, told = ppo.iterate(env, cfg, progress)
    assert told["norm"] == told["gain"] == 0.0
    assert_array_equal(after.agent.theta[0], before.theta[0])


@dataclass(frozen=True)
class Faulty(Env):
    """Two actions; from step ``after`` on it pays, or shows, what is no number."""

    name = "faulty"
    after: int = option(20, "good steps", "[0, inf)")
    where: str = option("reward", "what is no number", ("reward", "obs"))
    horizon: int = 0

    @cached_property
    def groups(self):
        return (Group("players", ("one",), 1, Discrete(2)),)

    def restart(self, key):
        return State(key, np.zeros(len(key), np.int64), np.zeros(len(key), bool))

    def observe(self, state):
        bad = (self.where == "obs") & (state.t >= self.after)
        return (np.where(bad, np.nan, 1.0)[:, None, None],)

    def step(self, state, actions):
        given = discrete_actions(self, len(state.t), actions)
        if state.ended.any() or ((given < 0) | (given > 1)).any():
            refuse(self, state, actions)
        bad = (self.where == "reward") & (state.t >= self.after)
        reward = np.where(bad[:, None], np.nan, given * 1.0)
        no = np.zeros(len(state.t), bool)
        return state._replace(t=state.t + 1), Step((reward,), no, no.copy())


def learn_until_it_breaks(tmp_path, capsys, algorithm, *options):
    """(exit status, the one line, the folder) of a run on the command line."""
    argv = ["train", algorithm, f"{__name__}:Faulty", "--out", str(tmp_path), "--log-every", "1"]
    sets = [f"{name}={value}" for name, value in {**FEW, "hidden": 4, "iterations": 9}.items()]
    for text in (*sets, *options):
        argv += ["--set", text]
    status = main([*argv, "--save-every", "1"])
    (folder,) = tmp_path.iterdir()
    return status, capsys.readouterr().err.splitlines(), folder


@pytest.mark.parametrize("algorithm", ["ppo", "mappo"])
@pytest.mark.parametrize(
    "options", [(), ("share=false",), ("objective=kl",), ("memory=2",), ("popart=false",)]
)
def test_what_is_no_number_ends_the_run_and_leaves_a_whole_folder(
    tmp_path, capsys, algorithm, options
):
    status, lines, folder = learn_until_it_breaks(tmp_path, capsys, algorithm, *options)
    told = [line for line in lines if "error" in line]
    assert status == 1
    assert len(told) == 1
    # 20 good steps are 5 batches of 4
    assert told[0].endswith("gain is nan at iteration 6; the run stops"), told
    rows = metrics(folder)
    assert [row["iteration"] for row in rows] == [1, 2, 3, 4, 5]
    assert all(np.isfinite(list(row.values())).all() for row in rows)
    run_, env, progress = resume(folder)
    assert (run_.algorithm, env.name, progress.iteration) == (algorithm, "faulty", 5)
    assert all(np.isfinite(part).all() for part in (*progress.agent.theta, *progress.agent.phi))
    json.loads((folder / "run.json").read_text())
    assert not list(folder.glob("*.part"))


@pytest.mark.parametrize("quick", [True, False])
def test_what_is_seen_and_no_number_is_found_too(monkeypatch, quick):
    if not quick:
        monkeypatch.setattr(fused, "begin", lambda *given: None)
    found = run(ppo, Faulty(after=4, where="obs"), ppo.Config(**FEW))
    assert any(np.isnan(m["gain"]) for _, m in found[:2])
