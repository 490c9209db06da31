"""Handling Ctrl-C and its like for a while."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

ENDING = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
"""Ctrl-C, and what ends a process that may still save: so do batch systems, and terminals that are closed."""


@contextmanager
def handled(handler: Callable[..., None], *numbers: signal.Signals) -> Iterator[None]:
    """Inside, these signals call `handler`, except for those that are ignored, as Ctrl-C is in the background.

    Does nothing in any but the main thread, which alone may handle signals.
    """
    main = threading.current_thread() is threading.main_thread()
    heard = [number for number in numbers if main and signal.getsignal(number) not in (signal.SIG_IGN, None)]
    before = {number: signal.signal(number, handler) for number in heard}
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)


@dataclass
class Interrupts:
    """What ends a process as it comes: the first is a KeyboardInterrupt, unless `held`; others are only noted."""

    came: bool = False
    held: bool = False

    def note(self, number: int, frame: Any) -> None:
        """Handle a signal."""
        first, self.came = not self.came, True
        if first and not self.held:
            raise KeyboardInterrupt


@contextmanager
def held() -> Iterator[None]:
    """Inside, Ctrl-C, SIGTERM and SIGHUP wait: they are handled at the end."""
    came: list[int] = []
    try:
        with handled(lambda number, frame: came.append(number), *ENDING):
            yield
    finally:
        for number in came:
            signal.raise_signal(number)


@contextmanager
def sparing_children() -> Iterator[None]:
    """What a terminal sends does not reach processes that are started inside; here it waits. Not so on Windows."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT, signal.SIGHUP])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
