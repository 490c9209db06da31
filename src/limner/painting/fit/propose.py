"""New strokes: many random stamps are tried on the canvas, each in its best colour, and the best are taken."""

import math

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import avg_pool1d, one_hot

from limner.cpu.gains import sums_under
from limner.geometry import phi
from limner.painting.fit.goal import Goal
from limner.painting.fit.moves import Moves, Style
from limner.templates import TemplateBank

START = 0.75
"""Opacity of a new stroke where it is free."""
STRETCH = 0.5
"""Spread of the logarithm of a new stamp's elongation."""
PLACES = 2**24
"""Most pixels from which torch can draw some at random."""
APART = 0.8
"""Stamps taken together are at least this share of the sum of their radii apart."""


def propose(moves: Moves, goal: Goal, wanted: int, tries: int, radii: tuple[float, float], generator) -> None:
    """Paint `wanted` new strokes on top of the others: those of `tries` that lower the squared error most.

    radii: smallest and largest mean half size to try, in pixels of the goal.
    """
    strokes = moves.strokes()
    canvas = goal.canvas(strokes, moves.bank, moves.ground)[0]
    opacity = START if moves.style.opacity is None else moves.style.opacity
    pixels, squares, more = goal.pixels, (goal.pixels - canvas).square().sum(0), None
    if goal.alpha is not None:
        cover = goal.cover(strokes, moves.bank)[0, 0]
        covered = cover + opacity * (1 - cover)
        off, more = ((goal.cover_weight - 1) * (each - goal.alpha).square() for each in (cover, covered))
        canvas = torch.cat([canvas, cover[None]])
        now, pixels = (torch.cat([goal.wanted(each), goal.alpha[None]]) for each in (cover, covered))
        squares = (now - canvas).square().sum(0) + off
    error = goal.weighed(squares)
    error = error if goal.region is None else error * goal.region
    where, radius, centre = random_stamps(goal, error, tries, radii, moves.style, generator)
    which = one_hot(torch.randint(kinds := len(moves.bank), (tries,), generator=generator), kinds).float()
    colours, gain = best_colours(where, which, moves.bank, goal, canvas, pixels, opacity, moves.style, squares, more)
    chosen = spread_out(centre, radius, gain, wanted)
    chosen = chosen[radius[chosen].argsort(descending=True, stable=True)]
    values = {"where": where[chosen], "what": colours[chosen]}
    if moves.style.opacity is None:
        values["logit"] = torch.full((len(chosen),), math.log(START / (1 - START)))
    if moves.style.gradient:
        values["slope"] = torch.zeros(len(chosen), colours.shape[1], 2)
    moves.add(which[chosen], values)
    moves.limit(goal.size)


def random_stamps(
    goal: Goal,
    error: Float[Tensor, "height width"],
    tries: int,
    radii: tuple[float, float],
    style: Style,
    generator,
) -> tuple[Float[Tensor, "tries 2 3"], Float[Tensor, "tries"], Float[Tensor, "tries 2"]]:
    """Phi, radius and centre (pixels) of stamps where the error is large, sizes even on a log scale.

    Angles are of half a turn; the other half gains nothing (docs/log.md).
    """
    height, width = goal.size
    near = blurred(error, 2 * (max(height, width) // 100) + 1).flatten()
    chance = near + 1e-3 * near.mean() + 1e-12
    if goal.region is not None:
        chance = chance * goal.region.flatten() + 1e-30
    place = torch.multinomial(chance, tries, replacement=True, generator=generator)
    jitter = torch.rand(tries, 2, generator=generator)
    centre = torch.stack([place % width, place // width], -1) + jitter
    low, high = (math.log(r) for r in radii)
    radius = torch.exp(low + (high - low) * torch.rand(tries, generator=generator))
    spread = 0.0 if style.keep_proportions else STRETCH
    stretch = torch.exp(spread * torch.randn(tries, generator=generator))
    half = torch.stack([radius * stretch, radius / stretch], -1) * (2 / height)
    angle = (0.0 if style.upright else math.pi) * torch.rand(tries, generator=generator)
    points = 2 * centre / torch.tensor([width, height]) - 1
    return phi(points, half, angle, width / height), radius, centre


def blurred(plane: Float[Tensor, "height width"], side: int) -> Float[Tensor, "height width"]:
    """The mean of the `side` x `side` pixels around each, of fewer at the border; `side` is odd."""
    for _ in range(2):
        plane = avg_pool1d(plane, side, 1, side // 2, count_include_pad=False).T
    return plane


def best_colours(
    where: Tensor,
    which: Tensor,
    bank: TemplateBank,
    goal: Goal,
    canvas: Tensor,
    pixels: Tensor,
    opacity: float,
    style: Style,
    before: Float[Tensor, "height width"] | None = None,
    more: Float[Tensor, "height width"] | None = None,
) -> tuple[Float[Tensor, "tries channel"], Float[Tensor, "tries"]]:
    """The colour in [0, 1] that each stamp alone would best have, in closed form, and how far it lowers the error.

    Over a stamp that is 1 inside, the error (t - (1 - o) c - o w)^2 of canvas c and target t is least where w is the
    mean of d / o, d = t - (1 - o) c. It is `before` without the stamp, (t - c)^2 where that is left out; and by so much
    `more` with it, whatever its colour.
    """
    rest = pixels - (1 - opacity) * canvas
    before = (pixels - canvas).square().sum(0) if before is None else before
    after = rest.square().sum(0) if more is None else rest.square().sum(0) + more
    planes = [before, after, torch.ones_like(before), *rest]
    sums = sums_under(where, which, bank, goal.weighed(torch.stack(planes)))
    old, squares, area = sums[:, 0], sums[:, 1], sums[:, 2].clamp(min=1e-3)
    what = (sums[:, 3:] / (opacity * area[:, None])).clamp(0, 1)
    if goal.alpha is not None:
        what = torch.cat([what[:, :-1], torch.ones(len(what), 1)], 1)
    channels = len(goal.pixels)
    what = torch.cat([style.ink(what[:, :channels]), what[:, channels:]], 1)
    new = squares - 2 * opacity * (what * sums[:, 3:]).sum(1) + opacity**2 * area * what.square().sum(1)
    return what[:, :channels], torch.where(sums[:, 2] < 1, -math.inf, old - new)


def spread_out(centre: Tensor, radius: Tensor, gain: Tensor, wanted: int) -> Tensor:
    """Indices of the stamps of largest gain that keep apart; filled up with the next best if there are too few."""
    order = gain.argsort(descending=True, stable=True)
    places, sizes = centre[order].numpy(), radius[order].numpy()
    taken, left = [], []
    for i, (place, size) in enumerate(zip(places, sizes, strict=True)):
        if len(taken) == wanted:
            break
        apart = ((places[taken] - place) ** 2).sum(1) ** 0.5 >= APART * (sizes[taken] + size)
        (taken if apart.all() else left).append(i)
    return order[torch.tensor(sorted((taken + left)[:wanted]), dtype=torch.long)]
