"""Files of films, opened and decoded: what is damaged is left out, and does not keep the rest from being seen."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.codec.codec import UnknownCodecError
from av.codec.context import CodecContext
from av.container import InputContainer
from av.error import FFmpegError
from av.format import formats_available
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from limner.errors import UserError

WITH_ALPHA = {"vp8": "libvpx", "vp9": "libvpx-vp9"}
"""Decoders that know the alpha of a WebM, by codec; FFmpeg's own leave it out."""
LISTS = {"concat", "dash", "hls", "imf", "rtsp", "sdp", "vobsub", "webm_dash_manifest"}
"""Formats that name other files, or addresses, and hold no pictures themselves."""


def opened(path: Path) -> InputContainer:
    """A film to read; UserError for what is none."""
    try:
        if path.stat().st_size == 0:
            raise UserError(f"{path}: is empty")
        return contained(path)
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except (FFmpegError, OSError) as error:
        raise UserError(f"{path}: cannot be read as a clip: {error.strerror or error}") from error


def contained(path: Path) -> InputContainer:
    """A file as FFmpeg opens it, and no other."""
    whole = {"format_whitelist": ",".join(formats_available - LISTS)}
    return av.open(str(path.absolute()), options=whole)  # in a relative one a colon would end the name of a protocol


def main_video(file: InputContainer, path: Path) -> VideoStream:
    """The main one of a file's videos; UserError where there is none."""
    if not isinstance(stream := file.streams.best("video"), VideoStream):
        raise UserError(f"{path}: holds no pictures, only {', '.join({s.type for s in file.streams}) or 'nothing'}")
    return stream


def frames(file: InputContainer, stream: VideoStream) -> Iterator[VideoFrame]:
    """All pictures of a stream that can be decoded."""
    if not (decoder := _with_alpha(stream)):
        return _decoded(file, stream, Packet.decode)
    return _decoded(file, stream, lambda packet: decoder.decode(packet if packet.size else None))


def sounds(file: InputContainer, stream: AudioStream) -> Iterator[AudioFrame]:
    """All sound of a stream that can be decoded."""
    return _decoded(file, stream, Packet.decode)


def _decoded(file: InputContainer, stream: VideoStream | AudioStream, decode: Callable[[Packet], Any]) -> Iterator[Any]:
    packets = file.demux(stream)
    while True:
        try:
            packet = next(packets, None)
            if packet is None:
                return
            yield from decode(packet)
        except (FFmpegError, EOFError):
            continue


def _with_alpha(stream: VideoStream) -> VideoCodecContext | None:
    """A decoder of one's own, where the usual one leaves alpha out."""
    name = WITH_ALPHA.get(stream.codec_context.name)
    if not name or stream.metadata.get("alpha_mode") != "1":
        return None
    try:
        return cast(VideoCodecContext, CodecContext.create(name, "r"))
    except UnknownCodecError:
        return None
