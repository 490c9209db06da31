import os
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from limner.data import Data, load, pictures
from limner.errors import UserError

SPLITS = ("train", "validation", "test")


def colour(folder: Path, name: str, value: object, mode: str = "RGB", size: tuple[int, int] = (20, 20)) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, value).save(folder / name)  # pyright: ignore[reportArgumentType]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """25 gray pictures, each of its own brightness, some in a folder below, and a file that is none."""
    for k in range(25):
        colour(tmp_path / "own", f"{'below/' if k % 3 else ''}{k}.png", (10 * k,) * 3)
    (tmp_path / "own/notes.txt").write_text("no picture")
    return tmp_path / "own"


def brightness(folder: Path, split) -> set[int]:
    return {255 - int(image[0, 0, 0]) for image in load(Data("folder", folder=folder, size=8), split).pixels}


def test_every_picture_is_in_one_split(folder: Path) -> None:
    splits = [brightness(folder, split) for split in SPLITS]
    assert [len(split) for split in splits] == [21, 2, 2]
    assert set.union(*splits) == {10 * k for k in range(25)}


def test_a_copy_is_split_alike(folder: Path, tmp_path: Path) -> None:
    before = [brightness(folder, split) for split in SPLITS]
    folder.rename(tmp_path / "moved")
    assert [brightness(tmp_path / "moved", split) for split in SPLITS] == before


def test_three_pictures_are_enough(tmp_path: Path) -> None:
    for k in range(3):
        colour(tmp_path, f"{k}.jpg", 50 * k, "L")
    assert [len(load(Data("folder", folder=tmp_path), split)) for split in SPLITS] == [1, 1, 1]
    (tmp_path / "0.jpg").unlink()
    with pytest.raises(UserError, match="holds 2 pictures, a data set needs at least 3"):
        load(Data("folder", folder=tmp_path))


def read_one(folder: Path, channels: int, size: int = 8) -> torch.Tensor:
    """The one picture of a folder, in whatever split it is."""
    for k in range(3):
        colour(folder, f"paper{k}.png", 255, "L")
    splits = [pictures.read(folder, split, size, channels).pixels for split in SPLITS]
    (image,) = [image for split in splits for image in split if image.any()]
    return image


@pytest.mark.parametrize(
    ("value", "mode", "ink"),
    [
        ((255, 100, 0), "RGB", (0, 155, 255)),
        (200, "L", (55, 55, 55)),
        (1, "1", None),
        ((0, 0, 0, 51), "RGBA", (51, 51, 51)),
        ((10, 255), "LA", (245, 245, 245)),
        (257 * 40, "I;16", (215, 215, 215)),
    ],
)
def test_any_mode_becomes_ink(tmp_path: Path, value, mode: str, ink: tuple[int, ...] | None) -> None:
    colour(tmp_path, "it.png", value, mode)
    if ink is None:
        with pytest.raises(ValueError, match="not enough values"):
            read_one(tmp_path, 3)
    else:
        assert read_one(tmp_path, 3).unique(dim=2).unique(dim=1).flatten().tolist() == list(ink)


def test_gray_is_luma(tmp_path: Path) -> None:
    colour(tmp_path, "it.png", (255, 100, 0))
    assert read_one(tmp_path, 1).unique().tolist() == [255 - round(0.299 * 255 + 0.587 * 100)]


@pytest.mark.parametrize("upright", [True, False])
def test_the_middle_square_is_kept(tmp_path: Path, upright: bool) -> None:
    values = np.full((30, 90), 255, np.uint8)
    values[:, 30:60] = np.arange(30, dtype=np.uint8)[:, None]
    Image.fromarray(values if upright else values.T.copy()).save(tmp_path / "wide.png")
    image = read_one(tmp_path, 1, size=30)[0]
    assert torch.equal(image if upright else image.T, 255 - torch.arange(30, dtype=torch.uint8)[:, None].expand(30, 30))


def test_names_need_not_be_utf_8(tmp_path: Path) -> None:
    for number, name in enumerate((b"caf\xe9.png", b"b.png", b"c.png")):
        Image.new("L", (8, 8), 255 - number).save(tmp_path / "a.png")
        (tmp_path / "a.png").rename(tmp_path / os.fsdecode(name))
    splits = [load(Data("folder", folder=tmp_path), split).pixels for split in ("train", "validation", "test")]
    assert sorted(pixels.max().item() for pixels in splits) == [0, 1, 2]


def test_hidden_files_are_none_of_them(folder: Path) -> None:
    before = brightness(folder, "train")
    for hidden in ("._2.png", ".thumbnails/0.png"):
        (folder / hidden).parent.mkdir(exist_ok=True)
        (folder / hidden).write_bytes(b"what the system keeps beside a picture")
    assert brightness(folder, "train") == before


def test_a_folder_may_be_a_string(folder: Path) -> None:
    assert len(pictures.read(str(folder), "train", 8, 1)) == len(pictures.read(folder, "train", 8, 1))


def test_what_is_wrong_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="folder: say which"):
        load(Data("folder"))
    with pytest.raises(UserError, match="none: no such folder"):
        load(Data("folder", folder=tmp_path / "none"))
    for k in range(3):
        (tmp_path / f"{k}.png").write_text("text")
    with pytest.raises(UserError, match=r"0\.png: is not a picture"):
        load(Data("folder", folder=tmp_path))


def test_black_is_ink_as_far_as_it_is_opaque(tmp_path: Path) -> None:
    levels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    for name in ("a.png", "b.png", "c.png"):
        Image.merge("LA", (Image.new("L", (16, 16)), Image.fromarray(levels))).save(tmp_path / name)
    (image,) = load(Data("folder", folder=tmp_path, size=16), "test").pixels
    assert np.array_equal(image[0], levels)
