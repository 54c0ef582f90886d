"""What a sandboxed child may read: the interpreter's own library and the packages it may use."""

import sys
import sysconfig
from importlib.util import find_spec
from pathlib import Path

from ...check import InputError

PACKAGE = Path(__file__).resolve().parents[2]
NEVER = {"site-packages", "dist-packages"}


def readable(packages: tuple[str, ...] = ("numpy",)) -> list[str]:
    """Absolute paths of files and folders that a child may read, and everything below them.

    The standard library entry by entry, since other people's packages may stand inside it; of
    those only ``packages``, each with the libraries that its wheel brings along; and the
    system's shared libraries, for modules of the standard library that load one late.

    Raises
    ------
    InputError
        If a package is not installed, or if refmarl or a solution would be readable.
    """
    paths = [*_library(), *(p for name in packages for p in _package(name)), *_system()]
    for path in paths:
        if any(_below(hidden, path) for hidden in hidden_folders()):
            raise InputError(f"need refmarl outside of what students' code may read, {path}")
    return sorted({str(path) for path in paths})


def hidden_folders() -> list[Path]:
    """Where the package, and in a checkout its solutions and tests, stand."""
    checkout = [PACKAGE.parent / name for name in ("solutions", "tests")]
    return [PACKAGE, *(p for p in checkout if p.is_dir())]


def _library() -> list[Path]:
    found: list[Path] = []
    for name in {"stdlib", "platstdlib"}:
        root = Path(sysconfig.get_path(name)).resolve()
        if root.is_dir():
            found += [p.resolve() for p in sorted(root.iterdir()) if p.name not in NEVER]
    archives = [Path(p) for p in sys.path if p.endswith(".zip")]
    return found + [p.resolve() for p in archives if p.is_file()]


def _package(name: str) -> list[Path]:
    spec = find_spec(name)
    if spec is None:
        raise InputError(f"need the package {name}, which exercises may use; it is not installed")
    roots = [Path(p).resolve() for p in spec.submodule_search_locations or [str(spec.origin)]]
    return roots + [p for root in roots if (p := root.with_name(f"{name}.libs")).is_dir()]


def _system() -> list[Path]:
    """Shared libraries: those beside Python, and the folder of C's unless more stands below it."""
    own = (Path(sys.base_prefix) / "lib").glob("*.so*")
    found = [p.resolve() for p in (Path("/etc/ld.so.cache"), *own) if p.is_file()]
    try:
        maps = Path("/proc/self/maps").read_text()
    except OSError:
        return found
    names = [Path(word) for word in maps.split() if word.startswith("/")]
    folders = {p.parent.resolve() for p in names if p.name.startswith(("libc.so", "ld-musl"))}
    guarded = [*hidden_folders(), *(Path(p).resolve() for p in sys.path)]
    return found + [f for f in folders if not any(_below(p, f) for p in guarded)]


def _below(path: Path, folder: Path) -> bool:
    return path == folder or folder in path.parents
