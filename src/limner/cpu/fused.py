"""`render` by the fused kernels: the same functions as `canvas`, for float32 tensors on the CPU."""

from collections.abc import Callable, Collection
from functools import cache, partial
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from limner.canvas import Canvas, depth_order
from limner.cpu.cells import cells_of
from limner.cpu.laying import GROUPS, TAKEN, Laid, arrays_of, band_of, lay_out, side_of
from limner.cpu.needed import make_ready
from limner.cpu.passes import Passes, passes_for
from limner.ground import Plain, as_array, as_numbers
from limner.kernels import coverage, memory, over
from limner.kernels import depth as soft_depth
from limner.kernels.hiding import word_of
from limner.kernels.sampling import task_desk
from limner.kernels.threads import run
from limner.strokes import FIELDS, Strokes
from limner.templates import TemplateBank
from limner.transforms import check_backward


def paint_fused(
    strokes: Strokes,
    bank: TemplateBank,
    ground: Canvas | Plain,
    compositing: str,
    temperature: float = 0.0,
    samples: int = 1,
) -> Canvas:
    """`writer.paint_reference` by the kernels; once differentiable."""
    inputs = zip(_NAMES, (ground, *_fields(strokes), bank.masks), strict=True)
    learnt = [name for name, each in inputs if isinstance(each, Tensor) and each.requires_grad]
    wanted = frozenset(learnt if torch.is_grad_enabled() else ())
    channels, tilted, width = strokes.what.shape[2], strokes.slope is not None, ground.shape[3]
    make_ready(wanted, compositing, samples, channels, tilted, word_of(width))
    cells = cells_of(bank)
    return _Painting.apply(  # pyright: ignore[reportReturnType]
        ground, *_fields(strokes), cells.cells, cells.tables, wanted, compositing, temperature, samples
    )


def painted(
    strokes: Strokes,
    bank: TemplateBank,
    ground: Canvas,
    samples: int,
    wanted: Collection[str],
) -> tuple[Canvas, Callable[[Canvas], dict[str, Tensor]]]:
    """A painting (`over`), and what gives the gradients of the `wanted` to one of it; once, and uses that one up.

    wanted: fields of strokes, and canvas for the ground. As `render`, but without the graph that torch would make of
    it, which takes as long as painting a small picture does.
    """
    image, plan = _paint(frozenset(wanted), ground, _fields(strokes), cells_of(bank).tables, "over", 0.0, samples)
    return image, lambda grad: _pull(plan, grad, spent=True)


class Plan(NamedTuple):
    """What the forward pass leaves for the backward pass."""

    wanted: frozenset[str]
    passes: Passes
    strokes: tuple[Any, ...]
    tables: tuple[np.ndarray, ...]
    base: np.ndarray | None
    laid: Laid
    tasks: int
    band: int
    samples: int
    below: np.ndarray | None
    softness: tuple[np.ndarray, float] | None


class _Painting(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx, ground, where, which, what, opacity, depth, slope, cells, tables, wanted, compositing, temperature, samples
    ):  # fmt: skip
        moves = (where, which, what, opacity, depth, slope)
        image, plan = _paint(wanted, ground, moves, tables, compositing, temperature, samples)
        if wanted:
            kept = ground if plan.softness and isinstance(ground, Tensor) else None
            ctx.save_for_backward(where, which, what, opacity, slope, cells, kept)
            ctx.plan = plan
        return image

    @staticmethod
    def backward(ctx, grad):  # pyright: ignore[reportIncompatibleMethodOverride]
        check_backward(grad)
        cells = ctx.saved_tensors[5]  # which raises if any of them were written to
        plan = ctx.plan
        if not torch._C._autograd._get_current_graph_task_keep_graph():  # pyright: ignore[reportAttributeAccessIssue]
            ctx.plan = None  # as torch lets go of what it has saved, though a loss or canvas may be held
        found = _pull(plan, grad)
        if "cells" in found:
            found["cells"] = found["cells"].view_as(cells)
        return *(found.get(name) for name in _NAMES), None, None, None, None, None


def _paint(
    wanted: frozenset[str],
    ground: Canvas | Plain,
    moves: tuple[Any, ...],
    tables: tuple[np.ndarray, ...],
    compositing: str,
    temperature: float,
    samples: int,
) -> tuple[Canvas, Plan]:
    """A painting of moves (`_fields`), and how to find the gradients that are `wanted` of it."""
    where, which, what, opacity, depth, slope = moves
    batch, count, channels = what.shape
    soft = compositing == "depth"
    passes = passes_for(wanted, compositing, samples, channels)
    strokes = arrays_of(where, which, what, opacity, slope)
    base = as_array(ground)
    free = base.flags.owndata and len(base) == len(where) and not soft  # nobody else's, nor needed again
    image = base if free else np.empty((len(where), *base.shape[1:]), np.float32)
    band = band_of(batch, base.shape[2])
    laid = lay_out(strokes, tables, passes.dense, passes.keep, passes.hides, samples, image.shape, band)
    below = None
    if samples > 1 and not soft:
        below = memory.array((len(laid.kept) * channels if passes.below else 0,), np.float32)
    tasks = batch * laid.bands if count else 0
    softness = (depth_order(depth, temperature).numpy(), temperature) if soft else None
    plan = Plan(wanted, passes, strokes, tables, base if soft else None, laid, tasks, band, samples, below, softness)
    if tasks:
        run(partial(_paint_tasks, plan, base, image), tasks, GROUPS, laid.touched)
    else:
        image[:] = base
    return torch.from_numpy(image), plan


def _paint_tasks(plan: Plan, base: np.ndarray, image: np.ndarray, first: int, last: int, _: int) -> None:
    where, samples = plan.strokes[0], plan.samples
    given = (first, last, plan.band, base, image, plan.strokes, plan.tables, plan.passes.switches, plan.laid.arrays)
    sizes = image.shape[1:], plan.band, side_of(plan.tables)
    if plan.softness:
        soft_depth.forward(*given, samples, plan.softness[0], soft_depth.desk(*sizes, samples, where.shape[1]))
    elif samples > 1:
        coverage.forward(*given, samples, plan.below, coverage.desk(*sizes, samples))
    else:
        over.forward(*given, memory.desk(over.desk, *sizes, None))


def _pull(plan: Plan, grad: Canvas, spent: bool = False) -> dict[str, Tensor]:
    """The gradients that are wanted, from that to the painting, which may be written on if `spent`; of cells flat."""
    wanted, back, bands = plan.wanted, "canvas" in plan.wanted, plan.laid.bands
    where, which, what, _, slope = plan.strokes
    image = np.array(as_numbers(grad), order="C", copy=True if back and not spent else None)
    parts = [
        np.zeros((bands, *where.shape), np.float32),
        np.zeros((bands, *which.shape), np.float32) if plan.passes.dense else _no_numbers(4),
        np.zeros((bands, *what.shape), np.float32),
        np.zeros((bands, *where.shape[:2]), np.float32),
        _no_numbers(5) if slope is None else np.zeros((bands, *slope.shape), np.float32),
    ]
    groups = min(GROUPS, plan.tasks)
    d_cells = np.zeros((groups, plan.tables[0].size), np.float32) if "cells" in wanted else _no_numbers(2)
    d_depth = np.zeros((bands, *where.shape[:2]), np.float32) if plan.softness else _no_numbers(3)
    pull = partial(_pull_tasks, plan, image, (*parts, d_cells), d_depth)
    run(pull, plan.tasks, GROUPS, plan.laid.touched, split="cells" in wanted)
    found = {
        name: part[0] if bands == 1 else part.sum(0) for name, part in zip(TAKEN, parts, strict=True) if name in wanted
    }
    found |= {"canvas": image} if back else {}
    found |= {"cells": d_cells.sum(0)} if "cells" in wanted else {}
    found |= {"depth": d_depth.sum(0) / plan.softness[1]} if plan.softness and "depth" in wanted else {}
    return {name: torch.from_numpy(array) for name, array in found.items()}


def _pull_tasks(
    plan: Plan, image: np.ndarray, gradients: tuple[Any, ...], d_depth: np.ndarray, first: int, last: int, group: int
) -> None:
    passes, samples, laid = plan.passes, plan.samples, plan.laid.arrays
    dense, back, moves = passes.dense or None, "canvas" in plan.wanted, plan.strokes[0].shape[1]
    given = (first, last, plan.band, group, image, back, plan.strokes, plan.tables, passes.switches, dense, laid)
    sizes = image.shape[1:], plan.band, side_of(plan.tables)
    if plan.softness:
        desk, kept = soft_depth.desk(*sizes, samples, moves, dense), task_desk(laid, first, last)
        soft_depth.backward(*given, samples, plan.softness[0], plan.base, gradients, d_depth, kept, desk)
    elif samples > 1:
        desk, kept = coverage.desk(*sizes, samples, dense), task_desk(laid, first, last)
        coverage.backward(*given, samples, plan.below, gradients, kept, desk)
    else:
        over.backward(*given, gradients, memory.desk(over.desk, *sizes, dense))


def _fields(strokes: Strokes) -> tuple[Any, ...]:
    """Tensors, and None for those that are not set."""
    return tuple(getattr(strokes, name) for name in FIELDS)


_NAMES = ("canvas", *FIELDS, "cells")


@cache
def _no_numbers(dimensions: int) -> np.ndarray:
    """Stands in for the gradient of what has none."""
    return np.empty((0,) * dimensions, np.float32)
