"""Backgrounds of every kind, against a whole canvas of them."""

import weakref
from dataclasses import replace
from inspect import unwrap

import numpy as np
import pytest
import torch
from torch import Tensor

from limner import Strokes, TemplateBank, geometry, render
from limner.ground import as_canvas, ground_of

BANK = TemplateBank.named("circle")
SIZE = 9, 13
KINDS = {
    "zero": 0.0,
    "number": 0.25,
    "numpy's": np.float64(0.25),
    "scalar": torch.tensor(0.25),
    "one channel": torch.tensor([0.25]),
    "channels": torch.tensor([0.25, 0.5, 1.0]),
}
bare = unwrap(ground_of)
"""As users have it, whose types nobody checks."""


def scene(batch: int, moves: int = 4, dtype: torch.dtype = torch.float32) -> Strokes:
    torch.manual_seed(batch)
    centre, half = torch.rand(batch, moves, 2) - 0.5, 0.2 + 0.5 * torch.rand(batch, moves, 2)
    where = geometry.phi(centre, half, torch.rand(batch, moves) * 6)
    colour, opacity, depth = torch.rand(batch, moves, 3), torch.rand(batch, moves), torch.rand(batch, moves)
    strokes = Strokes(where, torch.ones(batch, moves, 1), colour, opacity, depth)
    return strokes.map(lambda tensor: tensor.to(dtype).requires_grad_())


def test_numbers_that_torch_is_still_to_negate_or_to_make() -> None:
    pictures = torch.randn(2, 3, *SIZE, dtype=torch.complex64)
    late = pictures.conj().imag
    assert late.is_neg()
    painted = render(scene(2), BANK, background=late, backend="fused")
    torch.testing.assert_close(painted, render(scene(2), BANK, background=late.clone(), backend="fused"))
    strokes = scene(2)
    canvas = render(strokes, BANK, SIZE, backend="fused")
    one, other = (torch.autograd.grad(canvas, strokes.where, g, retain_graph=True)[0] for g in (late, late.clone()))
    assert torch.equal(one, other)
    assert not torch.autograd.grad(canvas, strokes.where, torch._efficientzerotensor(canvas.shape))[0].any()
    strokes = replace(strokes, depth=None)
    late = strokes.map(lambda part: torch._neg_view(-part))
    one, other = (render(each, BANK, SIZE, backend="fused") for each in (strokes, late))
    assert torch.equal(one, other)


def whole(background: object, batch: int, dtype: torch.dtype) -> Tensor:
    colour = torch.as_tensor(background, dtype=dtype)
    return (colour[:, None, None] if colour.ndim else colour).expand(batch, 3, *SIZE).clone()


@pytest.mark.parametrize("background", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("compositing", ["over", "additive", "depth"])
@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("moves", [0, 4])
@pytest.mark.parametrize(
    ("backend", "dtype"), [("fused", torch.float32), ("reference", torch.float32), ("reference", torch.float64)]
)
def test_a_background_is_a_canvas_of_it(
    background: object, compositing: str, batch: int, moves: int, backend: str, dtype: torch.dtype
) -> None:
    strokes = scene(batch, moves, dtype)
    options = {"compositing": compositing, "backend": backend, "temperature": 0.3 if compositing == "depth" else 0.0}
    found = []
    for size, ground in ((SIZE, background), (None, whole(background, batch, dtype))):
        canvas = render(strokes, BANK, size, ground, **options)
        leaves = [tensor for name, tensor in strokes.tensors().items() if name != "depth" or compositing == "depth"]
        found.append([canvas, *torch.autograd.grad(canvas.square().sum(), leaves, allow_unused=True)])
    for ours, theirs in zip(*found, strict=True):
        assert (ours is None) == (theirs is None)
        if ours is not None:
            assert torch.equal(ours, theirs)


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("compositing", ["over", "depth"])
def test_a_background_of_channels_learns(compositing: str, batch: int) -> None:
    strokes, found = scene(batch), []
    for backend in ("fused", "reference"):
        colour = torch.tensor([0.25, 0.5, 1.0], requires_grad=True)
        options = {"compositing": compositing, "temperature": 0.3 if compositing == "depth" else 0.0}
        canvas = render(strokes, BANK, SIZE, colour, backend=backend, **options)
        found.append(torch.autograd.grad(canvas.square().sum(), colour)[0])
        assert torch.equal(colour.detach(), torch.tensor([0.25, 0.5, 1.0]))
    torch.testing.assert_close(*found)


def test_no_render_holds_what_it_painted_on() -> None:
    """A chain of them, as networks have it, would hold all canvases until the backward pass is done."""
    canvas = np.ones((2, 3, *SIZE), np.float32)
    gone = weakref.ref(canvas)
    painted = render(scene(2), BANK, None, torch.from_numpy(canvas), backend="fused")
    del canvas
    assert painted.requires_grad
    assert gone() is None


def test_a_background_is_left_as_it_was() -> None:
    strokes = scene(1)
    for background in (torch.rand(3, *SIZE)[None], torch.rand(3), torch.rand(1, 3)):
        before = background.clone()
        with torch.no_grad():
            once, twice = (render(strokes, BANK, SIZE, background, backend="fused") for _ in range(2))
        assert torch.equal(background, before)
        assert torch.equal(once, twice)


@pytest.mark.parametrize(
    "background", [1, True, np.float32(1), np.array(1.0), [1.0, 1.0, 1.0], np.ones((2, 3)), np.ones((2, 3))[::-1]]
)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_numbers_and_arrays_of_other_kinds(background: object, dtype: torch.dtype) -> None:
    what = torch.rand(2, 5, 3, dtype=dtype)
    canvas = as_canvas(bare(what, background, SIZE), what)
    assert canvas.dtype == dtype
    assert torch.equal(canvas, torch.ones(2, 3, *SIZE, dtype=dtype))


@pytest.mark.parametrize(
    "background",
    [10**400, "red", None, [0.5, "b"], torch.tensor([1, 2, 3]), np.array(["red"]), np.array([None, 1])],
    ids=lambda value: str(value)[:9],
)
@pytest.mark.parametrize("size", [SIZE, None])
def test_what_is_no_background(background: object, size: tuple[int, int] | None) -> None:
    with pytest.raises(ValueError, match=r"render: background is .*, expected numbers in \[0, 1\]"):
        bare(torch.rand(1, 5, 3), background, size)


@pytest.mark.parametrize("background", [1e39, np.float64(-1e300)])
def test_numbers_beyond_those_of_the_strokes(background: float) -> None:
    with pytest.raises(ValueError, match=r"render: background is .*, expected numbers in \[0, 1\]"):
        bare(torch.rand(1, 5, 3), background, SIZE)
    assert (
        as_canvas(bare(torch.rand(1, 5, 3).double(), background, SIZE), torch.ones(1).double())[0, 0, 0, 0]
        == background
    )
