"""What `templates` may be: a bank, names of shapes, mask files, folders of them."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from limner.errors import UserError
from limner.lettering import SPELT
from limner.masks import native
from limner.painting.rendering import most_texels
from limner.shapes import SHAPES
from limner.sources import Source, sources
from limner.templates import TemplateBank
from limner.tracing import STRAIGHT, lines, thickness

MASK = np.ndarray | Tensor | Image.Image
TEXELS = 128
ENOUGH = 24
"""Texels that the parts of a mask should be thick."""
TRACED = 512
"""Most texels a side in which masks from files are traced."""
FINEST = 2048
"""Texels a side in which a text is traced that is too thin for those."""
ROUGH = 0.3
"""How far off, in texels, outlines of pictures may be."""
FINE = {"line": 512, "curve": 256}
"""Texels a side of shapes so thin that they are drawn large: with fewer their edges are blurred, unlike in an SVG."""


def listed(templates: TemplateBank | str | Path | Iterable[str | Path] | None) -> TemplateBank | list[Any] | None:
    """A bank itself, or names of shapes and paths in a list; None for none.

    UserError for what is no list of them, and for one of templates that cannot be seen.
    """
    if templates is None or isinstance(templates, TemplateBank):
        return templates
    items = [templates] if isinstance(templates, str | Path | MASK) else templates
    if not isinstance(items, Iterable):
        raise UserError(f"templates: {items!r} is neither the name of a shape nor a path, and no list of them")
    items = list(items)
    if any(isinstance(item, MASK) for item in items):
        raise UserError("templates: a mask is neither the name of a shape nor a path: make a TemplateBank of masks")
    if not items:
        raise UserError("templates: none are named: name some, or leave them out")
    if all(isinstance(item, str) and item == "transparent" for item in items):
        raise UserError("transparent: strokes of nothing else cannot be seen: name another template")
    return items


def check_visible(bank: TemplateBank) -> None:
    """UserError for a bank whose strokes cannot be seen, whatever they are."""
    if not bank.masks.any():
        raise UserError("templates: are transparent everywhere, so that no stroke can be seen: name another one")


def bank_of(templates: TemplateBank | str | Path | Iterable[str | Path] | None) -> TemplateBank:
    """The bank itself, or that of what `sources` takes: shapes, masks, letters; circles by default.

    It has as many texels as suit it; masks from files, and letters, that have edges have paths.
    Raises UserError for what is none of these.
    """
    items = listed(templates) or ["circle"]
    if isinstance(items, TemplateBank):
        return items.detach().to("cpu")
    brushes = brushes_of(items)
    texels = max(brush.texels for brush in brushes)
    masks = torch.stack([brush.at(texels) for brush in brushes])
    names = tuple(brush.source.name for brush in brushes)
    return TemplateBank(masks, names, paths=tuple(brush.path for brush in brushes))


def texels_of(names: Sequence[Any]) -> int:
    """Texels a side that suit shapes by name, or shapes beside masks."""
    return max(FINE.get(name, TEXELS) for name in names) if all(name in SHAPES for name in names) else TEXELS


class Brush(NamedTuple):
    """A template, and how many texels a side suit it.

    mask, path: of what is no shape, as finely as it was traced, and its outline, if it has one.
    """

    source: Source
    texels: int
    mask: Float[Tensor, "S S"] | None = None
    path: str | None = None

    def at(self, texels: int) -> Float[Tensor, "texels texels"]:
        """Its mask with so many texels a side."""
        return self.mask if self.mask is not None and len(self.mask) == texels else self.source.mask(texels)


def brushes_of(items: list[Any]) -> list[Brush]:
    """Those of what is `listed`; UserError for what is no template."""
    for item in items:
        if isinstance(item, str | Path) and not (item in SHAPES or os.path.exists(item) or SPELT.fullmatch(str(item))):
            known = ", ".join(name for name in SHAPES if name != "transparent")
            spoken = "letters:ABC, or 'text:some words'"
            raise UserError(f"{item}: is no template: expected {known}, or a file or folder of masks, or {spoken}")
    found = sources(items)
    most = max(TEXELS, min(TRACED, most_texels(found)))
    texels = texels_of([each.name for each in found]) if all(each.shape for each in found) else TEXELS
    return [Brush(each, texels) if each.shape else _traced(each, most) for each in found]


def _traced(source: Source, most: int) -> Brush:
    """A mask, traced with at most so many texels a side.

    A picture is with half as many as it has pixels, and less closely: edges of black and white pixels are steps.
    """
    pixels = source.file and native(source.file)
    side, off = (max(TEXELS, min(most, pixels // 2)), ROUGH) if pixels else (most, STRAIGHT)
    mask = source.mask(side)
    texels, thick = TEXELS, thickness(mask)
    while texels * thick < ENOUGH and 2 * texels <= side:
        texels *= 2
    path = lines(mask, off)
    if path is None and source.file is None:
        path = lines(source.mask(FINEST))
    return Brush(source, texels, mask, path)
