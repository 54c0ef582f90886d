"""Every environment does compiled what it does as plain Python (``REFMARL_JIT=0``).

Another process, without numba, begins and steps from the very states that were reached here. Sums
and products are the same to the bit; where sines or exponentials enter, which come from one or the
other library, within four units in the last place of the largest number of the same kind.
"""

import os
import pickle
import subprocess
import sys

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from refmarl.env_api import advance, random_actions
from refmarl.testing.particles import crowded
from refmarl.training.registry import ENVS, environment

COPIES, STEPS = 6, 8
ROUNDED = {
    "acrobot", "cartpole", "mountain-car", "mountain-car-continuous", "navigation", "pendulum",
    "pursuit",
}  # fmt: skip
VARIANTS = {
    "foraging": [{"sight": 2, "cooperative": True, "penalty": 0.25}, {"horizon": 3}],
    "grid": [{"slip": 0.3, "columns": 4}],
    "hanabi": [{"size": "small", "players": 3}],
    "kitchen": [{"layout": "forced", "shaping": "bonus"}, {"shaping": "potential", "onions": 1}],
    "matrix": [{"game": "battle-of-the-sexes"}],
    "navigation": [{"continuous": True}, {"velocity_first": True, "self_collision": True}],
    "path-finding": [{"instance": "random", "players": 3}, {"shared": False, "horizon": 3}],
    "pursuit": [{"continuous": True, "prey": 2}],
    "reference": [{"continuous": True}, {"team": 3}],
    "speaker-listener": [{"continuous": True}, {"listeners": 3}],
    "tabular": [{"game": "big_match"}],
}
CASES = [(name, options) for name in ENVS for options in [{}, *VARIANTS.get(name, [])]]
SCRIPTED = ("cartpole", "navigation", "pursuit", "reference", "speaker-listener")

PLAIN = """
import pickle, sys, warnings
import numpy as np
from refmarl.training.registry import environment
warnings.simplefilter("error")
assert "numba" not in sys.modules
played, found = pickle.load(open(sys.argv[1], "rb")), []
for name, options, visited, script in played:
    env, rows = environment(name, options), []
    for state, actions in visited:
        rows.append((env.restart(state.key), *env.step(state, actions), env.observe(state)))
        rows[-1] += (env.mask(state), env.heuristic(state))
    found.append((rows, env.play(visited[0][0], script) if script else None))
pickle.dump(found, open(sys.argv[2], "wb"))
"""


def visit(name, options):
    """(name, options, [(state, actions)], script): random play, and a script where there are."""
    env, rng = environment(name, options), np.random.default_rng(0)
    state = crowded(env, rng, COPIES) if hasattr(env, "rules") else env.reset(rng, COPIES)
    visited = []
    for _ in range(STEPS):
        actions = random_actions(env, rng, state)
        visited.append((state, actions))
        state = advance(env, state, actions).state
    rows = [random_actions(env, rng, visited[0][0]) for _ in range(STEPS)]
    script = tuple(np.stack(part) for part in zip(*rows, strict=True))
    return name, options, visited, script if name in SCRIPTED else None


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """What each case gives without numba, and how it was played."""
    folder = tmp_path_factory.mktemp("plain")
    played = [visit(*case) for case in CASES]
    (folder / "played").write_bytes(pickle.dumps(played))
    call = [sys.executable, "-c", PLAIN, str(folder / "played"), str(folder / "found")]
    subprocess.run(call, check=True, env={**os.environ, "REFMARL_JIT": "0"}, timeout=300)
    found = pickle.loads((folder / "found").read_bytes())
    return {str(c): pair for c, pair in zip(CASES, zip(played, found, strict=True), strict=True)}


def leaves(thing, path=""):
    """(where, array) of everything in nested tuples."""
    if isinstance(thing, tuple):
        names = getattr(thing, "_fields", range(len(thing)))
        for name, part in zip(names, thing, strict=True):
            yield from leaves(part, f"{path}.{name}")
    elif thing is not None:
        yield path, thing


def compare(name, ours, theirs):
    """Equal to the bit, or within four units of the largest of these numbers."""
    for (where, one), (_, other) in zip(leaves(ours), leaves(theirs), strict=True):
        assert one.dtype == other.dtype, where
        if name in ROUNDED and one.dtype.kind == "f":
            step = 4 * np.spacing(max(abs(one).max(initial=0.0), 1e-300))
            assert_allclose(one, other, rtol=0, atol=step, err_msg=where)
        else:
            assert_array_equal(one, other, err_msg=where)


@pytest.mark.parametrize("case", [str(case) for case in CASES])
def test_compiled_and_plain_are_the_same(case, plain):
    (name, options, visited, script), (rows, scripted) = plain[case]
    env = environment(name, options)
    for (state, actions), row in zip(visited, rows, strict=True):
        ours = (env.restart(state.key), *env.step(state, actions), env.observe(state))
        compare(name, (*ours, env.mask(state), env.heuristic(state)), row)
    assert (scripted is None) == (script is None) == (not hasattr(env, "play"))
    if script:
        whole = env.play(visited[0][0], script)
        if name in ROUNDED:  # what is rounded in one step is carried to the next
            whole, scripted = tuple(leaves(whole)), tuple(leaves(scripted))
            for (where, one), (_, other) in zip(whole, scripted, strict=True):
                assert_allclose(one, other, rtol=1e-12, atol=1e-12, err_msg=where)
        else:
            compare(name, whole, scripted)
