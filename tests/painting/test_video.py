"""Time-lapses, decoded again."""

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from av.codec.codec import UnknownCodecError
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageSequence

from limner import geometry
from limner.errors import UserError
from limner.painting.films import animations, gif, time_lapse, video, webp
from limner.painting.films.clip import Clip
from limner.painting.films.kinds import KINDS
from limner.painting.options import PaintOptions
from limner.painting.painting import Painting
from limner.painting.raster import on_white
from limner.painting.saving import told
from limner.painting.scoring import psnr
from limner.strokes import Strokes
from limner.templates import TemplateBank


def painting(moves: int = 30, background: torch.Tensor | None = None, size: tuple[int, int] = (33, 45)) -> Painting:
    where = geometry.phi(torch.rand(moves, 2) - 0.5, 0.1 + 0.4 * torch.rand(moves, 2), torch.rand(moves) * 6)
    strokes = Strokes(where[None], torch.ones(1, moves, 1), torch.rand(1, moves, 3))
    return Painting(strokes, TemplateBank.named("circle", size=64), background, size)


WHITE = torch.ones(3)


@given(strokes=st.integers(0, 5000), frames=st.integers(1, 300))
def test_moments_are_bounded_and_rise_to_the_end(strokes: int, frames: int) -> None:
    counts = time_lapse.moments(strokes, frames)
    assert len(counts) == min(frames, strokes + 1)
    assert counts[-1] == strokes
    steps = np.diff(counts)
    assert (steps > 0).all()
    if len(counts) > 1:
        assert counts[0] == 0
        assert steps[: len(steps) // 2].sum() <= steps[len(steps) // 2 :].sum()


def frames_of(path: Path) -> list[np.ndarray]:
    """What a player shows that knows no alpha."""
    with av.open(str(path)) as file:
        return [frame.to_ndarray(format="rgb24") for frame in file.decode(video=0)]


def clear_frames_of(path: Path) -> list[np.ndarray]:
    """What a player has that knows the alpha of VP9."""
    decoder = av.CodecContext.create("libvpx-vp9", "r")
    with av.open(str(path)) as file:
        return [rgba(frame) for packet in file.demux(video=0) for frame in decoder.decode(packet)]


def rgba(frame: av.VideoFrame) -> np.ndarray:
    """Read plane by plane: at some widths FFmpeg converts alpha wrongly."""
    plane = frame.planes[3]
    alpha = np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)[:, : plane.width, None]
    return np.concatenate([frame.to_ndarray(format="rgb24"), alpha], 2)


def gray(frame: np.ndarray) -> np.ndarray:
    """The brightness, which a film keeps at its full resolution."""
    return np.asarray(Image.fromarray(frame).convert("L"))


def decibels(a: np.ndarray, b: np.ndarray) -> float:
    return psnr(torch.from_numpy(a.copy()) / 255, torch.from_numpy(b.copy()) / 255)


@pytest.mark.parametrize("suffix", [".mp4", ".webm"])
@pytest.mark.parametrize("background", [WHITE * 0.3, None], ids=["opaque", "transparent"])
def test_film(suffix: str, background: torch.Tensor | None, tmp_path: Path) -> None:
    one = painting(background=background)
    one.save(tmp_path / f"film{suffix}", longer_side=90)
    frames = frames_of(tmp_path / f"film{suffix}")
    if background is None and suffix == ".webm":
        frames = [on_white(torch.from_numpy(frame)).numpy() for frame in clear_frames_of(tmp_path / "film.webm")]
    rate = 4  # 31 pictures in about eight seconds
    assert len(frames) == 31 + 2 * rate
    assert frames[0].shape == (66, 90, 3)
    assert decibels(gray(frames[-1]), gray(on_white(one.render(66, 90)).numpy())) > 32
    assert decibels(frames[-1], on_white(one.render(66, 90)).numpy()) > 26  # colours at half the resolution
    assert decibels(frames[-1], frames[30]) > 40
    assert decibels(frames[-1], frames[15]) < 25
    with av.open(str(tmp_path / f"film{suffix}")) as file:
        assert file.streams.video[0].average_rate == rate
        assert file.streams.video[0].codec_context.name in ("h264", "vp9", "libvpx-vp9")


@pytest.mark.parametrize("suffix", [".mp4", ".webm"])
@pytest.mark.parametrize("level", [0.0, 1.0])
def test_white_and_black_are_so_in_a_film(suffix: str, level: float, tmp_path: Path) -> None:
    painting(0, WHITE * level, (64, 96)).save(tmp_path / f"film{suffix}")
    for frame in frames_of(tmp_path / f"film{suffix}"):
        assert np.abs(frame - 255 * level).max() <= 1


@pytest.mark.parametrize("suffix", [".mp4", ".webm"])
def test_players_are_told_of_colours_and_can_seek(suffix: str, tmp_path: Path) -> None:
    Clip([painting(5, WHITE)] * 200, Fraction(25)).save(tmp_path / f"film{suffix}", longer_side=32)
    with av.open(str(tmp_path / f"film{suffix}")) as file:
        keys = []
        for number, frame in enumerate(file.decode(video=0)):
            assert (frame.colorspace, frame.color_range) == (1, 1)
            assert (frame.color_primaries, frame.color_trc) == (1, 1)
            keys += [number] if frame.key_frame else []
    assert max(np.diff([*keys, 200])) <= 60
    assert suffix == ".webm" or b"colr" in (tmp_path / "film.mp4").read_bytes()


@pytest.mark.parametrize("suffix", [".mp4", ".webm"])
def test_number_of_frames_is_bounded_and_sides_are_even(suffix: str, tmp_path: Path) -> None:
    one = painting(moves=700, background=WHITE, size=(17, 19))
    one.save(tmp_path / f"film{suffix}")
    frames = frames_of(tmp_path / f"film{suffix}")
    assert len(frames) == 240 + 60
    assert frames[0].shape == (16, 18, 3)


@pytest.mark.parametrize("suffix", [".gif", ".film.webp", ".mp4", ".webm"])
def test_films_of_one_painting_are_the_same_bytes(suffix: str, tmp_path: Path) -> None:
    one = painting(moves=100, background=WHITE, size=(222, 320))
    path = tmp_path / f"film{suffix}"
    found = set()
    for _ in range(6):
        one.save(path, seconds=3.0)
        found.add(path.read_bytes())
    assert len(found) == 1


def test_folders_with_a_colon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("12:30").mkdir()
    frames = [torch.zeros(16, 16, 3, dtype=torch.uint8)]
    video.save_film(Path("12:30/film.mp4"), Fraction(4), frames, (16, 16), clear=False)
    assert len(frames_of(Path("12:30/film.mp4").absolute())) == 1 + 2 * 4


def test_faults_of_the_encoder_name_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise av.error.InvalidDataError(1094995529, "Invalid data found")

    monkeypatch.setattr(av, "open", fail)
    with pytest.raises(UserError, match=r"film\.mp4: cannot be written: Invalid data found"):
        painting(background=WHITE).save(tmp_path / "film.mp4")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("opacity", [0.6, 1.0])
def test_webm_has_alpha(opacity: float, tmp_path: Path) -> None:
    one = painting(moves=12)
    one = replace(one, strokes=replace(one.strokes, opacity=torch.full((1, 12), opacity)))
    one.save(tmp_path / "film.webm", longer_side=180)
    first, *_, last = clear_frames_of(tmp_path / "film.webm")
    size = last.shape[:2]
    wanted = one.render(*size).numpy()
    assert (first[..., 3] == 0).all()
    assert (first[..., :3] > 250).all()
    assert decibels(last[..., 3], wanted[..., 3]) > 30
    on_gray, expected = (
        image[..., 3:] / 255 * image[..., :3] + (1 - image[..., 3:] / 255) * 99 for image in (last, wanted)
    )
    assert decibels(gray(on_gray.astype(np.uint8)), gray(expected.astype(np.uint8))) > 30


@pytest.mark.parametrize("suffix", [".gif", ".film.webp", ".mp4", ".webm"])
@pytest.mark.parametrize(("seconds", "moves"), [(0.5, 40), (3.0, 40), (12.5, 500), (20.0, 7), (30.0, 1)])
def test_films_last_as_long_as_asked_for(seconds: float, moves: int, suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"film{suffix}"
    painting(moves, WHITE).save(path, seconds=seconds)
    if suffix in (".gif", ".film.webp"):
        spans = [span / 1000 for span in animations.durations(path)]
        assert sum(spans) == pytest.approx(seconds + 2, abs=0.02)
        assert len(spans) <= KINDS[suffix].rate * seconds + 1
        return
    with av.open(str(path)) as file:
        frames = [*file.decode(video=0)]
        times = [float(frame.time) for frame in frames]
    steps = np.diff(times)
    assert steps == pytest.approx(steps.mean(), abs=2e-3)
    assert 1 / 30.1 <= steps.mean() <= 1 / 3.9
    last = gray(frames[-1].to_ndarray(format="rgb24"))
    grown = next(
        time
        for time, frame in zip(times, frames, strict=True)
        if decibels(gray(frame.to_ndarray(format="rgb24")), last) > 36
    )
    assert grown == pytest.approx(seconds, abs=seconds / moves + 0.05)
    assert times[-1] + steps.mean() == pytest.approx(seconds + 2, abs=0.3)


def test_long_gifs_have_fewer_frames_where_they_are_large() -> None:
    numbers = [len(time_lapse.timing(5000, ".gif", 60.0, side**2)[0]) for side in (400, 1000, 8000)]
    assert numbers == [900, 268, 120]
    assert len(time_lapse.timing(5000, ".mp4", 60.0, 2000**2)[0]) == 1800
    numbers = [len(time_lapse.timing(5000, ".film.webp", 60.0, side**2)[0]) for side in (200, 400, 2000)]
    assert numbers == [1800, 838, 120]


@pytest.mark.parametrize("suffix", [".gif", ".film.webp", ".mp4"])
def test_the_shortest_film_shows_the_ground_and_the_painting(suffix: str) -> None:
    counts, rate = time_lapse.timing(5, suffix, 1e-4, 100)
    assert (counts, rate) == ([0, 5], KINDS[suffix].rate)


@pytest.mark.parametrize("seconds", [0.0, -1.0, 61.0, float("nan")])
def test_no_film_lasts_so_long(seconds: float, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=f"seconds: {seconds!r} is not a number above 0 and up to 60"):
        painting().save(tmp_path / "film.gif", seconds=seconds)
    assert list(tmp_path.iterdir()) == []


def test_gif(tmp_path: Path) -> None:
    one = painting(background=WHITE * 0.3)
    one.save(tmp_path / "film.gif")
    with Image.open(tmp_path / "film.gif") as file:
        frames = [np.asarray(frame.convert("RGB")) for frame in ImageSequence.Iterator(file)]
        durations = [frame.info["duration"] for frame in ImageSequence.Iterator(file)]
        assert file.info["loop"] == 0
    assert len(frames) <= 31
    assert sum(durations) == 30 * 250 + 2000
    assert durations[-1] >= 2000
    assert (np.abs(frames[0] - np.float64(0.3 * 255)) < 4).all()
    assert decibels(frames[-1], one.render(33, 45).numpy()) > 35


def test_a_gif_has_the_nearest_colours_and_white_stays_white(tmp_path: Path) -> None:
    strokes = replace(painting(3).strokes, what=torch.zeros(1, 3, 3))
    one = replace(painting(background=torch.ones(3)), strokes=strokes)
    one.save(tmp_path / "film.gif")
    with Image.open(tmp_path / "film.gif") as file:
        file.seek(file.n_frames - 1)
        shown = np.asarray(file.convert("RGB"))
    wanted = one.render(33, 45).numpy()
    assert (wanted == 255).mean() > 0.5
    assert (shown[wanted == 255] == 255).all()


def test_colours_have_the_nearest_entry_of_a_palette() -> None:
    drawn = torch.Generator().manual_seed(0)
    entries, colours = (torch.randint(256, shape, generator=drawn) for shape in ((255, 3), (40, 50, 3)))
    palette = Image.new("P", (1, 1))
    palette.putpalette([*entries.flatten().tolist(), 0, 0, 0])
    distances = (colours[:, :, None] - entries).square().sum(-1)
    found = gif._nearest(palette)(colours.to(torch.uint8))
    assert torch.equal(distances.gather(2, found.long()[..., None])[..., 0], distances.amin(2))


def test_transparent_gif(tmp_path: Path) -> None:
    one = painting(moves=6)
    one.save(tmp_path / "film.gif")
    with Image.open(tmp_path / "film.gif") as file:
        frames = [np.asarray(frame.convert("RGBA")) for frame in ImageSequence.Iterator(file)]
    assert not frames[0][..., 3].any()
    truth = one.render(33, 45).numpy()
    shown, alpha = frames[-1][..., 3] > 0, truth[..., 3]
    assert shown[alpha == 255].all()
    assert not shown[alpha == 0].any()
    assert shown.sum() > 100
    assert decibels(frames[-1][shown][:, :3], truth[shown][:, :3]) > 35


@pytest.mark.parametrize("covered", [False, True], ids=["clear at first", "covered at first"])
def test_what_was_shown_before_is_gone_where_a_clip_is_clear(covered: bool, tmp_path: Path) -> None:
    one = painting(moves=1)
    places = torch.tensor([[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5]])
    where = [geometry.phi(place, torch.tensor([0.3, 0.3]), torch.tensor(0.0)) for place in places]
    if covered:
        where[0] = torch.tensor([[0.1, 0, 0], [0, 0.1, 0]])
    clip = Clip([replace(one, strokes=replace(one.strokes, where=each[None, None])) for each in where], Fraction(5))
    clip.save(tmp_path / "clip.gif")
    with Image.open(tmp_path / "clip.gif") as file:
        frames = [np.asarray(frame.convert("RGBA")) for frame in ImageSequence.Iterator(file)]
    assert len(frames) == 3
    for frame, each in zip(frames, clip.paintings, strict=True):
        alpha = each.render(*each.size).numpy()[..., 3]
        assert (frame[alpha == 255][:, 3] == 255).all()
        assert not frame[alpha == 0][:, 3].any()


@pytest.mark.parametrize("opacity", [0.06, 0.25, 0.5, 0.8])
def test_a_gif_shows_half_alpha_as_a_share_of_pixels(opacity: float, tmp_path: Path) -> None:
    one = painting(moves=3)
    everywhere = torch.tensor([[0.1, 0, 0], [0, 0.1, 0]]).expand(1, 3, 2, 3)
    red = torch.tensor([1.0, 0, 0]).expand(1, 3, 3)
    layers = torch.tensor([opacity, 0, 0]).expand(1, 3)
    one = replace(one, strokes=Strokes(everywhere, one.strokes.which, red, layers), size=(64, 80))
    one.save(tmp_path / "film.gif")
    with Image.open(tmp_path / "film.gif") as file:
        frames = [np.asarray(frame.convert("RGBA")) for frame in ImageSequence.Iterator(file)]
    shown = frames[-1][..., 3] > 0
    assert abs(shown.mean() - opacity) <= 1 / 32
    assert (np.abs(shown.reshape(16, 4, 20, 4).mean((1, 3)) - opacity) <= 1 / 32).all()
    assert np.abs(frames[-1][shown][:, :3] - np.array([255, 0, 0])).max() <= 2
    assert all(np.array_equal(frame[..., 3] > 0, shown) for frame in frames[1:])


@pytest.mark.parametrize("opacity", [None, 0.6])
def test_what_a_clear_film_has_shown_stays(opacity: float | None, tmp_path: Path) -> None:
    """So that frames hold what is new, and need not be taken away."""
    one = painting(moves=12, size=(60, 80))
    layers = None if opacity is None else torch.full((1, 12), opacity)
    replace(one, strokes=replace(one.strokes, opacity=layers)).save(tmp_path / "film.gif")
    with Image.open(tmp_path / "film.gif") as file:
        shown = [np.asarray(frame.convert("RGBA"))[..., 3] > 0 for frame in ImageSequence.Iterator(file)]
        assert file.disposal_method == 0  # pyright: ignore[reportAttributeAccessIssue]
    assert not any((before & ~after).any() for before, after in pairwise(shown))


@pytest.mark.parametrize("side", [0, 255], ids=["clear", "opaque"])
def test_beside_what_is_half_covered_there_is_no_hard_edge(side: int) -> None:
    image = torch.full((16, 40, 4), 255, dtype=torch.uint8)
    image[:, :20, 3], image[:, 20:, 3] = side, 128
    shares = gif._least(image).view(4, 4, 10, 4)
    assert all(len(square.unique()) == 16 for square in shares.movedim(1, 2).flatten(0, 1))
    image[:, 20:, 3] = 255 - side
    assert (gif._least(image)[:, 14:26] == 127.5).all()


def test_hard_edges_stay_whole_in_a_gif(tmp_path: Path) -> None:
    one = painting(moves=1)
    where = geometry.phi(torch.zeros(2), torch.tensor([0.7, 0.4]), torch.tensor(0.4), 4 / 3)[None, None]
    one = replace(one, strokes=replace(one.strokes, where=where, opacity=None), size=(150, 200))
    one.save(tmp_path / "film.gif")
    with Image.open(tmp_path / "film.gif") as file:
        *_, last = (np.asarray(frame.convert("RGBA"))[..., 3] > 0 for frame in ImageSequence.Iterator(file))
    assert np.array_equal(last, one.render(150, 200).numpy()[..., 3] >= 128)


def test_every_picture_of_a_clip_has_its_own_hard_edges_in_a_gif(tmp_path: Path) -> None:
    one = painting(moves=1, size=(60, 80))
    places = torch.tensor([[-0.5, -0.3], [0.4, 0.2]])
    where = [geometry.phi(place, torch.tensor([0.4, 0.3]), torch.tensor(0.4)) for place in places]
    clip = Clip([replace(one, strokes=replace(one.strokes, where=each[None, None])) for each in where], Fraction(5))
    clip.save(tmp_path / "clip.gif")
    with Image.open(tmp_path / "clip.gif") as file:
        shown = [np.asarray(frame.convert("RGBA"))[..., 3] > 0 for frame in ImageSequence.Iterator(file)]
    for frame, each in zip(shown, clip.paintings, strict=True):
        assert np.array_equal(frame, each.render(60, 80).numpy()[..., 3] >= 128)


def test_gif_is_bounded(tmp_path: Path) -> None:
    painting(moves=400, background=WHITE, size=(300, 960)).save(tmp_path / "film.gif")
    with Image.open(tmp_path / "film.gif") as file:
        assert file.size == (480, 150)
        assert getattr(file, "n_frames", 1) <= 120
        total = sum(frame.info["duration"] for frame in ImageSequence.Iterator(file))
    assert 8000 <= total <= 12_000


@pytest.mark.parametrize("background", [None, WHITE * 0.3], ids=["clear", "gray"])
def test_webp(background: torch.Tensor | None, tmp_path: Path) -> None:
    one = painting(background=background)
    one.save(tmp_path / "film.film.webp", longer_side=180)
    height, width = one.saved_size(Path("a.film.webp"), 180)
    with Image.open(tmp_path / "film.film.webp") as file:
        assert (file.size, file.info["loop"]) == ((width, height), 0)
        mode = "RGB" if background is not None else "RGBA"
        frames = [np.asarray(frame.convert(mode)) for frame in ImageSequence.Iterator(file)]
    assert len(frames) == 31
    wanted = [*one.stages(range(31), (height, width))]
    for k in (0, 7, 30):
        found, true = (frames[k].astype(float), wanted[k].numpy().astype(float))
        if background is None:
            assert decibels(frames[k][..., 3], wanted[k].numpy()[..., 3]) > 38
            found, true = (image[..., 3:] / 255 * image[..., :3] for image in (found, true))
        assert decibels(found, true) > 30


@pytest.mark.parametrize("clear", [False, True])
def test_what_changes_slowly_is_seen_in_a_webp(clear: bool, tmp_path: Path) -> None:
    """While something else changes fast; the first half of what does slowly is at half the alpha, if any."""
    frames = torch.full((40, 64, 96, 4 if clear else 3), 20, dtype=torch.uint8)
    frames[..., -1] = 255 if clear else 20
    for step in (1, 2, 3, 5):
        frames[:, :48, :, :3] = (20 + step * torch.arange(40, dtype=torch.uint8))[:, None, None, None]
        frames[::2, 48:, :, :3] = 200
        if clear:
            frames[:, :24, :, 3] = 128
        webp.save_webp(tmp_path / "a.webp", Fraction(30), frames, 2)
        with Image.open(tmp_path / "a.webp") as file:
            images = [np.asarray(frame.convert("RGBA"), int) for frame in ImageSequence.Iterator(file)]
        assert len(images) == 40
        for k in (20, 39):
            wanted = 20 + step * k
            assert np.abs(images[k][8:16, 8:-8, :3] - wanted).max() <= (10 if clear else 6), (step, k)
            assert np.abs(images[k][32:40, 8:-8, :3] - wanted).max() <= 6, (step, k)


def test_a_clip_as_webp(tmp_path: Path) -> None:
    clip = Clip([painting(moves=3, background=WHITE * share) for share in (0.2, 0.6, 1.0, 0.4)], Fraction(100))
    clip.save(tmp_path / "clip.Film.WebP")
    assert animations.durations(tmp_path / "clip.Film.WebP") == [20, 20]
    with Image.open(tmp_path / "clip.Film.WebP") as file:
        frames = [np.asarray(frame.convert("RGB")) for frame in ImageSequence.Iterator(file)]
    for frame, each in zip(frames, clip.paintings[::2], strict=True):
        assert decibels(frame, each.render(*each.size).numpy()) > 30


def test_a_webp_that_moves_is_bounded_and_not_scored(tmp_path: Path) -> None:
    one = painting(background=WHITE, size=(800, 1000))
    assert one.saved_size(Path("a.film.webp"), None) == (576, 720)
    assert one.saved_size(Path("a.webp"), None) == (800, 1000)
    with pytest.raises(UserError, match="2000 x 1600 pixels are too many for a WebP that moves: choose a smaller"):
        one.save(tmp_path / "a.film.webp", 2000)
    with pytest.raises(UserError, match=r"a\.film\.webp: is a film"):
        one.psnr_of(tmp_path / "a.film.webp")
    assert list(tmp_path.iterdir()) == []
    known = one.against(torch.rand(3, 800, 1000))
    assert told(known, tmp_path / "a.film.webp", PaintOptions(photos=("a.png",))) == ["30 strokes"]


@pytest.mark.parametrize("suffix", [".gif", ".mp4", ".webm"])
def test_no_strokes_are_one_picture(suffix: str, tmp_path: Path) -> None:
    painting(moves=0, background=WHITE * 0.5).save(tmp_path / f"film{suffix}")
    frames = frames_of(tmp_path / f"film{suffix}")
    assert (np.abs(frames[-1] - np.float64(0.5 * 255)) < 4).all()


def missing(*names: str):
    """PyAV's Codec where these encoders were left out."""

    def codec(name: str, mode: str) -> object:
        if name in names:
            raise UnknownCodecError(name)
        return av.Codec(name, mode)

    return codec


def test_mp4_without_x264(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(video, "Codec", missing("libx264"))
    one = painting(background=WHITE)
    one.save(tmp_path / "film.mp4", longer_side=90)
    with av.open(str(tmp_path / "film.mp4")) as file:
        assert file.streams.video[0].codec_context.name == "mpeg4"
    assert decibels(frames_of(tmp_path / "film.mp4")[-1], one.render(66, 90).numpy()) > 25


def test_no_encoder_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(video, "Codec", missing("libvpx-vp9", "libvpx"))
    with pytest.raises(UserError, match=r"none of the encoders libvpx-vp9, libvpx here: choose \.gif"):
        painting().save(tmp_path / "film.webm")
    assert list(tmp_path.iterdir()) == []


def test_depth_orders_the_film(tmp_path: Path) -> None:
    one = painting(background=WHITE)
    deep = replace(one, strokes=replace(one.strokes, depth=torch.randperm(30).float()[None]))
    deep.save(tmp_path / "film.gif")
    with Image.open(tmp_path / "film.gif") as file:
        *_, last = (np.asarray(frame.convert("RGB")) for frame in ImageSequence.Iterator(file))
    assert decibels(last, deep.render(33, 45).numpy()) > 35


@pytest.mark.parametrize("suffix", [".gif", ".mp4"])
def test_gray_film(suffix: str, tmp_path: Path) -> None:
    one = painting()
    one = replace(one, strokes=replace(one.strokes, what=one.strokes.what[..., :1]), background=torch.zeros(1))
    one.save(tmp_path / f"film{suffix}", longer_side=90)
    frames = frames_of(tmp_path / f"film{suffix}")
    height, width = frames[-1].shape[:2]
    assert decibels(frames[-1], on_white(one.render(height, width)).numpy()) > 30


def test_a_transparent_clip_may_have_opaque_pictures(tmp_path: Path) -> None:
    clear, red = painting(moves=0), painting(moves=0, background=torch.tensor([1.0, 0, 0]))
    black = replace(red, strokes=replace(red.strokes, what=torch.zeros(1, 0, 1)), background=torch.zeros(1))
    Clip([clear, red, black], Fraction(5)).save(tmp_path / "clip.webm")
    frames = clear_frames_of(tmp_path / "clip.webm")
    assert [frame[..., 3].min() for frame in frames] == [0, 255, 255]
    assert [frame[..., :3].mean((0, 1)).round(-1).tolist() for frame in frames[1:]] == [[250, 0, 0], [0, 0, 0]]
