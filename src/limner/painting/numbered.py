"""Pictures of a film as PNG files with numbers."""

from collections.abc import Iterable
from pathlib import Path

from limner.files import atomic, make_folder
from limner.painting import raster

FRAME = "frame-{:04}.png"


def write_frames(folder: Path, images: Iterable[raster.Pixels]) -> int:
    """Write pictures, frame-0000.png and on, into a folder; returns how many they are."""
    make_folder(folder)
    count = 0
    for count, image in enumerate(images, 1):
        with atomic(folder / FRAME.format(count - 1)) as temporary:
            temporary.write_bytes(raster.encoded(image, ".png"))
    return count
