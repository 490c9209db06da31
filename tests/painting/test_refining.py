"""Going on for a loss of one's own: what is saved stays sound, and steps go where autograd says."""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import limner
from limner.errors import UserError
from limner.painting.fit.goal import Goal
from limner.painting.fit.moves import Moves
from limner.painting.fit.refining import Wish
from limner.painting.fit.rounds import SETTLING_RATE
from limner.painting.painting import Painting
from limner.strokes import Strokes
from limner.templates import TemplateBank

pytestmark = pytest.mark.usefixtures("quick")


def picture(channels: int = 3) -> Tensor:
    torch.manual_seed(0)
    return torch.nn.functional.interpolate(torch.rand(1, channels, 4, 5), (32, 40), mode="bicubic").clamp(0, 1)


def painting(channels: int = 3, **options: Any) -> Painting:
    return limner.paint(picture(channels), 12, size=40, **options)


def edges(canvas: Tensor) -> Tensor:
    return torch.cat([canvas.diff(dim=-1).flatten(), canvas.diff(dim=-2).flatten()])


def loss_of(one: Painting) -> Callable[[Tensor], Tensor]:
    return lambda canvas: (edges(canvas) - edges(one.wanted)).square().mean()


OPTIONS: list[dict[str, Any]] = [
    {},
    {"opacity": "opaque"},
    {"fill": "gradient", "templates": ["circle", "square"]},
    {"background": "#336699", "opacity": 0.5},
    {"background": "transparent"},
    {"channels": 1, "templates": "soft"},
]


@pytest.mark.parametrize("options", OPTIONS)
def test_a_loss_falls_and_the_painting_stays_one(options: dict[str, Any], tmp_path: Path) -> None:
    one = painting(**options)
    before = {name: tensor.clone() for name, tensor in one.strokes.tensors().items()}
    losses, loss = [], loss_of(one)

    def noted(canvas: Tensor) -> Tensor:
        assert canvas.shape == one.wanted.shape
        losses.append(loss(canvas).item())
        return loss(canvas)

    other = one.refine(noted, 60)
    assert len(losses) == 60
    assert losses[-1] < 0.9 * losses[0]
    for name, tensor in one.strokes.tensors().items():
        assert torch.equal(tensor, before[name])
    assert other.strokes.tensors().keys() == before.keys()
    for name, tensor in other.strokes.held().tensors().items():
        assert torch.allclose(tensor, other.strokes.tensors()[name], atol=1e-6)
    for suffix in (".png", ".svg", ".json"):
        other.save(tmp_path / f"a{suffix}")
    assert other.psnr_of(tmp_path / "a.svg") == pytest.approx(other.psnr_of(tmp_path / "a.png"), abs=1)
    assert len(limner.paint(picture(), 0, resume=tmp_path / "a.json").strokes) == 12


@pytest.mark.parametrize("field", ["where", "what", "opacity", "background"])
def test_what_is_fixed_stays_as_it_is_and_the_rest_does_not(field: str) -> None:
    one = painting(fill="gradient")
    opacity = torch.linspace(0, 1, 12)[None]
    one = replace(one, strokes=replace(one.strokes, opacity=opacity))
    other = one.refine(loss_of(one), 10, fixed=[field])
    fields = {"where", "what", "opacity", "slope", "background"}
    old, new = ({**each.strokes.tensors(), "background": each.background} for each in (one, other))
    still = {field, "slope"} if field == "what" else {field}
    assert {name for name in fields if torch.equal(old[name], new[name])} == still
    assert torch.equal(old["which"], new["which"])
    assert torch.allclose(other.strokes.held().slope, other.strokes.slope, atol=1e-6)
    assert torch.equal(one.refine(loss_of(one), 10, fixed=field).strokes.where, other.strokes.where)
    if field != "opacity":  # those that no step can reach stay, too
        assert torch.equal(other.strokes.opacity[0, [0, 11]], torch.tensor([0.0, 1]))
        assert not torch.isclose(other.strokes.opacity, opacity)[0, 1:11].any()


def test_no_steps_change_nothing() -> None:
    one = painting()
    assert one.refine(loss_of(one), 0) is one


def test_masks_that_are_learnt_are_not_part_of_what_comes_out() -> None:
    strokes = Strokes(2 + torch.rand(1, 3, 2, 3), torch.ones(1, 3, 1), torch.rand(1, 3, 3))
    bank = TemplateBank.named("circle", size=16)
    learnt = replace(bank, masks=bank.masks.clone().requires_grad_())
    painting = Painting(strokes, learnt, torch.zeros(3), (16, 16))
    assert not painting.refine(lambda canvas: canvas.square().mean(), steps=2).bank.masks.requires_grad


def test_nothing_moves_where_all_is_fixed() -> None:
    one = painting()
    other = one.refine(loss_of(one), 3, fixed=("where", "what", "opacity", "background"))
    for name, tensor in one.strokes.tensors().items():
        assert torch.equal(tensor, other.strokes.tensors()[name])


@pytest.mark.parametrize("clear", [False, True])
def test_gradients_are_those_of_a_goal(clear: bool) -> None:
    """Of the squared error, which a `Goal` works out without autograd: half of it, summed."""
    one = painting(fill="gradient", background="transparent" if clear else "auto")
    wanted = one.wanted[0]
    ground = torch.zeros(3) if clear else one.background
    assert ground is not None
    goal = Goal(wanted[:3], wanted[3] if clear else None, samples=4)
    wish = Wish(lambda canvas: 0.5 * (canvas - wanted).square().sum(), one.size, clear, one.strokes)
    names = ["where", "what", "opacity", "slope"] + ["canvas"] * (not clear)
    error, pulls = wish.pulls(one.strokes, one.bank, ground, names)
    mean, expected = goal.pulls(one.strokes, one.bank, ground, names)
    assert error == pytest.approx(0.5 * mean * wanted.numel(), rel=1e-5)
    for name in names:
        pull = expected[name].sum((2, 3), keepdim=True) if name == "canvas" else expected[name]
        assert torch.allclose(pulls[name], pull, rtol=1e-4, atol=1e-5 * float(pull.abs().max()))


def test_strokes_keep_their_looks() -> None:
    one = painting(templates="square", upright=True)
    turned = one.refine(loss_of(one), 10).strokes.where
    upright = one.refine(loss_of(one), 10, upright=True).strokes.where
    assert upright[..., 0, 1].abs().max() == upright[..., 1, 0].abs().max() == 0
    assert turned[..., 0, 1].abs().max() > 1e-3
    round = painting(keep_proportions=True)
    where = round.refine(loss_of(round), 10, keep_proportions=True).strokes.where
    across = where[..., 0, :2] * torch.tensor([32.0, 40])
    down = where[..., 1, :2] * torch.tensor([32.0, 40])
    assert torch.allclose(across.norm(dim=-1), down.norm(dim=-1), rtol=1e-3)


def test_a_larger_rate_goes_further() -> None:
    one = painting()
    moved = [
        (one.refine(loss_of(one), 1, rate=rate).strokes.what - one.strokes.what).norm() for rate in (0.5, 1.0, 2.0)
    ]
    assert moved[0] < moved[1] < moved[2]


def test_steps_get_smaller(monkeypatch: pytest.MonkeyPatch) -> None:
    one, rates = painting(), []
    monkeypatch.setattr(Moves, "step", lambda self, goal, rate: rates.append(rate) or 0.5)
    one.refine(loss_of(one), 20)
    assert len(rates) == 20
    assert rates[0] == 0.5 * SETTLING_RATE
    assert all(later < earlier for earlier, later in pairwise(rates))
    assert 0 < rates[-1] < 0.05 * rates[0]


def test_depth_becomes_the_order() -> None:
    one = painting()
    depth = torch.arange(12.0).flip(0)[None]
    sorted_by_depth = one.refine(loss_of(one), 5)
    other = replace(one, strokes=replace(one.strokes[:, range(11, -1, -1)], depth=depth)).refine(loss_of(one), 5)
    assert other.strokes.depth is None
    assert torch.equal(other.strokes.where, sorted_by_depth.strokes.where)


def test_whatever_torch_is_set_to() -> None:
    one = painting()
    expected = one.refine(loss_of(one), 5).strokes.where
    with torch.inference_mode():
        assert torch.equal(one.refine(loss_of(one), 5).strokes.where, expected)
    torch.set_default_dtype(torch.float64)
    try:
        with torch.no_grad():
            assert torch.equal(one.refine(loss_of(one), 5).strokes.where, expected)
    finally:
        torch.set_default_dtype(torch.float32)


def test_a_painting_without_strokes_has_its_background() -> None:
    one = replace(painting(), strokes=Strokes(torch.zeros(1, 0, 2, 3), torch.zeros(1, 0, 1), torch.zeros(1, 0, 3)))
    other = one.refine(lambda canvas: canvas.sum(), 400, rate=4.0)
    assert other.background is not None
    assert other.background.tolist() == [0, 0, 0]


def test_an_interrupt_returns_what_there_is() -> None:
    one, calls = painting(), []

    def loss(canvas: Tensor) -> Tensor:
        calls.append(canvas)
        if len(calls) == 6:
            raise KeyboardInterrupt
        return canvas.mean()

    other = one.refine(loss, 100)
    assert len(calls) == 6
    assert (one.interrupted, other.interrupted) == (False, True)
    assert not torch.equal(other.strokes.where, one.strokes.where)


@pytest.mark.parametrize(
    ("loss", "said"),
    [
        (lambda canvas: canvas.mean().item(), "the loss is 0.*, expected a tensor of one number"),
        (lambda canvas: canvas, r"the loss is of shape \(1, 3, 32, 40\), expected a tensor of one number"),
        (lambda canvas: canvas.detach().mean(), "no gradient to the canvas"),
        (lambda canvas: torch.ones((), requires_grad=True), "no gradient to the canvas"),
        (lambda canvas: (canvas - canvas).sum() / 0, "the loss is nan"),
        (lambda canvas: (0 * canvas).sqrt().sum(), "the gradient of the loss to the canvas is not finite"),
    ],
)
def test_losses_that_are_none(loss: Callable[[Tensor], Any], said: str) -> None:
    with pytest.raises(UserError, match=f"^refine: .*{said}"):
        painting().refine(loss)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"fixed": ["which"]}, "refine: 'which' cannot be fixed: choose of where, what"),
        ({"fixed": "slope"}, "refine: 'slope' cannot be fixed: choose of where, what"),
        ({"steps": -1}, "steps: -1 is not a whole number"),
        ({"rate": 0.0}, "rate: 0.0 is not a number above 0"),
    ],
)
def test_arguments_that_make_no_sense(options: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=f"^{said}"):
        painting().refine(torch.mean, **options)


def test_strokes_out_of_range_are_told() -> None:
    one = painting()
    beyond = replace(one, strokes=replace(one.strokes, what=one.strokes.what + 1))
    with pytest.raises(UserError, match=r"^refine: stroke 0: what is 1.*, expected 0 to 1"):
        beyond.refine(torch.mean)
