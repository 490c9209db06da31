"""Printing that cannot end the work: what nobody reads, or cannot be shown, is no fault, unless it is the work."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any


def say(line: str, stream: Any) -> None:
    """Print a line, with escapes for what the stream cannot encode."""
    if stream is not None:
        with unheard(stream):
            _write(line, stream)


def answer(line: str) -> None:
    """Print a line of what a command was asked for; OSError where it is lost, unless its reader has read enough."""
    if sys.stdout is not None:
        try:
            _write(line, sys.stdout)
        except BrokenPipeError:
            silence(sys.stdout)


def _write(line: str, stream: Any) -> None:
    encoding = stream.encoding or "utf-8"
    print(line.encode(encoding, "backslashreplace").decode(encoding), file=stream, flush=True)


def on_terminal(stream: Any) -> bool:
    """Whether someone may be looking on; nobody is where the stream is closed."""
    return stream is not None and not stream.closed and stream.isatty()


@contextmanager
def unheard(stream: Any) -> Iterator[None]:
    """Once the stream takes nothing any more, this and all that comes later is dropped."""
    try:
        yield
    except OSError:
        silence(stream)


def silence(stream: Any) -> None:
    """Drop all that is printed to the stream from now on."""
    if stream is None:
        return
    with suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
