"""What strokes are painted on: the background that `render` takes, as a canvas."""

from __future__ import annotations

import math
from operator import index
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from limner.canvas import Canvas


class Plain(NamedTuple):
    """A canvas of one number. Only the reference needs it as a tensor, and making that takes long on a small step."""

    number: float
    shape: tuple[int, int, int, int]

    def detach(self) -> Plain:
        """Itself: it learns nothing."""
        return self


def ground_of(what: Tensor, background: float | Tensor, size: tuple[int, int] | None) -> Canvas | Plain:
    """A background as `render` takes it, as a whole canvas for strokes of these colours (batch, move, channel)."""
    plain = isinstance(background, float | int) and size is not None
    if isinstance(background, Tensor) and background.is_meta and not what.is_meta:
        raise ValueError(f"render: background is on meta, strokes are on {what.device}")
    if isinstance(background, Tensor) and background.layout is not torch.strided:
        raise ValueError("render: background is sparse: take background.to_dense()")
    try:
        if isinstance(background, np.ndarray):
            background = torch.from_numpy(np.array(background, order="C", copy=None))
        if isinstance(background, Tensor) and not background.is_floating_point():
            raise TypeError
        if plain and math.isfinite(background) and abs(background) > torch.finfo(what.dtype).max:
            raise OverflowError
        ground = float(background) if plain else torch.as_tensor(background, dtype=what.dtype, device=what.device)
    except (TypeError, ValueError, RuntimeError, OverflowError):
        kind = f"of {background.dtype}" if isinstance(background, Tensor) else repr(background)
        raise ValueError(f"render: background is {kind}, expected numbers in [0, 1] in floating point") from None
    if size is None:
        assert isinstance(ground, Tensor)
        if ground.ndim != 4:
            raise ValueError("render: give size=(height, width), or a whole canvas as background")
        size = (ground.shape[2], ground.shape[3])
    try:
        height, width = map(index, size)
    except (TypeError, ValueError):
        raise ValueError(f"render: size {size} is not (height, width)") from None
    if min(height, width) < 1:
        raise ValueError(f"render: size {tuple(size)} is not (height, width) of at least one pixel")
    wanted = (what.shape[0], what.shape[2], height, width)
    return _fitted(ground, wanted) if isinstance(ground, Tensor) else Plain(ground, wanted)


def as_canvas(ground: Canvas | Plain, like: Tensor) -> Canvas:
    """A ground as a tensor like another."""
    if isinstance(ground, Plain):
        return torch.full((), ground.number, dtype=like.dtype, device=like.device).expand(ground.shape)
    return ground


def as_array(ground: Canvas | Plain) -> np.ndarray:
    """For the kernels; one picture if all are the same. By numpy, since torch would copy by threads that spin."""
    if isinstance(ground, Plain):
        picture = np.empty((1, *ground.shape[1:]), np.float32)
        picture.fill(ground.number)
        return picture
    pictures = as_numbers(ground.detach())
    return np.ascontiguousarray(pictures[:1] if ground.stride(0) == 0 else pictures)


def as_numbers(tensor: Tensor) -> np.ndarray:
    """A tensor on the CPU as an array, also where torch has only noted that it is to be negated, or zero."""
    try:
        return tensor.numpy()
    except RuntimeError:
        return tensor.clone().numpy()


def _fitted(ground: Tensor, wanted: tuple[int, int, int, int]) -> Canvas:
    """Numbers or a canvas as one of the wanted shape."""
    shape = tuple(ground.shape)
    if ground.ndim in (1, 2):
        ground = ground[..., None, None]
    elif ground.ndim == 3:
        forms = "a number, (channel,), (batch, channel) or (batch, channel, height, width)"
        raise ValueError(f"render: background has shape {shape}, expected {forms}")
    try:
        return ground.expand(wanted)
    except RuntimeError:
        raise ValueError(f"render: background of shape {shape} does not fit a canvas {wanted}") from None
