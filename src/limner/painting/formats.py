"""A painting as a file of each kind."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from limner.painting import plot, raster, svg
from limner.painting.films.growing import delays, is_growing
from limner.painting.films.kinds import is_film, kind
from limner.painting.layers import check_layers, is_layered, layers
from limner.painting.rendering import finer

if TYPE_CHECKING:
    from limner.painting.painting import Painting


def write(painting: Painting, path: Path, temporary: Path, size: tuple[int, int], seconds: float | None) -> None:
    """Write a picture, an SVG, layers or a film into a temporary file, as the suffix of `path` says.

    size: (height, width).  seconds: how long a film grows; None for what suits the strokes.
    """
    if kind(path) == ".svg":
        temporary.write_text(_svg(painting, path, size, seconds), "utf-8", newline="\n")
    elif is_layered(path):
        from limner.painting.psd import save_psd  # takes a third of a second

        check_layers(path, len(painting.strokes))
        save_psd(temporary, layers(painting, size), painting.render(*size), path)
    elif is_film(path):
        from limner.painting.films.time_lapse import save_time_lapse

        clear = painting.background is None
        save_time_lapse(temporary, kind(path), painting.stages, len(painting.strokes), size, seconds, clear)
    else:
        temporary.write_bytes(raster.encoded(painting.render(*size), kind(path)))


def _svg(painting: Painting, path: Path, size: tuple[int, int], seconds: float | None) -> str:
    """The text of an SVG, of one that grows, or of one for plotters."""
    strokes, bank = painting.strokes, painting.bank
    if len(bank.outlines) == len(bank):
        bank = finer(bank, painting.size, size)
    if plot.is_plot(path):
        return plot.to_plot(path, strokes, bank, size)
    late = delays(len(strokes), seconds) if is_growing(path) else ()
    return svg.to_svg(strokes, bank, size, painting.background, late)
