"""Omniglot, background set: characters of 30 alphabets, drawn by 20 people each (Lake et al., Science, 2015).

Whole alphabets are held out, so that the characters of a test have never been seen.
"""

from pathlib import Path

import numpy as np
import torch
from jaxtyping import UInt8

from limner.data.decoded import decoded
from limner.data.images import Images
from limner.data.settings import Split
from limner.data.sources import SOURCES
from limner.errors import UserError
from limner.images import open_image

SIDE = 105
VALIDATION = {"Balinese", "Hebrew", "N_Ko", "Tagalog"}
TEST = {
    "Anglo-Saxon_Futhorc",
    "Burmese_(Myanmar)",
    "Greek",
    "Inuktitut_(Canadian_Aboriginal_Syllabics)",
    "Japanese_(katakana)",
    "Sanskrit",
}


def read(folder: Path, split: Split) -> Images:
    """The characters of a split, labelled by their number in the set, from 0; UserError names a damaged file."""
    files = sorted(folder.glob(SOURCES["omniglot"].files[0]))
    pixels = decoded("omniglot", folder, files, lambda: np.stack([_ink(file) for file in files]))
    chosen = [k for k, file in enumerate(files) if _split(file.parts[-3]) == split]
    labels = [int(files[k].name.split("_")[0]) - 1 for k in chosen]
    return Images(torch.from_numpy(pixels[chosen, None]), torch.tensor(labels, dtype=torch.long))


def _split(alphabet: str) -> Split:
    return "validation" if alphabet in VALIDATION else "test" if alphabet in TEST else "train"


def _ink(file: Path) -> UInt8[np.ndarray, "height width"]:
    image = open_image(file, str(file))
    if image.size != (SIDE, SIDE):
        raise UserError(f"{file}: is {image.width} x {image.height} pixels, expected {SIDE} x {SIDE}")
    return 255 - np.asarray(image.convert("L"))
