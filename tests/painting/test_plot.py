"""Paths for plotters, against the same strokes as outlines, drawn by resvg, and against points along lines."""

import math
import re
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import resvg_py
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import limner
from limner import geometry
from limner.errors import NotFinite, UserError
from limner.painting import plot
from limner.painting.options import PaintOptions
from limner.painting.painting import Painting
from limner.painting.pictures import Picture
from limner.painting.plot import clipped, to_plot
from limner.painting.saving import told
from limner.strokes import Strokes
from limner.templates import TemplateBank

SIZE = (60, 80)
LINE = TemplateBank.named("line", size=512)
SVG = "{http://www.w3.org/2000/svg}"
LABEL, MODE = (f"{{http://www.inkscape.org/namespaces/inkscape}}{name}" for name in ("label", "groupmode"))


def lines(count: int, far: float = 0.6, colours: int = 1) -> Strokes:
    """Upright and turned lines of several widths, some of them partly outside."""
    draw = torch.Generator().manual_seed(count)
    centre = far * (2 * torch.rand(count, 2, generator=draw) - 1)
    half = torch.stack([0.1 + 0.4 * torch.rand(count, generator=draw), torch.linspace(0.05, 0.5, count)], -1)
    where = geometry.phi(centre, half, math.pi * torch.rand(count, generator=draw), SIZE[1] / SIZE[0])
    what = torch.linspace(0, 0.5, colours)[torch.arange(count) % colours]
    return Strokes(where[None], torch.ones(1, count, 1), what[None, :, None].expand(-1, -1, 3))


def drawn(svg: str) -> torch.Tensor:
    """Rendered on white, five pixels a unit."""
    png = bytes(resvg_py.svg_to_bytes(svg_string=svg, width=5 * SIZE[1], background="white"))
    return torch.from_numpy(np.array(Image.open(BytesIO(png)).convert("RGB"))).float() / 255


def paths(svg: str) -> list[tuple[str, list[float], float]]:
    """Colour, ends and width of every path."""
    return [
        (layer.get("stroke", ""), [float(each) for each in re.findall(r"[-\d.]+", path.get("d", ""))], float(width))
        for layer in ElementTree.fromstring(svg).iter(f"{SVG}g")
        for path in layer
        if (width := path.get("stroke-width"))
    ]


@pytest.mark.parametrize("far", [0.2, 1.2])
def test_paths_look_as_outlines_do(far: float, tmp_path: Path) -> None:
    painting = Painting(lines(12, far), LINE, torch.ones(3), SIZE)
    for name in ("a.svg", "a.plot.svg"):
        painting.save(tmp_path / name)
    outlines, plotted = (drawn((tmp_path / name).read_text()) for name in ("a.svg", "a.plot.svg"))
    assert plotted.min() < 0.01
    off = (outlines - plotted).abs()
    assert off[10:-10, 10:-10].mean() < 2e-3  # the ends of a line that is cut at the page are cut straight
    assert off.mean() < 4e-3


def test_a_line_that_is_higher_than_wide_is_one_along_its_height() -> None:
    where = geometry.phi(torch.zeros(1, 2), torch.tensor([[0.02, 6.0]]), torch.zeros(1), SIZE[1] / SIZE[0])
    svg = to_plot(Path("a.plot.svg"), Strokes(where[None], torch.ones(1, 1, 1), torch.zeros(1, 1, 3)), LINE, SIZE)
    ((_, (x0, y0, x1, y1), width),) = paths(svg)
    tall = 6 * 3 / 28 * 30
    assert [x0, x1] == [40, 40]
    assert sorted([y0, y1]) == pytest.approx([30 - tall, 30 + tall], abs=0.01)
    assert width == pytest.approx(2 * 0.02 * 30, abs=1e-3)


def test_every_colour_is_a_layer_in_the_order_in_which_it_comes() -> None:
    strokes = lines(9, colours=3)
    svg = to_plot(Path("a.plot.svg"), strokes, LINE, SIZE)
    assert [colour for colour, _, _ in paths(svg)] == ["#000000"] * 3 + ["#404040"] * 3 + ["#808080"] * 3
    layers = list(ElementTree.fromstring(svg).iter(f"{SVG}g"))
    assert [layer.get(LABEL) for layer in layers] == ["1 #000000", "2 #404040", "3 #808080"]
    assert {layer.get(MODE) for layer in layers} == {"layer"}
    assert {layer.get("fill") for layer in layers} == {"none"}
    assert len({layer.get("id") for layer in layers}) == 3
    deeper = Strokes(strokes.where, strokes.which, strokes.what, depth=-torch.arange(9.0)[None])
    turned = to_plot(Path("a.plot.svg"), deeper, LINE, SIZE)
    assert [colour for colour, _, _ in paths(turned)] == ["#808080"] * 3 + ["#404040"] * 3 + ["#000000"] * 3


def test_lines_that_are_nowhere_on_the_page_or_cannot_be_seen_are_left_out() -> None:
    strokes = lines(4, far=0.1)
    strokes.where[0, 0] = geometry.moved(strokes.where[0, 0], torch.tensor([3.0, 0.0]))
    seen = Strokes(strokes.where, strokes.which, strokes.what, torch.tensor([[1.0, 1.0, 0.0, 0.5]]))
    assert len(paths(to_plot(Path("a.plot.svg"), seen, LINE, SIZE))) == 2
    both = TemplateBank.named("line", "transparent", size=64)
    which = torch.tensor([[[1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 0.0]]])
    assert len(paths(to_plot(Path("a.plot.svg"), Strokes(strokes.where, which, strokes.what), both, SIZE))) == 2


@given(*[st.floats(-100, 200) for _ in range(4)])
def test_what_is_cut_off_is_what_lies_outside(x0: float, y0: float, x1: float, y1: float) -> None:
    start, end = torch.tensor([[x0, y0], [x1, y1]], dtype=torch.float64)
    share = torch.linspace(0, 1, 2001, dtype=torch.float64)[:, None]
    points = start + share * (end - start)
    inside = ((points >= 0) & (points <= torch.tensor([SIZE[1], SIZE[0]]))).all(1)
    ends = clipped(start, end, SIZE)
    if ends is None:
        assert inside.sum() <= 1
        return
    first, last = torch.tensor(ends, dtype=torch.float64).view(2, 2)
    step = (end - start).norm().item() / 2000 + 1e-6
    if inside.any():
        assert (points[inside][0] - first).norm() <= step
        assert (points[inside][-1] - last).norm() <= step
    assert (last - first).norm() <= (inside.sum() + 1) * step


@pytest.mark.parametrize("at_a_time", [4000, 7])
def test_the_pen_goes_on_from_the_nearest_end(at_a_time: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plot, "AT_A_TIME", at_a_time)
    strokes = lines(30, far=0.3)
    drawn = [torch.tensor(ends).view(2, 2) for _, ends, _ in paths(to_plot(Path("a.plot.svg"), strokes, LINE, SIZE))]
    alone = [to_plot(Path("a.plot.svg"), strokes[:, t : t + 1], LINE, SIZE) for t in range(30)]
    left, at = [torch.tensor(ends).view(2, 2) for svg in alone for _, ends, _ in paths(svg)], torch.zeros(2)
    for start, end in drawn:
        some = left[: at_a_time - (30 - len(left)) % at_a_time]
        nearest = min((point - at).norm() for line in some for point in line)
        assert (start - at).norm() <= nearest + 0.02
        k = next(
            k
            for k, line in enumerate(some)
            if torch.equal(line.sort(0).values, torch.stack([start, end]).sort(0).values)
        )
        left.pop(k)
        at = end
    assert not left


def test_slanted_lines_are_as_wide_as_they_are() -> None:
    """A line of JSON strokes may be any parallelogram: its width is the distance of its long sides."""
    where = torch.linalg.inv(torch.tensor([[0.5, 0.3], [0.0, 0.4]]))  # half axes in canvas units
    where = torch.cat([where, torch.zeros(2, 1)], 1)[None, None]
    svg = to_plot(Path("a.plot.svg"), Strokes(where, torch.ones(1, 1, 1), torch.zeros(1, 1, 3)), LINE, SIZE)
    ((_, ends, width),) = paths(svg)
    assert ends == pytest.approx([20, 30, 60, 30], abs=0.01)
    assert width == pytest.approx(2 * 0.4 * 30 * 3 / 28, abs=1e-3)


def test_opacity_is_kept_for_who_looks_at_it() -> None:
    strokes = lines(2, far=0.1)
    veiled = Strokes(strokes.where, strokes.which, strokes.what, torch.tensor([[0.25, 1.0]]))
    svg = to_plot(Path("a.plot.svg"), veiled, LINE, SIZE)
    assert re.findall(r'stroke-opacity="([^"]*)"', svg) == ["0.25"]


def test_a_mask_called_line_is_no_line() -> None:
    other = TemplateBank(torch.eye(16)[None], ("line",))
    with pytest.raises(UserError, match="stroke 0 is line"):
        to_plot(Path("a.plot.svg"), lines(1), other, SIZE)


def test_a_gradient_is_no_ink_of_a_pen() -> None:
    strokes = lines(1)
    with pytest.raises(UserError, match="a pen has one colour, and stroke 0 a gradient"):
        to_plot(
            Path("a"), Strokes(strokes.where, strokes.which, strokes.what, slope=torch.ones(1, 1, 3, 2)), LINE, SIZE
        )


def test_plots_are_known_by_name_and_have_the_size_asked_for(tmp_path: Path) -> None:
    assert [plot.is_plot(Path(name)) for name in ("a.PLOT.svg", "a.plot.png", "plot.svg", "a.svg")] == [True] + [
        False
    ] * 3
    Painting(lines(3), LINE, torch.ones(3), SIZE).save(tmp_path / "a.plot.svg", longer_side=800)
    assert 'width="800" height="600"' in (tmp_path / "a.plot.svg").read_text()


def test_strokes_that_are_no_lines_are_named(tmp_path: Path) -> None:
    circles = limner.paint(torch.rand(3, 30, 40), 2)
    with pytest.raises(UserError, match=r"a\.plot\.svg: a plotter draws lines, and stroke 0 is circle"):
        circles.save(tmp_path / "a.plot.svg")
    assert not list(tmp_path.iterdir())
    mixed = TemplateBank.named("line", "square", size=64)
    half = Strokes(lines(1).where, torch.tensor([[[0.5, 0.5]]]), torch.zeros(1, 1, 3))
    with pytest.raises(UserError, match="stroke 0 is line"):
        to_plot(Path("a.plot.svg"), half, mixed, SIZE)
    broken = lines(1)
    broken.where[0, 0, 0, 0] = math.nan
    with pytest.raises(NotFinite):
        to_plot(Path("a.plot.svg"), broken, LINE, SIZE)


def test_a_plot_is_scored_on_its_paper(tmp_path: Path) -> None:
    strokes, paper = lines(5, far=0.2), torch.tensor([0.9, 0.8, 0.7])
    painting = Painting(strokes, LINE, paper, SIZE)
    target = painting.render(*SIZE).permute(2, 0, 1).float() / 255
    judged = Painting(strokes, LINE, paper, SIZE, Picture(target, None, "lines"))
    for name in ("a.plot.svg", "a.svg"):
        judged.save(tmp_path / name)
    assert judged.psnr_of(tmp_path / "a.plot.svg") > 30
    assert judged.psnr_of(tmp_path / "a.plot.svg") == pytest.approx(judged.psnr_of(tmp_path / "a.svg"), abs=3)


@pytest.mark.parametrize(("colours", "pens"), [(1, "1 pen"), (3, "3 pens"), (13, "13 pens")])
def test_a_plot_is_said_to_take_as_many_pens_as_it_has_layers(colours: int, pens: str, tmp_path: Path) -> None:
    strokes, path, options = lines(26, colours=colours), tmp_path / "x.plot.svg", PaintOptions(("x.json",))
    outside = geometry.moved(strokes.where[0, 0], torch.tensor([5.0, 0.0]))
    hidden = replace(strokes[:, :1], where=outside[None, None], what=torch.full((1, 1, 3), 0.123))
    painted = Painting(strokes.then(hidden), LINE, torch.ones(3), (30, 40))
    painted.save(path)
    assert told(painted, path, options) == [pens, "27 strokes"]
    advice = ": --palette 4 asks for few" if colours == 13 else ""
    scored = painted.against(torch.ones(3, 30, 40))
    assert told(scored, path, options)[1:] == [pens + advice]
    assert told(scored, path, replace(options, palette="13"))[1:] == [pens]


def test_lines_without_size_are_no_lines() -> None:
    where = torch.zeros(1, 3, 2, 3)
    where[0, 0, 0, 0] = where[0, 1, 1, 1] = 2.0
    svg = to_plot(Path("a.plot.svg"), Strokes(where, torch.ones(1, 3, 1), torch.zeros(1, 3, 3)), LINE, SIZE)
    assert all(math.isfinite(each) for _, ends, width in paths(svg) for each in (*ends, width))
