"""Faces: squares cut from the frames of the BioID Face Database by the marked eyes."""

import math
from pathlib import Path

import numpy as np
import torch
from jaxtyping import UInt8
from PIL import Image

from limner.data.decoded import decoded
from limner.data.images import Images
from limner.data.settings import Split
from limner.data.sources import SOURCES
from limner.errors import UserError
from limner.files import read_bytes
from limner.images import open_image

SIDE = 100
WIDTH, BROW = 2.4, 0.38
"""Side of the square in eye distances, and how far down it the eyes are: it holds the face from hairline to chin."""
VALIDATION, TEST = 1214, 1319
"""The first frames held out; at both a run of frames of one person ends."""


def read(folder: Path, split: Split) -> Images:
    """The faces of a split, in the order of the frames; UserError names a damaged file."""
    frames = sorted(folder.glob(SOURCES["faces"].files[0]))
    files = [file for frame in frames for file in (frame, frame.with_suffix(".eye"))]
    pixels = decoded("faces", folder, files, lambda: np.stack([_ink(frame) for frame in frames]))
    chosen = [k for k, frame in enumerate(frames) if _split(frame) == split]
    return Images(torch.from_numpy(pixels[chosen, None]))


def _split(frame: Path) -> Split:
    number = int(frame.stem.removeprefix("BioID_"))
    return "train" if number < VALIDATION else "validation" if number < TEST else "test"


def _ink(frame: Path) -> UInt8[np.ndarray, "height width"]:
    image = open_image(frame, str(frame)).convert("L")
    box = square(_eyes(frame.with_suffix(".eye")), image.size)
    return 255 - np.asarray(image.resize((SIDE, SIDE), Image.Resampling.LANCZOS, box))


def square(eyes: tuple[int, int, int, int], size: tuple[int, int]) -> tuple[float, float, float, float]:
    """The face's square (left, top, right, bottom) in a frame of `size` (width, height), pushed inside it."""
    left_x, left_y, right_x, right_y = eyes
    side = min(WIDTH * math.dist((left_x, left_y), (right_x, right_y)), *map(float, size))
    x = min(max((left_x + right_x) / 2 - side / 2, 0.0), size[0] - side)
    y = min(max((left_y + right_y) / 2 - side * BROW, 0.0), size[1] - side)
    return x, y, x + side, y + side


def _eyes(path: Path) -> tuple[int, int, int, int]:
    """The person's left eye, then the right (x, y)."""
    lines = read_bytes(path).decode("ascii", "replace").splitlines()
    try:
        left_x, left_y, right_x, right_y = map(int, lines[1].split())
    except (IndexError, ValueError):
        raise UserError(f"{path}: is no eye file: expected a line of four numbers after the first") from None
    if (left_x, left_y) == (right_x, right_y):
        raise UserError(f"{path}: is no eye file: both eyes are at one point")
    return left_x, left_y, right_x, right_y
