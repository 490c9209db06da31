"""New strokes, against brute force."""

import math
from dataclasses import replace

import pytest
import torch
from scenes import half_sizes
from torch import Tensor
from torch.nn.functional import avg_pool2d

from limner import geometry
from limner.painting.fit.goal import Goal
from limner.painting.fit.moves import Moves, Style
from limner.painting.fit.propose import APART, START, best_colours, blurred, propose, random_stamps, spread_out
from limner.strokes import Strokes
from limner.templates import TemplateBank
from limner.writer import render

BANK = TemplateBank.named("circle", "square", size=32)
SQUARES = TemplateBank(torch.ones(1, 64, 64), prefilter=False)
SIZE = (24, 32)


def source(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def aligned() -> Tensor:
    """Phi of squares whose sides lie on the borders of pixels, so that their masks are 0 or 1."""
    left, top = torch.tensor([2.0, 8, 20]), torch.tensor([3.0, 10, 1])
    wide, high = torch.tensor([6.0, 12, 8]), torch.tensor([9.0, 5, 20])
    centre = torch.stack([2 * (left + wide / 2) / SIZE[1] - 1, 2 * (top + high / 2) / SIZE[0] - 1], -1)
    return geometry.phi(centre, torch.stack([wide, high], -1) / SIZE[0], torch.zeros(3), SIZE[1] / SIZE[0])


@pytest.mark.parametrize("side", [1, 3, 17])
def test_blurring_takes_the_mean_of_squares_of_pixels(side: int) -> None:
    plane = torch.rand(20, 31)
    square = avg_pool2d(plane[None], side, 1, side // 2, count_include_pad=False)[0]
    torch.testing.assert_close(blurred(plane, side), square)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("opacity", [0.3, 0.75, 1.0])
def test_best_colours_are_those_of_least_squares(opacity: float, weighted: bool) -> None:
    canvas, where = torch.rand(3, *SIZE), aligned()
    pixels = canvas + 0.2 * (torch.rand(3, *SIZE) - 0.5)
    goal = Goal(pixels, weight=0.1 + torch.rand(SIZE) if weighted else None)
    moves = Moves.none(SQUARES, torch.zeros(3), Style())
    what, gain = best_colours(where, torch.ones(3, 1), SQUARES, goal, canvas, pixels, opacity, moves.style)

    def errors(t: int, colours: Tensor) -> Tensor:
        """(colour, channel), of stamp t in each of these colours (colour, channel)."""
        count = len(colours)
        phi, which = where[None, t : t + 1].expand(count, 1, 2, 3), torch.ones(count, 1, 1)
        stamps = Strokes(phi, which, colours[:, None], torch.full((count, 1), opacity))
        return goal.weighed((render(stamps, SQUARES, SIZE, canvas[None]) - pixels).square()).sum((2, 3))

    levels = torch.linspace(0, 1, 201)
    before = goal.weighed((canvas - pixels).square()).sum()
    for t in range(3):
        tried = errors(t, levels[:, None].expand(-1, 3))
        assert torch.allclose(what[t], levels[tried.argmin(0)], atol=0.0051)
        assert gain[t].item() == pytest.approx((before - errors(t, what[t : t + 1]).sum()).item(), rel=1e-3, abs=1e-3)


def test_best_colours_on_a_clear_canvas_cover_it() -> None:
    canvas, where, alpha = torch.rand(4, *SIZE), aligned(), torch.rand(SIZE)
    goal = Goal(torch.rand(3, *SIZE) * alpha, alpha)
    target = torch.cat([goal.pixels, alpha[None]])
    style = Moves.none(SQUARES, torch.zeros(3), Style()).style
    what, gain = best_colours(where, torch.ones(3, 1), SQUARES, goal, canvas, target, 0.75, style)
    full = torch.cat([what, torch.ones(3, 1)], 1)
    for t in range(3):
        phi, solid = where[None, t : t + 1], torch.full((1, 1), 0.75)
        bands = [Strokes(phi, torch.ones(1, 1, 1), full[None, t : t + 1, [band]], solid) for band in range(4)]
        after = torch.cat([render(each, SQUARES, SIZE, canvas[None, [band]])[0] for band, each in enumerate(bands)])
        errors = [goal.weighed((each - target).square()).sum().item() for each in (canvas, after)]
        assert gain[t].item() == pytest.approx(errors[0] - errors[1], rel=1e-3, abs=1e-3)


def test_a_covered_hole_is_not_painted_black() -> None:
    """Of red stamps that have covered it, only those that were to be red as well can be better than none."""
    red, alpha = torch.tensor([0.9, 0.1, 0.1]), torch.ones(SIZE)
    alpha[8:16, 10:20] = 0
    goal = Goal(red[:, None, None] * alpha, alpha, holes=True)
    moves = Moves.none(SQUARES, torch.zeros(3), Style(opacity=1.0))
    everywhere = torch.tensor([[[0.5, 0, 0], [0, 0.5, 0]]])
    moves.add(torch.ones(1, 1), {"where": everywhere, "what": red[None]})
    propose(moves, goal, 20, 400, (2.0, 4.0), torch.Generator().manual_seed(0))
    torch.testing.assert_close(moves.values["what"], red.expand(21, 3), rtol=0, atol=1e-3)


@pytest.mark.parametrize("opacity", [None, 1.0])
def test_what_stamps_gain_is_exact_where_there_are_holes(
    opacity: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    where, gains = aligned(), []
    alpha = (0.5 + 0.5 * torch.rand(SIZE)) * (torch.rand(SIZE) > 0.4)
    goal = Goal(torch.rand(3, *SIZE) * alpha, alpha, 0.1 + torch.rand(SIZE), holes=True)
    moves = Moves.none(SQUARES, torch.zeros(3), Style(opacity=opacity))
    first = {"where": where[:1] + 0.1, "what": torch.rand(1, 3), "logit": torch.ones(1)}
    moves.add(torch.ones(1, 1), first)

    def all_of_them(centre: Tensor, radius: Tensor, gain: Tensor, wanted: int) -> Tensor:
        gains.append(gain)
        return torch.arange(3)

    monkeypatch.setattr(
        "limner.painting.fit.propose.random_stamps", lambda *_: (where, torch.ones(3), torch.rand(3, 2))
    )
    monkeypatch.setattr("limner.painting.fit.propose.spread_out", all_of_them)
    before, count = moves.error(goal), 4 * alpha.numel()
    propose(moves, goal, 3, 3, (2.0, 4.0), torch.Generator().manual_seed(0))
    for t in range(3):
        with_one = moves.strokes()[:, [0, t + 1]]
        gained = (before - goal.error(with_one, SQUARES, torch.zeros(3))) * count
        assert gains[0][t].item() == pytest.approx(gained, rel=1e-3, abs=1e-3)


def test_holes_are_no_place_for_stamps() -> None:
    alpha = torch.ones(SIZE)
    alpha[:, 12:] = 0
    goal = Goal(torch.rand(3, *SIZE) * alpha, alpha, holes=True)
    moves = Moves.none(SQUARES, torch.zeros(3), Style(opacity=1.0))
    propose(moves, goal, 10, 400, (1.5, 2.0), torch.Generator().manual_seed(0))
    cover = goal.cover(moves.strokes(), SQUARES)[0, 0]
    assert cover[:, :12].mean() > 0.3
    assert cover[:, 12:].mean() < 0.01


def test_stamps_of_nothing_are_never_best() -> None:
    where = torch.cat([aligned(), torch.tensor([[[1e4, 0, 0], [0, 1e4, 0]]]), aligned()[:1] + 100])
    goal, moves = Goal(torch.rand(3, *SIZE)), Moves.none(SQUARES, torch.zeros(3), Style())
    _, gain = best_colours(where, torch.ones(5, 1), SQUARES, goal, torch.zeros(3, *SIZE), goal.pixels, 1.0, moves.style)
    assert gain[:3].isfinite().all()
    assert (gain[3:] == -math.inf).all()


def test_best_colours_of_a_palette_are_in_it() -> None:
    palette, goal = torch.rand(4, 3), Goal(torch.rand(3, *SIZE))
    moves = Moves.none(SQUARES, torch.zeros(3), Style(palette=palette))
    what, _ = best_colours(
        aligned(), torch.ones(3, 1), SQUARES, goal, torch.zeros(3, *SIZE), goal.pixels, 1.0, moves.style
    )
    assert all((colour == palette).all(1).any() for colour in what)


def test_random_stamps_lie_where_the_error_is() -> None:
    goal, error = Goal(torch.zeros(1, *SIZE)), torch.zeros(SIZE)
    error[5, 9] = 1
    where, radius, centre = random_stamps(goal, error, 500, (2.0, 8.0), Style(), source())
    assert ((radius >= 2) & (radius <= 8)).all()
    assert (radius < 4).float().mean() == pytest.approx(0.5, abs=0.1)
    hit = (centre.floor() == torch.tensor([9.0, 5.0])).all(1)
    assert hit.float().mean() > 0.4
    found = (geometry.invert(where)[..., 2] + 1) / 2 * torch.tensor([SIZE[1], SIZE[0]])
    assert torch.allclose(found, centre, atol=1e-3)
    assert torch.allclose(half_sizes(where, SIZE).prod(1).sqrt(), radius, rtol=1e-4)


def test_random_stamps_start_in_the_region() -> None:
    region = torch.zeros(SIZE)
    region[:12, 16:] = 1
    goal = Goal(torch.zeros(1, *SIZE), region=region)
    _, _, centre = random_stamps(goal, torch.zeros(SIZE), 300, (2.0, 8.0), Style(), source())
    assert (centre[:, 0] >= 16).all()
    assert (centre[:, 1] <= 12).all()


@pytest.mark.parametrize("kept", [(False, False), (True, False), (False, True), (True, True)])
def test_random_stamps_keep_what_the_style_keeps(kept: tuple[bool, bool]) -> None:
    style = Style(keep_proportions=kept[0], upright=kept[1])
    where, *_ = random_stamps(Goal(torch.zeros(1, *SIZE)), torch.ones(SIZE), 300, (2.0, 8.0), style, source())
    wide, high = half_sizes(where, SIZE).unbind(-1)
    assert torch.allclose(wide, high, rtol=1e-4) == kept[0]
    assert bool((where[:, [0, 1], [1, 0]] == 0).all()) == kept[1]
    assert (where[:, [0, 1], [0, 1]] > 0).all() or not kept[1]


def test_stamps_are_spread_out_by_gain_and_filled_up() -> None:
    centre, radius, gain = 50 * torch.rand(60, 2), 1 + 4 * torch.rand(60), torch.rand(60)
    taken: list[int] = []
    for i in gain.argsort(descending=True).tolist():
        if all(math.dist(centre[i], centre[j]) >= APART * float(radius[i] + radius[j]) for j in taken):
            taken.append(i)
    assert sorted(spread_out(centre, radius, gain, len(taken)).tolist()) == sorted(taken)
    every = spread_out(centre, radius, gain, len(taken) + 5)
    assert len(set(every.tolist())) == len(taken) + 5
    assert set(taken) < set(every.tolist())
    assert len(spread_out(centre, radius, gain, 0)) == 0


@pytest.mark.parametrize(
    "style", [Style(), Style(opacity=1.0), Style(gradient=True), Style(smallest=0.1, largest=0.15)]
)
def test_propose_adds_as_many_as_wanted_and_lowers_the_error(style: Style) -> None:
    smooth = torch.nn.functional.interpolate(torch.rand(1, 3, 3, 4), SIZE, mode="bilinear")[0]
    goal, moves = Goal(smooth), Moves.none(BANK, smooth.mean((1, 2)), style)
    before = moves.error(goal)
    for wanted in (1, 4):
        propose(moves, goal, wanted, 300, (2.0, 8.0), source())
    assert len(moves) == 5
    assert moves.error(goal) < 0.9 * before
    half = half_sizes(moves.values["where"], SIZE)
    least, most = style.half_sizes(SIZE)
    assert (half >= least - 1e-3).all()
    assert (half <= most + 1e-3).all()
    if style.opacity is None:
        assert moves.strokes().opacity is not None
        assert torch.allclose(moves.values["logit"].sigmoid(), torch.full((5,), START))


def test_propose_covers_where_the_picture_is_opaque() -> None:
    alpha = torch.zeros(SIZE)
    alpha[4:20, 18:30] = 1
    goal, moves = Goal(alpha.expand(3, -1, -1) * 0.5, alpha), Moves.none(BANK, torch.zeros(3), Style(opacity=1.0))
    propose(moves, goal, 1, 500, (3.0, 8.0), source())
    cover = goal.cover(moves.strokes(), BANK)[0, 0]
    assert cover[alpha == 1].mean() > 0.4
    assert cover[alpha == 0].mean() < 0.15
    assert torch.allclose(moves.values["what"], torch.full((1, 3), 0.5), atol=0.1)


def test_same_generator_same_strokes() -> None:
    goal = Goal(torch.rand(3, *SIZE))
    one, same, other = (Moves.none(BANK, torch.zeros(3), Style()) for _ in range(3))
    for moves, seed in ((one, 1), (same, 1), (other, 2)):
        propose(moves, goal, 3, 50, (2.0, 8.0), source(seed))
    assert torch.equal(one.values["where"], same.values["where"])
    assert not torch.equal(one.values["where"], other.values["where"])


def test_weight_moves_strokes() -> None:
    weight = torch.full(SIZE, 1e-3)
    weight[:, 16:] = 2
    goal = replace(Goal(torch.rand(3, *SIZE)), weight=weight)
    moves = Moves.none(BANK, torch.zeros(3), Style())
    propose(moves, goal, 8, 300, (1.5, 3.0), source())
    assert (geometry.invert(moves.values["where"])[:, 0, 2] > -0.1).all()


def test_random_stamps_lie_at_the_border_as_often_as_elsewhere() -> None:
    error = torch.ones(120, 120)
    _, _, centre = random_stamps(Goal(torch.zeros(1, 120, 120)), error, 20_000, (2.0, 8.0), Style(), source())
    outermost = ((centre < 1) | (centre >= 119)).any(1)
    assert outermost.float().mean() == pytest.approx(4 * 119 / 120**2, rel=0.15)


def test_small_strokes_are_painted_over_large_ones() -> None:
    moves = Moves.none(BANK, torch.zeros(3), Style(keep_proportions=True))
    propose(moves, Goal(torch.rand(3, *SIZE, generator=source())), 6, 200, (1.0, 8.0), source())
    sizes = half_sizes(moves.values["where"], SIZE)[:, 0]
    assert (sizes.diff() < 1e-4).all()
