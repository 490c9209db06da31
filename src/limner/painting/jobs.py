"""What `limner paint` is to read and to write, picture by picture, planned and checked before the first stroke."""

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from torch import Tensor

from limner.errors import UserError
from limner.experiments import shipped
from limner.files import is_pipe
from limner.flags import flag, in_flags
from limner.masks import mask_files
from limner.painting import outputs, plates, sides
from limner.painting.arguments import USUAL, check_clip
from limner.painting.brushes import bank_of
from limner.painting.films import animations
from limner.painting.numbered import FRAME
from limner.painting.options import PaintOptions
from limner.painting.painting import STILLS, Painting
from limner.painting.pictures import Picture, is_clip, picture_files, read_picture
from limner.painting.plot import check_brushes, check_strokes, is_plot
from limner.painting.ranges import in_range
from limner.painting.raster import FILMS, saved_size
from limner.painting.resume import read_before
from limner.painting.svg import check_fills
from limner.printing import say
from limner.shapes import SHAPES
from limner.strokes import Strokes
from limner.templates import TemplateBank

WRITING = {"photos", "output", "output_size", "film_seconds", "frames", "jobs", "threads", "quiet"}
"""Options that are not about how to paint."""


@dataclass(frozen=True)
class Job:
    """One picture (already read if from standard input), clip, or one painted before; and where the painting goes.

    clip: whether every picture of the file is painted.
    """

    source: Path | Picture | Painting
    label: str
    files: list[Path]
    frames: Path | None
    clip: bool = False


def plan(options: PaintOptions) -> list[Job]:
    """What to read and to write; reads standard input and other pipes, since these can be read only once."""
    files = picture_files(options.photos)
    stdin = Path("-")
    if files.count(stdin) > 1:
        raise UserError("-: standard input can be painted only once")
    several = len(files) > 1 or any(os.path.isdir(photo) for photo in options.photos)
    if options.resume and is_pipe(options.resume):
        raise UserError(f"{options.resume}: is a pipe, and --resume is read more than once: save it as a file first")
    if len(files) > 1 and options.resume:
        raise UserError(f"--resume {options.resume} continues one picture, {len(files)} are given")
    names = outputs.names_of([Path("stdin") if file == stdin else file for file in files])
    clips = [name for file, name in zip(files, names, strict=True) if is_clip(file)]
    planned = outputs.plan(options.output, names, several, clips)
    jobs = []
    for file, name, paths in zip(files, names, planned, strict=True):
        frames = outputs.frames(options.frames, name, several)
        label = "standard input" if file == stdin else str(file)
        clip = is_clip(file) or all_frames(file, paths, options)
        jobs.append(Job(source(file, clip, options), label, paths, frames, clip))
    written = [path for job in jobs for path in job.files]
    outputs.spare([*files, *read_too(options)], written, [job.frames for job in jobs if job.frames])
    return jobs


def all_frames(file: Path, paths: list[Path], options: PaintOptions) -> bool:
    """Whether a file is an animated picture that becomes films and nothing else, which show all of it.

    One that does not is told of.
    """
    if is_pipe(file) or not animations.is_animated(file):
        return False
    if paths and all(path.suffix.lower() in FILMS for path in paths) and not options.film_seconds:
        return True
    if not options.quiet:
        say(f"limner: {file}: only its first picture is painted: ask for films alone to paint all", sys.stderr)
    return False


def source(file: Path, clip: bool, options: PaintOptions) -> Path | Picture | Painting:
    """What is painted: a file, what a pipe holds, or the painting that is in a JSON file."""
    if clip:
        if is_pipe(file):
            raise UserError(f"{file}: is a pipe, and a clip is read more than once: save it as a file first")
        check_clip(vars(options), lambda name: f"{file}: {flag(name)}")
        if options.film_seconds:
            raise UserError(f"{file}: {flag('film_seconds')} cannot be asked of a clip: its film is as long")
        return file
    if file.suffix.lower() != ".json":
        return read_picture(file) if str(file) == "-" or is_pipe(file) else file
    for field in fields(options):
        usual = (field.default, USUAL) if field.name == "strokes" else (field.default,)
        if field.name not in WRITING and getattr(options, field.name) not in usual:
            asked = flag(field.name)
            raise UserError(f"{file}: strokes are written as they are, without {asked}: see --resume to paint on them")
    painting = Painting.load(file)
    in_range(file, painting.strokes, painting.background)
    return painting


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


def check_all(jobs: list[Job], arguments: dict[str, Any], options: PaintOptions) -> None:
    """`check` every picture; of several faults all are told, and the last is raised."""
    faults: dict[str, UserError] = {}
    for job in jobs:
        try:
            with in_flags(arguments):
                check(job, arguments, options)
        except UserError as fault:
            faults[str(fault)] = fault
    *others, last = faults.values() or [None]
    for fault in others:
        say(f"limner: {fault}", sys.stderr)
    if last:
        raise last


def check(job: Job, arguments: dict[str, Any], options: PaintOptions) -> None:
    """UserError for a picture that cannot be read, or that its outputs or the masks do not fit."""
    picture = job.source
    if job.clip and isinstance(picture, Path):
        picture = first_of(picture, job.files)
    elif not isinstance(picture, Painting):
        picture = read_picture(picture)
    check_sizes(job, picture.shown_size if isinstance(picture, Painting) else picture.size, options)
    before = read_before(options.resume) if options.resume else None
    laid = picture if isinstance(picture, Painting) else before
    for path in (path for path in job.files if plates.COLOUR in path.name):
        check_plates(path, laid.strokes if laid else None, arguments["palette"], laid is picture)
    if laid:
        check_svg(laid.strokes, laid.bank, job.files)
    if isinstance(picture, Painting):
        return
    for path in filter(is_plot, job.files):
        check_plot(path, arguments["templates"] or (before.bank if before else None), options)
    beside = [(path, arguments[name].size) for name in ("importance", "repaint") if (path := getattr(options, name))]
    beside += [(options.resume, before.size)] if before and before.size else []
    for path, size in beside:
        sides.check_shape(str(path), size, job.label, picture.size)
    if options.max_size:
        strokes = options.count + (len(before.strokes) if before else 0)
        side = sides.chosen_side(picture, options.size, strokes, options.stop_psnr, options.pen)
        sides.check_seen(options.max_size, min(side, max(picture.size)))


def check_sizes(job: Job, size: tuple[int, int], options: PaintOptions) -> None:
    """UserError for outputs that are too large for a picture of (height, width), and for a length without a film."""
    if options.film_seconds and not any(path.suffix.lower() in FILMS for path in job.files):
        raise UserError(f"{flag('film_seconds')} is of no use without a film: give -o FILE.mp4, .webm or .gif, too")
    frames = [job.frames / FRAME.format(0)] if job.frames else []
    for path in (*job.files, *frames):
        if path.suffix.lower() != ".json":
            saved_size(path, size, options.output_size)


def first_of(clip: Path, files: list[Path]) -> Picture:
    """The first picture of a clip; UserError where that cannot be read, and for outputs that are no films."""
    from limner.painting.films.footage import Footage

    for path in files:
        if path.suffix.lower() not in FILMS:
            raise UserError(f"{path}: a clip becomes a film: choose {', '.join(FILMS)}, or --frames FOLDER")
    return Footage.of(clip).first()


def check_svg(strokes: Strokes, bank: TemplateBank, files: list[Path]) -> None:
    """UserError for strokes that one of these files cannot show."""
    if any(path.suffix.lower() == ".svg" for path in files):
        check_fills(strokes)
    for path in filter(is_plot, files):
        check_strokes(path, strokes, bank)


def check_plates(path: Path, strokes: Strokes | None, palette: int | Tensor | None, painted: bool) -> None:
    """UserError for what cannot be written for each colour: `strokes` that are there, and what is to be painted."""
    if path.suffix.lower() not in STILLS or is_plot(path):
        pictures = ", ".join(STILLS)
        raise UserError(f"{path}: only pictures are made for each colour ({pictures}): leave out {plates.COLOUR}")
    if strokes is not None:
        plates.colours_of(path, strokes)
    if palette is None:
        if not painted:
            fault = "each stroke has a colour of its own: give --palette, or leave out"
            raise UserError(f"{path}: {fault} {plates.COLOUR}")
    elif (count := palette if isinstance(palette, int) else len(palette)) > plates.MOST:
        raise UserError(f"{path}: --palette of {count} colours is too large for plates: give {plates.MOST} at most")


def check_plot(path: Path, templates: TemplateBank | list[Any] | None, options: PaintOptions) -> None:
    """UserError for what is to be painted and no plotter can draw."""
    if options.fill == "gradient" or options.model:
        given = "--model" if options.model else "--fill gradient"
        raise UserError(f"{path}: a plotter draws lines of one colour: leave out {given}")
    if templates or not options.pen:
        check_brushes(path, bank_of(templates))
