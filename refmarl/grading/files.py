"""Writing files so that each appears whole or not at all."""

import os
from pathlib import Path


def replace(path: Path, data: bytes | str) -> None:
    """Write ``path`` in one step, whatever was there before; its folder is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_bytes(data.encode() if isinstance(data, str) else data)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
