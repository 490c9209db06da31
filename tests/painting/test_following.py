"""How strokes go from one picture of a clip to the next."""

from typing import Any

import pytest
import torch
from films import panned, photo
from torch import Tensor

import limner
from limner.painting.films import following
from limner.painting.films.following import lit, shift
from limner.painting.fit.goal import Goal
from limner.painting.fit.moves import Moves, Style
from limner.templates import TemplateBank

pytestmark = pytest.mark.usefixtures("quick")


@pytest.mark.parametrize(("across", "down"), [(0, 0), (5, 0), (-3, 7), (20, -11)])
def test_shift_of_a_picture(across: int, down: int) -> None:
    wide = photo()
    before, after = wide[:, 15:75, 25:105], wide[:, 15 - down : 75 - down, 25 - across : 105 - across]
    assert shift(before, after) == (across, down)


def test_shift_of_what_is_flat() -> None:
    assert shift(torch.zeros(3, 9, 9), torch.ones(3, 9, 9)) == (0, 0)


def test_shift_of_detail_in_broad_light() -> None:
    wide, light = photo(), torch.linspace(0, 1, 60)[:, None]
    before, after = wide[:, 15:75, 25:105], wide[:, 18:78, 20:100]
    assert shift(0.1 * before + 0.9 * light, 0.1 * after + 0.9 * light) == (5, -3)


def some(across: int = 0, down: int = 0, gradient: bool = False) -> Moves:
    """Six discs near the middle of a canvas of 60 x 80 pixels, shifted by so many of these."""
    generator = torch.Generator().manual_seed(0)
    moves = Moves.none(TemplateBank.named("circle"), torch.full((3,), 0.5), Style(gradient=gradient))
    centre = torch.rand(6, 2, generator=generator) - 0.5 + torch.tensor([2 * across / 80, 2 * down / 60])
    linear = torch.diag(torch.tensor([8.0, 6.0])).expand(6, 2, 2)
    where = torch.cat([linear, -linear @ centre[..., None]], -1)
    what = 0.2 + 0.4 * torch.rand(6, 3, generator=generator)
    slope = 0.1 * torch.rand(6, 3, 1, generator=generator) * torch.tensor([1.0, 0])
    moves.add(torch.ones(6, 1), {"where": where, "what": what, "logit": torch.full((6,), 2.0), "slope": slope})
    return moves


def seen(moves: Moves) -> Goal:
    """A goal that these strokes meet."""
    return Goal(Goal(torch.zeros(3, 60, 80)).canvas(moves.strokes(), moves.bank, moves.ground)[0])


def test_strokes_go_along_with_what_pans() -> None:
    before, after = some(), some(9, -5)
    kept = before.values["where"].clone()
    moved = following.panned(before, seen(before), seen(after))
    assert torch.allclose(moved.values["where"], after.values["where"], atol=1e-5)
    assert torch.equal(before.values["where"], kept)
    assert following.panned(after, seen(before), seen(after)) is after  # which are there already


@pytest.mark.parametrize("stretch", [0.3, 1.4])
@pytest.mark.parametrize("gradient", [False, True])
def test_strokes_grow_darker_and_lighter_with_the_picture(stretch: float, gradient: bool) -> None:
    moves = some(gradient=gradient)
    goal = seen(moves)
    later = Goal(stretch * goal.pixels + 0.1)
    found = lit(moves, later)
    assert torch.allclose(found.values["what"], stretch * moves.values["what"] + 0.1, atol=1e-3)
    assert torch.allclose(found.ground, torch.full((3,), stretch * 0.5 + 0.1), atol=1e-3)
    assert found.error(later) < 1e-8
    assert moves.error(goal) < 1e-12  # as they were
    assert lit(moves, Goal(goal.pixels.flip(-1))) is moves


def test_inks_do_not_change_with_the_light() -> None:
    moves = some()
    moves.style = Style(palette=torch.rand(2, 3))
    assert lit(moves, Goal(0.5 * seen(moves).pixels)) is moves


class Noted:
    """What was prepared, and fitted, of a clip."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.scenes, self.moving, self.seeds, self.goals = 0, [], [], []
        self.prepare, self.work = following.prepare, following.work
        patch.setattr(following, "prepare", self.prepared)
        patch.setattr(following, "work", self.worked)

    def prepared(self, *arguments: Any, **options: Any) -> Any:
        self.scenes += 1
        return self.prepare(*arguments, **options)

    def worked(self, moves: Any, goal: Any, count: int, seed: int, plan: Any, clock: Any) -> Any:
        self.moving.append(plan.moving)
        self.seeds.append(seed)
        self.goals.append(goal)
        return self.work(moves, goal, count, seed, plan, clock)


@pytest.fixture
def noted(monkeypatch: pytest.MonkeyPatch) -> Noted:
    return Noted(monkeypatch)


def noise(count: int, level: float) -> list[Tensor]:
    return [
        0.5 + level * (torch.rand(3, 64, 64, generator=torch.Generator().manual_seed(k)) - 0.5) for k in range(count)
    ]


@pytest.mark.parametrize("level", [0.02, 1.0], ids=["that hardly shows", "that few strokes cannot show"])
def test_grain_is_no_cut(level: float, noted: Noted) -> None:
    first = noise(1, 0 if level < 0.1 else level)
    limner.paint_clip([*first, *noise(3, level)[1:]], 4)
    assert noted.scenes == 1
    assert len(noted.moving) == 3


def test_a_clip_without_strokes_that_hardly_changes(noted: Noted) -> None:
    limner.paint_clip([torch.full((3, 32, 32), level) for level in (0.5, 0.51)], 0)
    assert noted.moving == []


def test_rounds_of_moving(noted: Noted) -> None:
    one, large = photo(), torch.zeros(3, 64, 64)
    late = one.clone()
    late[:, 40:50, 40:50] = late[:, 40:50, 40:50].flip(-1)
    clip = limner.paint_clip([one, late], 60, seed=7)
    assert noted.moving[1] == 2
    assert noted.seeds == [7, 8]
    assert all(painting.target is None for painting in clip.paintings)
    large[:, 10:50, 10:50] = 1
    other = large.clone()
    other[:, 20:30, 20:30] = 0
    limner.paint_clip([large, other], 30)
    assert noted.moving[3] == 8


def test_black_moves_on_a_clear_background() -> None:
    pictures = torch.zeros(2, 4, 64, 64)
    pictures[0, 3, 20:40, 10:30] = pictures[1, 3, 20:40, 16:36] = 1
    first, second = limner.paint_clip(pictures, 6).paintings
    assert not torch.equal(first.strokes.where, second.strokes.where)


def test_what_few_strokes_cannot_show_stands_still() -> None:
    one = noise(1, 1.0)[0]
    first, second = limner.paint_clip([one, one], 4).paintings
    assert first is second


def test_goals_of_all_pictures_are_alike(noted: Noted) -> None:
    mask = torch.zeros(64, 64)
    mask[:, :32] = 1
    limner.paint_clip(panned(3, 2), 3, importance=mask, templates="soft")
    assert len(noted.goals) == 3
    for goal in noted.goals:
        assert torch.equal(goal.weight, noted.goals[0].weight)
        assert goal.saved == 1
