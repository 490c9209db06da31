"""Memory that one render leaves to the next.

Fresh memory costs a page fault for every four kilobytes. A step on a large batch would take as long for these as for
painting, unless the allocator happens to keep what was freed. A step on a small one would take as long for a dozen
small arrays as for laying out.
"""

import math
import sys
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from threading import local
from typing import TypeVar

import numpy as np

LEAST, MOST = 1 << 16, 1 << 25
"""Bytes of the smallest array for which this pays; and of the largest, which is also the most that waits of each of the
ten sizes of block."""

DESKS, LARGEST = 16, 1 << 20
"""Desks that a thread keeps, and bytes of one."""

WAITING = 1 << 22
"""Most bytes of `Lent` arrays that wait, made by one function for one set of sizes; of at most `DESKS` such kinds."""

TRIES = 16
"""Of those that are kept, how many are looked at for one that nothing holds."""

T = TypeVar("T")

_kept_bytes = {1 << k: deque[np.ndarray](maxlen=MOST >> k) for k in range(LEAST.bit_length() - 1, MOST.bit_length())}


class _Desks(local):
    """What a thread keeps, the oldest first."""

    def __init__(self) -> None:
        self.kept: dict[tuple, tuple] = {}


_desks = _Desks()
_lent: dict[tuple, deque] = {}


def array(shape: tuple[int, ...], kind: type[np.generic]) -> np.ndarray:
    """An array that holds anything."""
    size = math.prod(shape) * np.dtype(kind).itemsize
    if not LEAST <= size <= MOST:
        return np.empty(shape, kind)
    room = 1 << (size - 1).bit_length()
    kept = _kept_bytes[room]
    block = _free(kept)
    if block is None:
        block = np.empty(room, np.uint8)
        kept.append(block)
    return np.ndarray(shape, kind, block)


class Lent:
    """Arrays for one render, which a later one has when nothing holds this any more: hold it as long as them."""

    __slots__ = ("arrays",)

    def __init__(self, arrays: tuple[np.ndarray, ...]) -> None:
        self.arrays = arrays


def lent(make: Callable[..., tuple[np.ndarray, ...]], *sizes) -> Lent:
    """The arrays `make(*sizes)`, or such as a render has left, which hold anything."""
    key = make, *sizes
    kept = _lent.get(key)
    if kept and (found := _free(kept)):
        return found
    loan = Lent(make(*sizes))
    if kept is None:
        kept = deque(maxlen=WAITING // max(1, _bytes(loan.arrays)))
        if kept.maxlen:
            _keep(_lent, key, kept)
    kept.append(loan)
    return loan


def _free(kept: deque[T]) -> T | None:
    """One of these that nothing else holds, the last that was given out first; None where none is found soon.

    References are counted, since a destructor would swallow a Ctrl-C that comes while it runs.
    """
    with suppress(IndexError):  # another thread may have taken the last
        for _ in range(min(TRIES, len(kept))):
            one, references = _last(kept)
            if references == ALONE:
                kept.append(one)
                return one
            kept.appendleft(one)
    return None


def _last(kept: deque[T]) -> tuple[T, int]:
    """The last of these, taken out, and how many references there are to it."""
    last = kept.pop()
    return last, sys.getrefcount(last)


ALONE = _last(deque([object()]))[1]
"""References, as Python counts them there, to what nothing else holds."""


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
