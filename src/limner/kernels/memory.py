"""Memory that one render leaves to the next.

Fresh memory costs a page fault for every four kilobytes. A step on a large batch would take as long for these as for
painting, unless the allocator happens to keep what was freed.
"""

import math
from collections import deque

import numpy as np

LEAST, MOST = 1 << 16, 1 << 25
"""Bytes of an array for which this pays, and that are left to the next in blocks of one size, of ten sizes."""

_left = {1 << k: deque[np.ndarray](maxlen=MOST >> k) for k in range(LEAST.bit_length() - 1, MOST.bit_length())}


class _Lent:
    """What arrays on a block hold on to, wherever they are; when the last is gone the next may have the block."""

    def __init__(self, block: np.ndarray) -> None:
        self.block, self.__array_interface__ = block, block.__array_interface__

    def __del__(self, left: dict[int, deque[np.ndarray]] = _left) -> None:
        left[len(self.block)].append(self.block)


def array(shape: tuple[int, ...], kind: type[np.generic]) -> np.ndarray:
    """An array that holds anything."""
    size = math.prod(shape) * np.dtype(kind).itemsize
    if not LEAST <= size <= MOST:
        return np.empty(shape, kind)
    room = 1 << (size - 1).bit_length()
    try:
        block = _left[room].pop()
    except IndexError:
        block = np.empty(room, np.uint8)
    return np.asarray(_Lent(block))[:size].view(kind).reshape(shape)
