"""What options name is read: the arguments of `limner.paint`."""

from pathlib import Path
from typing import Any

from limner.models.build import Network
from limner.painting import brushes, light
from limner.painting.colours import colour, palette
from limner.painting.options import PaintOptions
from limner.painting.pictures import Picture, read_picture
from limner.shapes import SHAPES

AS_GIVEN = (
    "strokes", "fill", "background", "min_size", "max_size", "pen", "keep_proportions", "upright", "keep_angles",
    "resume", "seed", "stop_psnr", "time", "size",
)  # fmt: skip
"""Options that are arguments of `limner.paint` as they are."""


def settings(options: PaintOptions) -> dict[str, Any]:
    """The arguments of `limner.paint`."""
    if options.background not in ("auto", "transparent"):
        colour(options.background)
    templates = brushes.listed(options.templates)
    return {
        **{name: getattr(options, name) for name in AS_GIVEN},
        "templates": templates if set(options.templates or ()) <= SHAPES.keys() else brushes.bank_of(templates),
        "opacity": options.opacity_value(),
        "palette": palette(options.palette) if options.palette else None,
        "importance": read_mask(options.importance),
        "repaint": read_mask(options.repaint, 0.0 if options.count else 0.5),
        "model": read_model(options.model),
    }


def read_mask(path: Path | None, dark: float = 0.0) -> Picture | None:
    """A picture that says where something holds; UserError if it says nowhere, being dark everywhere."""
    if path is None:
        return None
    picture = read_picture(path)
    light.check_scale(str(path), picture)
    light.lit(str(path), picture, picture.size, dark)
    return picture


def read_model(name: str | None) -> Network | None:
    """The painter of a run, or of one that comes with limner."""
    if name is None:
        return None
    from limner.painting import by_model

    return by_model.read_model(name)
