"""`render` by the kernels for a GPU: the same functions as `canvas`, for float32 tensors on a CUDA device."""

from typing import NamedTuple

import torch
from jaxtyping import Int
from torch import Tensor
from triton import next_power_of_2

from limner.canvas import Canvas, depth_order
from limner.checks import check_finite
from limner.geometry import sharpness
from limner.gpu import depth as depth_kernels
from limner.gpu import over
from limner.gpu.jit import launch
from limner.gpu.layout import SIDE, across, gather, meet, place
from limner.ground import Plain, as_canvas
from limner.pyramid import Pyramid
from limner.strokes import FIELDS, Strokes
from limner.templates import TemplateBank
from limner.transforms import check_backward

BLOCK = 128
"""Moves or tiles that a program looks at together."""
ROOM = 8192
"""Numbers that a program adds up together, at most."""
AREA = SIDE * SIDE


class Layout(NamedTuple):
    """What `layout` finds: see there. first (image tile, end): where the meetings of a tile begin."""

    levels: Int[Tensor, "move three"]
    met: Int[Tensor, "image tile move"]
    slots: Int[Tensor, "image move tile"]
    first: Int[Tensor, "tile_and_end"]
    meetings: int


def paint_fused(
    strokes: Strokes,
    bank: TemplateBank,
    ground: Canvas | Plain,
    compositing: str,
    temperature: float = 0.0,
    samples: int = 1,
) -> Canvas:
    """`writer.paint_reference` by the kernels; once differentiable."""
    check_finite("where", strokes.where)
    canvas, pyramid = as_canvas(ground, strokes.what), bank.pyramid
    given = canvas, *(getattr(strokes, name) for name in FIELDS), pyramid.texels.float()
    if not torch.is_grad_enabled():  # else a backward pass would be prepared
        given = (None if tensor is None else tensor.detach() for tensor in given)
    with torch.cuda.device_of(strokes.where):
        return _Painting.apply(*given, pyramid, compositing, temperature, samples)  # pyright: ignore[reportReturnType]


_NAMES = ("canvas", *FIELDS, "texels")


class Plan(NamedTuple):
    """What the forward pass leaves for the backward pass, beside the tensors."""

    needs: dict[str, bool]
    shapes: dict[str, torch.Size]
    numbers: tuple[int, ...]
    options: dict[str, int]
    meetings: int
    soft: bool
    additive: bool
    temperature: float


class _Painting(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx, canvas, where, which, what, opacity, depth, slope, texels, pyramid, compositing, temperature, samples
    ):
        given = dict(zip(_NAMES, (canvas, where, which, what, opacity, depth, slope, texels), strict=True))
        given = {name: tensor.detach() for name, tensor in given.items() if tensor is not None}
        needs: dict[str, bool] = dict(zip(_NAMES, ctx.needs_input_grad, strict=False))
        soft, additive = compositing == "depth", compositing == "additive"
        channels, height, width = canvas.shape[1:]
        laid = _lay_out(given["where"].contiguous(), pyramid, (height, width), samples)
        stamps = [given[name].contiguous() for name in ("where", "which", "what")]
        stamps.append(given["opacity"].contiguous() if "opacity" in given else torch.ones_like(where[..., 0, 0]))
        stamps.append(given["slope"].contiguous() if "slope" in given else stamps[0])
        tables = *stamps, laid.levels, given["texels"].contiguous(), laid.met, laid.first
        numbers = height, width, across(width), across(height) * across(width), *which.shape[1:], texels.shape[1]
        options = {"CHANNELS": channels, "PADDED": next_power_of_2(channels), "SIDE": SIDE, "SAMPLES": samples}
        options["SLOPE"] = "slope" in given
        keep = soft or (not additive and any(needs[name] for name in ("where", "which", "opacity", "texels")))
        kept = where.new_empty(laid.meetings * AREA * (1 if soft else channels) if keep else 0)
        order = depth_order(given["depth"], temperature) if soft else None
        picture = canvas.detach().clone(memory_format=torch.contiguous_format)
        programs = laid.met.shape[0] * laid.met.shape[1] if laid.meetings else 0
        if order is None:
            launch(over.forward, programs, picture, kept, *tables, *numbers, **options, ADDITIVE=additive, KEEP=keep)
        else:
            launch(depth_kernels.forward, programs, picture, kept, order[1], *tables, *numbers, **options)
        ctx.save_for_backward(given["canvas"] if soft else None, order, kept, laid.slots, *tables)
        shapes = {name: tensor.shape for name, tensor in given.items()}
        ctx.plan = Plan(needs, shapes, numbers, options, laid.meetings, soft, additive, temperature)
        return picture

    @staticmethod
    def backward(ctx, grad):  # pyright: ignore[reportIncompatibleMethodOverride]
        check_backward(grad)
        canvas, order, kept, slots, *tables = ctx.saved_tensors
        plan, (batch, moves, channels) = ctx.plan, tables[2].shape
        pull = grad.clone(memory_format=torch.contiguous_format)
        widths = {"where": 6, "opacity": 1, "what": channels, "slope": 2 * channels * plan.options["SLOPE"]}
        widths |= {"which": plan.needs["which"] * plan.shapes["which"][2], "depth": int(plan.soft)}
        size = sum(widths.values())
        parts, sums = pull.new_empty(plan.meetings, size), pull.new_empty(batch * moves, size)
        d_texels = pull.new_zeros(plan.shapes["texels"] if plan.needs["texels"] else 0)
        switches = {"DENSE": plan.needs["which"], "TEXELS": plan.needs["texels"], **plan.options}
        tiles = slots.shape[2]
        programs = batch * tiles if plan.meetings else 0
        with torch.cuda.device_of(pull):
            if order is None:
                given = pull, kept, parts, d_texels, *tables, *plan.numbers, size
                launch(over.backward, programs, *given, ADDITIVE=plan.additive, KEPT=bool(kept.numel()), **switches)
            else:
                room = (torch.empty_like(kept) for _ in range(5))
                given = pull, canvas.contiguous(), kept, *order, *room, parts, d_texels, *tables, *plan.numbers, size
                launch(depth_kernels.backward, programs, *given, **switches)
            given = parts, tables[-1], slots, sums, tiles, moves, size
            padded = next_power_of_2(size)
            launch(gather, batch * moves, *given, PADDED=padded, BLOCK=max(1, min(BLOCK, ROOM // padded)))
        found = dict(zip(widths, sums.split(list(widths.values()), 1), strict=True))
        found |= {"canvas": pull, "texels": d_texels}
        if plan.soft:
            found["depth"] = found["depth"] / plan.temperature
        asked = {name for name in _NAMES if plan.needs[name]} - (set() if plan.soft else {"depth"})
        return *(found[name].reshape(plan.shapes[name]) if name in asked else None for name in _NAMES), *(None,) * 4


def _lay_out(where: Tensor, pyramid: Pyramid, size: tuple[int, int], samples: int) -> Layout:
    batch, moves = where.shape[:2]
    columns, tiles = across(size[1]), across(size[0]) * across(size[1])
    number = torch.int16 if moves < 2**15 else torch.int32
    levels = torch.empty(batch * moves, 3, dtype=torch.int32, device=where.device)
    met = torch.empty(batch, tiles, moves, dtype=number, device=where.device)
    slots = torch.empty(batch, moves, tiles, dtype=number, device=where.device)
    first = torch.zeros(batch * tiles + 1, dtype=torch.int64, device=where.device)
    given = where, pyramid.sizes, pyramid.offsets, levels, batch * moves, *size, len(pyramid.sizes)
    launch(place, -(-batch * moves // BLOCK), *given, density=samples * sharpness(samples), BLOCK=BLOCK)
    given = where, levels, met, slots, first[1:], *size, columns, tiles, moves
    launch(meet, batch * tiles, *given, SIDE=SIDE, BLOCK=BLOCK)
    first = first.cumsum(0)
    return Layout(levels, met, slots, first, int(first[-1]))
