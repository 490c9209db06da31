"""The exceptions that others tell apart: the input is at fault, a signal came, numbers are no longer numbers.

And what options share: how they are called, and the check of their bounds.
"""

from collections.abc import Iterator
from contextlib import contextmanager


class UserError(ValueError):
    """A fault of the input; the message is one line that names the file or value and says what to do."""

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.split()))


def flag(name: str) -> str:
    """What an argument or setting is called on the command line."""
    return f"--{name.replace('_', '-')}"


def within(called: str, value: int | None, least: int, most: int) -> None:
    """UserError for a value that is given and outside of its bounds; `called` is its name."""
    if value is not None and not least <= value <= most:
        raise UserError(f"{called} {value}: expected {least} to {most}")


@contextmanager
def calling(prefix: str) -> Iterator[None]:
    """Inside, a UserError that begins with the name of a setting begins with its option's."""
    try:
        yield
    except UserError as fault:
        raise UserError(f"{prefix}{fault}") from None


class Stopped(Exception):
    """Work ended early, in good order, because it was asked to by Ctrl-C, SIGTERM or SIGHUP."""


class NotFinite(ValueError):
    """Moves or a canvas that hold NaN or infinity, as those of a network that diverged do."""
