"""Drawing shapes by the area that they cover, for the synthetic data: independent of the writer.

A box (x, y, half width, half height, angle), in pixels from the canvas' upper left corner, carries a shape. A shape is
made of parts that every horizontal line cuts in one interval: these are summed exactly along x, and averaged over
`SCANS` lines a pixel along y. Upright rectangles are exact in both.
"""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float, Int

from limner.shapes import BAR, INNER

SCANS = 16
CHUNK = 64

Boxes = Float[np.ndarray, "shape 5"]
Cover = Float[np.ndarray, "shape size size"]
Ends = Float[np.ndarray, "shape line"]
Lines = Float[np.ndarray, "line"]
Outline = Callable[[Boxes, Lines], tuple[Ends, Ends]]
"""Where lines, given by their y, enter and leave what lies in boxes."""


def cover(kinds: Int[np.ndarray, "shape"], boxes: Boxes, names: tuple[str, ...], size: int) -> Cover:
    """The share of each pixel that each shape covers, in [0, 1]; `kinds` index `names`."""
    covered = np.empty((len(boxes), size, size), np.float32)
    upright = np.isin(kinds, [k for k, name in enumerate(names) if name in UPRIGHT]) & (boxes[:, 4] == 0)
    for kind, name in enumerate(names):
        (exact,) = np.nonzero(upright & (kinds == kind))
        if len(exact):
            covered[exact] = _upright(boxes[exact], UPRIGHT[name], size)
        (others,) = np.nonzero(~upright & (kinds == kind))
        for start in range(0, len(others), CHUNK):
            chunk = others[start : start + CHUNK]
            covered[chunk] = _scanned(boxes[chunk], name, size)
    return covered


def _upright(boxes: Boxes, flat: float, size: int) -> Cover:
    """Rectangles without rotation, `flat` times as high as their box."""
    x, y, half_width, half_height, _ = boxes.astype(np.float32).T[..., None]
    edges = np.arange(size + 1, dtype=np.float32)
    along_x = np.diff(np.clip(edges, x - half_width, x + half_width))
    along_y = np.diff(np.clip(edges, y - half_height * flat, y + half_height * flat))
    return along_y[:, :, None] * along_x[:, None, :]


def _scanned(boxes: Boxes, name: str, size: int) -> Cover:
    lines = (np.arange(size * SCANS, dtype=np.float32) + 0.5) / SCANS
    covered = np.zeros((len(boxes), size, size))
    for sign, outlines in PARTS[name]:
        lefts, rights = zip(*(outline(boxes, lines) for outline in outlines), strict=True)
        covered += sign * _between(np.maximum.reduce(lefts), np.minimum.reduce(rights), size)
    return covered


def _between(left: Ends, right: Ends, size: int) -> Cover:
    """The share of each pixel between two ends on each line, averaged over the lines of a row of pixels.

    Right of an end everything is covered: the end's own pixel by a share, the next one by the rest more. These rises
    are collected, those of right ends taken away, and summed along the row.
    """
    shape, line = np.nonzero(right > left)
    row = (shape * size + line // SCANS) * (size + 2)
    rises = np.zeros(len(left) * size * (size + 2))
    for sign, ends in ((1, left), (-1, right)):
        end = np.clip(ends[shape, line], 0, size)
        pixel = end.astype(np.int64)
        rises += sign * np.bincount(row + pixel, 1 - (end - pixel), len(rises))
        rises += sign * np.bincount(row + pixel + 1, end - pixel, len(rises))
    return rises.reshape(-1, size, size + 2).cumsum(-1)[..., :size] / SCANS


def _box(flat: float) -> Outline:
    """Boxes, `flat` times as high as given."""

    def outline(boxes: Boxes, lines: Lines) -> tuple[Ends, Ends]:
        x, y, width, height, angle = boxes.astype(np.float32).T[..., None]
        down = lines - y
        cos, sin = _away_from_zero(np.cos(angle)), _away_from_zero(np.sin(angle))
        across = np.sort([(-width - sin * down) / cos, (width - sin * down) / cos], 0)
        along = np.sort([(cos * down - height * flat) / sin, (cos * down + height * flat) / sin], 0)
        return x + np.maximum(across[0], along[0]), x + np.minimum(across[1], along[1])

    return outline


def _disc(centre: float, radius: float) -> Outline:
    """Ellipses: discs about (centre, centre) of a box that spans [-1, 1]^2."""

    def outline(boxes: Boxes, lines: Lines) -> tuple[Ends, Ends]:
        x, y, width, height, angle = boxes.astype(np.float32).T[..., None]
        cos, sin = np.cos(angle), np.sin(angle)
        x = x + centre * (cos * width - sin * height)
        down = lines - (y + centre * (sin * width + cos * height))
        # a d^2 + 2 b d + c = 0 for the ends, d to the right of the centre.
        wide, high = 1 / (radius * width) ** 2, 1 / (radius * height) ** 2
        a = cos**2 * wide + sin**2 * high
        b = sin * cos * (wide - high) * down
        c = (sin**2 * wide + cos**2 * high) * down**2 - 1
        root = np.sqrt(np.maximum(b**2 - a * c, 0))
        return x - (b + root) / a, x - (b - root) / a

    return outline


def _away_from_zero(number: Float[np.ndarray, "shape 1"]) -> Float[np.ndarray, "shape 1"]:
    return np.where(np.abs(number) < 1e-6, 1e-6, number)


UPRIGHT = {"square": 1.0, "line": BAR}
PARTS = {
    "square": ((1, (_box(1.0),)),),
    "circle": ((1, (_disc(0.0, 1.0),)),),
    "line": ((1, (_box(BAR),)),),
    "curve": ((1, (_box(1.0), _disc(-1.0, 2.0))), (-1, (_box(1.0), _disc(-1.0, INNER)))),
}
