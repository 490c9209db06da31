"""Painting on: strokes painted before, which stay as they are under the new ones, except where they are repainted."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import interpolate, pad

from limner.errors import UserError
from limner.geometry import invert
from limner.painting.painting import Painting
from limner.strokes import Strokes
from limner.strokes_json import parse
from limner.templates import TemplateBank
from limner.writer import in_depth_order, render


@dataclass(frozen=True)
class Before:
    """strokes: a batch of one, in painting order.  bank: theirs and, after them, templates for new strokes."""

    strokes: Strokes
    bank: TemplateBank
    background: Float[Tensor, "channel"] | None

    @property
    def coloured(self) -> bool:
        return self.strokes.what.shape[-1] == 3

    def without(self, region: Float[Tensor, "height width"] | None) -> tuple[Before, int]:
        """These less the strokes whose centre lies in a region (where it is above one half), and how many those are."""
        if region is None or not len(self.strokes):
            return self, 0
        height, width = region.shape
        centre = invert(self.strokes.where)[0, :, :, 2].nan_to_num(9, 9, 9)
        column = ((centre[:, 0] + 1) / 2 * width).floor().long()
        row = ((centre[:, 1] + 1) / 2 * height).floor().long()
        inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
        lost = inside & (region[row.clamp(0, height - 1), column.clamp(0, width - 1)] > 0.5)
        return replace(self, strokes=self.strokes[:, ~lost]), int(lost.sum())

    def canvas(self, size: tuple[int, int], ground: Tensor, clear: bool) -> tuple[Tensor, Tensor | None]:
        """The canvas (channel, height, width) to paint on, and its coverage if the background is clear."""
        strokes = self._in(len(ground))
        canvas = render(strokes, self.bank, size, ground)[0]
        if not clear:
            return canvas, None
        white = replace(strokes, what=torch.ones_like(strokes.what[..., :1]), slope=None)
        return canvas, render(white, self.bank, size)[0, 0]

    def then(self, later: Strokes) -> Strokes:
        """All strokes; what one side leaves out (opacity, slope) is filled in."""
        earlier = self._in(later.what.shape[-1])
        if earlier.opacity is not None or later.opacity is not None:
            earlier, later = (s if s.opacity is not None else replace(s, opacity=_ones(s)) for s in (earlier, later))
        if earlier.slope is not None or later.slope is not None:
            earlier, later = (s if s.slope is not None else replace(s, slope=_level(s)) for s in (earlier, later))
        return earlier.then(later)

    def _in(self, channels: int) -> Strokes:
        """The strokes in gray or in colour."""
        if self.strokes.what.shape[-1] == channels:
            return self.strokes
        slope = None if self.strokes.slope is None else self.strokes.slope.expand(-1, -1, channels, -1)
        return replace(self.strokes, what=self.strokes.what.expand(-1, -1, channels), slope=slope)


def read_before(source: str | Path | Painting, templates: TemplateBank | tuple[str, ...] | None) -> Before:
    """What to paint on, with a bank that holds its templates and those asked for.

    Raises UserError if it is not one picture, or does not say what its templates are.
    """
    if isinstance(source, Painting):
        strokes, bank, background = source.strokes, source.bank, source.background
    else:
        document = parse(source)
        strokes, bank, background = document.strokes, document.bank, document.background
        if bank is None:
            raise UserError(f"{source}: does not hold its templates, so it cannot be painted on")
        if len(strokes.where) != 1:
            raise UserError(f"{source}: holds {len(strokes.where)} pictures, expected one")
    strokes = (strokes if strokes.depth is None else in_depth_order(strokes)).map(lambda tensor: tensor.float())
    if templates is not None:
        bank = _joined(bank, templates)
        strokes = replace(strokes, which=pad(strokes.which, (0, len(bank) - strokes.which.shape[-1])))
    return Before(strokes, bank, background)


def _joined(bank: TemplateBank, more: TemplateBank | tuple[str, ...]) -> TemplateBank:
    side = bank.masks.shape[-1]
    if not isinstance(more, TemplateBank):
        more = TemplateBank.named(*more, size=side)
    masks = interpolate(more.masks[None], (side, side), mode="area")[0] if more.masks.shape[-1] != side else more.masks
    return TemplateBank(torch.cat([bank.masks, masks]), bank.names + more.names, bank.prefilter)


def _ones(strokes: Strokes) -> Tensor:
    return torch.ones(strokes.where.shape[:2])


def _level(strokes: Strokes) -> Tensor:
    return torch.zeros(*strokes.what.shape, 2)
