"""A clip in strokes: paintings one after the other, ready to be saved as a film."""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from limner.errors import UserError
from limner.files import atomic
from limner.kernels.threads import for_kernels_only
from limner.painting.arguments import positive
from limner.painting.films.kinds import FILMS, KINDS, MOVING, is_film, kind
from limner.painting.numbered import FRAME, write_frames
from limner.painting.painting import Painting
from limner.painting.ranges import in_range
from limner.painting.sides import check_shape

SLOWEST, FASTEST = 0.01, 1000.0
"""Pictures a second."""
DENOMINATOR = 1001
"""Largest denominator of a rate, which is that of television's 30000 / 1001."""


@dataclass(frozen=True, eq=False)
class Clip:
    """Paintings of the same proportions, `rate` of them a second.  sound: a file whose sound goes with them.

    To score one, give it its picture: `paintings[0].against(picture).psnr`.
    Raises UserError where there are none, for what is none, for other proportions than those of the first, and for a
    rate that is not from 0.01 to 1000.
    interrupted: whether Ctrl-C ended the work on it before it was done.
    """

    paintings: list[Painting]
    rate: Fraction
    sound: Path | None = None
    interrupted: bool = False

    def __post_init__(self) -> None:
        given = [self.paintings] if isinstance(self.paintings, Painting) else self.paintings
        if not isinstance(given, Iterable):
            raise UserError(f"clip: a {type(given).__name__} holds no paintings")
        if not (paintings := list(given)):
            raise UserError("clip: holds no painting")
        for number, painting in enumerate(paintings):
            if not isinstance(painting, Painting):
                raise UserError(f"clip: number {number} is of {type(painting).__name__}, expected a Painting")
            check_shape(f"clip: painting {number}", painting.shown_size, "the first", paintings[0].shown_size)
        object.__setattr__(self, "paintings", paintings)
        object.__setattr__(self, "rate", a_rate(self.rate))

    def __repr__(self) -> str:
        end = ", interrupted" if self.interrupted else ""
        return f"Clip({len(self.paintings)} pictures, {float(self.rate):g} a second{end})"

    @for_kernels_only()
    def save(self, path: str | Path, longer_side: int | None = None) -> None:
        """Write it as MP4 or WebM, with its sound, if it has one; or as GIF or NAME.film.webp, which have none.

        longer_side: in pixels; the default is the clip's, and at most 480 for GIF, 720 for WebP, 1080 for the others.
        A GIF has at most 25 pictures a second, WebP 50, and fewer where all of them would need too much memory.
        Raises UserError for an unknown suffix, an absurd size, or a file that cannot be written.
        """
        from limner.painting.films import gif, video, webp
        from limner.painting.films.animations import thinned

        path = Path(path)
        if not is_film(path):
            raise UserError(f"{path}: a clip is saved as {', '.join(FILMS)}, or its pictures one by one")
        height, width = self._checked(path, longer_side)
        with atomic(path) as temporary:
            film = KINDS[kind(path)]
            if film.frames:
                step = thinned(len(self.paintings), self.rate, film.clip_rate, height * width, film.frames)
                shown = self.paintings[::step]
                some = shown[:: max(1, len(shown) // gif.SAMPLE)]
                frames, sample = ((p.render(height, width) for p in each) for each in (shown, some))
                if kind(path) == MOVING:
                    webp.save_webp(temporary, self.rate / step, frames, hold=0)
                else:
                    gif.save_gif(temporary, self.rate / step, frames, sample, hold=0)
            else:
                even = video.even((height, width))
                frames = (painting.render(*even) for painting in self.paintings)
                clear = self.paintings[0].background is None
                video.save_film(temporary, self.rate, frames, even, clear, 0, self.sound)

    @for_kernels_only()
    def save_frames(self, folder: str | Path, longer_side: int | None = None) -> int:
        """Write its pictures as PNG, frame-0000.png and on, into a folder; returns how many they are."""
        folder = Path(folder)
        size = self._checked(folder / FRAME.format(0), longer_side)
        return write_frames(folder, (painting.render(*size) for painting in self.paintings))

    def _checked(self, path: Path, longer_side: int | None) -> tuple[int, int]:
        """The size to save at, of strokes that are in range."""
        for painting in self.paintings:
            in_range(path, painting.strokes, painting.background)
        return self.paintings[0].saved_size(path, longer_side)


def a_rate(value: float | Fraction) -> Fraction:
    """Pictures a second; UserError for what cannot be shown."""
    rate = positive("rate", value, FASTEST)
    if rate is None or rate < SLOWEST:
        raise UserError(f"rate: {value} is not a number of pictures a second from {SLOWEST} to {FASTEST:g}")
    return Fraction(rate).limit_denominator(DENOMINATOR)
