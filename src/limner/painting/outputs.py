"""Where each painting goes, settled and tried out before any painting begins."""

import os
import re
from collections import Counter
from collections.abc import Collection, Iterable
from contextlib import suppress
from itertools import takewhile
from pathlib import Path

from limner.errors import UserError
from limner.files import folded, make_folder, place, try_writing
from limner.painting.films.growing import FILM
from limner.painting.films.kinds import MOVING
from limner.painting.numbered import FRAME
from limner.painting.painting import SUFFIXES
from limner.painting.plates import COLOUR
from limner.painting.plot import PLOT

SPECIAL = (MOVING, FILM, PLOT)
"""Endings of names that say more than their suffixes."""


def names_of(files: list[Path]) -> list[str]:
    """What each picture is called in its outputs: a, or a.jpg beside an a.png, FOLDER-a where several have one."""
    stems = Counter(Path(name).stem for name in {folded(file.name) for file in files})
    full = Counter(folded(file.name) for file in {place(file): file for file in files}.values())
    names = [file.stem if stems[folded(file.stem)] == 1 else file.name for file in files]
    return [
        f"{file.absolute().parent.name}-{name}" if full[folded(file.name)] > 1 else name
        for file, name in zip(files, names, strict=True)
    ]


def nested(files: list[Path], given: Iterable[str]) -> list[str]:
    """`names_of` the pictures of each folder, behind where it lies in the one that was given: blog/a.

    GIVEN/blog/a where several of those have one.
    """
    roots = [Path(each) for each in given if os.path.isdir(each)]
    found: dict[Path, list[Path]] = {}
    for file in files:
        found.setdefault(file.parent, []).append(file)
    names: dict[Path, tuple[Path, str]] = {}
    for folder, inside in found.items():
        root = next((root for root in roots if _lies_in(folder, root)), folder)
        names |= {
            file: (root, (folder.relative_to(root) / name).as_posix())
            for file, name in zip(inside, names_of(inside), strict=True)
        }
    often = Counter(folded(name) for _, name in {place(file): named for file, named in names.items()}.values())
    return [
        f"{root.absolute().name}/{name}" if often[folded(name)] > 1 else name
        for root, name in (names[file] for file in files)
    ]


def _lies_in(folder: Path, root: Path) -> bool:
    """By their names: ../a does not lie in the folder that we are in, although pathlib has it so."""
    return folder.is_relative_to(root) and ".." not in folder.relative_to(root).parts


def written_to(given: Iterable[str | Path | None]) -> set[str]:
    """Places of the folders that are written to, up to where {name} comes in; not of the one that we are in."""
    fixed = (Path(*takewhile(lambda part: "{name}" not in part, Path(each).parts)) for each in given if each)
    return {place(path) for path in fixed if path.parts}


def plan(given: Iterable[str], names: list[str], several: bool, clips: Collection[str] = ()) -> list[list[Path]]:
    """The files to write for each picture name, as `-o` gives them: files, folders, or patterns with {name}.

    clips: the names that are those of clips, which become films where no suffix is given.

    UserError for unknown suffixes, for one file given for several pictures, and for two pictures in one file.
    """
    patterns = [_pattern(output, several) for output in given] or ["{name}-painted"]
    planned = []
    for name in names:
        usual = ".mp4" if name in clips else ".png"
        whole = [pattern if Path(pattern).suffix else pattern + usual for pattern in patterns]
        planned.append([Path(pattern.replace("{name}", name)) for pattern in whole])
    written: dict[str, str] = {}
    for name, paths in zip(names, planned, strict=True):
        for path in paths:
            if (before := written.get(at := place(path))) is not None:
                twice = f"both {before} and {name}" if before != name else f"{name} twice"
                raise UserError(f"{path}: would be written for {twice}: give each a name or a call of its own")
            written[at] = name
    return planned


def frames(given: Path | None, name: str, several: bool) -> Path | None:
    """The folder for the frames of a picture: as it is given, with {name} replaced, or one in it for each of several.

    UserError for other words in braces.
    """
    if given is None:
        return None
    _check_words(str(given))
    if "{name}" in str(given):
        return Path(str(given).replace("{name}", name))
    return given / name if several else given


def spare(files: Iterable[Path], outputs: Iterable[Path], folders: Iterable[Path]) -> None:
    """UserError for outputs and frames that would replace a file that is read, or each other or their folders."""
    outputs, folders = list(outputs), list(folders)
    taken = {place(path): path for path in files}
    written = {place(path): path for path in outputs}
    for at, path in written.items():
        if at in taken:
            raise UserError(f"{path}: would replace a file that is read: choose another name")
    for path in (path for path in outputs if COLOUR in path.name):
        plate = re.compile("[0-9a-f]{6}".join(map(re.escape, folded(path.name).split(COLOUR))), re.IGNORECASE)
        for at, other in (taken | written).items():
            if os.path.dirname(at) == place(path.parent) and plate.fullmatch(os.path.basename(at)):
                raise UserError(f"{path}: may be called {other}, which is another file: choose another name")
    framed = {place(folder) for folder in folders}
    inside = {place(folder): path for path in outputs for folder in path.parents}
    inside |= {place(folder): path for path in folders for folder in (path, *path.parents)}
    for at in written.keys() & inside.keys():
        raise UserError(f"{written[at]}: {inside[at]} needs a folder of that name: choose another name")
    for at, path in (taken | written).items():
        if os.path.dirname(at) in framed and re.fullmatch(r"frame-\d{4,}\.png", os.path.basename(at)):
            raise UserError(f"{path}: would be replaced by a frame: choose another folder for --frames")


def are_newer(files: Iterable[Path], source: Path) -> bool:
    """Whether all files are there, and none is older than what they are made of."""
    try:
        made = source.stat().st_mtime_ns
        return all(path.stat().st_mtime_ns >= made for path in files)
    except OSError:
        return False


def make_room(files: Iterable[Path], folders: Iterable[Path]) -> list[Path]:
    """Make the folders that are needed, which are returned, each after those that it lies in.

    See that each file can be written; if not, UserError, and no folder left.
    """
    made: list[Path] = []
    try:
        for path in (*(folder / FRAME.format(0) for folder in folders), *files):
            made += make_folder(path.parent)
            try_writing(path)
    except UserError:
        clear(made)
        raise
    return made


def clear(folders: list[Path]) -> None:
    """Remove those of the folders, each made after those that it lies in, that are empty."""
    for folder in reversed(folders):
        with suppress(OSError):
            folder.rmdir()


def _pattern(given: str, several: bool) -> str:
    """A path with {name} in it, or that of a single file; without a suffix where a folder is given."""
    path = Path(given)
    suffix = path.suffix.lower()
    _check_words(given, COLOUR if suffix else "")
    folder = given.endswith((os.sep, "/")) or os.path.isdir(given) or (several and not suffix and "{name}" not in given)
    if folder:
        return str(path / "{name}")
    if suffix not in SUFFIXES:
        if given in ("-", "/dev/stdout"):
            raise UserError(f"{given}: nothing is written to standard output: name a file")
        held = f'"{path.suffix}" is no known suffix' if suffix else "has no suffix"
        raise UserError(f"{given}: {held}: choose one of {', '.join(SUFFIXES)}, or for a new folder end with /")
    if several and "{name}" not in given:
        ending = next((each for each in SPECIAL if path.name.lower().endswith(each)), suffix)
        like = f"out/{{name}}{'-' + COLOUR if COLOUR in path.name else ''}{ending}"
        raise UserError(f"{given}: one file for several pictures: give a folder, or a pattern like {like}")
    return given


def _check_words(given: str, known: str = "") -> None:
    """UserError for words in braces that stand for nothing, in what is not there yet; `known` is one for its name."""
    path = Path(given)
    name = path.name.replace(known, "")
    new = name if path.parent.exists() else str(path.parent / name)
    if not os.path.exists(given) and (unknown := re.search(r"\{\w*\}", new.replace("{name}", ""))):
        more = f", and in a file's name {known}, for each colour" if known else ""
        does = f"only {{name}} does, for what the picture is called{more}"
        raise UserError(f"{given}: {unknown[0]} stands for nothing: {does}")
