"""A folder of anybody's own pictures as a data set: squares from their middles, of one size."""

import hashlib
import os
from pathlib import Path

import numpy as np
import torch
from jaxtyping import UInt8
from PIL import Image, ImageOps

from limner.data.decoded import decoded
from limner.data.images import Images
from limner.data.settings import SPLITS, Split
from limner.errors import UserError
from limner.images import SUFFIXES, open_image, to_values

SHARE = 10
"""A tenth of the pictures, at least one, is for validation, and as many are for testing."""


def read(folder: str | Path | None, split: Split, size: int, channels: int) -> Images:
    """The pictures of a folder (`files_of`) that fall in a split; UserError names what is none."""
    files = files_of(folder)
    folder, name = Path(str(folder)), f"folder-{size}-{channels}"
    pixels = decoded(name, folder, files, lambda: np.stack([_ink(file, size, channels) for file in files]))
    return Images(torch.from_numpy(pixels[_members(folder, files, split)]))


def files_of(folder: str | Path | None) -> list[Path]:
    """The pictures in `folder` and below it, but hidden ones; UserError for fewer than there are splits."""
    if folder is None:
        raise UserError(
            "folder: say which folder holds the pictures, as --data.folder, or --folder of limner data show"
        )
    folder = Path(folder)
    if not folder.is_dir():
        raise UserError(f"{folder}: no such folder")
    files = [path for path in sorted(folder.rglob("*")) if path.suffix.lower() in SUFFIXES and path.is_file()]
    files = [path for path in files if not any(part.startswith(".") for part in path.relative_to(folder).parts)]
    if len(files) < len(SPLITS):
        raise UserError(f"{folder}: holds {len(files)} pictures, a data set needs at least {len(SPLITS)}")
    return files


def _members(folder: Path, files: list[Path], split: Split) -> list[int]:
    """Which files are in a split: drawn by their names alone, so that a copy of the folder is split alike."""
    drawn = [hashlib.sha256(os.fsencode(file.relative_to(folder).as_posix())).digest() for file in files]
    order = sorted(range(len(files)), key=drawn.__getitem__)
    held = max(1, len(files) // SHARE)
    return sorted({"test": order[:held], "validation": order[held : 2 * held], "train": order[2 * held :]}[split])


def _ink(file: Path, size: int, channels: int) -> UInt8[np.ndarray, "channel height width"]:
    values, alpha = to_values(open_image(file, str(file)), str(file))
    if alpha is not None:
        values = 1 - alpha[..., None] * (1 - values)
    brightness = (np.broadcast_to(values, (*values.shape[:2], 3)) * 255).round().astype(np.uint8)
    picture = Image.fromarray(brightness).convert("L" if channels == 1 else "RGB")
    fitted = np.asarray(ImageOps.fit(picture, (size, size), Image.Resampling.LANCZOS))
    return 255 - fitted.reshape(size, size, channels).transpose(2, 0, 1)
