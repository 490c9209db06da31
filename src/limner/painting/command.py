"""`limner paint`: reads everything and tries every output before the first stroke, then paints, saves and scores."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

import limner
from limner.errors import UserError
from limner.masks import mask_files
from limner.models.build import Network
from limner.options import PaintOptions
from limner.painting import outputs, prepare
from limner.painting.colours import colour, palette
from limner.painting.painting import Painting
from limner.painting.pictures import Picture, picture_files, read_picture
from limner.painting.resume import read_before
from limner.printing import say
from limner.templates import SHAPES

FRAMES = 100
SCORED = (".png", ".jpg", ".jpeg", ".webp", ".svg")


@dataclass(frozen=True)
class Job:
    """One picture: where it comes from (already read if from standard input) and where its painting goes."""

    source: Path | Picture
    label: str
    files: list[Path]
    frames: Path | None


def paint(options: PaintOptions) -> int:
    """Paint every picture that the options name; the exit code is 130 if that was interrupted.

    Raises UserError, before any painting, for everything that can be known to be wrong by then.
    """
    jobs = plan(options)
    arguments = settings(options)
    for job in jobs:
        check(job, arguments, options)
    frames = [job.frames for job in jobs if job.frames]
    outputs.make_room([path for job in jobs for path in job.files], frames)
    if options.threads:
        torch.set_num_threads(options.threads)
    with noticed() as interrupts:
        for job in jobs:
            painting = limner.paint(read_picture(job.source), **arguments)
            ended = bool(interrupts)
            interrupts.clear()
            save(painting, job, options)
            if ended:
                say(f"limner: interrupted: saved {len(painting.strokes)} strokes", sys.stderr)
                return 130
    return 0


def plan(options: PaintOptions) -> list[Job]:
    """What to read and to write; reads standard input, since that can be read only once."""
    files = picture_files(options.photos)
    stdin = Path("-")
    if files.count(stdin) > 1:
        raise UserError("-: standard input can be painted only once")
    several = len(files) > 1 or any(os.path.isdir(photo) for photo in options.photos)
    if several and options.resume:
        raise UserError(f"--resume {options.resume} continues one picture, {len(files)} are given")
    names = outputs.names_of([Path("stdin") if file == stdin else file for file in files])
    planned = outputs.plan(options.output, names, several)
    jobs = []
    for file, name, paths in zip(files, names, planned, strict=True):
        frames = options.frames / name if options.frames and several else options.frames
        source = read_picture("-") if file == stdin else file
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
        "templates": (options.templates or None) if shapes else prepare.bank_of(options.templates),
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
        "progress": not options.quiet,
        **{name: value for name, value in chosen.items() if value is not None},
    }


def read_mask(path: Path | None, dark: float = 0.0) -> Picture | None:
    """A picture that says where something holds; UserError if it says nowhere, being dark everywhere."""
    if path is None:
        return None
    picture = read_picture(path)
    if prepare.gray(picture, picture.size).max() <= dark:
        held = "nowhere lighter than half gray, so that -n 0 replaces nothing" if dark else "black everywhere"
        raise UserError(f"{path}: is {held}: make it light where it should count")
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
    beside = [(path, arguments[name].size) for name, path in masks if name in arguments]
    if options.resume and (size := read_before(options.resume).size):
        beside.append((options.resume, size))
    for path, size in beside:
        prepare.check_shape(str(path), size, job.label, picture.size)


def save(painting: Painting, job: Job, options: PaintOptions) -> None:
    """Write every output and say what it scores; a failing one does not keep the others from being written."""
    faults = []
    for path in job.files:
        try:
            painting.save(path, longer_side=options.output_size)
            scored = path.suffix.lower() in SCORED
            words = [f"{painting.psnr_of(path):.1f} dB"] if scored and not options.quiet else []
        except Exception as fault:
            faults.append(fault)
            continue
        if options.stop_psnr or not scored:
            words.append(f"{len(painting.strokes)} strokes")
        if not options.quiet:
            say(f"{path}  {', '.join(words)}", sys.stdout)
    if job.frames:
        try:
            count = painting.save_frames(job.frames, FRAMES, options.output_size)
            if not options.quiet:
                say(f"{job.frames}  frames 0000 to {count - 1:04}", sys.stdout)
        except Exception as fault:
            faults.append(fault)
    if faults:
        raise faults[0]


@contextmanager
def noticed() -> Iterator[list[int]]:
    """Makes Ctrl-C and SIGTERM a KeyboardInterrupt, and notes them in the list that it gives.

    Those after the first are only noted, until the list is cleared, so that what the first began is done in peace. A
    signal that is ignored, as Ctrl-C is in the background, stays ignored.
    """
    interrupts: list[int] = []

    def note(number: int, frame: Any) -> None:
        interrupts.append(number)
        if len(interrupts) == 1:
            raise KeyboardInterrupt

    heard = [each for each in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(each) != signal.SIG_IGN]
    before = {each: signal.signal(each, note) for each in heard}
    try:
        yield interrupts
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
