"""What `render` paints on, in which order and precision, and what it refuses."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from limner.errors import NotFinite
from limner.strokes import Strokes
from limner.templates import TemplateBank
from limner.writer import TemplateWriter, render

BANK = TemplateBank.named("circle", "square", "line", size=12)


def scores(batch: int = 2, moves: int = 3, channels: int = 3) -> tuple[Tensor, Tensor, Tensor]:
    return torch.randn(batch, moves, 2, 3), torch.randn(batch, moves, 3), torch.randn(batch, moves, channels)


@pytest.mark.parametrize(
    "background",
    [0.25, torch.full((3,), 0.25), torch.full((2, 3), 0.25), torch.full((2, 3, 6, 5), 0.25)],
    ids=["number", "channel", "batch", "canvas"],
)
def test_backgrounds(background: float | Tensor) -> None:
    h = scores()
    strokes = TemplateWriter(BANK).strokes(*h)
    expected = render(strokes, BANK, None, torch.full((2, 3, 6, 5), 0.25), backend="reference")
    assert torch.equal(render(strokes, BANK, (6, 5), background, backend="reference"), expected)


def test_a_background_is_not_painted_on() -> None:
    strokes, ground = TemplateWriter(BANK).strokes(*scores()), torch.zeros(2, 3, 6, 5)
    for backend in ("reference", "fused"):
        render(strokes, BANK, background=ground, backend=backend)
        assert not ground.any()


@pytest.mark.parametrize("backend", ["reference", "fused"])
def test_without_moves_the_canvas_is_a_copy(backend: Any) -> None:
    ground = torch.rand(2, 3, 6, 5)
    before = ground.clone()
    render(TemplateWriter(BANK).strokes(*scores(moves=0)), BANK, background=ground, backend=backend).zero_()
    assert torch.equal(ground, before)


def strokes_with(**fields: Any) -> Strokes:
    return Strokes(**{**TemplateWriter(BANK).strokes(*scores()).tensors(), **fields})


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("compositing", ["over", "additive", "depth"])
@pytest.mark.parametrize("backend", ["reference", "fused"])
def test_nan_names_picture_and_move(backend: Any, compositing: Any, bad: float) -> None:
    """As they are given, in whatever order they are painted, and whichever thread finds them."""
    torch.manual_seed(0)
    where, which, what = torch.randn(40, 70, 2, 3), torch.ones(40, 70, len(BANK)) / len(BANK), torch.rand(40, 70, 1)
    where[37, 66, 0, 1] = bad
    depths = [torch.rand(40, 70)] if compositing == "depth" else [None, torch.rand(40, 70)]
    for depth in depths:
        with pytest.raises(NotFinite, match="where of picture 37, move 66 is not finite"):
            render(Strokes(where, which, what, None, depth), BANK, (4, 4), 0.0, compositing, backend)


@pytest.mark.parametrize("backend", ["reference", "fused"])
def test_huge_numbers_are_numbers(backend: Any) -> None:
    where = 3e38 * torch.tensor([[1, 0, 0.5], [0, 1, 0.5]]).repeat(2, 3, 1, 1)
    assert not render(strokes_with(where=where), BANK, (4, 4), backend=backend).any()
    tilted = strokes_with(where=where, slope=torch.full((2, 3, 3, 2), 20.0))
    assert not render(tilted, BANK, (4, 4), backend=backend).any()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, r"give size=\(height, width\)"),
        ({"size": (0, 4)}, r"size \(0, 4\) is not"),
        ({"size": 4}, r"size 4 is not \(height, width\)"),
        ({"size": (1, 4, 4)}, r"size \(1, 4, 4\) is not \(height, width\)"),
        ({"size": (4.0, 4.5)}, r"size \(4\.0, 4\.5\) is not \(height, width\)"),
        ({"size": (4, 4), "background": "white"}, "background is 'white', expected numbers in"),
        ({"size": (4, 4), "background": None}, "background is None, expected numbers"),
        (
            {"background": torch.zeros(2, 3, 4, 4, dtype=torch.uint8)},
            r"background is of torch\.uint8",
        ),
        ({"size": (4, 4), "background": np.zeros(3, np.uint8)}, r"background is of torch\.uint8"),
        ({"size": (4, 4), "background": torch.zeros(2)}, r"background of shape \(2,\) does not fit"),
        ({"size": (4, 4), "background": torch.zeros(2, 3, 5, 4)}, r"background of shape .* does not fit"),
        (
            {"size": (4, 4), "background": torch.zeros(3, 4, 4)},
            r"background has shape \(3, 4, 4\), expected a number, \(channel,\), \(batch, channel\) or",
        ),
        ({"size": (4, 4), "compositing": "under"}, 'unknown compositing "under": choose additive, over or depth'),
        ({"size": (4, 4), "compositing": "depth"}, r"needs strokes\.depth"),
        ({"size": (4, 4), "backend": "abacus"}, 'unknown backend "abacus"'),
        ({"size": (4, 4), "temperature": -1.0}, "temperature -1.0 is no number from 0 up"),
        ({"size": (4, 4), "temperature": float("nan")}, "temperature nan is no number from 0 up"),
        ({"size": (4, 4), "temperature": "a"}, "temperature 'a' is no number from 0 up"),
        (
            {"size": (4, 4), "compositing": "depth", "temperature": 1e-40},
            "temperature 1e-40 is too small: take 0, or from 1e-30 up",
        ),
        ({"size": (4, 4), "background": torch.zeros(1, dtype=torch.complex64)}, r"background is of torch\.complex64"),
        ({"size": (4, 4), "temperature": 0.1}, 'compositing "over" has no temperature: choose "depth"'),
        ({"size": (4, 4), "straight_through": True}, 'compositing "over" has no straight_through'),
        (
            {"size": (4, 4), "compositing": "depth", "straight_through": True},
            "straight_through needs a temperature above 0 for depth to learn",
        ),
        ({"size": (4, 4), "samples": 0}, "samples 0 is no whole number from 1 to 16"),
        ({"size": (4, 4), "samples": 17}, "samples 17 is no"),
        ({"size": (4, 4), "samples": 2.0}, "samples 2.0 is no"),
    ],
)
@pytest.mark.usefixtures("unchecked")
def test_bad_options_are_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        render(strokes_with(), BANK, **options)


def test_strokes_lie_on_one_device() -> None:
    strokes = Strokes(torch.eye(2, 3)[None, None], torch.ones(1, 1, 1), torch.ones(1, 1, 1, device="meta"))
    with pytest.raises(ValueError, match="where is on cpu, what is on meta"):
        render(strokes, TemplateBank.named("circle"), (9, 9))


@pytest.mark.parametrize("backend", ["auto", "reference"])
def test_autocast_paints_in_float32(backend: Any) -> None:
    bank = TemplateBank.named("circle", "square")
    where = torch.randn(2, 5, 2, 3, requires_grad=True)
    colours = torch.rand(2, 5, 1).bfloat16()
    strokes = Strokes(where, torch.rand(2, 5, 2).softmax(-1), colours)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        canvas = render(strokes, bank, (20, 25), backend=backend)
    whole = render(strokes.map(Tensor.float), bank, (20, 25), backend=backend)
    assert canvas.dtype == torch.float32
    assert torch.equal(canvas, whole)
    ours, theirs = (torch.autograd.grad(each.square().sum(), where)[0] for each in (canvas, whole))
    assert torch.equal(ours, theirs)


@pytest.mark.parametrize("kind", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("backend", ["auto", "reference", "fused"])
@pytest.mark.parametrize("compositing", ["additive", "over", "depth"])
def test_strokes_of_16_bits_are_painted_in_float32(compositing: Any, backend: Any, kind: torch.dtype) -> None:
    strokes = strokes_with(depth=torch.rand(2, 3)).map(lambda tensor: tensor.to(kind))
    for bank in (BANK, replace(BANK, masks=BANK.masks.to(kind))):
        leaf = strokes.where.clone().requires_grad_()
        canvas = render(replace(strokes, where=leaf), bank, (90, 120), 0.3, compositing, backend)
        whole = render(strokes.map(Tensor.float), bank, (90, 120), 0.3, compositing, backend)
        assert torch.equal(canvas, whole.to(kind))
        canvas.sum().backward()
        assert leaf.grad is not None
        assert leaf.grad.any()
    writer, h = TemplateWriter(BANK, backend=backend).to(kind), [each.to(kind) for each in scores()]
    assert writer(*h, torch.zeros(2, 3, 9, 9, dtype=kind)).dtype == kind


@pytest.mark.usefixtures("unchecked")
def test_a_bank_is_no_tensor() -> None:
    with pytest.raises(ValueError, match="render: bank is of Tensor, expected a TemplateBank"):
        render(strokes_with(), BANK.masks, (4, 4))  # pyright: ignore[reportArgumentType]


def test_weights_and_bank_must_match() -> None:
    with pytest.raises(ValueError, match="which has 3 weights, the bank 1 templates"):
        render(strokes_with(), TemplateBank.named("circle"), (4, 4))


def test_fused_is_float32_only() -> None:
    with pytest.raises(ValueError, match="the fused backend needs float32"):
        render(strokes_with().map(Tensor.double), BANK, (4, 4), backend="fused")


@pytest.mark.parametrize("compositing", ["additive", "over", "depth"])
@pytest.mark.parametrize("backend", ["reference", "fused"])
def test_no_moves_have_gradients(backend: Any, compositing: Any) -> None:
    where, masks = torch.zeros(2, 0, 2, 3, requires_grad=True), BANK.masks.clone().requires_grad_()
    strokes = Strokes(where, torch.zeros(2, 0, 3), torch.zeros(2, 0, 3), depth=torch.zeros(2, 0))
    temperature = 0.1 if compositing == "depth" else 0.0
    canvas = render(strokes, TemplateBank(masks), (5, 4), 0.5, compositing, backend, temperature)
    assert torch.equal(canvas, torch.full((2, 3, 5, 4), 0.5))
    d_where, d_masks = torch.autograd.grad(canvas.sum(), [where, masks])
    assert d_where.shape == where.shape
    assert not d_masks.any()


def test_all_of_the_strokes_are_of_one_kind() -> None:
    mixed = replace(strokes_with(), what=strokes_with().what.double())
    with pytest.raises(ValueError, match=r"where is of torch\.float32, what of torch\.float64"):
        render(mixed, BANK, (4, 4))


@pytest.mark.parametrize("compositing", ["depth", "over", "additive"])
@pytest.mark.parametrize("depth", [float("inf"), float("-inf"), float("nan")])
def test_depth_is_finite(depth: float, compositing: Any) -> None:
    strokes = strokes_with()
    depths = torch.zeros(strokes.where.shape[:2])
    depths[0, -1] = depth
    with pytest.raises(NotFinite, match=f"depth of picture 0, move {len(strokes) - 1} is not finite"):
        render(replace(strokes, depth=depths), BANK, (4, 4), compositing=compositing)


@pytest.mark.parametrize("backend", ["reference", "fused"])
def test_over_paints_in_the_order_of_depth(backend: Any) -> None:
    strokes = strokes_with()
    order = torch.tensor([[2, 0, 1], [1, 2, 0]])
    by_hand = strokes.map(lambda tensor: torch.stack([tensor[b, order[b]] for b in range(2)]))
    depth = order.argsort(1).float().requires_grad_()
    sizes: dict[str, Any] = {"size": (9, 9), "backend": backend}
    painted = render(replace(strokes, depth=depth), BANK, **sizes)
    assert torch.equal(painted, render(by_hand, BANK, **sizes))
    assert not torch.equal(painted, render(strokes, BANK, **sizes))
    assert not painted.requires_grad
    added = [
        render(each, BANK, compositing="additive", **sizes)
        for each in (strokes, replace(strokes, depth=depth.detach()))
    ]
    assert torch.equal(*added)
    with pytest.raises(NotFinite, match="depth of picture 0, move 0 is not finite"):
        render(replace(strokes, depth=torch.full((2, 3), torch.nan)), BANK, **sizes)


def test_what_is_elsewhere_or_sparse_is_named() -> None:
    strokes = Strokes(torch.eye(2, 3)[None, None], torch.ones(1, 1, 3) / 3, torch.ones(1, 1, 1))
    for background, words in (
        (torch.zeros(1, 1, 8, 8, device="meta"), "background is on meta, strokes are on cpu"),
        (torch.zeros(1, 1, 8, 8).to_sparse(), r"background is sparse: take background\.to_dense\(\)"),
    ):
        with pytest.raises(ValueError, match=words):
            render(strokes, BANK, (8, 8), background)
    with pytest.raises(ValueError, match=r"what is sparse: take what\.to_dense\(\)"):
        render(replace(strokes, what=strokes.what.to_sparse()), BANK, (8, 8))
    with pytest.raises(ValueError, match=r"masks are sparse: take masks\.to_dense\(\)"):
        TemplateBank(BANK.masks.to_sparse())
