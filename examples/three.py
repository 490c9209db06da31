"""The picture in docs/painting.md: `python examples/three.py PICTURE [PICTURE ...]`, half a minute each.

A row shows the picture, 100 strokes, 500 strokes, and 500 strokes with a gradient fill.
"""

import sys
from pathlib import Path

from PIL import Image

import limner

OUT = Path(__file__).resolve().parent.parent / "docs" / "pictures" / "three.jpg"
WIDTH, GAP = 320, 6
STYLES = ({"strokes": 100}, {"strokes": 500}, {"strokes": 500, "fill": "gradient"})


def row(path: str) -> list[Image.Image]:
    """The picture and its paintings, 320 pixels wide."""
    photo = Image.open(path).convert("RGB")
    height = round(photo.height * WIDTH / photo.width)
    paintings = [limner.paint(photo, **style).render(height, WIDTH) for style in STYLES]
    return [photo.resize((WIDTH, height), Image.Resampling.LANCZOS), *(Image.fromarray(p.numpy()) for p in paintings)]


rows = [row(path) for path in sys.argv[1:]]
size = (len(rows[0]) * (WIDTH + GAP) - GAP, sum(panels[0].height + GAP for panels in rows) - GAP)
sheet, top = Image.new("RGB", size, "white"), 0
for panels in rows:
    for column, panel in enumerate(panels):
        sheet.paste(panel, (column * (WIDTH + GAP), top))
    top += panels[0].height + GAP
sheet.save(OUT, quality=85, optimize=True)
