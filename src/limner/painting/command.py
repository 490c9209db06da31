"""`limner paint`: reads everything and tries every output before the first stroke, then paints, saves and scores."""

import os
import signal
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch

import limner
from limner.errors import UserError
from limner.files import in_words, is_pipe
from limner.masks import mask_files
from limner.models.build import Network
from limner.options import PaintOptions
from limner.painting import brushes, light, outputs, sides
from limner.painting.colours import colour, palette
from limner.painting.painting import FILMS, Painting
from limner.painting.pictures import Picture, picture_files, read_picture
from limner.painting.resume import read_before
from limner.painting.svg import check_fills
from limner.printing import on_terminal, say
from limner.signals import handled
from limner.templates import SHAPES

FRAMES = 100
SCORED = (".png", ".jpg", ".jpeg", ".webp", ".svg")
ROUNDING = 0.05
"""In dB, of what is printed."""


@dataclass(frozen=True)
class Job:
    """One picture: where it comes from (already read if from standard input) and where its painting goes."""

    source: Path | Picture
    label: str
    files: list[Path]
    frames: Path | None


def paint(options: PaintOptions) -> int:
    """Paint every picture that the options name; the exit code is 130 if that was interrupted, 2 if a file failed.

    Raises UserError, before any painting, for everything that can be known to be wrong by then.
    """
    jobs = plan(options)
    arguments = settings(options)
    with in_flags(arguments):
        for job in jobs:
            check(job, arguments, options)
    frames = [job.frames for job in jobs if job.frames]
    outputs.make_room([path for job in jobs for path in job.files], frames)
    if options.threads:
        torch.set_num_threads(options.threads)
    failed = False
    with noticed() as interrupts:
        for number, job in enumerate(jobs, 1):
            called = title(job, number, len(jobs), options)
            with in_flags(arguments):
                painting = limner.paint(read_picture(job.source), **arguments, progress=called)
            spared = repainted(job, options) if interrupts else []
            kept = [path for path in job.files if path not in spared]
            faults, interrupted = save(painting, replace(job, files=kept), options, interrupts)
            for fault in faults:
                if not isinstance(fault, UserError | OSError):
                    raise fault
                say(f"limner: {in_words(fault)}", sys.stderr)
            if interrupted:
                what = [f"saved {counted(len(painting.strokes))}"] if kept else []
                what += [f"{path} is left as it was" for path in spared]
                say(f"limner: interrupted: {', '.join(what)}", sys.stderr)
                return 130
            failed = failed or bool(faults)
    return 2 if failed else 0


@contextmanager
def in_flags(names: Collection[str]) -> Iterator[None]:
    """What is said inside of an argument is said of the option."""
    try:
        yield
    except UserError as fault:
        name, colon, words = str(fault).partition(":")
        if name not in names:
            raise
        raise UserError(f"--{name.replace('_', '-')}{colon}{words}") from None


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
    if several and options.resume:
        raise UserError(f"--resume {options.resume} continues one picture, {len(files)} are given")
    names = outputs.names_of([Path("stdin") if file == stdin else file for file in files])
    planned = outputs.plan(options.output, names, several)
    jobs = []
    for file, name, paths in zip(files, names, planned, strict=True):
        frames = options.frames / name if options.frames and several else options.frames
        source = read_picture("-") if file == stdin else read_picture(file) if is_pipe(file) else file
        jobs.append(Job(source, "standard input" if file == stdin else str(file), paths, frames))
    written = [path for job in jobs for path in job.files]
    outputs.spare([*files, *read_too(options)], written, [job.frames for job in jobs if job.frames])
    return jobs


def read_too(options: PaintOptions) -> Iterator[Path]:
    """The files beside the pictures that are read and must stay as they are: masks, and a palette."""
    for item in options.templates:
        if item not in SHAPES and os.path.exists(item):
            yield from mask_files(item)
    yield from (path for path in (options.importance, options.repaint) if path)
    if options.palette:
        yield Path(options.palette)


def settings(options: PaintOptions) -> dict[str, Any]:
    """The arguments of `limner.paint`; what was not asked for is left to its defaults."""
    if options.background not in ("auto", "transparent"):
        colour(options.background)
    shapes = set(options.templates) <= SHAPES.keys()
    chosen = {
        "templates": (options.templates or None) if shapes else brushes.bank_of(options.templates),
        "palette": palette(options.palette) if options.palette else None,
        "min_size": options.min_size,
        "max_size": options.max_size,
        "importance": read_mask(options.importance),
        "model": read_model(options.model),
        "resume": options.resume,
        "repaint": read_mask(options.repaint, 0.0 if options.strokes else 0.5),
        "stop_psnr": options.stop_psnr,
        "time": options.time,
        "size": options.size,
    }
    return {
        "strokes": options.strokes,
        "opacity": options.opacity_value(),
        "fill": options.fill,
        "background": options.background,
        "seed": options.seed,
        **{name: value for name, value in chosen.items() if value is not None},
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


def check(job: Job, arguments: dict[str, Any], options: PaintOptions) -> None:
    """UserError for a picture that cannot be read, or that its outputs or the masks do not fit."""
    picture = read_picture(job.source)
    for path in job.files:
        outputs.check_size(path, picture.size, options.output_size)
    masks = (("importance", options.importance), ("repaint", options.repaint))
    beside, strokes = [(path, arguments[name].size) for name, path in masks if name in arguments], options.strokes
    if options.resume:
        before = read_before(options.resume)
        beside += [(options.resume, before.size)] if before.size else []
        strokes += len(before.strokes)
        if any(path.suffix.lower() == ".svg" for path in job.files):
            check_fills(before.strokes)
    for path, size in beside:
        sides.check_shape(str(path), size, job.label, picture.size)
    if options.max_size:
        side = sides.chosen_side(picture, options.size, strokes, options.stop_psnr)
        sides.check_seen(options.max_size, min(side, max(picture.size)))


def save(painting: Painting, job: Job, options: PaintOptions, interrupts: list[int]) -> tuple[list[Exception], bool]:
    """Write every output and say what it scores; returns the faults, and whether it was interrupted before the films.

    A failing one does not keep the others from being written. Films come last and may be interrupted, the others not;
    they are made in spite of it if it was the painting that it ended.
    """
    painted = bool(interrupts)
    interrupts[:] = [0]
    films = [path for path in job.files if path.suffix.lower() in FILMS]
    faults = [write(painting, path, options) for path in job.files if path not in films]
    stopped = len(interrupts) > 1
    interrupts.clear()
    if not stopped:
        faults += [write(painting, path, options) for path in films]
        faults += [write_frames(painting, job.frames, options)] if job.frames else []
    return [fault for fault in faults if fault], painted or stopped


def write(painting: Painting, path: Path, options: PaintOptions) -> Exception | None:
    """Write one output and say what it scores; returns what went wrong."""
    try:
        painting.save(path, longer_side=options.output_size)
        words = [] if options.quiet else told(painting, path, options)
    except Exception as fault:
        return fault
    if words:
        say(f"{path}  {', '.join(words)}", sys.stdout)


def told(painting: Painting, path: Path, options: PaintOptions) -> list[str]:
    """What is said of a file that has been written: its score, its strokes, and whether it is as good as wanted."""
    scored, wanted = path.suffix.lower() in SCORED, options.stop_psnr
    words = [f"{painting.psnr_of(path):.1f} dB"] if scored else []
    words += [counted(len(painting.strokes))] if wanted or options.time or not scored else []
    return words + ([f"short of --stop-psnr {wanted:g}"] if wanted and reached(painting) < wanted - ROUNDING else [])


@lru_cache(1)
def reached(painting: Painting) -> float:
    """What `stop_psnr` counts."""
    assert painting.target is not None
    return painting.score(painting.render(*sides.judged(painting.target).size))


def counted(strokes: int) -> str:
    """How many strokes, in words."""
    return "1 stroke" if strokes == 1 else f"{strokes} strokes"


def write_frames(painting: Painting, folder: Path, options: PaintOptions) -> Exception | None:
    """Write the growing painting as pictures; returns what went wrong."""
    try:
        count = painting.save_frames(folder, FRAMES, options.output_size)
    except Exception as fault:
        return fault
    if not options.quiet:
        say(f"{folder}  frames 0000 to {count - 1:04}", sys.stdout)


@contextmanager
def noticed() -> Iterator[list[int]]:
    """Makes Ctrl-C and SIGTERM a KeyboardInterrupt, and notes them in the list that it gives.

    Those that come while there is something in it are only noted, so that what the first began is done in peace. A
    signal that is ignored, as Ctrl-C is in the background, stays ignored.
    """
    interrupts: list[int] = []

    def note(number: int, frame: Any) -> None:
        interrupts.append(number)
        if len(interrupts) == 1:
            raise KeyboardInterrupt

    with handled(note, signal.SIGINT, signal.SIGTERM):
        yield interrupts
