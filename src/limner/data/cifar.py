"""CIFAR-10: photographs of ten classes, in records of a label and 3 x 32 x 32 bytes (Krizhevsky, 2009)."""

from pathlib import Path

import numpy as np
import torch
from jaxtyping import UInt8

from limner.data.images import Images
from limner.data.settings import Split
from limner.errors import UserError
from limner.files import read_bytes

SIDE, CLASSES = 32, 10
RECORD = 1 + 3 * SIDE * SIDE
HELD_OUT = 10
"""The last tenth of the training images, 5,000 of 50,000, is for validation."""


def read(folder: Path, split: Split) -> Images:
    """The RGB images of a split, with their classes; UserError names a damaged file."""
    names = ["test_batch.bin"] if split == "test" else [f"data_batch_{k}.bin" for k in range(1, 6)]
    records = np.concatenate([_records(folder / name) for name in names])
    training = len(records) - len(records) // HELD_OUT
    records = {"train": records[:training], "validation": records[training:], "test": records}[split]
    pixels = 255 - records[:, 1:].reshape(-1, 3, SIDE, SIDE)
    return Images(torch.from_numpy(pixels), torch.from_numpy(records[:, 0]).long())


def _records(path: Path) -> UInt8[np.ndarray, "image byte"]:
    content = read_bytes(path)
    if len(content) % RECORD:
        raise UserError(f"{path}: is cut short: get it again")
    records = np.frombuffer(content, np.uint8).reshape(-1, RECORD)
    if records[:, 0].max() >= CLASSES:
        raise UserError(f"{path}: has labels beyond the {CLASSES} classes, and is damaged: get it again")
    return records
