"""What stamps would gain, and strokes are worth, to a painting: by the kernels, many at once."""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from limner.canvas import Canvas
from limner.cpu.cells import cells_of
from limner.cpu.laying import GROUPS, TAKEN, arrays_of, band_of, lay_out, side_of
from limner.cpu.passes import WEIGHED, passes_for
from limner.ground import as_array
from limner.kernels import layout, memory, over
from limner.kernels.mixing import cell_desk
from limner.kernels.sums import sum_under
from limner.kernels.threads import run
from limner.kernels.worth import worth
from limner.strokes import Strokes
from limner.templates import TemplateBank


def sums_under(
    where: Float[Tensor, "stamp 2 3"],
    which: Float[Tensor, "stamp template"],
    bank: TemplateBank,
    planes: Float[Tensor, "plane height width"],
) -> Float[Tensor, "stamp plane"]:
    """Sum of each plane under each stamp, weighted by its mask as if it were alone."""
    tables, (height, width) = cells_of(bank).tables, planes.shape[1:]
    strokes = arrays_of(where[:, None], which[:, None], None, None, None)
    laid = lay_out(strokes, tables, False, layout.NOTHING, False, 1, (len(where), 1, height, width), height)
    padded, sums = torch.nn.functional.pad(planes.flatten(), (0, 8)), planes.new_empty(len(where), len(planes))
    given = padded.numpy(), height, width, strokes[1], tables

    def add_up(first: int, last: int, _: int) -> None:
        mix, lanes = cell_desk(side_of(tables))[0], np.empty(8 * len(planes), np.float32)
        sum_under(first, last, *given, *laid.arrays[:3], sums.numpy(), mix, lanes)

    run(add_up, len(where), GROUPS, laid.touched)
    return sums


def changes_without(
    strokes: Strokes,
    bank: TemplateBank,
    ground: Canvas,
    target: Canvas,
    weight: Float[Tensor, "batch height width"],
) -> Float[Tensor, "batch move"]:
    """How the weighed squared error of a painting (`over`) changes without each move, the others as they are."""
    tables, (batch, channels, height, width) = cells_of(bank).tables, ground.shape
    given = arrays_of(*(getattr(strokes, name) for name in TAKEN))
    passes, sizes = passes_for(WEIGHED, "over", 1, channels), (channels, height, width)
    band = band_of(batch, height)
    laid = lay_out(given, tables, passes.dense, passes.keep, passes.hides, 1, (batch, *sizes), band)
    below, painted = as_array(ground), np.empty((batch, *sizes), np.float32)
    found = np.zeros((laid.bands, batch, len(strokes)), np.float32)

    def desk() -> tuple:
        return memory.desk(over.desk, sizes, band, side_of(tables), None)

    def paint(first: int, last: int, _: int) -> None:
        over.forward(first, last, band, below, painted, given, tables, passes.switches, laid.arrays, desk())

    run(paint, batch * laid.bands, GROUPS, laid.touched)
    off = torch.cat([torch.from_numpy(painted) - target, weight[:, None]], 1)
    planes = torch.nn.functional.pad(off.flatten(), (0, 8)).numpy()

    def leave_out(first: int, last: int, _: int) -> None:
        worth(first, last, band, height, width, planes, given, tables, passes.switches, laid.arrays, found, desk())

    run(leave_out, batch * laid.bands, GROUPS, laid.touched)
    return torch.from_numpy(found.sum(0))
