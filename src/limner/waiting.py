"""Telling those who wait for kernels to be compiled."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from numba.core import event
from tqdm import tqdm

from limner.printing import unheard

COMPILING = "compiling for this machine"


@contextmanager
def told(bar: tqdm) -> Iterator[None]:
    """Have a bar say when kernels are compiled, and leave that time out of what it counts."""
    if bar.disable:
        yield
        return
    with event.install_listener("numba:compile", _Told(bar)):
        yield


class _Told(event.Listener):
    """Parts are compiled while the kernel that needs them is: only the outermost counts.

    What another thread began to compile before has an end without a start here.
    """

    def __init__(self, bar: tqdm) -> None:
        self.bar, self.depth, self.title, self.since = bar, 0, "", 0.0

    def on_start(self, event) -> None:
        if self.depth == 0:
            self.title, self.since = self.bar.desc, time.monotonic()
            self._say(COMPILING)
        self.depth += 1

    def on_end(self, event) -> None:
        if self.depth == 1:
            took = time.monotonic() - self.since
            self.bar.start_t += took
            self.bar.last_print_t += took
            self._say(self.title)
        self.depth = max(0, self.depth - 1)

    def _say(self, title: str) -> None:
        with unheard(sys.stderr):
            self.bar.set_description_str(title)
