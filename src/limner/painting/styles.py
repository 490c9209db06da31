"""Looks that have a name: arguments of `limner.paint` that go well together."""

from typing import Any

from limner.errors import UserError
from limner.flags import words

_FIRM = {"opacity": "opaque"}

STYLES: dict[str, dict[str, Any]] = {
    "dots": {"strokes": 1200, "templates": ("circle",), "keep_proportions": True, "max_size": 0.04} | _FIRM,
    "ink": {"strokes": 3000, "palette": "black", "pen": 0.002, "max_size": 0.15} | _FIRM,
    "mosaic": {"strokes": 900, "templates": ("square",), "keep_proportions": True, "max_size": 0.05} | _FIRM,
    "oil": {"strokes": 800, "templates": ("bristle",), "keep_proportions": True} | _FIRM,
    "pencil": {"strokes": 3000, "pen": 0.002, "max_size": 0.15} | _FIRM,
    "polygons": {"strokes": 250, "templates": ("triangle",)} | _FIRM,
    "poster": {"strokes": 300, "palette": 8} | _FIRM,
    "tiles": {"strokes": 500, "templates": ("square",), "upright": True} | _FIRM,
}
"""Arguments of `limner.paint` and `limner.paint_clip`, by the name of a style: `paint(photo, **STYLES["oil"])`."""


def spelled_out(style: str) -> list[str]:
    """A style as options of `limner paint`, of which none that takes several values is the last.

    Raises UserError for one that does not exist.
    """
    if style not in STYLES:
        raise UserError(f"--style {style}: is none of {', '.join(STYLES)}")
    return [word for name, value in STYLES[style].items() for word in words(name, value)]
