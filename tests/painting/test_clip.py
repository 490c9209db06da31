"""Clips: what is read of a file, how strokes go from picture to picture, and what is written."""

import math
import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import torch
from films import filmed, levels, panned, photo, seen
from PIL import Image, ImageSequence
from torch import Tensor

import limner
from limner.cli import main
from limner.errors import UserError
from limner.painting import outputs
from limner.painting.films import animations, following, video
from limner.painting.films.footage import Footage
from limner.painting.films.kinds import KINDS
from limner.painting.pictures import is_clip
from limner.painting.saving import amount
from limner.painting.scoring import psnr

pytestmark = pytest.mark.usefixtures("quick")


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


def other() -> Tensor:
    """What has nothing of the photograph."""
    return torch.stack([photo()[0].flip(0), photo()[1].flip(1), 1 - photo()[2]])


def test_a_cut_is_painted_anew() -> None:
    clip = limner.paint_clip([photo(), other(), other()], 20, seed=7)
    for k, (painting, picture) in enumerate(zip(clip.paintings, [photo(), other()], strict=False)):
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


@pytest.mark.parametrize("suffix", [".mp4", ".webm", ".gif", ".film.webp"])
def test_a_saved_clip_is_as_long_as_its_original(suffix: str, tmp_path: Path) -> None:
    clip = limner.paint_clip(panned(7, 6), 20, rate=10.0)
    path = tmp_path / f"painted{suffix}"
    clip.save(path, 128)
    if suffix in (".gif", ".film.webp"):
        with Image.open(path) as file:
            frames = [np.asarray(frame.convert("RGB")) for frame in ImageSequence.Iterator(file)]
        assert sum(animations.durations(path)) == 700
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
    assert repr(clip) == "Clip(2 pictures, 25 a second, interrupted)"
    assert not limner.paint_clip(panned(1, 2), 1).interrupted
    with pytest.raises(KeyboardInterrupt):
        limner.paint_clip(panned(1, 2), 10, progress=stop)


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


def test_animated_pictures_on_the_command_line(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    frames = [Image.fromarray(level) for level in levels(4)]
    for name in ("moves.gif", "moves.webp"):
        frames[0].save(here / name, save_all=True, append_images=frames[1:], duration=100, lossless=True)
    assert main(["paint", "moves.gif", "-n", "3", "-o", "a.mp4", "-o", "b.gif", "-q"]) == 0
    assert len(seen(here / "a.mp4")) == 4
    with Image.open(here / "b.gif") as file:
        assert getattr(file, "n_frames", 1) == 4
    assert main(["paint", "moves.webp", "-n", "3", "-o", "c.webm"]) == 0
    assert capsys.readouterr().out == "c.webm  4 pictures of 3 strokes\n"
    assert main(["paint", "moves.gif", "-n", "3", "-o", "c.film.webp", "-q"]) == 0
    with Image.open(here / "c.film.webp") as file:
        assert getattr(file, "n_frames", 1) == 4
    first = "moves.gif: only its first picture is painted"
    for asked in (["-o", "a.png"], ["-o", "a.png", "-o", "d.mp4"], ["-o", "d.mp4", "--film-seconds", "3"]):
        assert main(["paint", "moves.gif", "-n", "3", *asked]) == 0
        assert first in capsys.readouterr().err
    assert len(seen(here / "d.mp4")) > 4
    frames[0].save(here / "still.gif")
    assert main(["paint", "still.gif", "-n", "3", "-o", "e.mp4"]) == 0
    assert capsys.readouterr().err == ""


def test_clips_and_pictures_together(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    line = ["paint", "clip.mov", "photo.png", "-n", "1", "-o", "out/", "--jobs", "2", "--frames", "frames"]
    assert main([*line, "--output-size", "32"]) == 0
    assert sorted(path.name for path in (here / "out").iterdir()) == ["clip.mp4", "photo.png"]
    assert sorted(path.name for path in (here / "frames/clip").iterdir()) == [f"frame-000{k}.png" for k in range(6)]
    assert capfd.readouterr().out.count("frames/clip  frames 0000 to 0005") == 1
    with Image.open(here / "frames/clip/frame-0000.png") as frame:
        assert frame.size == (32, 32)
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


def test_a_clip_stays_transparent_after_a_cut() -> None:
    alpha = torch.zeros(1, 90, 120)
    alpha[:, :20, :20] = 1
    clip = limner.paint_clip([torch.cat([photo(), alpha]), other()], 2)
    assert [painting.background for painting in clip.paintings] == [None, None]


def test_what_is_transparent_in_an_opaque_clip_lies_on_white() -> None:
    _, second = limner.paint_clip([torch.ones(3, 32, 32), torch.zeros(4, 32, 32)], 1).paintings
    assert second.render(32, 32).float().mean() > 250


def test_a_clip_that_is_to_be_transparent_is_so_where_it_begins_covered() -> None:
    pictures = [torch.ones(3, 32, 32), torch.zeros(4, 32, 32)]
    first, second = limner.paint_clip(pictures, 1, background="transparent").paintings
    assert first.render(32, 32)[..., 3].float().mean() > 150
    assert second.render(32, 32)[..., 3].float().mean() < 5


def test_what_is_given_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    prepare, scenes = following.prepare, []

    def noted(*arguments: Any, **options: Any) -> Any:
        scenes.append(options)
        return prepare(*arguments, **options)

    monkeypatch.setattr(following, "prepare", noted)
    file = BytesIO()
    Image.new("L", (12, 9), 255).save(file, "PNG")
    file.seek(0)
    clip = limner.paint_clip([photo(), other()], 20, importance=file, templates=iter(["square"]))
    assert len(scenes) == 2
    assert clip.paintings[1].bank.names == ("square",)


def test_pictures_of_one_shape_get_the_size_of_the_first() -> None:
    small = torch.nn.functional.avg_pool2d(photo(), 2)
    clip = limner.paint_clip([photo(), small, photo()], 2)
    assert {painting.shown_size for painting in clip.paintings} == {(90, 120)}


@pytest.mark.parametrize("said", [4, 2])
def test_progress_of_a_file(said: int, tmp_path: Path) -> None:
    path = filmed(tmp_path / "clip.mp4", levels(4))
    done: list[float] = []
    limner.paint_clip(Footage(path, Fraction(25), said), 2, progress=lambda progress: done.append(progress.done))
    assert 0 < done[0] < 1 / said
    assert max(done) == 1


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("seed", [np.int64(3), np.uint8(255), 2**63 - 1])
def test_seeds_of_all_kinds(seed: Any) -> None:
    limner.paint_clip([photo(), photo().flip(0)], 2, seed=seed)


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("clip", [photo(), photo().numpy(), Image.new("RGB", (9, 9)), b"a film", BytesIO(b"a film")])
def test_one_picture_is_no_clip(clip: Any) -> None:
    with pytest.raises(UserError, match="clip: is one picture: give a list"):
        limner.paint_clip(clip, 2)


def test_a_batch_of_pictures_is_a_clip() -> None:
    assert len(limner.paint_clip(torch.stack([photo(), photo()]), 2).paintings) == 2


@pytest.mark.usefixtures("unchecked")
def test_clips_made_by_hand() -> None:
    paintings = limner.paint_clip([photo()], 1).paintings
    assert limner.Clip(paintings, 12.5).rate == Fraction(25, 2)  # pyright: ignore[reportArgumentType]
    assert limner.Clip(paintings, Fraction(30000, 1001)).rate == Fraction(30000, 1001)
    for rate in (1e-4, 5000.0, "fast"):
        with pytest.raises(UserError, match="rate: "):
            limner.Clip(paintings, rate)  # pyright: ignore[reportArgumentType]
    with pytest.raises(UserError, match="clip: holds no painting"):
        limner.Clip([], Fraction(25))


@pytest.mark.usefixtures("unchecked")
def test_clips_of_paintings_alone_and_alike() -> None:
    first, wide = (limner.paint(torch.rand(3, 30, width), 1) for width in (40, 60))
    assert limner.Clip((each for each in (first, first)), 2).paintings == [first, first]  # pyright: ignore[reportArgumentType]
    assert limner.Clip(first, 2).paintings == [first]  # pyright: ignore[reportArgumentType]
    with pytest.raises(UserError, match="clip: a int holds no paintings"):
        limner.Clip(5, Fraction(2))  # pyright: ignore[reportArgumentType]
    with pytest.raises(UserError, match="clip: number 1 is of str, expected a Painting"):
        limner.Clip([first, "second"], Fraction(2))  # pyright: ignore[reportArgumentType]
    with pytest.raises(UserError, match="clip: painting 1: is 60 x 30 pixels, the first 40 x 30: they must have"):
        limner.Clip([first, wide], Fraction(2))


def test_strokes_out_of_range_are_not_saved(tmp_path: Path) -> None:
    painting = limner.paint_clip([photo()], 1).paintings[0]
    bright = replace(painting, strokes=replace(painting.strokes, what=painting.strokes.what + 2))
    with pytest.raises(UserError, match="what"):
        limner.Clip([painting, bright], Fraction(25)).save(tmp_path / "a.mp4")
    assert not list(tmp_path.iterdir())


def test_gifs_of_long_clips_show_some_of_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(KINDS, ".gif", replace(KINDS[".gif"], frames=4 * 32 * 32))
    pictures = [torch.full((3, 32, 32), level) for level in torch.linspace(0, 1, 8)]
    limner.paint_clip(pictures, 0, rate=10.0).save(tmp_path / "long.gif")
    with Image.open(tmp_path / "long.gif") as file:
        assert len(list(ImageSequence.Iterator(file))) == 4
        assert sum(frame.info["duration"] for frame in ImageSequence.Iterator(file)) == 800


def test_colours_of_a_gif_suit_all_pictures(tmp_path: Path) -> None:
    red, green = (torch.tensor(colour)[:, None, None].expand(3, 32, 32) for colour in ([1.0, 0, 0], [0, 1.0, 0]))
    limner.paint_clip([red] * 4 + [green] * 4, 0).save(tmp_path / "two.gif")
    with Image.open(tmp_path / "two.gif") as file:
        *_, last = (np.asarray(frame.convert("RGB")) for frame in ImageSequence.Iterator(file))
    assert np.abs(last.astype(int) - [0, 255, 0]).max() < 4


def test_alpha_and_odd_sizes_of_a_saved_clip(tmp_path: Path) -> None:
    limner.paint_clip([torch.zeros(4, 33, 35)] * 2, 1).save(tmp_path / "clear.webm")
    with av.open(str(tmp_path / "clear.webm")) as file:
        assert file.streams.video[0].metadata.get("alpha_mode") == "1"
        assert (file.streams.video[0].height, file.streams.video[0].width) == (32, 34)


@pytest.mark.usefixtures("interruptible")
def test_what_is_painted_is_saved_though_ctrl_c_comes_meanwhile(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    encoded = video.save_film

    def late(*arguments: Any, **options: Any) -> None:
        signal.raise_signal(signal.SIGINT)
        encoded(*arguments, **options)

    monkeypatch.setattr(video, "save_film", late)
    assert main(["paint", "clip.mov", "-n", "2", "--frames", "frames"]) == 130
    assert len(seen(here / "clip-painted.mp4")) == len(list((here / "frames").iterdir())) == 6
    assert capsys.readouterr().err == "limner: interrupted: saved 6 pictures of 2 strokes\n"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
def test_a_clip_is_no_pipe(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    os.mkfifo(tmp_path / "clip.mp4")
    assert main(["paint", str(tmp_path / "clip.mp4")]) == 2
    assert "is a pipe, and a clip is read more than once" in capsys.readouterr().err


def test_how_much_was_painted_in_words() -> None:
    assert amount(limner.paint_clip([photo()], 1)) == "1 picture of 1 stroke"
    assert is_clip(Path("A.MP4"))
    with pytest.raises(UserError, match="replaced by a frame"):
        outputs.spare([Path("f/frame-10000.png")], [], [Path("f")])
