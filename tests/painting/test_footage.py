"""What is read of the file of a clip."""

import gc
import struct
from collections.abc import Iterator
from fractions import Fraction
from io import BytesIO
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import torch
from av.video.reformatter import ColorRange, Colorspace
from films import filmed, levels
from PIL import Image, ImageCms

import limner
from limner.errors import UserError
from limner.painting.films import decoding
from limner.painting.films.footage import Footage

QUARTERS = np.kron([[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [255, 255, 255]]], np.ones((32, 48, 1))).astype(np.uint8)
"""Red and green over blue and white, 64 x 96 pixels."""
NOTHING = limner.Strokes(torch.zeros(1, 0, 2, 3), torch.zeros(1, 0, 1), torch.zeros(1, 0, 3))

EMPTY = (
    limner.Strokes(torch.zeros(1, 0, 2, 3), torch.zeros(1, 0, 1), torch.zeros(1, 0, 3)),
    limner.TemplateBank.named("circle"),
)


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


@pytest.mark.parametrize("colour", [(200, 30, 30), (30, 200, 200), (90, 90, 90), (240, 230, 20)])
def test_colours_are_read_and_written_to_a_level(colour: tuple[int, int, int], tmp_path: Path) -> None:
    """Read: a film of BT.709, limited range, by the formula. Written: a film of a painting without strokes."""
    red, green, blue = (each / 255 for each in colour)
    luma = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    planes = 16 + 219 * luma, 128 + 224 * (blue - luma) / 1.8556, 128 + 224 * (red - luma) / 1.5748
    with av.open(str(tmp_path / "clip.mkv"), "w") as file:
        video = file.add_stream("ffv1", rate=25)
        video.height, video.width, video.pix_fmt = 64, 64, "yuv420p"
        video.codec_context.colorspace, video.codec_context.color_range = Colorspace.ITU709, ColorRange.MPEG
        flat = np.concatenate(
            [np.full(4096 // part, round(plane)) for plane, part in zip(planes, (1, 4, 4), strict=True)]
        )
        file.mux(video.encode(av.VideoFrame.from_ndarray(flat.astype(np.uint8).reshape(96, 64), "yuv420p")))
        file.mux(video.encode())
    plain = limner.Painting(NOTHING, limner.TemplateBank.named("circle"), torch.tensor(colour) / 255, (64, 64))
    limner.Clip([plain] * 2, Fraction(25)).save(tmp_path / "painted.mp4")
    for path in (tmp_path / "clip.mkv", tmp_path / "painted.mp4"):
        read = Footage.of(path).first().pixels.mean((1, 2)) * 255
        assert (read - torch.tensor(colour)).abs().max() < 1.6


def nits_in_pq(light: np.ndarray) -> np.ndarray:
    """The signal of light in candelas a square metre (SMPTE ST 2084)."""
    power = (light / 10_000) ** (2610 / 16384)
    return ((3424 / 4096 + 2413 / 128 * power) / (1 + 2392 / 128 * power)) ** (2523 / 32)


def scene_in_hlg(light: np.ndarray) -> np.ndarray:
    """The signal of light of a scene (ITU-R BT.2100)."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    return np.where(light <= 1 / 12, (3 * light) ** 0.5, a * np.log(np.maximum(12 * light - b, 1e-9)) + c)


@pytest.mark.parametrize("transfer", [16, 18], ids=["PQ", "HLG"])
def test_films_of_high_dynamic_range_look_as_they_should(transfer: int, tmp_path: Path) -> None:
    """sRGB's colours as light of BT.2020 whose white has 203 candelas, in ten bits, and light far above white."""
    srgb = np.array([[0, 0, 0], [40, 40, 40], [128, 128, 128], [190, 190, 190], [200, 60, 60], [60, 150, 60]])
    linear = ((srgb / 255 + 0.055) / 1.055) ** 2.4 * (srgb > 0)
    wide = linear @ np.array([[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]]).T * 203
    wide = np.concatenate([wide, np.full((1, 3), 1000.0)])
    if transfer == 16:
        signal = nits_in_pq(wide)
    else:  # the screen of 1,000 candelas shows Y^0.2 of what the scene has
        luma = (wide @ np.array([0.2627, 0.6780, 0.0593]))[:, None] / 1000
        signal = scene_in_hlg(wide / 1000 / np.maximum(luma, 1e-9) ** (0.2 / 1.2))
    bars = np.repeat(np.rint(signal * 65535).astype(np.uint16)[None], 32, 0).repeat(32, 1)
    with av.open(str(tmp_path / "clip.mkv"), "w") as file:
        video = file.add_stream("ffv1", rate=25)
        video.height, video.width, video.pix_fmt = 32, bars.shape[1], "gbrp16le"
        video.codec_context.color_trc, video.codec_context.color_primaries = transfer, 9
        frame = av.VideoFrame.from_ndarray(bars, "rgb48le").reformat(format="gbrp16le")
        file.mux(video.encode(frame))
        file.mux(video.encode())
    read = Footage.of(tmp_path / "clip.mkv").first().pixels[:, 16, 16::32].T * 255
    assert np.abs(read[:-1].numpy() - srgb).max() < 2.5
    assert read[-1].min() > 250  # a light is white, not gray


@pytest.mark.parametrize("clear", [False, True])
def test_a_film_of_display_p3_is_shown_in_srgb(clear: bool, tmp_path: Path) -> None:
    """As screens of a Mac are recorded."""
    srgb = np.array([[128, 128, 128], [200, 60, 60], [60, 150, 60]])
    light = ((srgb / 255 + 0.055) / 1.055) ** 2.4
    wide = light @ np.array([[0.8225, 0.1774, 0.0], [0.0332, 0.9669, 0.0], [0.0171, 0.0724, 0.9108]]).T
    codes = np.rint((1.055 * wide ** (1 / 2.4) - 0.055) * 65535).astype(np.uint16)
    codes = np.hstack([codes, np.full((3, 1), 65535 // 2, np.uint16)])[:, : 4 if clear else 3]
    bars = np.repeat(codes[None], 32, 0).repeat(32, 1)
    with av.open(str(tmp_path / "clip.mkv"), "w") as file:
        video = file.add_stream("ffv1", rate=25)
        video.height, video.width, video.pix_fmt = 32, bars.shape[1], "gbrap16le" if clear else "gbrp16le"
        video.codec_context.color_trc, video.codec_context.color_primaries = 13, 12
        frame = av.VideoFrame.from_ndarray(bars, "rgba64le" if clear else "rgb48le")
        file.mux(video.encode(frame.reformat(format="gbrap16le" if clear else "gbrp16le")))
        file.mux(video.encode())
    first = Footage.of(tmp_path / "clip.mkv").first()
    assert np.abs((first.pixels[:, 16, 16::32].T * 255).numpy() - srgb).max() < 1.5
    assert (first.alpha is not None) == clear
    assert first.alpha is None or (first.alpha - 0.5).abs().max() < 0.01


def test_a_field_of_an_interlaced_film(tmp_path: Path) -> None:
    """Rows of two moments: a white bar at the left in even ones, at the right in odd ones."""
    woven = np.zeros((64, 96, 3), np.uint8)
    woven[::2, 8:24], woven[1::2, 64:80] = 255, 255
    with av.open(str(tmp_path / "clip.mkv"), "w") as file:
        video = file.add_stream("libx264", rate=25, options={"qp": "1", "x264-params": "tff=1"})
        video.height, video.width, video.pix_fmt = 64, 96, "yuv444p"
        file.mux(video.encode(av.VideoFrame.from_ndarray(woven, "rgb24").reformat(format="yuv444p")))
        file.mux(video.encode())
    pixels = Footage.of(tmp_path / "clip.mkv").first().pixels
    assert pixels.shape == (3, 64, 96)
    assert pixels[:, 4:-4, 10:22].min() > 0.95
    assert pixels[:, 4:-4, 60:84].max() < 0.05


@pytest.mark.parametrize("name", ["libvpx-vp9", "libvpx"])
def test_a_webm_keeps_its_alpha(name: str, tmp_path: Path) -> None:
    clear = np.dstack([QUARTERS, np.full((64, 96, 1), 255, np.uint8)])
    clear[:, :48, 3] = 0
    with av.open(str(tmp_path / "clip.webm"), "w") as file:
        video = file.add_stream(name, rate=25, options={"auto-alt-ref": "0", "b": "2M"})
        video.height, video.width, video.pix_fmt = 64, 96, "yuva420p"
        for _ in range(5):
            file.mux(video.encode(av.VideoFrame.from_ndarray(clear, "rgba").reformat(format="yuva420p")))
        file.mux(video.encode())
    pictures = list(Footage.of(tmp_path / "clip.webm"))
    assert len(pictures) == 5
    for picture in pictures:
        assert picture.alpha is not None
        assert picture.alpha[:, :44].max() < 0.05
        assert picture.alpha[:, 52:].min() > 0.95


@pytest.mark.parametrize(
    ("rate", "read"), [(60, 60), (119, 119), (240, 120), (300, 100), (Fraction(30000, 1001), 29.97)]
)
def test_slow_motion_keeps_every_second_picture_or_third(rate: Any, read: float, tmp_path: Path) -> None:
    footage = Footage.of(filmed(tmp_path / "clip.mp4", levels(12) * 5, rate=rate))
    assert float(footage.rate) == pytest.approx(read, abs=1e-3)
    assert len(list(footage)) == pytest.approx(60 * read / float(rate), abs=1)


def test_profiles_of_pictures_in_a_film_do_no_harm(tmp_path: Path) -> None:
    """PyAV crashes over them when memory is cleaned up."""
    with av.open(str(tmp_path / "clip.mov"), "w") as file:
        profiled = BytesIO()
        profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
        Image.fromarray(QUARTERS).save(profiled, "PNG", icc_profile=profile)
        video = file.add_stream("png", rate=25)
        video.height, video.width, video.pix_fmt = 64, 96, "rgb24"
        packet = av.Packet(profiled.getvalue())
        packet.stream, packet.pts, packet.dts, packet.time_base, packet.is_keyframe = video, 0, 0, Fraction(1, 25), True
        file.mux(packet)
    for _ in range(3):
        assert quarters(tmp_path / "clip.mov") == [RED, GREEN, BLUE, WHITE]
        gc.collect()


@pytest.mark.parametrize("suffix", [".gif", ".webp", ".png", ".avif"])
def test_animated_pictures_are_clips(suffix: str, tmp_path: Path) -> None:
    frames = [Image.fromarray(level) for level in levels(4)]
    path = tmp_path / f"moves{suffix}"
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=[200, 100, 100, 300], lossless=True)
    footage = Footage.of(path)
    assert (footage.rate, footage.count) == (10, 7)
    assert shown(footage) == [0, 0, 1, 2, 3, 3, 3]
    assert len(limner.paint_clip(path, 2).paintings) == 7
    frames[0].save(tmp_path / f"still{suffix}")
    with pytest.raises(UserError, match=f"still{suffix}: is one picture"):
        limner.paint_clip(tmp_path / f"still{suffix}", 2)


def test_frames_of_no_time_last_as_long_as_in_a_browser(tmp_path: Path) -> None:
    frames = [Image.fromarray(level) for level in levels(3)]
    frames[0].save(tmp_path / "fast.gif", save_all=True, append_images=frames[1:], duration=10)
    assert shown(Footage.of(tmp_path / "fast.gif")) == [0, 1, 2]
    assert Footage.of(tmp_path / "fast.gif").rate == 10


@pytest.mark.usefixtures("quick")
def test_a_clip_that_was_cut_short_says_so(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (40, 32, 32, 3), np.uint8)
    path = filmed(tmp_path / "whole.mkv", list(noise))
    content = path.read_bytes()
    (tmp_path / "part.mkv").write_bytes(content[: len(content) // 2])
    with pytest.warns(UserWarning, match=r"part\.mkv: only \d+ of about 40 pictures could be decoded"):
        limner.paint_clip(tmp_path / "part.mkv", 0)
    limner.paint_clip(path, 0)


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


def test_a_list_of_other_files_is_no_clip(tmp_path: Path) -> None:
    filmed(tmp_path / "other.mp4", [QUARTERS] * 3)
    (tmp_path / "clip.mp4").write_text("ffconcat version 1.0\nfile other.mp4\n")
    assert len(list(Footage.of(tmp_path / "other.mp4"))) == 3
    with pytest.raises(UserError, match=r"clip\.mp4: cannot be read as a clip"):
        Footage.of(tmp_path / "clip.mp4")


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
    decoded = decoding.frames

    def other(*arguments: Any) -> Iterator[Any]:
        for frame, time in zip(decoded(*arguments), times, strict=True):
            frame.pts = round(Fraction(time, 25) / frame.time_base)
            yield frame

    monkeypatch.setattr(decoding, "frames", other)
    assert shown(Footage.of(path)) == list(range(6))


def test_pictures_without_times(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = filmed(tmp_path / "clip.mp4", levels(6))
    decoded = decoding.frames

    def other(*arguments: Any) -> Iterator[Any]:
        for frame in decoded(*arguments):
            frame.pts = None
            yield frame

    monkeypatch.setattr(decoding, "frames", other)
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
    decoded = decoding.frames

    def other(*arguments: Any) -> Iterator[Any]:
        first, *_ = decoded(*arguments)
        first.pts, first.time_base = 0, Fraction(1, 25)
        tall = av.VideoFrame.from_ndarray(np.full((64, 32, 3), 255, np.uint8), "rgb24")
        tall.pts, tall.time_base = 1, Fraction(1, 25)
        yield from (first, tall)

    monkeypatch.setattr(decoding, "frames", other)
    _, second = Footage.of(path)
    assert second.size == (64, 96)
    assert second.pixels[:, :, :30].max() == second.pixels[:, :, 66:].max() == 0
    assert second.pixels[:, :, 34:62].min() == 1
