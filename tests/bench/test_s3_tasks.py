"""What the tasks of section 3 refuse: answers that are nearly right."""

import numpy as np
import pytest

from refmarl.bench.s3_policy_gradient import advantages, carts, networks, particles, soft, trust


@pytest.mark.parametrize("spoil", ["none", "twice", "half of the rows"])
def test_a_step_of_another_size_or_gradient_is_refused(spoil):
    (given,) = networks.regression((3, 5, 2), 0, 16)
    ours, other = networks._Ours(given), networks._Ours(given)
    truth = networks.Losses(ours.step(), ours.loss())
    assert truth.after < truth.before
    if spoil == "half of the rows":
        other.given = given._replace(x=given.x[:8], target=given.target[:8])
    if spoil != "none":
        other.step()
    if spoil == "twice":
        other.step()
    other.given = given
    assert not networks.same(truth, networks.Losses(truth.before, other.loss()))


@pytest.mark.parametrize("sizes", [(3, 2), (4, 5, 6, 2)])
def test_operations_are_those_of_the_products_one_by_one(sizes):
    rows, count = 7, 0
    for k in range(len(sizes) - 1):
        i, o = sizes[k : k + 2]
        forward, weights, back = rows * o * i, i * o * rows, rows * i * o
        count += 2 * (forward + weights + (back if k > 0 else 0))  # a product and a sum for each
    assert networks.operations(sizes, rows) == count


@pytest.mark.parametrize("change", ["last", "ended", "value"])
def test_advantages_that_leave_something_out_are_refused(change):
    (given,) = advantages.batch(0, 1024)
    truth, wrong = (
        advantages.Advantages(advantages._ours_gae(advantages._ours(one)))
        for one in (given, given._replace(**{change: 0 * getattr(given, change)}))
    )
    assert advantages.same(truth, truth)
    assert not advantages.same(truth, wrong)


ENVIRONMENTS = [*carts.TASKS, *particles.TASKS]


@pytest.mark.parametrize("task", ENVIRONMENTS, ids=lambda task: task.name)
def test_another_action_or_another_start_is_seen(task):
    def answered(one):
        return task.ours.answer(one, task.ours.run(task.ours.prepare(one)))

    (given,) = task.inputs(0, 2)
    action = given.action.copy()
    action[2] = 1 - np.minimum(action[2], 1)
    start = {"state": given.state * 1.01} if hasattr(given, "state") else {"seed": given.seed + 1}
    truth = answered(given)
    assert task.same(truth, answered(given))
    for other in (given._replace(action=action), given._replace(**start)):
        assert not task.same(truth, answered(other))


@pytest.mark.parametrize("world", particles.GROUPS)
def test_of_other_rules_the_amount_of_work_is_looked_at(world):
    (given,) = particles.begin(world, 0, 3)
    truth = particles._seen(given, particles._Ours(given).run())
    wide, same = particles.VMAS[world], particles.same
    assert same(world, truth, particles.Seen(np.zeros((3, wide)), 1))
    for obs in (np.zeros((2, wide)), np.zeros((3, wide - 1)), np.full((3, wide), np.nan)):
        assert not same(world, truth, particles.Seen(obs, 1))
    assert not same(world, truth, truth._replace(foreign=1))


def test_a_start_elsewhere_is_no_difference_but_other_rules_are():
    (given,) = carts.begin(0, 4)
    elsewhere = given._replace(state=given.state[::-1] * 0.5)
    truth = carts._seen(given, carts._Ours(given).run())
    seen = carts._Ours(elsewhere).run()
    assert carts.same(truth, carts._moved(given, (elsewhere.state, seen)))
    assert not carts.same(truth, carts._moved(given, (elsewhere.state, seen * 1.01)))


def test_soft_actor_critics_that_do_less_or_learn_nothing_are_refused():
    truth = soft.Trained(1.0, -0.1, -0.5)
    assert soft.same(truth, soft.Trained(1.0, -0.2, 0.6))
    for wrong in ({"updates": 0.5}, {"value": 0.1}, {"entropy": 0.8}, {"entropy": np.nan}):
        assert not soft.same(truth, truth._replace(**wrong))


def test_the_products_of_an_update_are_counted_one_by_one():
    rows, units, count = 5, 3, 0
    for net, networks_of_it in (("actor", 1), ("critic", 2)):
        forward = {"actor": 2, "critic": 3}[net]  # actor: o, o'; critics: y, (o, a), (o, drawn a)
        weights, inputs = 1, {"actor": 1, "critic": 1.5}[net]  # of half of the rows to the actor
        count += networks_of_it * (forward + weights + inputs) * 2 * rows * units * units
    assert soft.operations(rows, units) == count


def test_policies_that_do_not_move_or_too_far_are_refused():
    truth = trust.Trained(1.0, 0.8)
    assert trust.same(truth, trust.Trained(1.0, 1.0))
    for wrong in ({"steps": 0.5}, {"kl": 0.0}, {"kl": 1.1}, {"kl": np.nan}):
        assert not trust.same(truth, truth._replace(**wrong))


def test_the_products_of_a_fisher_product_are_counted_one_by_one():
    rows, count = trust.BATCH, 0
    for k in range(3):
        i, o = trust.ACTOR[k : k + 2]
        ahead = 1 + (k > 0)  # h R{W}, and R{h} W where h moves
        back = 1 + (k > 0)  # hᵀ δ, and δ Wᵀ where there is a layer before
        count += (ahead + back) * 2 * rows * i * o
    assert trust.part_operations("product") == count


def test_h_v_differs_from_h_v_without_damping_or_of_another_batch():
    work = trust._Work(trust.Given(trust.BATCH, 0))
    truth = trust._numbers(work, work.product())
    undamped = work.product() - np.float32(trust.DAMPING) * work.v
    other = trust._Work(trust.Given(trust.BATCH, 1))
    other.v = work.v
    assert trust.alike(truth, truth)
    for wrong in (undamped, other.product()):
        assert not trust.alike(truth, trust._numbers(work, wrong))
