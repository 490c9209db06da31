"""Printing that cannot end the work: what nobody reads, or cannot be shown, is no fault, unless it is the work."""

import errno
import os
import re
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from limner.systems import WINDOWS

UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
"""What moves a terminal's cursor, sets its colours or turns its letters round, and may be in the name of a file."""


def say(line: str, stream: Any, faults: type[OSError] = OSError) -> None:
    """Print a line, with escapes for what the stream cannot encode or show; `unheard`."""
    if stream is None:
        return
    encoding = stream.encoding or "utf-8"
    with unheard(stream, faults):
        text = f"{shown(line)}\n".encode(encoding, "backslashreplace").decode(encoding)
        stream.write(text)  # whole: others print, too
        stream.flush()


def shown(text: str) -> str:
    """A text with escapes for all that a terminal would not show, but obey."""
    return UNSEEN.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def answer(line: str) -> None:
    """Print a line of what a command was asked for; OSError where it is lost, unless its reader has read enough."""
    say(line, sys.stdout, BrokenPipeError)


@contextmanager
def warnings_in_lines(quiet: bool = False) -> Iterator[None]:
    """Inside, a warning is one line, without the place in the code that it is about; none if `quiet`."""
    with warnings.catch_warnings():
        if quiet:
            warnings.simplefilter("ignore")
        warnings.showwarning = _warned
        yield


def _warned(message: Warning | str, *_: Any) -> None:
    say(f"limner: {str(message).removeprefix('limner: ')}", sys.stderr)


def on_terminal(stream: Any) -> bool:
    """Whether someone may be looking on; nobody is where the stream is closed."""
    return stream is not None and not stream.closed and stream.isatty()


@contextmanager
def unheard(stream: Any, faults: type[OSError] = OSError) -> Iterator[None]:
    """Once the stream takes nothing any more, by one of these faults, this and all that comes later is dropped."""
    try:
        yield
    except OSError as error:
        gone = WINDOWS and error.errno == errno.EINVAL  # a pipe that nobody reads any more
        if not (isinstance(error, faults) or gone):
            raise
        silence(stream)


def silence(stream: Any) -> None:
    """Drop all that is printed to the stream from now on."""
    if stream is None:
        return
    with suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
