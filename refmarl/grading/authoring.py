"""A new exercise: its four files with everything in them that need not be thought about."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

from ..check import InputError
from ..equations import EQUATIONS
from .catalogue import table
from .course import TABLE, Course, at
from .files import replace

LABEL = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
HEAD = "# One table per exercise, named by its label. Points, minutes, what comes first, hints.\n"


@dataclass(frozen=True)
class Wish:
    """What a new exercise is to be called; ``row`` are the first lines of its table."""

    label: str
    function: str
    title: str
    file: Path
    docs: str
    row: str

    @classmethod
    def of(
        cls, course: Course, label: str, function: str | None, title: str | None, file: str | None
    ) -> "Wish":
        """The wish with what was not given made up.

        Raises
        ------
        InputError
            If the label, the function or the file is none, or is used already.
        """
        if not LABEL.fullmatch(label):
            raise InputError(f"{label!r}: need a label of small letters, digits and hyphens")
        name = function or label.replace("-", "_")
        if not name.isidentifier():
            raise InputError(f"{name!r} is no name of a function; give --function")
        if label in table(course):
            raise InputError(f"{label} is there already: {table(course)[label].solution}")
        equation = EQUATIONS.get(label)
        if equation and course.package:
            path = Path(equation.folder) / f"{equation.slug}.py"
            docs = f"docs/{equation.folder}/{label}.md"
            return cls(label, name, equation.title, path, docs, f'function = "{name}"\n')
        if file is None and course.package:
            raise InputError(f"{label} is no equation: give --file, such as s1_games/x01_name.py")
        made = f"{re.sub(r'[^a-z0-9]', '_', course.name.lower())}/{label.replace('-', '_')}.py"
        path = Path(file or made)
        says = title or label.replace("-", " ")
        row = f'file = "{path.as_posix()}"\ntitle = {json.dumps(says)}\nfunction = "{name}"\n'
        return cls(label, name, says, path, f"docs/{path.with_suffix('.md').as_posix()}", row)


def found(root: Path) -> Course:
    """The course in a folder, which is made if it is not there."""
    if not (root / TABLE).exists():
        replace(root / TABLE, HEAD)
    return at(root)


def new(course: Course, wish: Wish) -> list[Path]:
    """Write the files of a new exercise, none over one that is there; return those written.

    Raises
    ------
    InputError
        If the row would make the table wrong.
    """
    row = f"\n[{wish.label}]\n{wish.row}{ROW.format(w=wish)}"
    before = course.table.read_text("utf-8")
    replace(course.table, before + row)
    try:
        table(course)
    except InputError:
        replace(course.table, before)
        raise
    written = [course.table]
    spec = SPEC.replace("LABEL", wish.label).replace("FUNCTION", wish.function)
    for path, text in (
        (course.solutions / wish.file, SOLUTION.format(w=wish)),
        (course.specs / wish.file, spec),
        (course.docs / wish.docs.removeprefix("docs/"), PAGE.format(w=wish)),
    ):
        if not path.exists():
            replace(path, text)
            written.append(path)
    return written


ROW = """points = 10
minutes = 20
requires = []
hints = [
    "Where to begin.",
    "What to look at when that does not help.",
    "Nearly the answer, in words.",
]
"""

SOLUTION = '''"""Exercise: {w.title}.

Read   {w.docs}
Check  refmarl check {w.label}
Time   about 20 minutes                            Needs  nothing

What is computed, why somebody wants it, and where it usually goes wrong: three sentences.
"""

import numpy as np


def {w.function}(x):
    """Return FILL IN, in the shape of x.

    x : float (n,)    FILL IN; there may be a single entry

    >>> {w.function}(np.array([1.0, 2.0]))
    array([2., 4.])
    """
    # BEGIN SOLUTION
    return 2 * np.asarray(x, dtype=float)
    # END SOLUTION
'''

SPEC = '''"""What an answer to the exercise must satisfy."""

from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from refmarl.check import Array
from refmarl.grading.spec import PURE, Answer, Mistake, Property, Spec, close, shaped


class Case(NamedTuple):
    """Arguments of the exercise's function, by the names that the student sees."""

    x: Array


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Small numbers, so that counterexamples can be checked by hand; ties, one entry, no entry.

    Aim where mistakes hide: a mistake that no case shows is a mistake that passes.
    """
    x = draw(st.lists(st.integers(-3, 3), min_size=1, max_size=4))
    return Case(np.array(x, dtype=float))


def _shape(answer: Answer, case: Case) -> None:
    shaped(answer(*case), case.x.shape, "the answer")


def _sum(answer: Answer, case: Case) -> None:
    close(answer(case.x), case.x + case.x, "the answer")


def _reversed(answer: Answer, case: Case) -> None:
    close(answer(case.x[::-1]), np.asarray(answer(case.x))[::-1], "of the entries turned round")


def _right(x: Any) -> Any:
    """The answer by another way than the solution's."""
    return np.array([a + a for a in x])


def _fill_in(x: Any) -> Any:
    raise NotImplementedError("a wrong answer that a student may well give")


SPEC = Spec(
    exercise="LABEL",
    function="FUNCTION",
    cases=cases(),
    properties=(
        Property("there is a number for each entry", _shape, "What shape has x?", gate=True),
        Property("it is FILL IN", _sum, "Work the example by hand.", weight=2),
        Property("the order does not matter", _reversed, "Look at one entry.", weight=0),
        *PURE,  # weight=0: zeros everywhere obey it too, and must earn nothing
    ),
    mistakes=(
        Mistake("FILL IN 1", _fill_in),
        Mistake("FILL IN 2", _fill_in),
        Mistake("FILL IN 3", _fill_in),
        Mistake("FILL IN 4", _fill_in),
        Mistake("FILL IN 5", _fill_in),
    ),
    reference=_right,
)
'''

PAGE = """# {w.title}

<a id="{w.label}"></a>

The question, the formula with the names that the exercise uses, an example worked by hand, and what
usually goes wrong. Then `refmarl check {w.label}`.
"""
