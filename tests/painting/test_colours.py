from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from limner.errors import UserError
from limner.painting.colours import colour, inks, palette, read_palette
from limner.strokes import Strokes


@pytest.mark.parametrize("text", ["#ff8000", "ff8000", "#FF8000 "])
def test_hex(text: str) -> None:
    assert (colour(text) * 255).tolist() == [255, 128, 0]


def test_short_hex_and_names() -> None:
    assert torch.equal(colour("#f80"), colour("#ff8800"))
    assert torch.equal(colour("White"), torch.ones(3))


@pytest.mark.parametrize("text", ["", "#", "#ff", "#ff80000", "#gggggg", "nocolour", "rgb(1,2,3)", "#ff800080"])
def test_no_colours(text: str) -> None:
    with pytest.raises(UserError, match="is no colour"):
        colour(text)


NOTES = "# two\n#\nred\n#\tof\n  # them\nblue"
GIMP = "GIMP Palette\nName: Two\nColumns: 2\n# note\n255 0 0\tred\n  0   0 255 blue\n"


@pytest.mark.parametrize(
    "text",
    ["#ff0000\n\n; note\n#0000ff\n#f00\n", NOTES, "\ufeffred\r\nblue\r\n", GIMP],
)
def test_files_of_colours(tmp_path: Path, text: str) -> None:
    path = tmp_path / "two.txt"
    path.write_text(text, encoding="utf-8")
    assert read_palette(path).tolist() == [[1, 0, 0], [0, 0, 1]]


def test_colours_of_a_picture(tmp_path: Path) -> None:
    image = Image.new("RGBA", (4, 1), (255, 0, 0, 255))
    image.putpixel((1, 0), (0, 0, 255, 255))
    image.putpixel((2, 0), (0, 255, 0, 0))
    image.save(tmp_path / "two.png")
    assert sorted(read_palette(tmp_path / "two.png").tolist()) == [[0, 0, 1], [1, 0, 0]]
    Image.new("L", (2, 2), 255).save(tmp_path / "gray.png")
    assert read_palette(tmp_path / "gray.png").tolist() == [[1, 1, 1]]
    levels = np.random.default_rng(0).choice(np.array([3, 90, 255], np.uint8), (20, 9, 3))
    Image.fromarray(levels).save(tmp_path / "many.png")
    wanted = sorted({tuple(colour) for colour in levels.reshape(-1, 3).tolist()})
    assert (read_palette(tmp_path / "many.png") * 255).round().int().tolist() == [list(each) for each in wanted]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"\n;\n", "holds no colours"),
        (b"#ff0000\n#mauve\n", "line 2: .#mauve. is no colour"),
        (b"#ff0000\nmauvish\n", r"line 2: .mauvish. is no colour"),
        (b"GIMP Palette\n1 2\n", "line 2"),
        (b"GIMP Palette\n1 2 256\n", "line 2"),
        (b"GIMP Palette\n1 2 3x\n", "line 2"),
        (b"GIMP Palette\n" + 5000 * b"1" + b" 2 3\n", "line 2"),
        (b"\xff\xfe\x00", "is no text"),
        ("\n".join(f"#{k:06x}" for k in range(257)).encode(), "257 colours"),
    ],
)
def test_faults_name_file_and_line(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "colours.txt"
    path.write_bytes(content)
    with pytest.raises(UserError, match=rf"colours\.txt.*{words}"):
        read_palette(path)


def test_one_colour_is_a_palette_unless_it_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert torch.equal(as_tensor(palette("red")), torch.tensor([[1.0, 0, 0]]))
    assert torch.equal(as_tensor(inks("#00f")), torch.tensor([[0, 0, 1.0]]))
    with pytest.raises(UserError, match="redd"):
        inks(["redd", (0, 0.5, 1)])
    assert torch.equal(as_tensor(inks(["red", (0, 0.5, 1), "#00f"])), torch.tensor([[1, 0, 0], [0, 0.5, 1], [0, 0, 1]]))
    monkeypatch.chdir(tmp_path)
    Path("red").write_text("white\nblue\n")
    assert as_tensor(palette("red")).tolist() == [[1, 1, 1], [0, 0, 1]]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("red,blue", ["#ff0000", "#0000ff"]),
        ("#fff, navy,123456", ["#ffffff", "#000080", "#123456"]),
        ("112233", ["#112233"]),
        ("100e10", ["#100e10"]),
    ],
)
def test_colours_with_commas_between_them(text: str, wanted: list[str]) -> None:
    found = (as_tensor(palette(text)) * 255).round().int().tolist()
    assert ["#{:02x}{:02x}{:02x}".format(*each) for each in found] == wanted


def test_a_list_with_a_word_that_is_no_colour(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match='"nave" is no colour'):
        palette("red,nave")
    monkeypatch.chdir(tmp_path)
    Path("red,nave").write_text("white\n")
    assert as_tensor(palette("red,nave")).tolist() == [[1, 1, 1]]


def test_colours_that_suit_another_picture(tmp_path: Path) -> None:
    wall = np.zeros((40, 40, 3), np.uint8)
    wall[:20], wall[20:, :20], wall[20:, 20:] = (250, 0, 0), (0, 0, 200), (4, 0, 210)
    Image.fromarray(wall).save(tmp_path / "wall.png")
    two = (as_tensor(palette(f"2:{tmp_path / 'wall.png'}")) * 255).round().tolist()
    assert sorted(two) == [[2, 0, 205], [250, 0, 0]]
    with pytest.raises(UserError, match="palette of 0 colours"):
        palette(f"0:{tmp_path / 'wall.png'}")
    with pytest.raises(UserError, match="none"):
        palette("3:none.png")
    noise = np.random.default_rng(0).integers(0, 256, (40, 40, 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / "noise.png")
    with pytest.raises(UserError, match=r"expected at most 256: 8:.*noise\.png takes the 8"):
        palette(str(tmp_path / "noise.png"))


def test_colours_of_strokes(tmp_path: Path) -> None:
    what = torch.tensor([[[0.25, 0.5, 1], [1, 0, 0], [0.25, 0.5, 1]]])
    Strokes(torch.eye(2, 3).expand(1, 3, 2, 3), torch.ones(1, 3, 1), what).save(tmp_path / "poster.json")
    assert as_tensor(palette(str(tmp_path / "poster.json"))).tolist() == [[0.25, 0.5, 1], [1, 0, 0]]
    gray = Strokes(torch.eye(2, 3).expand(1, 3, 2, 3), torch.ones(1, 3, 1), what[..., :1])
    gray.save(tmp_path / "gray.json")
    assert as_tensor(palette(str(tmp_path / "gray.json"))).tolist() == [[0.25] * 3, [1, 1, 1]]


def test_numbers_out_of_range_are_told_from_shapes() -> None:
    with pytest.raises(UserError, match="palette: holds values from 0 to 255: expected numbers from 0 to 1"):
        inks(np.array([[255, 0, 0], [0, 0, 0]]))
    with pytest.raises(UserError, match=r"palette: a tensor of shape \(2, 2\): expected \(colour, 3\)"):
        inks([[0.5, 0.5], [0, 0]])


def as_tensor(palette: int | Tensor) -> Tensor:
    assert isinstance(palette, Tensor)
    return palette


def test_palette_is_a_number_or_a_file(tmp_path: Path) -> None:
    assert palette("12") == 12
    for text in ("0", "-3", "257", "2.5", "inf", "nan", "9" * 400):
        with pytest.raises(UserError, match="expected a whole number from 1 to 256"):
            palette(text)
    with pytest.raises(UserError, match="no such file"):
        palette(str(tmp_path / "none.gpl"))
