"""Steps in a stamp's own frame, against what they say of the stamp in pixels."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from numba import njit
from scenes import axes, half_sizes
from torch import Tensor

from limner import geometry
from limner.kernels.jit import OPTIONS
from limner.painting.fit import steps
from limner.painting.fit.goal import Goal
from limner.painting.fit.moves import RATES, SPECK, Moves, Style, reach
from limner.painting.fit.steps import BROADEST, FAINT, MOMENTS, SOLID
from limner.strokes import Strokes
from limner.templates import TemplateBank
from limner.writer import render

SIZE = (40, 60)
BANK = TemplateBank.named("circle", size=32)


def from_python(part) -> Any:
    """A part of kernels as one."""
    return njit(**OPTIONS)(lambda *given: part(*given))


into_own_frame, move = from_python(steps.into_own_frame), from_python(steps.move)
hold_slope, frame_of = from_python(steps.hold_slope), from_python(steps.frame_of)


def stamps(count: int) -> Tensor:
    """Phi of stamps without a slant on a canvas of SIZE, in float64, some of them mirrored."""
    half = 0.1 + torch.rand(count, 2, dtype=torch.float64)
    centre, angle = torch.rand(count, 2, dtype=torch.float64) - 0.5, 6 * torch.rand(count, dtype=torch.float64)
    where = geometry.phi(centre, half, angle, SIZE[1] / SIZE[0])
    where[::3, 1] *= -1
    return where


def in_own_frame(where: Tensor, pull: Tensor) -> Tensor:
    """Of each stamp the gradient to a step, from that to Phi."""
    found = pull.flatten(1).clone()
    for phi, each in zip(where.flatten(1).numpy(), found.numpy(), strict=True):
        into_own_frame(phi, each, frame_of(phi, SIZE))
    return found


def moved(where: Tensor, step: Tensor) -> Tensor:
    """Stamps after a step each."""
    new = where.clone()
    for phi, each in zip(new.flatten(1).numpy(), step.numpy(), strict=True):
        move(phi, each, frame_of(phi, SIZE))
    return new


def fillable(what: Tensor, slope: Tensor) -> Tensor:
    """What becomes of slopes."""
    new = slope.clone()
    for colour, each in zip(what.numpy(), new.flatten(1).numpy(), strict=True):
        hold_slope(colour, each)
    return new


def slanted(count: int) -> Tensor:
    """Phi of stamps of all kinds, some of them thin."""
    where = stamps(count)
    where[:, :, :2] += torch.randn(count, 2, 2, dtype=torch.float64)
    return where


def test_gradient_in_the_own_frame_is_that_of_small_steps() -> None:
    where, pull = torch.cat([stamps(10), slanted(10)]), torch.randn(20, 2, 3, dtype=torch.float64)
    found = in_own_frame(where, pull)
    for k in range(6):
        step = torch.zeros(20, 6, dtype=torch.float64)
        step[:, k] = 1e-6
        slope = ((moved(where, step) - moved(where, -step)) * pull).sum((1, 2)) / 2e-6
        assert torch.allclose(found[:, k], slope, rtol=1e-5, atol=1e-6), k


def test_a_step_without_slant_scales_turns_and_shifts_and_keeps_right_angles() -> None:
    where, step = stamps(30), 0.7 * torch.randn(30, 6, dtype=torch.float64)
    step[:, 3] = 0
    half = half_sizes(where, SIZE)
    new = moved(where, step)
    before, after = axes(where, SIZE), axes(new, SIZE)
    assert torch.allclose((after[..., 0] * after[..., 1]).sum(-1), torch.zeros(30, dtype=torch.float64), atol=1e-8)
    assert torch.allclose(half_sizes(new, SIZE), half * step[:, :2].exp())
    cosine = torch.nn.functional.cosine_similarity(before, after, dim=-2)
    assert torch.allclose(cosine, step[:, 2, None].cos().expand(-1, 2))
    assert torch.equal(after.det().sign(), before.det().sign())
    centre = geometry.invert(new)[..., 2:]
    assert torch.allclose((where[..., :2] @ centre + where[..., 2:])[..., 0], step[:, 4:])


def test_a_turn_is_one_of_any_stamp() -> None:
    where, step = slanted(30), torch.zeros(30, 6, dtype=torch.float64)
    step[:, 2] = angle = 2 * torch.randn(30, dtype=torch.float64)
    before, after = axes(where, SIZE), axes(moved(where, step), SIZE)
    angle = angle * before.det().sign()
    turn = torch.stack([angle.cos(), -angle.sin(), angle.sin(), angle.cos()], -1).unflatten(-1, (2, 2))
    assert torch.allclose(after, turn @ before)
    centre = geometry.invert(where)[..., 2:]
    assert torch.allclose(geometry.invert(moved(where, step))[..., 2:], centre)


def test_a_slant_stretches_one_diagonal_of_a_stamp_and_squeezes_the_other() -> None:
    where, step = stamps(30), torch.zeros(30, 6, dtype=torch.float64)
    step[:, 3] = 0.5 * torch.randn(30, dtype=torch.float64)
    diagonals = torch.tensor([[1.0, 1.0], [1.0, -1.0]], dtype=torch.float64)
    before, after = axes(where, SIZE), axes(moved(where, step), SIZE)
    before, after = before / before.norm(dim=-2, keepdim=True) @ diagonals, after / before.norm(dim=-2, keepdim=True)
    grown = torch.stack([-step[:, 3], step[:, 3]], -1).exp()[:, None]
    assert torch.allclose(after @ diagonals, before * grown)


def test_a_step_moves_no_part_of_a_brush_far_however_thin_it_is() -> None:
    masks = TemplateBank.named("circle", "line", size=128).masks
    bank = TemplateBank(torch.cat([masks, masks[1:].mT]))
    moves, goal, rate = Moves.none(bank, torch.full((3,), 0.5), Style(smallest=0.001)), Goal(torch.rand(3, *SIZE)), 0.05
    where = torch.cat([stamps(30), slanted(30)]).float()
    where[:, 1] *= torch.logspace(0, 1.5, 60)[torch.randperm(60), None]
    which = torch.eye(3)[torch.arange(60) % 3]
    moves.add(which, {"where": where, "what": torch.rand(60, 3), "logit": torch.zeros(60)})
    moves.limit(SIZE)
    before = moves.values["where"].clone().double()
    moves.step(goal, rate)
    corners = torch.cartesian_prod(*[torch.tensor([-1.0, 1.0])] * 2).double() * (which @ reach(bank))[:, None]
    places = geometry.invert(before)[:, None, :, :2] @ corners[..., None] + geometry.invert(before)[:, None, :, 2:]
    after = moves.values["where"].double()
    off = (after[:, None, :, :2] @ places + after[:, None, :, 2:])[..., 0] - corners
    far = (off.abs() / (which @ reach(bank))[:, None]).amax((1, 2))
    assert (far < 4.5 * rate).all()
    assert far.median() > 1.5 * rate


def test_no_step_is_no_change() -> None:
    where = stamps(4)
    assert torch.allclose(moved(where, torch.zeros(4, 6, dtype=torch.float64)), where)


@pytest.mark.parametrize("channels", [1, 3])
def test_fillable_is_the_nearest_of_rank_one_within_colours(channels: int) -> None:
    what, slope = torch.rand(50, channels), 0.05 * torch.randn(50, channels, 2)
    left, strength, right = np.linalg.svd(slope.numpy(), full_matrices=False)
    nearest = torch.from_numpy(left[..., :1] * strength[:, None, :1] @ right[:, :1])
    found = fillable(what, slope)
    reach = found.abs().sum(-1)
    assert (what - reach >= -1e-6).all()
    assert (what + reach <= 1 + 1e-6).all()
    inside = ((what - nearest.abs().sum(-1) >= 0) & (what + nearest.abs().sum(-1) <= 1)).all(1)
    assert inside.sum() > 10
    assert torch.allclose(found[inside], nearest[inside], atol=1e-5)
    steep = fillable(what, 100 * slope)
    assert np.linalg.svd(steep.numpy())[1][:, 1:].max(initial=0) < 1e-5
    reach = steep.abs().sum(-1)
    assert torch.allclose(torch.minimum(what, 1 - what), reach, atol=1e-5) or channels == 3
    assert (reach <= torch.minimum(what, 1 - what) + 1e-6).all()


def test_ink_is_the_nearest_colour() -> None:
    palette, what = torch.rand(7, 3), torch.rand(40, 3)
    nearest = [min(palette.tolist(), key=lambda ink, w=w: math.dist(ink, w)) for w in what.tolist()]
    assert Style(palette=palette).ink(what).tolist() == nearest
    assert torch.equal(Style().ink(what), what)
    assert Style(palette=palette).ink(what[:0]).shape == (0, 3)


def test_half_sizes_allowed() -> None:
    assert Style().half_sizes((10, 20)) == (SPECK, math.inf)
    assert Style(smallest=0.1, largest=0.2).half_sizes((10, 20)) == (2, 4)
    assert Style(largest=0.01).half_sizes((10, 20)) == (0.2, 0.2)


def some(count: int, style: Style, channels: int = 3) -> Moves:
    moves = Moves.none(BANK, torch.full((channels,), 0.5), style)
    values = {"where": stamps(count).float(), "what": torch.rand(count, channels)}
    values["logit"] = torch.zeros(count)
    values["slope"] = torch.zeros(count, channels, 2)
    moves.add(torch.ones(count, 1), {name: values[name] for name in moves.values})
    return moves


@pytest.mark.parametrize("style", [Style(), Style(opacity=1.0), Style(opacity=0.4), Style(gradient=True)])
def test_steps_lower_the_error_and_stay_in_range(style: Style) -> None:
    moves, goal = some(6, style), Goal(torch.rand(3, *SIZE) * torch.linspace(0, 1, SIZE[1]))
    errors = [moves.step(goal, 0.04) for _ in range(30)]
    assert errors[-1] < 0.9 * errors[0]
    assert moves.error(goal) == pytest.approx(errors[-1], rel=0.05)
    strokes = moves.strokes()
    assert ((strokes.what >= 0) & (strokes.what <= 1)).all()
    assert (strokes.opacity is None) == (style.opacity == 1)
    if style.opacity == 0.4:
        assert strokes.opacity is not None
        assert (strokes.opacity == 0.4).all()
    assert (strokes.slope is not None) == style.gradient


@pytest.mark.parametrize("square", [False, True])
@pytest.mark.parametrize("upright", [False, True])
@pytest.mark.parametrize("angles", [False, True])
def test_steps_keep_what_the_style_keeps(square: bool, upright: bool, angles: bool) -> None:
    style = Style(keep_proportions=square, upright=upright, keep_angles=angles)
    moves, goal = some(6, style), Goal(torch.rand(3, *SIZE))
    before = axes(moves.values["where"].double(), SIZE)
    moves.limit(SIZE)
    whole = half_sizes(moves.values["where"], SIZE)
    assert torch.allclose(whole.prod(-1), before.norm(dim=-2).prod(-1).float(), rtol=1e-4)
    for _ in range(40):
        moves.step(goal, 0.04)
    after = axes(moves.values["where"].double(), SIZE)
    wide, high = after.norm(dim=-2).unbind(-1)
    assert torch.allclose(wide, high, rtol=1e-4) == square
    same = torch.nn.functional.cosine_similarity(before, after, dim=-2)
    assert torch.allclose(same, torch.ones_like(same), atol=1e-6) == upright
    slant = torch.nn.functional.cosine_similarity(after[..., 0], after[..., 1], dim=-1)
    assert torch.allclose(slant, torch.zeros_like(slant), atol=1e-5) == (square or upright or angles)
    assert (half_sizes(moves.values["where"], SIZE) - whole).abs().max() > 0.1


def test_stamps_get_right_angles_back_where_they_lie() -> None:
    """Worked on at half of a size in whole pixels, that is at other proportions."""
    moves = some(6, Style(keep_angles=True))
    moves.limit((SIZE[0], SIZE[1] + 4))
    before = moves.values["where"].clone()
    moves.limit(SIZE)
    (across, down), old = axes(moves.values["where"].double(), SIZE).unbind(-1), axes(before.double(), SIZE)
    assert torch.nn.functional.cosine_similarity(old[..., 0], old[..., 1], dim=-1).abs().max() > 0.01
    assert torch.nn.functional.cosine_similarity(across, down, dim=-1).abs().max() < 1e-5
    area, old_area = (torch.linalg.det(where[:, :, :2]) for where in (moves.values["where"], before))
    assert torch.allclose(area, old_area, rtol=1e-4)
    centre, old_centre = (geometry.invert(where)[:, :, 2] for where in (moves.values["where"], before))
    assert torch.allclose(centre, old_centre, atol=1e-4)


def test_error_is_the_weighted_mean_square() -> None:
    weight = torch.rand(SIZE)
    moves, goal = some(3, Style()), Goal(torch.rand(3, *SIZE), weight=weight / weight.mean())
    painted = goal.canvas(moves.strokes(), BANK, moves.ground)[0]
    wanted = ((painted - goal.pixels) ** 2).mean(0).mul(weight).sum() / weight.sum()
    assert moves.error(goal) == pytest.approx(wanted.item(), rel=1e-4)
    assert moves.step(goal, 0.04) == pytest.approx(wanted.item(), rel=1e-4)


def test_what_a_palette_and_a_given_ground_fix_stays() -> None:
    moves, goal = (
        some(4, Style(palette=torch.rand(2, 3), gradient=True, learn_ground=False)),
        Goal(torch.rand(3, *SIZE)),
    )
    moves.ground = torch.tensor([1.25, -0.5, 0.5])  # as a JSON file may have it
    before, ground, where = moves.values["what"].clone(), moves.ground.clone(), moves.values["where"].clone()
    moves.step(goal, 0.04)
    assert torch.equal(moves.values["what"], before)
    assert torch.equal(moves.ground, ground)
    assert not moves.values["slope"].any()
    assert not torch.equal(moves.values["where"], where)


def test_limit_brings_back_what_has_left_its_range() -> None:
    moves = some(20, Style(smallest=0.05, largest=0.1))
    moves.values["what"] += torch.randn(20, 3)
    moves.values["logit"] += 20 * torch.randn(20)
    angles = axes(moves.values["where"].double(), SIZE)
    moves.limit(SIZE)
    half = half_sizes(moves.values["where"], SIZE)
    assert (half >= 3 - 1e-4).all()
    assert (half <= 6 + 1e-4).all()
    assert moves.values["what"].min() >= 0
    assert moves.values["what"].max() <= 1
    assert moves.values["logit"].min() >= FAINT
    assert moves.values["logit"].max() <= SOLID
    opacity = moves.strokes().opacity
    assert opacity is not None
    assert 255 * (1 - opacity.max()) < 0.5  # so that nothing shows through one that hides what is below it
    kept = torch.nn.functional.cosine_similarity(axes(moves.values["where"].double(), SIZE), angles, dim=-2)
    assert torch.allclose(kept, torch.ones_like(kept), atol=1e-5)


def test_brush_reaches_as_far_as_its_mask_is_not_nothing() -> None:
    masks = torch.zeros(3, 8, 8)
    masks[0, 2:4, 1:8], masks[1] = 0.1, 1
    assert reach(TemplateBank(masks)).tolist() == [[7 / 8, 2 / 8], [1, 1], [1, 1]]


@pytest.mark.parametrize("round", [False, True])
def test_limit_holds_the_brush_and_not_its_box(round: bool) -> None:
    bank = TemplateBank.named("square", "line", size=128)
    thin = reach(bank)[1, 1].item()
    style = Style(smallest=0.05, largest=0.5, keep_proportions=round)
    moves, where = (
        Moves.none(bank, torch.zeros(3), style),
        stamps(20).float() * torch.logspace(-1, 1, 20)[:, None, None],
    )
    which = torch.eye(2)[torch.arange(20) % 2]
    moves.add(which, {"where": where, "what": torch.rand(20, 3), "logit": torch.zeros(20)})
    before = axes(where.double(), SIZE).norm(dim=-2)
    moves.limit(SIZE)
    wide, high = axes(moves.values["where"].double(), SIZE).norm(dim=-2).unbind(-1)
    share = torch.where(which[:, 1] == 1, thin, 1.0).double()
    if round:
        wanted = before.maximum(3 / share[:, None]).clamp(max=30).prod(-1).sqrt()
        assert torch.allclose(wide, wanted, rtol=1e-4)
    else:
        assert torch.allclose(wide, before[:, 0].clamp(3, 30), rtol=1e-4)
        assert torch.allclose(high * share, (before[:, 1] * share).clamp(3, 30), rtol=1e-4)
    assert (high * share < 3.01).sum() > 3


def test_a_pen_is_as_wide_everywhere_and_of_any_length() -> None:
    bank = TemplateBank.named("square", "line", size=128)
    thin = 3 / 28  # of a line, which ends within its texels
    moves = Moves.none(bank, torch.zeros(3), Style(pen=0.01, smallest=0.05, largest=0.5))
    where, which = stamps(40).float() * torch.logspace(-1, 1, 40)[:, None, None], torch.eye(2)[torch.arange(40) % 2]
    where[::3, 0] += 0.2 * where[::3, 1]  # slanted
    moves.add(which, {"where": where.clone(), "what": torch.rand(40, 3), "logit": torch.zeros(40)})
    moves.limit(SIZE)
    across, down = axes(moves.values["where"].double(), SIZE).unbind(-1)
    assert torch.nn.functional.cosine_similarity(across, down, dim=-1).abs().max() < 1e-4
    sides = torch.stack([across.norm(dim=-1), down.norm(dim=-1) * torch.where(which[:, 1] == 1, thin, 1.0)], -1)
    pen, length = 0.01 * max(SIZE), sides.amax(-1)
    assert torch.allclose(sides.amin(-1), torch.tensor(pen).double(), rtol=4e-3)
    assert 0.05 * max(SIZE) * 0.999 < length.min() < length.max() < 0.5 * max(SIZE) * 1.001
    assert ((length > 0.06 * max(SIZE)) & (length < 0.4 * max(SIZE))).sum() > 3
    assert Style(pen=0.1, smallest=0.05).half_sizes((10, 20)) == (2, math.inf)  # no line is shorter than it is wide


def test_limit_holds_a_brush_of_kept_proportions_that_is_smaller_than_its_mask() -> None:
    masks = torch.zeros(1, 40, 40)
    masks[0, 16:24, 12:28] = 1  # two fifths of the frame across, a fifth down
    style = Style(smallest=0.05, largest=0.25, keep_proportions=True)
    moves = Moves.none(TemplateBank(masks), torch.zeros(3), style)
    where = stamps(30).float() * torch.logspace(-1, 1, 30)[:, None, None]
    moves.add(torch.ones(30, 1), {"where": where, "what": torch.rand(30, 3), "logit": torch.zeros(30)})
    moves.limit(SIZE)
    wide, high = axes(moves.values["where"].double(), SIZE).norm(dim=-2).unbind(-1)
    assert (0.4 * wide).max() < 0.25 * max(SIZE) * 1.001
    assert (0.2 * high).min() > 0.05 * max(SIZE) * 0.999
    assert (0.4 * wide > 0.24 * max(SIZE)).sum() > 3
    assert (0.2 * high < 0.051 * max(SIZE)).sum() > 3


def test_limit_holds_boxes_far_larger_than_the_canvas() -> None:
    moves = some(40, Style())
    moves.values["where"] *= torch.logspace(-4, 1, 40)[torch.randperm(40), None, None]
    moves.values["where"][0, 0], moves.values["where"][1] = 0, 0
    before = moves.values["where"].clone().double()
    moves.limit(SIZE)
    half = half_sizes(moves.values["where"].double(), SIZE)
    most = BROADEST * max(SIZE)
    assert (half[2:] < most * (1 + 1e-4)).all()
    wide, high = axes(before[2:], SIZE).norm(dim=-2).clamp(SPECK, most).unbind(-1)
    assert torch.allclose(half[2:], torch.stack([wide, high], -1), rtol=1e-3)
    assert (half[2:] > 0.99 * most).any(0).all()
    assert moves.values["where"].isfinite().all()
    centre, old = (geometry.invert(where[2:].double())[..., 2] for where in (moves.values["where"], before))
    assert torch.allclose(centre, old, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("square", [False, True])
def test_limit_holds_a_slanted_stamp_in_every_direction(square: bool) -> None:
    moves = some(40, Style(smallest=0.05, largest=0.2, keep_proportions=square))
    moves.values["where"] = where = torch.randn(40, 2, 3) * torch.tensor([8.0, 8.0, 1.0])
    where[0] = torch.tensor([[500, 500.005, -250], [500.005, 500, -250]])  # thin, and slanted by both sides
    left, before, right = np.linalg.svd(axes(where.double(), SIZE).numpy())
    centre = geometry.invert(where.double())[..., 2:]
    moves.limit(SIZE)
    wanted = before.clip(3, 12)
    if square:
        wanted = np.sqrt(wanted.prod(-1, keepdims=True)).repeat(2, -1)
    found = axes(moves.values["where"].double(), SIZE).numpy()
    assert (before != wanted).any(-1).sum() > 10
    np.testing.assert_allclose(found, left * wanted[:, None] @ right, rtol=1e-4, atol=1e-3)
    still = moves.values["where"].double()
    assert torch.allclose(
        still[..., :2] @ centre + still[..., 2:], torch.zeros(40, 2, 1, dtype=torch.float64), atol=1e-4
    )


def test_what_was_copied_stays_as_it_was() -> None:
    ground = torch.full((3,), 0.5)
    moves, goal = some(3, Style()), Goal(torch.rand(3, *SIZE))
    strokes, painted_on, _ = moves.copied()
    before = {name: tensor.clone() for name, tensor in strokes.tensors().items()}
    moves.step(goal, 0.04)
    for name, tensor in strokes.tensors().items():
        assert torch.equal(tensor, before[name])
        assert name == "which" or not torch.equal(tensor, getattr(moves.strokes(), name))
    assert torch.equal(painted_on, ground)
    assert not torch.equal(moves.ground, ground)


def test_keep_drops_and_add_appends() -> None:
    moves, goal = some(5, Style()), Goal(torch.rand(3, *SIZE))
    moves.step(goal, 0.04)
    what, momentum = moves.values["what"], moves.first["where"]
    moves.keep(torch.tensor([0, 3, 4]))
    assert torch.equal(moves.values["what"], what[[0, 3, 4]])
    assert torch.equal(moves.first["where"], momentum[[0, 3, 4]])
    new = {"where": stamps(2).float(), "what": torch.rand(2, 3), "logit": torch.zeros(2)}
    moves.add(torch.ones(2, 1), new)
    assert len(moves) == 5
    assert moves.age.tolist() == [1, 1, 1, 0, 0]
    assert torch.equal(moves.strokes().what[0, 3:], new["what"])
    moves.step(goal, 0.04)
    assert moves.age.tolist() == [2, 2, 2, 1, 1]


@pytest.mark.parametrize("gradient", [False, True])
def test_steps_are_those_of_adam(gradient: bool) -> None:
    moves, random = some(4, Style(gradient=gradient)), torch.Generator().manual_seed(0)
    moves.values["what"] = torch.full((4, 3), 0.5)
    start = {name: value.clone() for name, value in (moves.values | {"ground": moves.ground}).items()}
    where = start.pop("where")
    leaves = {name: value.clone().requires_grad_() for name, value in start.items()}
    groups = [{"params": [leaf], "lr": 0.01 * RATES[name]} for name, leaf in leaves.items()]
    adam = torch.optim.Adam(groups, betas=MOMENTS, eps=1e-12)
    for _ in range(5):
        for leaf in leaves.values():
            leaf.grad = torch.randn(leaf.shape, generator=random)
        if gradient:
            leaves["slope"].grad[:, 1:] = 0  # one channel is of rank one
        adam.step()
        moves._follow({name: leaf.grad for name, leaf in leaves.items()}, 0.01, SIZE)
    found = moves.values | {"ground": moves.ground}
    for name, leaf in leaves.items():
        torch.testing.assert_close(found[name], leaf.detach(), rtol=1e-5, atol=1e-6)
        assert not torch.equal(found[name], start[name])
    assert moves.age.tolist() == [5] * 4
    assert torch.allclose(moves.values["where"], where)


def test_steps_follow_half_the_gradient_of_the_error() -> None:
    moves, goal = some(5, Style(gradient=True)), Goal(torch.rand(3, *SIZE))
    moves.values["logit"] = torch.linspace(-1, 1, 5)
    moves.values["slope"] = 0.1 * torch.randn(5, 3, 2)
    leaves = {name: value.clone().requires_grad_() for name, value in (moves.values | {"ground": moves.ground}).items()}
    where, what, logit, slope, ground = (leaves[name] for name in RATES)
    strokes = Strokes(where[None], moves.which[None], what[None], logit.sigmoid()[None], None, slope[None])
    canvas = render(strokes, BANK, SIZE, ground, backend="reference")[0]
    (canvas - goal.pixels).square().sum().div(2).backward()
    moves.step(goal, 0.04)
    for name in ("what", "logit", "slope", "ground"):
        assert leaves[name].grad is not None
        torch.testing.assert_close(moves.first[name] / (1 - MOMENTS[0]), leaves[name].grad, rtol=1e-3, atol=1e-3)


def test_a_stamp_steps_in_its_own_frame() -> None:
    """Adam's first step is as long as its rate in each direction, and less by how thin a stamp is if it turns it."""
    moves = some(9, Style())
    where, pull = moves.values["where"].clone(), torch.randn(9, 2, 3)
    half, step = half_sizes(where.double(), SIZE), -0.03 * in_own_frame(where.double(), pull.double()).sign()
    step[:, 2:4] *= (half.amin(1) / half.amax(1))[:, None]
    wanted = moved(where.double(), step)
    moves._follow({"where": pull}, 0.03, SIZE)
    assert torch.allclose(moves.values["where"], wanted.float(), atol=1e-5)


def test_strokes_taken_over_have_the_colours_of_the_palette() -> None:
    palette = torch.tensor([[0.0, 0, 0], [1, 1, 1]])
    moves = Moves.none(BANK, torch.zeros(3), Style(palette=palette))
    moves.begin(
        Strokes(stamps(2).float()[None], torch.ones(1, 2, 1), torch.tensor([[[0.2, 0.3, 0.1], [0.8, 0.9, 0.7]]]))
    )
    assert torch.equal(moves.values["what"], palette)


def test_strokes_keep_their_memory_when_others_are_added() -> None:
    moves, goal = Moves.none(BANK, torch.zeros(3), Style()), Goal(torch.full((3, *SIZE), 0.9))
    moves.begin(Strokes(stamps(2).float()[None], torch.ones(1, 2, 1), torch.full((1, 2, 3), 0.5)))
    moves.step(goal, 0.01)
    before = [{name: value.clone() for name, value in memory.items()} for memory in (moves.first, moves.second)]
    moves.begin(Strokes(stamps(1).float()[None], torch.ones(1, 1, 1), torch.full((1, 1, 3), 0.5)))
    for was, now in zip(before, (moves.first, moves.second), strict=True):
        for name in ("where", "what", "logit"):
            assert was[name].any()
            assert torch.equal(now[name][:2], was[name])
            assert not now[name][2:].any()
    assert moves.age.tolist() == [1, 1, 0]


def test_strokes_that_are_kept_keep_their_age() -> None:
    moves, goal = Moves.none(BANK, torch.zeros(3), Style()), Goal(torch.full((3, *SIZE), 0.9))
    for _ in range(3):
        moves.begin(Strokes(stamps(1).float()[None], torch.ones(1, 1, 1), torch.full((1, 1, 3), 0.5)))
        moves.step(goal, 0.01)
    moves.keep(torch.tensor([False, True, True]))
    assert moves.age.tolist() == [2, 1]
