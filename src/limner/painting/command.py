"""`limner paint`: reads everything and tries every output before the first stroke, then paints, and saves."""

import os
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch

import limner
from limner import workers
from limner.errors import UserError, flag
from limner.experiments import shipped
from limner.files import in_words, is_pipe
from limner.masks import mask_files
from limner.models.build import Network
from limner.painting import brushes, light, outputs, sides
from limner.painting.arguments import USUAL, check_clip
from limner.painting.clip import Clip
from limner.painting.colours import colour, palette
from limner.painting.options import PaintOptions
from limner.painting.painting import Painting
from limner.painting.pictures import Picture, is_clip, picture_files, read_picture
from limner.painting.ranges import in_range
from limner.painting.raster import FILMS, saved_size
from limner.painting.resume import read_before
from limner.painting.saving import held, save
from limner.painting.svg import check_fills
from limner.printing import on_terminal, say, warnings_in_lines
from limner.shapes import SHAPES
from limner.signals import ENDING, Interrupts, handled
from limner.strokes import Strokes

WRITING = {"photos", "output", "output_size", "film_seconds", "frames", "jobs", "threads", "quiet"}
"""Options that are not about how to paint."""
AS_GIVEN = (
    "strokes", "fill", "background", "min_size", "max_size", "keep_proportions", "upright", "keep_angles", "resume",
    "seed", "stop_psnr", "time", "size",
)  # fmt: skip
"""Options that are arguments of `limner.paint` as they are."""
FAILED, INTERRUPTED = 2, 130
"""Exit codes."""


@dataclass(frozen=True)
class Job:
    """One picture (already read if from standard input), clip, or one painted before; and where the painting goes."""

    source: Path | Picture | Painting
    label: str
    files: list[Path]
    frames: Path | None


def paint(options: PaintOptions) -> int:
    """Paint every picture that the options name; the exit code is 130 if that was interrupted, 2 if a file failed.

    Raises UserError, before any painting, for everything that can be known to be wrong by then.
    """
    jobs = plan(options)
    arguments = settings(options)
    check_all(jobs, arguments, options)
    frames = [job.frames for job in jobs if job.frames]
    files = [path for job in jobs for path in job.files]
    made = outputs.missing(files, frames)
    outputs.make_room(files, frames)
    try:
        return paint_all(jobs, arguments, options)
    finally:
        outputs.clear(made)


def paint_all(jobs: list[Job], arguments: dict[str, Any], options: PaintOptions) -> int:
    """Paint every picture, several at once or one after the other; returns the exit code."""
    if (at_once := min(options.jobs, len(jobs))) > 1:
        threads = options.threads or max(1, torch.get_num_threads() // at_once)
        alone = partial(by_itself, arguments=arguments, options=replace(options, threads=threads))
        return max(code for _, code in workers.each(alone, jobs, at_once, "painted"))
    if options.threads:
        torch.set_num_threads(options.threads)
    worst = 0
    interrupts = Interrupts()
    with handled(interrupts.note, *ENDING):
        for number, job in enumerate(jobs, 1):
            code = carry_out(job, title(job, number, len(jobs), options), arguments, options, interrupts)
            if code == INTERRUPTED:
                return code
            worst = max(worst, code)
    return worst


def by_itself(job: Job, arguments: dict[str, Any], options: PaintOptions) -> int:
    """Paint one picture in a process of its own."""
    assert options.threads
    torch.set_num_threads(options.threads)
    interrupts = Interrupts()
    with handled(interrupts.note, *ENDING), warnings_in_lines(options.quiet):
        return carry_out(job, False, arguments, options, interrupts)


def carry_out(
    job: Job, called: bool | str, arguments: dict[str, Any], options: PaintOptions, interrupts: Interrupts
) -> int:
    """Paint one picture and save it; returns the exit code.  called: what its progress bar is, False for none."""
    try:
        painted = paint_one(job.source, called, arguments)
    except UserError as fault:  # of a file that could be read before, say
        say(f"limner: {in_words(fault)}", sys.stderr)
        return FAILED
    spared = repainted(job, options) if interrupts.came else []
    kept = [path for path in job.files if path not in spared]
    faults, interrupted = save(painted, kept, job.frames, options, interrupts)
    for fault in faults:
        if not isinstance(fault, UserError | OSError):
            raise fault
        say(f"limner: {in_words(fault)}", sys.stderr)
    if interrupted:
        what = [f"saved {held(painted)}"] if kept else []
        what += [f"{path} is left as it was" for path in spared]
        say(f"limner: interrupted: {', '.join(what)}", sys.stderr)
        return INTERRUPTED
    return FAILED if faults else 0


def paint_one(source: Path | Picture | Painting, called: bool | str, arguments: dict[str, Any]) -> Painting | Clip:
    """A picture or a clip painted; what was painted before, as it is."""
    if isinstance(source, Painting):
        return source
    with in_flags(arguments):
        if isinstance(source, Path) and is_clip(source):
            return limner.paint_clip(source, **arguments, progress=called)
        return limner.paint(read_picture(source), **arguments, progress=called)


@contextmanager
def in_flags(names: Collection[str]) -> Iterator[None]:
    """Faults inside that name an argument of `limner.paint` name the option instead."""
    try:
        yield
    except UserError as fault:
        name, colon, words = str(fault).partition(":")
        if name not in names:
            raise
        raise UserError(f"{flag(name)}{colon}{words}") from None


def repainted(job: Job, options: PaintOptions) -> list[Path]:
    """The outputs that are the file whose strokes are replaced: half done it would have fewer than before."""
    before = options.resume if options.repaint else None
    return [path for path in job.files if before and os.path.realpath(path) == os.path.realpath(before)]


def title(job: Job, number: int, count: int, options: PaintOptions) -> bool | str:
    """What to call the progress bar; False for none."""
    shown = not options.quiet and on_terminal(sys.stderr)
    several = f"{os.path.basename(job.label)} ({number} of {count})" if count > 1 else True
    return shown and several


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
        jobs.append(Job(source(file, options), "standard input" if file == stdin else str(file), paths, frames))
    written = [path for job in jobs for path in job.files]
    outputs.spare([*files, *read_too(options)], written, [job.frames for job in jobs if job.frames])
    return jobs


def source(file: Path, options: PaintOptions) -> Path | Picture | Painting:
    """What is painted: a file, what a pipe holds, or the painting that is in a JSON file."""
    if is_clip(file):
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
        yield Path(options.palette)
    if options.model:
        yield from shipped.folder(options.model).glob("*")


def settings(options: PaintOptions) -> dict[str, Any]:
    """The arguments of `limner.paint`."""
    if options.background not in ("auto", "transparent"):
        colour(options.background)
    templates = brushes.listed(options.templates)
    return {
        **{name: getattr(options, name) for name in AS_GIVEN},
        "templates": templates if set(options.templates or ()) <= SHAPES.keys() else brushes.bank_of(templates),
        "opacity": options.opacity_value(),
        "palette": palette(options.palette) if options.palette else None,
        "importance": read_mask(options.importance),
        "repaint": read_mask(options.repaint, 0.0 if options.count else 0.5),
        "model": read_model(options.model),
    }


def read_mask(path: Path | None, dark: float = 0.0) -> Picture | None:
    """A picture that says where something holds; UserError if it says nowhere, being dark everywhere."""
    if path is None:
        return None
    picture = read_picture(path)
    light.lit(str(path), picture, picture.size, dark)
    return picture


def read_model(name: str | None) -> Network | None:
    """The painter of a run, or of one that comes with limner."""
    if name is None:
        return None
    from limner.painting import by_model

    return by_model.read_model(name)


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
    if isinstance(picture, Path) and is_clip(picture):
        picture = first_of(picture, job.files)
    elif not isinstance(picture, Painting):
        picture = read_picture(picture)
    size = picture.shown_size if isinstance(picture, Painting) else picture.size
    if options.film_seconds and not any(path.suffix.lower() in FILMS for path in job.files):
        raise UserError(f"{flag('film_seconds')} is of no use without a film: give -o FILE.mp4, .webm or .gif, too")
    for path in job.files:
        if path.suffix.lower() != ".json":
            saved_size(path, size, options.output_size)
    if isinstance(picture, Painting):
        check_svg(picture.strokes, job.files)
        return
    masks = (("importance", options.importance), ("repaint", options.repaint))
    beside, strokes = [(path, arguments[name].size) for name, path in masks if path], options.count
    if options.resume:
        before = read_before(options.resume)
        beside += [(options.resume, before.size)] if before.size else []
        strokes += len(before.strokes)
        check_svg(before.strokes, job.files)
    for path, size in beside:
        sides.check_shape(str(path), size, job.label, picture.size)
    if options.max_size:
        side = sides.chosen_side(picture, options.size, strokes, options.stop_psnr)
        sides.check_seen(options.max_size, min(side, max(picture.size)))


def first_of(clip: Path, files: list[Path]) -> Picture:
    """The first picture of a clip; UserError where that cannot be read, and for outputs that are no films."""
    from limner.painting.footage import Footage

    for path in files:
        if path.suffix.lower() not in FILMS:
            raise UserError(f"{path}: a clip becomes a film: choose {', '.join(FILMS)}, or --frames FOLDER")
    return Footage.of(clip).first()


def check_svg(strokes: Strokes, files: list[Path]) -> None:
    """UserError for strokes that one of these files cannot show."""
    if any(path.suffix.lower() == ".svg" for path in files):
        check_fills(strokes)
