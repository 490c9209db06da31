"""Figures 3.1 to 3.5: what the template writer does, drawn by the engine and checked without it."""

import math
from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from limner import choose, geometry
from limner.data import raster
from limner.figures import sheets
from limner.figures.sheets import Panel
from limner.strokes import Strokes
from limner.templates import TemplateBank
from limner.writer import Compositing, render

SIZE, SIDE = 56, 168
BLUE, RED, GREEN = (0.1, 0.2, 0.8), (0.8, 0.1, 0.1), (0.1, 0.6, 0.3)
BOXES = ((21.0, 22.0, 15.0, 12.0), (34.0, 33.0, 14.0, 15.0))
"""Blue and red rectangle: centre and half sides in pixels."""
GAMMAS = (1.0, 5.0, 30.0)
SCORES = (1.0, 1.5, 0.6, 0.9)

Canvas = Float[Tensor, "channel height width"]
Phi = Float[Tensor, "2 3"]
Drawing = tuple[Image.Image, dict[str, float]]


def mask() -> Drawing:
    """3.1: a square mask, rescaled, then also rotated; its area against that of Phi."""
    bank, half = TemplateBank.named("square"), (0.55, 0.4)
    scaled, turned = _where((0.0, 0.0), half), _where((0.15, -0.1), half, math.radians(35))
    painted = _stamp(turned, bank)
    panels = [
        Panel("template mask", bank.masks[:, None, None]),
        Panel("p_mask: rescaled", _stamp(scaled, bank)[None, None]),
        Panel("p_mask: also rotated", painted[None, None]),
    ]
    covered = painted > 0.01
    partly = covered & (painted < 0.99)
    return sheets.compose(panels, 3, SIDE), {
        "area_error": abs(float(painted.sum()) / (half[0] * half[1] * SIZE**2) - 1),
        "partial": float(partly.sum() / covered.sum()),
    }


def colour() -> Drawing:
    """3.2: a mask, a colour, and the coloured patch."""
    bank, where = TemplateBank.named("circle"), _where((0.05, 0.0), (0.75, 0.45), -0.5)
    stamp, what = _stamp(where, bank), torch.tensor(GREEN)[:, None, None]
    patch = _paint([where], [GREEN], bank)
    panels = [
        Panel("p_mask", stamp[None, None]),
        Panel("h_what", what.expand(1, 1, 3, SIZE, SIZE), colour=True),
        Panel("p_color", (patch + 1 - stamp)[None, None], colour=True),
    ]
    return sheets.compose(panels, 3, SIDE), {"colour_error": float((patch - what * stamp).abs().max())}


def choice() -> Drawing:
    """3.3: a bank, and what is chosen of it: the larger gamma, the sharper."""
    bank, where = TemplateBank.named("circle", "square", "line", "curve"), _where((0.0, 0.0), (0.8, 0.8))
    single = torch.eye(len(bank))
    panels = [
        Panel(f"{name}, score {score}", _stamp(where, bank, each)[None, None])
        for name, score, each in zip(bank.names, SCORES, single, strict=True)
    ]
    weights = {gamma: choose.softmax(torch.tensor(SCORES), gamma) for gamma in GAMMAS}
    blends = {gamma: _stamp(where, bank, each) for gamma, each in weights.items()}
    panels += [
        Panel(f"γ = {gamma:g}: {', '.join(f'{w:.2f}' for w in weights[gamma].tolist())}", blend[None, None])
        for gamma, blend in blends.items()
    ]
    square = bank.names.index("square")
    return sheets.compose(panels, 4, SIDE), {
        "weight_1": float(weights[1.0][square]),
        "weight_30": float(weights[30.0][square]),
        "area_error": abs(float(blends[30.0].sum()) / (0.8 * SIZE) ** 2 - 1),
    }


def order() -> Drawing:
    """3.4: two rectangles, and two moves that paint them in either order."""
    target = _exact()
    right, wrong = _two_moves((0, 1)), _two_moves((1, 0))
    panels = [
        _coloured("picture", target + (1 - _covers()).prod(0)),
        _coloured("blue, then red", *_steps((0, 1))),
        _coloured("red, then blue", *_steps((1, 0))),
    ]
    return sheets.compose(panels, 3, SIDE), {"right_order": _error(right, target), "wrong_order": _error(wrong, target)}


def canvases() -> Drawing:
    """3.5: the same two moves on an additive canvas and on one that is painted over."""
    target, meet = _exact(), _covers().prod(0) > 0.99
    added, over = _two_moves((0, 1), "additive"), _two_moves((0, 1))
    panels = [
        _coloured("additive canvas (3.3)", *_steps((0, 1), "additive")),
        _coloured("over (3.4, 3.5)", *_steps((0, 1))),
    ]
    return sheets.compose(panels, 1, SIDE), {
        "over": _error(over, target),
        "additive": _error(added, target),
        "additive_best": _best_additive(target),
        "purple": float(added[[0, 2]][:, meet].min()),
    }


DRAWINGS: dict[str, Callable[[], Drawing]] = {
    "mask": mask,
    "colour": colour,
    "choice": choice,
    "order": order,
    "canvases": canvases,
}


def _where(centre: tuple[float, float], half: tuple[float, float], angle: float = 0.0) -> Phi:
    return geometry.phi(torch.tensor(centre, dtype=torch.float32), torch.tensor(half), torch.tensor(angle))


def _paint(
    wheres: list[Phi],
    colours: list[tuple[float, ...]],
    bank: TemplateBank,
    which: Float[Tensor, "template"] | None = None,
    compositing: Compositing = "over",
) -> Canvas:
    """Moves on a canvas of zeros."""
    weights = torch.ones(len(bank)) / len(bank) if which is None else which
    moves = Strokes(
        torch.stack(wheres)[None], weights.expand(1, len(wheres), -1).contiguous(), torch.tensor(colours)[None]
    )
    return render(moves, bank, (SIZE, SIZE), compositing=compositing)[0]


def _stamp(where: Phi, bank: TemplateBank, which: Float[Tensor, "template"] | None = None) -> Canvas:
    """A transformed mask: ink 1 on paper 0."""
    return _paint([where], [(1.0,)], bank, which)


def _moves(chosen: tuple[int, ...]) -> tuple[list[Phi], list[tuple[float, ...]]]:
    wheres = [_where((x * 2 / SIZE - 1, y * 2 / SIZE - 1), (w * 2 / SIZE, h * 2 / SIZE)) for x, y, w, h in BOXES]
    return [wheres[k] for k in chosen], [(BLUE, RED)[k] for k in chosen]


def _two_moves(chosen: tuple[int, ...], compositing: Compositing = "over") -> Canvas:
    return _paint(*_moves(chosen), TemplateBank.named("square"), compositing=compositing)


def _steps(chosen: tuple[int, ...], compositing: Compositing = "over") -> list[Canvas]:
    """The canvas after the first and after both moves, unpainted parts shown white."""
    covers = _covers()
    return [_two_moves(some, compositing) + (1 - covers[list(some)]).prod(0) for some in (chosen[:1], chosen)]


def _coloured(title: str, *canvases: Canvas) -> Panel:
    return Panel(title, torch.stack(canvases)[None], colour=True)


def _covers() -> Float[Tensor, "rectangle height width"]:
    """What each rectangle covers of each pixel, exactly."""
    boxes = np.array([[*box, 0.0] for box in BOXES])
    return torch.from_numpy(raster.cover(np.zeros(len(BOXES), int), boxes, ("square",), SIZE))


def _exact() -> Canvas:
    """Blue under red."""
    canvas = torch.zeros(3, SIZE, SIZE)
    for cover, ink in zip(_covers(), (BLUE, RED), strict=True):
        canvas = canvas * (1 - cover) + torch.tensor(ink)[:, None, None] * cover
    return canvas


def _best_additive(target: Canvas) -> float:
    """Root mean squared error of the sum of both rectangles in the colours that make it least."""
    covers = _covers().flatten(1).T
    colours = torch.linalg.lstsq(covers, target.flatten(1).T).solution
    return _error((covers @ colours).T.view_as(target), target)


def _error(canvas: Canvas, target: Canvas) -> float:
    return float((canvas - target).square().mean().sqrt())
