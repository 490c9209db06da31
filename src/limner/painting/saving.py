"""Writing a painting to where it goes, and saying what it scores."""

import sys
from functools import lru_cache
from pathlib import Path

from limner.painting import raster, sides
from limner.painting.films.clip import Clip
from limner.painting.films.kinds import is_film, kind
from limner.painting.layers import is_layered
from limner.painting.options import PaintOptions
from limner.painting.painting import STILLS, Painting
from limner.painting.plates import COLOUR, save_plates
from limner.painting.plot import is_plot, pens
from limner.printing import say
from limner.signals import Interrupts

FRAMES = 100
ROUNDING = 0.05
"""In dB, of what is printed."""
FEW = 12
"""Pens that may be changed by hand."""


def save(
    painting: Painting | Clip,
    files: list[Path],
    frames: Path | None,
    options: PaintOptions,
    interrupts: Interrupts,
) -> tuple[list[Exception], bool]:
    """Write every output and say what it scores; returns the faults, and whether it was interrupted before the films.

    A failing one does not keep the others from being written. Layers, and films that show how a painting grows, take
    their time: they come last and may be interrupted, all else not; they are made in spite of it if it was the painting
    that it ended.
    """
    painted, interrupts.came, interrupts.held = interrupts.came, False, True
    grows = isinstance(painting, Painting)
    slow = [path for path in files if grows and (is_film(path) or is_layered(path))]
    faults = [write(painting, path, options) for path in files if path not in slow]
    faults += [write_frames(painting, frames, options)] if frames and not grows else []
    stopped, interrupts.came, interrupts.held = interrupts.came, False, False
    if not stopped:
        faults += [write(painting, path, options) for path in slow]
        faults += [write_frames(painting, frames, options)] if frames and grows else []
    return [fault for fault in faults if fault], painted or stopped


def write(painting: Painting | Clip, path: Path, options: PaintOptions) -> Exception | None:
    """Write one output, or one for each colour, and say what it scores; returns what went wrong."""
    try:
        if isinstance(painting, Clip):
            painting.save(path, options.output_size)
            words = {path: [amount(painting)]}
        elif COLOUR in path.name:
            plates = save_plates(painting, path, options.output_size)
            words = {plate: [counted(strokes)] for plate, strokes in plates.items()}
        else:
            painting.save(path, options.output_size, options.film_seconds)
            words = {} if options.quiet else {path: told(painting, path, options)}
    except Exception as fault:
        return fault
    for file, said in words.items():
        if not options.quiet:
            say(f"{file}  {', '.join(said)}", sys.stdout)


def told(painting: Painting, path: Path, options: PaintOptions) -> list[str]:
    """What is said of a file that has been written: its score, its strokes, and whether it is as good as wanted."""
    scored, wanted = painting.target is not None and kind(path) in STILLS, options.stop_psnr
    words = [f"{painting.psnr_of(path):.1f} dB"] if scored else []
    if scored and raster.is_shrunk(path):
        words[0] += f" at {raster.PICTURED} px"
    if scored and wanted and painting.target and max(painting.target.size) > sides.JUDGED:
        words[0] += f" ({reached(painting):.1f} at {sides.JUDGED} px)"
    words += [_pens(pens(path), scored and not options.palette)] if is_plot(path) else []
    words += [counted(len(painting.strokes))] if wanted or options.time or not scored else []
    return words + ([f"short of --stop-psnr {wanted:g}"] if wanted and reached(painting) < wanted - ROUNDING else [])


def _pens(count: int, free: bool) -> str:
    """How many pens, in words; with advice where they were `free` to be of any colour."""
    return "1 pen" if count == 1 else f"{count} pens{': --palette 4 asks for few' if count > FEW and free else ''}"


@lru_cache(1)
def reached(painting: Painting) -> float:
    """The PSNR that `stop_psnr` is compared with, in dB."""
    assert painting.target is not None
    return painting.score(painting.render(*sides.judged(painting.target).size))


def amount(painted: Painting | Clip) -> str:
    """How much there is of it, in words."""
    if isinstance(painted, Painting):
        return counted(len(painted.strokes))
    pictures = len(painted.paintings)
    each = f" of {counted(len(painted.paintings[0].strokes))}"
    return ("1 picture" if pictures == 1 else f"{pictures} pictures") + each


def counted(strokes: int) -> str:
    """How many strokes, in words."""
    return "1 stroke" if strokes == 1 else f"{strokes} strokes"


def write_frames(painting: Painting | Clip, folder: Path, options: PaintOptions) -> Exception | None:
    """Write the growing painting, or all pictures of a clip; returns what went wrong."""
    try:
        if isinstance(painting, Clip):
            count = painting.save_frames(folder, options.output_size)
        else:
            count = painting.save_frames(folder, FRAMES, options.output_size)
    except Exception as fault:
        return fault
    if not options.quiet:
        say(f"{folder}  frames 0000 to {count - 1:04}", sys.stdout)
