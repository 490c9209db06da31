"""Arguments of `limner.paint` that make sense: numbers and words of whatever kind they come in, and all together."""

import math
import operator
from collections.abc import Callable
from typing import Any, SupportsFloat

from limner.errors import UserError

FILLS = ("flat", "gradient")
WHOLE = 2**63 - 1
LONGEST_FILM = 60.0
"""Seconds."""


def whole(name: str, value: Any, least: int = 0) -> int:
    """A whole number from `least` to what 64 bits hold, of any kind; UserError for anything else."""
    try:
        number = -1 if isinstance(value, bool) else operator.index(value)
    except (TypeError, ValueError):
        number = -1
    if not least <= number <= WHOLE:
        raise UserError(f"{name}: {value!r} is not a whole number from {least} to {WHOLE}")
    return number


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
    """NaN for what is none."""
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


def flag(name: str) -> str:
    """What an argument is called on the command line."""
    return f"--{name.replace('_', '-')}"


def check_together(given: dict[str, Any], called: Callable[[str], str] = str) -> None:
    """UserError for arguments that do not go with each other; None and False stand for what is not given.

    called: gives the name of an argument.
    """
    named = {name: called(name) for name in given}
    asked = {name for name, value in given.items() if value is not None and value is not False}

    def refuse(name: str, because: str) -> None:
        raise UserError(f"{named[name]}: {because}")

    if {"min_size", "max_size"} <= asked and given["min_size"] > given["max_size"]:
        refuse("min_size", f"{given['min_size']:g} is larger than {named['max_size']}, {given['max_size']:g}")
    if "palette" in asked and given["fill"] == "gradient":
        refuse("palette", f"gives each stroke one colour: leave out {named['fill']} gradient")
    if "repaint" in asked and "resume" not in asked:
        refuse("repaint", f"needs strokes to repaint: give {named['resume']}, too")
    if "model" in asked:
        for name in ("resume", "templates"):
            if name in asked:
                refuse("model", f"a painter starts anew with its own templates: leave out {named[name]}")
        for name in ("keep_proportions", "upright"):
            if name in asked:
                refuse("model", f"a painter proposes strokes of any shape: leave out {named[name]}")
    if "resume" in asked and not (isinstance(given["background"], str) and given["background"] == "auto"):
        refuse("background", f"{given['background']} cannot be chosen for strokes that are resumed: they have theirs")
