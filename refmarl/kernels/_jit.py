"""The whole JIT policy: one decorator, ``kernel``.

``REFMARL_JIT=0``
    Every kernel is the plain Python function, for the debugger and for coverage.
``NUMBA_CACHE_DIR``
    Respected when set. Otherwise compiled kernels live in a folder named after a digest of *all*
    sources of the package: numba's own key is the decorated file alone, so that a kernel would
    keep an outdated callee of another file.

Kernels take arrays and scalars, draw no random numbers and never validate. A division by zero
gives inf or nan in them, as in NumPy (``error_model="numpy"``), not an exception.
"""

import hashlib
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

JIT = os.environ.get("REFMARL_JIT", "1") != "0"
KEPT_CACHES = 4  # older ones, of earlier sources, are deleted


def _digest() -> str:
    """Digest of every source of the package and of the flags that numba leaves out of its key."""
    digest = hashlib.sha256(os.environ.get("NUMBA_BOUNDSCHECK", "").encode())
    root = Path(__file__).parents[1]
    for path in sorted(root.rglob("*.py")):
        digest.update(path.relative_to(root).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _cache_root() -> Path:
    """A writable folder for all caches: the user's own, else a fresh temporary one."""
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    root = Path(home) / "refmarl" / "numba"
    try:
        root.mkdir(parents=True, exist_ok=True)
        if os.access(root, os.W_OK):
            return root
    except OSError:
        pass
    return Path(tempfile.mkdtemp(prefix="refmarl-numba-"))  # nobody else can plant files there


def _cache_dir() -> str:
    """The folder of these sources; caches of earlier ones beyond ``KEPT_CACHES`` are removed."""
    root = _cache_root()
    here = root / _digest()
    here.mkdir(exist_ok=True)
    os.utime(here)
    try:
        others = sorted(root.iterdir(), key=lambda p: p.stat().st_mtime, reverse=True)
    except OSError:  # another process is pruning
        others = []
    for old in others[KEPT_CACHES:]:
        shutil.rmtree(old, ignore_errors=True)
    return str(here)


def _leave_scipy_out() -> None:
    """Do not import SciPy when numba starts, which takes 0.2 s, but when a kernel needs it.

    numba asks for SciPy's BLAS once while it loads ``numba.np.arraymath``, to choose between two
    forms of one function, and again whenever a kernel calls BLAS. The first time we say yes: SciPy
    is a dependency. Where numba is made otherwise, nothing happens.
    """
    from numba.np import linalg

    ask: Callable[[], None] | None = getattr(linalg, "ensure_blas", None)
    if ask is None:
        return

    def ensure_blas() -> None:
        loading = sys.modules.get("numba.np.arraymath")
        if loading is None or hasattr(loading, "_HAVE_BLAS"):
            ask()

    setattr(linalg, "ensure_blas", ensure_blas)  # noqa: B010


def _one_signature(compiled: Any) -> None:
    """Compile a kernel that others call with constants once for all of their values.

    numba would compile it once more for each: they come as ``Literal[int](0)`` and so on.
    """
    from numba.core import types

    plain: Callable[[Any], Any] = getattr(types, "unliteral")  # noqa: B009
    ask: Callable[[Any, Any], Any] = compiled.get_call_template

    def get_call_template(args: Any, kws: Any) -> Any:
        return ask(tuple(map(plain, args)), {name: plain(kind) for name, kind in kws.items()})

    compiled.get_call_template = get_call_template


if JIT:
    import numba

    _leave_scipy_out()
    if not os.environ.get("NUMBA_CACHE_DIR"):
        setattr(numba.config, "CACHE_DIR", _cache_dir())  # noqa: B010

    def kernel(f: Callable[P, R]) -> Callable[P, R]:
        """Compile ``f`` at its first call; ``kernel.py_func`` is the Python function."""
        compiled: Callable[P, R] = numba.njit(cache=True, nogil=True, error_model="numpy")(f)
        _one_signature(compiled)
        return compiled
else:

    def kernel(f: Callable[P, R]) -> Callable[P, R]:
        """Return ``f`` as it is (``REFMARL_JIT=0``)."""
        f.py_func = f  # type: ignore[attr-defined]
        return f
