"""Clips in strokes: `limner bench clips --clips FOLDER`, a minute and a half for each clip.

The first pictures of every clip, at 256 px on the longer side, are painted as a clip and each alone, on one thread:
PSNR of the pictures, and PSNR of the changes from each to the next, which flicker spoils; CPU-seconds a picture, the
first of a clip, which is painted whole, among them. Four clips are made of the bundled photograph: one pans, one zooms,
in one the light goes and comes back, and one has a cut.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice, pairwise
from pathlib import Path

import torch
from paint import choose, machine
from torch import Tensor

import limner
from limner.files import files_in, write_json
from limner.painting.films.footage import Footage
from limner.painting.painting import Painting
from limner.painting.pictures import CLIPS, Picture, fitted, read_picture, resized
from limner.painting.scoring import psnr

SIDE, PICTURES = 256, 50
WINDOW = (192, 256)
"""(height, width) of the clips that are made."""


def made() -> dict[str, list[Picture]]:
    """Clips of the bundled photograph."""
    photo = read_picture(choose(None)[0])
    height, width = photo.size
    rows, columns = WINDOW

    def window(top: float, left: float, scale: float = 1.0, mirrored: bool = False, light: float = 1.0) -> Picture:
        high, wide = round(rows * scale), round(columns * scale)
        y, x = (round(share * room) for share, room in ((top, height - high), (left, width - wide)))
        pixels = photo.pixels[:, y : y + high, x : x + wide] * light
        return fitted(Picture(pixels.flip(2) if mirrored else pixels, None, "made"), WINDOW)

    shares = [k / (PICTURES - 1) for k in range(PICTURES)]
    return {
        "pan": [window(share / 4, share / 2) for share in shares],
        "zoom": [window(0.5, 0.6, 1.5 - share / 2) for share in shares],
        "light": [window(0.5, 0.6, light=1 - 0.8 * min(share / 0.4, (1 - share) / 0.6)) for share in shares],
        "cut": [window(0.5, 0.3 + share / 3, mirrored=share > 0.5) for share in shares],
    }


def filmed(folder: Path) -> dict[str, list[Picture]]:
    """The first pictures of every clip in a folder."""
    files = files_in(folder, CLIPS, "clips")
    return {file.stem: [resized(each, SIDE) for each in islice(Footage.of(file), PICTURES)] for file in files}


@dataclass(frozen=True)
class Run:
    """Means of a clip: PSNR of its pictures and of what changes between them, in dB, and CPU-seconds a picture."""

    psnr: float
    changes: float
    cpu: float


def measure(pictures: list[Picture], paint: Callable[[list[Picture]], list[Painting]]) -> Run:
    """Paint the pictures of a clip and score them, as they would be saved."""
    start = time.process_time()
    paintings = paint(pictures)
    cpu = (time.process_time() - start) / len(pictures)
    seen = [painting.render(*picture.size) / 255 for painting, picture in zip(paintings, pictures, strict=True)]
    wanted = [picture.pixels.movedim(0, -1) for picture in pictures]
    return Run(mean(seen, wanted), mean(changes(seen), changes(wanted)), cpu)


def mean(some: list[Tensor], others: list[Tensor]) -> float:
    """Mean PSNR of pictures against others."""
    return sum(psnr(a, b) for a, b in zip(some, others, strict=True)) / len(some)


def changes(pictures: list[Tensor]) -> list[Tensor]:
    """From each picture to the next."""
    return [after - before for before, after in pairwise(pictures)]


def main(json: Path | None, clips: Path | None, strokes: int) -> None:
    """Print the table, and write it as JSON."""
    torch.set_num_threads(1)
    limner.paint_clip(choose(None)[:1] * 2, 2, size=32)  # compiles
    rows = []
    for name, pictures in (made() | (filmed(clips) if clips else {})).items():
        alone = measure(pictures, lambda each: [limner.paint(picture, strokes) for picture in each])
        clip = measure(pictures, lambda each: limner.paint_clip(each, strokes).paintings)
        rows.append({"clip": name, "pictures": len(pictures), "alone": rounded(alone), "as_clip": rounded(clip)})
        print(
            f"{name:<16} alone {alone.psnr:6.2f} dB, changes {alone.changes:6.2f} dB, {alone.cpu:5.2f} CPU-s"
            f"   clip {clip.psnr:6.2f} dB, changes {clip.changes:6.2f} dB, {clip.cpu:5.2f} CPU-s",
            flush=True,
        )
    if json:
        write_json(json, {"machine": machine(1), "side": SIDE, "strokes": strokes, "seed": 0, "rows": rows})


def rounded(run: Run) -> dict[str, float]:
    """To two decimals."""
    return {name: round(value, 2) for name, value in vars(run).items()}
