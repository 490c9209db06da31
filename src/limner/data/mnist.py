"""MNIST: handwritten digits in IDX files (LeCun, Cortes, Burges)."""

import gzip
import math
import zlib
from pathlib import Path

import numpy as np
import torch
from jaxtyping import UInt8

from limner.data.images import Images
from limner.data.settings import Split
from limner.errors import UserError
from limner.files import read_bytes

SIDE, CLASSES = 28, 10
HELD_OUT = 12
"""The last twelfth of the training images, 5,000 of 60,000, is for validation."""


def read(folder: Path, split: Split) -> Images:
    """The digits of a split, with their classes; UserError names a damaged file."""
    part = "t10k" if split == "test" else "train"
    pixels = read_idx(folder / f"{part}-images-idx3-ubyte.gz", 3)
    labels = read_idx(folder / f"{part}-labels-idx1-ubyte.gz", 1)
    if pixels.shape[1:] != (SIDE, SIDE) or labels.max(initial=0) >= CLASSES:
        raise UserError(f"{folder}: the images of {part} are no digits of {SIDE} x {SIDE} pixels: get the files again")
    if len(pixels) != len(labels):
        raise UserError(f"{folder}: {len(pixels)} images of {part} but {len(labels)} labels: get the files again")
    images = Images(torch.from_numpy(pixels[:, None]), torch.from_numpy(labels).long())
    training = len(images) - len(images) // HELD_OUT
    return {"train": images[:training], "validation": images[training:], "test": images}[split]


def read_idx(path: Path, dimensions: int) -> UInt8[np.ndarray, "..."]:
    """The array in a gzipped IDX file of unsigned bytes."""
    try:
        content = gzip.decompress(read_bytes(path))
    except (OSError, EOFError, zlib.error) as error:
        raise UserError(f"{path}: is damaged or cut short ({error}): get it again") from error
    header = 4 + 4 * dimensions
    shape = [int.from_bytes(content[k : k + 4]) for k in range(4, header, 4)]
    if content[:4] != bytes([0, 0, 8, dimensions]) or len(content) != header + math.prod(shape):
        raise UserError(f"{path}: is not an IDX file of bytes in {dimensions} dimensions: get it again")
    return np.frombuffer(content, np.uint8, offset=header).reshape(shape).copy()
