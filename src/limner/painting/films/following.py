"""From one picture of a clip to the next: the same strokes, which move on as the picture does.

Strokes go along with what pans, and grow lighter or darker with all of the picture; then a few are moved to where they
are missing, and all settle for a while with what steps remember of the pictures before. The more the picture has
changed, the more are moved: none where it stands still. At a cut it is painted anew.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from limner import geometry
from limner.painting.fit.goal import Goal
from limner.painting.fit.moves import Moves
from limner.painting.fit.rounds import USUAL, Plan, again, work
from limner.painting.painting import Painting
from limner.painting.pictures import Picture
from limner.painting.preparing import Prepared, prepare

FOLLOWING = Plan(extra=1.0, adding=0, dropping=0, moving=8, settling=60)
"""With as many rounds of moving as there are at most."""
LEAST_MOVING, MOVING = 2, 2.5
"""Rounds of moving where the picture changes: at least, and for an error that has doubled; more for larger ones."""
CHANGED, STILL = 0.02, 1e-6
"""Growth of the error by which a picture changes, and an error that does not matter, however it grows."""
LIT, STRETCH = 0.5, (0.05, 20.0)
"""Of the error, what another light has to leave at most; and by how much it can stretch colours."""
CUT, CUT_ERROR, CUT_GROWN = 0.75, 1e-3, 0.25
"""Where the strokes are off by this share of the ground's error, and by this much, and by so much more than before,
nothing of the picture is left."""


@dataclass
class Scene:
    """A picture that was prepared, the strokes as they are now, and the goal that they were fitted to last."""

    prepared: Prepared
    moves: Moves
    goal: Goal

    @classmethod
    def of(cls, picture: Picture, settings: dict[str, Any]) -> "Scene":
        """One that begins with a picture; settings are the other arguments of `prepare`."""
        prepared = prepare(picture, **settings)
        return cls(prepared, prepared.task.begun(), prepared.task.goal)

    def begin(self, seed: int) -> Iterable[tuple[float, float]]:
        """Rounds that paint the first picture, as `rounds.work` yields them."""
        count = self.prepared.task.count
        return work(self.moves, self.goal, count, seed, USUAL, None) if count else ()

    def follow(self, picture: Picture, seed: int) -> Iterable[tuple[float, float]] | None:
        """Rounds that move the strokes to suit the next picture; None where hardly anything is left of the scene."""
        before, (self.goal, ground) = self.goal, self.prepared.following(picture)
        if torch.equal(planes(before), planes(self.goal)):
            return ()
        self.moves.bank = self.prepared.task.bank
        last = self.moves.error(before)
        self.moves = moves = lit(panned(self.moves, before, self.goal), self.goal)
        error, bare = moves.error(self.goal), Moves.none(moves.bank, ground, moves.style).error(self.goal)
        grown = error / max(last, STILL) - 1
        if grown > CUT_GROWN and error > max(CUT * bare, CUT_ERROR):
            return None
        if not len(moves):
            return ()
        moving = min(max(LEAST_MOVING, round(MOVING * grown)), FOLLOWING.moving) if grown > CHANGED else 0
        plan = replace(FOLLOWING, moving=moving)
        return work(moves, self.goal, len(moves), seed, plan, None)

    def painting(self, size: tuple[int, int]) -> Painting:
        """The strokes as they are, of a picture of (height, width)."""
        return replace(self.prepared.painting(self.moves.copied()), target=None, picture_size=size)


def planes(goal: Goal) -> Float[Tensor, "plane height width"]:
    """What is wanted, with alpha behind, if there is any."""
    return goal.pixels if goal.alpha is None else torch.cat([goal.pixels, goal.alpha[None]])


def panned(moves: Moves, before: Goal, goal: Goal) -> Moves:
    """The moves as they are, or shifted as the picture has been, where that suits the goal better."""
    across, down = shift(planes(before), planes(goal))
    if not (across or down):
        return moves
    height, width = goal.size
    other = again(moves)
    by = torch.tensor([2 * across / width, 2 * down / height])
    other.values["where"] = geometry.moved(other.values["where"], by.expand(len(moves), 2))
    return other if other.error(goal) < moves.error(goal) else moves


def lit(moves: Moves, goal: Goal) -> Moves:
    """The moves as they are, or as much lighter or darker as all of the picture is, where that halves the error.

    Each channel of what is seen is stretched and shifted, by least squares, and so are all colours: what is laid over
    each other changes as they do.
    """
    if moves.style.palette is not None or goal.alpha is not None or not len(moves):
        return moves
    seen, wanted = goal.canvas(moves.strokes(), moves.bank, moves.ground)[0].flatten(1), goal.pixels.flatten(1)
    off, to = seen - seen.mean(1, keepdim=True), wanted.mean(1)
    stretch = ((off * wanted).sum(1) / off.square().sum(1).clamp(min=1e-6)).clamp(*STRETCH)
    more = to - stretch * seen.mean(1)
    other = again(moves)
    other.values["what"].mul_(stretch).add_(more)
    if moves.style.learn_ground:
        other.ground.mul_(stretch).add_(more).clamp_(0, 1)
    if "slope" in other.values:
        other.values["slope"].mul_(stretch[:, None])
    other.limit(goal.size)
    return other if other.error(goal) < LIT * moves.error(goal) else moves


def shift(
    before: Float[Tensor, "channel height width"], after: Float[Tensor, "channel height width"]
) -> tuple[int, int]:
    """By how many pixels a picture has gone across and down, if all of it has.

    By phase correlation (Kuglin and Hines 1975) under a Hann window.
    """
    height, width = before.shape[1:]
    window = torch.hann_window(height, periodic=False)[:, None] * torch.hann_window(width, periodic=False)
    first, second = (torch.fft.rfft2((picture.mean(0) - picture.mean()) * window) for picture in (before, after))
    cross = first.conj() * second
    size = cross.abs()
    place = torch.fft.irfft2(cross / (size + 1e-3 * size.mean() + 1e-12), s=(height, width)).argmax().item()
    down, across = divmod(int(place), width)
    return across - width * (across > width // 2), down - height * (down > height // 2)
