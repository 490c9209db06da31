import shutil
from pathlib import Path

import pooch
import pytest
from PIL import Image, ImageDraw

SAMPLE = Path(__file__).parent / "sample"
FACES = "BioID-FaceDatabase-V1.2"
DRAWN = {k: ((150 + 8 * k, 110 + 3 * k), (110 + 5 * k, 112 + 3 * k)) for k in range(4)}
"""The left and the right eye (x, y) of the drawn faces, by place in their split."""


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache and no folder of data: nothing that lies on this machine is used or changed."""
    monkeypatch.delenv("LIMNER_DATA", raising=False)
    monkeypatch.setattr(pooch, "os_cache", lambda _: tmp_path / "cache")
    return tmp_path / "cache"


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    """A small copy of every real data set, with drawn faces."""
    root = tmp_path / "sample"
    shutil.copytree(SAMPLE, root)
    for start in (0, 1214, 1319):
        for k, (left, right) in DRAWN.items():
            draw_face(root / FACES, start + k, left, right)
    return root


def draw_face(folder: Path, number: int, left: tuple[int, int], right: tuple[int, int]) -> None:
    """A frame with a light head and two black eyes, and the file that says where they are."""
    folder.mkdir(exist_ok=True)
    frame = Image.new("L", (384, 286), 90)
    pen = ImageDraw.Draw(frame)
    x, y, distance = (left[0] + right[0]) / 2, (left[1] + right[1]) / 2, left[0] - right[0]
    pen.ellipse((x - distance, y - distance, x + distance, y + 1.6 * distance), fill=200)
    for eye_x, eye_y in (left, right):
        pen.ellipse((eye_x - 4, eye_y - 4, eye_x + 4, eye_y + 4), fill=0)
    frame.save(folder / f"BioID_{number:04d}.pgm")
    numbers = "\t".join(map(str, (*left, *right)))
    (folder / f"BioID_{number:04d}.eye").write_text(f"#LX\tLY\tRX\tRY\n{numbers}\n")
