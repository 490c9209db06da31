"""Checking the arguments of `limner.paint`: each by itself, of whatever type it comes in, and all together."""

import math
import operator
from collections.abc import Callable, Mapping
from pathlib import PurePath
from typing import Any, SupportsFloat

from limner.errors import UserError

PICTURE_ONLY = ("model", "resume", "repaint", "stop_psnr", "time")
"""Arguments that mean nothing for a clip."""
FILLS = ("flat", "gradient")
WHOLE = 2**63 - 1
USUAL = 500
"""Strokes, where it is not said how many."""
LONGEST_FILM = 60.0
"""Seconds."""
LONGEST_SIDE = 2**14
"""Most pixels on the longer side that can be asked for in a file."""


def whole(name: str, value: Any, least: int = 0) -> int:
    """A whole number from `least` to what 64 bits hold, of any kind; UserError for anything else."""
    try:
        number = -1 if isinstance(value, bool) else operator.index(value)
    except (TypeError, ValueError):
        number = -1
    if not least <= number <= WHOLE:
        raise UserError(f"{name}: {value!r} is not a whole number from {least} to {WHOLE}")
    return number


def count(strokes: int | None, repaint: object) -> int:
    """How many strokes to add: if that is not said, as many as usual, and none more than are repainted."""
    if strokes is not None:
        return strokes
    return USUAL if repaint is None else 0


def positive(name: str, value: Any, most: float = math.inf) -> float | None:
    """A finite number above 0 and up to `most`, of any kind, or None; UserError for anything else."""
    if value is None:
        return None
    number = _number(value)
    if not (0 < number <= most and number < math.inf):
        upper = f" and up to {most:g}" if most < math.inf else ""
        raise UserError(f"{name}: {value!r} is not a number above 0{upper}")
    return number


def _number(value: Any) -> float:
    """As a float; NaN where it is no number."""
    try:
        return float(value) if isinstance(value, SupportsFloat) and not isinstance(value, bool) else math.nan
    except (TypeError, ValueError, RuntimeError):
        return math.nan


def check_fill(fill: Any) -> None:
    """UserError for an unknown one."""
    if fill not in FILLS:
        raise UserError(f"fill: {fill!r} is unknown: choose {' or '.join(FILLS)}")


def fixed_opacity(opacity: Any) -> float | None:
    """The opacity that all strokes have; None where each has its own. UserError outside (0, 1]."""
    if isinstance(opacity, str) and opacity in ("free", "opaque"):
        return None if opacity == "free" else 1.0
    if not 0 < _number(opacity) <= 1:
        raise UserError(f"opacity: {opacity!r} is neither free nor opaque nor a number above 0 and up to 1")
    return _number(opacity)


def check_together(given: dict[str, Any], called: Callable[[str], str] = str) -> None:
    """UserError for arguments that do not go with each other; None and False stand for what is not given.

    called: gives the name of an argument.
    """
    named = {name: called(name) for name in given}
    asked = [name for name, value in given.items() if value is not None and value is not False]

    def held(name: str, otherwise: str) -> str:
        value = given[name]
        return f"{named[name]}: {value if isinstance(value, str | PurePath) else otherwise}"

    def among(*names: str) -> str:
        return " and ".join(named[name] for name in names if name in asked)

    if "min_size" in asked and "max_size" in asked and given["min_size"] > given["max_size"]:
        smallest, largest = (
            f"{named[name]}{by} {given[name]:g}" for name, by in (("min_size", ":"), ("max_size", ","))
        )
        raise UserError(f"{smallest} is larger than {largest}")
    if "pen" in asked and (others := among("keep_proportions")):
        raise UserError(f"{named['pen']}: {given['pen']:g} is the width of strokes of any length: leave out {others}")
    if "pen" in asked and "max_size" in asked and given["pen"] > given["max_size"]:
        raise UserError(f"{named['pen']}: {given['pen']:g} is wider than {named['max_size']}, {given['max_size']:g}")
    if "palette" in asked and given["fill"] == "gradient":
        raise UserError(f"{held('palette', 'it')} gives each stroke one colour: leave out {named['fill']} gradient")
    if "repaint" in asked and "resume" not in asked:
        raise UserError(f"{held('repaint', 'a mask')} needs strokes to repaint: give {named['resume']}, too")
    if "model" in asked and (others := among("resume", "templates")):
        raise UserError(f"{held('model', 'a painter')} starts anew with its own templates: leave out {others}")
    if "model" in asked and (others := among("pen", "keep_proportions", "upright", "keep_angles")):
        raise UserError(f"{held('model', 'a painter')} proposes strokes of any shape: leave out {others}")
    if "resume" in asked and not (isinstance(given["background"], str) and given["background"] == "auto"):
        because = "cannot be chosen for strokes that are resumed: they have theirs"
        raise UserError(f"{named['background']}: {given['background']} {because}")


def check_clip(given: Mapping[str, Any], called: Callable[[str], str] = str) -> None:
    """UserError for arguments that cannot be asked of a clip; None stands for what is not given."""
    for name in PICTURE_ONLY:
        if given.get(name) is not None:
            raise UserError(f"{called(name)} cannot be asked of a clip")
