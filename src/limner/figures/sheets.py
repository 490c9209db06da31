"""Sheets of small images in panels, with words beside them: what most figures of the thesis are."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from limner.files import atomic
from limner.tables import GAP, Cells
from limner.tables import table as cells_table

MARGIN, TEXT = 12, 13
LINE = TEXT + 5
GRAY, WHITE = 160, 255
MOST = 300_000
"""Bytes of a picture; a larger one is shrunk until it fits."""
SHADES = 48


@dataclass(frozen=True)
class Panel:
    """A table of images of ink under a title, with words above its columns and left of its rows.

    colour: the images are shown as they are, not as ink on paper.
    """

    title: str
    cells: Cells
    columns: Sequence[str] = ()
    rows: Sequence[str] = ()
    colour: bool = False


def compose(panels: Sequence[Panel], across: int, side: int) -> Image.Image:
    """All panels, `across` in a row, with images at least about `side` pixels high."""
    drawn = [_panel(panel, max(1, round(side / panel.cells.shape[3]))) for panel in panels]
    lines = [drawn[start : start + across] for start in range(0, len(drawn), across)]
    width = max(sum(each.width for each in line) + MARGIN * (len(line) + 1) for line in lines)
    height = sum(max(each.height for each in line) for line in lines) + MARGIN * (len(lines) + 1)
    sheet = Image.new("RGB", (width, height), (WHITE,) * 3)
    y = MARGIN
    for line in lines:
        x = MARGIN
        bottom = y + max(each.height for each in line)
        for each in line:
            sheet.paste(each, (x, bottom - each.height))
            x += each.width + MARGIN
        y = bottom + MARGIN
    return sheet


def _panel(panel: Panel, scale: int) -> Image.Image:
    table = cells_table(panel.cells if panel.colour else 1 - panel.cells, scale, GRAY).convert("RGB")
    pitch_x = (table.width - GAP) / panel.cells.shape[1]
    pitch_y = (table.height - GAP) / panel.cells.shape[0]
    left = max((int(_length(words)) for words in panel.rows), default=0)
    left += 6 if left else 0
    title = _wrapped(panel.title, max(table.width + left, 120))
    top = LINE * (len(title) + bool(panel.columns)) + 2
    width = max([left + table.width, *(int(_length(words)) for words in title)])
    image = Image.new("RGB", (width, top + table.height), (WHITE,) * 3)
    image.paste(table, (left, top))
    draw = ImageDraw.Draw(image)
    for k, words in enumerate(title):
        draw.text((0, k * LINE), words, 0, _font())
    for k, words in enumerate(panel.columns):
        if _length(words) < pitch_x or k % 5 == 4 or k == len(panel.columns) - 1:
            draw.text((left + (k + 0.5) * pitch_x, top - 2), words, 0, _font(), anchor="md")
    for k, words in enumerate(panel.rows):
        draw.text((left - 6, top + (k + 0.5) * pitch_y), words, 0, _font(), anchor="rm")
    return image


def save(image: Image.Image, path: Path) -> None:
    """Write a PNG of at most `MOST` bytes: of gray if it has no colours, of few shades, and shrunk if it must be."""
    bands = np.asarray(image)
    if (bands == bands[..., :1]).all():
        image = image.convert("L")
    with atomic(path) as temporary:
        while True:
            image.quantize(SHADES, dither=Image.Dither.NONE).save(temporary, optimize=True)
            size = temporary.stat().st_size
            if size <= MOST:
                return
            share = min(0.95, (MOST / size) ** 0.5)
            image = image.resize((round(image.width * share), round(image.height * share)), Image.Resampling.LANCZOS)


def _wrapped(words: str, width: int) -> list[str]:
    lines = [""]
    for word in words.split():
        longer = f"{lines[-1]} {word}".strip()
        if _length(longer) <= width or not lines[-1]:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines if words else []


def _length(words: str) -> float:
    return _font().getlength(words)


@lru_cache
def _font() -> ImageFont.FreeTypeFont:
    """The font that matplotlib brings, which has Greek letters."""
    from matplotlib import get_data_path

    return ImageFont.truetype(str(Path(get_data_path(), "fonts", "ttf", "DejaVuSans.ttf")), TEXT)
