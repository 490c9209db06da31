"""What `templates` may be: a bank, names of shapes, mask files, folders of them."""

import math
import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from limner.errors import UserError
from limner.painting.raster import most_texels
from limner.templates import SHAPES, TemplateBank

TEXELS = 128
ENOUGH = 24
"""Texels that the parts of a mask should be thick."""
TRACED = 512
"""Most texels a side in which masks from files are traced."""
FINE = {"line": 512, "curve": 256}
"""Texels a side of shapes so thin that they are drawn large: with fewer their edges are blurred, unlike in an SVG."""


def listed(templates: TemplateBank | str | Path | Iterable[str | Path] | None) -> TemplateBank | list[Any] | None:
    """A bank itself, or names of shapes and paths in a list; None for none.

    UserError for what is no list of them, and for one of templates that cannot be seen.
    """
    if templates is None or isinstance(templates, TemplateBank):
        return templates
    items = [templates] if isinstance(templates, str | Path) else templates
    if not isinstance(items, Iterable):
        raise UserError(f"templates: {items!r} is neither the name of a shape nor a path, and no list of them")
    items = list(items)
    if not items:
        raise UserError("templates: none are named: name some, or leave them out")
    for item in items:
        if not isinstance(item, str | Path):
            raise UserError(f"templates: {item!r} is neither the name of a shape nor a path")
    if all(item == "transparent" for item in items):
        raise UserError("transparent: strokes of nothing else cannot be seen: name another template")
    return items


def check_visible(bank: TemplateBank) -> None:
    """UserError for a bank whose strokes cannot be seen, whatever they are."""
    if not bank.masks.any():
        raise UserError("templates: are transparent everywhere, so that no stroke can be seen: name another one")


def bank_of(
    templates: TemplateBank | str | Path | Iterable[str | Path] | None, texels: int | None = None
) -> TemplateBank:
    """The bank itself, or that of shapes by name, of mask files and of those in folders; circles by default.

    texels: a side; the default suits the shapes.  Masks from files that have edges have paths.
    Raises UserError for what is none of these.
    """
    items = listed(templates) or ["circle"]
    if isinstance(items, TemplateBank):
        return items.detach().to("cpu")
    traces = traces_of(items)
    bank = TemplateBank.load(items, texels or finest(traces))
    return replace(bank, paths=tuple(trace.path for trace in traces))


def texels_of(items: TemplateBank | list[Any]) -> int:
    """Texels a side of a bank, or those that suit what is `listed`."""
    return items.masks.shape[-1] if isinstance(items, TemplateBank) else finest(traces_of(items))


class Trace(NamedTuple):
    """The outline of a mask from a file, if it has one, and how many texels a side suit a template."""

    path: str | None
    texels: int


def traces_of(items: list[Any]) -> list[Trace]:
    """One for each template of what is `listed`; for masks from files from a finer mask than is painted with.

    Raises UserError for what is no template.
    """
    from limner.masks import mask_files

    for item in items:
        if item not in SHAPES and not os.path.exists(item):
            known = ", ".join(name for name in SHAPES if name != "transparent")
            raise UserError(f"{item}: is no template: expected {known}, or a file or folder of masks")
    files: list[Any] = [file for item in items for file in ([item] if item in SHAPES else mask_files(item))]
    most = min(TRACED, most_texels(files))
    fine = FINE if all(file in SHAPES for file in files) else {}
    return [Trace(None, fine.get(file, TEXELS)) if file in SHAPES else _trace(file, most) for file in files]


def _trace(file: Path, most: int) -> Trace:
    from limner.masks import native, read_mask
    from limner.tracing import thickness, traced

    side = max(TEXELS, min(most, native(file) or most))
    mask = read_mask(file, side)
    wanted = TEXELS * 2 ** max(0, math.ceil(math.log2(ENOUGH / (TEXELS * thickness(mask)))))
    return Trace(traced(mask), min(wanted, TEXELS * 2 ** math.floor(math.log2(side / TEXELS))))


def finest(traces: list[Trace]) -> int:
    """Texels a side that suit all templates of a bank."""
    return max(trace.texels for trace in traces)
