"""`limner.paint` on small pictures of every kind."""

import math
import subprocess
import sys
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from scenes import axes, by_default, half_sizes
from torch import Tensor

import limner
from limner import geometry
from limner.errors import UserError
from limner.painting import sides
from limner.painting.arguments import check_fill, fixed_opacity, positive, whole
from limner.painting.fit.fitting import fit
from limner.painting.fit.goal import Goal
from limner.painting.fit.moves import Moves, Style
from limner.painting.fit.propose import best_colours
from limner.painting.painting import Painting
from limner.painting.pictures import Picture, fitted, read_picture
from limner.painting.progress import Progress
from limner.painting.scoring import psnr
from limner.strokes import Strokes
from limner.strokes_json import parse
from limner.templates import TemplateBank
from limner.writer import render

PHOTO = Path(__file__).parents[2] / "examples" / "photo.jpg"
pytestmark = pytest.mark.usefixtures("quick")


def picture(channels: int = 3, height: int = 30, width: int = 40) -> Tensor:
    smooth = torch.nn.functional.interpolate(torch.rand(1, channels, 5, 6), (height, width), mode="bicubic")
    return smooth[0].clamp(0, 1)


def disc(channels: int = 3) -> Tensor:
    """A picture that is opaque on a disc and transparent elsewhere."""
    points = geometry.canvas_points(30, 40)
    alpha = (points[..., :2].norm(dim=-1) < 0.7).float()
    return torch.cat([picture(3)[:channels].expand(3, -1, -1), alpha[None]])


def bytes_of(painting: Painting, folder: Path) -> tuple[bytes, bytes]:
    for suffix in ("png", "json"):
        painting.save(folder / f"a.{suffix}")
    return (folder / "a.png").read_bytes(), (folder / "a.json").read_bytes()


def opaque_on(painting: Painting) -> Tensor:
    assert painting.background is not None
    return painting.background


@pytest.mark.parametrize("count", [0, 1, 7, 100])
def test_exactly_so_many_strokes_within_range(count: int) -> None:
    image = picture()
    painting = limner.paint(image, count)
    strokes = painting.strokes
    assert len(strokes) == count
    assert painting.size == (30, 40)
    assert strokes.where.isfinite().all()
    assert strokes.opacity is not None
    for values in (strokes.what, strokes.opacity, opaque_on(painting)):
        assert ((values >= 0) & (values <= 1)).all()
    assert painting.psnr > psnr(image, image.mean((1, 2), keepdim=True).expand_as(image)) + (count > 1) - 0.1


@pytest.mark.parametrize("shape", [(1, 1), (1, 30), (40, 1), (2, 200), (3, 3)])
def test_pictures_of_any_shape(shape: tuple[int, int], tmp_path: Path) -> None:
    painting = limner.paint(torch.rand(3, *shape), 12)
    assert len(painting.strokes) == 12
    assert painting.canvas.shape == (1, 3, *shape)
    for suffix in ("png", "svg", "json"):
        painting.save(tmp_path / f"a.{suffix}")
    assert math.isfinite(painting.psnr)


@pytest.mark.parametrize("value", [0.0, 0.25, 1.0])
def test_constant_pictures(value: float) -> None:
    painting = limner.paint(torch.full((3, 20, 20), value), 5)
    assert len(painting.strokes) == 5
    assert painting.psnr > 40


def test_pictures_that_are_not_numbers() -> None:
    with pytest.raises(UserError, match="not finite"):
        limner.paint(torch.full((3, 20, 20), math.nan), 5)


@pytest.mark.parametrize("opacity", ["opaque", 1.0, 0.4])
def test_fixed_opacity(opacity: Any) -> None:
    strokes = limner.paint(picture(), 10, opacity=opacity).strokes
    if opacity == 0.4:
        assert strokes.opacity is not None
        assert torch.allclose(strokes.opacity, torch.full((1, 10), 0.4))
    else:
        assert strokes.opacity is None


def test_gradient_fill_is_linear_and_within_colours(tmp_path: Path) -> None:
    ramp = torch.linspace(0, 1, 40).expand(3, 30, 40) * torch.tensor([1, 0.5, 0.2])[:, None, None]
    painting = limner.paint(ramp, 8, fill="gradient")
    what, slope = painting.strokes.what, painting.strokes.slope
    assert slope is not None
    assert torch.linalg.svdvals(slope)[..., 1].max() < 1e-5
    assert slope.abs().max() > 0.05
    for corner in ((1, 1), (1, -1), (-1, 1), (-1, -1)):
        shown = what + slope @ torch.tensor(corner, dtype=torch.float32)
        assert shown.min() > -1e-5
        assert shown.max() < 1 + 1e-5
    assert painting.psnr > limner.paint(ramp, 8).psnr + 1
    painting.save(tmp_path / "a.svg")
    assert "<linearGradient" in (tmp_path / "a.svg").read_text()
    assert painting.psnr_of(tmp_path / "a.svg") == pytest.approx(painting.psnr, abs=3)


def test_backgrounds() -> None:
    image = picture()
    assert torch.allclose(opaque_on(limner.paint(image, 0)), image.mean((1, 2)), atol=1e-5)
    assert opaque_on(limner.paint(image, 3, background="#ff8000")).tolist() == pytest.approx([1, 128 / 255, 0])
    turned = np.array([0, 0.5, 1])[::-1]
    for numbers in [(1, 0.5, 0), [1.0, 0.5, 0.0], turned, torch.tensor([1, 0.5, 0])]:
        assert opaque_on(limner.paint(image, 3, background=numbers)).tolist() == [1, 0.5, 0]
    clear = limner.paint(image, 20, background="transparent")
    assert clear.background is None
    covered = clear.render(30, 40)[..., 3].float().mean()
    assert covered > 128
    onto = limner.paint(disc(), 20, background="white")
    assert opaque_on(onto).tolist() == [1, 1, 1]
    assert onto.render(30, 40)[0, 0].tolist() == pytest.approx([255] * 3, abs=12)


@pytest.mark.parametrize("channels", [1, 3])
def test_transparent_stays_transparent(channels: int, tmp_path: Path) -> None:
    image = disc(channels)
    painting = limner.paint(image, 40)
    assert painting.background is None
    painting.save(tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as file:
        alpha = np.asarray(file)[..., -1] / 255
    inside = image[3].numpy() == 1
    assert alpha[~inside].mean() < 0.12
    assert alpha[inside].mean() > 0.85
    assert alpha[0, 0] < 0.02
    assert painting.psnr_of(tmp_path / "a.png") == painting.psnr > 15


def test_gray_pictures_give_gray_unless_colours_are_asked_for() -> None:
    gray = picture(1)
    hues = torch.tensor([[1.0, 0, 0], [0, 0, 1]])
    grays = torch.tensor([[0.1], [0.5], [0.9]]).expand(3, 3)
    for arguments, channels in (
        ({}, 1),
        ({"background": "red"}, 3),
        ({"palette": hues}, 3),
        ({"palette": grays}, 1),
        ({"palette": 4}, 1),
    ):
        painting = limner.paint(gray, 4, **arguments)
        assert painting.strokes.what.shape[-1] == channels, arguments
        assert painting.canvas.shape[1] == channels


@pytest.mark.parametrize("background", ["auto", "transparent"])
def test_palette_of_given_colours(background: str) -> None:
    palette = torch.rand(5, 3)
    painting = limner.paint(picture(), 20, palette=palette, background=background)
    assert all((colour == palette).all(1).any() for colour in painting.strokes.what[0])
    if background == "auto":
        assert (opaque_on(painting) == palette).all(1).any()


def test_palettes_of_every_kind(tmp_path: Path) -> None:
    (tmp_path / "inks.txt").write_text("#ff0000\nblue\n")
    numbers = [(1, 0, 0), (0, 0, 1)]
    for palette in (["red", "#00f"], numbers, np.array(numbers), tmp_path / "inks.txt", str(tmp_path / "inks.txt")):
        found = limner.paint(picture(), 9, palette=palette).strokes.what[0].unique(dim=0)
        assert {tuple(colour) for colour in found.tolist()} <= set(numbers), palette


def test_nothing_matters_where_importance_is_black() -> None:
    for ones in (
        np.eye(30, 40, dtype=np.uint8),
        np.eye(30, 40, dtype=np.uint16),
        Image.fromarray(np.eye(30, 40, dtype=np.uint8)),
    ):
        with pytest.raises(
            UserError, match="importance: is no lighter than 1 of 255: make it white where it should count"
        ):
            limner.paint(picture(), 2, importance=ones)
    with pytest.raises(UserError, match="importance: is black everywhere"):
        limner.paint(picture(), 3, importance=np.zeros((30, 40)))


def test_a_palette_of_a_gray_picture_on_a_coloured_ground() -> None:
    painting = limner.paint(picture(1), 5, palette=3, background="red")
    assert painting.strokes.what.shape == (1, 5, 3)
    assert len(painting.strokes.what[0].unique(dim=0)) <= 3


def test_templates_of_any_iterable() -> None:
    bank = limner.paint(picture(), 3, templates=(name for name in ("square", "circle"))).bank
    assert bank.names == ("square", "circle")
    with pytest.raises(UserError, match="templates: none are named"):
        limner.paint(picture(), 3, templates=iter([]))
    more = limner.paint(picture(), 2, templates=iter(["line"]), resume=limner.paint(picture(), 2))
    assert more.bank.names == ("circle", "line")


@pytest.mark.parametrize("count", [1, 2, 6, 256])
def test_palette_of_so_many_colours(count: int) -> None:
    painting = limner.paint(picture(), 30, palette=count)
    assert 1 <= len(painting.strokes.what[0].unique(dim=0)) <= count
    assert painting.psnr > 8


@pytest.mark.parametrize("sizes", [{"min_size": 0.3}, {"max_size": 0.1}, {"min_size": 0.2, "max_size": 0.25}])
@pytest.mark.parametrize("seconds", [None, 1e-3])
def test_sizes_are_respected(sizes: dict[str, float], seconds: float | None) -> None:
    painting = limner.paint(picture(3, 64, 60), 15, time=seconds, **sizes)
    share = 2 * torch.linalg.svdvals(axes(painting.strokes.where[0], painting.size)) / 64
    assert share.min() >= sizes.get("min_size", 0) * 0.999
    assert share.max() <= sizes.get("max_size", math.inf) * 1.001


def test_strokes_may_be_as_small_as_is_asked_for() -> None:
    painting = limner.paint(torch.rand(3, 64, 60), 30, min_size=0.2)
    share = 2 * torch.linalg.svdvals(axes(painting.strokes.where[0], painting.size)) / 64
    assert share.min() < 0.25


def test_importance_lowers_the_error_where_it_is_light() -> None:
    image, mask = picture(), torch.zeros(30, 40)
    image = image * 0.5 + 0.5 * torch.rand(3, 10, 10).repeat(1, 3, 4)
    mask[:, :12] = 1
    plain, steered = limner.paint(image, 25), limner.paint(image, 25, importance=mask)
    left = [(one.canvas[0] - image)[..., :12].square().mean() for one in (plain, steered)]
    right = [(one.canvas[0] - image)[..., 12:].square().mean() for one in (plain, steered)]
    assert left[1] < 0.9 * left[0]
    assert right[1] > right[0]


def test_what_is_transparent_matters_as_little_as_what_is_black() -> None:
    image, share = picture(), torch.linspace(0, 1, 1200).view(30, 40)
    clear, dark = torch.cat([torch.ones(3, 30, 40), share[None]]), share
    one, other = (limner.paint(image, 5, importance=mask) for mask in (clear, dark))
    assert torch.equal(one.strokes.where, other.strokes.where)


def test_importance_everywhere_is_none() -> None:
    image = picture()
    same = limner.paint(image, 5, importance=torch.ones(30, 40))
    assert torch.allclose(same.canvas, limner.paint(image, 5).canvas, atol=1e-3)


@pytest.mark.parametrize("importance", [False, True])
@pytest.mark.parametrize("palette", [None, 3])
def test_sums_over_large_pictures_are_the_same_on_any_number_of_threads(importance: bool, palette: int | None) -> None:
    """Torch splits sums of more than 32,768 numbers among its threads."""
    image = torch.rand(1, 220, 256)
    mask = torch.rand(220, 256) if importance else None
    found, threads = [], torch.get_num_threads()
    try:
        for number in (1, 2, 3):
            torch.set_num_threads(number)
            found.append(limner.paint(image, 3, importance=mask, palette=palette))
    finally:
        torch.set_num_threads(threads)
    for one in found[1:]:
        assert torch.equal(one.strokes.where, found[0].strokes.where)
        assert torch.equal(one.strokes.what, found[0].strokes.what)
        assert one.background is not None
        assert found[0].background is not None
        assert torch.equal(one.background, found[0].background)


def test_same_seed_same_bytes_on_any_number_of_threads(tmp_path: Path) -> None:
    image = picture(3, 60, 64)
    runs, threads = [], torch.get_num_threads()
    try:
        for number, seed in ((1, 5), (1, 5), (2, 5), (1, 6)):
            torch.set_num_threads(number)
            runs.append(bytes_of(limner.paint(image, 40, seed=seed), tmp_path))
    finally:
        torch.set_num_threads(threads)
    assert runs[0] == runs[1] == runs[2]
    assert runs[0][0] != runs[3][0]
    assert runs[0][1] != runs[3][1]


def test_what_takes_long_to_import_is_not() -> None:
    code = "import sys, torch, limner; limner.paint(torch.rand(3, 9, 9), strokes=2); assert 'sympy' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
@pytest.mark.parametrize("channels", [3, 1])
def test_where_nothing_else_is_differentiated(mode: Callable, channels: int) -> None:
    image = disc(channels)
    usual = limner.paint(image, 5)
    with mode():
        found = limner.paint(image.clone(), 5)
        assert not torch.is_grad_enabled()
    assert torch.equal(found.strokes.where, usual.strokes.where)
    assert not found.strokes.where.is_inference()


def test_stops_at_a_quality_with_fewer_strokes() -> None:
    image = picture()
    painting = limner.paint(image, 300, stop_psnr=20.0)
    assert 0 < len(painting.strokes) < 300
    assert psnr(painting.canvas[0], image) >= 20


def test_a_quality_is_that_of_the_picture_not_of_the_canvas_worked_at() -> None:
    y, x = torch.meshgrid(torch.arange(96.0), torch.arange(128.0), indexing="ij")
    image = ((x / 17 + y / 29).sin() + 0.4 * (x * 1.3 + y * 0.7).sin()).mul(0.3).add(0.5)[None]
    painting = limner.paint(image, 60, size=48, stop_psnr=18.0)
    assert len(painting.strokes) < 60
    assert painting.score(painting.render(96, 128)) >= 17.99
    assert painting.psnr > 19
    noise = torch.rand(1, 300, 400)
    assert max(limner.paint(noise, 0, stop_psnr=30.0).size) == 400
    assert max(limner.paint(noise, 0, stop_psnr=5.0).size) == 256
    assert max(limner.paint(noise, 0, stop_psnr=30.0, size=64).size) == 64


@pytest.mark.parametrize("channels", [1, 3])
def test_a_quality_is_that_of_colour_and_alpha(channels: int) -> None:
    y, x = torch.meshgrid(torch.linspace(-1, 1, 60), torch.linspace(-1, 1, 80), indexing="ij")
    colour = 0.5 + 0.4 * (5 * x + 3 * y).sin()
    pixels = torch.cat([colour.expand(3, -1, -1), (1.3 - x.hypot(y)).clamp(0, 1)[None]])
    image = Picture(pixels[:channels], pixels[3], "ripples")
    painting = limner.paint(image, 100, stop_psnr=18.0)
    assert len(painting.strokes) < 100
    assert painting.score(painting.render(60, 80)) >= 17.95


def test_a_quality_is_met_with_what_is_resumed() -> None:
    image = torch.nn.functional.interpolate(picture()[None], (120, 160), mode="bicubic")[0].clamp(0, 1)
    first = limner.paint(image, 60, size=64)
    reached = first.score(first.render(120, 160))
    assert len(limner.paint(image, 50, resume=first, size=64, stop_psnr=reached - 0.1).strokes) == 60
    more = limner.paint(image, 200, resume=first, size=64, stop_psnr=reached + 0.3)
    assert 60 < len(more.strokes) < 260
    assert more.score(more.render(120, 160)) >= reached + 0.25


def test_half_of_what_a_quality_allows_is_not_lost_by_shrinking() -> None:
    checks = (torch.arange(600)[:, None] + torch.arange(800)).remainder(2)[None].float()
    smooth = torch.linspace(0, 1, 800).expand(1, 600, 800)
    fine, even = (read_picture(pixels.contiguous()) for pixels in (checks, smooth))
    assert sides.detailed_side(even, 256, 30.0) == 256
    assert sides.detailed_side(fine, 256, 20.0) >= 800
    assert sides.detailed_side(fine, 256, 7.0) >= 800
    assert sides.detailed_side(fine, 256, 4.0) >= 800
    assert sides.detailed_side(fine, 256, 1.0) == 256
    assert sides.judged(read_picture(torch.zeros(10, 4096))).size == (5, 2048)
    hidden = torch.cat([torch.ones(3, 600, 800), smooth[:, :600].round()])
    assert sides.detailed_side(read_picture(hidden), 256, 20.0) == 256
    torn = torch.cat([torch.zeros(3, 600, 800), checks])
    assert sides.detailed_side(read_picture(torn), 256, 20.0) >= 800


def test_a_default_of_64_bits_changes_nothing() -> None:
    image = picture()
    usual = limner.paint(image, 5, fill="gradient")
    with by_default(torch.float64):
        found = limner.paint(image.double(), 5, fill="gradient")
        assert torch.get_default_dtype() == torch.float64
    assert torch.equal(found.strokes.where, usual.strokes.where)


def test_what_is_learnt_can_be_painted_with() -> None:
    def learnt(tensor: Tensor) -> Tensor:
        return tensor.clone().requires_grad_()

    image = picture()
    first = limner.paint(image, 3, background="red")
    open_ended = replace(first, strokes=first.strokes.map(learnt), background=learnt(first.background))
    usual, found = (limner.paint(image, 2, resume=each) for each in (first, open_ended))
    assert torch.equal(found.strokes.where, usual.strokes.where)
    palette = torch.tensor([[0.0, 0, 0], [1, 1, 1]])
    usual, found = (limner.paint(image, 2, palette=each) for each in (palette, learnt(palette)))
    assert torch.equal(found.strokes.what, usual.strokes.what)


def test_interrupted_paintings_can_be_saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[None] = []
    step = Moves.step

    def cut(self: Moves, *arguments: Any) -> float:
        calls.append(None)
        if len(calls) > 4:
            raise KeyboardInterrupt
        return step(self, *arguments)

    monkeypatch.setattr(Moves, "step", cut)
    painting = limner.paint(picture(), 20)
    assert 0 < len(painting.strokes) < 20
    assert painting.interrupted
    assert repr(painting).endswith("pixels, interrupted)")
    assert not limner.paint(picture(), 0).interrupted
    bytes_of(painting, tmp_path)
    assert len(parse(tmp_path / "a.json").strokes) == len(painting.strokes)


def test_working_size() -> None:
    image = picture(3, 60, 90)
    assert limner.paint(image, 3, size=30).size == (20, 30)
    assert limner.paint(image, 3, size=1000).size == (60, 90)
    assert limner.paint(picture(3, 200, 600), 3).size == (121, 362)


@pytest.mark.parametrize(
    ("size", "strokes", "side"),
    [
        ((400, 600), 10, 256),
        ((400, 600), 0, 256),
        ((768, 768), 100, 256),
        ((400, 600), 250, 295),
        ((400, 600), 500, 480),
        ((600, 400), 2000, 807),
        ((4000, 6000), 50_000, 1024),
        ((100, 600), 500, 960),
    ],
)
def test_more_strokes_are_painted_on_a_larger_canvas(size: tuple[int, int], strokes: int, side: int) -> None:
    assert sides.working_side(size, strokes) == side


def test_templates() -> None:
    image, own = picture(), TemplateBank.named("line", "square", size=32)
    assert limner.paint(image, 2).bank.names == ("circle",)
    assert limner.paint(image, 2, templates=["curve", "line"]).bank.names == ("curve", "line")
    assert limner.paint(image, 2, templates="square").bank.names == ("square",)
    assert limner.paint(image, 2, templates=own).bank is own
    learnt = TemplateBank(own.masks.clone().requires_grad_())
    painting = limner.paint(image, 2, templates=learnt)
    assert torch.equal(painting.bank.masks, own.masks)
    assert not painting.bank.masks.requires_grad


def test_the_fit_ends_with_the_samples_that_are_saved(monkeypatch: pytest.MonkeyPatch) -> None:
    saved, fit = [], limner.painting.paint.fit
    monkeypatch.setattr(
        "limner.painting.paint.fit", lambda task, **more: saved.append(task.goal.saved) or fit(task, **more)
    )
    image = picture()
    first = limner.paint(image, 2)
    limner.paint(image, 2, templates="soft")
    limner.paint(image, 2, templates=["soft", "transparent"])
    limner.paint(image, 2, templates=["soft", "line"])
    limner.paint(image, 2, templates="soft", resume=first)
    assert saved == [4, 1, 1, 4, 4]


def test_templates_may_be_files(tmp_path: Path) -> None:
    for name in ("leaf", "star"):
        (tmp_path / f"{name}.svg").write_text(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9">{DISC}</svg>')
    image, leaf = picture(), tmp_path / "leaf.svg"
    assert limner.paint(image, 1, templates=leaf).bank.names == ("leaf",)
    assert limner.paint(image, 1, templates=[str(leaf), "line"]).bank.names == ("leaf", "line")
    assert limner.paint(image, 1, templates=str(tmp_path)).bank.names == ("leaf", "star")


DISC = '<circle cx="4" cy="4" r="3"/>'


def test_a_function_follows_the_painting_and_can_end_it() -> None:
    seen, ended = [], []
    whole = limner.paint(picture(), 6, progress=seen.append)
    assert [each.done for each in seen] == sorted(each.done for each in seen)
    assert (seen[-1].done, seen[-1].strokes) == (1, 6)
    assert seen[-1].psnr == pytest.approx(whole.psnr, abs=0.5)

    def watch(progress: Progress) -> None:
        ended.append(progress)
        if progress.done > 0.5:
            raise KeyboardInterrupt

    part = limner.paint(picture(), 6, progress=watch)
    assert ended[-2].done <= 0.5 < ended[-1].done < 1
    assert len(part.strokes) == 6


def test_what_a_function_raises_is_not_lost() -> None:
    """A TimeoutError too, as a socket raises it; although a fit in a given time ends."""

    def watch(progress: Progress) -> None:
        raise TimeoutError("no answer")

    for seconds in (None, 5.0):
        with pytest.raises(TimeoutError, match="no answer"):
            limner.paint(picture(), 3, progress=watch, time=seconds)


@pytest.mark.parametrize("kind", [{}, {"max_size": 0.4, "palette": "black", "background": "white", "opacity": 1.0}])
def test_a_pen_draws_lines_of_its_width(kind: dict[str, Any]) -> None:
    painting = limner.paint(picture(3, 64, 60), 25, pen=0.02, **kind)
    assert painting.bank.names == ("line",)
    assert painting.size == (64, 60)
    lengths = 2 * axes(painting.strokes.where[0].double(), painting.size).norm(dim=-2) / 64
    lengths[:, 1] *= 3 / 28  # how thick a line is
    assert torch.allclose(lengths.amin(-1), torch.tensor(0.02).double(), rtol=1e-3)
    assert lengths.amax(-1).max() <= kind.get("max_size", math.inf) * 1.001
    assert lengths.amax(-1).std() > 0.01
    assert painting.psnr > limner.paint(picture(3, 64, 60), 0, background="white").psnr + 0.5


@pytest.mark.parametrize(
    ("pen", "size", "side"), [(0.002, None, 250), (0.01, None, 128), (1e-4, None, 1024), (0.002, 90, 90)]
)
def test_a_pen_is_half_a_pixel_wide_where_there_are_enough(pen: float, size: int | None, side: int) -> None:
    large = read_picture(torch.rand(3, 400, 500))
    assert sides.chosen_side(large, size, 100, None, pen) == side
    assert sides.chosen_side(large, size, 100, 20.0, pen) == side


def test_a_pen_draws_on_white_paper_with_what_it_is_told_to() -> None:
    photo = torch.rand(3, 150, 200)
    drawn = limner.paint(photo, 3, pen=0.004, palette="black", templates=["square"])
    assert drawn.bank.names == ("square",)
    assert drawn.size == (96, 128)
    assert drawn.background is not None
    assert drawn.background.tolist() == [1, 1, 1]
    clear = torch.cat([photo, torch.rand(1, 150, 200)])
    assert limner.paint(clear.numpy().transpose(1, 2, 0), 2, pen=0.01).background is None
    assert limner.paint(photo, 2, pen=0.01, background="black").background.tolist() == [0, 0, 0]


def test_refining_keeps_a_pen() -> None:
    drawn = limner.paint(picture(3, 64, 60), 8, pen=0.005, size=64)
    kept = drawn.refine(lambda canvas: canvas.square().mean(), 5, pen=0.005)
    for painting in (drawn, kept):
        lengths = 2 * axes(painting.strokes.where[0].double(), painting.size).norm(dim=-2) / 64
        assert torch.allclose((lengths * torch.tensor([1, 3 / 28])).amin(-1), torch.tensor(0.005).double(), rtol=2e-3)
    assert not torch.equal(kept.strokes.where, drawn.strokes.where)


KEPT = "keep_proportions", "upright", "keep_angles"


@pytest.mark.parametrize(
    KEPT, [(False,) * 3, (False, False, True), (True, False, False), (False, True, False), (True,) * 3]
)
@pytest.mark.parametrize("size", [(37, 53), (53, 70)])
def test_brushes_keep_their_look(
    keep_proportions: bool, upright: bool, keep_angles: bool, size: tuple[int, int]
) -> None:
    image, kept = torch.rand(3, *size), dict(zip(KEPT, (keep_proportions, upright, keep_angles), strict=True))
    painting = limner.paint(image, 12, templates="square", **kept)
    where = painting.strokes.where[0]
    across, down = axes(where.double(), painting.size).unbind(-1)
    right = torch.nn.functional.cosine_similarity(across, down, dim=-1).abs() < 1e-4
    assert bool(right.all()) == any(kept.values())
    wide, high = half_sizes(where, painting.size).unbind(-1)
    assert torch.allclose(wide, high, rtol=1e-3) == keep_proportions
    assert bool((where[:, [0, 1], [1, 0]] == 0).all()) == upright


ABSURD: list[tuple[dict[str, Any], str]] = [
    ({"strokes": -1}, "strokes: -1 is not a whole number"),
    ({"seed": -1}, "seed: -1 is not"),
    ({"opacity": 0.0}, "opacity: 0.0 is neither"),
    ({"opacity": 1.5}, "opacity: 1.5 is neither"),
    ({"opacity": math.nan}, "opacity: nan is neither"),
    ({"min_size": -0.1}, "min_size: -0.1 is not"),
    ({"max_size": 0.0}, "max_size: 0.0 is not"),
    ({"max_size": 1e-25}, "max_size: 1e-25 is too small to be seen"),
    ({"max_size": 0.012}, "too small to be seen here: choose at least 0.013"),
    ({"min_size": 0.3, "max_size": 0.2}, r"min_size: 0\.3 is larger than max_size, 0\.2"),
    ({"pen": 0.0}, "pen: 0.0 is not a number above 0 and up to 1"),
    ({"pen": 0.3, "max_size": 0.2}, r"pen: 0\.3 is wider than max_size, 0\.2"),
    ({"pen": 0.1, "keep_proportions": True}, "pen: 0.1 is the width of strokes of any length: leave out keep_prop"),
    ({"model": "mnist", "pen": 0.1}, "model: .* leave out pen"),
    ({"time": 0.0}, "time: 0.0 is not"),
    ({"time": math.inf}, "time: inf is not"),
    ({"stop_psnr": math.nan}, "stop_psnr: nan is not"),
    ({"size": 0}, "size: 0 is not"),
    ({"palette": np.array(4)}, r"palette: a tensor of shape \(\)"),
    ({"palette": True}, "palette: True is neither"),
    ({"background": "mauvish"}, '"mauvish" is no colour'),
    ({"background": (255, 128, 0)}, "no three numbers from 0 to 1"),
    ({"background": [0.5]}, "no three numbers from 0 to 1"),
    ({"background": np.array([1, math.nan, 0])}, "no three numbers from 0 to 1"),
    ({"background": "green", "resume": "strokes.json"}, "background: green cannot be chosen"),
    ({"model": "mnist", "keep_angles": True}, "model: mnist proposes strokes of any shape: leave out keep_angles"),
    ({"model": "mnist", "keep_proportions": True}, "model: .* leave out keep_proportions"),
    ({"templates": ["blob"]}, "blob: is no template: expected circle, square"),
    ({"templates": "none.svg"}, "none.svg: is no template"),
    ({"importance": torch.ones(30, 30)}, "importance: is 30 x 30 pixels, the picture 40 x 30"),
    ({"seed": 2**64}, "seed: 18446744073709551616 is not"),
    ({"palette": 0}, "palette: 0 is neither"),
    ({"palette": 257}, "palette: 257 is neither"),
    ({"palette": torch.rand(0, 3)}, r"palette: a tensor of shape \(0, 3\)"),
    ({"palette": torch.full((2, 3), 1.5)}, "expected .* from 0 to 1"),
]


@pytest.mark.parametrize(("arguments", "message"), ABSURD)
def test_absurd_arguments(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        limner.paint(picture(), **arguments)


@pytest.mark.parametrize(
    "check",
    [
        lambda: whole("strokes", 1.5),
        lambda: whole("strokes", "many"),
        lambda: whole("strokes", True),
        lambda: whole("strokes", torch.tensor(10.0)),
        lambda: whole("seed", np.array([10])),
        lambda: positive("min_size", np.array([0.1, 0.2])),
        lambda: fixed_opacity(torch.tensor([0.1, 0.2])),
        lambda: positive("time", "soon"),
        lambda: positive("time", True),
        lambda: check_fill("dotted"),
        lambda: fixed_opacity("faint"),
        lambda: fixed_opacity(None),
        lambda: positive("min_size", 3.0, 1.0),
        lambda: limner.paint(picture(), 3, palette=2, fill="gradient"),
    ],
)
def test_arguments_of_the_wrong_kind(check: Callable[[], object]) -> None:
    with pytest.raises(UserError):
        check()


def test_numbers_may_be_of_numpy() -> None:
    for kind in (np.int64, np.uint8, np.float32, np.float64):
        number = positive("time", kind(3))
        assert (number, type(number)) == (3.0, float)
        assert fixed_opacity(kind(1)) == 1.0
    number = whole("seed", np.int64(3))
    assert (number, type(number)) == (3, int)


WRONG = """
import numpy, torch, limner
from limner.errors import UserError
image, one, arguments = numpy.full((6, 8), 0.5), numpy.int64(1), {}
painting = limner.paint(image, one, size=one * 8, seed=one, time=numpy.float32(0.01), palette=one, opacity=one)
assert len(painting.strokes) == 1
wrong = dict(templates=[3], resume=painting.strokes, model=3, importance=3, palette="redd", background=3, seed=0.5)
for name, value in [*wrong.items(), ("templates", 5), ("palette", numpy.zeros(3)), ("palette", [1, "red"])]:
    try:
        limner.paint(image, 1, **{name: value})
    except UserError as error:
        print(error)
"""


def test_arguments_of_any_type() -> None:
    run = subprocess.run([sys.executable, "-c", WRONG], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines() == [
        "templates: 3 is neither the name of a shape nor a path",
        "resume: a Strokes is no painting: give one, or a file of strokes",
        "model: a int is no painter: give one, or the folder of a run",
        "a int is no picture: expected a path, an image, an array or a tensor",
        "redd: no such file",
        "background: 3 is no name of a colour, no #rrggbb and no three numbers from 0 to 1",
        "seed: 0.5 is not a whole number from 0 to 9223372036854775807",
        "templates: 5 is neither the name of a shape nor a path, and no list of them",
        "palette: a tensor of shape (3,): expected (colour, 3) from 0 to 1",
        "palette: [1, 'red'] is none: expected colours by name or as three numbers each",
    ]


@pytest.mark.parametrize(
    ("mask", "size", "same"),
    [
        ((4, 256), (10, 600), True),
        ((1, 256), (1, 2000), True),
        ((30, 41), (30, 40), True),
        ((300, 430), (30, 40), False),
        ((40, 30), (30, 40), False),
        ((6, 256), (10, 600), False),
    ],
)
def test_proportions_are_the_same_apart_from_rounding(mask: tuple[int, int], size: tuple[int, int], same: bool) -> None:
    with nullcontext() if same else pytest.raises(UserError, match="the same proportions"):
        sides.check_shape("mask", mask, "picture", size)


@pytest.mark.parametrize("options", [{"opacity": "opaque"}, {"templates": "square", "upright": True}], ids=str)
def test_holes_of_a_picture_stay_open_or_get_the_colours_around_them(options: dict[str, Any]) -> None:
    side = torch.linspace(-1, 1, 60)
    radius = torch.hypot(side, side[:, None])
    ring = (radius < 0.9) & (radius > 0.4)
    picture = torch.cat([torch.tensor([0.9, 0.2, 0.2])[:, None, None] * ring, ring[None].float()])
    for seed in range(3):
        painted = limner.paint(picture, 16, seed=seed, **options)
        red, _, _, alpha = painted.render(60, 60).permute(2, 0, 1).int()
        assert (red[alpha > 128] > 150).all()


def test_what_is_said_of_holes_is_what_is_saved() -> None:
    """A dark plate whose hole has to be covered: as it is scored that counts less than while it is fitted."""
    alpha = torch.ones(1, 60, 60)
    alpha[:, 27:33, 27:33] = 0
    picture, said = torch.cat([torch.full((3, 60, 60), 0.1), alpha]), []
    large = {"templates": "square", "upright": True, "opacity": "opaque", "min_size": 0.6}
    painted = limner.paint(picture, 9, stop_psnr=23.0, progress=said.append, **large)
    assert len(painted.strokes) <= 2
    assert painted.psnr > 23
    whole = limner.paint(picture, 1, progress=said.append, **large)
    assert said[-1].psnr == pytest.approx(whole.psnr, abs=0.3)


def scattered(image: Tensor, count: int) -> float:
    """PSNR of so many random strokes, each in its best colour when it is painted."""
    height, width = image.shape[1:]
    generator = torch.Generator().manual_seed(3)
    bank = TemplateBank.named("circle", size=64)
    moves = Moves.none(bank, image.mean((1, 2)), Style(opacity=1.0))
    canvas = image.mean((1, 2), keepdim=True).expand_as(image)
    half = 0.05 * 10 ** torch.rand(count, 2, generator=generator)
    half = half[half.prod(1).argsort(descending=True)]
    angle = 3 * torch.rand(count, generator=generator)
    where = geometry.phi(2 * torch.rand(count, 2, generator=generator) - 1, half, angle, width / height)
    for t in range(count):
        which = torch.ones(1, 1)
        what, gain = best_colours(where[t : t + 1], which, bank, Goal(image), canvas, image, 1.0, moves.style)
        if gain > 0:
            canvas = render(Strokes(where[None, t : t + 1], which[None], what[None]), bank, None, canvas[None])[0]
    return psnr(canvas, image)


def test_quality(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("limner.painting.paint.fit", fit)
    photo = read_picture(PHOTO)
    small = fitted(photo, tuple(round(side * 72 / max(photo.size)) for side in photo.size))
    painting = limner.paint(small, 50)
    assert psnr(painting.canvas[0], small.pixels) > scattered(small.pixels, 50) + QUALITY
    assert replace(painting, strokes=painting.strokes[:, :25]).psnr < painting.psnr


QUALITY = 6.0
"""dB by which fitted strokes beat random ones at the least."""


@pytest.mark.parametrize("bank", [TemplateBank.named("transparent"), TemplateBank(torch.zeros(2, 16, 16))])
def test_strokes_that_nobody_could_see_are_refused(bank: TemplateBank) -> None:
    with pytest.raises(UserError, match="templates: are transparent everywhere"):
        limner.paint(picture(), 3, templates=bank)
    none = Strokes(torch.zeros(1, 0, 2, 3), torch.zeros(1, 0, len(bank)), torch.zeros(1, 0, 3))
    before = Painting(none, bank, torch.zeros(3), (30, 40))
    with pytest.raises(UserError, match="templates: are transparent everywhere"):
        limner.paint(picture(), 3, resume=before)
    assert len(limner.paint(picture(), 0, templates=bank).strokes) == 0


@pytest.mark.usefixtures("unchecked")
def test_an_array_is_no_list_of_templates() -> None:
    for array in (np.ones((1, 4, 4)), torch.ones(1, 4, 4), [np.ones((4, 4))], Image.new("L", (4, 4))):
        with pytest.raises(
            UserError, match="templates: a mask is neither the name of a shape nor a path: make a TemplateBank"
        ):
            limner.paint(picture(), 2, templates=array)  # pyright: ignore[reportArgumentType]


@given(st.integers(1, 1024))
def test_the_least_size_that_is_named_can_be_seen(side: int) -> None:
    with pytest.raises(UserError, match="is too small to be seen here: choose at least") as told:
        sides.check_seen(0.4 / side, side)
    least = float(str(told.value).split()[-1])
    sides.check_seen(least, side)
    assert least * side < 1.1 * sides.SEEN
