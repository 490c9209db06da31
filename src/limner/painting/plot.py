"""Strokes as paths with a width and two ends, as pen plotters draw them: SVG files called NAME.plot.svg."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from limner.checks import check_finite
from limner.errors import UserError
from limner.painting.svg import HARD, SHADE, VISIBLE, matrices, number, rgb
from limner.shapes import BAR
from limner.strokes import Strokes
from limner.templates import TemplateBank
from limner.writer import in_depth_order

Ends = tuple[float, float, float, float]
PLOT = ".plot.svg"
"""How the names of such files end."""
AT_A_TIME = 4000
"""Lines that are looked through for the nearest: each takes as long as there are."""
DRAWN = ("line", "transparent")
LAYERS = 'xmlns:inkscape="http://www.inkscape.org/namespaces/inkscape"'


class Line(NamedTuple):
    """x and y of its ends, and its width, in pixels; its opacity."""

    ends: Ends
    width: float
    opacity: float


def is_plot(path: Path) -> bool:
    """Whether a file is for a plotter, by its name."""
    return path.name.lower().endswith(PLOT)


def to_plot(path: Path, strokes: Strokes, bank: TemplateBank, size: tuple[int, int]) -> str:
    """Lines as an SVG document of `size` (height, width) in user units: a path each, cut off at the edge of the page.

    Paths of a colour are a layer of Inkscape's, so that pens can be changed between layers. Their labels begin with a
    number, which is how plotters' software tells layers apart. Layers are in the order in which their colours first
    come, and paths so that the pen travels little in the air. The background is the paper, and is not drawn.
    path: what the file is to be called, for messages.
    Raises UserError for strokes that are no lines or change their colour, and NotFinite for NaN or infinity in where.
    """
    check_finite("where", strokes.where)
    strokes = in_depth_order(strokes.map(lambda tensor: tensor.detach().cpu().double()))
    layers: dict[str, list[Line]] = {}
    for colour, line in _lines(path, strokes, bank, size):
        layers.setdefault(colour, []).append(line)
    height, width = size
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {LAYERS} width="{width}" height="{height}"'
    body = [f'{head} viewBox="0 0 {width} {height}">']
    for pen, (colour, lines) in enumerate(layers.items(), 1):
        layer = f'id="pen-{pen}" inkscape:groupmode="layer" inkscape:label="{pen} {colour}"'
        body += [f'<g {layer} fill="none" stroke="{colour}">', *map(_path, _near_each_other(lines)), "</g>"]
    return "\n".join([*body, "</svg>", ""])


def pens(path: Path) -> int:
    """How many layers a saved plot has, one for each pen."""
    return path.read_text(encoding="utf-8").count("<g ")


def _path(line: Line) -> str:
    start, end = (" ".join(number(each, 2) for each in point) for point in (line.ends[:2], line.ends[2:]))
    veil = "" if line.opacity > 1 - SHADE else f' stroke-opacity="{number(line.opacity, 4)}"'
    return f'<path d="M{start}L{end}" stroke-width="{number(line.width, 3)}"{veil}/>'


def _near_each_other(lines: list[Line]) -> Iterator[Line]:
    """The lines, each followed by the one with the nearest end, from that end on; of so many at a time."""
    at = np.zeros(2)
    for start in range(0, len(lines), AT_A_TIME):
        some = lines[start : start + AT_A_TIME]
        ends = np.array([line.ends for line in some]).reshape(-1, 2, 2)
        for _ in some:
            k, end = divmod(int(np.square(ends - at).sum(-1).argmin()), 2)
            first, at = ends[k, end].copy(), ends[k, 1 - end].copy()
            yield some[k]._replace(ends=(*first.tolist(), *at.tolist()))
            ends[k] = np.inf


def check_brushes(path: Path, bank: TemplateBank) -> None:
    """UserError for a bank whose strokes are not all lines."""
    others = [name for k, name in enumerate(bank.names) if bank.shapes.get(k) not in DRAWN]
    if others:
        raise UserError(f"{path}: a plotter draws lines, and no {others[0]}: give --pen or --templates line, no others")


def check_strokes(path: Path, strokes: Strokes, bank: TemplateBank) -> None:
    """UserError for strokes that `to_plot` cannot draw."""
    for _ in _lines(path, strokes, bank, (1, 1)):
        pass


def _lines(path: Path, strokes: Strokes, bank: TemplateBank, size: tuple[int, int]) -> Iterator[tuple[str, Line]]:
    """Every line that can be seen, and its colour."""
    along, across, middle = matrices(strokes.where[0], size).unflatten(1, (3, 2)).unbind(1)
    across = BAR * across
    swapped = across.norm(dim=-1, keepdim=True) > along.norm(dim=-1, keepdim=True)
    along, across = torch.where(swapped, across, along), torch.where(swapped, along, across)
    area = (along[:, 0] * across[:, 1] - along[:, 1] * across[:, 0]).abs()
    widths = 2 * area / along.norm(dim=-1)
    opacities = strokes.opacity[0].tolist() if strokes.opacity is not None else [1.0] * len(strokes)
    for t, (weights, opacity) in enumerate(zip(strokes.which[0], opacities, strict=True)):
        k = int(weights.argmax())
        shape = bank.shapes.get(k) if weights[k] >= HARD else None
        if opacity < VISIBLE or shape == "transparent":
            continue
        if shape != "line":
            raise UserError(f"{path}: a plotter draws lines, and stroke {t} is {bank.names[k]}: paint with line alone")
        if strokes.slope is not None and strokes.slope[0, t].abs().max() > SHADE:
            raise UserError(f"{path}: a pen has one colour, and stroke {t} a gradient: paint with a flat fill")
        if ends := clipped(middle[t] - along[t], middle[t] + along[t], size):
            yield rgb(strokes.what[0, t]), Line(ends, widths[t].item(), opacity)


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
