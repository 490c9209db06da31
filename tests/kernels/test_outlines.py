"""The octagons and discs of a template against its cells, looked at one by one."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from limner.cpu.cells import cells_of
from limner.pyramid import BORDER
from limner.shapes import SHAPES
from limner.templates import TemplateBank

SIDE = 21


def corners(mask: torch.Tensor) -> NDArray[np.float32]:
    """The four texels around every cell (row, column, 4)."""
    texels = np.pad(mask.numpy(), BORDER)
    return np.stack([texels[:-1, :-1], texels[:-1, 1:], texels[1:, :-1], texels[1:, 1:]], -1)


def reach(row: NDArray[np.int_], column: NDArray[np.int_]) -> list[tuple[NDArray[np.int_], NDArray[np.int_]]]:
    """Low and high of u, v, u + v and u - v in each cell, a unit square."""
    lows = (column, row, column + row, column - row - 1)
    return [(low, low + wide) for low, wide in zip(lows, (1, 1, 2, 2), strict=True)]


def meets(octagon: NDArray[np.float64], cells: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Whether the inside of each cell has a point in common with the octagon."""
    sides = zip(reach(*np.indices(cells.shape)), octagon.reshape(4, 2), strict=True)
    return np.logical_and.reduce([(high > least) & (low < most) for (low, high), (least, most) in sides])


def outline(mask: torch.Tensor) -> NDArray[np.float64]:
    return cells_of(TemplateBank(mask[None], prefilter=False)).tables[1][0, 0, 0]


def blobs(seed: int) -> torch.Tensor:
    noise = torch.rand(1, 1, SIDE + 6, SIDE + 6, generator=torch.Generator().manual_seed(seed))
    return (torch.nn.functional.avg_pool2d(noise, 7, 1)[0, 0] > 0.49).float() * 0.75


MASKS = [*(TemplateBank.named(name, size=SIDE).masks[0] for name in SHAPES), *map(blobs, range(12))]


@pytest.mark.parametrize("mask", MASKS)
def test_the_outer_octagon_is_the_smallest_around_what_shows(mask: torch.Tensor) -> None:
    shown, octagon = corners(mask).any(-1), outline(mask)[:8]
    if not shown.any():
        assert (octagon[::2] > octagon[1::2]).all()
        return
    assert octagon.tolist() == [side for low, high in reach(*np.nonzero(shown)) for side in (low.min(), high.max())]


@pytest.mark.parametrize("mask", MASKS)
def test_the_inner_octagon_is_flat_and_cannot_grow(mask: torch.Tensor) -> None:
    around, octagon, value = corners(mask), outline(mask)[8:16], outline(mask)[16]
    flat = np.ptp(around, -1) < 1e-6
    if not (flat & (around[..., 0] > 0)).any():
        assert value == 0
        assert (octagon == 1e9).all()
        return
    assert value > 0
    equal = flat & (np.abs(around[..., 0] - value) < 1e-6)
    inside = meets(octagon, equal)
    assert inside.any()
    assert equal[inside].all()
    for side in range(8):
        wider = octagon.copy()
        wider[side] += 1 if side % 2 else -1
        new = meets(wider, equal) & ~inside
        assert not new.any() or not equal[new].all()


@pytest.mark.parametrize("mask", MASKS)
def test_discs_hold_what_shows_and_nothing_but_what_is_flat(mask: torch.Tensor) -> None:
    around, (value, support, flat) = corners(mask), outline(mask)[16:]
    ends = 2 * (np.arange(len(around) + 1) - 1.5) / SIDE - 1
    squared = ends[:, None] ** 2 + ends**2
    farthest = np.max([squared[:-1, :-1], squared[:-1, 1:], squared[1:, :-1], squared[1:, 1:]], 0)
    inside = np.linspace(ends[:-1], ends[1:], 41)
    nearest = (inside[:, None, :, None] ** 2 + inside[None, :, None] ** 2).min((0, 1))
    assert support == pytest.approx(farthest.max(where=around.any(-1), initial=0))
    if value == 0:
        assert flat == -1
    else:
        uneven = (np.abs(around - value) > 1e-6).any(-1)
        assert flat == pytest.approx(nearest.min(where=uneven, initial=9), abs=1e-3)
