"""Pictures of a clip: read from a file one after the other, upright, at a steady rate."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from itertools import repeat
from pathlib import Path
from typing import NamedTuple

import av
from PIL import Image, ImageOps

from limner.errors import UserError
from limner.images import SUFFIXES
from limner.painting.films import animations, decoding
from limner.painting.films.clip import DENOMINATOR, FASTEST, SLOWEST
from limner.painting.films.frames import image
from limner.painting.pictures import Picture, read_picture

RATE, MOST = Fraction(25), 120
"""Pictures a second where a file does not say, and at most."""
MISSING = 0.1
"""Share of the pictures that may be missing without a word."""


class Shown(NamedTuple):
    """What makes a picture, and when it is shown, if its file says, and how long, in seconds."""

    image: Callable[[], Image.Image]
    time: float | None
    held: float


@dataclass(frozen=True)
class Footage:
    """A clip in a file, of which about `count` pictures are shown, `rate` of them a second.

    sure: whether there should be so many, as far as the file is whole.
    """

    path: Path
    rate: Fraction
    count: int
    sure: bool = False

    @classmethod
    def of(cls, path: str | Path) -> "Footage":
        """Raises UserError for a file that is no clip."""
        path = Path(path)
        if animations.is_animated(path):
            times = animations.durations(path)
            rate = steady(Fraction(1000, max(1, min(times))))
            return cls(path, rate, round(Fraction(sum(times), 1000) * rate))
        with decoding.opened(path) as file:
            if path.suffix.lower() in SUFFIXES:
                raise UserError(f"{path}: is one picture: give a list of pictures, or the path of a film")
            stream = decoding.main_video(file, path)
            given = (stream.guessed_rate, stream.average_rate)
            rate = steady(Fraction(next((each for each in given if each and SLOWEST <= each <= FASTEST), RATE)))
            seconds = stream.duration * stream.time_base if stream.duration and stream.time_base else None
            sure = seconds is not None or not file.streams.audio
            seconds = seconds or (Fraction(file.duration, av.time_base) if file.duration else 0)
            return cls(path, rate, max(1, round(seconds * rate) or stream.frames), sure and seconds > 0)

    def first(self) -> Picture:
        """The first picture; UserError where none can be decoded."""
        for picture in self:
            return picture
        raise UserError(f"{self.path}: holds no picture that can be decoded")

    def lacks(self, found: int) -> bool:
        """Whether many pictures are missing where so many were found."""
        return self.sure and found < (1 - MISSING) * self.count - 1

    def __iter__(self) -> Iterator[Picture]:
        """The pictures, those that are damaged left out, each as often as its time on the screen asks for.

        All are of the first one's size, others with black beside them.
        """
        shown, size, ticks, start, last = None, None, 0, 0.0, None
        for each in self._shown():
            time = each.time or 0.0
            if last is None:
                start = time
            elif each.time is None or time <= last:  # as where files are joined: after the one before
                time = last + 1 / float(self.rate)
            due = round((time - start) * self.rate)
            if shown and due > ticks:
                yield from repeat(self._picture(shown, size), due - ticks)
            shown, ticks, last = each, due, time
            size = size or each.image().size
        if shown and last is not None:
            due = round((last - start + shown.held) * self.rate)
            yield from repeat(self._picture(shown, size), max(1, due - ticks))

    def _shown(self) -> Iterator[Shown]:
        """All frames of the file."""
        if animations.is_animated(self.path):
            time = 0.0
            for still, held in animations.frames(self.path):
                yield Shown(lambda still=still: still, time, held / 1000)
                time += held / 1000
            return
        with decoding.opened(self.path) as file:
            stream = decoding.main_video(file, self.path)
            stream.thread_type = "AUTO"
            for frame in decoding.frames(file, stream):
                held = float((frame.duration or 0) * (frame.time_base or 0))
                wide = Fraction(stream.sample_aspect_ratio or 1)
                yield Shown(partial(image, frame, wide, stream.codec_context.name), frame.time, held)

    def _picture(self, shown: Shown, size: tuple[int, int] | None) -> Picture:
        """A frame of this (width, height), with black beside it where it has other proportions."""
        found = shown.image()
        if size and found.size != size:
            found = ImageOps.pad(found, size, Image.Resampling.BICUBIC)
        picture = read_picture(found)
        return Picture(picture.pixels, picture.alpha, self.path.stem)


def steady(said: Fraction) -> Fraction:
    """A rate that players know; of one that is too high, so that every second picture is shown, or every third."""
    return Fraction(said / math.ceil(said / MOST)).limit_denominator(DENOMINATOR)
