"""Numbers and words that make sense, of whatever kind they come in."""

import math
import operator
from typing import Any, SupportsFloat

from limner.errors import UserError

FILLS = ("flat", "gradient")
WHOLE = 2**63 - 1


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
