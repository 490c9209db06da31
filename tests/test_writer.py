"""TemplateWriter against Algorithm 1 done by hand, and what it refuses."""

from functools import partial
from typing import Any

import pytest
import torch
from scenes import by_default
from torch import Tensor

from limner import choose
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
