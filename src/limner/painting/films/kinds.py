"""The kinds of film, by the ends of their names, and how much of each is made; light to import."""

from dataclasses import dataclass
from pathlib import Path

FILMS = (".gif", ".mp4", ".webm")
"""Suffixes that only films have."""
MOVING = ".film.webp"
"""How the names of WebP end that are films."""
LARGEST = 2**27
"""Pixels of a picture in a file."""


@dataclass(frozen=True)
class Kind:
    """How large and how fast a film is, at most.

    side: pixels on its longer side where no size is asked for.
    rate, clip_rate: frames a second, of a painting that grows and of a clip; 0 is as many as the clip has.
    called: its name in messages, where all frames are in memory together.
    page, frames: pixels of each frame, and of all together; 0 is any number.
    """

    side: int
    rate: int
    clip_rate: int = 0
    called: str = ""
    page: int = LARGEST
    frames: int = 0


VIDEO = Kind(1080, 30)
KINDS = {
    ".gif": Kind(480, 15, 25, "a GIF", 2**23, 2**28),  # which is slow where frames are shorter
    MOVING: Kind(720, 30, 50, "a WebP that moves", 2**21, 2**27),  # whose shorter frames browsers show for longer
    ".mp4": VIDEO,
    ".webm": VIDEO,
}


def kind(path: Path) -> str:
    """What a file is by its name: its suffix, or `MOVING`."""
    return MOVING if path.name.lower().endswith(MOVING) else path.suffix.lower()


def is_film(path: Path) -> bool:
    """Whether a file shows one picture after the other."""
    return kind(path) in KINDS
