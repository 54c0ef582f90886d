"""What may come back from the border instead of a value."""


class Stop(BaseException):
    """The law cannot go on: ``kind`` is a status. Neither laws nor hypothesis catch it."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class StudentError(Exception):
    """Raised by the answer; an instance of the built-in kind as well. ``trace`` is to be shown."""

    name = "Exception"
    trace = ""


class BadReturn(AssertionError):
    """What the answer returned is not the kind of thing that was asked for."""


_KINDS: dict[str, type[StudentError]] = {}
_BUILTIN = (
    ValueError, TypeError, IndexError, KeyError, LookupError, ZeroDivisionError, OverflowError,
    FloatingPointError, ArithmeticError, AssertionError, NotImplementedError, RecursionError,
    RuntimeError, AttributeError, NameError, StopIteration, ImportError, OSError,
)  # fmt: skip


def student_error(kinds: list[str], name: str, text: str, trace: str) -> StudentError:
    """The error of an answer, as an instance of the first built-in kind that is known here."""
    builtin = next((k for kind in kinds for k in _BUILTIN if k.__name__ == kind), Exception)
    if builtin.__name__ not in _KINDS:
        _KINDS[builtin.__name__] = type(builtin.__name__, (StudentError, builtin), {})
    error = _KINDS[builtin.__name__](text)
    error.name, error.trace = name, trace
    return error
