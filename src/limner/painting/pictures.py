"""Pictures to paint: read from any source, kept as stored sRGB values in [0, 1], shrunk with alpha in mind."""

import os
import sys
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, replace
from glob import glob
from io import TextIOBase
from itertools import chain
from pathlib import Path
from typing import Protocol, TypeAlias, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from limner.errors import UserError
from limner.files import files_in, reason
from limner.images import ROUNDING, SUFFIXES, decoding, open_image, to_values, upright
from limner.masks import VECTOR

Planes: TypeAlias = Float[Tensor, "channel height width"]
Alpha: TypeAlias = Float[Tensor, "height width"]

_CLIPS = """3g2 3gp asf avi f4v flv m2ts m2v m4v mkv mov mp4 mpeg mpg mts mxf ogv ts vob webm wmv"""
CLIPS = frozenset(f".{kind}" for kind in _CLIPS.split())
"""Suffixes of clips, which are many pictures."""
DEPTHS = {"bool": 1, "uint8": 255, "uint16": 65535}


@dataclass(frozen=True, eq=False)
class Picture:
    """pixels: in [0, 1], 1 channel for gray sources, else 3.  alpha: in [0, 1], None when opaque everywhere."""

    pixels: Planes
    alpha: Alpha | None
    name: str

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) in pixels."""
        return self.pixels.shape[1], self.pixels.shape[2]


@runtime_checkable
class BinaryFile(Protocol):
    """Anything whose `read` gives bytes."""

    def read(self) -> bytes: ...


Source: TypeAlias = Picture | str | Path | bytes | BinaryFile | Image.Image | np.ndarray | Tensor


def read_picture(source: Source) -> Picture:
    """A picture from a path, "-" (standard input), a binary file, bytes, a PIL image, an array or a tensor.

    Arrays are (height, width) or (height, width, 1 | 3 | 4); tensors (height, width), (1 | 3 | 4, height, width), or a
    batch of one such. They hold bool, uint8, uint16, or floats in [0, 1]; a fourth channel is alpha. Of an animation
    the first frame is read.
    Raises UserError that names what is wrong with the source.
    """
    if isinstance(source, Picture):
        return source
    if isinstance(source, Tensor):
        if source.is_meta:
            raise UserError("tensor: has a shape, but no values: it is on the meta device")
        array = source.detach().cpu().to_dense().resolve_neg()
        array = array.float() if array.is_floating_point() and array.dtype != torch.float64 else array
        array = array[0] if array.ndim == 4 and len(array) == 1 else array
        return _from_array(np.moveaxis(array.numpy(), 0, -1) if array.ndim == 3 else array.numpy(), "tensor")
    if isinstance(source, np.ndarray):
        return _from_array(source, "array")
    if isinstance(source, Image.Image):
        name = Path(str(getattr(source, "filename", ""))).stem or "image"
        with decoding(name):
            source.load()
        return _from_image(upright(source), name, name)
    if isinstance(source, str | Path) and str(source) != "-":
        path = Path(source)
        if path.suffix.lower() in VECTOR:
            raise UserError(f"{path}: SVG cannot be read as a picture: save it as PNG first")
        return _from_image(open_image(path, str(path)), path.stem, str(path))
    if isinstance(source, bytes):
        return _from_image(open_image(source, "bytes"), "picture", "bytes")
    if isinstance(source, str | Path):
        if sys.stdin is None:
            raise UserError("-: there is no standard input: name a file, or pipe a picture in")
        try:
            content = sys.stdin.buffer.read()
        except OSError as error:
            raise UserError(f"standard input: cannot be read: {reason(error)}") from error
        return _from_image(open_image(content, "standard input"), "stdin", "standard input")
    if isinstance(source, TextIOBase):
        raise UserError(f'{getattr(source, "name", "file")}: is open as text: open it in binary, with "rb"')
    if isinstance(source, BinaryFile):
        name = str(getattr(source, "name", "file"))
        try:
            content = source.read()
        except (OSError, ValueError) as error:  # a ValueError where it has been closed
            raise UserError(f"{name}: cannot be read: {error}") from error
        return _from_image(open_image(content, name), Path(name).stem, name)
    raise UserError(f"a {type(source).__name__} is no picture: expected a path, an image, an array or a tensor")


def picture_files(
    paths: str | Path | Iterable[str | Path], deep: bool = False, without: Container[str] = ()
) -> list[Path]:
    """Files as given ("-" too), and the pictures in each folder given, sorted by name; UserError for one with none.

    A pattern such as *.jpg is for shells that leave it as it is, those of Windows.
    deep: enter the folders in folders, too, but for those at the places `without`.
    Of a folder those called NAME-painted are left out: they are what `limner paint` wrote.
    """
    given = [paths] if isinstance(paths, str | Path) else list(paths)
    found: list[Path] = []
    for path in chain.from_iterable(map(_matching, given)):
        files = [Path("-")] if str(path) == "-" else files_in(path, SUFFIXES, "pictures", deep, without)
        fresh = [file for file in files if not file.stem.endswith("-painted")] if os.path.isdir(path) else files
        if not fresh:
            raise UserError(f"{path}: no pictures in this folder, only paintings: name the one to paint")
        found += fresh
    return found


def _matching(given: str | Path) -> Sequence[str | Path]:
    """The files that a pattern stands for; what is none, or matches nothing, as it is."""
    if os.path.exists(given) or not set("*?") & set(str(given)):
        return [given]
    return sorted(glob(str(given).replace("[", "[[]"))) or [given]


def is_clip(path: Path) -> bool:
    """Whether it is one by its name."""
    return path.suffix.lower() in CLIPS


def resized(picture: Picture, longer_side: int) -> Picture:
    """Shrunk until its longer side has that many pixels; never enlarged."""
    longest = max(picture.size)
    if longest <= longer_side:
        return picture
    return fitted(picture, scaled(picture.size, longer_side))


def scaled(size: tuple[int, int], longer_side: int) -> tuple[int, int]:
    """A (height, width) of the same proportions whose longer side has so many pixels; at least one a side."""
    height, width = (max(1, round(side * longer_side / max(size))) for side in size)
    return height, width


def fitted(picture: Picture, size: tuple[int, int]) -> Picture:
    """Exactly this (height, width), by a bicubic filter that takes all pixels into account, alpha premultiplied."""
    if picture.size == size:
        return picture
    if picture.alpha is None:
        return replace(picture, pixels=_resize(picture.pixels, size))
    alpha = _resize(picture.alpha[None], size)
    colour = _resize(picture.pixels * picture.alpha, size)
    pixels = torch.where(alpha > 0, colour / alpha.clamp(min=1e-6), 0).clamp(0, 1)
    return replace(picture, pixels=pixels, alpha=alpha[0])


def laid(
    pixels: Float[Tensor, "channel height width"],
    alpha: Float[Tensor, "height width"] | None,
    ground: Float[Tensor, "_"] | None,
) -> Float[Tensor, "_ height width"]:
    """A picture on a ground, or, without one, premultiplied and with its alpha behind."""
    alpha = torch.ones_like(pixels[:1]) if alpha is None else alpha[None]
    if ground is None:
        return torch.cat([pixels * alpha, alpha])
    return pixels * alpha + (1 - alpha) * ground[:, None, None]


def _resize(planes: Planes, size: tuple[int, int]) -> Float[Tensor, "channel rows columns"]:
    planes, turned = planes.contiguous(), (size[1], size[0])
    images = [Image.fromarray(plane.numpy()).resize(turned, Image.Resampling.BICUBIC) for plane in planes]
    return torch.from_numpy(np.stack([np.asarray(image) for image in images])).clamp(0, 1)


def _from_image(image: Image.Image, name: str, label: str) -> Picture:
    values, alpha = to_values(image, label)
    pixels = torch.from_numpy(np.ascontiguousarray(np.moveaxis(values, -1, 0)))
    return Picture(pixels, None if alpha is None else torch.from_numpy(alpha), name)


def _from_array(array: np.ndarray, kind: str) -> Picture:
    if np.ma.is_masked(array):
        raise UserError(f"{kind}: some of its values are masked: fill them, or give a fourth channel for alpha")
    array = np.asarray(array)
    shape = tuple(array.shape)
    if array.ndim not in (2, 3) or (array.ndim == 3 and shape[2] not in (1, 3, 4)):
        order = "(1 | 3 | 4, height, width)" if kind == "tensor" else "(height, width, 1 | 3 | 4)"
        shape = (shape[2], *shape[:2]) if kind == "tensor" and array.ndim == 3 else shape
        raise UserError(f"{kind} of shape {shape}: expected (height, width) or {order}")
    if 0 in shape:
        raise UserError(f"{kind} of shape {shape}: has no pixels")
    if array.dtype.kind == "f":
        if not np.isfinite(array).all():
            raise UserError(f"{kind}: holds values that are not finite")
        if array.min() < -ROUNDING or array.max() > 1 + ROUNDING:
            raise UserError(f"{kind}: holds values from {array.min():g} to {array.max():g}: scale them to 0 to 1")
        values = array.astype(np.float32).clip(0, 1)
    elif array.dtype.name in DEPTHS:
        values = array.astype(np.float32) / DEPTHS[array.dtype.name]
    else:
        raise UserError(f"{kind} of {array.dtype}: expected uint8, uint16, or floats from 0 to 1")
    planes = torch.from_numpy(np.moveaxis(np.atleast_3d(values), -1, 0).copy())
    see_through = len(planes) == 4 and bool((planes[3] < 1).any())
    return Picture(planes[:3], planes[3] if see_through else None, kind)
