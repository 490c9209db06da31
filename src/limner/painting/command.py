"""`limner paint`: reads everything and tries every output before the first stroke, then paints, saves and scores."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import log
from pathlib import Path
from typing import Any

import torch

import limner
from limner.errors import UserError
from limner.masks import mask_files, read_mask
from limner.options import PaintOptions
from limner.painting import outputs
from limner.painting.colours import colour, palette
from limner.painting.painting import Painting
from limner.painting.pictures import Picture, picture_files, read_picture
from limner.strokes_json import parse
from limner.templates import SHAPES, TemplateBank, draw

FRAMES = 100
TEXELS = 128
SCORED = (".png", ".jpg", ".jpeg", ".webp", ".svg")
STRETCH = 0.05


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
    for job in jobs:
        with noticed() as interrupts:
            painting = limner.paint(read_picture(job.source), **arguments)
        save(painting, job, options)
        if interrupts:
            print(f"limner: interrupted: saved {len(painting.strokes)} strokes", file=sys.stderr)
            return 130
    return 0


def plan(options: PaintOptions) -> list[Job]:
    """What to read and to write; reads standard input, since that can be read only once."""
    files = picture_files(options.photos)
    stdin = Path("-")
    if files.count(stdin) > 1:
        raise UserError("-: standard input can be painted only once")
    several = len(files) > 1 or any(Path(photo).is_dir() for photo in options.photos)
    if several and options.resume:
        raise UserError(f"--resume {options.resume} continues one picture, {len(files)} are given")
    names = outputs.names_of([Path("stdin") if file == stdin else file for file in files])
    planned = outputs.plan(options.output, names, several)
    outputs.spare_inputs([path for paths in planned for path in paths], [*files, *read_too(options)])
    jobs = []
    for file, name, paths in zip(files, names, planned, strict=True):
        frames = options.frames / name if options.frames and several else options.frames
        source = read_picture("-") if file == stdin else file
        jobs.append(Job(source, "standard input" if file == stdin else str(file), paths, frames))
    return jobs


def read_too(options: PaintOptions) -> Iterator[Path]:
    """The files beside the pictures that are read and must stay as they are: masks, and a palette."""
    for item in options.templates:
        if item not in SHAPES and Path(item).exists():
            yield from mask_files(item)
    yield from (path for path in (options.importance, options.repaint) if path)
    if options.palette:
        yield Path(options.palette)


def settings(options: PaintOptions) -> dict[str, Any]:
    """The arguments of `limner.paint`; what was not asked for is left to its defaults."""
    if options.background not in ("auto", "transparent"):
        colour(options.background)
    if options.resume and len(parse(options.resume).strokes.where) != 1:
        raise UserError(f"{options.resume}: holds several pictures or none, expected one")
    chosen = {
        "templates": brushes(options.templates) if options.templates else None,
        "palette": palette(options.palette) if options.palette else None,
        "min_size": options.min_size,
        "max_size": options.max_size,
        "importance": read_weights(options.importance),
        "model": options.model,
        "resume": options.resume,
        "repaint": read_weights(options.repaint),
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


def brushes(items: tuple[str, ...]) -> tuple[str, ...] | TemplateBank:
    """Names of shapes as they are; with mask files or folders among them, a bank of all in the order given."""
    if all(item in SHAPES for item in items):
        return items
    masks, names = [], []
    for item in items:
        if item in SHAPES:
            masks.append(draw(SHAPES[item], TEXELS))
            names.append(item)
            continue
        if not Path(item).exists():
            raise UserError(f"--templates {item}: is no shape ({', '.join(SHAPES)}), and no such file or folder")
        for path in mask_files(item):
            masks.append(read_mask(path, TEXELS))
            names.append(path.stem)
    return TemplateBank(torch.stack(masks), tuple(names))


def read_weights(path: Path | None) -> Picture | None:
    """A picture that says where something holds; UserError if it says nowhere."""
    if path is None:
        return None
    picture = read_picture(path)
    if picture.pixels.max() == 0 or (picture.alpha is not None and picture.alpha.max() == 0):
        raise UserError(f"{path}: is black everywhere: make it light where it should count")
    return picture


def check(job: Job, arguments: dict[str, Any], options: PaintOptions) -> None:
    """UserError for a picture that cannot be read, or that its outputs or the masks do not fit."""
    picture = read_picture(job.source)
    for path in job.files:
        outputs.check_size(path, picture.size, options.output_size)
    masks = (("importance", options.importance), ("repaint", options.repaint))
    beside = [(path, arguments[name].size) for name, path in masks if name in arguments]
    if options.resume and (size := parse(options.resume).size):
        beside.append((options.resume, size))
    (height, width) = picture.size
    for path, (rows, columns) in beside:
        if abs(log(width / height * rows / columns)) > STRETCH:
            held = f"is {columns} x {rows} pixels, {job.label} {width} x {height}"
            raise UserError(f"{path}: {held}: they must have the same proportions")


def save(painting: Painting, job: Job, options: PaintOptions) -> None:
    """Write every output and say what it scores; a failing one does not keep the others from being written."""
    faults = []
    for path in job.files:
        try:
            painting.save(path, longer_side=options.output_size)
        except UserError as fault:
            faults.append(fault)
            continue
        if not options.quiet:
            scored = path.suffix.lower() in SCORED
            words = [f"{painting.psnr_of(path):.1f} dB"] if scored else []
            if options.stop_psnr or not scored:
                words.append(f"{len(painting.strokes)} strokes")
            say(f"{path}  {', '.join(words)}")
    if job.frames:
        painting.save_frames(job.frames, FRAMES, options.output_size)
        if not options.quiet:
            say(f"{job.frames}  frames")
    if faults:
        raise faults[0]


def say(line: str) -> None:
    """Print a line; once nobody reads them any more, this and all later ones are dropped, and work goes on."""
    try:
        print(line, flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@contextmanager
def noticed() -> Iterator[list[int]]:
    """Notes Ctrl-C and SIGTERM in the list that it gives, as KeyboardInterrupt; empty if there was neither.

    A signal that is ignored, as Ctrl-C is in the background, stays ignored.
    """
    interrupts: list[int] = []

    def note(number: int, frame: Any) -> None:
        interrupts.append(number)
        raise KeyboardInterrupt

    heard = [each for each in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(each) != signal.SIG_IGN]
    before = {each: signal.signal(each, note) for each in heard}
    try:
        yield interrupts
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
