"""Painting on: strokes painted before, which stay as they are under the new ones, except where they are repainted."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import pad

from limner.errors import UserError
from limner.geometry import invert
from limner.painting.brushes import FINE, bank_of, listed
from limner.painting.defaults import in_float32_on_cpu
from limner.painting.painting import Painting
from limner.painting.ranges import in_range
from limner.painting.rendering import finer, rendered
from limner.painting.sides import check_shape
from limner.strokes import Strokes
from limner.strokes_json import by_name, parse
from limner.templates import TemplateBank
from limner.writer import in_depth_order

FINEST = max(FINE.values())
"""Texels a side with which shapes are drawn anew beside finer ones."""


@dataclass(frozen=True)
class Before:
    """strokes: a batch of one, in painting order.  bank: their templates and those for new strokes.

    fresh: which of the bank new strokes may use.  size: (height, width) of the canvas, if that is known.
    """

    strokes: Strokes
    bank: TemplateBank
    background: Float[Tensor, "channel"] | None
    fresh: list[int]
    size: tuple[int, int] | None = None

    @property
    def coloured(self) -> bool:
        return self.strokes.what.shape[-1] == 3

    @property
    def brushes(self) -> TemplateBank:
        """The templates for new strokes."""
        return self.bank.chosen(self.fresh)

    def without(self, region: Float[Tensor, "height width"]) -> tuple["Before", int]:
        """These less the strokes whose centre lies in a region (where it is above one half), and how many those are."""
        if not len(self.strokes):
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
        strokes = self.strokes.with_channels(len(ground))
        canvas = rendered(strokes, self.bank, size, ground)[0]
        if not clear:
            return canvas, None
        return canvas, rendered(strokes.white(), self.bank, size, 0.0)[0, 0]

    def then(self, later: Strokes) -> Strokes:
        """All strokes, later ones painted with `brushes`; what one side leaves out (opacity, slope) is filled in."""
        earlier = self.strokes.with_channels(later.what.shape[-1])
        later = replace(later, which=_placed(later.which, self.fresh, len(self.bank)))
        return _filled(earlier, later).then(_filled(later, earlier))


def read_before(
    source: str | Path | Painting, templates: TemplateBank | str | Path | Iterable[str | Path] | None = None
) -> Before:
    """What to paint on, with the templates asked for, or else its own, for new strokes.

    Raises UserError if it is not one picture, does not say what its templates are, or is out of range.
    """
    if isinstance(source, Painting):
        name, strokes, bank, size, background = "resume", source.strokes, source.bank, source.size, source.background
    elif isinstance(source, str | Path):
        name, (strokes, bank, size, background, _) = source, parse(source)
        if len(strokes.where) != 1:
            raise UserError(f"{source}: holds {len(strokes.where)} pictures, expected one")
        if bank is None:
            raise UserError(f"{source}: does not hold its templates, so it cannot be painted on")
    else:
        raise UserError(f"resume: a {type(source).__name__} is no painting: give one, or a file of strokes")
    strokes, background = in_range(name, in_depth_order(strokes), background)
    bank = bank.detach().to("cpu")
    if listed(templates) is None:
        return Before(strokes, bank, background, list(range(len(bank))), size)
    more, texels = bank_of(templates), bank.masks.shape[-1]
    if bank.scalable:
        texels = max(texels, min(more.masks.shape[-1], FINEST))
    joined, fresh = _joined(bank.redrawn(texels), more.redrawn(texels))
    which = pad(strokes.which, (0, len(joined) - len(bank)))
    return Before(replace(strokes, which=which), joined, background, fresh, size)


@torch.inference_mode(False)
@in_float32_on_cpu()
def painted_over(painting: Painting, later: Painting) -> Painting:
    """A painting with the strokes of another on top; UserError for what is none, or out of range, or of other shape."""
    if not isinstance(later, Painting):
        raise UserError(f"then: a {type(later).__name__} is no painting")
    check_shape("then", later.size, "the painting", painting.size)
    in_range("painting", painting.strokes, painting.background)
    strokes, _ = in_range("then", in_depth_order(later.strokes), None)
    channels = max(each.strokes.what.shape[-1] for each in (painting, later))
    before = read_before(painting, finer(later.bank.detach().to("cpu"), later.size, painting.size))
    return replace(
        painting,
        strokes=before.then(strokes.with_channels(channels)),
        bank=before.bank,
        background=None if before.background is None else before.background.expand(channels),
        interrupted=painting.interrupted or later.interrupted,
    )


def as_written(bank: TemplateBank) -> TemplateBank:
    """A bank as a file of strokes gives it back: masks but those of shapes in 8 bits, and their outlines found anew."""
    named = zip(bank.names, bank.masks.float(), strict=True)
    masks = [mask if by_name(name, mask) else (mask * 255).round() / 255 for name, mask in named]
    return replace(bank, masks=torch.stack(masks))


def _joined(bank: TemplateBank, more: TemplateBank) -> tuple[TemplateBank, list[int]]:
    """One bank of both, each mask and each outline once, and where in it the second's are."""
    known, fresh, new = list(zip(bank.masks, bank.paths, strict=True)), [], []
    for k, (mask, path) in enumerate(zip(more.masks, more.paths, strict=True)):
        same = [place for place, (each, its) in enumerate(known) if torch.equal(each, mask) or (path and its == path)]
        fresh.append(same[0] if same else len(known))
        if not same:
            known.append((mask, path))
            new.append(k)
    return bank.then(more.chosen(new)) if new else bank, fresh


def _placed(which: Float[Tensor, "1 move template"], columns: list[int], count: int) -> Float[Tensor, "1 move {count}"]:
    """The same weights in these columns of `count`."""
    placed = which.new_zeros(*which.shape[:2], count)
    return placed.index_add(2, torch.tensor(columns), which)


def _filled(strokes: Strokes, other: Strokes) -> Strokes:
    """Strokes with an opacity of 1 and a level slope where they have none and the others do."""
    if strokes.opacity is None and other.opacity is not None:
        strokes = replace(strokes, opacity=torch.ones(strokes.where.shape[:2]))
    if strokes.slope is None and other.slope is not None:
        strokes = replace(strokes, slope=torch.zeros(*strokes.what.shape, 2))
    return strokes
