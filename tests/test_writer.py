"""TemplateWriter against Algorithm 1 done by hand, and what render refuses."""

import subprocess
import sys
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from scenes import by_default
from torch import Tensor

from limner import choose
from limner.errors import NotFinite
from limner.strokes import Strokes
from limner.templates import TemplateBank
from limner.writer import TemplateWriter, render

BANK = TemplateBank.named("circle", "square", "line", size=12)


def scores(batch: int = 2, moves: int = 3, channels: int = 3) -> tuple[Tensor, Tensor, Tensor]:
    return torch.randn(batch, moves, 2, 3), torch.randn(batch, moves, 3), torch.randn(batch, moves, channels)


def algorithm_1(h_where: Tensor, h_which: Tensor, h_what: Tensor, canvas: Tensor, gamma: float = 1.0) -> Tensor:
    """Colour the chosen mix of templates, move it with PyTorch's own spatial transformer, and paint it over."""
    phi0 = torch.tensor([[2.0, 0, 0], [0, 2, 0]])
    for t in range(h_where.shape[1]):
        weights = h_which[:, t].exp() ** gamma
        weights = weights / weights.sum(-1, keepdim=True)
        template = torch.einsum("bk,kij->bij", weights, BANK.masks)[:, None]
        grid = torch.nn.functional.affine_grid(phi0 + h_where[:, t], list(canvas[:, :1].shape), align_corners=False)
        mask = torch.nn.functional.grid_sample(template, grid, align_corners=False)
        colour = torch.sigmoid(h_what[:, t])[..., None, None]
        canvas = canvas * (1 - mask) + colour * mask
    return canvas


@pytest.mark.parametrize("gamma", [1.0, 5.0])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("backend", ["reference", "fused"])
def test_writer_is_algorithm_1(backend: Any, channels: int, gamma: float) -> None:
    canvas = torch.rand(2, channels, 14, 11)
    bank = TemplateBank(BANK.masks, BANK.names, prefilter=False)
    h = scores(channels=channels)
    writer = TemplateWriter(bank, gamma=gamma, backend=backend)
    torch.testing.assert_close(writer(*h, canvas), algorithm_1(*h, canvas, gamma), rtol=0, atol=2e-5)


def test_writer_is_render_of_its_strokes() -> None:
    h, canvas = scores(), torch.rand(2, 3, 9, 9)
    optional: dict[str, Any] = {"opacity": torch.rand(2, 3), "slope": torch.randn(2, 3, 3, 2)}
    writer = TemplateWriter(BANK, "additive", backend="reference")
    strokes = writer.strokes(*h, **optional)
    assert (strokes.which.sum(-1) - 1).abs().max() < 1e-6
    assert strokes.opacity is optional["opacity"]
    torch.testing.assert_close(strokes.where, h[0] + torch.tensor([[2.0, 0, 0], [0, 2, 0]]))
    expected = render(strokes, BANK, None, canvas, "additive", "reference")
    assert torch.equal(writer(*h, canvas, **optional), expected)


def test_strokes_that_were_drawn_are_painted() -> None:
    writer, h, canvas = TemplateWriter(BANK, gumbel=True, hard=True, samples=2), scores(), torch.rand(2, 3, 9, 9)
    torch.manual_seed(1)
    expected = writer(*h, canvas)
    torch.manual_seed(1)
    strokes = writer.strokes(*h)
    assert torch.equal(writer.paint(strokes, canvas), expected)
    assert torch.equal(writer.paint(strokes, canvas), expected)
    assert not torch.equal(writer(*h, canvas), expected)


def test_noise_is_for_training_only() -> None:
    writer, h = TemplateWriter(BANK, noise=1.0), scores()
    assert not torch.equal(writer.strokes(*h).which, writer.strokes(*h).which)
    writer.eval()
    torch.testing.assert_close(writer.strokes(*h).which, choose.softmax(h[1]))


def test_a_generator_draws_the_same_again() -> None:
    writer, h = TemplateWriter(BANK, noise=1.0), scores()
    seeds = (torch.Generator().manual_seed(seed) for seed in (3, 3, 4))
    first, again, other = (writer.strokes(*h, generator=generator).which for generator in seeds)
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@pytest.mark.parametrize("gumbel", [False, True])
def test_hard_choice_is_one_template_with_a_soft_gradient(gumbel: bool) -> None:
    h, weight = scores(batch=50), torch.randn(50, 3, 3)
    h[1].requires_grad_()
    writer = TemplateWriter(BANK, gamma=2.0, gumbel=gumbel, hard=True)
    which = writer.strokes(*h).which
    assert set(which.unique().tolist()) == {0.0, 1.0}
    assert torch.equal(which.sum(-1), torch.ones(50, 3))
    best = torch.nn.functional.one_hot(h[1].argmax(-1), 3).float()
    assert torch.equal(which.detach(), best) is not gumbel
    writer.eval()
    which = writer.strokes(*h).which
    assert torch.equal(which.detach(), best)
    found, expected = (torch.autograd.grad((w * weight).sum(), h[1])[0] for w in (which, choose.softmax(h[1], 2.0)))
    torch.testing.assert_close(found, expected)


def test_hard_choice_learns_by_the_kernels_as_by_the_reference() -> None:
    h, canvas = scores(), torch.rand(2, 3, 15, 15)
    h[1].requires_grad_()
    pulls = []
    backends: list[Any] = ["reference", "fused"]
    for backend in backends:
        painted = TemplateWriter(BANK, hard=True, backend=backend)(*h, canvas)
        pulls.append(torch.autograd.grad(painted.square().sum(), h[1])[0])
    assert pulls[0].abs().max() > 1e-2
    torch.testing.assert_close(*pulls, rtol=1e-3, atol=1e-4)


def test_phi0_sets_the_size_of_untrained_stamps() -> None:
    where, which, what = map(torch.zeros_like, scores())
    small = TemplateWriter(BANK, phi0=4.0).strokes(where, which, what)
    torch.testing.assert_close(small.where[0, 0], torch.tensor([[4.0, 0, 0], [0, 4, 0]]))


@pytest.mark.parametrize("backend", ["reference", "fused"])
def test_learnable_templates_get_gradients(backend: Any) -> None:
    writer = TemplateWriter(BANK, learnable=True, backend=backend)
    torch.testing.assert_close(writer.bank.masks, BANK.masks, rtol=0, atol=2e-3)
    writer(*scores(), torch.rand(2, 3, 10, 10)).square().mean().backward()
    assert [name for name, _ in writer.named_parameters()] == ["logits"]
    assert writer.logits is not None
    assert writer.logits.grad is not None
    assert (writer.logits.grad.flatten(1).norm(dim=1) > 0).all()


def test_learnable_templates_are_kept_while_nothing_changes_them() -> None:
    writer, other = (TemplateWriter(BANK, learnable=True) for _ in range(2))
    logits = writer.logits
    assert logits is not None
    steps = torch.optim.SGD([logits], 1.0)
    logits.grad, shift = torch.ones_like(logits), torch.ones_like(logits)

    def shift_data() -> None:
        logits.data += shift

    for change in (steps.step, partial(writer.load_state_dict, other.state_dict()), shift_data, writer.double):
        with torch.no_grad():
            bank = writer.bank
            assert writer.bank.pyramid is bank.pyramid
        change()
        with torch.no_grad():
            assert writer.bank.pyramid is not bank.pyramid
            assert torch.equal(writer.bank.masks, logits.sigmoid())
        assert writer.bank.masks.requires_grad
    shift_data()
    with torch.inference_mode():
        bank = writer.bank
        assert torch.equal(bank.masks, logits.sigmoid())
        assert writer.bank.pyramid is bank.pyramid
    assert not writer._bank.masks.is_inference()


def test_fixed_templates_are_no_parameters() -> None:
    assert list(TemplateWriter(BANK).parameters()) == []


@pytest.mark.parametrize("learnable", [False, True])
@pytest.mark.parametrize("compositing", ["additive", "over", "depth"])
@pytest.mark.parametrize("backend", ["reference", "fused"])
def test_a_default_of_float64_changes_nothing(backend: Any, compositing: Any, learnable: bool) -> None:
    h, canvas = scores(), torch.rand(2, 3, 9, 9)
    depth: dict[str, Any] = {"depth": torch.rand(2, 3)} if compositing == "depth" else {}
    temperature = 0.1 if depth else 0.0

    def painted() -> list[Tensor]:
        leaves = [each.clone().requires_grad_() for each in h]
        bank = TemplateBank.named("circle", "square", "line", size=12)
        writer = TemplateWriter(bank, compositing, learnable=learnable, backend=backend, temperature=temperature)
        canvas_after = writer(*leaves, canvas, **depth)
        return [canvas_after, *torch.autograd.grad(canvas_after.square().sum(), [*leaves, *writer.parameters()])]

    expected = painted()
    with by_default(torch.float64):
        found = painted()
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("learnable", [False, True])
def test_state_dict_round_trip(learnable: bool) -> None:
    saved = TemplateWriter(BANK, phi0=3.0, learnable=learnable)
    other = TemplateBank(torch.zeros_like(BANK.masks), BANK.names)
    loaded = TemplateWriter(other, learnable=learnable)
    h, canvas = scores(), torch.rand(2, 3, 8, 8)
    assert not torch.allclose(saved(*h, canvas), loaded(*h, canvas))
    loaded.load_state_dict(saved.state_dict())
    assert torch.equal(saved(*h, canvas), loaded(*h, canvas))


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


@pytest.mark.parametrize("backend", ["reference", "fused"])
def test_inference_mode_leaves_nothing_that_training_would_meet(backend: Any) -> None:
    writer = TemplateWriter(TemplateBank.named("circle", "square", "line"), backend=backend)
    h, canvas = scores(), torch.rand(2, 3, 8, 8)
    with torch.inference_mode():
        first = writer(*h, canvas)
        made_inside = TemplateWriter(TemplateBank.named("circle", "square", "line"), backend=backend)
    for one in (writer, made_inside):
        leaf = h[0].clone().requires_grad_()
        painted = one(leaf, *h[1:], canvas)
        painted.sum().backward()
        assert leaf.grad is not None
        assert torch.equal(painted.detach(), first.clone())


@pytest.mark.parametrize("backend", ["reference", "fused"])
def test_loading_a_writer_leaves_the_bank_alone(backend: Any) -> None:
    bank, (where, _, what) = TemplateBank.named("line", "curve"), scores()
    strokes = Strokes(2 + where, torch.eye(2)[torch.tensor([[0, 1, 0], [1, 0, 1]])], what.sigmoid())
    before = render(strokes, bank, (9, 9), backend=backend)
    writer = TemplateWriter(bank, backend=backend)
    writer.load_state_dict(TemplateWriter(TemplateBank.named("circle", "square")).state_dict())
    assert torch.equal(bank.masks, TemplateBank.named("line", "curve").masks)
    assert torch.equal(render(strokes, bank, (9, 9), backend=backend), before)
    other = render(strokes, TemplateBank.named("circle", "square"), (9, 9), backend=backend)
    assert torch.equal(render(strokes, writer.bank, (9, 9), backend=backend), other)


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


@pytest.mark.parametrize(
    "options",
    [
        {"compositing": "under"},
        {"backend": "abacus"},
        {"temperature": -1.0},
        {"gamma": -1.0},
        {"gamma_test": float("inf")},
        {"noise": -0.1},
        {"samples": 17},
    ],
)
@pytest.mark.usefixtures("unchecked")
def test_writers_refuse_bad_options_at_once(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=str(next(iter(options.values())))):
        TemplateWriter(BANK, **options)


@pytest.mark.usefixtures("unchecked")
def test_writers_refuse_what_makes_no_sense() -> None:
    bank: Any = "circle"
    with pytest.raises(ValueError, match="bank is of str, expected a TemplateBank"):
        TemplateWriter(bank)
    with pytest.raises(ValueError, match="straight_through needs a temperature above 0"):
        TemplateWriter(BANK, "depth", straight_through=True)
    depth, h = torch.rand(2, 3), scores()
    with pytest.raises(ValueError, match='compositing "over" has no depth: choose "depth"'):
        TemplateWriter(BANK)(*h, torch.zeros(2, 3, 4, 4), depth=depth)
    with pytest.raises(ValueError, match='compositing "depth" needs depth'):
        TemplateWriter(BANK, "depth")(*h, torch.zeros(2, 3, 4, 4))
    canvases: list[Any] = [torch.zeros(2, 1, 4, 4), torch.zeros(3, 4, 4), 0.5]
    for canvas in canvases:
        with pytest.raises(ValueError, match=r"canvas .* expected a tensor of \(2, 3, height, width\)"):
            TemplateWriter(BANK)(*h, canvas)
    assert torch.equal(*(TemplateWriter(BANK)(*h, torch.ones(n, 3, 4, 4)) for n in (1, 2)))


def test_a_writer_takes_several_samples() -> None:
    writer, h, canvas = TemplateWriter(BANK, samples=3), scores(), torch.rand(2, 3, 9, 9)
    assert torch.equal(writer(*h, canvas), render(writer.strokes(*h), BANK, None, canvas, samples=3))


def test_a_writer_in_print() -> None:
    assert "(0): TemplateWriter(circle, square, line: 12 x 12, learnable; over, gamma=2.0)" in str(
        torch.nn.Sequential(TemplateWriter(BANK, learnable=True, gamma=2.0))
    )
    options: dict[str, Any] = {"gamma_test": 9.0, "noise": 0.5, "gumbel": True, "hard": True}
    options |= {"temperature": 0.1, "straight_through": True, "samples": 2}
    chosen = ", ".join(f"{name}={value}" for name, value in options.items())
    assert str(TemplateWriter(BANK, "depth", **options)).endswith(f"; depth, gamma=1.0, {chosen})")


def test_masks_that_are_parameters_are_learnt_as_logits() -> None:
    bank = TemplateBank(torch.nn.Parameter(BANK.masks.clone()))
    with pytest.raises(ValueError, match=r"would take masks out of \[0, 1\]: take learnable=True"):
        TemplateWriter(bank)
    assert [name for name, _ in TemplateWriter(bank, learnable=True).named_parameters()] == ["logits"]
    frozen = TemplateWriter(TemplateBank(torch.nn.Parameter(BANK.masks.clone(), requires_grad=False)))
    h, canvas = scores(), torch.zeros(2, 3, 9, 9)
    assert torch.equal(frozen(*h, canvas), TemplateWriter(BANK)(*h, canvas))
    assert frozen.double().bank.pyramid.texels.dtype == torch.float64


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


@pytest.mark.parametrize("kinds", [(torch.float32, torch.bfloat16), (torch.float64, torch.float32)])
def test_scores_of_another_kind_than_the_writer(kinds: tuple[torch.dtype, torch.dtype]) -> None:
    """As decoders give them that were under autocast."""
    one, other = kinds
    writer, h = TemplateWriter(BANK, "depth").to(one), [each.to(other).requires_grad_() for each in scores()]
    extra = torch.rand(2, 3).to(other), torch.rand(2, 3).to(other), torch.zeros(2, 3, 3, 2).to(other)
    strokes = writer.strokes(*h, *extra)
    assert {tensor.dtype for tensor in strokes.tensors().values()} == {one}
    canvas = writer(*h, torch.zeros(2, 3, 9, 9, dtype=other), *extra)
    assert canvas.dtype == one
    assert torch.equal(canvas, writer(*(each.to(one) for each in h), torch.zeros(2, 3, 9, 9, dtype=one), *extra))
    assert [pull.dtype for pull in torch.autograd.grad(canvas.sum(), h)] == [other] * 3


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


def test_a_writer_learns_depth_at_a_temperature() -> None:
    where, which, what = torch.zeros(1, 2, 2, 3), torch.zeros(1, 2, 3), torch.tensor([[[-2.0], [2.0]]])
    canvas = torch.zeros(1, 1, 8, 8)
    soft: dict[str, Any] = {"temperature": 0.5}
    for options, learns in (({}, False), (soft, True), (soft | {"straight_through": True}, True)):
        writer = TemplateWriter(BANK, "depth", **options)
        depth = torch.tensor([[0.1, 0.0]], requires_grad=True)
        painted = writer(where, which, what, canvas, depth=depth)
        assert painted.requires_grad == learns
        if learns:
            painted.sum().backward()
            assert depth.grad is not None
            assert depth.grad.abs().min() > 0


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


@pytest.mark.usefixtures("unchecked")
def test_where_of_a_writer_is_a_matrix() -> None:
    h_where, *others = scores()
    with pytest.raises(ValueError, match=r"h_where has shape \(2, \d+, 6\), expected \(batch, move, 2, 3\)"):
        TemplateWriter(BANK)(h_where.flatten(2), *others, torch.zeros(2, 3, 4, 4))


@pytest.mark.usefixtures("unchecked")
def test_a_writer_takes_a_score_for_each_template() -> None:
    h_where, h_which, h_what = scores()
    with pytest.raises(ValueError, match=r"h_which has shape \(2, 3, 1\), expected \(batch, move, 3\)"):
        TemplateWriter(BANK).strokes(h_where, h_which[..., :1], h_what)
    lone = TemplateWriter(TemplateBank.named("circle"))
    assert torch.equal(lone.strokes(h_where, h_which[..., :1], h_what).which, torch.ones(2, 3, 1))
    with pytest.raises(ValueError, match=r"h_which has shape \(2, 3, 3\), expected \(batch, move, 1\)"):
        lone.strokes(h_where, h_which, h_what)


def test_shapes_can_be_told_on_meta() -> None:
    writer = TemplateWriter(BANK).to("meta")
    with torch.device("meta"):
        scores = torch.zeros(3, 4, 2, 3), torch.zeros(3, 4, 3), torch.zeros(3, 4, 1)
        canvas = writer(*scores, torch.zeros(3, 1, 8, 9))
    assert (canvas.shape, canvas.is_meta) == ((3, 1, 8, 9), True)


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
