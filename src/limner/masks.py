"""Template masks from picture files: which part of a PNG or SVG is brush, and which is not."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from io import BytesIO
from pathlib import Path
from threading import Lock, stack_size
from typing import Any

import numpy as np
import resvg_py
import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from limner.errors import UserError
from limner.files import files_in
from limner.images import DPI, SUFFIXES, Values, open_image, opened, to_values
from limner.pyramid import shares
from limner.vectors import read_svg

VECTOR = (".svg", ".svgz")
FONTS = {
    "sans_serif": ("Arial", "Helvetica", "DejaVu Sans", "Liberation Sans", "Noto Sans"),
    "serif": ("Times New Roman", "Times", "DejaVu Serif", "Liberation Serif", "Noto Serif"),
    "monospace": ("Courier New", "Courier", "DejaVu Sans Mono", "Liberation Mono", "Noto Sans Mono"),
}
"""By kind, as SVG calls them."""
FINER, FINEST = 8, 2048
"""Pixels of a drawn SVG to a texel, and along its longer side at most."""
NOISE = 0.06
"""Largest difference between colours that are the same."""
LOSSY = (".jpg", ".jpeg", ".jpe", ".jfif")
SPECKS = 0.15
"""What a JPEG leaves around edges, as a share of what is inside."""
PIXELS = 4
"""Texels to a pixel from which pixels of a mask without grays are seen to be square."""
FAINT = 0.02
"""Largest value, or change of values, that nobody sees."""
STACK = 2**26
"""Bytes that a thread has for its calls which draws an SVG."""

_starting = Lock()

Gray = Float[np.ndarray, "height width"]


def mask_files(files: str | Path | Iterable[str | Path]) -> list[Path]:
    """A file, several, or those in a folder, sorted by name; UserError for what does not exist or holds none."""
    paths = [files] if isinstance(files, str | Path) else list(files)
    if not paths:
        raise UserError("no masks are named: give a file, several, or a folder")
    return [file for path in paths for file in files_in(path, SUFFIXES | set(VECTOR), "PNG or SVG masks")]


def read_mask(path: str | Path, size: int) -> Float[Tensor, "S S"]:
    """The mask in a file, `size` texels a side, every value a whole multiple of 1/255.

    Alpha that varies is the mask. Otherwise the colour that the four corners share is outside, and the mask is the
    distance from it, 1 at the farthest; a gray picture whose corners differ is taken as it is, light being inside, and
    one that is white everywhere is inside everywhere. A picture that is not square is centred in a square of outside.
    Edges are smooth, but for those of few pixels that are black or white, which stay squares.
    UserError for colour pictures whose corners differ, for masks that are empty, and for files that are no picture.
    """
    path = Path(path)
    vector = path.suffix.lower() in VECTOR
    image = render_svg(path, pixels_of(size)) if vector else open_image(path, str(path))
    values, alpha = to_values(image, str(path))
    if vector and alpha is None and np.ptp(values) < FAINT:
        mask = np.ones(values.shape[:2], np.float32)
    elif alpha is not None and (vector or np.ptp(alpha) > FAINT):
        mask = alpha
    else:
        mask = _keyed(values, path, SPECKS if path.suffix.lower() in LOSSY else 0.0) * (1 if alpha is None else alpha)
    resized = fitted(mask, size)
    if resized.max() < FAINT:
        worded = vector and b"<text" in path.read_bytes()
        advice = ", and its text, if of a font that is not installed, has to be made paths" if worded else ""
        raise UserError(f"{path}: the mask is empty: nothing in it differs from its background{advice}")
    return resized


def pixels_of(size: int) -> int:
    """On the longer side of what is drawn to become a mask of `size` texels a side."""
    return size * max(1, min(FINER, FINEST // size))


def native(path: Path) -> int | None:
    """Pixels on the longer side of a mask in a file; None for vectors, which have none of their own."""
    if path.suffix.lower() in VECTOR:
        return None
    with opened(path, str(path)) as image:
        return max(image.size)


@contextmanager
def _roomy() -> Iterator[ThreadPoolExecutor]:
    """A thread with room for what draws an SVG, which calls itself for what is within, or used by, something else."""
    with _starting, ThreadPoolExecutor(1) as pool:
        before = stack_size(STACK)
        try:
            yield pool
        finally:
            stack_size(before)


def render_svg(path: Path, side: int) -> Image.Image:
    """An SVG drawn on transparent ground, its longer side `side` pixels."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        raise UserError(f"{path}: an SVG whose name is not UTF-8 cannot be drawn: rename it") from None
    svg = read_svg(path)
    fonts: dict[str, Any] = _fonts() if "text" in svg else {"skip_system_fonts": True}
    try:
        with _roomy() as pool:
            draw = pool.submit(resvg_py.svg_to_bytes, svg_string=svg, width=side, height=side, dpi=DPI, **fonts)
        png = draw.result()
    except ValueError as error:
        raise UserError(f"{path}: is not an SVG that can be drawn ({error})") from error
    return Image.open(BytesIO(png))


@cache
def _fonts() -> dict[str, Any]:
    """Those for text that names none, or a kind of them: the first of the usual ones that are installed."""

    def drawn(family: str) -> bool:
        letter = f'<text y="9" font-size="9" font-family="{family}">A</text>'
        svg = f'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9">{letter}</svg>'
        return Image.open(BytesIO(resvg_py.svg_to_bytes(svg_string=svg))).getbbox() is not None

    return {f"{kind}_family": next(filter(drawn, names), "") for kind, names in FONTS.items()}


def _keyed(values: Values, path: Path, specks: float) -> Gray:
    """Distance from the colour of the corners; if there is none, all of a white picture, or a gray picture itself.

    specks: the share of the largest distance that is none.
    """
    corners = values[[0, 0, -1, -1], [0, -1, 0, -1]]
    alike = np.ptp(corners, axis=0).max() <= NOISE
    distance = np.linalg.norm(values - corners.mean(0), axis=-1)
    if alike and distance.max() > FAINT:
        return (distance / distance.max() - specks).clip(0) / (1 - specks)
    if alike:
        return np.full_like(distance, corners.min() > 1 - NOISE)
    if np.ptp(values, axis=-1).max() <= NOISE:
        return values.mean(-1)
    raise UserError(f"{path}: the corners differ in colour, so no background is known: make it transparent")


def fitted(mask: Gray, size: int) -> Float[Tensor, "S S"]:
    """Padded to a square and resized, every value a whole multiple of 1/255."""
    return torch.from_numpy((_squared(mask, size) * 255).round() / 255)


def _squared(mask: Gray, size: int) -> Float[np.ndarray, "S S"]:
    height, width = mask.shape
    side = max(height, width)
    top, left = (side - height) // 2, (side - width) // 2
    square = np.pad(mask, ((top, side - height - top), (left, side - width - left)))
    if PIXELS * side <= size and ((square == 0) | (square == 1)).all():
        parts = shares(size, side)
        return (parts @ square @ parts.T).astype(np.float32).clip(0, 1)
    exact = side % size == 0
    filtering = Image.Resampling.BOX if exact else Image.Resampling.HAMMING if side > size else Image.Resampling.BICUBIC
    return np.asarray(Image.fromarray(square).resize((size, size), filtering)).clip(0, 1)
