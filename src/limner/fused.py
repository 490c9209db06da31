"""`render` by the fused kernels: the same functions as `canvas`, for float32 tensors on the CPU."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from limner.canvas import depth_order
from limner.cells import Cells, cells_of
from limner.geometry import sharpness
from limner.kernels import coverage, layout, memory, over
from limner.kernels import depth as soft_depth
from limner.kernels.edges import spare_eights
from limner.kernels.sampling import task_desk
from limner.kernels.stamp import cell_desk
from limner.kernels.sums import sum_under
from limner.kernels.threads import run
from limner.kernels.worth import worth
from limner.strokes import Strokes
from limner.templates import TemplateBank
from limner.transforms import check_backward

BAND = 64
"""Rows of a task where a single picture is cut into several."""
GROUPS = 32
"""Tasks are handed to threads in this many groups; templates' gradients are summed group by group."""

ROW = 4
"""Pixels that could be painted in the time that laying out a row of a stamp takes."""


def paint_fused(
    strokes: Strokes, bank: TemplateBank, canvas: Tensor, compositing: str, temperature: float = 0.0, samples: int = 1
) -> Float[Tensor, "batch channel height width"]:
    """`writer.paint_reference` by the kernels; once differentiable."""
    cells = cells_of(bank)
    if not torch.is_grad_enabled():  # else a backward pass would be prepared
        strokes, canvas, cells = strokes.detach(), canvas.detach(), cells._replace(cells=cells.cells.detach())
    return _Painting.apply(  # pyright: ignore[reportReturnType]
        canvas, strokes.where, strokes.which, strokes.what, strokes.opacity, strokes.depth, strokes.slope, cells.cells,
        cells, compositing, temperature, samples,
    )  # fmt: skip


def painted(
    strokes: Strokes,
    bank: TemplateBank,
    ground: Float[Tensor, "batch channel height width"],
    samples: int,
    wanted: Collection[str],
) -> tuple[Tensor, Callable[[Tensor], dict[str, Tensor]]]:
    """A painting (`over`), and what gives the gradients of the `wanted` to one of it, which is used up; once.

    wanted: fields of strokes, and canvas for the ground. As `render`, but without the graph that torch would make of
    it, which takes as long as painting a small picture does.
    """
    cells, tape = cells_of(bank), _Tape(wanted)
    tensors = (strokes.where, strokes.which, strokes.what, strokes.opacity, strokes.depth, strokes.slope)
    image = _Painting.forward(tape, ground, *tensors, cells.cells, cells, "over", 0.0, samples)

    def back(grad: Tensor) -> dict[str, Tensor]:
        with torch.no_grad():
            found = _Painting.backward(tape, grad)
        return {name: gradient for name, gradient in zip(_NAMES, found, strict=False) if gradient is not None}

    return image, back


class _Tape:
    """Stands in for what torch hands from a forward to a backward pass."""

    def __init__(self, wanted: Collection[str]) -> None:
        self.needs_input_grad = [name in wanted for name in _NAMES]

    def save_for_backward(self, *tensors: Tensor | None) -> None:
        self.saved_tensors = tensors


def sums_under(
    where: Float[Tensor, "stamp 2 3"],
    which: Float[Tensor, "stamp template"],
    bank: TemplateBank,
    planes: Float[Tensor, "plane height width"],
) -> Float[Tensor, "stamp plane"]:
    """Sum of each plane under each stamp, weighted by its mask as if it were alone."""
    cells, (height, width) = cells_of(bank), planes.shape[1:]
    strokes = _stroke_arrays(where[:, None], which[:, None], None, None, None)
    shape = (len(where), 1, height, width)
    touched, (placed, reach, spans, *_) = _lay_out(
        strokes, cells.tables, False, layout.NOTHING, hides=False, samples=1, shape=shape, band=height
    )
    padded, sums = torch.nn.functional.pad(planes, (0, 8)), planes.new_empty(len(where), len(planes))
    given = (padded.numpy().reshape(-1), width + 8, strokes[1], cells.tables, placed, reach, spans, sums.numpy())

    def add_up(first: int, last: int, _: int) -> None:
        sum_under(first, last, *given, cell_desk(_side(cells.tables))[0], np.empty(8 * len(planes), np.float32))

    run(add_up, len(where), GROUPS, touched)
    return sums


def changes_without(
    strokes: Strokes,
    bank: TemplateBank,
    ground: Float[Tensor, "batch channel height width"],
    target: Float[Tensor, "batch channel height width"],
    weight: Float[Tensor, "batch height width"],
) -> Float[Tensor, "batch move"]:
    """How the weighed squared error of a painting (`over`) changes without each move, the others as they are."""
    tables, (batch, channels, height, width) = cells_of(bank).tables, ground.shape
    given = _stroke_arrays(*(getattr(strokes, name) for name in _SUMMED))
    switches, sizes = (None, True, True, (None,) * channels), (channels, height, width)
    band = _band(batch, height)
    touched, plan = _lay_out(given, tables, False, layout.PIXELS, False, 1, (batch, *sizes), band)
    below, painted = _ground_array(ground), np.empty((batch, *sizes), np.float32)
    bands = plan[1].shape[1]
    found = np.zeros((bands, *strokes.where.shape[:2]), np.float32)

    def paint(first: int, last: int, _: int) -> None:
        desk = memory.desk(over.desk, sizes, band, _side(tables), None)
        over.forward(first, last, band, below, painted, given, tables, switches, plan, desk)

    run(paint, batch * bands, GROUPS, touched)
    off = torch.cat([torch.from_numpy(painted) - target, weight[:, None]], 1)
    planes = torch.nn.functional.pad(off, (0, 8)).numpy().reshape(-1)

    def leave_out(first: int, last: int, _: int) -> None:
        desk = memory.desk(over.desk, sizes, band, _side(tables), None)
        worth(first, last, band, planes, width + 8, given, tables, switches, plan, found, desk)

    run(leave_out, batch * bands, GROUPS, touched)
    return torch.from_numpy(found.sum(0))


class Plan(NamedTuple):
    """What the forward pass leaves for the backward pass, beside the tensors."""

    strokes: tuple[np.ndarray | None, ...]
    tables: tuple[np.ndarray, ...]
    band: int
    tasks: int
    switches: tuple[bool | tuple[None, ...] | None, ...]
    dense: bool
    arrays: tuple[np.ndarray, ...]
    work: int
    samples: int
    below: np.ndarray
    softness: tuple[np.ndarray, float] | None


class _Painting(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx, canvas, where, which, what, opacity, depth, slope, cells, bank: Cells, compositing, temperature, samples
    ):  # fmt: skip
        needs = dict(zip(_NAMES, ctx.needs_input_grad, strict=False))
        learns = any(needs.values())
        soft, additive = compositing == "depth", compositing == "additive"
        dense = needs["which"] or needs["cells"]
        keep_all = not additive and (needs["opacity"] or dense)
        keep_edges = keep_all or (not additive and needs["where"])
        strokes = _stroke_arrays(where, which, what, opacity, slope)
        tables = bank.tables
        ground, image = _ground_array(canvas), np.empty(canvas.shape, np.float32)
        if soft or samples > 1:
            keep = layout.MASKS if soft or learns else layout.ONE_MASK
        else:
            least = layout.LIST if learns else layout.NOTHING
            keep = layout.PIXELS if keep_all else layout.EDGES if keep_edges else least
        hides = keep <= layout.EDGES and not additive
        band = _band(canvas.shape[0], canvas.shape[2])
        touched, arrays = _lay_out(strokes, tables, dense, keep, hides, samples, image.shape, band)
        switches = additive or None, keep in _BELOW or None, keep == layout.PIXELS or None, (None,) * what.shape[2]
        room = len(arrays[4]) * what.shape[2] if samples > 1 and keep_edges and not soft else 0
        below = memory.array((room,), np.float32)
        tasks = arrays[1].shape[0] * arrays[1].shape[1] if where.shape[1] else 0
        softness = (depth_order(depth, temperature).numpy(), temperature) if soft else None
        plan = Plan(strokes, tables, band, tasks, switches, dense, arrays, touched, samples, below, softness)

        def paint(first: int, last: int, _: int) -> None:
            given = (first, last, band, ground, image, strokes, tables, switches, arrays)
            sizes = image.shape[1:], band, _side(tables)
            if plan.softness:
                desk = soft_depth.desk(*sizes, samples, where.shape[1])
                soft_depth.forward(*given, samples, plan.softness[0], desk)
            elif samples > 1:
                coverage.forward(*given, samples, below, coverage.desk(*sizes, samples))
            else:
                over.forward(*given, memory.desk(over.desk, *sizes, None))

        if tasks:
            run(paint, tasks, GROUPS, touched)
        else:
            image[:] = ground
        if learns:
            ctx.save_for_backward(canvas if soft else None, where, which, what, opacity, slope, cells)
            ctx.needs, ctx.plan = needs, plan
        return torch.from_numpy(image)

    @staticmethod
    def backward(ctx, grad):  # pyright: ignore[reportIncompatibleMethodOverride]
        check_backward(grad)
        canvas, where, which, what, _, slope, cells = ctx.saved_tensors
        plan, needs = ctx.plan, ctx.needs
        back = needs["canvas"]
        image = np.array(grad.numpy(), order="C", copy=True if back else None)
        bands = plan.arrays[1].shape[1]
        shapes = [where.shape, which.shape if plan.dense else (0, 0, 0), what.shape, where.shape[:2]]
        shapes += [slope.shape if slope is not None else (0, 0, 0, 0)]
        parts = [np.zeros((bands, *shape), np.float32) for shape in shapes]
        d_cells = np.zeros((min(GROUPS, plan.tasks), cells.numel() if needs["cells"] else 0), np.float32)
        d_depth = np.zeros((bands, *where.shape[:2]) if plan.softness else (0, 0, 0), np.float32)
        ground = None if canvas is None else _ground_array(canvas)

        def pull(first: int, last: int, group: int) -> None:
            dense, samples, gradients = plan.dense or None, plan.samples, (*parts, d_cells)
            sizes = image.shape[1:], plan.band, _side(plan.tables)
            switches = plan.switches, dense
            given = (first, last, plan.band, group, image, back, plan.strokes, plan.tables, *switches, plan.arrays)
            if plan.softness:
                desk = soft_depth.desk(*sizes, samples, where.shape[1], dense)
                kept = task_desk(plan.arrays, first, last)
                soft_depth.backward(*given, samples, plan.softness[0], ground, gradients, d_depth, kept, desk)
            elif samples > 1:
                desk, kept = coverage.desk(*sizes, samples, dense), task_desk(plan.arrays, first, last)
                coverage.backward(*given, samples, plan.below, gradients, kept, desk)
            else:
                over.backward(*given, gradients, memory.desk(over.desk, *sizes, dense))

        run(pull, plan.tasks, GROUPS, plan.work, split=needs["cells"])

        def whole(name: str, parts: np.ndarray) -> Tensor | None:
            return torch.from_numpy(parts[0] if len(parts) == 1 else parts.sum(0)) if needs[name] else None

        d_where, d_which, d_what, d_opacity, d_slope = map(whole, _SUMMED, parts)
        by_depth = torch.from_numpy(d_depth.sum(0) / plan.softness[1]) if plan.softness else None
        by_cells = torch.from_numpy(d_cells.sum(0)).view_as(cells) if needs["cells"] else None
        by_canvas = torch.from_numpy(image) if back else None
        return by_canvas, d_where, d_which, d_what, d_opacity, by_depth, d_slope, by_cells, None, None, None, None


_BELOW = layout.EDGES, layout.PIXELS
_NAMES = ("canvas", "where", "which", "what", "opacity", "depth", "slope", "cells")
_SUMMED = ("where", "which", "what", "opacity", "slope")


def _band(batch: int, height: int) -> int:
    """Rows of a task: few pictures are cut into bands, so that there is enough for all threads."""
    return height if batch >= 8 or height <= 2 * BAND else BAND


def _lay_out(strokes, tables, dense: bool, keep: int, hides: bool, samples: int, shape: tuple[int, ...], band: int):
    """Pixels touched, and the plan that the kernels share; `band` rows are a task."""
    (batch, channels, height, width), moves = shape, strokes[0].shape[1]
    bands = -(-height // band)
    placed = memory.array((batch, moves, layout.COLUMNS), np.float64)
    reach = memory.array((batch, bands, moves, 4), np.int32)
    number = np.int16 if samples * width < 2**15 else np.int32
    spans = memory.array((batch, moves, 4, height + layout.SPARE), number)
    fine = spans if samples == 1 else memory.array((batch, moves, 4, samples * height + layout.SPARE), number)
    tally = memory.array((batch, bands, moves), np.int64)
    touched = np.zeros(GROUPS, np.int64)

    def lay(first: int, last: int, group: int) -> None:
        switches = dense, keep, hides, samples, sharpness(samples)
        desk = memory.desk(layout.lay_desk, height, samples, bands)
        given = (*strokes[:2], strokes[3], *tables[1:3], *switches, band, height, width)
        touched[group] = layout.lay_out(first, last, *given, placed, reach, spans, fine, tally, desk)

    run(lay, batch, GROUPS, ROW * batch * moves * height * samples)
    begins, sampled = np.empty_like(tally), keep >= layout.MASKS
    share, spare = keep in (layout.NOTHING, layout.ONE_MASK), 0 if sampled else spare_eights(width)
    room = layout.find_room(tally, begins, share, spare)
    values = 0 if keep <= layout.LIST else 8 * room * (1 if sampled else channels)
    kept, listed = memory.array((values,), np.float32), memory.array((0 if sampled else 4 * room,), np.int32)
    return int(touched.sum()) * samples, (placed, reach, spans, fine, kept, begins, tally, listed)


def _side(tables: tuple[np.ndarray, ...]) -> int:
    """Texels of a template."""
    return int(tables[2][0])


def _ground_array(canvas: Tensor) -> np.ndarray:
    """What is painted on, one picture if it is the same for all. Torch would share copying among spinning threads."""
    ground = canvas.detach().numpy()
    return np.ascontiguousarray(ground[:1] if canvas.stride(0) == 0 else ground)


def _stroke_arrays(where, which, what, opacity, slope) -> tuple[np.ndarray | None, ...]:
    """The kernels' view of the strokes; an opacity of 1 stands in where it is not set."""
    tensors = (where, which, what, opacity, slope)
    arrays = [None if tensor is None else tensor.detach().contiguous().numpy() for tensor in tensors]
    if opacity is None:
        arrays[3] = _opaque(*where.shape[:2])
    return tuple(arrays)


@lru_cache(maxsize=8)
def _opaque(batch: int, moves: int) -> np.ndarray:
    return np.ones((batch, moves), np.float32)
