"""The JIT policy: the cache follows every source, and the switch works."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "refmarl"


def _run(code, **env):
    return subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | env,
        capture_output=True,
        text=True,
        check=True,
        timeout=600,
    ).stdout.strip()


def test_the_switch_gives_plain_python_without_numba():
    code = """
import sys
from refmarl.kernels._jit import kernel
@kernel
def f(x): return x + 1
print(f(1), f.py_func is f, "numba" in sys.modules)
"""
    assert _run(code, REFMARL_JIT="0") == "2 True False"


def test_a_kernel_that_is_called_with_constants_is_compiled_once_for_all(tmp_path):
    (tmp_path / "kernels_of_a_test.py").write_text("""
from refmarl.kernels._jit import kernel
@kernel
def inner(x, n): return x + n
@kernel
def outer(x): return inner(x, 1) + inner(x, 2) + inner(x, n=3)
""")
    code = """
from kernels_of_a_test import inner, outer
print(outer(1.0), len(inner.signatures))
"""
    path = os.pathsep.join([str(tmp_path), str(PACKAGE.parent)])
    assert _run(code, PYTHONPATH=path, XDG_CACHE_HOME=str(tmp_path)) == "9.0 1"


@pytest.fixture
def package(tmp_path):
    """A small package named refmarl whose kernels may be edited, and the code that runs it."""
    folder = tmp_path / "refmarl" / "kernels"
    folder.mkdir(parents=True)
    (tmp_path / "refmarl" / "__init__.py").touch()
    (folder / "__init__.py").touch()
    (folder / "_jit.py").write_bytes((PACKAGE / "kernels" / "_jit.py").read_bytes())
    outer = "from .inner import inner\n@kernel\ndef outer(x):\n    return inner(x) + 1\n"
    (folder / "outer.py").write_text("from ._jit import kernel\n" + outer)
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
    return folder, code + "from refmarl.kernels.outer import outer; print(outer(1))"


def _write_inner(folder, factor):
    text = f"from ._jit import kernel\n@kernel\ndef inner(x):\n    return x * {factor}\n"
    (folder / "inner.py").write_text(text)


def test_a_kernel_follows_an_edit_of_its_callee_in_another_file(package, tmp_path):
    folder, code = package
    answers = []
    for factor in (10, 500):
        _write_inner(folder, factor)
        answers.append(_run(code, XDG_CACHE_HOME=str(tmp_path / "cache"), NUMBA_CACHE_DIR=""))
    assert answers == ["11", "501"]


@pytest.mark.skipif(os.name != "posix", reason="needs /proc, which nobody can write to")
def test_it_works_where_no_home_can_be_written(package):
    folder, code = package
    _write_inner(folder, 1)
    env = {"HOME": "/nonexistent", "XDG_CACHE_HOME": "/proc/nonexistent", "NUMBA_CACHE_DIR": ""}
    assert _run(code, **env) == "2"


def test_help_loads_nothing_heavy():
    code = """
import sys
from refmarl.cli import main
try: main(["--help"])
except SystemExit: pass
heavy = {"numpy", "scipy", "numba", "matplotlib", "hypothesis", "rich"}
print(sorted(heavy & set(sys.modules)))
"""
    assert _run(code).splitlines()[-1] == "[]"


PLAYED = """
import hashlib
import numpy as np
from refmarl.games.fictitious import fictitious_play
from refmarl.games.generators import random_game
from refmarl.games.regret import regret_matching
from refmarl.games.support import support_enumeration

digest = hashlib.sha256()
for seed, shape in enumerate([(3, 3), (2, 4), (2, 2, 3)]):
    game = random_game(np.random.default_rng(seed), shape)
    play = fictitious_play(game, 60)
    learned = regret_matching(game, 60, rng=np.random.default_rng(seed))
    arrays = [*play.averages, play.run_lengths, learned.joint, learned.regrets]
    if len(shape) == 2:
        arrays += [x for profile in support_enumeration(game).profiles for x in profile]
    for array in arrays:
        digest.update(np.ascontiguousarray(array).tobytes())
print(digest.hexdigest())
"""


def test_compiled_and_plain_kernels_give_the_same_bits():
    assert _run(PLAYED, REFMARL_JIT="1") == _run(PLAYED, REFMARL_JIT="0")


def test_games_are_read_without_numba_and_every_name_can_be_imported():
    code = """
import sys
import refmarl.games.files
print("numba" in sys.modules)
import refmarl.games as games
print(sum(getattr(games, name) is not None for name in games.__all__) == len(games.__all__))
from refmarl.games import *
print(support_enumeration.__name__, fictitious_play.__name__, callable(replicator))
"""
    assert _run(code).split() == ["False", "True", "support_enumeration", "fictitious_play", "True"]


def test_the_first_kernel_of_a_process_does_not_wait_for_scipy_and_one_that_needs_it_finds_it():
    code = """
import sys
import numpy as np
from refmarl.nn import MLP
net = MLP((2, 3, 1))
theta = net.init(np.random.default_rng(0))
net.gradient(theta, net.forward(theta, np.ones((4, 2)))[1], np.ones((4, 1)))
print("scipy.linalg" in sys.modules)
import numba
a = np.arange(6.0).reshape(2, 3)
print(numba.njit(lambda a: np.dot(a, a.T))(a).tolist(), "scipy.linalg" in sys.modules)
"""
    assert _run(code).splitlines() == ["False", "[[5.0, 14.0], [14.0, 50.0]] True"]
