"""Drawing shapes by the area that they cover, for the synthetic data: nothing here is shared with the writer.

Lengths are in pixels from the canvas' upper left corner. A box (x, y, half width, half height, angle) carries a shape;
its outline is a union or difference of parts that every horizontal line cuts in one interval, so that a row of pixels
is covered exactly along x and by averaging over `SCANS` lines along y. Upright rectangles are exact in both.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

SCANS = 16
CHUNK = 64
BAR = 3 / 28
"""Half height of a line and width of a curve, as a share of the template's half side (thesis A.2)."""

Boxes = Float[np.ndarray, "shape 5"]
Cover = Float[np.ndarray, "shape size size"]
Interval = tuple[np.ndarray, np.ndarray]


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
    covered = np.zeros((len(boxes), size, size), np.float32)
    for sign, part in PARTS[name]:
        left, right = np.array([-np.inf], np.float32), np.array([np.inf], np.float32)
        for outline in part:
            low, high = outline(boxes, lines)
            left, right = np.maximum(left, low), np.minimum(right, high)
        covered += sign * _between(left, np.maximum(left, right), size)
    return covered


def _between(left: np.ndarray, right: np.ndarray, size: int) -> Cover:
    """The share of each pixel between two ends on each line, averaged over the lines of a row of pixels.

    What lies right of an end is a step along the row: its rises are collected first, then summed from the left.
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


def _box(flat: float):
    def outline(boxes: Boxes, lines: np.ndarray) -> Interval:
        x, y, width, height, angle = boxes.astype(np.float32).T[..., None]
        down = lines - y
        cos, sin = _away_from_zero(np.cos(angle)), _away_from_zero(np.sin(angle))
        first = np.sort([(-width - sin * down) / cos, (width - sin * down) / cos], 0)
        second = np.sort([(cos * down - height * flat) / sin, (cos * down + height * flat) / sin], 0)
        return x + np.maximum(first[0], second[0]), x + np.minimum(first[1], second[1])

    return outline


def _disc(centre: float, radius: float):
    def outline(boxes: Boxes, lines: np.ndarray) -> Interval:
        x, y, width, height, angle = boxes.astype(np.float32).T[..., None]
        cos, sin = np.cos(angle), np.sin(angle)
        # The ellipse's own centre lies at (centre, centre) of the box.
        middle_x = x + cos * centre * width - sin * centre * height
        down = lines - (y + sin * centre * width + cos * centre * height)
        wide, high = 1 / (radius * width) ** 2, 1 / (radius * height) ** 2
        a = cos**2 * wide + sin**2 * high
        b = sin * cos * (wide - high) * down
        c = (sin**2 * wide + cos**2 * high) * down**2 - 1
        root = np.sqrt(np.maximum(b**2 - a * c, 0))
        outside = b**2 < a * c
        left = np.where(outside, np.inf, (-b - root) / a)
        return middle_x + left, middle_x + (root - b) / a

    return outline


def _away_from_zero(number: np.ndarray) -> np.ndarray:
    return np.where(np.abs(number) < 1e-6, 1e-6, number)


INNER = 2 - 2 * BAR
UPRIGHT = {"square": 1.0, "line": BAR}
PARTS = {
    "square": ((1, (_box(1.0),)),),
    "circle": ((1, (_disc(0.0, 1.0),)),),
    "line": ((1, (_box(BAR),)),),
    "curve": ((1, (_box(1.0), _disc(-1.0, 2.0))), (-1, (_box(1.0), _disc(-1.0, INNER)))),
}
