"""Films, as GIF, MP4 or WebM: of a painting that grows, and of a clip."""

import math
from collections.abc import Callable, Iterable
from fractions import Fraction
from io import BytesIO
from itertools import pairwise, repeat
from pathlib import Path
from typing import Any, cast

import av
import numpy as np
import torch
from av.codec import Codec
from av.codec.codec import UnknownCodecError
from av.error import FFmpegError
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc
from av.video.stream import VideoStream
from jaxtyping import Bool, UInt8
from PIL import Image
from torch import Tensor

from limner.errors import UserError
from limner.painting.films.sound import track
from limner.painting.raster import Pixels, on_white, picture

RATES = {".gif": 15, ".mp4": 30, ".webm": 30}  # frames a second, at most
SECONDS, HOLD = 8, 2
SAMPLE = 6  # pictures, about, that the palette of a GIF is to suit
GIF_CLIP = 25  # frames of a clip a second, at most
SLOWEST = 4  # frames a second
SEEK = 60  # frames from one that can be sought to the next
LARGEST_GIF = 2**28  # pixels of all its frames
CLEAR = 255  # the palette entry that is transparent
BAYER = torch.tensor([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]], device="cpu")
"""The order in which pixels of a 4 x 4 square become opaque with rising alpha (Bayer 1973)."""
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


def moments(strokes: int, frames: int) -> list[int]:
    """Numbers of strokes to show, rising from 0 to all: at most `frames`, and slowest for the early, large strokes."""
    last = min(max(frames, 1) - 1, strokes)
    if last == 0:
        return [strokes]
    return [max(i, round(strokes * (i / last) ** 2)) for i in range(last + 1)]


def timing(strokes: int, suffix: str, seconds: float | None, pixels: int) -> tuple[list[int], Fraction]:
    """The moments to show of a painting of so many pixels that grows for so long, and how many of them a second.

    None: for eight seconds, or less where strokes are few.  It takes a picture's time at least.
    """
    seconds = seconds and max(seconds, 1 / RATES[suffix])
    most = max(2, round(RATES[suffix] * (seconds or SECONDS)))
    if suffix == ".gif":  # all of it is in memory
        most = min(most, max(RATES[suffix] * SECONDS, LARGEST_GIF // pixels))
    counts = moments(strokes, most)
    if seconds and len(counts) > 1:
        return counts, Fraction((len(counts) - 1) / seconds).limit_denominator(1000)
    return counts, Fraction(min(max(round(len(counts) / SECONDS), SLOWEST), RATES[suffix]))


def even(size: tuple[int, int]) -> tuple[int, int]:
    """The (height, width) that a film has for pictures of this one."""
    height, width = (max(side // 2 * 2, 2) for side in size)
    return height, width


def thinned(count: int, rate: Fraction, pixels: int) -> int:
    """Of how many pictures of a clip one is shown in a GIF, which is slow where they are many a second, and large."""
    return max(1, math.ceil(rate / GIF_CLIP), math.ceil(count * pixels / LARGEST_GIF))


def save_time_lapse(
    path: Path,
    stages: Callable[[Iterable[int], tuple[int, int]], Iterable[Pixels]],
    strokes: int,
    size: tuple[int, int],
    seconds: float | None,
    clear: bool,
) -> None:
    """Write how a painting grows, in about `seconds`; `stages` renders it after so many strokes each time."""
    suffix = path.suffix.lower()
    counts, rate = timing(strokes, suffix, seconds, math.prod(size))
    if suffix == ".gif":
        save_gif(path, len(counts), rate, stages(counts, size), stages(moments(strokes, SAMPLE), size))
    else:
        save_film(path, rate, stages(counts, even(size)), even(size), clear)


def save_gif(
    path: Path, count: int, rate: Fraction, frames: Iterable[Pixels], sample: Iterable[Pixels], hold: int = HOLD
) -> None:
    """Write `count` frames as a GIF that loops; all share the palette of the `sample`.

    hold: seconds for which it rests on the last one, if any.
    Frames with an even number of bands have alpha. A GIF has none: of a square of 4 x 4 pixels as many are opaque as
    the alpha says, and those of a lower alpha are among those of a higher one.
    """
    palette = _palette(list(sample))
    nearest = _nearest(palette)
    images = [_indexed(frame, palette, nearest) for frame in frames]
    times = [10 * round(100 * k / rate) for k in range(count + 1)]  # a GIF counts hundredths of a second
    durations = [after - before for before, after in pairwise(times)]
    durations[-1] = round(1000 * hold) or durations[-1]
    clear = [np.asarray(image) == CLEAR for image in images]
    looks: dict[str, Any] = {"transparency": CLEAR} if any(map(np.any, clear)) else {}
    if any((after & ~before).any() for before, after in pairwise(clear)):
        looks["disposal"] = 2  # take each frame away before the next, which would show it where it is clear
    file = BytesIO()
    images[0].save(
        file, "GIF", save_all=True, append_images=images[1:], duration=durations, loop=0, optimize=False, **looks
    )
    path.write_bytes(file.getvalue())


def _palette(sample: list[Pixels]) -> Image.Image:
    """A picture whose palette, of one colour less than a GIF may hold, suits all of the sample."""
    seen = torch.cat([_colours(image)[::2, ::2][_opaque(image)[::2, ::2]] for image in sample])
    seen = seen if len(seen) else seen.new_zeros(1, 3)
    return picture(seen[None]).quantize(CLEAR, kmeans=1)


def _nearest(palette: Image.Image) -> Callable[[UInt8[Tensor, "height width 3"]], UInt8[Tensor, "height width"]]:
    """The palette's entries by colours; Pillow finds those of the darkest of 4 x 4 x 4, so that white would be gray."""
    entries = torch.tensor(palette.getpalette(), device="cpu").view(-1, 3)[:CLEAR].float()
    known = torch.full((2**24,), CLEAR, dtype=torch.uint8, device="cpu")
    base = torch.tensor([2**16, 2**8, 1], dtype=torch.int32, device="cpu")

    def nearest(colours: UInt8[Tensor, "height width 3"]) -> UInt8[Tensor, "height width"]:
        packed = (colours * base).sum(-1, dtype=torch.int32)
        for fresh in packed[known[packed] == CLEAR].unique().split(2**14):
            distances = entries.square().sum(1) - 2 * (fresh[:, None] // base % 2**8).float() @ entries.T
            known[fresh] = distances.argmin(1).to(torch.uint8)
        return known[packed]

    return nearest


def _indexed(image: Pixels, palette: Image.Image, nearest: Callable[[Tensor], Tensor]) -> Image.Image:
    indexed = Image.fromarray(torch.where(_opaque(image), nearest(_colours(image)), CLEAR).numpy(), "P")
    indexed.putpalette(palette.getpalette() or ())
    return indexed


def _colours(image: Pixels) -> UInt8[Tensor, "height width 3"]:
    """RGB, whatever the alpha."""
    return (image if image.shape[-1] % 2 else image[..., :-1]).expand(-1, -1, 3).contiguous()


def _opaque(image: Pixels) -> Bool[Tensor, "height width"]:
    """Which pixels are opaque where each must be so or not at all."""
    height, width, bands = image.shape
    if bands % 2:
        return torch.ones(height, width, dtype=torch.bool, device="cpu")
    least = (BAYER + 0.5) * 255 / 16
    return image[..., -1] > least.repeat(-(-height // 4), -(-width // 4))[:height, :width]


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
    alpha = image[..., -1:]
    return torch.cat([torch.where(alpha > 0, _colours(image), 255), alpha], -1)


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
