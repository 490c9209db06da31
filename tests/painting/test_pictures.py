import io
import struct
import subprocess
import sys
import zlib
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from limner.errors import UserError
from limner.painting.pictures import Picture, fitted, picture_files, read_picture, resized

SAMPLE = Path(__file__).parents[1] / "sample"
GRAY = np.arange(12, dtype=np.uint8).reshape(3, 4) * 20
COLOUR = np.stack([GRAY, GRAY[::-1], GRAY[:, ::-1]], -1)
ALPHA = np.where(GRAY > 100, 255, GRAY).astype(np.uint8)
DEEP = np.arange(12, dtype=np.uint16).reshape(3, 4) * 5957


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def planes(array: np.ndarray, depth: int = 255) -> torch.Tensor:
    return torch.from_numpy(np.moveaxis(np.atleast_3d(array.astype(np.float32)), -1, 0) / np.float32(depth))


def rgba() -> Image.Image:
    return Image.fromarray(np.dstack([COLOUR, ALPHA]))


@pytest.mark.parametrize(
    ("content", "pixels"),
    [
        (encoded(Image.fromarray(GRAY)), planes(GRAY)),
        (encoded(Image.fromarray(COLOUR)), planes(COLOUR)),
        (encoded(Image.fromarray(COLOUR), "BMP"), planes(COLOUR)),
        (encoded(Image.fromarray(COLOUR), "WEBP", lossless=True), planes(COLOUR)),
        (encoded(Image.fromarray(COLOUR).quantize(16)), planes(COLOUR)),
        (encoded(Image.fromarray(DEEP)), planes(DEEP, 65535)),
        (encoded(Image.fromarray(DEEP), "TIFF"), planes(DEEP, 65535)),
        (encoded(Image.fromarray(DEEP.astype(np.int32)), "TIFF"), planes(DEEP, 65535)),
        (encoded(Image.fromarray(GRAY / np.float32(255)), "TIFF"), planes(GRAY)),
        (encoded(Image.fromarray(GRAY.astype(np.float32)), "TIFF"), planes(GRAY)),
        (encoded(Image.fromarray(GRAY > 100)), planes(GRAY > 100, 1)),
        (encoded(Image.fromarray(GRAY), "GIF"), planes(GRAY)),
        (encoded(Image.fromarray(COLOUR).convert("CMYK"), "TIFF"), planes(COLOUR)),
    ],
    ids=[
        "gray",
        "rgb",
        "bmp",
        "webp",
        "palette",
        "deep png",
        "deep tiff",
        "int",
        "float",
        "255",
        "bit",
        "gray gif",
        "cmyk",
    ],
)
def test_modes(content: bytes, pixels: torch.Tensor) -> None:
    picture = read_picture(content)
    assert picture.alpha is None
    assert torch.equal(picture.pixels, pixels)


@pytest.mark.parametrize(
    ("content", "alpha", "channels"),
    [
        (encoded(rgba()), ALPHA, 3),
        (encoded(Image.merge("LA", (Image.fromarray(GRAY), Image.fromarray(ALPHA)))), ALPHA, 1),
        (encoded(Image.fromarray(GRAY), transparency=40), np.where(GRAY == 40, 0, 255), 1),
        (encoded(Image.fromarray(COLOUR), transparency=(40, 200, 20)), np.where(GRAY == 40, 0, 255), 3),
        (encoded(Image.fromarray(DEEP), transparency=5957), np.where(GRAY == 20, 0, 255), 1),
        (encoded(rgba().quantize(32)), ALPHA, 3),
    ],
    ids=["rgba", "la", "gray key", "rgb key", "deep key", "palette"],
)
def test_alpha(content: bytes, alpha: np.ndarray, channels: int) -> None:
    picture = read_picture(content)
    assert picture.alpha is not None
    assert torch.equal(picture.alpha, planes(alpha)[0])
    assert picture.pixels.shape == (channels, 3, 4)


def test_alpha_that_hides_nothing_is_none() -> None:
    assert read_picture(encoded(Image.fromarray(COLOUR).convert("RGBA"))).alpha is None
    assert read_picture(np.dstack([COLOUR, np.full_like(GRAY, 255)])).alpha is None
    assert read_picture(encoded(Image.fromarray(DEEP), transparency=1)).alpha is None


def test_cmyk_jpeg() -> None:
    flat = Image.new("RGB", (16, 8), (200, 100, 50))
    picture = read_picture(encoded(flat.convert("CMYK"), "JPEG"))
    assert picture.pixels.mean((1, 2)).mul(255).tolist() == pytest.approx([200, 100, 50], abs=3)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation(orientation: int) -> None:
    turn = {3: 2, 6: 3, 8: 1}
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture = read_picture(encoded(Image.fromarray(COLOUR), exif=exif))
    assert picture.size == ((3, 4) if orientation < 5 else (4, 3))
    if orientation in turn:
        assert torch.equal(picture.pixels, planes(np.rot90(COLOUR, turn[orientation]).copy()))


def test_first_frame_of_an_animation() -> None:
    frames = [Image.new("RGB", (4, 3), colour) for colour in ("red", "lime")]
    content = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert read_picture(content).pixels[:, 0, 0].tolist() == [1, 0, 0]


def test_sources_agree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "shore.png"
    path.write_bytes(encoded(Image.fromarray(COLOUR)))
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(path.read_bytes())))
    with path.open("rb") as file:
        sources = [path, str(path), file, Image.open(path), path.read_bytes(), "-", io.BytesIO(path.read_bytes())]
        pictures = [read_picture(source) for source in sources]
    pictures += [read_picture(COLOUR), read_picture(COLOUR.astype(np.uint16) * 257), read_picture(COLOUR / 255)]
    pictures += [read_picture(planes(COLOUR)), read_picture(torch.from_numpy(COLOUR).permute(2, 0, 1)), pictures[0]]
    assert [picture.name for picture in pictures[:6]] == ["shore"] * 4 + ["picture", "stdin"]
    for picture in pictures:
        assert torch.allclose(picture.pixels, planes(COLOUR), atol=1e-7)
        assert picture.pixels.dtype == torch.float32


def test_gray_arrays() -> None:
    tensor = torch.from_numpy(GRAY)
    sources = GRAY, GRAY[..., None], np.ma.masked_array(GRAY), tensor, tensor[None], tensor.to_sparse(), GRAY / 255
    for source in (*sources, GRAY.view(np.matrix), torch._neg_view(tensor / -255)):
        assert torch.allclose(read_picture(source).pixels, planes(GRAY), atol=1e-7)


def test_tensors_of_few_bits() -> None:
    levels = torch.tensor([[0.0, 0.25], [0.5, 1.0]])
    for kind in (torch.float8_e4m3fn, torch.float16, torch.bfloat16, torch.float64):
        assert torch.equal(read_picture(levels.to(kind)).pixels[0], levels)


def huge_png() -> bytes:
    """A few bytes that claim to be 20000 x 20000 pixels."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", 20000, 20000, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"just text", "not a picture"),
        (encoded(rgba())[:60], "damaged or cut short"),
        (encoded(Image.fromarray(COLOUR), "JPEG")[:-40], "damaged or cut short"),
        (huge_png(), "limit"),
        (encoded(Image.fromarray(DEEP.astype(np.int32) * 1000), "TIFF"), "16 bits"),
        (encoded(Image.fromarray(np.full((2, 2), np.nan, np.float32)), "TIFF"), "outside 0 to"),
        (encoded(Image.fromarray(GRAY * np.float32(300)), "TIFF"), "outside 0 to 255"),
        (encoded(Image.fromarray(np.full((2, 2), -0.5, np.float32)), "TIFF"), "outside 0 to 1"),
    ],
    ids=["empty", "text", "cut png", "cut jpeg", "bomb", "32 bits", "nan", "floats", "negative"],
)
def test_files_that_cannot_be_read(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "photo.png"
    path.write_bytes(content)
    with pytest.raises(UserError, match=rf"photo\.png: .*{words}"):
        read_picture(path)
    with pytest.raises(UserError, match=words):
        read_picture(content)


def test_a_picture_just_above_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 11)
    with pytest.raises(UserError, match="more than 11 pixels"):
        read_picture(encoded(Image.fromarray(GRAY)))


def test_paths_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"none\.png: no such file"):
        read_picture(tmp_path / "none.png")
    with pytest.raises(UserError, match="is a folder"):
        read_picture(tmp_path)
    (tmp_path / "a.txt").write_text("a")
    with (tmp_path / "a.txt").open() as text, pytest.raises(UserError, match=r"a\.txt: is open as text"):
        read_picture(text)  # pyright: ignore[reportArgumentType]
    with pytest.raises(UserError, match="SVG cannot be read as a picture"):
        read_picture(tmp_path / "logo.svg")
    with pytest.raises(UserError, match="cannot be read: embedded null byte"):
        read_picture("a\0b")
    (tmp_path / "a.png").write_bytes(encoded(Image.fromarray(COLOUR)))
    with (tmp_path / "a.png").open("rb") as closed:
        pass
    with pytest.raises(UserError, match=r"a\.png: cannot be read: .*closed file"):
        read_picture(closed)
    with Image.open(tmp_path / "a.png") as image:
        pass
    with pytest.raises(UserError, match=r"a: is damaged or cut short \(\w+"):
        read_picture(image)


def test_floats_may_be_rounded() -> None:
    for values in ([[0, 0.5], [1, 1.000001]], [[-1e-7, 0.5], [1, 1]]):
        array = np.array(values, np.float32)
        expected = torch.tensor([[[0, 0.5], [1, 1]]])
        for source in (array, Image.fromarray(array), encoded(Image.fromarray(array), "TIFF")):
            assert torch.equal(read_picture(source).pixels, expected)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (np.full((2, 2), np.nan), "not finite"),
        (np.full((2, 2), 255.0), "from 255 to 255"),
        (np.zeros((2, 2, 2), np.uint8), r"shape \(2, 2, 2\)"),
        (np.zeros((1, 2, 2, 3), np.uint8), "shape"),
        (np.zeros((0, 2, 3), np.uint8), "no pixels"),
        (np.zeros((2, 2), np.int64), "int64"),
        (torch.zeros(2, 5, 7), r"tensor of shape \(2, 5, 7\)"),
        (torch.zeros(3, 0, 7), "no pixels"),
        (torch.full((2, 2), torch.inf), "not finite"),
        (torch.zeros(2, 2, device="meta"), "no values"),
        (np.ma.masked_greater(np.full((2, 2), 0.5), 0.4), "are masked"),
    ],
)
def test_arrays_that_are_no_picture(source: np.ndarray | torch.Tensor, words: str) -> None:
    with pytest.raises(UserError, match=words):
        read_picture(source)


def test_a_batch_of_one_is_a_picture() -> None:
    picture = torch.rand(3, 5, 7)
    assert torch.equal(read_picture(picture[None]).pixels, picture)
    for batch in (picture[:, None], picture.expand(2, -1, -1, -1), picture[None, None]):
        with pytest.raises(UserError, match="tensor of shape"):
            read_picture(batch)


def test_picture_files(tmp_path: Path) -> None:
    for name in ("b.png", "a.JPG", "notes.txt", ".hidden.png"):
        (tmp_path / name).touch()
    (tmp_path / "folder.png").mkdir()
    assert [path.name for path in picture_files(tmp_path)] == ["a.JPG", "b.png"]
    assert picture_files(["-", tmp_path / "notes.txt"]) == [Path("-"), tmp_path / "notes.txt"]
    with pytest.raises(UserError, match="no pictures"):
        picture_files(tmp_path / "folder.png")
    with pytest.raises(UserError, match="no such"):
        picture_files([tmp_path / "none.png"])


@pytest.mark.parametrize("side", [300, 256, 200, 150, 67])
def test_resized_keeps_everything_in_its_place(side: int) -> None:
    across = torch.linspace(0.1, 0.9, 300).expand(3, 200, 300)
    small = resized(read_picture(across.contiguous()), side)
    assert small.size == (round(200 * side / 300), side)
    centres = (torch.arange(side) + 0.5) * 300 / side
    expected = 0.1 + 0.8 * (centres - 0.5) / 299
    inner = slice(3, -3)
    assert torch.allclose(small.pixels[..., inner], expected[inner], atol=1e-4)


def test_resized_takes_all_pixels_into_account() -> None:
    checks = (torch.arange(120)[:, None] + torch.arange(90)) % 2
    small = resized(read_picture(checks.float().expand(3, -1, -1).contiguous()), 40)
    assert (small.pixels - 0.5).abs().max() < 0.05


def weights(before: int, after: int) -> torch.Tensor:
    """What each of the pixels before adds to each after: the cubic of Keys (1981), widened where it shrinks."""

    def cubic(x: float) -> float:
        x = abs(x)
        if x < 1:
            return 1.5 * x**3 - 2.5 * x**2 + 1
        return -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2 if x < 2 else 0.0

    ratio = before / after
    wide = max(1.0, ratio)
    rows = [[cubic((k + 0.5 - (j + 0.5) * ratio) / wide) for k in range(before)] for j in range(after)]
    found = torch.tensor(rows, dtype=torch.float64)
    return found / found.sum(1, keepdim=True)


@pytest.mark.parametrize("size", [(20, 30), (15, 25), (7, 11), (50, 45), (13, 60), (1, 1)])
@pytest.mark.parametrize("see_through", [False, True])
def test_fitted_is_bicubic_with_alpha_premultiplied(size: tuple[int, int], see_through: bool) -> None:
    pixels, alpha = torch.rand(3, 40, 30), torch.rand(40, 30).round()
    found = fitted(Picture(pixels, alpha if see_through else None, "noise"), size)
    down, across = weights(40, size[0]), weights(30, size[1]).mT

    def filtered(planes: torch.Tensor) -> torch.Tensor:
        return (down @ planes.double() @ across).clamp(0, 1)

    if not see_through:
        assert torch.allclose(found.pixels.double(), filtered(pixels), atol=1e-5)
        return
    assert found.alpha is not None
    assert torch.allclose(found.alpha.double(), filtered(alpha), atol=1e-5)
    assert torch.allclose(
        (found.pixels * found.alpha).double(), filtered(pixels * alpha).minimum(filtered(alpha)), atol=1e-5
    )


def test_resized_only_shrinks() -> None:
    picture = read_picture(torch.rand(3, 8, 12))
    assert resized(picture, 12) is picture
    assert resized(picture, 500) is picture
    assert resized(read_picture(torch.rand(3, 1, 300)), 6).size == (1, 6)


def test_resized_keeps_hidden_colours_hidden() -> None:
    pixels, alpha = torch.zeros(3, 4, 4), torch.zeros(4, 4)
    pixels[0, :, :1], pixels[1, :, 1:] = 1, 1
    alpha[:, :1] = 1
    small = resized(Picture(pixels, alpha, "edge"), 2)
    assert small.alpha is not None
    assert 0.4 < small.alpha[:, 0].min() <= small.alpha[:, 0].max() < 0.6
    assert small.alpha[:, 1].max() < 0.05
    assert torch.allclose(small.pixels[:, 0, 0], torch.tensor([1.0, 0, 0]), atol=1e-6)
    assert torch.allclose(small.pixels[:, small.alpha > 0], torch.tensor([[1.0], [0], [0]]), atol=1e-5)


@pytest.mark.parametrize("size", [(3, 5), (20, 30), (8, 2), (20, 3)])
def test_fitted_has_the_size_asked_for(size: tuple[int, int]) -> None:
    picture = Picture(torch.full((1, 8, 12), 0.25), torch.full((8, 12), 0.5), "flat")
    result = fitted(picture, size)
    assert result.size == size
    assert torch.allclose(result.pixels, torch.tensor(0.25), atol=1e-5)
    assert result.alpha is not None
    assert torch.allclose(result.alpha, torch.tensor(0.5), atol=1e-5)


def test_what_phones_take_is_read(tmp_path: Path) -> None:
    turned = read_picture(SAMPLE / "turned.heic")
    assert (turned.size, turned.alpha) == ((64, 96), None)
    photo = read_picture(Image.open(SAMPLE.parents[1] / "examples/photo.jpg").resize((96, 64)))
    assert (turned.pixels - photo.pixels).abs().mean() < 0.02
    clear = read_picture((SAMPLE / "clear.heic").read_bytes())
    assert clear.size == (48, 64)
    assert clear.alpha is not None
    assert (clear.alpha[:, :30] < 0.02).all()
    assert (clear.alpha[:, 34:] > 0.98).all()
    (tmp_path / "short.heic").write_bytes((SAMPLE / "turned.heic").read_bytes()[:2000])
    with pytest.raises(UserError, match=r"short\.heic: is damaged or cut short"):
        read_picture(tmp_path / "short.heic")
    (tmp_path / "film.heic").write_bytes(b"\0\0\0\x18ftypisom" + bytes(12))
    with pytest.raises(UserError, match=r"film\.heic: is not a picture of a known format"):
        read_picture(tmp_path / "film.heic")


def test_avif_with_the_mark_of_heic_is_read(tmp_path: Path) -> None:
    """In a process of its own, since Pillow knows all its formats once it has met one that it does not know."""
    avif = encoded(Image.fromarray(COLOUR).resize((64, 48)), "AVIF")
    (tmp_path / "a.avif").write_bytes(avif[:8] + b"mif1" + avif[12:])
    code = "import sys; from limner.painting.pictures import read_picture as read; print(read(sys.argv[1]).size)"
    done = subprocess.run([sys.executable, "-c", code, tmp_path / "a.avif"], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("(48, 64)\n", "")


def test_patterns_are_for_shells_that_leave_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("b.png", "a.png", "c.jpg", "a[1].png", "a1.png", "deep/d.png"):
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).touch()
    found = [str(file) for file in picture_files(["?.png", "c*", "*/*.png", "a[1].png", "a[1].p*"])]
    assert found == ["a.png", "b.png", "c.jpg", str(Path("deep/d.png")), "a[1].png", "a[1].png"]
    for name in ("x*.png", "b[1].png"):
        with pytest.raises(UserError, match="no such file"):
            picture_files(name)
    for name in ("x*.png", "xy.png"):
        Path(name).touch()
    assert picture_files("x*.png") == [Path("x*.png")]
