"""Memory that one render leaves to the next.

Fresh memory costs a page fault for every four kilobytes. A step on a large batch would take as long for these as for
painting, unless the allocator happens to keep what was freed. A step on a small one would take as long for a dozen
small arrays as for laying out.
"""

import math
from collections import deque
from collections.abc import Callable
from threading import local

import numpy as np

LEAST, MOST = 1 << 16, 1 << 25
"""Bytes of an array for which this pays, and that are left to the next in blocks of one size, of ten sizes."""

DESKS, LARGEST = 16, 1 << 20
"""Desks that a thread keeps, and bytes of one."""

_left = {1 << k: deque["_Block"](maxlen=MOST >> k) for k in range(LEAST.bit_length() - 1, MOST.bit_length())}


class _Desks(local):
    """What a thread keeps, the oldest first."""

    def __init__(self) -> None:
        self.kept: dict[tuple, tuple] = {}


_desks = _Desks()


class _Block:
    """So many bytes, and how numpy is told of them."""

    def __init__(self, size: int) -> None:
        self.bytes = np.empty(size, np.uint8)
        self.interface, self.left = self.bytes.__array_interface__, _left[size]


class _Lent:
    """What arrays on a block hold on to, wherever they are; when the last is gone the next may have the block."""

    def __init__(self, block: _Block) -> None:
        self.block, self.__array_interface__ = block, block.interface

    def __del__(self) -> None:
        self.block.left.append(self.block)


def array(shape: tuple[int, ...], kind: type[np.generic]) -> np.ndarray:
    """An array that holds anything."""
    size = math.prod(shape) * np.dtype(kind).itemsize
    if not LEAST <= size <= MOST:
        return np.empty(shape, kind)
    room = 1 << (size - 1).bit_length()
    try:
        block = _left[room].pop()
    except IndexError:
        block = _Block(room)
    return np.ndarray(shape, kind, np.asarray(_Lent(block)))


def desk(make: Callable[..., tuple], *sizes) -> tuple:
    """The arrays `make(*sizes)` that a kernel works in: a thread has the same again, as its last kernel left them."""
    kept, key = _desks.kept, (make, *sizes)
    found = kept.get(key)
    if found is None:
        found = make(*sizes)
        if _bytes(found) <= LARGEST:
            kept[key] = found
            if len(kept) > DESKS:
                del kept[next(iter(kept))]
    return found


def _bytes(arrays: tuple) -> int:
    return sum(part.nbytes if isinstance(part, np.ndarray) else _bytes(part) for part in arrays)
