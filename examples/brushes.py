"""The picture of brushes in docs/painting.md: `python examples/brushes.py`, half a minute.

The cat in 250 strokes each of round circles, upright rectangles, triangles and thin lines.
"""

from pathlib import Path

from PIL import Image

import limner

HERE = Path(__file__).resolve().parent
OUT = HERE.parent / "docs" / "pictures" / "brushes.jpg"
WIDTH, GAP = 480, 8
BRUSHES = (
    {"templates": "circle", "keep_proportions": True},
    {"templates": "square", "upright": True},
    {"templates": "triangle"},
    {"templates": "line", "keep_proportions": True},
)

photo = Image.open(HERE / "photo.jpg")
height = round(photo.height * WIDTH / photo.width)
sheet = Image.new("RGB", (2 * WIDTH + GAP, 2 * height + GAP), "white")
for k, brush in enumerate(BRUSHES):
    panel = Image.fromarray(limner.paint(photo, 250, **brush).render(height, WIDTH).numpy())
    sheet.paste(panel, (k % 2 * (WIDTH + GAP), k // 2 * (height + GAP)))
sheet.save(OUT, quality=88, optimize=True)
