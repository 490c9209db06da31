"""Pictures and films that tests of clips read."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from torch import Tensor

from limner.painting.pictures import fitted, read_picture


def photo() -> Tensor:
    """A photograph, 120 pixels wide."""
    return fitted(read_picture(Path(__file__).parents[1] / "examples/photo.jpg"), (90, 120)).pixels


def panned(count: int, step: int) -> list[Tensor]:
    """A window of the photograph that goes to the right, step by step."""
    return [photo()[:, 10:74, k * step : k * step + 64] for k in range(count)]


def filmed(
    path: Path, frames: list[np.ndarray], rate: int | Fraction = 25, times: list[int] | None = None, **stream: Any
) -> Path:
    """A film of frames; times: in ticks of 1 / rate, at which each is shown."""
    with av.open(str(path), "w") as file:
        video = file.add_stream("libx264", rate=rate, options={"qp": "5"})
        video.height, video.width = frames[0].shape[:2]
        video.pix_fmt = "yuv420p"
        for name, value in stream.items():
            setattr(video.codec_context, name, value)
        for k, frame in enumerate(frames):
            one = av.VideoFrame.from_ndarray(frame, "rgb24")
            one.time_base, one.pts = 1 / Fraction(rate), times[k] if times else k
            file.mux(video.encode(one))
        file.mux(video.encode())
    return path


def levels(count: int) -> list[np.ndarray]:
    """Flat frames of rising brightness."""
    return [np.full((32, 32, 3), 20 * k, np.uint8) for k in range(count)]


def seen(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as file:
        return [frame.to_ndarray(format="rgb24") for frame in file.decode(video=0)]
