"""Synthetic images: shapes thrown on a canvas, and the moves that would paint them."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Bool, Float, Int, UInt8

from limner import geometry
from limner.data import raster
from limner.data.images import Images
from limner.data.settings import HELD_OUT, SPLITS, THESIS_SIZE, TRAIN, Data, Recipe, Split
from limner.errors import UserError
from limner.strokes import Strokes

Boxes = Float[np.ndarray, "image shape 5"]
Present = Bool[np.ndarray, "image shape"]

BLOCK = 500
TRIES, SHRINK = 1_000, 0.97
FAINTEST = 0.2
WHOLE = 1.1
"""Half side of the square that blackens a canvas, in canvas halves: its soft edge lies outside."""


@dataclass(frozen=True)
class Scenes:
    """Shapes in painting order; `boxes` are x, y, half width, half height (pixels) and angle (rad)."""

    boxes: Boxes
    kinds: Int[np.ndarray, "image shape"]
    inks: Float[np.ndarray, "image shape channel"]
    present: Present
    inverted: Bool[np.ndarray, "image"]

    def __getitem__(self, some: slice) -> Scenes:
        """Some of the scenes."""
        return Scenes(self.boxes[some], self.kinds[some], self.inks[some], self.present[some], self.inverted[some])


def draw(data: Data, split: Split) -> Images:
    """The images of a synthetic set with their truth; the same settings give the same images.

    Where some images are white on black, the first move of the truth is the black square under everything.
    Raises UserError for shapes that do not fit on the canvas.
    """
    recipe, size = data.recipe(split), data.size or THESIS_SIZE
    images = (data.images or TRAIN) if split == "train" else (data.held_out or HELD_OUT)
    rng = np.random.default_rng([data.seed, SPLITS.index(split)])
    scenes = throw(recipe, images, size, data.channels, rng)
    blocks = [paint(scenes[k : k + BLOCK], recipe.shapes, size) for k in range(0, images, BLOCK)]
    pixels = torch.from_numpy(np.concatenate(blocks))
    return Images(pixels, truth=truth(scenes, recipe, size), templates=templates_of(recipe))


def throw(recipe: Recipe, images: int, size: int, channels: int, rng: np.random.Generator) -> Scenes:
    """Random scenes: everything uniform in its range, every shape inside the canvas."""
    fewest, most = recipe.counts
    present = np.arange(most) < rng.integers(fewest, most + 1, (images, 1))
    kinds = rng.integers(0, len(recipe.shapes), (images, most))
    shape = (images, most, channels)
    inks = rng.choice(recipe.levels, shape) if recipe.levels else rng.uniform(FAINTEST, 1, shape)
    inverted = rng.random(images) < recipe.inverted
    inks = np.where(inverted[:, None, None], 1 - inks, inks)
    boxes = place(recipe, images, size, rng)
    if not recipe.overlap:
        _keep_apart(boxes, present, recipe, size, rng)
    return Scenes(boxes, kinds, inks, present, inverted)


def place(recipe: Recipe, images: int, size: int, rng: np.random.Generator) -> Boxes:
    """Random boxes of a recipe's sides and angles, inside the canvas."""
    most = recipe.counts[1]
    half = rng.uniform(recipe.min_side, recipe.max_side, (images, most, 2)) / 2
    if recipe.isotropic:
        half[..., 1] = half[..., 0]
    turn = math.radians(recipe.rotation)
    angle = rng.uniform(-turn, turn, (images, most, 1))
    room = size / 2 - reach(half, angle)
    if (room < 0).any():
        raise UserError(
            f"sides up to {recipe.max_side:g} pixels do not fit on a canvas of {size}: use a smaller max-side"
        )
    centre = size / 2 + rng.uniform(-1, 1, (images, most, 2)) * room
    return np.concatenate([centre, half, angle], -1)


def reach(
    half: Float[np.ndarray, "image shape 2"], angle: Float[np.ndarray, "image shape 1"]
) -> Float[np.ndarray, "image shape 2"]:
    """How far turned boxes reach from their centres along x and y."""
    cos, sin = np.abs(np.cos(angle)), np.abs(np.sin(angle))
    return cos * half + sin * half[..., ::-1]


def _keep_apart(boxes: Boxes, present: Present, recipe: Recipe, size: int, rng: np.random.Generator) -> None:
    """Throw anew, in place, about half of the shapes that meet another, until none do: ever smaller, to find room."""
    crowded, hopeless = np.arange(len(boxes)), recipe.counts[0] * recipe.min_side**2 > size**2
    for attempt in range(0 if hopeless else TRIES):
        meeting = meets_another(boxes[crowded], present[crowded])
        crowded, meeting = crowded[meeting.any(1)], meeting[meeting.any(1)]
        if not len(crowded):
            return
        largest = recipe.min_side + (recipe.max_side - recipe.min_side) * SHRINK**attempt
        anew = place(replace(recipe, max_side=largest), len(crowded), size, rng)
        again = meeting & (rng.random(meeting.shape) < 0.5)
        boxes[crowded] = np.where(again[..., None], anew, boxes[crowded])
    raise UserError(
        f"{recipe.counts[1]} shapes do not fit side by side on a canvas of {size}: use fewer or smaller ones"
    )


def meets_another(boxes: Boxes, present: Present) -> Bool[np.ndarray, "image shape"]:
    """Whether a shape's upright bounds overlap those of another, both present."""
    centre, extent = boxes[..., :2], reach(boxes[..., 2:4], boxes[..., 4:])
    near = np.abs(centre[:, :, None] - centre[:, None]) < extent[:, :, None] + extent[:, None]
    both = present[:, :, None] & present[:, None] & ~np.eye(present.shape[1], dtype=bool)
    return np.any(near.all(-1) & both, axis=-1)


def paint(scenes: Scenes, names: tuple[str, ...], size: int) -> UInt8[np.ndarray, "image channel size size"]:
    """The ink of every scene, later shapes over earlier ones."""
    images, shapes, channels = scenes.inks.shape
    canvas = np.empty((images, channels, size, size), np.float32)
    canvas[:] = scenes.inverted[:, None, None, None]
    for t in range(shapes):
        (there,) = np.nonzero(scenes.present[:, t])
        covered = raster.cover(scenes.kinds[there, t], scenes.boxes[there, t], names, size)[:, None]
        ink = scenes.inks[there, t, :, None, None].astype(np.float32)
        canvas[there] += covered * (ink - canvas[there])
    return (canvas * 255 + 0.5).astype(np.uint8)


def templates_of(recipe: Recipe) -> tuple[str, ...]:
    """The names that the truth's which refers to: the shapes, and the square where it is needed for black canvases."""
    names = tuple(recipe.shapes)
    return names if not recipe.inverted or "square" in names else (*names, "square")


def truth(scenes: Scenes, recipe: Recipe, size: int) -> Strokes:
    """The moves that paint these scenes on white."""
    names = templates_of(recipe)
    boxes = torch.from_numpy(scenes.boxes).float()
    where = geometry.phi(boxes[..., :2] * (2 / size) - 1, boxes[..., 2:4] * (2 / size), boxes[..., 4])
    which = torch.nn.functional.one_hot(torch.from_numpy(scenes.kinds), len(names)).float()
    what = torch.from_numpy(scenes.inks).float()
    opacity = torch.from_numpy(scenes.present).float()
    shapes = Strokes(where, which, what, opacity)
    if not recipe.inverted:
        return shapes
    inverted = torch.from_numpy(scenes.inverted).float()[:, None]
    black = torch.zeros(len(boxes), 1, 2, 3)
    black[..., 0, 0] = black[..., 1, 1] = 1 / WHOLE
    square = torch.zeros(len(boxes), 1, len(names))
    square[..., names.index("square")] = 1.0
    return Strokes(black, square, torch.ones_like(what[:, :1]), inverted).then(shapes)
