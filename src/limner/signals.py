"""Handling Ctrl-C and its like for a while."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def handled(handler: Callable[..., None], *numbers: signal.Signals) -> Iterator[None]:
    """Inside, these signals call `handler`, except for those that are ignored, as Ctrl-C is in the background.

    Does nothing in any but the main thread, which alone may handle signals.
    """
    main = threading.current_thread() is threading.main_thread()
    heard = [number for number in numbers if main and signal.getsignal(number) != signal.SIG_IGN]
    before = {number: signal.signal(number, handler) for number in heard}
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)
