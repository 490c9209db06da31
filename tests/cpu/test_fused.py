"""The fused kernels against the reference, evaluated in float64 on the same numbers."""

import weakref
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
import torch
from hypothesis import assume, given, settings
from scenes import KINDS, OPAQUE, by_default, compare, gradients, paint, piles, scene_of, scenes, stamp, ties
from torch import Tensor

from limner import geometry, writer
from limner.cpu import fused, gains, laying
from limner.kernels import layout, over, threads
from limner.strokes import Strokes
from limner.templates import TemplateBank
from limner.writer import render


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
    assume(not ties(scene)[0])
    compare(scene)


@settings(max_examples=200)
@given(piles())
def test_stamps_that_hide_others(scene: dict) -> None:
    assume(not ties(scene)[0])
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
    touched, alone = work
    assert (touched == alone) == (opacity == 1)


@pytest.mark.parametrize("samples", [1, 2, 4])
def test_work_is_the_same_all_along_a_wide_canvas(samples: int, monkeypatch: pytest.MonkeyPatch) -> None:
    work = []
    monkeypatch.setattr(fused, "run", lambda *args, **kwargs: work.append(args[3]) or threads.run(*args, **kwargs))
    for x in (-0.9, 0.9):
        where = geometry.phi(torch.tensor([x, 0.0]), torch.tensor([0.5, 0.5]), torch.tensor(0.0), 2000 / 32)
        strokes = Strokes(where[None, None], torch.ones(1, 1, 1), torch.ones(1, 1, 1))
        render(strokes, TemplateBank.named("circle"), (32, 2000), samples=samples, backend="fused")
    left, right = work
    assert left == pytest.approx(right, rel=0.1)


def test_nothing_is_kept_where_no_gradient_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = []
    lay_out = fused.lay_out
    monkeypatch.setattr(fused, "lay_out", lambda *args, **kwargs: kept.append(args[3]) or lay_out(*args, **kwargs))
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


@pytest.mark.parametrize("planes", [0, 1, 5])
@pytest.mark.parametrize("size", [(30, 25), (9, 150), (300, 11)])
@pytest.mark.parametrize("stamps", [3, 40])
def test_sums_under_stamps(stamps: int, size: tuple[int, int], planes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "WORTH", 1)
    where = torch.stack([stamp(kind, size) for kind in (KINDS * 5)[:stamps]])
    which = torch.cat([torch.randn(20, 3).softmax(-1), torch.nn.functional.one_hot(torch.randint(3, (20,)), 3)])[
        :stamps
    ]
    bank, values = TemplateBank(OPAQUE[28]), torch.rand(planes, *size)
    masks = writer.move_masks(
        Strokes(where[None], which[None], torch.ones(1, stamps, 1)).map(Tensor.double), bank, size
    )
    sums = gains.sums_under(where, which, bank, values)
    torch.testing.assert_close(
        sums.double(), torch.einsum("nhw,phw->np", masks[0], values.double()), rtol=1e-5, atol=1e-4
    )


def test_sums_are_float32_whatever_the_default() -> None:
    where, which, planes = torch.eye(2, 3)[None], torch.ones(1, 1), torch.ones(1, 4, 5)
    with by_default(torch.float64):
        sums = gains.sums_under(where, which, TemplateBank.named("square"), planes)
    torch.testing.assert_close(sums, torch.tensor([[20.0]]))


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
    jobs, submit = [], threads.ThreadPoolExecutor.submit
    monkeypatch.setattr(threads.ThreadPoolExecutor, "submit", lambda pool, job: jobs.append(job) or submit(pool, job))
    scene = scene_of("over")
    paint(scene["leaves"], True, scene["options"], "fused")
    assert len(jobs) == 4  # two helpers each for laying out and for painting


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


def test_any_thread_finds_what_is_not_finite(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(laying, "run", partial(threads.run, split=True))
    where = torch.randn(3, 4, 2, 3)
    where[2, 1, 1, 2] = float("nan")
    with pytest.raises(ValueError, match="where of picture 2, move 1 is not finite"):
        render(Strokes(where, torch.ones(3, 4, 1), torch.rand(3, 4, 1)), TemplateBank.named("circle"), (9, 9))


@pytest.mark.parametrize("compositing", ["additive", "over", "depth"])
def test_no_second_derivatives(compositing: str) -> None:
    scene = scene_of(compositing)
    where = scene["leaves"]["where"].requires_grad_()
    canvas = paint(scene["leaves"], True, scene["options"], "fused")
    with pytest.raises(RuntimeError, match='take backend="reference"'):
        torch.autograd.grad(canvas.square().sum(), where, create_graph=True)


@pytest.mark.parametrize("samples", [1, 2])
@pytest.mark.parametrize("compositing", ["additive", "over", "depth"])
def test_backward_twice(compositing: str, samples: int) -> None:
    scene = scene_of(compositing, samples=samples)
    leaves = [scene["leaves"][name].requires_grad_() for name in ("where", "which", "what")]
    canvas = paint(scene["leaves"], True, scene["options"], "fused")
    first, second = (torch.autograd.grad(canvas.sum(), leaves, retain_graph=True) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize("samples", [1, 2])
def test_strokes_that_do_not_lie_side_by_side(samples: int) -> None:
    scene = scene_of("over", samples=samples)
    leaves = scene["leaves"]
    scene["leaves"] = {name: leaf.transpose(0, 1).contiguous().transpose(0, 1) for name, leaf in leaves.items()}
    assert not scene["leaves"]["where"].is_contiguous()
    compare(scene)


@pytest.mark.parametrize("samples", [1, 4])
def test_a_loss_that_is_held_holds_no_memory_after_its_backward_pass(samples: int) -> None:
    scene = scene_of("over", samples=samples)
    where = scene["leaves"]["where"].requires_grad_()
    canvas = paint(scene["leaves"], True, scene["options"], "fused")
    loss, held = canvas.sum(), weakref.ref(canvas.grad_fn.plan.laid.listed)  # pyright: ignore
    loss.backward(retain_graph=True)
    assert held() is not None
    first, where.grad = where.grad, None
    loss.backward()
    assert held() is None
    assert torch.equal(first, where.grad)
    with pytest.raises(RuntimeError, match="backward through the graph a second time"):
        loss.backward()


@pytest.mark.parametrize("backend", ["reference", "fused"])
def test_more_moves_than_soft_depth_can_weigh_fade(backend: Any) -> None:
    where, depth = torch.eye(2, 3).repeat(1, 250, 1, 1).requires_grad_(), 0.1 * torch.rand(1, 250)
    strokes = Strokes(where, torch.ones(1, 250, 1), torch.full((1, 250, 1), 0.7), depth=depth)
    bank = TemplateBank.named("square")
    canvas = render(strokes, bank, (4, 4), 1.0, "depth", backend, temperature=1.0)
    assert torch.allclose(canvas, torch.zeros(4, 4), atol=1e-5)
    canvas.sum().backward()
    assert where.grad is not None
    assert where.grad.isfinite().all()


@pytest.mark.parametrize("name", ["where", "which", "what", "opacity", "slope", "background"])
def test_what_is_written_to_has_no_gradient_any_more(name: str) -> None:
    """As with torch's own operations; a background is needed again by soft depth only."""
    leaves = {"where": torch.randn(1, 3, 2, 3), "which": torch.rand(1, 3, 2), "what": torch.rand(1, 3, 1)}
    leaves |= {"opacity": torch.rand(1, 3), "depth": torch.rand(1, 3), "background": torch.rand(1, 1, 9, 9)}
    leaves |= {"slope": torch.randn(1, 3, 1, 2)}
    leaves = {key: leaf.requires_grad_() for key, leaf in leaves.items()}
    strokes = Strokes(**{key: leaf for key, leaf in leaves.items() if key != "background"})
    bank = TemplateBank.named("circle", "line", size=8)
    canvas = render(strokes, bank, None, leaves["background"], "depth", "fused", temperature=0.5)
    with torch.no_grad():
        leaves[name].mul_(0.5)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        canvas.sum().backward()


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


def test_levels_where_the_last_digit_decides() -> None:
    """A texel step of the root of two in exact numbers, which takes the finer level."""
    where = torch.tensor([[1.25, 1.25, 0], [-1.25, 1.25, 0]])[None, None]
    strokes = Strokes(where, torch.ones(1, 1, 1), torch.ones(1, 1, 1))
    fused, reference = (
        render(strokes, TemplateBank.named("circle", size=28), (35, 35), backend=backend)
        for backend in ("fused", "reference")
    )
    torch.testing.assert_close(fused, reference, rtol=0, atol=1e-5)
