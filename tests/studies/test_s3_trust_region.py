"""The study of trust regions: its system, its updates, and TRPO to the end."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from refmarl.envs.cartpole import CartPole
from refmarl.studies import STUDIES
from refmarl.studies.s3_policy_gradient import trpo_runs, trust_region


@pytest.mark.parametrize("seed", [0, 1])
def test_every_product_comes_nearer_and_the_last_is_the_dense_solve(seed):
    solved = trust_region.system(np.random.default_rng(seed))
    assert solved.error[0] == solved.residual[0] == 1.0
    assert (np.diff(solved.error) < 0.0).all()
    assert solved.dense < 1e-6


def test_the_same_seed_trains_to_the_same_bits_with_all_metrics():
    cfg = replace(trpo_runs.CARTPOLE, iterations=2, num_envs=2, num_steps=8)
    one, two = (trpo_runs.trained(CartPole(), cfg, 5) for _ in range(2))
    assert one.final == two.final
    assert one.steps == 2 * 2 * 8
    assert {"kl", "gain", "cg_residual", "norm"} <= one.rows.keys()
    for key, values in one.rows.items():
        assert values.shape == (2,)
        assert_array_equal(values, two.rows[key])


@pytest.mark.slow
def test_the_study_meets_its_expectations():
    for seed in (0, 1):
        outcome = STUDIES["s3.trust-region"].run(seed)
        assert [row.name for row in outcome.rows if not row.ok] == []


@pytest.mark.slow
def test_two_seeds_solve_cartpole_within_delta():
    for seed in (0, 1):
        run = trpo_runs.trained(CartPole(), trpo_runs.CARTPOLE, seed)
        assert run.final >= 450.0  # the longest episode is 500
        assert run.rows["kl"].max() <= trpo_runs.CARTPOLE.delta
