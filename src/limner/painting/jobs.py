"""What `limner paint` is to read and to write, picture by picture, planned before the first stroke."""

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path

from limner.errors import UserError
from limner.experiments import shipped
from limner.files import is_pipe
from limner.flags import flag
from limner.masks import mask_files
from limner.painting import outputs
from limner.painting.arguments import USUAL, check_clip
from limner.painting.films import animations
from limner.painting.films.kinds import is_film
from limner.painting.options import PaintOptions
from limner.painting.painting import Painting
from limner.painting.pictures import Picture, is_clip, picture_files
from limner.printing import say
from limner.shapes import SHAPES

STDIN = Path("-")
_WRITING = "photos output output_size film_seconds frames jobs threads recursive keep_going update quiet"
WRITING = frozenset(_WRITING.split())
"""Options that are not about how to paint."""


@dataclass(frozen=True)
class Job:
    """One picture, clip, or one painted before, and where the painting goes.

    label: what the file is called.  clip: whether every picture of it is painted.
    content: what has been read of it, where it is not to be read again.
    """

    file: Path
    label: str
    files: list[Path]
    frames: Path | None
    clip: bool = False
    content: Picture | Painting | None = None


def plan(options: PaintOptions) -> list[Job]:
    """What to read and to write.

    By `update` what was painted before is left out.
    """
    files = picture_files(options.photos, options.recursive, outputs.written_to([*options.output, options.frames]))
    if files.count(STDIN) > 1:
        raise UserError("-: standard input can be painted only once")
    several = len(files) > 1 or any(os.path.isdir(photo) for photo in options.photos)
    if options.resume and is_pipe(options.resume):
        raise UserError(f"{options.resume}: is a pipe, and --resume is read more than once: save it as a file first")
    if len(files) > 1 and options.resume:
        raise UserError(f"--resume {options.resume} continues one picture, {len(files)} are given")
    called = [Path("stdin") if file == STDIN else file for file in files]
    names = outputs.nested(called, options.photos) if options.recursive else outputs.names_of(called)
    clips = [name for file, name in zip(files, names, strict=True) if is_clip(file)]
    planned = outputs.plan(options.output, names, several, clips)
    frames = [outputs.frames(options.frames, name, several) for name in names]
    written = [path for paths in planned for path in paths]
    outputs.spare([*files, *read_too(options)], written, filter(None, frames))
    jobs = []
    for file, paths, folder in zip(files, planned, frames, strict=True):
        if options.update and not folder and outputs.are_newer(paths, file):
            continue
        label = "standard input" if file == STDIN else str(file)
        clip = is_clip(file) or all_frames(file, paths, options)
        check_source(file, clip, options)
        jobs.append(Job(file, label, paths, folder, clip))
    if len(jobs) < len(files) and not options.quiet:
        say(f"limner: painted before, and left out: {len(files) - len(jobs)} of {len(files)}", sys.stderr)
    return jobs


def all_frames(file: Path, paths: list[Path], options: PaintOptions) -> bool:
    """Whether a file is an animated picture that becomes films and nothing else, which show all of it.

    One that does not is told of.
    """
    if is_pipe(file) or not animations.is_animated(file):
        return False
    if paths and all(map(is_film, paths)) and not options.film_seconds:
        return True
    if not options.quiet:
        say(f"limner: {file}: only its first picture is painted: ask for films alone to paint all", sys.stderr)
    return False


def check_source(file: Path, clip: bool, options: PaintOptions) -> None:
    """UserError for options that cannot be asked of a file of this kind."""
    if clip:
        if is_pipe(file):
            raise UserError(f"{file}: is a pipe, and a clip is read more than once: save it as a file first")
        check_clip(vars(options), lambda name: f"{file}: {flag(name)}")
        if options.film_seconds:
            raise UserError(f"{file}: {flag('film_seconds')} cannot be asked of a clip: its film is as long")
    if file.suffix.lower() != ".json":
        return
    for field in fields(options):
        usual = (field.default, USUAL) if field.name == "strokes" else (field.default,)
        if field.name not in WRITING and getattr(options, field.name) not in usual:
            asked = flag(field.name)
            raise UserError(f"{file}: strokes are written as they are, without {asked}: see --resume to paint on them")


def read_too(options: PaintOptions) -> Iterator[Path]:
    """The files beside the pictures that are read and must stay as they are: masks, a palette, a model's."""
    for item in options.templates or ():
        if item not in SHAPES and os.path.exists(item):
            yield from mask_files(item)
    yield from (path for path in (options.importance, options.repaint) if path)
    if options.palette:
        yield from (Path(options.palette), Path(options.palette.partition(":")[2]))
    if options.model:
        yield from shipped.folder(options.model).glob("*")
