from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from limner.data import faces
from limner.errors import UserError

FOLDER = "BioID-FaceDatabase-V1.2"


def test_eyes_lie_where_they_should(sample: Path) -> None:
    images = faces.read(sample / FOLDER, "train")
    assert images.pixels.shape == (4, 1, 100, 100)
    ink = images.ink()[:, 0]
    for half, x in ((ink[:, :, :50], 50 - 50 / 2.4), (ink[:, :, 50:], 50 / 2.4)):
        eye = half[:, 20:60] > 0.9
        rows, columns = eye.nonzero()[:, 1].float() + 20.5, eye.nonzero()[:, 2].float() + 0.5
        assert rows.mean() == pytest.approx(38, abs=1.5)
        assert columns.mean() == pytest.approx(x, abs=1.5)


def test_blocks_of_frames_are_held_out(sample: Path) -> None:
    splits = [faces.read(sample / FOLDER, split) for split in ("train", "validation", "test")]
    assert [len(images) for images in splits] == [4, 4, 4]
    for suffix in ("pgm", "eye"):  # a copy that a desktop made
        copied = (sample / FOLDER / f"BioID_1214.{suffix}").read_bytes()
        (sample / FOLDER / f"BioID_1214 (1).{suffix}").write_bytes(copied)
    (sample / FOLDER / "BioID_1214.pgm").rename(sample / FOLDER / "BioID_1213.pgm")
    (sample / FOLDER / "BioID_1214.eye").rename(sample / FOLDER / "BioID_1213.eye")
    (sample / FOLDER / "BioID_1319.pgm").rename(sample / FOLDER / "BioID_1318.pgm")
    (sample / FOLDER / "BioID_1319.eye").rename(sample / FOLDER / "BioID_1318.eye")
    splits = [faces.read(sample / FOLDER, split) for split in ("train", "validation", "test")]
    assert [len(images) for images in splits] == [5, 4, 3]


@given(st.tuples(st.integers(30, 350), st.integers(20, 260)), st.integers(20, 200), st.integers(-10, 10))
def test_squares_hold_the_face_and_stay_inside(left: tuple[int, int], distance: int, down: int) -> None:
    x0, y0, x1, y1 = faces.square((left[0], left[1], left[0] - distance, left[1] + down), (384, 286))
    side = x1 - x0
    assert side == pytest.approx(y1 - y0)
    assert side == pytest.approx(min(2.4 * torch.tensor([distance, down]).float().norm().item(), 286))
    assert x0 >= 0
    assert y0 >= 0
    assert x1 <= 384 + 1e-9
    assert y1 <= 286 + 1e-9
    middle, brow = left[0] - distance / 2, left[1] + down / 2
    if x0 > 0 and x1 < 384 - 1e-9:
        assert (x0 + x1) / 2 == pytest.approx(middle)
    if y0 > 0 and y1 < 286 - 1e-9:
        assert (brow - y0) / side == pytest.approx(0.38)


@pytest.mark.parametrize(
    "content", ["", "#LX\tLY\tRX\tRY\n", "#LX LY\n1 2 3\n", "#\n1 2 3 x\n", "#\n1 2 3 4 5\n", "#\n9 8 9 8\n"]
)
def test_an_eye_file_of_something_else(sample: Path, content: str) -> None:
    (sample / FOLDER / "BioID_0002.eye").write_text(content)
    with pytest.raises(UserError, match=r"BioID_0002\.eye: is (no eye file|empty)"):
        faces.read(sample / FOLDER, "train")


def test_a_frame_without_eyes(sample: Path) -> None:
    (sample / FOLDER / "BioID_0002.eye").unlink()
    with pytest.raises(UserError, match=r"BioID_0002\.eye: cannot be read"):
        faces.read(sample / FOLDER, "train")
