"""SVGs that paint themselves in a browser: files called NAME.film.svg."""

import math
from pathlib import Path

FILM = ".film.svg"
"""How the names of such files end."""


def is_growing(path: Path) -> bool:
    """Whether a file is a painting that grows, by its name."""
    return path.name.lower().endswith(FILM)


def delays(strokes: int, seconds: float | None) -> list[float]:
    """After how many seconds each stroke appears: as in other films, slowest for the early, large ones.

    seconds: after which all are there; the default is eight, or less where strokes are few.
    """
    from limner.painting.films.time_lapse import SECONDS
    from limner.painting.films.video import SLOWEST

    whole = seconds or min(SECONDS, strokes / SLOWEST)
    return [whole * math.sqrt((t + 1) / strokes) for t in range(strokes)]
