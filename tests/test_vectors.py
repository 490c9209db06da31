"""SVG files that are made to do harm."""

import gzip
from base64 import b64encode
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from urllib.parse import quote

import pytest
from PIL import Image

from limner import vectors
from limner.errors import UserError
from limner.masks import read_mask

SVG = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:x="http://www.w3.org/1999/xlink" viewBox="0 0 8 8">{}</svg>'
CORNER = '<rect width="1" height="1"/>'
IMAGE = '<image {}="{}" x="4" y="4" width="4" height="4"/>'


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A picture that nobody names but an SVG."""
    Image.new("L", (4, 4), 255).save(tmp_path / "secret.png")
    return tmp_path / "secret.png"


def written(folder: Path, content: str) -> Path:
    (folder / "mask.svg").write_text(content)
    return folder / "mask.svg"


@pytest.mark.parametrize("attribute", ["href", "x:href"])
@pytest.mark.parametrize("link", ["{path}", "file://{path}", "{path.name}", "&h;", " data:", "#a", "http://a/b.png"])
def test_no_other_file_is_read(secret: Path, attribute: str, link: str) -> None:
    told = f'<!DOCTYPE svg [<!ENTITY h "{secret}">]>'
    path = written(secret.parent, told + SVG.format(CORNER + IMAGE.format(attribute, link.format(path=secret))))
    with pytest.raises(UserError, match=r"mask\.svg: shows another file, .*, which is not read: embed it"):
        read_mask(path, 16)


def test_nor_by_a_filter(secret: Path) -> None:
    shown = f'<filter id="f"><feImage href="{secret}"/></filter><rect width="8" height="8" filter="url(#f)"/>'
    with pytest.raises(UserError, match="shows another file"):
        read_mask(written(secret.parent, SVG.format(shown)), 16)


def test_nor_by_an_svg_in_an_svg(secret: Path) -> None:
    inner = SVG.format(CORNER + IMAGE.format("href", secret))
    path = written(secret.parent, SVG.format(CORNER + IMAGE.format("href", "data:image/svg+xml," + quote(inner))))
    assert not read_mask(path, 16)[12:, 12:].any()


def test_what_is_embedded_is_shown(tmp_path: Path) -> None:
    file = BytesIO()
    Image.new("L", (4, 4), 255).save(file, "PNG")
    link = "data:image/png;base64," + b64encode(file.getvalue()).decode()
    assert read_mask(written(tmp_path, SVG.format(CORNER + IMAGE.format("x:href", link))), 16)[12:, 12:].all()


@pytest.mark.parametrize("depth", [vectors.DEEPEST, 200_000])
def test_one_that_nests_too_deeply(depth: int, tmp_path: Path) -> None:
    """What draws it would crash."""
    assert read_mask(written(tmp_path, SVG.format("<g>" * 190 + CORNER + "</g>" * 190)), 16).any()
    path = written(tmp_path, SVG.format("<g>" * depth + CORNER + "</g>" * depth))
    with pytest.raises(UserError, match=r"mask\.svg: is not an SVG that can be drawn \(it nests too deeply\)"):
        read_mask(path, 16)


def test_what_is_deep_otherwise_does_not_crash_what_draws_it(tmp_path: Path) -> None:
    uses = "".join(f'<g id="u{k + 1}"><use href="#u{k}"/></g>' for k in range(180))
    used = SVG.format(f'<defs><rect id="u0" width="8" height="8"/>{uses}</defs><use href="#u180"/>')
    assert read_mask(written(tmp_path, used), 16).all()
    inner = quote(SVG.format("<g>" * 400 + '<rect width="8" height="8"/>' + "</g>" * 400))
    path = written(tmp_path, SVG.format(IMAGE.format("href", f"data:image/svg+xml,{inner}")))
    assert read_mask(path, 16)[12:, 12:].all()


def test_compressed_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "mask.svgz"
    path.write_bytes(gzip.compress(SVG.format('<rect width="8" height="4"/>').encode()))
    assert read_mask(path, 16).mean() == 0.5
    monkeypatch.setattr(vectors, "MOST", 100)
    path.write_bytes(gzip.compress(SVG.format(" " * 100_000).encode()))
    with pytest.raises(UserError, match=r"mask\.svgz: is an SVG of more than 0 MiB: simplify it"):
        read_mask(path, 16)
    path.write_bytes(vectors.GZIP + b"nothing")
    with pytest.raises(UserError, match=r"mask\.svgz: is not an SVG that can be drawn"):
        read_mask(path, 16)


@pytest.mark.parametrize("link", ["data:/../secret.png", "data:/../secret.png#,"])
def test_nor_one_in_a_folder_called_as_if_it_were_embedded(
    secret: Path, link: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with suppress(OSError):  # Windows has no such folder, and needs none
        (secret.parent / "data:").mkdir()
    monkeypatch.chdir(secret.parent)
    with pytest.raises(UserError, match="shows another file"):
        read_mask(written(secret.parent, SVG.format(CORNER + IMAGE.format("href", link))), 16)


@pytest.mark.parametrize("begin", ["\n  data:", "DATA:"])
def test_what_is_embedded_may_begin_on_another_line_or_in_capitals(tmp_path: Path, begin: str) -> None:
    file = BytesIO()
    Image.new("L", (4, 4), 255).save(file, "PNG")
    link = f"{begin}image/png;base64," + b64encode(file.getvalue()).decode()
    assert read_mask(written(tmp_path, SVG.format(CORNER + IMAGE.format("href", link))), 16)[12:, 12:].all()


def test_a_picture_that_names_nothing_shows_nothing(tmp_path: Path) -> None:
    assert not read_mask(written(tmp_path, SVG.format(CORNER + IMAGE.format("href", ""))), 16)[12:, 12:].any()


@pytest.mark.parametrize("encoding", ["Shift_JIS", "GB2312", "UTF-16", "US-ASCII", "utf8", "nonsense"])
def test_what_is_utf_8_may_say_that_it_is_not(tmp_path: Path, encoding: str) -> None:
    head = f'\n<?xml version="1.0" encoding="{encoding}"?>'
    path = tmp_path / "mask.svg"
    path.write_text(head + SVG.format("<title>\N{LATIN SMALL LETTER E WITH ACUTE}</title>" + CORNER), "utf-8")
    assert read_mask(path, 16)[:2, :2].all()


def test_an_encoding_that_cannot_be_read_is_told_in_a_line(tmp_path: Path) -> None:
    path = tmp_path / "mask.svg"
    path.write_bytes(
        b'<?xml version="1.0" encoding="Shift_JIS"?>' + SVG.format("<title>\u6f22</title>").encode("cp932")
    )
    with pytest.raises(UserError, match=r"mask\.svg: is not an SVG that can be drawn \(multi-byte"):
        read_mask(path, 16)
