"""Files: found, read, and written whole or not at all."""

import errno
import json
import os
import shutil
from collections.abc import Container, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex
from typing import Any
from unicodedata import normalize

from limner.errors import UserError
from limner.systems import CASELESS, WINDOWS

PICTURES = (".png", ".jpg", ".jpeg", ".webp")
"""Suffixes of the pictures that can be written."""
ADVICE = {
    errno.ENOENT: "its folder does not exist: create it, or choose another",
    errno.ENOTDIR: "its folder is a file: choose another",
    errno.EEXIST: "a file has that name: choose another",
    errno.EISDIR: "a folder has that name: choose another",
    errno.EACCES: f"permission denied: {'close what has it open, or ' if WINDOWS else ''}choose another folder",
    errno.EPERM: "permission denied: choose another folder",
    errno.EROFS: "the disk is read-only: choose another folder",
    errno.ENOSPC: "the disk is full: free some space, or choose another folder",
    errno.EDQUOT: "the disk quota is used up: free some space, or choose another folder",
    errno.ENAMETOOLONG: "the name is too long: choose a shorter one",
}


def place(path: str | Path) -> str:
    """Where a path leads: the same for all paths of one file, whether it is there or not."""
    return folded(os.path.realpath(path))


def folded(name: str) -> str:
    """The same for all names of one file in a folder."""
    return normalize("NFC", name).lower() if CASELESS else name


def files_in(
    path: str | Path, suffixes: frozenset[str], kind: str, deep: bool = False, without: Container[str] = ()
) -> list[Path]:
    """A file itself, and of a folder the files in it with one of these suffixes, sorted by name; none that is hidden.

    deep: those in the folders in it, too, but not in links to folders.  without: places of folders not to enter.
    Raises UserError for what does not exist and for a folder without such files; `kind` says what they are.
    """
    path = Path(path)
    try:
        if not path.is_dir():
            if not path.exists():
                raise UserError(f"{path}: no such file or folder")
            return [path]
        fitting = [file for file in _shown_in(path, deep, without) if file.suffix.lower() in suffixes]
        files = [file for file in fitting if file.is_file()]
    except OSError as error:
        raise UserError(f"{error.filename or path}: cannot be read: {error.strerror or error}") from error
    if not files:
        raise UserError(f"{path}: no {kind} in this folder")
    return files


def _shown_in(folder: Path, deep: bool, without: Container[str]) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        yield path
        if deep and path.is_dir() and not path.is_symlink() and place(path) not in without:
            yield from _shown_in(path, deep, without)


def read_bytes(path: Path) -> bytes:
    """The content of a file, as UserError where there is none."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except IsADirectoryError:
        raise UserError(f"{path}: is a folder, expected a file") from None
    except (OSError, ValueError) as error:  # a ValueError for names that no file can have
        raise UserError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from error
    if not content:
        raise UserError(f"{path}: is empty")
    return content


@contextmanager
def atomic(path: str | Path) -> Iterator[Path]:
    """A temporary path beside `path`, of the same suffix, that replaces it on success and is removed on failure.

    Where `path` is a link, the file that it leads to is replaced. Raises UserError naming `path` for any OSError, and
    when nothing was written.
    """
    with _beside(Path(path)) as temporary:
        yield temporary
        target = os.path.realpath(path)
        if os.path.exists(target):
            shutil.copymode(target, temporary)  # what only its owner may read stays so
        os.replace(temporary, target)


def make_folder(folder: Path) -> list[Path]:
    """Make a folder where it is missing; those that are new, outermost first. UserError, and none left, if it fails."""
    made: list[Path] = []
    try:
        missing = [parent for parent in (folder, *folder.parents) if not parent.exists()]
        for parent in reversed(missing):
            parent.mkdir(exist_ok=True)
            made.append(parent)
        if not folder.is_dir():
            raise UserError(f"{folder}: is a file, expected a folder to write to")
    except OSError as error:
        for parent in reversed(made):
            parent.rmdir()
        raise UserError(f"{folder}: cannot be made: {reason(error)}") from error
    return made


def check_picture(option: str, path: Path | None) -> None:
    """UserError for what an option names that is no picture that can be written; None is nothing."""
    if path and path.suffix.lower() not in PICTURES:
        raise UserError(f"{option} {path}: expected a name that ends in {', '.join(PICTURES)}")


def write(path: str | Path, text: str) -> None:
    """Write a text by `atomic`."""
    with atomic(path) as temporary:
        temporary.write_text(text, "utf-8", newline="\n")


def write_json(path: str | Path, value: Any) -> None:
    """Write a value as JSON by `atomic`."""
    write(path, json.dumps(value, indent=1, default=os.fspath) + "\n")


def try_writing(path: str | Path) -> None:
    """Raise UserError where `atomic` would, and leave nothing behind."""
    with _beside(Path(path)) as temporary:
        temporary.touch()
        if os.path.exists(target := os.path.realpath(path)):
            os.rename(target, target)  # Windows refuses this while another program has the file open


@contextmanager
def _beside(path: Path) -> Iterator[Path]:
    target = Path(os.path.realpath(path))
    temporary = target.parent / f".limner-{token_hex(4)}{path.suffix}"
    try:
        with suppress(FileNotFoundError):
            path.lstat()  # a name that is too long: newer Pythons' exists() only says that there is no such file
        if target.is_dir():
            raise IsADirectoryError(errno.EISDIR, "is a folder")
        if path.is_symlink() and not target.parent.is_dir():
            raise OSError(errno.EINVAL, f"it leads to {target}, whose folder does not exist: choose another name")
        if path.exists() and not path.is_file():
            raise OSError(errno.EINVAL, "a device has that name: choose another")
        if path.exists() and not os.access(path, os.W_OK):
            raise OSError(errno.EINVAL, "it is write-protected: choose another name")
        yield temporary
    except OSError as error:
        raise UserError(f"{path}: cannot be written: {reason(error)}") from error
    finally:
        with suppress(OSError):
            temporary.unlink()


def reason(error: OSError) -> str:
    """What went wrong and what to do, without the name of a file."""
    return ADVICE.get(error.errno or 0) or error.strerror or str(error) or type(error).__name__


def in_words(error: UserError | OSError) -> str:
    """The one line for a fault of the input or of the file system."""
    return f"{error.filename or 'standard output'}: {reason(error)}" if isinstance(error, OSError) else str(error)


def is_pipe(path: str | Path) -> bool:
    """Whether a path leads to what can be read only once: a pipe, a terminal, a socket."""
    return os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path)
