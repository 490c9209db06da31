"""A painting taken apart by its colours, as printers do, who need a plate or a screen for each ink."""

from dataclasses import replace
from pathlib import Path

import torch

from limner.errors import UserError
from limner.painting.painting import Painting
from limner.painting.svg import rgb
from limner.strokes import Strokes

COLOUR = "{colour}"
"""Stands for a colour in the name of a file, of which there is one for each."""
MOST = 64


def plates(painting: Painting) -> dict[str, Painting]:
    """For each colour, as rrggbb in the order of painting, how much of it shows: black on white, all to none.

    Colours of 8 bits, those of the background first; a transparent one has none. Paint is linear in its colours: at
    every place the shares of all of them are 1, or, on a transparent background, how far it is covered, and so much of
    each is the painting.
    Raises UserError for gradients, and for strokes of more than 64 colours.
    """
    strokes, ground = painting.strokes, painting.background
    bare = [] if ground is None else [rgb(ground)[1:]]
    inks = colours_of("plates", strokes)
    colours = list(dict.fromkeys([*bare, *inks]))

    def plate(colour: str) -> Painting:
        def others(of: list[str]) -> torch.Tensor:
            return torch.tensor([float(ink != colour) for ink in of])

        what = others(inks).to(strokes.what)[None, :, None]
        size = painting.shown_size
        under = others(bare) if bare else torch.ones(1)
        flat = replace(strokes, what=what, slope=None)
        return replace(painting, strokes=flat, background=under, target=None, picture_size=size)

    return {colour: plate(colour) for colour in colours}


def colours_of(what: str | Path, strokes: Strokes) -> list[str]:
    """The colour of each stroke, as rrggbb; UserError, which begins with `what`, for gradients and too many colours."""
    if strokes.slope is not None and strokes.slope.any():
        raise UserError(f"{what}: a gradient is of many colours, which have no plates: paint with a flat fill")
    inks = [rgb(each)[1:] for each in strokes.what[0]]
    if (count := len(set(inks))) > MOST:
        raise UserError(f"{what}: strokes of {count} colours are too many for plates, of which {MOST} are made at most")
    return inks


def save_plates(painting: Painting, path: Path, longer_side: int | None = None) -> dict[Path, int]:
    """Write all `plates` as pictures, each called by its colour in place of `COLOUR`.

    Returns the files, and how many strokes each has.
    """
    written = {}
    for colour, plate in plates(painting).items():
        file = path.with_name(path.name.replace(COLOUR, colour))
        plate.save(file, longer_side)
        written[file] = int((plate.strokes.what == 0).sum())
    return written
