"""The sound of a clip on its way into the film that is painted of it."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.codec.codec import UnknownCodecError
from av.container import InputContainer, OutputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.video.stream import VideoStream

ENCODERS = {".mp4": "aac", ".webm": "libopus"}
RATE = 48_000
"""Samples a second, which Opus and AAC both know."""


class Track:
    """What is heard of a clip, encoded anew as a stream of a film, in step with its pictures."""

    def __init__(self, source: InputContainer, film: OutputContainer, codec: str) -> None:
        seen, heard = source.streams.best("video"), source.streams.best("audio")
        assert isinstance(seen, VideoStream)
        assert isinstance(heard, AudioStream)
        self.start = float((seen.start_time or 0) * (seen.time_base or 0))
        self.frames = source.decode(heard)
        self.stream = cast(AudioStream, film.add_stream(codec, rate=RATE))
        self.stream.layout = "mono" if heard.layout.nb_channels == 1 else "stereo"
        self.heard = 0.0

    def until(self, seconds: Fraction) -> Iterator[Packet]:
        """What is to be heard up to a time; nothing more where the clip's sound ends or is damaged."""
        while self.heard < seconds and (frame := self._next()):
            self.heard = (frame.time or 0.0) - self.start + frame.samples / frame.sample_rate
            if self.heard > 0:
                frame.pts = None  # it follows the one before
                yield from self.stream.encode(frame)

    def rest(self) -> Iterator[Packet]:
        """What the encoder still holds."""
        yield from self.stream.encode(None)

    def _next(self) -> AudioFrame | None:
        try:
            return next(self.frames, None)
        except FFmpegError:
            return None


@contextmanager
def track(clip: Path | None, film: OutputContainer, suffix: str) -> Iterator[Track | None]:
    """The sound of a clip as a stream of a film; None where it has none, or cannot be read any more."""
    found = None
    with ExitStack() as stack:
        if clip:
            try:
                source = stack.enter_context(av.open(str(clip.absolute())))
                if source.streams.video and source.streams.audio:
                    found = Track(source, film, ENCODERS[suffix])
            except (FFmpegError, OSError, UnknownCodecError):
                pass
        yield found
