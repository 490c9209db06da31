"""Pictures of a clip: decoded from a file one after the other, upright, at a steady rate."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import repeat
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from av.error import FFmpegError
from av.video.frame import VideoFrame
from av.video.reformatter import Colorspace
from av.video.stream import VideoStream

from limner.errors import UserError
from limner.painting.pictures import Picture, read_picture

RATE = Fraction(25)
"""Pictures a second where a file does not say."""
FINEST = 1001
"""Largest denominator of a rate, which is that of television's 30000 / 1001."""
UNSPECIFIED, HIGH_DEFINITION = 2, 720
"""What FFmpeg calls colours of which a file says nothing, and rows from which these are BT.709 then, as players have
it."""


@dataclass(frozen=True)
class Footage:
    """A clip in a file, of which about `count` pictures are shown, `rate` of them a second."""

    path: Path
    rate: Fraction
    count: int

    @classmethod
    def of(cls, path: str | Path) -> "Footage":
        """Raises UserError for a file that is no clip."""
        path = Path(path)
        with _opened(path) as file:
            stream = _video(file, path)
            rate = Fraction(stream.average_rate or RATE).limit_denominator(FINEST)
            seconds = stream.duration * stream.time_base if stream.duration and stream.time_base else None
            seconds = seconds or (Fraction(file.duration, av.time_base) if file.duration else 0)
            return cls(path, rate, max(1, stream.frames or round(seconds * rate)))

    def first(self) -> Picture:
        """The first picture; UserError where none can be decoded."""
        for picture in self:
            return picture
        raise UserError(f"{self.path}: holds no picture that can be decoded")

    def __iter__(self) -> Iterator[Picture]:
        """The pictures, those that are damaged left out, each as often as its time on the screen asks for."""
        with _opened(self.path) as file:
            stream = _video(file, self.path)
            stream.thread_type = "AUTO"
            shown, ticks, start = None, 0, None
            for frame in _decoded(file, stream):
                time = frame.time if frame.time is not None else (ticks + 1) / float(self.rate)
                start = time if start is None else start
                due = round((time - start) * self.rate)
                if shown is not None:
                    yield from repeat(_picture(shown, stream, self.path), max(0, due - ticks))
                shown, ticks = frame, max(due, ticks)
            if shown is not None:
                yield _picture(shown, stream, self.path)


def _opened(path: Path) -> InputContainer:
    try:
        if path.stat().st_size == 0:
            raise UserError(f"{path}: is empty")
        return av.open(str(path.absolute()))  # in a relative one a colon would end the name of a protocol
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except (FFmpegError, OSError) as error:
        raise UserError(f"{path}: cannot be read as a clip: {error.strerror or error}") from error


def _video(file: InputContainer, path: Path) -> VideoStream:
    if not file.streams.video:
        raise UserError(f"{path}: holds no pictures, only {', '.join({s.type for s in file.streams}) or 'nothing'}")
    return file.streams.video[0]


def _decoded(file: InputContainer, stream: VideoStream) -> Iterator[VideoFrame]:
    """All that can be decoded: a packet that is damaged does not keep others from being shown."""
    packets = file.demux(stream)
    while True:
        try:
            packet = next(packets, None)
            if packet is None:
                return
            yield from packet.decode()
        except (FFmpegError, EOFError):
            continue


def _picture(frame: VideoFrame, stream: VideoStream, path: Path) -> Picture:
    """A frame with square pixels, turned as its file says."""
    wide = stream.sample_aspect_ratio or 1
    space = Colorspace.ITU709 if frame.colorspace == UNSPECIFIED and frame.height >= HIGH_DEFINITION else None
    image = frame.reformat(max(1, round(frame.width * wide)), frame.height, "rgb24", src_colorspace=space)
    turned = np.rot90(image.to_ndarray(), round(frame.rotation / 90))
    return Picture(read_picture(np.ascontiguousarray(turned)).pixels, None, path.stem)
