"""A student's file, and those beside it that it may import."""

import os
import stat
from dataclasses import dataclass
from pathlib import Path

_MOST = 256 * 1024  # bytes of a source file: more than a person writes


@dataclass(frozen=True)
class Submission:
    """A student's file: where it is, the function asked of it, the packages that it may import.

    Its neighbours can be imported by their own names, and those in ``sections``, the folders
    beside its own, as section.module. With ``strict`` no link is followed.
    """

    path: Path
    function: str
    packages: tuple[str, ...] = ("numpy",)
    name: str = ""  # under which tracebacks show the file, if not its path
    sections: frozenset[str] = frozenset()
    strict: bool = False

    def read(self) -> bytes:
        """The bytes of the file.

        Raises
        ------
        ValueError
            If it is no ordinary file, or too large for a source.
        """
        return _read(self.path, self.strict)

    def source(self, name: str) -> tuple[str, bytes] | None:
        """(file name, text) of a module, ("", b"") for a section, None for what is not there."""
        *section, last = name.split(".") if type(name) is str else [""]
        if not all(part.isidentifier() for part in (*section, last)) or len(section) > 1:
            return None
        here = self.path.parent
        if section or last in self.sections:
            if here.name not in self.sections or (section or [last])[0] not in self.sections:
                return None
            here = here.parent / (section or [last])[0]
            if not section:
                return ("", b"") if here.is_dir() else None
        path = here / f"{last}.py"
        try:
            text = _read(path, self.strict)
        except (OSError, ValueError):
            return None
        return (self._shown(path), text)

    def _shown(self, path: Path) -> str:
        """Its name in tracebacks, in the manner of the file's own."""
        return str(Path(self.name).parent / path.name) if self.name else str(path)


def _read(path: Path, strict: bool) -> bytes:
    if (
        strict
        and path.parent.resolve() != path.parent.absolute().parent.resolve() / path.parent.name
    ):
        raise ValueError(f"{path.name}: its folder is a link")
    with open(path, "rb", opener=_open_strictly if strict else _open) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise ValueError(f"{path.name}: need an ordinary file")
        data = file.read(_MOST + 1)
    if len(data) > _MOST:
        raise ValueError(f"{path.name}: more than {_MOST >> 10} KiB")
    return data


def _open(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))  # a named pipe would wait


def _open_strictly(path: str, flags: int) -> int:
    return _open(path, flags | getattr(os, "O_NOFOLLOW", 0))
