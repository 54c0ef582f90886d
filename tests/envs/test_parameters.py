"""Impossible parameters are refused before anything is made of them, in every environment."""

import dataclasses
import math
import tracemalloc
import typing

import numpy as np
import pytest

from refmarl.check import InputError
from refmarl.cli import main
from refmarl.env_api import random_actions
from refmarl.training.registry import ENVS, environment, parameters

VALUES = (-3, math.nan, "x", 10**9, math.inf, True, 1.5, None)


def _numeric():
    """(environment, field, its type, its range) of every number that can be set."""
    for name in ENVS:
        kinds = typing.get_type_hints(type(environment(name)))
        for field in dataclasses.fields(environment(name)):
            if kinds[field.name] in (int, float):
                within = field.metadata.get("within", "")
                yield pytest.param(
                    name, field.name, kinds[field.name], within, id=f"{name}-{field.name}"
                )


NUMERIC = list(_numeric())


def ends(within):
    """The two ends of an interval, and whether each belongs to it."""
    low, high = (float(end) for end in within[1:-1].split(","))
    return low, high, within[0] == "[", within[-1] == "]"


def inside(value, kind, within):
    """Whether a value is of the kind and in the interval."""
    number = isinstance(value, int if kind is int else (int, float))
    if not number or isinstance(value, bool):
        return False
    low, high, closed, shut = ends(within)
    return (low <= value if closed else low < value) and (value <= high if shut else value < high)


@pytest.mark.parametrize(("name", "key", "kind", "within"), NUMERIC)
def test_a_number_out_of_range_is_named_with_its_range_and_what_came(name, key, kind, within):
    assert all(map(math.isfinite, ends(within)[:2]))
    for value in VALUES:
        if inside(value, kind, within):
            continue
        with pytest.raises(InputError) as caught:
            environment(name, {key: value})
        said = str(caught.value)
        assert said.startswith(f"{key}: ")
        assert "\n" not in said
        if isinstance(value, kind) and not isinstance(value, bool):
            assert within in said
        assert f"got {value!r}" in said or f"got {float(value)!r}" in said


@pytest.mark.parametrize(("name", "key", "kind", "within"), NUMERIC)
def test_what_is_in_range_needs_little_memory_and_plays(name, key, kind, within):
    low, high, closed, _ = ends(within)
    for value in ({kind(low)} if closed else set()) | {kind(high)}:
        tracemalloc.start()
        try:
            env = environment(name, {key: value})
            state = env.reset(np.random.default_rng(0), 1)
            env.observe(state)
            _, step = env.step(state, random_actions(env, np.random.default_rng(0), state))
            assert all(np.isfinite(r).all() for r in step.reward)
            refused = ""
        except InputError as error:  # it does not go together with the others
            refused = str(error)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 200e6
        assert not refused or "room" in refused or "numbers to see" in refused


def test_numbers_of_numpy_are_numbers():
    with pytest.raises(InputError, match="prey_speed: a number too large for a float"):
        environment("pursuit", {"prey_speed": 10**400})
    env = environment("pursuit", {"chasers": np.int64(2), "prey_speed": np.float32(2.0)})
    assert type(env.chasers) is int
    assert (type(env.prey_speed), env.prey_speed) == (float, 2.0)
    with pytest.raises(InputError, match=r"continuous: need true or false, got 1"):
        environment("pursuit", {"continuous": 1})


def test_numbers_that_do_not_go_together_are_refused():
    with pytest.raises(InputError, match=r"reference: \d+ numbers to see; the cap is 10000000"):
        environment("reference", {"team": 1000, "words": 1000})
    for name, options in (("chain", {"players": 30}), ("grid", {"rows": 100, "columns": 100})):
        with pytest.raises(InputError, match=r"twin: .* probabilities; the cap is 10000000"):
            environment(name, options).twin()


@pytest.mark.parametrize(
    ("env", "given", "says"),
    [
        ("navigation", "horizon=-3", "horizon: need a number in [0, 1e9], got -3"),
        ("pursuit", "prey_speed=nan", "prey_speed: need a number in (0, 1e6], got nan"),
        ("grid", "rows=1000000000", "rows: need a number in [2, 100], got 1000000000"),
        ("chain", "slip=x", "slip: need a number, got 'x'"),
    ],
)
def test_train_says_so_before_it_starts(env, given, says, tmp_path, capsys):
    out = tmp_path / "runs"
    assert main(["train", "a2c", env, "--env", given, "--out", str(out)]) != 0
    assert says in capsys.readouterr().err
    assert not out.exists()


def test_show_tells_ranges_and_meanings(capsys):
    main(["show", "navigation"])
    shown = capsys.readouterr().out
    for key in parameters("navigation"):
        assert key in shown
    assert "[1, 1000]" in shown
    assert "steps until truncation" in shown
