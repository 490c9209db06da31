"""What the page asks for, as the options of `limner paint`; and those as one would type them."""

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from limner.errors import UserError
from limner.flags import flag, quoted, words
from limner.lettering import SPELT
from limner.painting.colours import colour
from limner.painting.options import PaintOptions
from limner.shapes import SHAPES

KINDS: dict[str, tuple[type, ...]] = {
    "strokes": (int,),
    "templates": (list,),
    "opacity": (str,),
    "fill": (str,),
    "background": (str,),
    "palette": (int, list),
    "min_size": (float, int),
    "max_size": (float, int),
    "pen": (float, int),
    "keep_proportions": (bool,),
    "upright": (bool,),
    "keep_angles": (bool,),
    "importance": (bool,),
    "resume": (bool,),
    "repaint": (bool,),
    "seed": (int,),
    "stop_psnr": (float, int),
    "time": (float, int),
}
"""Options that the page may give; whether, of those that are files of the studio's own."""
MASK, STROKES, BRUSHES = "mask.png", "strokes.json", "brushes"
"""The files in the studio's folder: what is brushed over, the strokes to go on from, and brushes of one's own."""


def options(asked: Mapping[str, Any], photo: str, folder: Path) -> PaintOptions:
    """The options of painting a picture of that name, checked; UserError for any that make no sense.

    folder: where the studio's files are.
    """
    given = {name: value for name, value in asked.items() if value is not False}
    for name, value in given.items():
        kinds = KINDS.get(name, ())
        try:
            if type(value) not in kinds:
                raise ValueError
            given[name] = float(value) if float in kinds else value
        except (ValueError, OverflowError):
            raise UserError(f"{flag(name)}: {repr(value)[:99]} cannot be understood") from None
    own = {"importance": folder / MASK, "repaint": folder / MASK, "resume": folder / STROKES}
    given |= {name: path for name, path in own.items() if name in given}
    if "palette" in given:
        inks = given["palette"] if isinstance(given["palette"], list) else []
        for ink in inks:
            colour(str(ink))  # nothing else, such as a file
        given["palette"] = ",".join(map(str, inks)) or str(given["palette"])
    if "templates" in given:
        given["templates"] = tuple(brush(str(name), folder) for name in given["templates"])
    found = PaintOptions((photo,), **given)
    found.check()
    return found


def brush(name: str, folder: Path) -> str:
    """A shape's name, and letters, as they are; another's name as the path of a file in the studio's folder."""
    return name if name in SHAPES or SPELT.fullmatch(name) else str(folder / BRUSHES / Path(name).name)


def typed(name: str) -> str:
    """The name of a file so that it is not taken for an option."""
    return f"./{name}" if name.startswith("-") else name


def spelled(options: PaintOptions) -> str:
    """The command that does the same, files without their folders."""
    line = ["limner", "paint", *map(typed, options.photos)]
    for field in fields(options):
        value = getattr(options, field.name)
        if field.name == "photos" or value == field.default:
            continue
        called, *values = words(field.name, value)
        line += ["-n" if field.name == "strokes" else called]
        line += [value if SPELT.fullmatch(value) else typed(Path(value).name) for value in values]
    return " ".join(map(quoted, line))
