"""What `templates` may be: a bank, names of shapes, mask files, folders of them."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from limner.errors import UserError
from limner.templates import SHAPES, TemplateBank

TEXELS = 128
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
    if all(isinstance(item, str) and item == "transparent" for item in items):
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

    texels: a side; the default suits the shapes.  Raises UserError for what is none of these.
    """
    items = listed(templates) or ["circle"]
    if isinstance(items, TemplateBank):
        return items.detach().to("cpu")
    for item in items:
        if isinstance(item, str | Path) and item not in SHAPES and not os.path.exists(item):
            known = ", ".join(name for name in SHAPES if name != "transparent")
            raise UserError(f"{item}: is no template: expected {known}, or a file or folder of masks")
    return TemplateBank.load(items, texels or texels_of(items))


def texels_of(items: TemplateBank | list[Any]) -> int:
    """Texels a side of a bank, or those that suit what is `listed`."""
    if isinstance(items, TemplateBank):
        return items.masks.shape[-1]
    shapes = all(isinstance(item, str) and item in SHAPES for item in items)
    return max(FINE.get(item, TEXELS) for item in items) if shapes else TEXELS
