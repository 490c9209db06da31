"""Strokes as the kernels take them, and where they lie on a canvas."""

from functools import lru_cache, partial
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from limner.checks import check_finite
from limner.geometry import sharpness
from limner.ground import as_numbers
from limner.kernels import layout, memory
from limner.kernels.edges import spare_eights
from limner.kernels.hiding import word_of
from limner.kernels.threads import run
from limner.strokes import FIELDS

BAND = 64
"""Rows of a task where a single picture is cut into several."""
GROUPS = 32
"""Tasks are handed to threads in this many groups; templates' gradients are summed group by group."""
ROW = 4
"""Pixels that could be painted in the time that laying out a row of a stamp takes."""
TAKEN = tuple(name for name in FIELDS if name != "depth")
"""What kernels take of strokes."""


class Laid(NamedTuple):
    """Where stamps lie, for the kernels; `arrays` are good as long as this is."""

    touched: int
    """Pixels."""
    lent: memory.Lent
    kept: np.ndarray
    listed: np.ndarray

    @property
    def arrays(self) -> tuple[np.ndarray, ...]:
        """The plan that kernels share (`kernels.over`)."""
        placed, reach, spans, fine, begins, tally = self.lent.arrays
        return placed, reach, spans, fine, self.kept, begins, tally, self.listed

    @property
    def bands(self) -> int:
        """Of each picture, a task each."""
        return self.lent.arrays[1].shape[1]


def lay_out(
    strokes: tuple[Any, ...],
    tables: tuple[np.ndarray, ...],
    dense: bool,
    keep: int,
    hides: bool,
    samples: int,
    shape: tuple[int, ...],
    band: int,
) -> Laid:
    """What the forward and the backward pass share; `band` rows are a task.

    strokes: from `arrays_of`.  tables: of `cells.Cells`.  shape: of the canvas, (batch, channel, height, width).
    keep: one of those in `kernels.layout`.  dense, hides: as there.
    """
    (batch, channels, height, width), moves = shape, strokes[0].shape[1]
    bands = -(-height // band)
    lent = memory.lent(layout.room, batch, moves, bands, height, samples, samples * width < 2**15)
    touched = [0] * GROUPS
    parts = max(1, -(-moves // layout.TOGETHER))
    each = parts if hides else 1
    switches = dense, keep, hides, samples, sharpness(samples)
    given = (parts, *strokes[:2], strokes[3], *tables[1:3], *switches, band, height, width)
    lay = partial(_lay, given, lent, (height, word_of(width), samples, bands), each, touched)
    run(lay, batch * parts // each, GROUPS, ROW * batch * moves * height * samples)
    if min(touched) < 0:
        check_finite("where", torch.from_numpy(strokes[0]))
    begins, tally = lent.arrays[4:]
    share, sampled = keep in (layout.NOTHING, layout.ONE_MASK), keep >= layout.MASKS
    room = layout.find_room(tally, begins, share, 0 if sampled else spare_eights(width))
    values = 0 if keep <= layout.LIST else 8 * room * (1 if sampled else channels)
    both = memory.array((values + (0 if sampled else 4 * room),), np.float32)
    return Laid(sum(touched) * samples, lent, both[:values], both[values:].view(np.int32))


def _lay(
    given: tuple, lent: memory.Lent, sizes: tuple, each: int, touched: list[int], first: int, last: int, group: int
) -> None:
    """What is laid out of stamps `each` times first to last; how many pixels these touch is noted for the group."""
    placed, reach, spans, fine, _, tally = lent.arrays
    desk = memory.desk(layout.lay_desk, *sizes)
    touched[group] = layout.lay_out(each * first, each * last, *given, placed, reach, spans, fine, tally, desk)


def band_of(batch: int, height: int) -> int:
    """Rows of a task: few pictures are cut into bands, so that there is enough for all threads."""
    return height if batch >= 8 or height <= 2 * BAND else BAND


def side_of(tables: tuple[np.ndarray, ...]) -> int:
    """Texels of a template."""
    return int(tables[2][0])


def arrays_of(
    where: Float[Tensor, "batch move 2 3"],
    which: Float[Tensor, "batch move template"],
    what: Float[Tensor, "batch move channel"] | None,
    opacity: Float[Tensor, "batch move"] | None,
    slope: Float[Tensor, "batch move channel 2"] | None,
) -> tuple[Any, ...]:
    """The kernels' view of the strokes: arrays, or None; an opacity of 1 stands in where it is not set."""
    tensors = (where, which, what, opacity, slope)
    arrays = [None if tensor is None else as_numbers(tensor.detach().contiguous()) for tensor in tensors]
    if opacity is None:
        arrays[3] = _opaque(*where.shape[:2])
    return tuple(arrays)


@lru_cache(maxsize=8)
def _opaque(batch: int, moves: int) -> np.ndarray:
    return np.ones((batch, moves), np.float32)
