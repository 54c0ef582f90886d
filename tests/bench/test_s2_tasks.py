"""What the tasks of section 2 refuse: answers that are nearly right."""

import pytest

from refmarl.bench.s2_cooperative import actors_critics as tasks


def test_operations_are_those_of_the_products_one_by_one():
    """Of a layer: forward, ∂L/∂W, ∂L/∂x; nobody asks for ∂L/∂o, and of ∂Q/∂a for 5 numbers."""
    rows, count = tasks.ROWS, 0
    sizes = {"actor": (18, 64, 64, 5), "critic": (69, 64, 64, 1)}
    for name, layers in sizes.items():
        for k in range(3):
            product = rows * layers[k] * layers[k + 1]
            forward = {"actor": 2, "critic": 3}[name]
            back = {"actor": int(k > 0), "critic": 2 * int(k > 0)}[name]
            count += product * (forward + 1 + back)
    count += rows * 5 * 64
    assert tasks.operations() == 2 * 3 * count


def test_another_seed_or_an_update_less_is_refused():
    (given,) = tasks.given(0, 2)
    truth = tasks.Moved(*tasks._OurUpdates(given).update())
    assert tasks.same_losses(truth, tasks.Moved(*tasks._OurUpdates(given).update()))
    for other in (given._replace(seed=1), given._replace(size=1)):
        assert not tasks.same_losses(truth, tasks.Moved(*tasks._OurUpdates(other).update()))


@pytest.mark.parametrize("got", [(0.9, -0.2), (1.0, 0.1), (1.0, -1.5)])
def test_a_run_of_fewer_updates_or_impossible_values_is_refused(got):
    truth = tasks.Trained(1.0, -0.2)
    assert tasks.same_run(truth, truth)
    assert not tasks.same_run(truth, tasks.Trained(*got))
