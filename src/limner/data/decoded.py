"""Keeping decoded pictures, since decoding thousands of small files takes longer than all else."""

import hashlib
import os
import zlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from jaxtyping import UInt8

from limner.data.sources import cache
from limner.errors import UserError
from limner.files import atomic

Pixels = UInt8[np.ndarray, "image ..."]

VERSION = 1
"""To be raised when the same files decode to other pixels."""
UNREADABLE = (OSError, ValueError, KeyError, EOFError, RuntimeError, BadZipFile, zlib.error)


def decoded(name: str, folder: Path, files: Sequence[Path], decode: Callable[[], Pixels]) -> Pixels:
    """What `decode` makes of these files, kept in the cache for as long as names, sizes and dates of the files stay.

    There is one kept array for a name and a folder. Where the cache cannot be written, decoding is repeated each time.
    """
    stamp = "\n".join(_stamp(file) for file in files)
    key = hashlib.sha256(os.fsencode(f"{VERSION}\n{stamp}")).hexdigest()
    place = hashlib.sha256(os.fsencode(folder.resolve())).hexdigest()[:16]
    path = cache() / "decoded" / f"{name}-{place}.npz"
    with suppress(*UNREADABLE), np.load(BytesIO(path.read_bytes())) as kept:
        if kept["key"] == key:
            return kept["pixels"]
    pixels = decode()
    with suppress(OSError, UserError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic(path) as temporary:
            np.savez_compressed(temporary, key=np.array(key), pixels=pixels)
    return pixels


def _stamp(file: Path) -> str:
    try:
        status = file.stat()
    except OSError as error:
        raise UserError(f"{file}: cannot be read: {error.strerror or error}") from error
    return f"{file} {status.st_size} {status.st_mtime_ns}"
