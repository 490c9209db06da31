"""Goals: what is scored, and the same at half the size."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

import limner
from limner import geometry
from limner.painting.fit.goal import SMALLEST, Goal, goal_and_ground, page
from limner.strokes import Strokes
from limner.templates import TemplateBank
from limner.writer import render

BANK = TemplateBank.named("circle", "square", size=32)
SIZE = (24, 32)
GROUND = torch.tensor([0.2, 0.5, 0.8])


def strokes(count: int = 5) -> Strokes:
    where = geometry.phi(torch.rand(count, 2) - 0.5, 0.2 + 0.4 * torch.rand(count, 2), torch.rand(count) * 6, 4 / 3)
    which = torch.nn.functional.one_hot(torch.arange(count) % 2, 2).float()
    return Strokes(where[None], which[None], torch.rand(1, count, 3), 0.3 + 0.7 * torch.rand(1, count))


def blocks(plane: Tensor) -> Tensor:
    """Means of two by two."""
    return plane.unflatten(-1, (-1, 2)).unflatten(-3, (-1, 2)).mean((-1, -3))


def test_halved_planes_are_means_of_two_by_two() -> None:
    planes = {name: torch.rand(*SIZE) for name in ("alpha", "weight", "region", "under_cover")}
    goal = Goal(torch.rand(3, *SIZE), under=torch.rand(3, *SIZE), **planes)
    half = goal.halved()
    assert half.size == (12, 16)
    for name in ("pixels", "under", *planes):
        assert torch.allclose(getattr(half, name), blocks(getattr(goal, name)), atol=1e-6), name
    assert Goal(goal.pixels).halved().alpha is None


def test_odd_sides_are_rounded_up_and_constants_kept() -> None:
    half = Goal(torch.full((3, 7, 1), 0.3)).halved()
    assert half.size == (4, 1)
    assert torch.allclose(half.pixels, torch.full((3, 4, 1), 0.3))


def test_sizes_end_before_the_shorter_side_is_small() -> None:
    sizes = [goal.size for goal in Goal(torch.zeros(1, 200, 401)).sizes()]
    assert sizes == [(200, 401), (100, 201), (50, 101), (25, 51)]
    assert min(sizes[-1]) >= SMALLEST
    assert len(Goal(torch.zeros(1, 1, 4000)).sizes()) == 1


def test_canvas_is_on_the_ground_or_on_what_is_under() -> None:
    some, under = strokes(), torch.rand(3, *SIZE)
    goal = Goal(torch.rand(3, *SIZE))
    assert torch.allclose(goal.canvas(some, BANK, GROUND), render(some, BANK, SIZE, GROUND))
    below = replace(goal, under=under)
    assert torch.allclose(below.canvas(some, BANK, GROUND), render(some, BANK, SIZE, under[None]))


def test_samples_are_those_of_render() -> None:
    some, under = strokes(), torch.rand(3, *SIZE)
    fine = Goal(torch.rand(3, *SIZE), samples=2)
    assert torch.equal(fine.canvas(some, BANK, GROUND), render(some, BANK, SIZE, GROUND, samples=2))
    below = replace(fine, under=under)
    assert torch.equal(below.canvas(some, BANK, GROUND), render(some, BANK, SIZE, under[None], samples=2))


def test_cover_is_one_less_what_shines_through() -> None:
    some = strokes()
    goal = Goal(torch.rand(3, *SIZE), alpha=torch.rand(SIZE))
    through = torch.ones(1, 1, *SIZE)
    assert some.opacity is not None
    for t in range(len(some)):
        one = replace(some[:, t : t + 1], what=torch.ones(1, 1, 1), opacity=None)
        through = through * (1 - some.opacity[0, t] * render(one, BANK, SIZE, compositing="additive"))
    assert torch.allclose(goal.cover(some, BANK), 1 - through, atol=1e-5)
    full = replace(goal, under_cover=torch.ones(SIZE))
    assert torch.allclose(full.cover(some, BANK), torch.ones(1, 1, *SIZE), atol=1e-5)


def test_error_counts_colours_and_coverage_by_weight() -> None:
    some, weight = strokes(), 2 * torch.rand(SIZE)
    goal = Goal(torch.rand(3, *SIZE), torch.rand(SIZE), weight)
    shown = torch.cat([goal.canvas(some, BANK, torch.zeros(3)), goal.cover(some, BANK)], 1)[0]
    wanted = torch.cat([goal.pixels, goal.alpha[None]]) if goal.alpha is not None else goal.pixels
    assert goal.error(some, BANK, torch.zeros(3)) == pytest.approx(
        ((shown - wanted).square() * weight).mean().item(), rel=1e-5
    )


@pytest.mark.parametrize("under", [False, True])
@pytest.mark.parametrize("clear", [False, True])
@pytest.mark.parametrize("samples", [1, 3])
def test_pulls_are_half_the_gradients_of_the_error(under: bool, clear: bool, samples: int) -> None:
    some, numbers = strokes(), 3 * SIZE[0] * SIZE[1]
    slope = 0.1 * torch.randn(1, len(some), 3, 2)
    some = replace(some, slope=slope)
    goal = Goal(torch.rand(3, *SIZE), weight=2 * torch.rand(SIZE), samples=samples)
    if clear:
        goal, numbers = replace(goal, alpha=torch.rand(SIZE)), 4 * SIZE[0] * SIZE[1]
    if under:
        goal = replace(goal, under=torch.rand(3, *SIZE), under_cover=torch.rand(SIZE))
    wanted = ["where", "what", "opacity", "slope", "canvas"]
    error, pulls = goal.pulls(some, BANK, GROUND, wanted)
    leaves = {name: getattr(some, name).clone().requires_grad_() for name in wanted[:-1]}
    ground = goal.below(GROUND).expand(1, 3, *SIZE).clone().requires_grad_()
    learnt = replace(some, **leaves)
    planes = [render(learnt, BANK, SIZE, ground, samples=samples, backend="reference")[0] - goal.pixels]
    if goal.alpha is not None:
        planes.append(goal.cover(learnt, BANK)[0] - goal.alpha)
    assert goal.weight is not None
    loss = (torch.cat(planes).square() * goal.weight).sum()
    loss.backward()
    assert error == pytest.approx(loss.item() / numbers, rel=1e-4)
    assert pulls.keys() == set(wanted)
    for name, leaf in (leaves | {"canvas": ground}).items():
        assert leaf.grad is not None
        torch.testing.assert_close(2 * pulls[name], leaf.grad, rtol=1e-3, atol=1e-3)
    assert goal.pulls(some, BANK, GROUND, ["what"])[1].keys() == {"what"}


def hollowed() -> Goal:
    """A goal with two holes."""
    alpha = 0.1 + 0.9 * torch.rand(SIZE)
    alpha[3:9, 4:20] = alpha[15:, 25:] = 0
    return Goal(torch.rand(3, *SIZE) * alpha, alpha, 2 * torch.rand(SIZE), holes=True)


def test_holes_have_the_colours_of_the_nearest_pixels() -> None:
    goal = hollowed()
    assert goal.alpha is not None
    seen = (goal.alpha > 0).nonzero()
    for y, x in torch.cartesian_prod(torch.arange(SIZE[0]), torch.arange(SIZE[1])):
        distance = (seen - torch.stack([y, x])).square().sum(1)
        near = seen[distance == distance.min()]
        colours = goal.pixels[:, near[:, 0], near[:, 1]] / goal.alpha[near[:, 0], near[:, 1]]
        assert (colours - goal.around[:, y, x, None]).abs().amax(0).min() < 1e-5


def test_a_picture_that_is_clear_everywhere_is_all_hole() -> None:
    goal = Goal(torch.zeros(3, *SIZE), torch.zeros(SIZE), holes=True)
    assert not goal.wanted(torch.rand(SIZE)).any()
    assert goal.hollow.all()


@pytest.mark.parametrize("gray", [False, True])
def test_pulls_keep_strokes_out_of_holes(gray: bool) -> None:
    """Where the picture is clear, what covers it counts more, and its colours are those around."""
    some, goal = strokes(), hollowed()
    if gray:
        some, goal = replace(some, what=some.what[..., :1]), replace(goal, pixels=goal.pixels[:1])
    assert goal.alpha is not None
    assert goal.weight is not None
    wanted, ground = ["where", "what", "opacity"], torch.zeros(len(goal.pixels))
    error, pulls = goal.pulls(some, BANK, ground, wanted)
    leaves = {name: getattr(some, name).clone().requires_grad_() for name in wanted}
    learnt = replace(some, **leaves)
    canvas = render(learnt, BANK, SIZE, ground, backend="reference")[0]
    cover = render(learnt.white(), BANK, SIZE, 0.0, backend="reference")[0, 0]
    hole = goal.alpha == 0
    colours = torch.where(hole, goal.around * cover, goal.pixels)
    squares = (canvas - colours).square().mean(0) * 3 + (cover - goal.alpha).square() * torch.where(hole, 4.0, 1.0)
    loss = (squares * goal.weight).sum()
    loss.backward()
    assert error == pytest.approx(loss.item() / (4 * SIZE[0] * SIZE[1]), rel=1e-4)
    for name, leaf in leaves.items():
        assert leaf.grad is not None
        torch.testing.assert_close(2 * pulls[name], leaf.grad, rtol=1e-3, atol=1e-3)
    assert replace(goal, holes=False).error(some, BANK, ground) < error


def test_gray_beside_alpha_counts_as_the_three_channels_that_it_is_scored_as() -> None:
    gray = Goal(torch.rand(1, *SIZE), alpha=torch.rand(SIZE))
    colour = replace(gray, pixels=gray.pixels.expand(3, -1, -1))
    some = strokes()
    some = replace(some, what=some.what[..., :1])
    ground, wanted = torch.zeros(1), ("where", "opacity")
    error, pulls = gray.pulls(some, BANK, ground, wanted)
    same, others = colour.pulls(some.with_channels(3), BANK, ground.expand(3), wanted)
    assert error == pytest.approx(same, rel=1e-5)
    for name in wanted:
        assert torch.allclose(pulls[name], others[name], rtol=1e-4, atol=1e-4)


def test_the_ground_is_the_mean_of_what_is_opaque() -> None:
    pixels, alpha = torch.rand(3, *SIZE), torch.rand(*SIZE)
    _, ground = goal_and_ground(pixels, alpha, None, None)
    for mean, plane in zip(ground, pixels, strict=True):
        assert mean.item() == pytest.approx(((plane * alpha).sum() / alpha.sum()).item(), rel=1e-4)
    nearest, palette = pixels.mean((1, 2)), torch.tensor([[0.0, 0, 0], [1, 1, 1], [0.5, 0.4, 0.6]])
    assert (nearest - palette).square().sum(1).argmin() == 2
    assert torch.equal(goal_and_ground(pixels, None, None, palette)[1], palette[2])


@pytest.mark.parametrize("channels", [1, 3])
def test_a_page_is_one_colour_of_more_than_half(channels: int) -> None:
    paper = torch.tensor([250, 249, 3][:channels]) / 255
    pixels = paper[:, None, None].repeat(1, 10, 10)
    pixels[:, :4] = 0.9 * torch.rand(channels, 4, 10)
    found = page(pixels)
    assert found is not None
    assert torch.equal(found, paper)
    pixels[:, :5] = 0.9 * torch.rand(channels, 5, 10)
    assert page(pixels) is None
    assert page(torch.rand(channels, 9, 9)) is None


def test_drawings_stay_on_their_paper() -> None:
    drawing = torch.ones(3, 60, 80)
    drawing[:, 10:50:8, 5:70] = 0
    drawing[0, 20:40, 30:33] = 0.3
    painting = limner.paint(drawing, 12)
    assert painting.background is not None
    assert painting.background.tolist() == [1, 1, 1]
    learnt = limner.paint(drawing * torch.linspace(0.99, 1, 80), 12).background
    assert learnt is not None
    assert learnt.tolist() != [1, 1, 1]


def test_a_picture_on_paper_begins_on_the_paper() -> None:
    pixels = torch.full((3, *SIZE), 0.95) + 0.02 * torch.rand(3, *SIZE)
    inked = torch.rand(SIZE) < 0.4
    pixels[:, inked] = 0.2 * torch.rand(3, int(inked.sum()))
    _, ground = goal_and_ground(pixels, None, None, None)
    assert ground.tolist() == pytest.approx(pixels[:, ~inked].mean(1).tolist(), abs=1e-3)
    _, mean = goal_and_ground(pixels, torch.where(inked, 1.0, 0.3), None, None)  # of what is opaque, ink is more
    assert (mean < 0.7).all()
