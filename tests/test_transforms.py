"""PyTorch's transforms of functions through `render`, against its backward passes one by one; and what compiles it."""

import copy
import subprocess
import sys
from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.autograd import forward_ad

from limner.strokes import Strokes
from limner.templates import TemplateBank
from limner.writer import TemplateWriter, render

pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit.script`:DeprecationWarning")  # of PyTorch's own
SIZE = 9, 8


def scene() -> tuple[Tensor, Callable[[Tensor], Tensor]]:
    """Where of a batch of two, and its paintings by the backend that limner chooses."""
    bank = TemplateBank.named("circle", "square", size=11)
    where = 2 * torch.eye(2, 3).repeat(2, 3, 1, 1) + 0.2 * torch.randn(2, 3, 2, 3)
    which, what, depth = torch.randn(2, 3, 2).softmax(-1), torch.rand(2, 3, 3), torch.rand(2, 3)

    def paint(where: Tensor) -> Tensor:
        return render(Strokes(where, which, what, depth=depth), bank, SIZE, 0.3, "depth", temperature=0.1)

    return where, paint


def pulled(paint: Callable[[Tensor], Tensor], where: Tensor, cotangent: Tensor) -> Tensor:
    leaf = where.clone().requires_grad_()
    return torch.autograd.grad(paint(leaf), leaf, cotangent)[0]


def close(found: Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("learning", [False, True])
def test_forward_mode(learning: bool) -> None:
    where, paint = scene()
    tangent, cotangent = torch.randn_like(where), torch.randn(2, 3, *SIZE)
    with torch.set_grad_enabled(learning), forward_ad.dual_level():
        moved = forward_ad.unpack_dual(paint(forward_ad.make_dual(where, tangent))).tangent
    assert moved is not None
    close((moved * cotangent).sum(), (pulled(paint, where, cotangent) * tangent).sum())


def test_derivatives_of_functions() -> None:
    where, paint = scene()
    tangent, cotangent = torch.randn_like(where), torch.randn(2, 3, *SIZE)
    expected = pulled(paint, where, cotangent)
    close(torch.func.grad(lambda where: (paint(where) * cotangent).sum())(where), expected)
    _, moved = torch.func.jvp(paint, (where,), (tangent,))
    close((moved * cotangent).sum(), (expected * tangent).sum())
    rows = torch.stack([pulled(lambda where: paint(where).sum((1, 2, 3)), where, row) for row in torch.eye(2)])
    for jacobian in (torch.func.jacrev, torch.func.jacfwd):
        close(jacobian(lambda where: paint(where).sum((1, 2, 3)))(where), rows)


def test_depth_moves_pictures_straight_through() -> None:
    where, which, what = 2 * torch.eye(2, 3).repeat(2, 3, 1, 1), torch.ones(2, 3, 1), torch.rand(2, 3, 3)
    depth, tangent, bank = torch.rand(2, 3), torch.randn(2, 3), TemplateBank.named("circle")

    def paint(depth: Tensor) -> Tensor:
        return render(Strokes(where, which, what, depth=depth), bank, SIZE, 0.3, "depth", "auto", 0.5, True)

    cotangent = torch.randn(2, 3, *SIZE)
    expected = (pulled(paint, depth, cotangent) * tangent).sum()
    assert expected.abs() > 0.1
    _, moved = torch.func.jvp(paint, (depth,), (tangent,))
    close((moved * cotangent).sum(), expected)
    with torch.no_grad(), forward_ad.dual_level():
        moved = forward_ad.unpack_dual(paint(forward_ad.make_dual(depth, tangent))).tangent
    assert moved is not None
    close((moved * cotangent).sum(), expected)


def test_nan_stays_nan() -> None:
    where, paint = scene()
    several = torch.stack([where, where])
    several[1, 0, 0, 0, 0] = torch.nan
    found = torch.func.vmap(paint)(several)
    assert found[0].isfinite().all()
    assert found[1, 0].isnan().any()


def test_many_at_once() -> None:
    where, paint = scene()
    several = torch.stack([where, 1.2 * where, 0.7 * where])
    torch.testing.assert_close(torch.func.vmap(paint)(several), torch.stack([paint(one) for one in several]))
    found = torch.func.vmap(torch.func.grad(lambda where: paint(where).square().sum()))(several)
    for one, gradient in zip(several, found, strict=True):
        close(gradient, pulled(lambda where: paint(where).square().sum(), one, torch.ones(())))


def test_a_bank_keeps_nothing_of_a_transform() -> None:
    bank = TemplateBank.named("circle", size=13)
    writer = TemplateWriter(bank)
    scores = torch.randn(2, 3, 2, 3), torch.randn(2, 3, 1), torch.randn(2, 3, 3)
    torch.func.grad(lambda where: writer(where, *scores[1:], torch.zeros(2, 3, 8, 8)).sum())(scores[0])
    torch.func.grad(lambda where: render(writer.strokes(where, *scores[1:]), bank, SIZE).sum())(scores[0])
    kept = copy.deepcopy(bank.pyramid).texels
    assert torch.equal(kept, TemplateBank.named("circle", size=13).pyramid.texels)
    masks = dict(writer.named_buffers())["masks"]
    given = *scores, torch.zeros(2, 3, 8, 8)
    torch.func.grad(lambda masks: torch.func.functional_call(writer, {"masks": masks}, given).sum())(masks)
    assert torch.equal(copy.deepcopy(writer).bank.pyramid.texels, kept)


def test_a_writer_keeps_no_masks_that_it_is_lent_to_learn() -> None:
    writer = TemplateWriter(TemplateBank.named("circle", size=13))
    h = torch.randn(2, 3, 2, 3), torch.randn(2, 3, 1), torch.randn(2, 3, 3)
    masks = (0.5 * writer.masks).requires_grad_()
    painted = torch.func.functional_call(writer, {"masks": masks.square()}, (*h, torch.zeros(2, 3, 8, 8)))
    (slope,) = torch.autograd.grad(painted.sum(), masks)
    assert slope.any()
    assert torch.equal(copy.deepcopy(writer).bank.masks, writer.masks)


def test_the_kernels_say_that_they_cannot() -> None:
    where = torch.randn(3, 1, 2, 2, 3)

    def paint(where: Tensor) -> Tensor:
        strokes = Strokes(where, torch.ones(1, 2, 1), torch.ones(1, 2, 1))
        return render(strokes, TemplateBank.named("circle"), SIZE, backend="fused")

    for transform in (torch.func.grad, torch.func.vmap, torch.func.jacfwd):
        with pytest.raises(ValueError, match='need backend="reference" or "auto"'):
            transform(paint)(where if transform is torch.func.vmap else where[0])


def test_a_batch_of_gradients_needs_the_reference() -> None:
    bank = TemplateBank.named("circle")
    where = torch.randn(2, 2, 2, 3, requires_grad=True)
    strokes = Strokes(where, torch.ones(2, 2, 1), torch.ones(2, 2, 1))
    sums = render(strokes, bank, SIZE).sum((1, 2, 3))
    with pytest.raises(RuntimeError, match='no batch of gradients: take backend="reference"'):
        torch.autograd.grad(sums, where, torch.eye(2), is_grads_batched=True, retain_graph=True)
    rows = [torch.autograd.grad(sums, where, row, retain_graph=True)[0] for row in torch.eye(2)]
    sums = render(strokes, bank, SIZE, backend="reference").sum((1, 2, 3))
    close(torch.autograd.grad(sums, where, torch.eye(2), is_grads_batched=True)[0], torch.stack(rows))


def test_what_is_compiled_paints_the_same() -> None:
    """In a process of its own: the compiler must not look into kernels that have not been compiled yet."""
    code = """if True:
        import torch, limner
        writer = limner.TemplateWriter(limner.TemplateBank.named("circle", "square"))
        scores = torch.randn(2, 3, 2, 3), torch.randn(2, 3, 2), torch.randn(2, 3, 1)
        painted = torch.compile(writer, backend="eager")(*scores, torch.zeros(2, 1, 9, 9))
        assert torch.equal(painted, writer(*scores, torch.zeros(2, 1, 9, 9)))
    """
    subprocess.run([sys.executable, "-W", "error::UserWarning", "-c", code], check=True)


@pytest.mark.parametrize("used", [False, True])
def test_a_trace_paints_the_same(used: bool) -> None:
    code = f"""if True:
        import torch, limner
        writer = limner.TemplateWriter(limner.TemplateBank.named("circle", "square"))
        def given():
            return *(torch.randn(2, 3, *size) for size in ((2, 3), (2,), (1,))), torch.zeros(2, 1, 9, 9)
        if {used}:
            writer(*given())
        traced, other = torch.jit.trace(writer, given()), given()
        torch.testing.assert_close(traced(*other), writer(*other))
    """
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True)


@pytest.mark.parametrize("learnable", [False, True])
def test_the_reference_is_one_graph(learnable: bool) -> None:
    code = f"""if True:
        import torch, limner
        bank = limner.TemplateBank.named("circle", "square")
        def given(batch):
            return *(torch.randn(batch, 3, size) for size in (6, 2, 1)), torch.zeros(batch, 1, 9, 9)
        class Painter(torch.nn.Module):
            def __init__(self, **options):
                super().__init__()
                self.writer = limner.TemplateWriter(bank, learnable={learnable}, gamma=3.0, **options)
            def forward(self, where, which, what, canvas):
                return self.writer(where.unflatten(-1, (2, 3)), which, what, canvas)
        painter, other = Painter(), given(5)
        batch = torch.export.Dim("batch")
        exported = torch.export.export(painter, given(2), dynamic_shapes=[{{0: batch}}] * 4).module()
        torch.testing.assert_close(exported(*other), painter(*other))
        painter = Painter(backend="reference")
        compiled = torch.compile(painter, backend="eager", fullgraph=True)
        torch.testing.assert_close(compiled(*other), painter(*other))
    """
    subprocess.run([sys.executable, "-c", code], check=True)
