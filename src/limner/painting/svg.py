"""Strokes as SVG: a symbol for every template, a use for every stroke."""

import base64
import io
from collections.abc import Iterator, Sequence
from zlib import crc32

import numpy
import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from limner.checks import check_finite
from limner.errors import UserError
from limner.geometry import invert, prefilter_levels
from limner.pyramid import BORDER, Pyramid
from limner.strokes import Strokes
from limner.templates import TemplateBank
from limner.writer import in_depth_order

HARD = 0.99  # from this weight on a template stands for the whole choice
WIDEST = 1e3  # a stamp wider than this many canvases is drawn this wide: its texels are far larger than a pixel anyway
VISIBLE = 5e-5  # opacity that four decimals still show
SHADE = 1 / 510  # half a step of an 8-bit colour
FADE = 0.3  # seconds that a stroke takes to appear
STYLE = (
    "<style>.growing_{mark} use{{animation:appear_{mark} {fade}s backwards}}"
    "@keyframes appear_{mark}{{from{{opacity:0}}}}"
    "@media (prefers-reduced-motion:reduce){{.growing_{mark} use{{animation:none}}}}</style>"
)
"""Of strokes that appear one after the other; what knows no animation shows them all."""


def to_svg(
    strokes: Strokes,
    bank: TemplateBank,
    size: tuple[int, int],
    background: Float[Tensor, "channel"] | None,
    delays: Sequence[float] = (),
) -> str:
    """The painting as an SVG document of `size` (height, width) in user units; a background of None is transparent.

    Shapes, and masks with hard edges, are outlines. Other masks, and blends of several templates, are pictures at the
    prefiltered size that `render` takes at `size`. Strokes stand in painting order, or in depth order where they have
    one; those that cannot be seen at all, for want of opacity or of a mask, are left out. Names of what is this
    painting's own end in a mark of it, so that several paintings go into one page.
    delays: seconds after which each stroke appears, where the painting is to grow before the eyes of who opens it.
    Raises UserError for a gradient fill of rank two, which is no linear gradient, and NotFinite for NaN or infinity in
    where.
    """
    check_finite("where", strokes.where)
    strokes = strokes.map(lambda tensor: tensor.detach().cpu().double())
    check_fills(strokes)
    strokes = in_depth_order(strokes)
    height, width = size
    sheet: dict[str, str] = {}
    mark = _mark(strokes, bank)
    uses = list(_uses(strokes, bank, size, sheet, mark, delays))
    if delays:
        sheet["style"] = STYLE.format(mark=mark, fade=FADE)
        uses = [f'<g class="growing_{mark}">', *uses, "</g>"]
    ground = [] if background is None else [f'<rect width="{width}" height="{height}" fill="{rgb(background)}"/>']
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}">'
    return "\n".join([head, "<defs>", *filter(None, sheet.values()), "</defs>", *ground, *uses, "</svg>", ""])


def check_fills(strokes: Strokes) -> None:
    """UserError for a gradient fill of rank two, which is no linear gradient."""
    if strokes.slope is None or strokes.slope.shape[2] < 2:
        return
    strength = torch.linalg.svdvals(strokes.slope[0].detach().double())[:, 1]
    if (found := torch.nonzero(strength * 2**0.5 > 2 * SHADE)).numel():
        which = f"the fill of stroke {int(found[0])} changes along both axes"
        raise UserError(f"svg: {which}, which no linear gradient can do: choose another format")


def _uses(
    strokes: Strokes,
    bank: TemplateBank,
    size: tuple[int, int],
    sheet: dict[str, str],
    mark: str,
    delays: Sequence[float],
) -> Iterator[str]:
    """One element a visible stroke; the definitions that they refer to are put on the sheet."""
    where, which, what = strokes.where[0], strokes.which[0], strokes.what[0]
    pyramid, shapes = bank.pyramid, bank.shapes
    outlines = {k: (shapes.get(k, f"template-{k}_{mark}"), drawn) for k, drawn in bank.outlines.items()}
    levels = prefilter_levels(where, size, bank.masks.shape[-1], len(pyramid.sizes)).tolist()
    drawn = matrices(where, size).tolist()
    opacities = strokes.opacity[0].tolist() if strokes.opacity is not None else [1.0] * len(strokes)
    for t, opacity in enumerate(opacities):
        symbol = _symbol(which[t], levels[t], pyramid, outlines, mark, sheet) if opacity >= VISIBLE else None
        if symbol is None:
            continue
        fill = rgb(what[t])
        if strokes.slope is not None:
            fill = _gradient(f"fill-{t}_{mark}", what[t], strokes.slope[0, t], sheet) or fill
        matrix = " ".join(number(entry, 3) for entry in drawn[t])
        veil = "" if opacity > 1 - SHADE else f' fill-opacity="{number(opacity, 4)}"'
        late = f' style="animation-delay:{number(delays[t], 2)}s"' if delays else ""
        yield f'<use href="#{symbol}" transform="matrix({matrix})" fill="{fill}"{veil}{late}/>'


def _mark(strokes: Strokes, bank: TemplateBank) -> str:
    """Four hexadecimal digits, which are others in most other paintings."""
    numbers = [*strokes.tensors().values(), bank.masks.detach().cpu().float()]
    return f"{crc32(b''.join(tensor.contiguous().numpy().tobytes() for tensor in numbers)) & 0xFFFF:04x}"


def matrices(where: Float[Tensor, "move 2 3"], size: tuple[int, int]) -> Float[Tensor, "move 6"]:
    """Template units to pixels, in the order of SVG's matrix()."""
    left, stretch, right = torch.linalg.svd(where[..., :2])
    linear = left @ torch.diag_embed(stretch.clamp(min=1 / WIDEST)) @ right
    half = where.new_tensor([[size[1] / 2], [size[0] / 2]])
    pixels = invert(torch.cat([linear, where[..., 2:]], -1)) * half
    pixels[..., 2:] += half
    return pixels.mT.flatten(1)


def _symbol(
    weights: Float[Tensor, "template"],
    levels: list[int],
    pyramid: Pyramid,
    outlines: dict[int, tuple[str, str]],
    mark: str,
    sheet: dict[str, str],
) -> str | None:
    """The id of the symbol that these weights choose, defined at its first use; None if nothing of it shows.

    outlines: the id and the SVG fragment of each template that has one.
    """
    k = int(weights.argmax())
    chosen = weights[k] >= HARD
    if chosen and k in outlines:
        name, outline = outlines[k]
        sheet.setdefault(name, f'<symbol id="{name}" overflow="visible">{outline}</symbol>' if outline else "")
        return name if outline else None
    shares = "-".join(number(weight, 3) for weight in weights.tolist())
    symbol = f"{f'template-{k}' if chosen else f'blend-{shares}'}_{levels[0]}-{levels[1]}_{mark}"
    if symbol not in sheet:
        texels = pyramid.texels.detach().cpu().double()
        texels = texels[k] if chosen else weights @ texels
        sheet[symbol] = _picture(symbol, _level(texels, pyramid, levels))
    return symbol if sheet[symbol] else None


def _level(texels: Float[Tensor, "texel"], pyramid: Pyramid, levels: list[int]) -> Float[Tensor, "rows columns"]:
    """One prefiltered size of a template, with a border of one zero texel; `levels` along x and y."""
    columns, rows = (int(pyramid.sizes[level]) + 2 * BORDER for level in levels)
    start = int(pyramid.offsets[levels[1], levels[0]])
    inner = slice(BORDER - 1, 1 - BORDER)
    return texels[start : start + rows * columns].view(rows, columns)[inner, inner]


def _picture(name: str, mask: Float[Tensor, "rows columns"]) -> str:
    """A symbol filled through a mask of bordered texels, or nothing for an empty one.

    The mask ends where bilinear sampling does, half a texel outside of the template; `smooth` asks for bilinear.
    """
    pixels = (mask.clamp(0, 1) * 255).round().to(torch.uint8).numpy()
    if not pixels.any():
        return ""
    rows, columns = (count - 2 for count in pixels.shape)
    area = _box(1 + 1 / columns, 1 + 1 / rows)
    image = f'<image {_box(1 + 2 / columns, 1 + 2 / rows)} preserveAspectRatio="none" style="image-rendering:smooth"'
    return (
        f'<mask id="{name}_mask" maskUnits="userSpaceOnUse" {area}>{image} href="{_png(pixels)}"/></mask>'
        f'<symbol id="{name}" overflow="visible"><rect {area} mask="url(#{name}_mask)"/></symbol>'
    )


def _png(pixels: numpy.ndarray) -> str:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"


def _gradient(
    name: str, what: Float[Tensor, "channel"], slope: Float[Tensor, "channel 2"], sheet: dict[str, str]
) -> str | None:
    """The fill of a stroke: what + slope p along the one direction in which it changes; None if it does not.

    Colours beyond [0, 1] end in a stop where they leave it, so that those within keep their pace.
    """
    left, strength, right = torch.linalg.svd(slope, full_matrices=False)
    dx, dy = right[0].tolist()
    reach = abs(dx) + abs(dy)
    change = left[:, 0] * strength[0] * reach
    if change.abs().max() < SHADE:
        return None
    crossings = torch.stack([-what / change, (1 - what) / change]).flatten()
    at = [-1.0, *sorted(crossings[crossings.abs() < 1].tolist()), 1.0]
    stops = "".join(f'<stop offset="{number((s + 1) / 2, 4)}" stop-color="{rgb(what + change * s)}"/>' for s in at)
    x, y = number(dx * reach, 4), number(dy * reach, 4)
    far_x, far_y = number(-dx * reach, 4), number(-dy * reach, 4)
    line = f'gradientUnits="userSpaceOnUse" x1="{far_x}" y1="{far_y}" x2="{x}" y2="{y}"'
    sheet[name] = f'<linearGradient id="{name}" {line}>{stops}</linearGradient>'
    return f"url(#{name})"


def _box(half_width: float, half_height: float) -> str:
    x, y = number(half_width, 6), number(half_height, 6)
    return f'x="-{x}" y="-{y}" width="{number(2 * half_width, 6)}" height="{number(2 * half_height, 6)}"'


def rgb(colour: Float[Tensor, "channel"]) -> str:
    """#rrggbb of a gray or RGB colour in [0, 1]."""
    values = (colour.detach().cpu().clamp(0, 1) * 255).round().int().tolist()
    return "#" + "".join(f"{value:02x}" for value in (values * 3 if len(values) == 1 else values))


def number(value: float, places: int) -> str:
    text = f"{value:.{places}f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
