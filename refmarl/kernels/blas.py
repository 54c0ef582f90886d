"""Matrix products inside kernels, by the same BLAS that NumPy calls.

A kernel cannot call NumPy's ``matmul``, and leaving it for every product costs more than a small
product itself. NumPy's own extension module is linked with a BLAS, so the address of its ``gemm``
can be looked up there, without SciPy and whatever file it stands in. Only the interface with
64-bit integers is used, which the wheels of NumPy have; ``AVAILABLE`` says whether it was found.

The addresses are registered under names of our own, so that compiled code kept on disk does not
depend on which library it was.
"""

import ctypes
from pathlib import Path
from typing import Any

import numpy as np

from ._jit import JIT, kernel

NAMES = ("scipy_cblas_{}gemm64_", "cblas_{}gemm64_", "cblas_{}gemm$NEWLAPACK$ILP64")
ROW_MAJOR, PLAIN, TRANSPOSED = 101, 111, 112  # of the CBLAS interface


def libraries() -> list[str]:
    """Files in which the functions may be found: NumPy's extension, then what lies beside it."""
    core = getattr(np, "_core", None) or getattr(np, "core", None)
    extension = getattr(getattr(core, "_multiarray_umath", None), "__file__", None)
    package = Path(np.__file__).parent
    folders = (package.parent / "numpy.libs", package / ".libs", package / ".dylibs")
    beside = [str(p) for folder in folders for p in sorted(folder.glob("*openblas*"))]
    return ([str(extension)] if extension else []) + beside


def find(letter: str, files: list[str] | None = None) -> int:
    """The address of ``sgemm`` ("s") or ``dgemm`` ("d") with 64-bit integers; 0 if not found."""
    for file in libraries() if files is None else files:
        try:
            library = ctypes.CDLL(file)
        except OSError:
            continue
        for name in NAMES:
            function: Any = getattr(library, name.format(letter), None)
            if function is not None:
                return ctypes.cast(function, ctypes.c_void_p).value or 0
    return 0


def _register() -> bool:
    """Make both functions known to compiled code; whether both were found."""
    from llvmlite import binding  # type: ignore[import-untyped]

    found = {letter: find(letter) for letter in "sd"}
    for letter, address in found.items():
        if address:
            binding.add_symbol(f"refmarl_{letter}gemm", address)
    return all(found.values())


AVAILABLE = JIT and _register()

if AVAILABLE:
    from numba import types

    def _external(letter: str, real: Any) -> Any:
        i, n = types.int32, types.int64  # enumerations, sizes; addresses are passed as integers
        arguments = (i, i, i, n, n, n, real, n, n, n, n, real, n, n)
        return types.ExternalFunction(f"refmarl_{letter}gemm", types.void(*arguments))

    _sgemm, _dgemm = _external("s", types.float32), _external("d", types.float64)
else:
    _sgemm = _dgemm = None


@kernel
def gemm(
    single: bool,
    a_t: bool,
    b_t: bool,
    m: int,
    n: int,
    k: int,
    a: Any,
    lda: int,
    b: Any,
    ldb: int,
    beta: float,
    c: Any,
    ldc: int,
) -> None:
    """C ← A B + β C at these addresses, in rows of ``ld…`` numbers; C is (m, n), A B sums over k.

    ``a_t``, ``b_t``: whether A, B stand transposed; ``single``: float32 rather than float64.
    """
    left, right = TRANSPOSED if a_t else PLAIN, TRANSPOSED if b_t else PLAIN
    if single:
        one, keep = np.float32(1.0), np.float32(beta)
        _sgemm(ROW_MAJOR, left, right, m, n, k, one, a, lda, b, ldb, keep, c, ldc)
    else:
        _dgemm(ROW_MAJOR, left, right, m, n, k, 1.0, a, lda, b, ldb, beta, c, ldc)
