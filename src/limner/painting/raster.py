"""Pixels of a finished painting: 8-bit, to and from files."""

import io
import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

import numpy
import resvg_py
import torch
from jaxtyping import Float, UInt8
from PIL import Image
from torch import Tensor

from limner.errors import UserError
from limner.files import read_bytes
from limner.images import DPI, decoding
from limner.painting.films.kinds import KINDS, LARGEST, kind
from limner.painting.pictures import scaled

Pixels: TypeAlias = UInt8[Tensor, "height width band"]
SIDES = {".webp": ("WebP", 16383), ".psd": ("Photoshop", 30000), ".jpg": ("JPEG", 65500), ".jpeg": ("JPEG", 65500)}
"""Most pixels a side."""
TOGETHER = 2**18
"""Pixels that are worked on together: large pictures would take as much memory again, several times."""
PICTURED = 1024
"""Most pixels on the longer side of an SVG of pictures that is scored."""


def pixels(colour: Float[Tensor, "channel height width"], cover: Float[Tensor, "1 height width"] | None) -> Pixels:
    """round(255 x) of a canvas; with `cover`, of premultiplied colours, un-premultiplied, and alpha as a last band.

    Some rows after the others, which takes little memory beside the canvas; and by numpy, since PyTorch would wake all
    its threads for every one of many small frames.
    """
    values, alpha = (None if part is None else part.detach().cpu().numpy() for part in (colour, cover))
    assert values is not None
    bands, height, width = values.shape
    found = numpy.empty((height, width, bands + (alpha is not None)), numpy.uint8)
    for rows in strips(height, width):
        some = values[:, rows]
        if alpha is not None:
            share = alpha[:, rows].clip(0, 1)
            straight = numpy.divide(some, share, out=numpy.zeros_like(some), where=share > 0)
            some = numpy.concatenate([straight, share])
        found[rows] = numpy.moveaxis((some.clip(0, 1) * 255).round(), 0, -1)
    return torch.from_numpy(found)


def has_alpha(image: Pixels) -> bool:
    """Whether the last band is alpha, behind gray or RGB."""
    return image.shape[-1] % 2 == 0


def colours(image: Pixels) -> UInt8[Tensor, "height width 3"]:
    """RGB, whatever the alpha."""
    return (image[..., :-1] if has_alpha(image) else image).expand(-1, -1, 3).contiguous()


def strips(height: int, width: int) -> Iterator[slice]:
    """The rows of a picture, some after the others."""
    step = max(1, TOGETHER // width)
    return (slice(top, top + step) for top in range(0, height, step))


def premultiplied(image: Pixels) -> Float[Tensor, "channel height width"]:
    """RGB in [0, 1], or premultiplied RGB and alpha, of gray or colour pixels: what pictures are compared as."""
    values = numpy.moveaxis(image.numpy(), -1, 0) / numpy.float32(255)
    if not has_alpha(image):
        return torch.from_numpy(values).expand(3, -1, -1)
    alpha = torch.from_numpy(values[-1:])
    return torch.cat([torch.from_numpy(values[:-1] * values[-1:]).expand(3, -1, -1), alpha])


def on_white(image: Pixels) -> UInt8[Tensor, "height width 3"]:
    """RGB pixels, with white behind whatever is transparent."""
    if not has_alpha(image):
        return colours(image)
    values = premultiplied(image)
    return pixels(values[:3] + (1 - values[3:]), None)


def picture(image: Pixels) -> Image.Image:
    """The same as a Pillow image: L, LA, RGB or RGBA."""
    array = image.numpy()
    return Image.fromarray(array[..., 0] if array.shape[-1] == 1 else array)


def saved_size(path: Path, full: tuple[int, int], longer_side: int | None) -> tuple[int, int]:
    """(height, width) at which a picture of a full size is saved; by default in full, films smaller.

    Raises UserError for one that is too large for its kind of file, or for any.
    """
    film = KINDS.get(kind(path))
    side = min(max(full), film.side if film else max(full)) if longer_side is None else longer_side
    height, width = scaled(full, side)
    called, most = (film.called, film.page) if film else ("", LARGEST)
    if height * width > most:
        many = f"{path}: {width} x {height} pixels are too many{called and f' for {called}'}"
        raise UserError(f"{many}: choose a smaller size{called and ', or .mp4'}")
    called, most = SIDES.get(path.suffix.lower(), ("", side))
    if max(height, width) > most:
        raise UserError(f"{path}: {called} ends at {most} pixels a side: choose PNG, or a smaller size")
    return height, width


def encoded(image: Pixels, suffix: str) -> bytes:
    """A PNG, JPEG (on white) or WebP file, by its suffix.

    In memory, since Pillow does not notice where one on a disk is cut short.
    """
    file = io.BytesIO()
    if suffix == ".png":
        picture(image).save(file, "PNG", optimize=False)
    elif suffix == ".webp":
        picture(image).convert("RGBA" if has_alpha(image) else "RGB").save(file, "WEBP", quality=92)
    else:
        flat = image if image.shape[-1] == 1 else on_white(image)
        picture(flat).save(file, "JPEG", quality=93, subsampling=0)
    return file.getvalue()


def read(path: Path) -> Pixels:
    """The pixels of a saved picture, RGB or RGBA; an SVG is rendered by resvg, at its own size.

    One with masks that are pictures, each of which takes as long as the whole page, is so at `PICTURED` pixels at most.
    However large it is; UserError for what is no picture.
    """
    content = read_bytes(path)
    with decoding(str(path)), warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        if path.suffix.lower() == ".svg":
            text = content.decode()
            width, height = _bounded(text)
            content = resvg_py.svg_to_bytes(
                svg_string=text, width=width, height=height, dpi=DPI, skip_system_fonts=True
            )
        file = _merged(content) if path.suffix.lower() == ".psd" else Image.open(io.BytesIO(content))
        clear = file.mode in ("LA", "RGBA", "PA") or "transparency" in file.info
        return torch.from_numpy(numpy.array(file.convert("RGBA" if clear else "RGB")))


def _merged(document: bytes) -> Image.Image:
    """How the layers of a Photoshop document look together; Pillow would leave it on white."""
    from psd_tools import PSDImage  # takes a third of a second

    shown = PSDImage.open(io.BytesIO(document)).topil()
    assert shown is not None
    return shown


def is_shrunk(path: Path) -> bool:
    """Whether `read` renders it smaller than it is."""
    return path.suffix.lower() == ".svg" and any(_bounded(path.read_text("utf-8")))


def _bounded(svg: str) -> tuple[int | None, int | None]:
    """The width or the height for resvg to render one of limner's at, if they are not to be its own."""
    sides = [int(side) for side in re.findall(r'\b(?:width|height)="(\d+)"', svg.partition(">")[0])]
    if "<mask " not in svg or len(sides) != 2 or max(sides) <= PICTURED:
        return None, None
    return (PICTURED, None) if sides[0] >= sides[1] else (None, PICTURED)
