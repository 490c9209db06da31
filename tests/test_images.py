"""Colour profiles: what is read is what the profile shows, in sRGB."""

import os
import struct
from io import BytesIO
from pathlib import Path
from unittest.mock import Mock
from zlib import crc32

import numpy as np
import pytest
from PIL import Image, ImageCms

from limner import hdr
from limner.errors import UserError
from limner.images import open_image, to_values

WHITE = (0.9642, 1.0, 0.8249)
SRGB = ((0.43607, 0.22249, 0.01392), (0.38515, 0.71687, 0.09708), (0.14307, 0.06061, 0.71410))
DISPLAY_P3 = ((0.51512, 0.24120, -0.00105), (0.29198, 0.69225, 0.04189), (0.15710, 0.06657, 0.78407))
"""XYZ of red, green and blue, adapted to the white of profiles."""
COLOURS = np.random.default_rng(0).integers(60, 190, (8, 9, 3), np.uint8)


def icc(kind: bytes, tags: dict[bytes, bytes]) -> bytes:
    """A profile by the specification of the International Color Consortium, version 2."""
    table, body, start = struct.pack(">I", len(tags)), b"", 132 + 12 * len(tags)
    for tag, content in tags.items():
        table += tag + struct.pack(">II", start + len(body), len(content))
        body += content + bytes(-len(content) % 4)
    head = struct.pack(">I4x4s", start + len(body), b"\x02\x40") + kind + bytes(12) + b"acsp" + bytes(28)
    return (head + fixed(WHITE)).ljust(128, b"\0") + table + body


def fixed(numbers: tuple[float, ...]) -> bytes:
    return struct.pack(f">{len(numbers)}i", *(round(number * 65536) for number in numbers))


def power(gamma: float) -> bytes:
    return b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256))


def table(values: np.ndarray) -> bytes:
    return b"curv" + struct.pack(f">4xI{len(values)}H", len(values), *(values * 65535).round().astype(int))


def rgb_profile(primaries: tuple[tuple[float, ...], ...], curve: bytes) -> bytes:
    tags = {b"wtpt": b"XYZ " + bytes(4) + fixed(WHITE)}
    for band, primary in zip((b"r", b"g", b"b"), primaries, strict=True):
        tags |= {band + b"XYZ": b"XYZ " + bytes(4) + fixed(primary), band + b"TRC": curve}
    return icc(b"mntrRGB XYZ ", tags)


def gray_profile(gamma: float) -> bytes:
    return icc(b"mntrGRAYXYZ ", {b"wtpt": b"XYZ " + bytes(4) + fixed(WHITE), b"kTRC": power(gamma)})


def black_ink_profile() -> bytes:
    """Of a printer whose only ink that shows is black."""
    ramp = bytes(range(256))
    nodes = b"".join(bytes([0 if k % 2 else 255, 128, 128]) for k in range(16))
    table = b"mft1" + bytes(4) + bytes([4, 3, 2, 0]) + fixed((1, 0, 0, 0, 1, 0, 0, 0, 1)) + ramp * 4 + nodes + ramp * 3
    return icc(b"prtrCMYKLab ", {b"wtpt": b"XYZ " + bytes(4) + fixed(WHITE), b"A2B0": table})


def encoded(linear: np.ndarray) -> np.ndarray:
    """sRGB values of linear light."""
    linear = linear.clip(0, 1)
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


def in_pq(srgb: np.ndarray) -> np.ndarray:
    """The codes of sRGB colours, white at 203 candelas a square metre, in light of BT.2020 by SMPTE ST 2084."""
    linear = np.where(srgb <= 10, srgb / 255 / 12.92, ((srgb / 255 + 0.055) / 1.055) ** 2.4)
    wide = linear @ np.array([[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]]).T
    power = (wide * 203 / 10_000) ** (2610 / 16384)
    return (
        (255 * ((3424 / 4096 + 2413 / 128 * power) / (1 + 2392 / 128 * power)) ** (2523 / 32)).round().astype(np.uint8)
    )


def read(image: Image.Image, profile: bytes | None, kind: str = "PNG") -> tuple[np.ndarray, np.ndarray | None]:
    file = BytesIO()
    image.save(file, kind, icc_profile=profile)
    return to_values(open_image(file.getvalue(), "photo"), "photo")


def test_display_p3_is_converted() -> None:
    values, alpha = read(Image.fromarray(COLOURS), rgb_profile(DISPLAY_P3, power(2.2)))
    light = (COLOURS / 255) ** 2.2 @ np.array(DISPLAY_P3) @ np.linalg.inv(SRGB)
    assert alpha is None
    assert abs(values - encoded(light)).max() < 1.5 / 255
    assert abs(values - COLOURS / 255).max() > 8 / 255


def test_alpha_and_palettes_are_kept() -> None:
    profile = rgb_profile(DISPLAY_P3, power(2.2))
    values, _ = read(Image.fromarray(COLOURS), profile)
    cover = np.arange(72, dtype=np.uint8).reshape(8, 9)
    veiled, alpha = read(Image.fromarray(np.dstack([COLOURS, cover])), profile)
    assert alpha is not None
    assert np.array_equal(alpha * 255, cover)
    assert np.array_equal(veiled, values)
    indexed, _ = read(Image.fromarray(COLOURS).quantize(72), profile)
    assert np.array_equal(indexed, values)


@pytest.mark.parametrize("mode", ["L", "LA"])
def test_gray_stays_gray(mode: str) -> None:
    ramp = Image.linear_gradient("L")
    values, _ = read(ramp.convert(mode), gray_profile(1.75))
    assert values.shape == (256, 256, 1)
    assert abs(values[..., 0] - encoded((np.asarray(ramp) / 255) ** 1.75)).max() < 2 / 255


@pytest.mark.parametrize("mode", ["L", "P"])
def test_gray_by_a_profile_of_colours(mode: str) -> None:
    ramp = Image.linear_gradient("L")
    values, _ = read(ramp.convert(mode), rgb_profile(SRGB, power(1.75)))
    assert values.shape == (256, 256, 1)
    assert abs(values[..., 0] - encoded((np.asarray(ramp) / 255) ** 1.75)).max() < 2 / 255


def test_inks_are_those_of_the_profile() -> None:
    sheet = Image.new("CMYK", (8, 8), (255, 0, 90, 0))
    sheet.paste((0, 0, 0, 255), (0, 0, 8, 4))
    values, _ = read(sheet, black_ink_profile(), "TIFF")
    assert values[:4].max() < 0.02
    assert values[4:].min() > 0.98


SHADES = np.linspace(0, 1, 1024)
LIGHT = np.where(SHADES <= 0.04045, SHADES / 12.92, ((SHADES + 0.055) / 1.055) ** 2.4)
"""Of sRGB values."""
SAME = {
    "none": None,
    "own": ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(),
    "rounded": rgb_profile(SRGB, table(LIGHT)),
    "damaged": rgb_profile(DISPLAY_P3, power(2.2))[:200],
    "text": b"no profile at all",
    "of gray": gray_profile(1.0),
    "of inks": black_ink_profile(),
}


@pytest.mark.parametrize("profile", SAME.values(), ids=SAME)
def test_other_pictures_are_taken_as_they_are(profile: bytes | None) -> None:
    values, _ = read(Image.fromarray(COLOURS), profile)
    assert np.array_equal(values, COLOURS.astype(np.float32) / 255)


def test_deep_pictures_are_taken_as_they_are(tmp_path: Path) -> None:
    deep = COLOURS[..., 0].astype(np.uint16) * 257
    values, _ = read(Image.fromarray(deep), gray_profile(1.0))
    assert np.array_equal(values[..., 0], (deep / 65535).astype(np.float32))


def test_a_palette_of_yellows_has_colours() -> None:
    image = Image.new("P", (2, 1))
    image.putpalette([200, 200, 0, 90, 90, 90])
    image.putpixel((1, 0), 1)
    values, _ = read(image, None)
    assert (values * 255).round().astype(int).tolist() == [[[200, 200, 0], [90, 90, 90]]]


def iptc(content: bytes) -> bytes:
    """A picture of another kind in a file of IPTC."""
    fields = {(3, 20): bytes([0, 9]), (3, 30): bytes([0, 9]), (3, 60): bytes([1, 0]), (3, 120): bytes([0, 5])}
    fields |= {(8, 10): content}
    return b"".join(b"\x1c" + bytes(tag) + struct.pack(">H", len(part)) + part for tag, part in fields.items())


@pytest.mark.skipif(os.name != "posix", reason="programs are found by another rule")
@pytest.mark.parametrize("wrapped", [bytes, iptc])
def test_no_program_is_run_for_a_picture(wrapped, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("PIL.EpsImagePlugin.gs_binary", None)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    (tmp_path / "gs").write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\nexit 1\n")
    (tmp_path / "gs").chmod(0o755)
    (tmp_path / "photo.png").write_bytes(wrapped(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n"))
    with pytest.raises(UserError, match=r"photo\.png: is (EPS|IPTC), which needs another program to be run"):
        open_image(tmp_path / "photo.png", "photo.png")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("name", ["a.nef", "a.CR3"])
def test_raw_files_are_told_of_by_their_names(name: str, tmp_path: Path) -> None:
    Image.fromarray(COLOURS).save(tmp_path / name, "TIFF")
    with pytest.raises(UserError, match=rf"{name}: is a RAW file of a camera, .* export it as JPEG, PNG or TIFF$"):
        open_image(tmp_path / name, name)


def test_the_preview_of_a_raw_file_is_no_picture() -> None:
    file = BytesIO()
    Image.fromarray(COLOURS).save(file, "TIFF", tiffinfo={254: 1})
    with pytest.raises(UserError, match="standard input: is a RAW file of a camera"):
        open_image(file.getvalue(), "standard input")


def test_kinds_of_tiff_that_are_not_read_are_told_of() -> None:
    floats = struct.pack("<4s I H", b"II*\0", 8, 5) + b"".join(
        struct.pack("<HHII", *entry)
        for entry in ((256, 4, 1, 1), (257, 4, 1, 1), (258, 3, 1, 32), (277, 3, 1, 3), (339, 3, 1, 3))
    )
    with pytest.raises(UserError, match=r"^photo\.tif: is a TIFF .* of a kind that is not read: make it a PNG$"):
        open_image(floats + bytes(4), "photo.tif")


@pytest.mark.parametrize(("bits", "white"), [(16, 0), (16, 1), (12, 1)])
def test_deep_gray_of_a_tiff_is_as_dark_as_its_tags_say(bits: int, white: int) -> None:
    """Which is how scanners write it."""
    levels = np.array([[0, 1000, 4000, 4095]])
    packed = int("".join(f"{level:012b}" for level in levels[0].tolist()), 2).to_bytes(6, "big")
    pixels = packed if bits == 12 else levels.astype("<u2").tobytes()
    tags = {256: 4, 257: 1, 258: bits, 259: 1, 262: white, 273: 8, 277: 1, 278: 1, 279: len(pixels)}
    table = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    content = struct.pack("<4sI", b"II*\0", 8 + len(pixels)) + pixels + struct.pack("<H", len(tags)) + table + bytes(4)
    values, _ = to_values(open_image(content, "scan"), "scan")
    share = levels / (2**bits - 1)
    assert values[..., 0] == pytest.approx(share if white else 1 - share, abs=1e-4)


@pytest.mark.parametrize("kind", ["PNG", "AVIF"])
def test_high_dynamic_range_is_drawn_together(kind: str) -> None:
    srgb = np.array([[30, 30, 30], [128, 128, 128], [190, 190, 190], [200, 60, 60], [60, 150, 60], [40, 70, 160]])
    file = BytesIO()
    image = Image.fromarray(in_pq(srgb)[None]).resize((96, 16), Image.Resampling.NEAREST)
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    image.save(file, kind, **({"quality": 100, "subsampling": "4:4:4"} if kind == "AVIF" else {}))
    content = file.getvalue()
    if kind == "AVIF":
        signalled = content.replace(b"colrnclx\0\1\0\r", b"colrnclx\0\x09\0\x10")
    else:
        chunk = b"cICP" + bytes([9, 16, 0, 1])
        signalled = content[:33] + struct.pack(">I", 4) + chunk + struct.pack(">I", crc32(chunk)) + content[33:]
    _, stored = to_values(open_image(content, "photo"), "photo")
    values, alpha = to_values(open_image(signalled, "photo"), "photo")
    assert stored is not None
    assert alpha is not None
    assert np.array_equal(alpha, stored)
    assert abs(values[8, 8::16] * 255 - srgb).max() < 6  # of 8 bits in PQ


@pytest.mark.parametrize("mode", ["L", "P"])
def test_gray_of_high_dynamic_range_is_as_light_as_such_colours(mode: str) -> None:
    ramp, found = Image.linear_gradient("L"), []
    for image in (ramp.convert(mode), ramp.convert("RGB")):
        image.info["signal"] = (16, 9)
        found.append(to_values(image, "photo")[0])
    gray, colours = found
    assert gray.shape == (256, 256, 1)
    assert np.array_equal(gray[..., 0], colours[..., 1])
    assert abs(gray[..., 0] - np.asarray(ramp) / 255).max() > 0.1


@pytest.mark.parametrize(("transfer", "primaries"), [(hdr.PQ, hdr.BT2020), (hdr.HLG, hdr.BT2020), (13, hdr.P3)])
def test_large_pictures_are_converted_in_strips(transfer: int, primaries: int, monkeypatch: pytest.MonkeyPatch) -> None:
    codes = np.random.default_rng(0).integers(0, 2**16, (17, 13, 3)).astype(np.uint16)
    whole = hdr.in_srgb(codes, transfer, primaries)
    monkeypatch.setattr(hdr, "_drawn", Mock(side_effect=hdr._drawn))
    for pixels, strips in ((30, 9), (5, 17)):
        monkeypatch.setattr(hdr, "STRIP", pixels)
        hdr._drawn.reset_mock()
        assert np.array_equal(hdr.in_srgb(codes, transfer, primaries), whole)
        assert hdr._drawn.call_count == strips


def test_heic_of_display_p3_is_converted() -> None:
    content = (Path(__file__).parent / "sample/turned.heic").read_bytes()
    values, _ = to_values(open_image(content, "photo"), "photo")
    light = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    signalled = content.replace(b"colrnclx\0\1", b"colrnclx\0\x0c")
    wider, _ = to_values(open_image(signalled, "photo"), "photo")
    assert abs(wider - encoded(light @ np.array(DISPLAY_P3) @ np.linalg.inv(SRGB))).max() < 1.5 / 255
    assert abs(wider - values).max() > 4 / 255


def test_colours_of_which_a_file_says_several_are_taken_as_they_are() -> None:
    """As it does where it holds one picture of high dynamic range, and one for screens that show none."""
    content = (Path(__file__).parent / "sample/turned.heic").read_bytes()
    both = content.replace(b"colrnclx\0\1", b"colrnclx\0\x0c") + struct.pack(">I", 19) + b"free" + b"colrnclx\0\1\0\r\0"
    found, _ = to_values(open_image(both, "photo"), "photo")
    assert np.array_equal(found, to_values(open_image(content, "photo"), "photo")[0])


def test_a_profile_says_more_than_numbers() -> None:
    image, file = Image.linear_gradient("L").convert("RGB").resize((16, 16)), BytesIO()
    image.save(file, "AVIF", icc_profile=ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    both = file.getvalue().replace(b"colrnclx\0\2\0\2", b"colrnclx\0\x09\0\x10")
    assert both != file.getvalue()
    stored, found = (to_values(open_image(content, "photo"), "photo")[0] for content in (file.getvalue(), both))
    assert np.array_equal(stored, found)


@pytest.mark.parametrize(("mark", "kind"), [(b"\xff\x0a", "JPEG XL"), (b"v/1\x01", "OpenEXR"), (b"%PDF-1.7", "PDF")])
def test_kinds_that_are_not_read_are_told_of_by_name(mark: bytes, kind: str) -> None:
    with pytest.raises(UserError, match=f"^photo: is {kind}, which is not read: make it a PNG$"):
        open_image(mark + bytes(200), "photo")
