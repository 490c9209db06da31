"""The picture of styles in README and docs: `python examples/styles.py`, half a minute."""

from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

import limner

HERE = Path(__file__).resolve().parent
WIDTH, GAP, LINE, COLUMNS = 400, 8, 30, 4

photo = Image.open(HERE / "photo.jpg")
height = round(photo.height * WIDTH / photo.width)
across, down = WIDTH + GAP, height + LINE
rows = -(-len(limner.STYLES) // COLUMNS)
sheet = Image.new("RGB", (COLUMNS * across - GAP, rows * down), "white")
words = ImageDraw.Draw(sheet)
for k, (name, style) in enumerate(limner.STYLES.items()):
    left, top = k % COLUMNS * across, k // COLUMNS * down
    panel = Image.fromarray(limner.paint(photo, **style).render(height, WIDTH).numpy())
    sheet.paste(panel.convert("RGB"), (left, top))
    words.text((left + WIDTH / 2, top + height + LINE / 2), name, "#444", ImageFont.load_default(18), "mm")
sheet.save(HERE.parent / "docs" / "pictures" / "styles.jpg", quality=88, optimize=True)
