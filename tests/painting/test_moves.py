"""Steps in a stamp's own frame, against what they say of the stamp in pixels."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from limner import geometry
from limner.painting.goal import Goal
from limner.painting.moves import FAINT, MOMENTS, SOLID, SPECK, Moves, Style, fillable, half_sizes, in_own_frame, moved
from limner.templates import TemplateBank

SIZE = (40, 60)
BANK = TemplateBank.named("circle", size=32)


def stamps(count: int) -> Tensor:
    """Phi of unsheared stamps on a canvas of SIZE, in float64, some of them mirrored."""
    half = 0.1 + torch.rand(count, 2, dtype=torch.float64)
    centre, angle = torch.rand(count, 2, dtype=torch.float64) - 0.5, 6 * torch.rand(count, dtype=torch.float64)
    where = geometry.phi(centre, half, angle, SIZE[1] / SIZE[0])
    where[::3, 1] *= -1
    return where


def axes(where: Tensor) -> Tensor:
    """The stamp's half axes as columns, in pixels of a canvas of SIZE: where its template's corners go."""
    to_canvas = geometry.invert(where)[..., :2]
    return to_canvas * torch.tensor([[SIZE[1] / 2], [SIZE[0] / 2]], dtype=where.dtype)


def test_half_sizes_are_the_lengths_of_the_axes() -> None:
    where = stamps(30)
    assert torch.allclose(half_sizes(where, SIZE), axes(where).norm(dim=-2))
    sheared = torch.randn(30, 2, 3, dtype=torch.float64)
    assert torch.allclose(half_sizes(sheared, SIZE), axes(sheared).norm(dim=-2))


def test_gradient_in_the_own_frame_is_that_of_small_steps() -> None:
    where, pull = stamps(20), torch.randn(20, 2, 3, dtype=torch.float64)
    half = half_sizes(where, SIZE)
    found = in_own_frame(where, pull, half)
    for k in range(5):
        step = torch.zeros(20, 5, dtype=torch.float64)
        step[:, k] = 1e-6
        slope = ((moved(where, step, half) - moved(where, -step, half)) * pull).sum((1, 2)) / 2e-6
        assert torch.allclose(found[:, k], slope, rtol=1e-5, atol=1e-6), k


def test_a_step_scales_turns_and_shifts_and_never_shears() -> None:
    where, step = stamps(30), 0.7 * torch.randn(30, 5, dtype=torch.float64)
    half = half_sizes(where, SIZE)
    new = moved(where, step, half)
    before, after = axes(where), axes(new)
    assert torch.allclose((after[..., 0] * after[..., 1]).sum(-1), torch.zeros(30, dtype=torch.float64), atol=1e-8)
    assert torch.allclose(half_sizes(new, SIZE), half * step[:, :2].exp())
    cosine = torch.nn.functional.cosine_similarity(before, after, dim=-2)
    assert torch.allclose(cosine, step[:, 2, None].cos().expand(-1, 2))
    assert torch.equal(after.det().sign(), before.det().sign())
    centre = geometry.invert(new)[..., 2:]
    assert torch.allclose((where[..., :2] @ centre + where[..., 2:])[..., 0], step[:, 3:])


def test_no_step_is_no_change() -> None:
    where = stamps(4)
    assert torch.allclose(moved(where, torch.zeros(4, 5, dtype=torch.float64), half_sizes(where, SIZE)), where)


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
    moves = Moves.none(1, torch.full((channels,), 0.5), style)
    values = {"where": stamps(count).float(), "what": torch.rand(count, channels)}
    values["level"] = torch.zeros(count)
    values["slope"] = torch.zeros(count, channels, 2)
    moves.add(torch.ones(count, 1), {name: values[name] for name in moves.values})
    return moves


@pytest.mark.parametrize("style", [Style(), Style(opacity=1.0), Style(opacity=0.4), Style(gradient=True)])
def test_steps_lower_the_error_and_stay_in_range(style: Style) -> None:
    moves, goal = some(6, style), Goal(torch.rand(3, *SIZE) * torch.linspace(0, 1, SIZE[1]))
    errors = [moves.step(goal, BANK, 0.04) for _ in range(30)]
    assert errors[-1] < 0.9 * errors[0]
    assert moves.error(goal, BANK) == pytest.approx(errors[-1], rel=0.05)
    strokes = moves.strokes()
    assert ((strokes.what >= 0) & (strokes.what <= 1)).all()
    assert (strokes.opacity is None) == (style.opacity == 1)
    if style.opacity == 0.4:
        assert strokes.opacity is not None
        assert (strokes.opacity == 0.4).all()
    assert (strokes.slope is not None) == style.gradient


def test_error_is_the_weighted_mean_square() -> None:
    weight = torch.rand(SIZE)
    moves, goal = some(3, Style()), Goal(torch.rand(3, *SIZE), weight=weight / weight.mean())
    painted = goal.canvas(moves.strokes(), BANK, moves.ground)[0]
    wanted = ((painted - goal.pixels) ** 2).mean(0).mul(weight).sum() / weight.sum()
    assert moves.error(goal, BANK) == pytest.approx(wanted.item(), rel=1e-4)
    assert moves.step(goal, BANK, 0.04) == pytest.approx(wanted.item(), rel=1e-4)


def test_what_a_palette_and_a_given_ground_fix_stays() -> None:
    moves, goal = (
        some(4, Style(palette=torch.rand(2, 3), gradient=True, learn_ground=False)),
        Goal(torch.rand(3, *SIZE)),
    )
    before, ground, where = moves.values["what"].clone(), moves.ground.clone(), moves.values["where"].clone()
    moves.step(goal, BANK, 0.04)
    assert torch.equal(moves.values["what"], before)
    assert torch.equal(moves.ground, ground)
    assert not moves.values["slope"].any()
    assert not torch.equal(moves.values["where"], where)


def test_limit_brings_back_what_has_left_its_range() -> None:
    moves = some(20, Style(smallest=0.05, largest=0.1))
    moves.values["what"] += torch.randn(20, 3)
    moves.values["level"] += 20 * torch.randn(20)
    angles = axes(moves.values["where"].double())
    moves.limit(SIZE)
    half = half_sizes(moves.values["where"], SIZE)
    assert (half >= 3 - 1e-4).all()
    assert (half <= 6 + 1e-4).all()
    assert moves.values["what"].min() >= 0
    assert moves.values["what"].max() <= 1
    assert moves.values["level"].min() >= FAINT
    assert moves.values["level"].max() <= SOLID
    kept = torch.nn.functional.cosine_similarity(axes(moves.values["where"].double()), angles, dim=-2)
    assert torch.allclose(kept, torch.ones_like(kept), atol=1e-5)


def test_keep_drops_and_add_appends() -> None:
    moves, goal = some(5, Style()), Goal(torch.rand(3, *SIZE))
    moves.step(goal, BANK, 0.04)
    what, momentum = moves.values["what"], moves.first["where"]
    moves.keep(torch.tensor([0, 3, 4]))
    assert torch.equal(moves.values["what"], what[[0, 3, 4]])
    assert torch.equal(moves.first["where"], momentum[[0, 3, 4]])
    new = {"where": stamps(2).float(), "what": torch.rand(2, 3), "level": torch.zeros(2)}
    moves.add(torch.ones(2, 1), new)
    assert len(moves) == 5
    assert moves.age.tolist() == [1, 1, 1, 0, 0]
    assert torch.equal(moves.strokes().what[0, 3:], new["what"])
    moves.step(goal, BANK, 0.04)
    assert moves.age.tolist() == [2, 2, 2, 1, 1]


def test_steps_are_those_of_adam() -> None:
    moves = Moves.none(1, torch.zeros(3), Style())
    start = torch.rand(4, 3)
    moves.add(torch.ones(4, 1), {"where": torch.eye(2, 3).expand(4, 2, 3), "what": start, "level": torch.zeros(4)})
    leaf = start.clone().requires_grad_()
    adam = torch.optim.Adam([leaf], lr=0.1, betas=MOMENTS, eps=1e-12)
    for _ in range(5):
        leaf.grad = torch.randn(4, 3)
        adam.step()
        moves.age += 1
        moves._follow("what", leaf.grad, 0.1, torch.ones(4, 2))
        torch.testing.assert_close(moves.values["what"], leaf.detach())
