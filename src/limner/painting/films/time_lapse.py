"""Films of a painting that grows: which moments they show, and for how long."""

import math
from collections.abc import Callable, Iterable
from fractions import Fraction
from pathlib import Path

from limner.painting.films import gif, webp
from limner.painting.films.kinds import KINDS, MOVING
from limner.painting.films.video import HOLD, SLOWEST, even, save_film
from limner.painting.raster import Pixels

SECONDS = 8
FEWEST = 120  # frames, where their number is bounded by what they take in memory


def moments(strokes: int, frames: int) -> list[int]:
    """Numbers of strokes to show, rising from 0 to all: at most `frames`, and slowest for the early, large strokes."""
    last = min(max(frames, 1) - 1, strokes)
    if last == 0:
        return [strokes]
    return [max(i, round(strokes * (i / last) ** 2)) for i in range(last + 1)]


def timing(strokes: int, film: str, seconds: float | None, pixels: int) -> tuple[list[int], Fraction]:
    """The moments to show of a painting of so many pixels that grows for so long, and how many of them a second.

    film: its kind, one of `KINDS`.
    seconds: None for eight, or less where strokes are few.  It takes a picture's time at least.
    """
    kind = KINDS[film]
    seconds = seconds and max(seconds, 1 / kind.rate)
    most = max(2, round(kind.rate * (seconds or SECONDS)))
    if kind.frames:
        most = min(most, max(FEWEST, kind.frames // pixels))
    counts = moments(strokes, most)
    if seconds and len(counts) > 1:
        return counts, Fraction((len(counts) - 1) / seconds).limit_denominator(1000)
    return counts, Fraction(min(max(round(len(counts) / SECONDS), SLOWEST), kind.rate))


def save_time_lapse(
    path: Path,
    film: str,
    stages: Callable[[Iterable[int], tuple[int, int]], Iterable[Pixels]],
    strokes: int,
    size: tuple[int, int],
    seconds: float | None,
    clear: bool,
) -> None:
    """Write how a painting grows, in about `seconds`; `stages` renders it after so many strokes each time.

    film: its kind, one of `KINDS`.
    """
    counts, rate = timing(strokes, film, seconds, math.prod(size))
    if film == ".gif":
        gif.save_gif(path, rate, stages(counts, size), stages(moments(strokes, gif.SAMPLE), size), HOLD)
    elif film == MOVING:
        webp.save_webp(path, rate, stages(counts, size), HOLD)
    else:
        save_film(path, rate, stages(counts, even(size)), even(size), clear)
