"""Films as MP4 or WebM."""

import math
from collections.abc import Iterable
from fractions import Fraction
from itertools import repeat
from pathlib import Path
from typing import cast

import av
import torch
from av.codec import Codec
from av.codec.codec import UnknownCodecError
from av.error import FFmpegError
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc
from av.video.stream import VideoStream
from jaxtyping import UInt8
from torch import Tensor

from limner.errors import UserError
from limner.painting.films.sound import track
from limner.painting.raster import Pixels, colours, has_alpha, on_white

HOLD = 2  # seconds
SLOWEST = 4  # frames a second
SEEK = 60  # frames from one that can be sought to the next
ENCODERS = {
    ".mp4": {
        "libx264": {"qp": "16", "preset": "veryfast"},  # its other ways to choose quality differ from run to run
        "mpeg4": {"b": "8M"},
    },
    ".webm": {
        # as many threads on every machine, since the bytes depend on them
        "libvpx-vp9": {"crf": "20", "b": "0", "deadline": "realtime", "cpu-used": "8", "row-mt": "1", "threads": "4"},
        "libvpx": {"b": "8M"},
    },
}
WITH_ALPHA = ("libvpx-vp9",)
CONTAINERS = {".mp4": {"movflags": "faststart"}, ".webm": {"fflags": "bitexact"}}  # else WebM has a random number


def even(size: tuple[int, int]) -> tuple[int, int]:
    """The (height, width) that a film has for pictures of this one."""
    height, width = (max(side // 2 * 2, 2) for side in size)
    return height, width


def save_film(
    path: Path,
    rate: Fraction,
    frames: Iterable[Pixels],
    size: tuple[int, int],
    clear: bool,
    hold: int = HOLD,
    clip: Path | None = None,
) -> None:
    """Write frames of an even `size` (height, width) as MP4 or WebM, by suffix; the last is held `hold` seconds longer.

    clear: whether frames have alpha, which a WebM by VP9 has, too; others are shown on white.
    clip: a file whose sound is to be heard.
    Raises UserError when PyAV was built without an encoder for the format, and OSError when it cannot write.
    """
    suffix = path.suffix.lower()
    name, options = _encoder(suffix)
    each = math.ceil(SLOWEST / rate)  # so that films last as long as they should, to a fraction of a second
    inside, outside = ("rgba", "yuva420p") if clear and name in WITH_ALPHA else ("rgb24", "yuv420p")
    whole = str(path.absolute())  # in a relative one a colon would end the name of a protocol
    try:
        with av.open(whole, "w", format=suffix[1:], options=CONTAINERS[suffix]) as file:
            stream = cast(VideoStream, file.add_stream(name, rate=each * rate, options=options))
            stream.height, stream.width = size
            stream.pix_fmt = outside
            stream.codec_context.colorspace = Colorspace.ITU709
            stream.codec_context.color_range = ColorRange.MPEG
            stream.codec_context.color_primaries = ColorPrimaries.BT709  # else Chromium takes small films for BT.601
            stream.codec_context.color_trc = ColorTrc.BT709
            stream.codec_context.gop_size = SEEK
            with track(clip, file, suffix) as sound:
                for number, image in enumerate(_held(frames, each, round(hold * each * rate) or each - 1), 1):
                    shown = _over_white(image) if inside == "rgba" else on_white(image)
                    frame = av.VideoFrame.from_ndarray(shown.numpy(), inside)
                    file.mux(stream.encode(frame.reformat(format=outside, dst_colorspace=Colorspace.ITU709)))
                    for packet in sound.until(number / (each * rate)) if sound else ():
                        file.mux(packet)
                file.mux(stream.encode())
                for packet in sound.rest() if sound else ():
                    file.mux(packet)
    except FFmpegError as error:
        raise OSError(error.errno, error.strerror) from error


def _over_white(image: Pixels) -> UInt8[Tensor, "height width 4"]:
    """RGBA, white where nothing is: players that know no alpha show that."""
    alpha = image[..., -1:] if has_alpha(image) else torch.full_like(image[..., :1], 255)
    return torch.cat([torch.where(alpha > 0, colours(image), 255), alpha], -1)


def _held(frames: Iterable[Pixels], each: int, more: int) -> Iterable[Pixels]:
    """The frames, `each` so many times but for the last, which is held `more` times longer than once."""
    frames = iter(frames)
    last = next(frames)
    for frame in frames:
        yield from repeat(last, each)
        last = frame
    yield from repeat(last, 1 + more)


def _encoder(suffix: str) -> tuple[str, dict[str, str]]:
    for name, options in ENCODERS[suffix].items():
        try:
            Codec(name, "w")
        except UnknownCodecError:
            continue
        return name, options
    raise UserError(f"{suffix[1:]}: PyAV has none of the encoders {', '.join(ENCODERS[suffix])} here: choose .gif")
