"""Bars for those who wait, which also say when kernels are compiled."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from numba.core import event
from tqdm import tqdm

from limner.printing import unheard

COMPILING = "compiling for this machine"


class Bar(tqdm):
    """One that cannot fail: where standard error takes nothing any more, it is not seen."""

    def display(self, *args: Any, **options: Any) -> Any:
        with unheard(sys.stderr):  # an error here would leave tqdm locked for all other threads, and at its end
            return super().display(*args, **options)

    def close(self) -> None:
        with unheard(sys.stderr):
            super().close()


@contextmanager
def told(bar: Bar) -> Iterator[None]:
    """Have a bar say when kernels are compiled, and leave that time out of what it counts."""
    if bar.disable:
        yield
        return
    title = ""

    def begins() -> None:
        nonlocal title
        title = bar.desc
        bar.set_description_str(COMPILING)

    def ends(took: float) -> None:
        bar.start_t += took
        bar.last_print_t += took
        bar.set_description_str(title)

    with compiling(begins, ends):
        yield


@contextmanager
def compiling(begins: Callable[[], None], ends: Callable[[float], None]) -> Iterator[None]:
    """Inside, `begins` is called when a kernel is going to be compiled, and `ends`, with the seconds it took, after."""
    with event.install_listener("numba:compile", _Listener(begins, ends)):
        yield


class _Listener(event.Listener):
    """Parts are compiled while the kernel that needs them is: only the outermost counts.

    What another thread began to compile before has an end without a start here.
    """

    def __init__(self, begins: Callable[[], None], ends: Callable[[float], None]) -> None:
        self.begins, self.ends, self.depth, self.since = begins, ends, 0, 0.0

    def on_start(self, event) -> None:
        if self.depth == 0:
            self.since = time.monotonic()
            self.begins()
        self.depth += 1

    def on_end(self, event) -> None:
        if self.depth == 1:
            self.ends(time.monotonic() - self.since)
        self.depth = max(0, self.depth - 1)
