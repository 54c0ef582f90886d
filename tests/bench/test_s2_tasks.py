"""What the tasks of section 2 refuse: answers that are nearly right."""

import numpy as np
import pytest

from refmarl.bench.s2_cooperative import actors_critics as tasks
from refmarl.bench.s2_cooperative import attention, counterfactuals, memories, navigators, two_step


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


@pytest.mark.parametrize("module", [attention, counterfactuals, memories])
def test_updates_end_where_they_ended_and_no_others_do(module):
    (task,) = module.TASKS
    (given,) = task.inputs(0, 2)

    def answer(which):
        return task.ours.answer(which, task.ours.run(task.ours.prepare(which)))

    truth = answer(given)
    assert task.same(truth, answer(given))
    assert not any(task.same(truth, answer(g)) for g in task.inputs(1, 2) + task.inputs(0, 1))


@pytest.mark.parametrize("got", [(0.9, -0.2), (1.0, 0.1), (1.0, -1.5)])
def test_a_run_of_fewer_updates_or_impossible_values_is_refused(got):
    truth = tasks.Trained(1.0, -0.2)
    assert tasks.same_run(truth, truth)
    assert not tasks.same_run(truth, tasks.Trained(*got))


def test_what_greedy_play_earns_is_read_off_the_game():
    for first, a, b in np.ndindex(2, 2, 2):
        q = np.zeros((3, 2, 2))
        q[0, 0, first] = q[2, 0, a] = q[2, 1, b] = 1.0
        assert two_step.played(q) == ([[0.0, 1.0], [1.0, 8.0]][a][b] if first else 7.0)


@pytest.mark.parametrize("got", [(0.99, 8.0), (1.0, 7.0)])
def test_a_run_of_fewer_updates_or_the_sure_seven_is_refused(got):
    assert two_step.same(two_step.Trained(1.0, 8.0), two_step.Trained(1.0, 8.0))
    assert not two_step.same(two_step.Trained(1.0, 8.0), two_step.Trained(*got))


def test_ours_makes_the_updates_that_are_counted():
    (given,) = two_step.given(0, 2 * two_step.LOOK)
    share, values = two_step._train(two_step._Ours(given))
    assert share == 1.0
    assert values.shape == (3, 2, 2)


class Learner:
    """Stands still until it was trained ``late`` times, then each agent goes to its landmark."""

    late = 2

    def __init__(self, given):
        self.trained = 0

    def train(self):
        self.trained += 1


def own_landmark(learner, obs):
    moves = np.zeros(obs.shape[:2], dtype=int)
    if learner.trained >= learner.late:
        for i in range(obs.shape[1]):
            way = obs[:, i, 4 + 2 * i : 6 + 2 * i] - 0.3 * obs[:, i, :2]
            axis = abs(way).argmax(axis=1)
            moves[:, i] = 1 + 2 * axis + (way[np.arange(len(way)), axis] > 0.0)
    return moves


def test_navigators_are_trained_until_they_return_enough_and_not_for_ever(monkeypatch):
    still = navigators.returns(lambda obs: np.zeros(obs.shape[:2], dtype=int))
    assert -25.5 < still < navigators.TARGET - 1.0
    (given,) = navigators.given(0, 1)
    found = navigators.climb(Learner, own_landmark, given)
    assert found.steps == 2 * navigators.LOOK
    assert found.last >= navigators.TARGET
    (task,) = navigators.TASKS
    assert task.same(1.0, task.ours.answer(given, found))
    monkeypatch.setattr(navigators, "GIVEN_UP", 3)
    monkeypatch.setattr(Learner, "late", 4)
    lost = navigators.climb(Learner, own_landmark, given)
    assert lost.steps == 3 * navigators.LOOK
    assert not task.same(1.0, task.ours.answer(given, lost))


def test_each_seed_is_an_input_of_its_own():
    assert [g.seed for g in navigators.given(4, 3)] == [4, 5, 6]
    assert all(g.size == navigators.LOOK for g in navigators.given(4, 3))
