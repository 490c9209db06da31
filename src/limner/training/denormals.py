"""Numbers too small for full precision, which some processors work on a hundred times slower than on others."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def flushed() -> Iterator[None]:
    """Inside, float32 results below 1.2e-38 are zero, in this thread.

    A gradient that dies out over the moves ends in such numbers, and so does Adam's memory of a weight without one.
    """
    before = _are_flushed()
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(before)


def _are_flushed() -> bool:
    return bool(torch.tensor([1e-38]) * 0.1 == 0)
