"""What templates are made of: named shapes, masks in files, letters and words."""

from collections.abc import Callable, Iterable
from functools import partial
from os.path import exists, isfile
from pathlib import Path
from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor

from limner.errors import UserError
from limner.shapes import SHAPES, draw


class Source(NamedTuple):
    """One template: what it is called, and its mask with so many texels a side.

    shape: whether it is one by name.  file: in which its mask is.
    """

    name: str
    mask: Callable[[int], Float[Tensor, "S S"]]
    shape: bool = False
    file: Path | None = None


def sources(templates: str | Path | Iterable[str | Path]) -> list[Source]:
    """Shapes by name, mask files, those in folders too, and letters, words or a text, as `lettering.spelt` takes them.

    Raises UserError for what is none of these.
    """
    items = [templates] if isinstance(templates, str | Path) or not isinstance(templates, Iterable) else list(templates)
    if not items:
        raise UserError("templates: none are named: give a shape, a mask file or a folder of them")
    return [source for item in items for source in _sources(item)]


def _sources(item: str | Path) -> list[Source]:
    if not isinstance(item, str | Path):
        raise UserError(f"templates: {item!r} is neither the name of a shape nor a path")
    if isinstance(item, str) and item in SHAPES:
        return [Source(item, partial(draw, SHAPES[item]), shape=True)]
    from limner.lettering import FONTS, spelt, written

    if isinstance(item, str) and not exists(item) and (texts := spelt(item)) is not None:
        return [Source(" ".join(text.split()), partial(written, text, font)) for text, font in texts]
    from limner.masks import mask_files, read_mask

    if Path(item).suffix.lower() in FONTS and isfile(item):
        raise UserError(f"{item}: is a font: say what to write in it, such as letters:ABC@{item}")
    return [Source(file.stem, partial(read_mask, file), file=file) for file in mask_files(item)]
