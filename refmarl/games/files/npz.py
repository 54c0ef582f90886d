"""Games as NumPy archives: arrays under the keys of the JSON form, names as bytes of JSON.

Nothing in an archive is believed: the header of each array is read and held against the caps,
then the bytes that it promises are unpacked and no others, so that neither a pickle nor a few
kilobytes that unpack to terabytes can do harm.
"""

import io
import json
import struct
import warnings
import zipfile
import zlib
from typing import Any

import numpy as np
from numpy.lib import format as npy

from ...check import InputError
from ..normal_form import NormalForm
from . import json_form
from .limits import MAX_BYTES, assembled, decoded, keys, labels, shape_cap, shortened

NAMES = "names"
DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    NotImplementedError,
    OverflowError,
    RecursionError,
    MemoryError,
    RuntimeError,  # encrypted
    ValueError,  # a header that is none
    TypeError,
    KeyError,
    OSError,
)


def parse(data: bytes) -> NormalForm:
    """The game in the bytes of an .npz file.

    Raises
    ------
    InputError
        If it is no archive of arrays, or no game.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _game(archive)
    except InputError:
        raise
    except DAMAGE as error:
        raise InputError(f"no .npz archive, or a damaged one ({shortened(str(error))})") from None


def _game(archive: zipfile.ZipFile) -> NormalForm:
    members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
    if len(members) < len(archive.infolist()):
        raise InputError("an array comes twice")
    given = keys(set(members), {NAMES})
    named: dict[str, Any] = {}
    if NAMES in members:
        raw = _array(archive, members[NAMES], NAMES)
        if raw.dtype != np.uint8 or raw.ndim != 1:
            raise InputError(f"{NAMES}: need bytes, got {raw.dtype} of shape {raw.shape}")
        named = json_form.loads(decoded(raw.tobytes()))
        if not isinstance(named, dict) or set(named) - json_form.NAMES:
            raise InputError(f"{NAMES}: need an object of {', '.join(sorted(json_form.NAMES))}")
    arrays = {key: _array(archive, members[key], key) for key in sorted(given)}
    return assembled(arrays, labels(named))


def _array(archive: zipfile.ZipFile, info: zipfile.ZipInfo, key: str) -> Any:
    """One array of the archive, if its header promises one that is allowed."""
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise InputError(f"{key}: need it stored or deflated, got method {info.compress_type}")
    with archive.open(info) as member, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of headers written by Python 2
        version = npy.read_magic(member)
        if version not in ((1, 0), (2, 0)):
            raise InputError(f"{key}: an array of format {version}; need 1.0 or 2.0")
        header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, _, dtype = header(member)
        _allowed(key, shape, dtype)
        member.seek(0)
        return npy.read_array(member, allow_pickle=False)


def _allowed(key: str, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
    """Refuse an array that holds anything but real numbers, or too many."""
    if dtype.hasobject:
        raise InputError(f"{key}: Python objects; need numbers (pickles are never read)")
    if dtype.kind not in "biuf":
        raise InputError(f"{key}: need real numbers, got {dtype}")
    if any(k < 0 for k in shape):
        raise InputError(f"{key}: shape {shape}")
    if key == NAMES:
        if len(shape) != 1 or shape[0] > MAX_BYTES:
            raise InputError(f"{key}: shape {shape}; the cap is {MAX_BYTES} bytes")
        return
    shape_cap(key, shape)


def build(game: NormalForm) -> bytes:
    """The game as a compressed archive."""
    named = json.dumps(json_form.names(game), ensure_ascii=False).encode("utf-8")
    out = io.BytesIO()
    np.savez_compressed(out, payoffs=game.payoffs, names=np.frombuffer(named, np.uint8))
    return out.getvalue()
