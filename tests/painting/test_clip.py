"""Clips: what is read of a file, how strokes go from picture to picture, and what is written."""

import math
import struct
from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

import av
import numpy as np
import pytest
import torch
from av.audio.stream import AudioStream
from av.video.reformatter import Colorspace
from PIL import Image, ImageSequence
from torch import Tensor

import limner
from limner.cli import main
from limner.errors import UserError
from limner.painting.following import shift
from limner.painting.footage import Footage
from limner.painting.painting import psnr
from limner.painting.pictures import fitted, read_picture

pytestmark = pytest.mark.usefixtures("quick")

QUARTERS = np.kron([[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [255, 255, 255]]], np.ones((32, 48, 1))).astype(np.uint8)
"""Red and green over blue and white, 64 x 96 pixels."""


def photo() -> Tensor:
    """A photograph, 120 pixels wide."""
    return fitted(read_picture(Path(__file__).parents[2] / "examples/photo.jpg"), (90, 120)).pixels


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


@pytest.mark.parametrize(("across", "down"), [(0, 0), (5, 0), (-3, 7), (20, -11)])
def test_shift_of_a_picture(across: int, down: int) -> None:
    wide = photo()
    before, after = wide[:, 15:75, 25:105], wide[:, 15 - down : 75 - down, 25 - across : 105 - across]
    assert shift(before, after) == (across, down)


def test_shift_of_what_is_flat() -> None:
    assert shift(torch.zeros(3, 9, 9), torch.ones(3, 9, 9)) == (0, 0)


def paintings(clip: "limner.Clip", pictures: list[Tensor]) -> Iterator[Tensor]:
    for painting, picture in zip(clip.paintings, pictures, strict=True):
        yield painting.against(picture).render(*picture.shape[1:]).movedim(-1, 0) / 255


@pytest.mark.parametrize(("step", "calmer"), [(1, 0.5), (6, -0.5)])
def test_a_clip_is_as_good_as_pictures_painted_alone_and_calmer_where_it_is(step: int, calmer: float) -> None:
    pictures = panned(5, step)
    clip = limner.paint_clip(pictures, 40)
    assert [len(painting.strokes) for painting in clip.paintings] == [40] * 5
    found = list(paintings(clip, pictures))
    alone = [limner.paint(picture, 40, seed=k).canvas[0] for k, picture in enumerate(pictures)]

    def score(images: list[Tensor], wanted: list[Tensor]) -> float:
        return float(np.mean([psnr(a, b) for a, b in zip(images, wanted, strict=True)]))

    def changes(images: list[Tensor]) -> list[Tensor]:
        return [after - before for before, after in pairwise(images)]

    assert score(found, pictures) > score(alone, pictures) - 0.5
    assert score(changes(found), changes(pictures)) > score(changes(alone), changes(pictures)) + calmer


def test_a_still_clip_stands_still() -> None:
    clip = limner.paint_clip([photo()] * 3, 20)
    first, *others = (painting.strokes.where for painting in clip.paintings)
    assert all(torch.equal(first, other) for other in others)


def test_strokes_move_more_where_the_picture_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    from limner.painting import following

    moving: list[int] = []
    work = following.work

    def noted(moves: Any, goal: Any, count: int, seed: int, plan: Any, clock: Any) -> Any:
        moving.append(plan.moving)
        return work(moves, goal, count, seed, plan, clock)

    monkeypatch.setattr(following, "work", noted)
    calm, late = photo(), photo()
    calm[:, :2, :2] = 0.5
    late[:, 20:50, 20:60] = late[:, 20:50, 20:60].flip(-1)
    limner.paint_clip([photo(), calm], 60)
    limner.paint_clip([photo(), late], 60)
    _, little, _, much = moving
    assert little < 2 < much <= 8


def test_a_cut_is_painted_anew() -> None:
    other = torch.stack([photo()[0].flip(0), photo()[1].flip(1), 1 - photo()[2]])
    clip = limner.paint_clip([photo(), other, other], 20, seed=7)
    for k, (painting, picture) in enumerate(zip(clip.paintings, [photo(), other], strict=False)):
        alone = limner.paint(picture, 20, seed=7 + k)
        assert torch.equal(painting.strokes.where, alone.strokes.where)
        assert torch.equal(painting.strokes.what, alone.strokes.what)
    assert clip.paintings[2].strokes.where.equal(clip.paintings[1].strokes.where)


def test_same_seed_same_clip() -> None:
    runs = [limner.paint_clip(panned(3, 4), 15, seed=seed) for seed in (3, 3, 4)]
    ends = [run.paintings[-1].strokes.where for run in runs]
    assert torch.equal(ends[0], ends[1])
    assert not torch.equal(ends[0], ends[2])


@pytest.mark.parametrize(
    "options",
    [
        {"opacity": "opaque", "fill": "gradient"},
        {"palette": ["red", "#00f"], "templates": ["square", "line"]},
        {"background": "transparent", "keep_proportions": True},
        {"opacity": 0.5, "min_size": 0.1, "max_size": 0.3, "upright": True},
    ],
    ids=lambda options: "-".join(options),
)
def test_options_hold_in_every_picture(options: dict[str, Any]) -> None:
    clip = limner.paint_clip(panned(3, 4), 12, size=32, **options)
    assert len(clip.paintings) == 3
    for painting in clip.paintings:
        strokes, size = painting.strokes, painting.size
        assert len(strokes) == 12
        assert size == (32, 32)
        assert painting.shown_size == (64, 64)
        if options.get("opacity") == "opaque":
            assert strokes.opacity is None
            assert strokes.slope is not None
        if options.get("opacity") == 0.5:
            assert strokes.opacity is not None
            assert torch.equal(strokes.opacity, torch.full((1, 12), 0.5))
            half = 1 / torch.linalg.svdvals(strokes.where[0, :, :, :2])  # of a square canvas
            assert half.min() > 0.1 * 0.999
            assert half.max() < 0.3 * 1.001
        if "palette" in options:
            assert {tuple(colour) for colour in strokes.what[0].tolist()} <= {(1, 0, 0), (0, 0, 1)}
        assert (painting.background is None) == ("background" in options)


def test_importance_holds_in_every_picture() -> None:
    mask = torch.zeros(64, 64)
    mask[:, :32] = 1
    pictures = panned(4, 2)
    plain, steered = (limner.paint_clip(pictures, 25, importance=each) for each in (None, mask))
    for before, after, picture in zip(paintings(plain, pictures), paintings(steered, pictures), pictures, strict=True):
        assert psnr(after[..., :32], picture[..., :32]) > psnr(before[..., :32], picture[..., :32])


def test_pictures_of_all_kinds_in_one_clip() -> None:
    one = photo()
    kinds = [
        one.mean(0),
        one,
        torch.cat([one, torch.full((1, 90, 120), 0.5)]),
        (one * 255).byte().movedim(0, -1).numpy(),
    ]
    clip = limner.paint_clip(iter(kinds), 2, rate=12.5)
    assert clip.rate == Fraction(25, 2)
    assert {painting.strokes.what.shape[-1] for painting in clip.paintings} == {3}
    assert all(painting.background is not None for painting in clip.paintings)
    clear = limner.paint_clip([kinds[2], one], 2)
    assert [painting.background for painting in clear.paintings] == [None, None]
    assert [len(painting.strokes) for painting in limner.paint_clip([one, one.flip(-1)], 0).paintings] == [0, 0]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"stop_psnr": 30}, "stop_psnr cannot be asked of a clip"),
        ({"time": 3}, "time cannot be asked of a clip"),
        ({"model": "mnist"}, "model cannot be asked of a clip"),
        ({"rate": 0.0}, "rate: 0.0 is not a number above 0"),
        ({"min_size": -1.0}, "min_size: -1.0 is not a number above 0"),
    ],
)
def test_arguments_that_make_no_sense(options: dict[str, Any], words: str) -> None:
    with pytest.raises(UserError, match=words):
        limner.paint_clip([photo()], 3, **options)


def test_clips_that_are_none() -> None:
    with pytest.raises(UserError, match="clip: holds no picture"):
        limner.paint_clip([], 3)
    with pytest.raises(UserError, match="clip: picture 1: is 90 x 120 pixels, the first 120 x 90"):
        limner.paint_clip([photo(), photo().mT], 3)
    with pytest.raises(TypeError, match="colour"):
        limner.paint_clip([photo()], 3, colour="red")


@pytest.mark.parametrize("suffix", [".mp4", ".webm", ".gif"])
def test_a_saved_clip_is_as_long_as_its_original(suffix: str, tmp_path: Path) -> None:
    clip = limner.paint_clip(panned(7, 6), 20, rate=10.0)
    path = tmp_path / f"painted{suffix}"
    clip.save(path, 128)
    if suffix == ".gif":
        with Image.open(path) as file:
            frames = [np.asarray(frame.convert("RGB")) for frame in ImageSequence.Iterator(file)]
            assert sum(frame.info["duration"] for frame in ImageSequence.Iterator(file)) == 700
    else:
        frames = seen(path)
        with av.open(str(path)) as file:
            assert file.streams.video[0].average_rate == 10
    assert len(frames) == 7
    for frame, painting in zip(frames, clip.paintings, strict=True):
        shown = torch.from_numpy(frame.copy()) / 255
        assert psnr(shown, painting.render(128, 128) / 255) > 25


def test_a_slow_clip_is_as_long_as_its_original(tmp_path: Path) -> None:
    limner.paint_clip(panned(3, 6), 5, rate=0.5).save(tmp_path / "slow.mp4")
    with av.open(str(tmp_path / "slow.mp4")) as file:
        stream = file.streams.video[0]
        assert stream.frames / (stream.average_rate or 1) == 6


def test_a_gif_of_a_fast_clip_shows_some_of_it(tmp_path: Path) -> None:
    limner.paint_clip(panned(9, 3), 5, rate=60.0).save(tmp_path / "fast.gif")
    with Image.open(tmp_path / "fast.gif") as file:
        frames = list(ImageSequence.Iterator(file))
        assert len(frames) == 3
        assert sum(frame.info["duration"] for frame in ImageSequence.Iterator(file)) == pytest.approx(150, abs=10)


def test_transparent_clips(tmp_path: Path) -> None:
    clip = limner.paint_clip([torch.cat([photo(), torch.zeros(1, 90, 120)])] * 2, 5)
    clip.save(tmp_path / "clear.webm")
    clip.save(tmp_path / "clear.mp4")
    assert seen(tmp_path / "clear.mp4")[0].mean() > 250


def test_frames_of_a_clip(tmp_path: Path) -> None:
    clip = limner.paint_clip(panned(3, 6), 10)
    assert clip.save_frames(tmp_path / "frames", 32) == 3
    for k, painting in enumerate(clip.paintings):
        frame = np.asarray(Image.open(tmp_path / f"frames/frame-{k:04}.png"))
        assert np.array_equal(frame, painting.render(32, 32).numpy())


@pytest.mark.parametrize("name", ["clip.png", "clip.json", "clip"])
def test_clips_are_saved_as_films(name: str, tmp_path: Path) -> None:
    clip = limner.paint_clip([photo()], 2)
    with pytest.raises(UserError, match=r"a clip is saved as \.gif, \.mp4, \.webm"):
        clip.save(tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_progress_goes_from_nothing_to_all() -> None:
    told: list[tuple[float, int]] = []
    limner.paint_clip(panned(4, 2), 10, progress=lambda progress: told.append((progress.done, progress.strokes)))
    shares = [share for share, _ in told]
    assert shares == sorted(shares)
    assert shares[0] < 0.1
    assert math.isclose(shares[-1], 1)


def test_an_interrupted_clip_keeps_the_pictures_that_are_done() -> None:
    def stop(progress: Any) -> None:
        if progress.done > 0.6:
            raise KeyboardInterrupt

    clip = limner.paint_clip(panned(4, 2), 10, progress=stop)
    assert len(clip.paintings) == 2
    with pytest.raises(KeyboardInterrupt):
        limner.paint_clip(panned(1, 2), 10, progress=stop)


def sounding(path: Path, codec: str = "aac", layout: str = "stereo", seconds: float = 1.2, late: int = 0) -> Path:
    """A clip whose tone rises; its pictures begin so many 25ths of a second after its sound."""
    with av.open(str(path), "w") as file:
        video = file.add_stream("libx264", rate=25)
        video.height, video.width, video.pix_fmt = 32, 32, "yuv420p"
        sound = cast(AudioStream, file.add_stream(codec, rate=48000))
        sound.layout = layout
        for k, frame in enumerate(levels(12)):
            one = av.VideoFrame.from_ndarray(frame, "rgb24")
            one.time_base, one.pts = Fraction(1, 25), k + late
            file.mux(video.encode(one))
        file.mux(video.encode())
        time = np.arange(round(48000 * seconds)) / 48000
        tone = (0.5 * np.sin(2 * np.pi * (300 + 300 * time) * time)).astype(np.float32)
        for first in range(0, len(tone), 960):
            part = tone[None, first : first + 960].repeat(1 if layout == "mono" else 2, 0)
            frame = av.AudioFrame.from_ndarray(part, "fltp", layout)
            frame.sample_rate, frame.time_base, frame.pts = 48000, Fraction(1, 48000), first
            file.mux(sound.encode(frame))
        file.mux(sound.encode())
    return path


def heard(path: Path) -> tuple[np.ndarray, int]:
    """The sound of a film, as one channel of 48,000 samples a second, and how many it has."""
    with av.open(str(path)) as file:
        mixed = av.AudioResampler("fltp", "mono", 48000)
        parts = [part.to_ndarray()[0] for frame in file.decode(audio=0) for part in mixed.resample(frame)]
        return np.concatenate(parts), file.streams.audio[0].layout.nb_channels


def lag(before: np.ndarray, after: np.ndarray) -> tuple[float, float]:
    """By how many seconds a sound comes later than another, and how far they are alike then (1: the same)."""
    count = min(len(before), len(after))
    first, second = before[:count], after[:count]
    alike = np.fft.irfft(np.fft.rfft(first, 2 * count).conj() * np.fft.rfft(second, 2 * count))
    place = int(alike.argmax())
    late = place - 2 * count if place > count else place
    return late / 48000, alike[place] / np.sqrt((first**2).sum() * (second**2).sum())


@pytest.mark.parametrize("suffix", [".mp4", ".webm"])
@pytest.mark.parametrize(("codec", "layout"), [("aac", "stereo"), ("libopus", "mono"), ("pcm_s16le", "stereo")])
def test_a_clip_keeps_its_sound(suffix: str, codec: str, layout: str, tmp_path: Path) -> None:
    path = sounding(tmp_path / "clip.mkv", codec, layout, seconds=0.48)
    limner.paint_clip(path, 2).save(tmp_path / f"painted{suffix}")
    (before, _), (after, channels) = heard(path), heard(tmp_path / f"painted{suffix}")
    late, alike = lag(before, after)
    assert abs(late) < 0.03
    assert alike > 0.95
    assert channels == (1 if layout == "mono" else 2)
    assert len(seen(tmp_path / f"painted{suffix}")) == 12


def test_sound_ends_with_the_pictures_and_begins_with_them(tmp_path: Path) -> None:
    path = sounding(tmp_path / "clip.mkv", late=10)
    clip = limner.paint_clip(path, 2)
    clip.save(tmp_path / "whole.webm")
    (before, _), (after, _) = heard(path), heard(tmp_path / "whole.webm")
    late, alike = lag(before[round(0.4 * 48000) :], after)
    assert abs(late) < 0.03
    assert alike > 0.95
    assert 0.45 < len(after) / 48000 < 0.56
    limner.Clip(clip.paintings[:5], clip.rate, clip.sound).save(tmp_path / "part.mp4")
    assert len(heard(tmp_path / "part.mp4")[0]) / 48000 < 0.27


def test_clips_without_sound(tmp_path: Path) -> None:
    path = sounding(tmp_path / "clip.mkv")
    clip = limner.paint_clip(path, 2)
    assert limner.paint_clip(path, 2, rate=10.0).sound is None
    assert limner.paint_clip(levels(3), 2).sound is None
    silent = limner.paint_clip(filmed(tmp_path / "silent.mp4", levels(3)), 2)
    path.unlink()
    for k, one in enumerate((clip, silent)):
        one.save(tmp_path / f"{k}.mp4")
        with av.open(str(tmp_path / f"{k}.mp4")) as file:
            assert not file.streams.audio
            assert len(file.streams.video) == 1


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with a clip of six pictures and a photograph."""
    monkeypatch.chdir(tmp_path)
    frames = [(picture * 255).byte().movedim(0, -1).contiguous().numpy() for picture in panned(6, 3)]
    filmed(tmp_path / "clip.mov", frames, rate=12)
    Image.fromarray(frames[0]).save(tmp_path / "photo.png")
    return tmp_path


def test_a_clip_on_the_command_line(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["paint", "clip.mov", "-n", "10", "--seed", "3"]) == 0
    assert capsys.readouterr().out == "clip-painted.mp4  6 pictures of 10 strokes\n"
    limner.paint_clip("clip.mov", 10, seed=3).save("same.mp4")
    assert (here / "same.mp4").read_bytes() == (here / "clip-painted.mp4").read_bytes()
    assert len(seen(here / "same.mp4")) == 6
    assert sorted(path.name for path in here.iterdir()) == ["clip-painted.mp4", "clip.mov", "photo.png", "same.mp4"]


def test_clips_and_pictures_together(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    line = ["paint", "clip.mov", "photo.png", "-n", "1", "-o", "out/", "--jobs", "2", "--frames", "frames"]
    assert main([*line, "--output-size", "32"]) == 0
    assert sorted(path.name for path in (here / "out").iterdir()) == ["clip.mp4", "photo.png"]
    assert sorted(path.name for path in (here / "frames/clip").iterdir()) == [f"frame-000{k}.png" for k in range(6)]
    assert "frames/clip  frames 0000 to 0005" in capfd.readouterr().out
    assert seen(here / "out/clip.mp4")[0].shape == (32, 32, 3)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("clip.mov -o painted.svg", "painted.svg: a clip becomes a film: choose .gif, .mp4, .webm, or --frames FOLDER"),
        ("clip.mov --time 3", "clip.mov: --time cannot be asked of a clip"),
        ("clip.mov --stop-psnr 30", "clip.mov: --stop-psnr cannot be asked of a clip"),
        ("clip.mov --film-seconds 3", "clip.mov: --film-seconds cannot be asked of a clip: its film is as long"),
        ("clip.mov -o clip.mov", 'clip.mov: ".mov" is no known suffix: choose one of'),
        ("clip.mp4 -o clip.mp4", "clip.mp4: would replace a file that is read"),
        ("photo.mp4", "photo.mp4: cannot be read as a clip"),
        ("clip.mov --importance wide.png", "wide.png: is 9 x 3 pixels, clip.mov 64 x 64: they must have the same"),
        ("clip.mov -n 3 --output-size 20000", "--output-size 20000"),
    ],
)
def test_what_cannot_be_done_with_a_clip(words: str, told: str, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "clip.mp4").write_bytes((here / "clip.mov").read_bytes())
    (here / "photo.mp4").write_bytes(b"no clip at all")
    Image.new("L", (9, 3), 255).save(here / "wide.png")
    before = sorted(here.iterdir())
    assert main(["paint", *words.split()]) == 2
    assert capsys.readouterr().err.startswith(f"limner: {told}")
    assert sorted(here.iterdir()) == before
