"""Memory that one render leaves to the next.

Fresh memory costs a page fault for every four kilobytes. A step on a large batch would take as long for these as for
painting, unless the allocator happens to keep what was freed. A step on a small one would take as long for a dozen
small arrays as for laying out.
"""

import math
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from threading import local

import numpy as np

LEAST, MOST = 1 << 16, 1 << 25
"""Bytes of the smallest array for which this pays; and of the largest, which is also the most that waits of each of the
ten sizes of block."""

DESKS, LARGEST = 16, 1 << 20
"""Desks that a thread keeps, and bytes of one."""

WAITING = 1 << 22
"""Most bytes of `Lent` arrays that wait, made by one function for one set of sizes; of at most `DESKS` such kinds."""

_left = {1 << k: deque["_Store"](maxlen=MOST >> k) for k in range(LEAST.bit_length() - 1, MOST.bit_length())}


class _Desks(local):
    """What a thread keeps, the oldest first."""

    def __init__(self) -> None:
        self.kept: dict[tuple, tuple] = {}


_desks = _Desks()
_lent: dict[tuple, deque] = {}


class _Store(np.ndarray):
    """Bytes; of a class of their own, else numpy would let arrays on a loan of them hold on to these instead."""


class _Block(np.ndarray):
    """Bytes on loan: what arrays on them hold on to. When the last is gone the next may have the bytes."""

    store: _Store
    left: deque[_Store]

    def __del__(self) -> None:
        self.left.append(self.store)


def array(shape: tuple[int, ...], kind: type[np.generic]) -> np.ndarray:
    """An array that holds anything."""
    size = math.prod(shape) * np.dtype(kind).itemsize
    if not LEAST <= size <= MOST:
        return np.empty(shape, kind)
    room = 1 << (size - 1).bit_length()
    left = _left[room]
    try:
        store = left.pop()
    except IndexError:
        store = np.empty(room, np.uint8).view(_Store)
    block = _Block((room,), np.uint8, store)
    block.store, block.left = store, left
    return np.ndarray(shape, kind, block)


class Lent:
    """Arrays for one render, which a later one has when nothing holds this any more: hold it as long as them."""

    __slots__ = ("_left", "arrays")

    def __init__(self, arrays: tuple[np.ndarray, ...], left: deque) -> None:
        self.arrays, self._left = arrays, left

    def __del__(self) -> None:
        self._left.append(self.arrays)


def lent(make: Callable[..., tuple[np.ndarray, ...]], *sizes) -> Lent:
    """The arrays `make(*sizes)`, or such as a render has left, which hold anything."""
    key = make, *sizes
    left = _lent.get(key)
    if left:
        with suppress(IndexError):  # another thread may have taken the last
            return Lent(left.pop(), left)
    arrays = make(*sizes)
    if left is None:
        left = deque(maxlen=WAITING // max(1, _bytes(arrays)))
        if left.maxlen:
            _keep(_lent, key, left)
    return Lent(arrays, left)


def desk(make: Callable[..., tuple], *sizes) -> tuple:
    """The arrays `make(*sizes)` that a kernel works in: a thread has the same again, as its last kernel left them."""
    kept, key = _desks.kept, (make, *sizes)
    found = kept.get(key)
    if found is None:
        found = make(*sizes)
        if _bytes(found) <= LARGEST:
            _keep(kept, key, found)
    return found


def _keep(kept: dict, key: tuple, found: object) -> None:
    """Keep one more, and the oldest no longer if they are many."""
    kept[key] = found
    if len(kept) > DESKS:
        kept.pop(next(iter(kept.copy())), None)


def _bytes(arrays: tuple) -> int:
    return sum(part.nbytes if isinstance(part, np.ndarray) else _bytes(part) for part in arrays)
