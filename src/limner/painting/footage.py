"""Pictures of a clip: decoded from a file one after the other, upright, at a steady rate."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import repeat
from pathlib import Path
from typing import cast

import av
import numpy as np
from av.container import InputContainer
from av.error import FFmpegError
from av.sidedata.sidedata import SideData, Type
from av.video.frame import VideoFrame
from av.video.reformatter import Colorspace
from av.video.stream import VideoStream
from PIL import Image, ImageOps

from limner.errors import UserError
from limner.painting.clip import DENOMINATOR, SLOWEST
from limner.painting.pictures import Picture, read_picture

RATE, MOST = Fraction(25), 120
"""Pictures a second where a file does not say, and at most."""
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
            given = (stream.guessed_rate, stream.average_rate)
            said = next((each for each in given if each and SLOWEST <= each <= MOST), RATE)
            rate = Fraction(said).limit_denominator(DENOMINATOR)
            seconds = stream.duration * stream.time_base if stream.duration and stream.time_base else None
            seconds = seconds or (Fraction(file.duration, av.time_base) if file.duration else 0)
            return cls(path, rate, max(1, round(seconds * rate) or stream.frames))

    def first(self) -> Picture:
        """The first picture; UserError where none can be decoded."""
        for picture in self:
            return picture
        raise UserError(f"{self.path}: holds no picture that can be decoded")

    def __iter__(self) -> Iterator[Picture]:
        """The pictures, those that are damaged left out, each as often as its time on the screen asks for.

        All are of the first one's size, others with black beside them.
        """
        with _opened(self.path) as file:
            stream = _video(file, self.path)
            stream.thread_type = "AUTO"
            shown, size, ticks, start, last = None, None, 0, 0.0, None
            for frame in _decoded(file, stream):
                time = frame.time or 0.0
                if last is None:
                    start = time
                elif frame.time is None or time <= last:  # as where files are joined: after the one before
                    time = last + 1 / float(self.rate)
                due = round((time - start) * self.rate)
                if shown and due > ticks:
                    yield from repeat(_picture(shown, stream, self.path, size), due - ticks)
                shown, ticks, last = frame, due, time
                size = size or _image(frame, stream).size
            if shown and last is not None:
                held = float((shown.duration or 0) * (shown.time_base or 0))
                due = round((last - start + held) * self.rate)
                yield from repeat(_picture(shown, stream, self.path, size), max(1, due - ticks))


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
    """The main one of a file's videos."""
    if not isinstance(stream := file.streams.best("video"), VideoStream):
        raise UserError(f"{path}: holds no pictures, only {', '.join({s.type for s in file.streams}) or 'nothing'}")
    return stream


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


def _picture(frame: VideoFrame, stream: VideoStream, path: Path, size: tuple[int, int] | None) -> Picture:
    """A frame of this (width, height), with black beside it where it has other proportions."""
    image = _image(frame, stream)
    if size and image.size != size:
        image = ImageOps.pad(image, size, Image.Resampling.BICUBIC)
    picture = read_picture(image)
    return Picture(picture.pixels, picture.alpha, path.stem)


def _image(frame: VideoFrame, stream: VideoStream) -> Image.Image:
    """A frame with square pixels, turned and mirrored as its file says."""
    wide = stream.sample_aspect_ratio or 1
    clear = any(component.is_alpha for component in frame.format.components)
    space = Colorspace.ITU709 if frame.colorspace == UNSPECIFIED and frame.height >= HIGH_DEFINITION else None
    width = max(1, round(frame.width * wide))
    pixels = frame.reformat(width, frame.height, "rgba" if clear else "rgb24", src_colorspace=space).to_ndarray()
    for matrix in cast(Iterable[SideData], frame.side_data):
        if matrix.type != Type.DISPLAYMATRIX:
            continue
        a, b, _, c, d, *_ = np.frombuffer(bytes(matrix), np.int32).astype(float)  # where x and y point to
        if a * d < b * c:
            pixels, a, b = pixels[:, ::-1], -a, -b
        pixels = np.rot90(pixels, -round(math.atan2(b, a) / (math.pi / 2)))
    return Image.fromarray(np.ascontiguousarray(pixels))
