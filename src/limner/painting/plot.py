"""Strokes as paths with a width and two ends, as pen plotters draw them: SVG files called NAME.plot.svg."""

from collections.abc import Iterator
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from limner.checks import check_finite
from limner.errors import UserError
from limner.geometry import invert
from limner.painting.svg import HARD, VISIBLE, number, rgb
from limner.shapes import BAR
from limner.strokes import Strokes
from limner.templates import TemplateBank
from limner.writer import in_depth_order

Ends = tuple[float, float, float, float]
LAYERS = 'xmlns:inkscape="http://www.inkscape.org/namespaces/inkscape"'


def is_plot(path: Path) -> bool:
    """Whether a file is for a plotter, by its name."""
    return path.name.lower().endswith(".plot.svg")


def to_plot(path: Path, strokes: Strokes, bank: TemplateBank, size: tuple[int, int]) -> str:
    """Lines as an SVG document of `size` (height, width) in user units: a path each, cut off at the edge of the page.

    Paths of a colour are a layer of Inkscape's, in the order in which they are painted, so that pens can be changed
    between layers; colours are in the order in which they first come. The background is the paper, and is not drawn.
    path: what the file is to be called, for messages.
    Raises UserError for strokes that are no lines, and NotFinite for NaN or infinity in where.
    """
    check_finite("where", strokes.where)
    strokes = in_depth_order(strokes.map(lambda tensor: tensor.detach().cpu().double()))
    layers: dict[str, list[str]] = {}
    for colour, (x0, y0, x1, y1), width in _lines(path, strokes, bank, size):
        start, end = (" ".join(number(each, 2) for each in point) for point in ((x0, y0), (x1, y1)))
        layers.setdefault(colour, []).append(f'<path d="M{start}L{end}" stroke-width="{number(width, 3)}"/>')
    height, width = size
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {LAYERS} width="{width}" height="{height}"'
    body = [f'{head} viewBox="0 0 {width} {height}">']
    for colour, paths in layers.items():
        layer = f'inkscape:groupmode="layer" inkscape:label="{colour}" id="pen-{colour[1:]}"'
        body += [f'<g {layer} fill="none" stroke="{colour}">', *paths, "</g>"]
    return "\n".join([*body, "</svg>", ""])


def _lines(
    path: Path, strokes: Strokes, bank: TemplateBank, size: tuple[int, int]
) -> Iterator[tuple[str, Ends, float]]:
    """Colour, ends and width in pixels of every line that can be seen."""
    height, width = size
    half = torch.tensor([width / 2, height / 2], dtype=torch.float64)
    back = invert(strokes.where[0])
    along, across = back[..., 0] * half, BAR * back[..., 1] * half
    middle = (back[..., 2] + 1) * half
    swapped = across.norm(dim=-1, keepdim=True) > along.norm(dim=-1, keepdim=True)
    along, across = torch.where(swapped, across, along), torch.where(swapped, along, across)
    area = (along[:, 0] * across[:, 1] - along[:, 1] * across[:, 0]).abs()
    widths = 2 * area / along.norm(dim=-1)
    for t, weights in enumerate(strokes.which[0]):
        if strokes.opacity is not None and strokes.opacity[0, t] < VISIBLE:
            continue
        k = int(weights.argmax())
        if bank.names[k] == "transparent" and weights[k] >= HARD:
            continue
        if bank.names[k] != "line" or weights[k] < HARD:
            raise UserError(f"{path}: a plotter draws lines, and stroke {t} is {bank.names[k]}: paint with line alone")
        if ends := clipped(middle[t] - along[t], middle[t] + along[t], size):
            yield rgb(strokes.what[0, t]), ends, widths[t].item()


def clipped(start: Float[Tensor, "2"], end: Float[Tensor, "2"], size: tuple[int, int]) -> Ends | None:
    """The part of a line that lies on a page of `size` (height, width), None where there is none (Liang and Barsky)."""
    first, last = 0.0, 1.0
    for begin, step, side in zip(start.tolist(), (end - start).tolist(), reversed(size), strict=True):
        if step == 0:
            if not 0 <= begin <= side:
                return None
            continue
        enter, leave = sorted((-begin / step, (side - begin) / step))
        first, last = max(first, enter), min(last, leave)
    if first >= last:
        return None
    (x0, y0), (x1, y1) = ((start + share * (end - start)).tolist() for share in (first, last))
    return x0, y0, x1, y1
