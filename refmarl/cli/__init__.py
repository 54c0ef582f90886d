"""The command line: one module per group of verbs, each imported light and run late.

A verb's module has ``add(verbs)``, which declares its arguments, and the functions that run it.
NumPy, SciPy, numba and matplotlib are imported inside those, so that ``--help`` answers at once.
"""

import os
import sys
from collections.abc import Sequence

from .. import __version__
from . import bench, dev, equations, exercises, grade, listing, render, runs, solve, tour, train
from ._parser import Parser

VERBS = (equations, exercises, grade, listing, solve, tour, bench, train, runs, render, dev)
EPILOG = "Example: refmarl show nash"


def parser() -> Parser:
    """The parser of all verbs."""
    top = Parser(
        prog="refmarl",
        description="Multi-agent reinforcement learning from the equations up, in NumPy.",
        epilog=EPILOG,
    )
    top.add_argument("--version", action="version", version=f"refmarl {__version__}")
    verbs = top.add_subparsers(dest="verb", metavar="VERB", required=True)
    for module in VERBS:
        module.add(verbs)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; return its exit status (0 done, 1 failed, 2 not understood)."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before NumPy is imported
    args = parser().parse_args(argv)
    try:
        status: int = args.run(args)
        sys.stdout.flush()
        return status
    except KeyboardInterrupt:
        print("refmarl: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:  # `refmarl list equations | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        if not expected(error):
            raise
        text = str(error.args[0]) if isinstance(error, KeyError) else str(error)
        print(f"refmarl: error: {' '.join(text.split())}", file=sys.stderr)
        return 2


def expected(error: Exception) -> bool:
    """Whether an error is the user's to mend: a bad input, an unknown name, a file."""
    if isinstance(error, OSError):
        return True
    kinds = {kind.__name__ for kind in type(error).__mro__}
    return type(error) is KeyError or "InputError" in kinds  # by name: it is not imported here
