"""Options: how they are called, in faults too, and the check of their bounds."""

import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from shlex import quote
from typing import Any

from limner.errors import UserError
from limner.systems import WINDOWS


def flag(name: str) -> str:
    """What an argument or setting is called on the command line."""
    return f"--{name.replace('_', '-')}"


def words(name: str, value: Any) -> list[str]:
    """An option as it is typed, with its value or values; True is that of a switch."""
    values = value if isinstance(value, tuple) else [] if value is True else [value]
    return [flag(name), *map(str, values)]


def quoted(word: str) -> str:
    """A word of a command as one types it: what may need quotes has double ones on Windows, whose shells share them."""
    if not WINDOWS:
        return quote(word)
    return word if re.fullmatch(r"[\w.:/\\+-]+", word) else f'"{word}"'


def within(called: str, value: int | None, least: int, most: int | None = None) -> None:
    """UserError for a value that is given and outside of its bounds; `called` is its name."""
    if value is None or (least <= value and (most is None or value <= most)):
        return
    raise UserError(f"{called} {value}: expected {f'at least {least}' if most is None else f'{least} to {most}'}")


@contextmanager
def calling(prefix: str) -> Iterator[None]:
    """Inside, a UserError that begins with the name of a setting begins with its option's."""
    try:
        yield
    except UserError as fault:
        raise UserError(f"{prefix}{fault}") from None


@contextmanager
def in_flags(names: Collection[str]) -> Iterator[None]:
    """Faults inside that name one of these arguments of `limner.paint` name the option instead."""
    try:
        yield
    except UserError as fault:
        name, colon, words = str(fault).partition(":")
        if name not in names:
            raise
        raise UserError(f"{flag(name)}{colon}{words}") from None
