"""Markers: what a stub is, and that a wrong marker is an error with its line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from refmarl.check import InputError
from refmarl.grading.stubs import stub

GOOD = """import numpy as np


def f(x):
    y = x + 1
    # BEGIN SOLUTION
    return y
    # END SOLUTION


def g(x):
    if x:
        # BEGIN SOLUTION
        return 1
        # END SOLUTION
    return 2
"""


def test_a_block_becomes_an_error_with_its_indentation():
    assert stub(GOOD, "gae", "f") == GOOD.replace(
        "    # BEGIN SOLUTION\n    return y\n    # END SOLUTION",
        '    raise NotImplementedError("gae: f")',
    ).replace(
        "        # BEGIN SOLUTION\n        return 1\n        # END SOLUTION",
        '        raise NotImplementedError("gae: f")',
    )


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (
            "    return y\n",
            "    # BEGIN SOLUTION\n",
            ":7: # BEGIN SOLUTION inside the block",
        ),
        ("    # END SOLUTION\n\n", "", ":11: # BEGIN SOLUTION inside the block of line 6"),
        ("        # END SOLUTION\n", "", "BEGIN SOLUTION is not closed by # END SOLUTION"),
        ("    # BEGIN SOLUTION\n    return", "    return", ":7: # END SOLUTION closes nothing"),
        ("# BEGIN SOLUTION", "# begin solution", ":6: '# begin solution' is no marker"),
        ("# BEGIN SOLUTION", "# BEGIN SOLUTION:", "is no marker"),
        ("# END SOLUTION", "#END SOLUTION", ":8: '#END SOLUTION' is no marker"),
        ("def f(x):", "def h(x):", ":1: defines no function f"),
        ("    y = x + 1\n", "    y = = 1\n", ":5: no Python"),
    ],
)
def test_a_wrong_marker_is_an_error_that_names_file_and_line(old, new, says):
    with pytest.raises(InputError) as error:
        stub(GOOD.replace(old, new, 1), "gae", "f", "solutions/s3/e05_gae.py")
    assert str(error.value).startswith("solutions/s3/e05_gae.py")
    assert says in str(error.value)


def test_a_block_outside_a_function_is_an_error():
    text = GOOD + "# BEGIN SOLUTION\nZ = 1\n# END SOLUTION\n"
    with pytest.raises(InputError, match=":17: a block must stand inside a function"):
        stub(text, "gae", "f")


def test_a_solution_without_markers_is_an_error():
    with pytest.raises(InputError, match="gae:1: need # BEGIN SOLUTION"):
        stub("def f():\n    return 1\n", "gae", "f")


LINES = st.sampled_from(["y = 1", "y = z[2]", "# why", "", "for k in z: y = k"])


@given(before=st.lists(LINES), secret=st.lists(LINES), after=st.lists(LINES))
def test_nothing_of_a_block_is_left_and_all_else_is(before, secret, after):
    hidden = [line.replace("y", "secret") for line in secret] or ["secret = 1"]
    body = [*before, "# BEGIN SOLUTION", *hidden, "# END SOLUTION", *after, "return 1"]
    text = "\n".join(["def f(z):", *(f"    {line}".rstrip() for line in body)]) + "\n"
    kept = [*before, 'raise NotImplementedError("gae: f")', *after, "return 1"]
    assert stub(text, "gae", "f").splitlines()[1:] == [f"    {line}".rstrip() for line in kept]
