"""`render` by the fused kernels: the same functions as `canvas`, for float32 tensors on the CPU."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import once_differentiable

from limner.kernels import over
from limner.kernels.bank import find_outlines
from limner.kernels.threads import run
from limner.pyramid import BORDER, Pyramid
from limner.strokes import Strokes
from limner.templates import TemplateBank

BAND = 64
"""Rows of a task where a single picture is cut into several."""
GROUPS = 32
"""Tasks are handed to threads in this many groups; templates' gradients are summed group by group."""


class Cells(NamedTuple):
    """A pyramid as the kernels read it."""

    cells: Float[Tensor, "template four_cells"]
    outlines: np.ndarray
    sizes: np.ndarray
    offsets: np.ndarray


def paint_fused(
    strokes: Strokes, bank: TemplateBank, canvas: Tensor, compositing: str, temperature: float = 0.0
) -> Float[Tensor, "batch channel height width"]:
    """`writer.paint_reference` by the kernels; once differentiable."""
    cells = cells_of(bank)
    mode = (compositing, temperature)
    return _Painting.apply(  # pyright: ignore[reportReturnType]
        canvas, strokes.where, strokes.which, strokes.what, strokes.opacity, strokes.depth, strokes.slope, cells.cells,
        cells, mode,
    )  # fmt: skip


def cells_of(bank: TemplateBank) -> Cells:
    """The bank's pyramid as cells of (a, b, c, d): the mask in a cell is a + b u + c v + d u v. Kept with the bank."""
    kept = bank.__dict__.get("_cells")
    if kept is None or bank.masks.requires_grad:
        kept = _build_cells(bank.pyramid)
        bank.__dict__["_cells"] = kept
    return kept


def _build_cells(pyramid: Pyramid) -> Cells:
    texels = pyramid.texels.float()
    sizes, offsets = pyramid.sizes.numpy(), pyramid.offsets.numpy()
    stride = torch.cat([torch.full(((n + 2 * BORDER) * (m + 2 * BORDER),), m + 2 * BORDER) for n in sizes for m in sizes])
    here, last = torch.arange(texels.shape[1]), texels.shape[1] - 1
    right, below, beyond = (texels[:, (here + step).clamp(max=last)] for step in (1, stride, stride + 1))
    cells = torch.stack([texels, right - texels, below - texels, beyond - below - right + texels], -1).flatten(1)
    outlines = np.empty((len(texels), len(sizes), len(sizes), 17))
    find_outlines(cells.detach().numpy(), sizes, offsets, texels.requires_grad, outlines)
    return Cells(cells, outlines, sizes, offsets)


class _Painting(torch.autograd.Function):
    @staticmethod
    def forward(ctx, canvas, where, which, what, opacity, depth, slope, cells, bank: Cells, mode):
        canvas = canvas.contiguous().clone() if canvas.is_contiguous() else canvas.contiguous()
        needs = dict(zip(_NAMES, ctx.needs_input_grad, strict=False))
        flat = _flat_arrays(where, which, what, opacity, slope)
        height, width = canvas.shape[-2:]
        batch, moves = where.shape[:2]
        band = height if batch >= 8 or height <= 2 * BAND else BAND
        bands = -(-height // band)
        additive = mode[0] == "additive"
        dense = needs["which"] or needs["cells"]
        keep_edges = not additive and (needs["where"] or needs["opacity"] or dense)
        keep_all = not additive and (needs["opacity"] or dense)
        tally = np.zeros((batch, bands, moves), np.int64)
        tables = (cells.detach().numpy(), *bank[1:])
        reach = np.empty((batch, bands, moves, 2), np.int32)
        layout = np.empty((batch, moves, height, 4), np.int16)
        touched = over.lay_out(
            *flat[:2], *tables, dense, keep_all, band, height, width, reach, layout, tally
        )
        ends = tally.cumsum().reshape(tally.shape)
        begins = (ends - tally) * canvas.shape[1]
        kept = np.empty(ends.max(initial=0) * canvas.shape[1] if keep_edges else 0, np.float32)
        switches = (additive, slope is not None, dense, keep_edges, keep_all)
        image = canvas.detach().numpy()

        def paint(first, last, group):
            over.forward(first, last, band, image, *flat, *tables, *switches, reach, layout, kept, begins)

        run(paint, batch * bands, GROUPS, touched)
        if any(ctx.needs_input_grad):
            ctx.save_for_backward(where, which, what, opacity, slope, cells)
            ctx.plan = (bank, band, bands, needs, switches, reach, layout, kept, begins, touched)
        return canvas

    @staticmethod
    @once_differentiable
    def backward(ctx, grad):
        where, which, what, opacity, slope, cells = ctx.saved_tensors
        bank, band, bands, needs, switches, reach, layout, kept, begins, touched = ctx.plan
        grad = grad.contiguous().clone()
        flat = _flat_arrays(where, which, what, opacity, slope)
        batch, moves = where.shape[:2]
        tasks = batch * bands
        groups = min(GROUPS, tasks)
        dense = switches[2]
        shapes = {
            "where": where.shape,
            "which": which.shape if dense else (0, 0, 0),
            "what": what.shape,
            "opacity": (batch, moves),
            "slope": slope.shape if slope is not None else (0, 0, 0, 0),
        }
        parts = {name: np.zeros((bands, *shape), np.float32) for name, shape in shapes.items()}
        d_cells = np.zeros((groups, *(cells.shape if needs["cells"] else (0, 0))), np.float32)
        tables = (cells.detach().numpy(), *bank[1:])
        image = grad.numpy()

        def pull(first, last, group):
            over.backward(
                first, last, band, image, *flat, *tables, *switches, reach, layout, kept, begins, *parts.values(), d_cells, group
            )

        run(pull, tasks, groups, touched, split=needs["cells"])
        summed = {name: torch.from_numpy(part[0] if bands == 1 else part.sum(0)) for name, part in parts.items()}
        gradients = {**summed, "canvas": grad, "cells": torch.from_numpy(d_cells.sum(0)) if needs["cells"] else None}
        return *(gradients.get(name) if needs[name] else None for name in _NAMES), None, None


_NAMES = ("canvas", "where", "which", "what", "opacity", "depth", "slope", "cells")


def _flat_arrays(where, which, what, opacity, slope):
    """The kernels' view of the strokes; opacity and slope stand in where they are not set."""
    alpha = torch.ones(where.shape[:2]) if opacity is None else opacity
    tilt = torch.empty(0, 0, 0, 0) if slope is None else slope
    return [tensor.detach().contiguous().numpy() for tensor in (where, which, what, alpha, tilt)]
