"""Whether what `limner paint` is to read and to write goes together, told before the first stroke."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import Tensor

from limner.errors import UserError
from limner.files import is_pipe
from limner.flags import flag, in_flags
from limner.painting import plates, sides
from limner.painting.brushes import bank_of
from limner.painting.films.growing import is_growing
from limner.painting.films.kinds import FILMS, is_film, kind
from limner.painting.jobs import STDIN, Job
from limner.painting.layers import check_layers, is_layered
from limner.painting.numbered import FRAME
from limner.painting.options import PaintOptions
from limner.painting.painting import STILLS, Painting
from limner.painting.pictures import Picture, read_picture
from limner.painting.plot import check_brushes, check_strokes, is_plot
from limner.painting.ranges import in_range
from limner.painting.raster import saved_size
from limner.painting.resume import read_before
from limner.painting.svg import check_fills
from limner.printing import say
from limner.strokes import Strokes
from limner.templates import TemplateBank


def check_all(jobs: list[Job], arguments: dict[str, Any], options: PaintOptions) -> list[Job]:
    """`check` every picture; returns those to paint. Of several faults all are told, and the last is raised.

    Where it is to keep going, none is raised. What can be read only once is kept, and so are strokes, and a picture
    that is the only one.
    """
    fit, faults = [], dict[str, UserError]()
    for job in jobs:
        try:
            with in_flags(arguments):
                picture = first(job)
                check(job, picture, arguments, options)
        except UserError as fault:
            faults[str(fault)] = fault
        else:
            kept = isinstance(picture, Painting) or len(jobs) == 1 or job.file == STDIN or is_pipe(job.file)
            fit.append(replace(job, content=picture) if kept and not job.clip else job)
    told = list(faults.values())
    last = told.pop() if told and not options.keep_going else None
    for fault in told:
        say(f"limner: {fault}", sys.stderr)
    if last:
        raise last
    return fit


def first(job: Job) -> Picture | Painting:
    """What a job is about, or the first picture of its clip; UserError for what cannot be read."""
    if job.clip:
        return first_of(job.file, job.files)
    if job.file.suffix.lower() != ".json":
        return read_picture(job.file)
    painting = Painting.load(job.file)
    in_range(job.file, painting.strokes, painting.background)
    return painting


def check(job: Job, picture: Picture | Painting, arguments: dict[str, Any], options: PaintOptions) -> None:
    """UserError for a picture that its outputs or the masks do not fit."""
    check_sizes(job, picture.shown_size if isinstance(picture, Painting) else picture.size, options)
    before = read_before(options.resume) if options.resume else None
    laid = picture if isinstance(picture, Painting) else before
    for path in (path for path in job.files if plates.COLOUR in path.name):
        check_plates(path, laid.strokes if laid else None, arguments["palette"], laid is picture)
    if laid:
        check_svg(laid.strokes, laid.bank, job.files)
    strokes = (0 if laid is picture else options.count) + (len(laid.strokes) if laid else 0)
    for path in filter(is_layered, job.files):
        check_layers(path, strokes)
    if isinstance(picture, Painting):
        return
    for path in filter(is_plot, job.files):
        check_plot(path, arguments["templates"] or (before.bank if before else None), options)
    beside = [(path, arguments[name].size) for name in ("importance", "repaint") if (path := getattr(options, name))]
    beside += [(options.resume, before.size)] if before and before.size else []
    for path, size in beside:
        sides.check_shape(str(path), size, job.label, picture.size)
    if options.max_size:
        side = sides.chosen_side(picture, options.size, strokes, options.stop_psnr, options.pen)
        sides.check_seen(options.max_size, min(side, max(picture.size)))


def check_sizes(job: Job, size: tuple[int, int], options: PaintOptions) -> None:
    """UserError for outputs that are too large for a picture of (height, width), and for a length without a film."""
    if options.film_seconds and not any(is_film(path) or is_growing(path) for path in job.files):
        films = "FILE.mp4, .webm, .gif or .film.svg"
        raise UserError(f"{flag('film_seconds')} is of no use without a film: give -o {films}, too")
    frames = [job.frames / FRAME.format(0)] if job.frames else []
    for path in (*job.files, *frames):
        if path.suffix.lower() != ".json":
            saved_size(path, size, options.output_size)


def first_of(clip: Path, files: list[Path]) -> Picture:
    """The first picture of a clip; UserError where that cannot be read, and for outputs that are no films."""
    from limner.painting.films.footage import Footage

    for path in files:
        if not is_film(path):
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
    if kind(path) not in STILLS or is_plot(path):
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
