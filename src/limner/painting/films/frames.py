"""Frames of a film as pictures: upright, of square pixels, with the colours of sRGB."""

import math
from fractions import Fraction

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import Colorspace, Interpolation
from PIL import Image

from limner import hdr

UNSPECIFIED, HIGH_DEFINITION = 2, 720
"""What FFmpeg calls colours of which a file says nothing, and rows from which these are BT.709 then, as players have
it."""
FULL_CHROMA, ACCURATE = 2**13, 2**18
"""Of libswscale: without these, colours are a level or two too dark."""
STILL = ("apng", "gif", "mjpeg", "png", "tiff", "webp")
"""Codecs of pictures, whose frames may hold profiles that PyAV cannot let go of."""


def image(frame: VideoFrame, wide: Fraction, codec: str) -> Image.Image:
    """A frame with square pixels, turned and mirrored as its file says.

    wide: a pixel's width by its height.  codec: what the frame was decoded by.
    """
    clear = any(component.is_alpha for component in frame.format.components)
    space = Colorspace.ITU709 if frame.colorspace == UNSPECIFIED and frame.height >= HIGH_DEFINITION else None
    wider = hdr.is_wider(frame.color_trc, frame.color_primaries)
    format = ("rgba64le" if clear else "rgb48le") if wider else ("rgba" if clear else "rgb24")
    width = max(1, round(frame.width * wide))
    careful = Interpolation.BICUBIC | FULL_CHROMA | ACCURATE
    pixels = frame.reformat(width, frame.height, format, space, interpolation=careful).to_ndarray()
    if wider:
        alpha = (pixels[..., 3:] // 257).astype(np.uint8)
        pixels = np.dstack([hdr.in_srgb(pixels[..., :3], frame.color_trc, frame.color_primaries), alpha])
    if frame.interlaced_frame:
        pixels = _one_field(pixels)
    return Image.fromarray(np.ascontiguousarray(_upright(pixels, frame, codec)))


def _one_field(pixels: np.ndarray) -> np.ndarray:
    """Every other row, as high as all, each where it was: between them lie those of another moment."""
    height, width = pixels.shape[:2]
    field = pixels[::2]
    rows = Image.fromarray(np.concatenate([field, field[-1:]]))
    box = 0, 0.25, width, 0.25 + height / 2
    return np.asarray(rows.resize((width, height), Image.Resampling.BICUBIC, box))


def _upright(pixels: np.ndarray, frame: VideoFrame, codec: str) -> np.ndarray:
    if not frame.rotation and codec in STILL:
        return pixels
    try:
        matrix = frame.side_data.get("DISPLAYMATRIX")
    except ValueError:  # of a kind that PyAV does not know
        return np.rot90(pixels, round(frame.rotation / 90))
    if matrix is None:
        return pixels
    a, b, _, c, d, *_ = np.frombuffer(bytes(matrix), np.int32).astype(float)  # where x and y point to
    if a * d < b * c:
        pixels, a, b = pixels[:, ::-1], -a, -b
    return np.rot90(pixels, -round(math.atan2(b, a) / (math.pi / 2)))
