"""What is seen of each move on the finished canvas, and which moves might as well not have been painted."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from limner.canvas import colour_field, over
from limner.strokes import Strokes
from limner.templates import TemplateBank
from limner.writer import in_depth_order, move_masks

CONTRAST = 0.1
"""The least difference of ink, in any channel, that counts as seen."""
LEAST = 2
"""Pixels that a move has to change to count as painted."""

Masks = Float[Tensor, "batch move height width"]


@dataclass(frozen=True)
class Seen:
    """Moves on the canvas, from far to near: painting order, or that of depth where the strokes have one.

    live: what is not a null move. From far to near, a move is null if leaving it out, with the null moves before it,
        changes fewer than `LEAST` pixels of the finished canvas by `CONTRAST`: paper on paper, hidden by later moves,
        off the canvas, transparent, without opacity, or of the colour that is there already.
    full: the whole mask of each, times its opacity; of null moves, 0.
    visible: the part of it that nearer live moves let through.
    """

    strokes: Strokes
    live: Bool[Tensor, "batch move"]
    full: Masks
    visible: Masks


def see(strokes: Strokes, bank: TemplateBank, size: tuple[int, int]) -> Seen:
    """The moves of paintings on blank paper (ink 0) of `size` (height, width), composited by `over`."""
    strokes = strokes.map(lambda tensor: tensor.detach().float().cpu())
    strokes = in_depth_order(strokes)
    full = masks(strokes, bank, size)
    live = _live(strokes, full)
    full = full * live[..., None, None]
    return Seen(strokes, live, full, full * _let_through(full))


def masks(strokes: Strokes, bank: TemplateBank, size: tuple[int, int]) -> Masks:
    """The mask of every move alone, times its opacity; of strokes on the CPU."""
    return move_masks(strokes, bank.detach().to("cpu"), size)


def _live(strokes: Strokes, full: Masks) -> Bool[Tensor, "batch move"]:
    batch, moves, *size = full.shape
    through = _let_through(full)
    canvas = full.new_zeros(batch, strokes.what.shape[2], *size)
    live = torch.zeros(batch, moves, dtype=torch.bool)
    for t in range(moves):
        slope = None if strokes.slope is None else strokes.slope[:, t]
        colour = colour_field(strokes.what[:, t], slope, strokes.where[:, t], (size[0], size[1]))
        painted = over(canvas, full[:, t], colour)
        change = (painted - canvas).abs().amax(1) * through[:, t]
        live[:, t] = (change >= CONTRAST).sum((1, 2)) >= LEAST
        canvas = torch.where(live[:, t, None, None, None], painted, canvas)
    return live


def _let_through(full: Masks) -> Masks:
    """How far the moves nearer than each let it show."""
    from_here = (1 - full).flip(1).cumprod(1).flip(1)
    return torch.cat([from_here[:, 1:], torch.ones_like(full[:, :1])], 1)
