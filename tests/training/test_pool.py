"""Several runs: what stands in a folder, what fails alone, what is asked once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from refmarl.check import InputError
from refmarl.policy_gradient import a2c
from refmarl.training.pool import Job, last_row, standings, train_all
from refmarl.training.run import Run

CONFIG = a2c.Config(num_envs=2, num_steps=2, iterations=20, hidden=(4,))


def jobs(folder, count):
    runs = [
        Run(algorithm="a2c", env="cartpole", seed=k, config=CONFIG, log_every=5, save_every=10)
        for k in range(count)
    ]
    return [Job(run, folder / run.name) for run in runs]


@given(
    st.integers(0, 3),
    st.sampled_from(["", "{", '{"iteration": 9', '{"iteration": 9}', "\n", "torn\n"]),
)
def test_the_last_whole_line_is_found_behind_a_torn_one(tmp_path_factory, count, torn):
    folder = tmp_path_factory.mktemp("run")
    lines = "".join(f'{{"iteration": {k}, "pad": "{"x" * 3000}"}}\n' for k in range(count))
    (folder / "metrics.jsonl").write_text(lines + torn)
    assert last_row(folder).get("iteration", -1) == count - 1


def test_a_run_that_cannot_go_on_does_not_hold_up_the_others(tmp_path):
    asked = jobs(tmp_path, 3)
    asked[1].folder.mkdir()
    (asked[1].folder / "thesis.txt").write_text("precious")
    seen = []
    found = train_all(asked, 1, seen.append)
    assert [s.done for s in found] == [True, False, True]
    assert [bool(s.error) for s in found] == [False, True, False]
    assert "not empty, and no run" in found[1].error
    assert [s.iteration for s in seen[0]] == [5, 0, 0]
    assert [s.iteration for s in seen[-1]] == [20, 0, 20]


def test_stopping_leaves_what_has_not_begun(tmp_path):
    asked = jobs(tmp_path, 3)
    found = train_all(asked, 1, stop=lambda: last_row(asked[0].folder).get("iteration", 0) >= 10)
    assert [s.iteration for s in found] == [10, 0, 0]
    assert not asked[1].folder.exists()
    assert standings(asked) == found
    assert all(s.done for s in train_all(asked, 1))


def test_two_jobs_in_one_folder_are_refused(tmp_path):
    one, two = jobs(tmp_path, 2)
    with pytest.raises(InputError, match="same folder"):
        train_all([one, two._replace(folder=one.folder)])
