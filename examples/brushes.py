"""The pictures of brushes in docs/painting.md: `python examples/brushes.py`, two minutes and a half.

The cat in 250 strokes each of round circles, upright rectangles, triangles and thin lines; then in 800 strokes of a
bristle brush; then in 3,000 lines of a pen, in black and in colours; then in 500 letters.
"""

from pathlib import Path

from PIL import Image

import limner

HERE = Path(__file__).resolve().parent
OUT = HERE.parent / "docs" / "pictures"
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
sheet.save(OUT / "brushes.jpg", quality=88, optimize=True)

painting = limner.paint(photo, 800, templates="bristle", keep_proportions=True, opacity="opaque")
painting.save(OUT / "bristle.jpg", longer_side=2 * WIDTH + GAP)

drawing = {"pen": 0.002, "max_size": 0.15, "background": "white", "opacity": "opaque"}
sheet = Image.new("RGB", (2 * WIDTH + GAP, height), "white")
for k, ink in enumerate(({"palette": "black"}, {})):
    panel = Image.fromarray(limner.paint(photo, 3000, **drawing, **ink).render(height, WIDTH).numpy()).convert("RGB")
    sheet.paste(panel, (k * (WIDTH + GAP), 0))
sheet.save(OUT / "pen.jpg", quality=88, optimize=True)

lettering = {"keep_proportions": True, "upright": True, "opacity": "opaque", "min_size": 0.03}
painting = limner.paint(photo, 500, templates="letters:MEOWPURS", **lettering)
painting.save(OUT / "letters.jpg", longer_side=2 * WIDTH + GAP)
