"""The picture on the README's first screen: `python examples/strokes.py`, half a minute."""

from pathlib import Path

import torch
from PIL import Image

import limner

HERE = Path(__file__).resolve().parent

paintings = [limner.paint(HERE / "photo.jpg", strokes=count, size=384) for count in (50, 200, 1000)]
panels = [painting.render(300, 451) for painting in paintings]
gap = torch.full((300, 8, 3), 255, dtype=torch.uint8)
row = torch.cat([panels[0], gap, panels[1], gap, panels[2]], 1)
Image.fromarray(row.numpy()).save(HERE.parent / "docs" / "pictures" / "strokes.png", optimize=True)
