"""The fused kernels against the reference, evaluated in float64 on the same numbers."""

import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import Tensor

import limner
from limner import fused, geometry, writer
from limner.kernels import layout, over, threads
from limner.strokes import Strokes
from limner.templates import TemplateBank
from limner.writer import render

TIE = 1e-5
"""Texels: a float32 position this near to the border of a texel cell may be taken for one in the next cell."""


def stamp(kind: str, size: tuple[int, int]) -> Tensor:
    """One Phi of a kind, (2, 3)."""
    near = torch.randn(2, 3) * torch.tensor([1.5, 1.5, 0.5])
    if kind == "mirrored":
        return torch.tensor([[-2.0, 0, 0], [0, 2, 0]]) + 0.1 * torch.randn(2, 3)
    if kind == "sheared":
        return torch.tensor([[1.0, 5.0, 0], [0, 1, 0]]) + 0.1 * torch.randn(2, 3)
    if kind == "rank one":
        return torch.outer(torch.randn(2), torch.tensor([1.0, -0.7, 0.2]))
    if kind == "zero":
        return torch.zeros(2, 3)
    if kind == "outside":
        return near + torch.tensor([[0.0, 0, 40], [0, 0, -40]])
    if kind in ("tiny", "huge"):
        sides = torch.tensor(size[::-1])
        pixel = (2 * (torch.rand(2) * sides).long() + 1) / sides - 1
        half = 2 / size[0] * (1e-6 if kind == "tiny" else 1e6)
        return geometry.phi(pixel.double(), torch.full((2,), half).double(), torch.rand(()).double()).float()
    return near


SAMPLES = (1, 1, 2, 3, 4)
KINDS = ("near", "mirrored", "sheared", "rank one", "zero", "outside", "tiny", "huge")


@st.composite
def scenes(draw) -> dict:
    """Leaves by name, and how to render them."""
    torch.manual_seed(draw(st.integers(0, 2**30)))
    size = draw(st.tuples(st.integers(1, 40), st.integers(1, 40)) | st.just((150, 9)) | st.just((1, 1)))
    batch, moves, templates = draw(st.integers(0, 2)), draw(st.integers(0, 5)), draw(st.integers(1, 5))
    channels, side = draw(st.sampled_from((1, 3))), draw(st.integers(1, 12))
    kinds = [draw(st.sampled_from(KINDS)) for _ in range(batch * moves)]
    where = torch.stack([torch.zeros(2, 3), *(stamp(kind, size) for kind in kinds)])[1:].view(batch, moves, 2, 3)
    which = torch.randn(batch, moves, templates).softmax(-1)
    choice = draw(st.sampled_from(("soft", "hard", "some zero")))
    if choice != "soft":
        which = which * (which >= which.max(-1, keepdim=True).values * (1 if choice == "hard" else 0.5))
        which = which / which.sum(-1, keepdim=True)
    masks = torch.rand(templates, side, side)
    if draw(st.booleans()):
        masks = (masks > 0.2).float()
    leaves = {"where": where, "which": which, "what": torch.rand(batch, moves, channels), "masks": masks}
    leaves["background"] = torch.rand(batch, channels, *size)
    compositing = draw(st.sampled_from(("additive", "over", "depth")))
    if compositing == "depth" or draw(st.booleans()):
        leaves["depth"] = torch.rand(batch, moves)
    if draw(st.booleans()):
        leaves["opacity"] = torch.rand(batch, moves).round(decimals=draw(st.sampled_from((0, 4))))
    if draw(st.booleans()):
        leaves["slope"] = 0.3 * torch.randn(batch, moves, channels, 2)
    wanted = draw(st.sets(st.sampled_from(sorted(leaves))))
    temperature = draw(st.sampled_from((0.05, 0.5))) if compositing == "depth" else 0.0
    options = {"compositing": compositing, "temperature": temperature, "samples": draw(st.sampled_from(SAMPLES))}
    return {"leaves": leaves, "wanted": sorted(wanted), "prefilter": draw(st.booleans()), "options": options}


def paint(leaves: dict[str, Tensor], prefilter: bool, options: dict, backend: str) -> Tensor:
    strokes = Strokes(**{name: leaf for name, leaf in leaves.items() if name not in ("masks", "background")})
    bank = TemplateBank(leaves["masks"], prefilter=prefilter)
    return render(strokes, bank, background=leaves["background"], backend=backend, **options)


def gradients(scene: dict, backend: str, dtype: torch.dtype, cotangent: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
    """Canvas, and gradients to the wanted leaves."""
    leaves = {name: leaf.to(dtype, copy=True) for name, leaf in scene["leaves"].items()}
    wanted = [leaves[name].requires_grad_() for name in scene["wanted"]]
    canvas = paint(leaves, scene["prefilter"], scene["options"], backend)
    if not canvas.requires_grad:
        return canvas, {}
    found = torch.autograd.grad(canvas, wanted, cotangent.to(dtype), allow_unused=True)
    return canvas.detach(), {n: g for n, g in zip(scene["wanted"], found, strict=True) if g is not None}


def ties(scene: dict) -> tuple[bool, Tensor]:
    """Whether a level hangs on the last digit; pixels (batch, 1, H, W) that some stamp samples on the border of a cell.

    There the mask bends and has no gradient: rounding decides which of the two sides' is taken.
    """
    where, side = scene["leaves"]["where"].double(), scene["leaves"]["masks"].shape[-1]
    size, samples = tuple(scene["leaves"]["background"].shape[-2:]), scene["options"].get("samples", 1)
    level, sizes = torch.zeros(*where.shape[:-1], dtype=torch.long), torch.tensor([side])
    unsure = False
    if scene["prefilter"]:
        bank = TemplateBank(torch.ones(1, side, side))
        sizes = bank.pyramid.sizes
        nudged = [
            geometry.prefilter_levels(where * scale, size, side, len(sizes), samples) for scale in (1 - 1e-6, 1 + 1e-6)
        ]
        level, unsure = nudged[0], bool((nudged[0] != nudged[1]).any())
    texels = sizes[level][:, :, None, None]
    fine = geometry.canvas_points(size[0] * samples, size[1] * samples, dtype=torch.float64)
    points = torch.einsum("hwk,btpk->bthwp", fine, where)
    position = ((points + 1) * texels - 1) / 2
    inside = ((position > -1 - TIE) & (position < texels + TIE)).all(-1)
    bends = ((position - position.round()).abs() < TIE).any(-1) & inside
    return unsure, torch.nn.functional.max_pool2d(bends.any(1, keepdim=True).double(), samples) > 0


@pytest.mark.parametrize("side", [100, 253, 1500])
def test_large_templates_are_looked_up_as_exactly(side: int) -> None:
    torch.manual_seed(side)
    ramp = torch.linspace(0, 1, side)
    masks = torch.stack([ramp.expand(side, side), (12 * ramp).sin()[:, None] * (9 * ramp).cos()]).abs()
    where = torch.tensor([[1.0, 0.2, 0], [-0.2, 1, 0]]).repeat(1, 3, 1, 1) + 0.05 * torch.randn(1, 3, 2, 3)
    leaves = {"where": where, "which": torch.rand(1, 3, 2).softmax(-1), "what": torch.rand(1, 3, 1), "masks": masks}
    leaves["background"] = torch.zeros(1, 1, 60, 50)
    ours, theirs = (
        paint({name: leaf.to(dtype) for name, leaf in leaves.items()}, False, {}, backend)
        for backend, dtype in (("fused", torch.float32), ("reference", torch.float64))
    )
    torch.testing.assert_close(ours.double(), theirs, rtol=0, atol=1e-5)


@settings(max_examples=300)
@given(scenes())
def test_equals_the_reference(scene: dict) -> None:
    compare(scene)


def compare(scene: dict) -> None:
    """Assert that both backends find the same canvas and gradients."""
    unsure, bent = ties(scene)
    assume(not unsure)
    cotangent = torch.randn_like(scene["leaves"]["background"]) * ~bent
    ours = gradients(scene, "fused", torch.float32, cotangent)
    theirs = gradients(scene, "reference", torch.float64, cotangent)
    torch.testing.assert_close(ours[0].double(), theirs[0], rtol=0, atol=1e-5)
    assert ours[1].keys() >= theirs[1].keys()
    rounding = 1e-6 + 1e-7 * cotangent.norm().item()  # of a float32 sum over the canvas, whose terms may cancel
    for name, true in theirs[1].items():
        largest = true.abs().max().item() if true.numel() else 0.0
        torch.testing.assert_close(ours[1][name].double(), true, rtol=0, atol=1e-4 * largest + rounding)


OPAQUE = {size: TemplateBank.named("circle", "square", "line", size=size).masks for size in (3, 9, 28)}


@st.composite
def piles(draw) -> dict:
    """Scenes of many stamps, most of them opaque, which hide much of each other."""
    torch.manual_seed(draw(st.integers(0, 2**30)))
    size = draw(st.sampled_from(((30, 25), (9, 150), (150, 9), (20, 300), (1, 64), (16, 65))))
    moves, channels = draw(st.integers(1, 15)), draw(st.sampled_from((1, 3)))
    where = torch.randn(2, moves, 2, 3) * draw(st.sampled_from((0.3, 0.7)))
    where[..., 0, 0] += draw(st.sampled_from((0.3, 1.5, 4.0)))
    where[..., 1, 1] += draw(st.sampled_from((0.3, 1.5)))
    leaves = {
        "where": where,
        "which": torch.nn.functional.one_hot(torch.randint(3, (2, moves)), 3).float(),
        "what": torch.rand(2, moves, channels),
        "masks": OPAQUE[draw(st.sampled_from(sorted(OPAQUE)))],
        "background": torch.rand(2, channels, *size),
    }
    if draw(st.booleans()):
        leaves["opacity"] = (torch.rand(2, moves) < 0.7).float().clamp(min=0.5)
    if draw(st.booleans()):
        leaves["slope"] = 0.3 * torch.randn(2, moves, channels, 2)
    wanted = draw(st.sets(st.sampled_from(sorted(leaves.keys() - {"masks"}))))
    options = {"compositing": draw(st.sampled_from(("over", "over", "additive", "depth")))}
    options["samples"] = draw(st.sampled_from(SAMPLES))
    if options["compositing"] == "depth":
        leaves["depth"], options["temperature"] = torch.rand(2, moves), draw(st.sampled_from((0.0, 0.3)))
    return {"leaves": leaves, "wanted": sorted(wanted), "prefilter": draw(st.booleans()), "options": options}


@settings(max_examples=200)
@given(piles())
def test_stamps_that_hide_others(scene: dict) -> None:
    compare(scene)


@pytest.mark.parametrize("opacity", [1.0, 0.99])
def test_what_is_hidden_is_not_worked_on(opacity: float, monkeypatch: pytest.MonkeyPatch) -> None:
    work = []
    monkeypatch.setattr(fused, "run", lambda *args, **kwargs: work.append(args[3]) or threads.run(*args, **kwargs))
    below, cover = torch.tensor([[2.0, 0, 0.5], [0, 2, 0]]), 0.8 * torch.eye(2, 3)
    for where in (torch.stack([below] * 5 + [cover]), cover[None]):
        strokes = Strokes(where[None], torch.ones(1, len(where), 1), torch.rand(1, len(where), 1))
        strokes = replace(strokes, opacity=torch.full((1, len(where)), opacity))
        render(strokes, TemplateBank.named("square"), (40, 90), backend="fused")
    touched, alone = work[1::2]  # laying out comes first
    assert (touched == alone) == (opacity == 1)


@pytest.mark.parametrize("samples", [1, 2, 4])
def test_work_is_the_same_all_along_a_wide_canvas(samples: int, monkeypatch: pytest.MonkeyPatch) -> None:
    work = []
    monkeypatch.setattr(fused, "run", lambda *args, **kwargs: work.append(args[3]) or threads.run(*args, **kwargs))
    for x in (-0.9, 0.9):
        where = geometry.phi(torch.tensor([x, 0.0]), torch.tensor([0.5, 0.5]), torch.tensor(0.0), 2000 / 32)
        strokes = Strokes(where[None, None], torch.ones(1, 1, 1), torch.ones(1, 1, 1))
        render(strokes, TemplateBank.named("circle"), (32, 2000), samples=samples, backend="fused")
    left, right = work[1::2]
    assert left == pytest.approx(right, rel=0.1)


def test_nothing_is_kept_where_no_gradient_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = []
    lay_out = fused._lay_out
    monkeypatch.setattr(fused, "_lay_out", lambda *args, **kwargs: kept.append(args[3]) or lay_out(*args, **kwargs))
    scene = scene_of("over", samples=2)
    for samples in (1, 2):
        scene["options"]["samples"] = samples
        leaves = {name: leaf.clone().requires_grad_() for name, leaf in scene["leaves"].items()}
        paint(leaves, True, scene["options"], "fused")
        with torch.no_grad():
            assert not paint(leaves, True, scene["options"], "fused").requires_grad
    assert kept == [layout.PIXELS, layout.NOTHING, layout.MASKS, layout.ONE_MASK]


@pytest.mark.parametrize("half", [1e-6, 1e-3, 0.02])
@pytest.mark.parametrize("samples", [2, 3, 4])
@pytest.mark.parametrize("backend", ["reference", "fused"])
def test_the_fill_of_a_thin_stamp_keeps_its_range(backend: str, samples: int, half: float) -> None:
    shift = 0 if samples % 2 else 1 / (20 * samples)
    where = geometry.phi(torch.tensor([0.05 + shift, 0.05 + shift]), torch.tensor([half, 0.5]), torch.tensor(0.3))
    slope = torch.tensor([[[[0.2, -0.1], [0.0, 0.3], [0.1, 0.0]]]])
    filled = Strokes(where[None, None], torch.ones(1, 1, 1), torch.full((1, 1, 3), 0.5), slope=slope)
    white = replace(filled, what=torch.ones(1, 1, 3), slope=None)
    bank = TemplateBank.named("circle")
    for compositing in ("over", "additive"):
        canvas, mask = (
            render(strokes, bank, (20, 20), compositing=compositing, samples=samples, backend=backend)
            for strokes in (filled, white)
        )
        fill = canvas[mask > 1e-3] / mask[mask > 1e-3]
        assert fill.numel()
        assert fill.min() > 0.19
        assert fill.max() < 0.81


def scene_of(
    compositing: str, size: tuple[int, int] = (30, 25), batch: int = 5, moves: int = 4, samples: int = 1
) -> dict:
    """Stamps all over the canvas, of three templates, and everything is learnt."""
    where = torch.stack([stamp("near", size) for _ in range(batch * moves)]).view(batch, moves, 2, 3)
    leaves = {
        "where": where,
        "which": torch.randn(batch, moves, 3).softmax(-1),
        "what": torch.rand(batch, moves, 3),
        "opacity": torch.rand(batch, moves),
        "slope": torch.randn(batch, moves, 3, 2),
        "depth": torch.rand(batch, moves),
        "masks": torch.rand(3, 9, 9),
        "background": torch.rand(batch, 3, *size),
    }
    options = {"compositing": compositing, "temperature": 0.3 if compositing == "depth" else 0.0, "samples": samples}
    return {"leaves": leaves, "wanted": sorted(leaves), "prefilter": True, "options": options}


@pytest.mark.parametrize("planes", [0, 1, 5])
@pytest.mark.parametrize("size", [(30, 25), (9, 150), (300, 11)])
def test_sums_under_stamps(size: tuple[int, int], planes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "WORTH", 1)
    where = torch.stack([stamp(kind, size) for kind in KINDS * 5])
    which = torch.cat([torch.randn(20, 3).softmax(-1), torch.nn.functional.one_hot(torch.randint(3, (20,)), 3)])
    bank, values = TemplateBank(OPAQUE[28]), torch.rand(planes, *size)
    masks = writer.move_masks(Strokes(where[None], which[None], torch.ones(1, 40, 1)).map(Tensor.double), bank, size)
    sums = fused.sums_under(where, which, bank, values)
    torch.testing.assert_close(
        sums.double(), torch.einsum("nhw,phw->np", masks[0], values.double()), rtol=1e-5, atol=1e-4
    )


@pytest.mark.parametrize("samples", [1, 3])
@pytest.mark.parametrize("size", [(30, 25), (300, 11)])
@pytest.mark.parametrize("compositing", ["additive", "over", "depth"])
def test_same_bytes_whatever_the_threads(
    compositing: str, size: tuple[int, int], samples: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threads, "WORTH", 1)
    scene = scene_of(compositing, size, samples=samples)
    cotangent, before = torch.randn(5, 3, *size), torch.get_num_threads()
    found = []
    try:
        for count in (1, 2, 3):
            torch.set_num_threads(count)
            canvas, grads = gradients(scene, "fused", torch.float32, cotangent)
            found.append([canvas, *(grads[name] for name in sorted(grads))])
            still = paint(scene["leaves"], True, scene["options"], "fused")  # keeps nothing for a backward pass
            torch.testing.assert_close(still, canvas, rtol=0, atol=1e-6)
    finally:
        torch.set_num_threads(before)
    for others in found[1:]:
        assert all(torch.equal(ours, theirs) for ours, theirs in zip(found[0], others, strict=True))


def test_several_threads_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "WORTH", 1)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 3)
    asked = []
    pool = threads._pool
    monkeypatch.setattr(threads, "_pool", lambda process, count: asked.append(count) or pool(process, count))
    scene = scene_of("over")
    paint(scene["leaves"], True, scene["options"], "fused")
    assert asked == [3, 3] * 2  # two helpers each for laying out and for painting


@pytest.mark.parametrize(("width", "samples"), [(40000, 1), (12000, 4)])
def test_wide_canvas(width: int, samples: int) -> None:
    where = torch.tensor([[[[1.2, 0, -1.0], [0, 0.5, 0]]]])
    strokes = Strokes(where, torch.ones(1, 1, 1), torch.ones(1, 1, 1))
    bank = TemplateBank.named("circle")
    ours, theirs = (render(s, bank, (2, width), samples=samples) for s in (strokes, strokes.map(Tensor.double)))
    assert theirs[..., width - 1000 :].max() > 0.5
    torch.testing.assert_close(ours.double(), theirs, rtol=0, atol=1e-5)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("compositing", ["additive", "over", "depth"])
def test_where_that_is_not_finite(compositing: str, value: float) -> None:
    scene = scene_of(compositing)
    scene["leaves"]["where"][1, 2, 0, 1] = value
    with pytest.raises(ValueError, match="where of picture 1, move 2 is not finite"):
        paint(scene["leaves"], True, scene["options"], "fused")


@pytest.mark.parametrize("compositing", ["additive", "over", "depth"])
def test_no_second_derivatives(compositing: str) -> None:
    scene = scene_of(compositing)
    where = scene["leaves"]["where"].requires_grad_()
    canvas = paint(scene["leaves"], True, scene["options"], "fused")
    (slope,) = torch.autograd.grad(canvas.square().sum(), where, create_graph=True)
    with pytest.raises(RuntimeError, match="differentiate twice"):
        slope.sum().backward()


@pytest.mark.parametrize("samples", [1, 2])
@pytest.mark.parametrize("compositing", ["additive", "over", "depth"])
def test_backward_twice(compositing: str, samples: int) -> None:
    scene = scene_of(compositing, samples=samples)
    leaves = [scene["leaves"][name].requires_grad_() for name in ("where", "which", "what")]
    canvas = paint(scene["leaves"], True, scene["options"], "fused")
    first, second = (torch.autograd.grad(canvas.sum(), leaves, retain_graph=True) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


def test_auto_picks_by_dtype(monkeypatch: pytest.MonkeyPatch) -> None:
    picked = []

    def picks(name: str):
        return lambda strokes, bank, canvas, *_, **__: picked.append(name) or canvas

    monkeypatch.setattr(fused, "paint_fused", picks("fused"))
    monkeypatch.setattr(writer, "paint_reference", picks("reference"))
    scene = scene_of("over")
    for dtype in (torch.float64, torch.float32):
        paint({name: leaf.to(dtype) for name, leaf in scene["leaves"].items()}, True, scene["options"], "auto")
    assert picked == ["reference", "fused"]


def test_fused_refuses_float64() -> None:
    scene = scene_of("over")
    leaves = {name: leaf.double() for name, leaf in scene["leaves"].items()}
    with pytest.raises(ValueError, match="fused backend needs float32"):
        paint(leaves, True, scene["options"], "fused")


def test_a_template_follows_its_masks() -> None:
    masks = torch.rand(1, 4, 4, requires_grad=True)
    strokes = Strokes(*(torch.ones(1, 1, *shape) for shape in ((2, 3), (1,), (1,))))
    strokes = replace(strokes, where=torch.tensor([[[[1.0, 0, 0], [0, 1, 0]]]]))
    bank = TemplateBank(masks)
    before = render(strokes, bank, (8, 8), backend="fused")
    with torch.no_grad():
        masks.mul_(0.5)
    torch.testing.assert_close(render(strokes, bank, (8, 8), backend="fused"), 0.5 * before)


def test_kernels_are_compiled() -> None:
    scene = scene_of("over")
    paint(scene["leaves"], True, scene["options"], "fused")
    assert over.forward.signatures


def test_without_a_cache_folder(tmp_path: Path) -> None:
    """No folder can be made below a file, whoever asks: neither beside the package nor the user's own cache."""
    package = tmp_path / "site" / "limner"
    shutil.copytree(Path(limner.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    (package / "kernels" / "__pycache__").touch()
    (tmp_path / "file").touch()
    below = str(tmp_path / "file" / "cache")
    bank = "limner.TemplateBank.named('circle')"
    code = f"import limner, limner.fused as f; print(f.cells_of({bank}.pyramid).outlines.sum())"
    places = {"PYTHONPATH": str(package.parent), "XDG_CACHE_HOME": below, "HOME": below, "NUMBA_CACHE_DIR": below}
    ran = subprocess.run([sys.executable, "-c", code], env={**os.environ, **places}, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert ran.stderr.count("no writable cache folder, so kernels are compiled in every run") == 1
    outlines = fused.cells_of(TemplateBank.named("circle").pyramid).outlines
    assert float(ran.stdout) == pytest.approx(outlines.sum(), rel=1e-6)
