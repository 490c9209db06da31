"""What is read of the file of a clip."""

import struct
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import torch
from av.video.reformatter import Colorspace
from films import filmed, levels
from PIL import Image

import limner
from limner.errors import UserError
from limner.painting import footage
from limner.painting.footage import Footage

QUARTERS = np.kron([[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [255, 255, 255]]], np.ones((32, 48, 1))).astype(np.uint8)
"""Red and green over blue and white, 64 x 96 pixels."""


def quarters(path: Path) -> list[list[int]]:
    """The colours of the four corners of a clip's first picture, as it is read."""
    pixels = Footage.of(path).first().pixels
    return [pixels[:, y, x].round().int().tolist() for y, x in ((8, 8), (8, -8), (-8, 8), (-8, -8))]


RED, GREEN, BLUE, WHITE = [1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1]


@pytest.mark.parametrize(
    ("matrix", "corners"),
    [
        ((1, 0, 0, 1), [RED, GREEN, BLUE, WHITE]),
        ((0, 1, -1, 0), [BLUE, RED, WHITE, GREEN]),  # as a phone held upright writes it: a quarter turn clockwise
        ((-1, 0, 0, -1), [WHITE, BLUE, GREEN, RED]),
        ((0, -1, 1, 0), [GREEN, WHITE, RED, BLUE]),
        ((-1, 0, 0, 1), [GREEN, RED, WHITE, BLUE]),  # as front cameras write it
        ((1, 0, 0, -1), [BLUE, WHITE, RED, GREEN]),
        ((0, 1, 1, 0), [RED, BLUE, GREEN, WHITE]),
    ],
)
def test_a_clip_is_upright(matrix: tuple[int, ...], corners: list[list[int]], tmp_path: Path) -> None:
    path = filmed(tmp_path / "clip.mp4", [QUARTERS] * 3)
    content = bytearray(path.read_bytes())
    place = content.index(b"tkhd") + 44  # in ISO/IEC 14496-12 the matrix of a track, 16.16 bits and the last row 2.30
    a, b, c, d = (65536 * number for number in matrix)
    content[place : place + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    path.write_bytes(content)
    assert quarters(path) == corners


def test_pixels_of_a_clip_that_are_not_square(tmp_path: Path) -> None:
    path = filmed(tmp_path / "clip.mp4", [QUARTERS] * 3, sample_aspect_ratio=Fraction(3, 2))
    assert Footage.of(path).first().size == (64, 144)
    assert quarters(path) == [RED, GREEN, BLUE, WHITE]


@pytest.mark.parametrize(("said", "height", "space"), [(1, 64, 1), (5, 64, 5), (2, 64, 5), (2, 720, 1)])
def test_colours_of_a_clip(said: int, height: int, space: int, tmp_path: Path) -> None:
    colour = torch.tensor([200, 40, 60])
    path = tmp_path / "clip.mp4"
    with av.open(str(path), "w") as file:
        video = file.add_stream("libx264", rate=25, options={"qp": "5"})
        video.height, video.width, video.pix_fmt = height, 64, "yuv420p"
        video.codec_context.colorspace, video.codec_context.color_range = said, 1
        frame = av.VideoFrame.from_ndarray(colour.byte().expand(height, 64, 3).numpy().copy(), "rgb24")
        file.mux(video.encode(frame.reformat(format="yuv420p", dst_colorspace=Colorspace(space))))
        file.mux(video.encode())
    assert torch.allclose(Footage.of(path).first().pixels[:, 9, 9] * 255, colour.float(), atol=4)


def test_every_picture_is_shown_as_long_as_its_file_says(tmp_path: Path) -> None:
    path = filmed(tmp_path / "clip.mkv", levels(5), rate=10, times=[0, 1, 2, 6, 7])
    footage = Footage(path, Fraction(10), 8)
    shown = [round(picture.pixels.mean().item() * 255 / 20) for picture in footage]
    assert shown == [0, 1, 2, 2, 2, 2, 3, 4]
    even = Footage.of(filmed(tmp_path / "clip.mp4", levels(12), rate=Fraction(30000, 1001)))
    assert even.rate == Fraction(30000, 1001)
    assert even.count == 12
    assert [round(picture.pixels.mean().item() * 255 / 20) for picture in even] == list(range(12))


def test_what_is_left_of_a_damaged_clip(tmp_path: Path) -> None:
    path = filmed(
        tmp_path / "clip.mkv", [np.random.default_rng(k).integers(0, 256, (64, 64, 3), np.uint8) for k in range(20)]
    )
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 2 // 3])
    assert 8 < len(list(Footage.of(path))) < 20
    middle = len(content) // 2
    path.write_bytes(content[:middle] + bytes(3000) + content[middle + 3000 :])
    assert len(list(Footage.of(path))) > 8


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "is empty"), (b"no clip at all", "cannot be read as a clip"), (None, "no such file")],
)
def test_what_is_no_clip(content: bytes | None, words: str, tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError, match=f"clip.mp4: {words}"):
        limner.paint_clip(path, 3)


def test_a_film_of_sound_alone(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "clip.mp4"), "w") as file:
        sound = file.add_stream("aac", rate=44100)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        frame.sample_rate = 44100
        file.mux(sound.encode(frame))
        file.mux(sound.encode())
    with pytest.raises(UserError, match="holds no pictures, only audio"):
        limner.paint_clip(tmp_path / "clip.mp4", 3)


def shown(footage: Footage) -> list[int]:
    """Which of the `levels` its pictures are."""
    return [round(picture.pixels.mean().item() * 255 / 20) for picture in footage]


def test_the_last_picture_is_shown_as_long_as_its_file_says(tmp_path: Path) -> None:
    frames = [Image.fromarray(level) for level in levels(4)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:], duration=[200, 100, 100, 700])
    assert shown(Footage.of(tmp_path / "a.gif")) == [0, 0, 1, 2, *[3] * 7]


@pytest.mark.parametrize("times", [[5, 6, 7, 2, 3, 4], [0, 0, 0, 0, 0, 0]], ids=["go back", "are the same"])
def test_times_that_do_not_rise(times: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = filmed(tmp_path / "clip.mp4", levels(6))
    decoded = footage._decoded

    def other(*arguments: Any) -> Iterator[Any]:
        for frame, time in zip(decoded(*arguments), times, strict=True):
            frame.pts = round(Fraction(time, 25) / frame.time_base)
            yield frame

    monkeypatch.setattr(footage, "_decoded", other)
    assert shown(Footage.of(path)) == list(range(6))


def test_pictures_without_times(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = filmed(tmp_path / "clip.mp4", levels(6))
    decoded = footage._decoded

    def other(*arguments: Any) -> Iterator[Any]:
        for frame in decoded(*arguments):
            frame.pts = None
            yield frame

    monkeypatch.setattr(footage, "_decoded", other)
    assert shown(Footage.of(path)) == list(range(6))


def test_times_between_ticks(tmp_path: Path) -> None:
    path = filmed(tmp_path / "clip.mkv", levels(6), rate=20, times=[1, 3, 5, 7, 9, 11])
    assert shown(Footage(path, Fraction(10), 6)) == list(range(6))


def test_count_where_a_file_tells_its_length_alone(tmp_path: Path) -> None:
    assert Footage.of(filmed(tmp_path / "clip.mkv", levels(12))).count == 12


def test_a_colon_in_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    filmed(tmp_path / "clip.mp4", levels(3)).rename(tmp_path / "12:30.mp4")
    assert Footage.of("12:30.mp4").count == 3


def test_one_damaged_picture_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "clip.mov"
    with av.open(str(path), "w") as file:
        video = file.add_stream("png", rate=25)
        video.height, video.width, video.pix_fmt = 32, 32, "rgb24"
        for frame in levels(6):
            file.mux(video.encode(av.VideoFrame.from_ndarray(frame, "rgb24")))
        file.mux(video.encode())
    content = bytearray(path.read_bytes())
    second = content.index(b"\x89PNG", content.index(b"\x89PNG") + 1)
    content[second : second + 40] = bytes(40)
    path.write_bytes(content)
    assert shown(Footage.of(path)) == [0, 0, 2, 3, 4, 5]


def test_a_clip_of_which_nothing_can_be_decoded(tmp_path: Path) -> None:
    path = filmed(tmp_path / "clip.mkv", levels(3))
    content = path.read_bytes()
    cluster = content.index(b"\x1f\x43\xb6\x75") + 12
    path.write_bytes(content[:cluster] + bytes(len(content) - cluster))
    with pytest.raises(UserError, match=r"clip\.mkv: holds no picture that can be decoded"):
        Footage.of(path).first()


def test_a_clip_keeps_its_alpha(tmp_path: Path) -> None:
    clear = np.dstack([QUARTERS, np.full((64, 96, 1), 255, np.uint8)])
    clear[:, :48, 3] = 0
    with av.open(str(tmp_path / "clip.mov"), "w") as file:
        video = file.add_stream("png", rate=25)
        video.height, video.width, video.pix_fmt = 64, 96, "rgba"
        file.mux(video.encode(av.VideoFrame.from_ndarray(clear, "rgba")))
        file.mux(video.encode())
    picture = Footage.of(tmp_path / "clip.mov").first()
    assert picture.alpha is not None
    assert torch.equal(picture.alpha * 255, torch.from_numpy(clear[..., 3]).float())


def test_pictures_of_other_proportions_get_black_beside_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = filmed(tmp_path / "clip.mp4", [QUARTERS] * 3)
    decoded = footage._decoded

    def other(*arguments: Any) -> Iterator[Any]:
        first, *_ = decoded(*arguments)
        first.pts, first.time_base = 0, Fraction(1, 25)
        tall = av.VideoFrame.from_ndarray(np.full((64, 32, 3), 255, np.uint8), "rgb24")
        tall.pts, tall.time_base = 1, Fraction(1, 25)
        yield from (first, tall)

    monkeypatch.setattr(footage, "_decoded", other)
    _, second = Footage.of(path)
    assert second.size == (64, 96)
    assert second.pixels[:, :, :30].max() == second.pixels[:, :, 66:].max() == 0
    assert second.pixels[:, :, 34:62].min() == 1
