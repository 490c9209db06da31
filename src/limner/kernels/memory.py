"""Memory that one render leaves to the next.

Fresh memory costs a page fault for every four kilobytes. A step on a large batch would take as long for these as for
painting, unless the allocator happens to keep what was freed.
"""

import math
from collections import deque

import numpy as np

LEAST, MOST = 1 << 16, 1 << 25
"""Bytes of an array for which this pays, and that are left to the next in blocks of one size."""

_left = {1 << k: deque[np.ndarray](maxlen=MOST >> k) for k in range(LEAST.bit_length() - 1, MOST.bit_length())}


class Memory:
    """The arrays of one render, whose memory the next may have when this object is gone, and they with it."""

    def __init__(self) -> None:
        self.blocks: list[np.ndarray] = []

    def array(self, shape: tuple[int, ...], kind: type[np.generic]) -> np.ndarray:
        """An array that holds anything."""
        size = math.prod(shape) * np.dtype(kind).itemsize
        if not LEAST <= size <= MOST:
            return np.empty(shape, kind)
        room = 1 << (size - 1).bit_length()
        try:
            block = _left[room].pop()
        except IndexError:
            block = np.empty(room, np.uint8)
        self.blocks.append(block)
        return block[:size].view(kind).reshape(shape)

    def __del__(self, left: dict[int, deque[np.ndarray]] = _left) -> None:
        for block in self.blocks:
            left[len(block)].append(block)
