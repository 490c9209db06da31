"""The commands `limner data` and `limner data show`."""

import math
import sys
from pathlib import Path

import torch
from PIL import Image

from limner.data import sources
from limner.data.images import Images
from limner.data.loading import fitted, selected
from limner.data.options import ListData, ShowData
from limner.data.settings import HELD_OUT, SPLITS, SYNTHETIC, THESIS_SIZE, TRAIN, Data
from limner.files import atomic, try_writing
from limner.printing import answer, say
from limner.tables import table

TILE = 84
GRAY = 160


def listing(_: ListData) -> int:
    """Print every data set with its images per split, its size, and where it is or how to get it."""
    answer(f"{'':<25}" + "".join(f"{split:>11}" for split in SPLITS) + "  pixels")
    for name in SYNTHETIC:
        answer(_line(name, (TRAIN, HELD_OUT, HELD_OUT), THESIS_SIZE, "drawn when it is used"))
    for name, source in sources.SOURCES.items():
        answer(_line(name, source.counts, source.side, _whereabouts(Data(name))))
    answer(f"{'folder':<25}{'your own pictures: limner data show folder --folder PATH':>67}")
    return 0


def _whereabouts(data: Data) -> str:
    found = sources.present(data)
    return f"in {sources.SOURCES[data.name].missing(found) or found}" if found else f"missing: {sources.advice(data)}"


def _line(name: str, counts: tuple[int, ...], side: int, words: str) -> str:
    return f"{name:<25}" + "".join(f"{count:>11,}" for count in counts) + f"{f'{side} x {side}':>11}  {words}"


def show(options: ShowData) -> int:
    """Write a sheet of images, chosen by the seed, with ink shown black."""
    path = options.output or Path(f"{options.name}.png")
    sources.check_apart("--output", path, options)
    try_writing(path)
    images = selected(options, options.split)
    sources.tell_of_part(options)
    generator = torch.Generator().manual_seed(options.seed)
    chosen = torch.randperm(len(images), generator=generator)[: options.count].sort().values
    shown = sheet(fitted(images[chosen], options))
    with atomic(path) as temporary:
        shown.save(temporary)
    say(f"{path}  {len(chosen)} of {len(images):,} images, {options.split}", sys.stdout)
    return 0


def sheet(images: Images) -> Image.Image:
    """Images in rows, small ones enlarged, ink shown as black."""
    columns = min(len(images), math.ceil(math.sqrt(1.5 * len(images))))
    rows = math.ceil(len(images) / columns)
    shown = (255 - images.pixels) / 255
    empty = torch.full((rows * columns - len(images), *shown.shape[1:]), GRAY / 255)
    cells = torch.cat([shown, empty]).unflatten(0, (rows, columns))
    return table(cells, max(1, round(TILE / images.size[0])), GRAY)
