"""What the tasks of section 3 refuse: answers that are nearly right."""

import numpy as np
import pytest

from refmarl.bench.s3_policy_gradient import advantages, carts, navigation, networks


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


@pytest.mark.parametrize("change", ["last", "ended", "value"])
def test_advantages_that_leave_something_out_are_refused(change):
    (given,) = advantages.batch(0, 1024)
    truth, wrong = (
        advantages.Advantages(advantages._ours_gae(advantages._ours(one)))
        for one in (given, given._replace(**{change: 0 * getattr(given, change)}))
    )
    assert advantages.same(truth, truth)
    assert not advantages.same(truth, wrong)


@pytest.mark.parametrize("module", [carts, navigation])
def test_another_action_is_seen(module):
    (given,) = module.begin(0, 2)
    action = given.action.copy()
    action[2] = 1 - np.minimum(action[2], 1)
    truth, other = (
        module._seen(one, module._Ours(one).run()) for one in (given, given._replace(action=action))
    )
    assert not module.same(truth, other)
