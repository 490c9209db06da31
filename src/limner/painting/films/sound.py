"""The sound of a clip on its way into the film that is painted of it."""

import math
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from fractions import Fraction
from pathlib import Path
from typing import cast

import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.codec.codec import UnknownCodecError
from av.container import InputContainer, OutputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.video.stream import VideoStream
from jaxtyping import Float32

from limner.painting.films import decoding

ENCODERS = {".mp4": "aac", ".webm": "libopus"}
RATE = 48_000
"""Samples a second, which Opus and AAC both know."""
GAP = RATE // 100
"""Samples by which one part may be late without silence before it."""

Samples = Float32[np.ndarray, "channel sample"]


class Track:
    """What is heard of a clip, encoded anew as a stream of a film, in step with its pictures.

    start: when the pictures begin, in seconds.
    """

    def __init__(self, source: InputContainer, heard: AudioStream, start: float, film: OutputContainer, codec: str):
        self.start, self.written = start, 0
        self.stream = cast(AudioStream, film.add_stream(codec, rate=RATE))
        self.channels = min(heard.layout.nb_channels, 2)
        self.stream.layout = "mono" if self.channels == 1 else "stereo"
        self.parts = self._mixed(decoding.sounds(source, heard))
        self.next = next(self.parts, None)

    def until(self, seconds: Fraction) -> Iterator[Packet]:
        """What is to be heard up to a time; silence where the clip has none yet, nothing where its sound has ended."""
        end = math.ceil(seconds * RATE)
        while self.next and self.written < end:
            place, samples = self.next
            if place - self.written > GAP:
                samples = np.zeros((self.channels, min(place, end, self.written + RATE) - self.written), np.float32)
            else:
                self.next = next(self.parts, None)
            yield from self._encoded(samples)

    def rest(self) -> Iterator[Packet]:
        """What the encoder still holds."""
        yield from self.stream.encode(None)

    def _mixed(self, frames: Iterator[AudioFrame]) -> Iterator[tuple[int, Samples]]:
        """Parts at the film's rate, and where they belong, in samples from the first picture on."""
        mixer, kind, place = None, None, 0
        for frame in frames:
            if frame.time is not None:
                place = round((frame.time - self.start) * RATE)
            if mixer is None or kind != (frame.format.name, frame.layout.name, frame.sample_rate):
                kind = frame.format.name, frame.layout.name, frame.sample_rate
                mixer = AudioResampler("fltp", self.stream.layout, RATE)
            frame.pts = None  # it follows the one before
            for part in mixer.resample(frame):
                samples = part.to_ndarray()[:, max(0, -place) :]
                if samples.shape[1]:
                    yield max(place, 0), samples
                place += part.samples

    def _encoded(self, samples: Samples) -> Iterator[Packet]:
        frame = AudioFrame.from_ndarray(np.ascontiguousarray(samples), "fltp", self.stream.layout.name)
        frame.sample_rate, frame.time_base, frame.pts = RATE, Fraction(1, RATE), self.written
        self.written += frame.samples
        yield from self.stream.encode(frame)


@contextmanager
def track(clip: Path | None, film: OutputContainer, suffix: str) -> Iterator[Track | None]:
    """The sound of a clip as a stream of a film; None where it has none, or cannot be read any more.

    Warns where there is sound that cannot be decoded.
    """
    with ExitStack() as stack:
        yield _found(clip, film, ENCODERS.get(suffix, ""), stack) if clip else None


def _found(clip: Path, film: OutputContainer, codec: str, stack: ExitStack) -> Track | None:
    try:
        source = stack.enter_context(decoding.contained(clip))
        best = source.streams.best("audio")
        tracks = sorted(source.streams.audio, key=lambda stream: stream is not best)
        heard = [stream for stream in tracks if stream.codec_context is not None]
        if heard:
            return Track(source, heard[0], _start(clip), film, codec)
        if tracks:
            warnings.warn(f"{clip}: its sound is of a kind that FFmpeg cannot decode: the film has none", stacklevel=2)
    except (FFmpegError, OSError, UnknownCodecError):
        pass
    return None


def _start(clip: Path) -> float:
    """When the pictures of a clip begin, in seconds; 0 where it has none, being sound alone."""
    with decoding.contained(clip) as file:
        stream = file.streams.best("video")
        first = next(decoding.frames(file, stream), None) if isinstance(stream, VideoStream) else None
    return (first and first.time) or 0.0
