"""Opening picture files: what Pillow reads becomes sRGB values in [0, 1], what it cannot read a UserError."""

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float
from PIL import Image, ImageOps, UnidentifiedImageError

from limner.errors import UserError
from limner.files import read_bytes
from limner.srgb import SIGNAL, in_srgb, signal

_KINDS = """apng avif bmp dds dib gif heic heif hif ico j2k jfif jp2 jpe jpeg jpg pbm pcx pgm png pnm ppm qoi sgi tga
tif tiff webp xbm xpm"""
SUFFIXES = frozenset(f".{kind}" for kind in _KINDS.split())
HEIF = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
"""Marks of what phones take."""
TEXTS = {
    b"{": "JSON, and no picture: strokes are read from files whose names end in .json",
    b"<": "an SVG or another text, and no picture: make it a PNG, or call it .svg if it is a mask",
}
"""What is no picture, by how it begins."""
_RAW = """3fr arw cr2 cr3 crw dcr dng erf fff iiq k25 kdc mef mos mrw nef nrw orf pef raf raw rw2 sr2 srf srw x3f"""
RAW = frozenset(f".{kind}" for kind in _RAW.split())
"""Suffixes of what cameras see, undeveloped: Pillow takes some of it for a TIFF of the preview that lies within."""
UNREAD = {
    **dict.fromkeys((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"), "a TIFF cut short, or of a kind that is not read"),
    **dict.fromkeys((b"\xff\x0a", b"\0\0\0\x0cJXL "), "JPEG XL, which is not read"),
    b"II\xbc\x01": "JPEG XR, which is not read",
    b"v/1\x01": "OpenEXR, which is not read",
    b"#?RADIANCE": "Radiance HDR, which is not read",
    b"gimp xcf": "XCF of GIMP, which is not read",
    b"%PDF": "PDF, which is not read",
}
"""What is said of pictures that Pillow does not know, by how they begin."""
UNKNOWN = "not a picture of a known format"
SUBFILE, BITS, WHITE = 254, 258, 262
"""Tags of a TIFF: of a preview the first is odd; bits of a channel; where 0 is white, the last is 0."""
RUN = {"EPS", "IPTC"}
"""Kinds for which Pillow runs Ghostscript, or that may hold one for which it does."""
DEEP = 65535
ROUNDING = 1e-5
"""How far outside of 0 to 1 floats may be, for having been rounded."""
DPI = 96
"""Pixels of an inch of an SVG, as CSS has them."""

Values = Float[np.ndarray, "height width channel"]
Alpha = Float[np.ndarray, "height width"]


def open_image(source: Path | bytes, name: str) -> Image.Image:
    """The first frame, decoded and turned upright; UserError says what `name` is instead of a picture."""
    with opened(source, name) as image:
        image.load()
        return _levelled(upright(image), getattr(image, "tag_v2", {}))


@contextmanager
def opened(source: Path | bytes, name: str) -> Iterator[Image.Image]:
    """A picture of which only the head is decoded; UserError as of `open_image`, also for what fails inside."""
    content = read_bytes(source) if isinstance(source, Path) else source
    if not content:
        raise UserError(f"{name}: is empty")
    if words := TEXTS.get(content[:64].lstrip()[:1]):
        raise UserError(f"{name}: is {words}")
    undeveloped = f"{name}: is a RAW file of a camera, which has to be developed: export it as JPEG, PNG or TIFF"
    if Path(name).suffix.lower() in RAW:
        raise UserError(undeveloped)
    unknown = next((f"{said}: make it a PNG" for mark, said in UNREAD.items() if content.startswith(mark)), UNKNOWN)
    if content[4:8] == b"ftyp" and content[8:12] in HEIF:
        _learn_heif()
        unknown = "damaged or cut short"
    with decoding(name, unknown), Image.open(BytesIO(content)) as image:
        if image.format in RUN:
            raise UserError(f"{name}: is {image.format}, which needs another program to be run: make it a PNG")
        if getattr(image, "tag_v2", {}).get(SUBFILE, 0) & 1:
            raise UserError(undeveloped)
        image.info[SIGNAL] = signal(image, content)
        yield image


@cache
def _learn_heif() -> None:
    """Make Pillow read what phones take: HEIC."""
    from pi_heif import register_heif_opener

    Image.init()  # what Pillow reads by itself comes first: AVIF may have the same mark
    register_heif_opener()


def _levelled(image: Image.Image, tags: Mapping[int, Any]) -> Image.Image:
    """Deep gray of a TIFF with these tags from black at 0 to white at 65,535; Pillow leaves it as it is stored."""
    if not (tags and image.mode.startswith("I;16")):
        return image
    levels = np.asarray(image, np.uint32) * DEEP // (2 ** tags[BITS][0] - 1)
    return Image.fromarray((DEEP - levels if tags.get(WHITE) == 0 else levels).astype(np.uint16))


def upright(image: Image.Image) -> Image.Image:
    """A copy turned as its EXIF orientation asks; unreadable EXIF asks nothing."""
    try:
        return ImageOps.exif_transpose(image)
    except Exception:
        return image.copy()


@contextmanager
def decoding(name: str, unknown: str = UNKNOWN) -> Iterator[None]:
    """Every failure of Pillow as a UserError that names `name`; its decompression-bomb warning counts as failure.

    unknown: what is said of what Pillow does not know.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            yield
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        limit = f"{Image.MAX_IMAGE_PIXELS or 0:,}"
        raise UserError(f"{name}: has more than {limit} pixels, the limit: shrink it first") from None
    except UnidentifiedImageError:
        raise UserError(f"{name}: is {unknown}") from None
    except UserError:
        raise
    except Exception as error:
        raise UserError(f"{name}: is damaged or cut short ({str(error) or type(error).__name__})") from error


def to_values(image: Image.Image, name: str) -> tuple[Values, Alpha | None]:
    """sRGB values in [0, 1], 1 channel for gray modes and 3 otherwise, and alpha where it is not 1 everywhere.

    They are those stored, or where the picture says otherwise of its colours, by a profile or in numbers, what that
    makes of them; gray of more than 8 bits is taken as it is stored.
    """
    if 0 in image.size:
        raise UserError(f"{name}: is {image.width} x {image.height}, has no pixels")
    if image.mode == "F" or image.mode.startswith("I"):
        return _deep(image, name), _deep_alpha(image)
    see_through = image.has_transparency_data
    gray = image.mode in ("1", "L", "LA", "La") or (image.mode in ("P", "PA") and _gray_palette(image))
    with decoding(name):
        array = np.asarray(in_srgb(image, ("LA" if see_through else "L") if gray else "RGBA" if see_through else "RGB"))
    bands = np.atleast_3d(array)
    planes = np.empty((bands.shape[2], *bands.shape[:2]), np.float32)  # side by side, as tensors want them
    for k in range(len(planes)):
        np.divide(bands[..., k], 255, out=planes[k], dtype=np.float32)
    values = np.moveaxis(planes, 0, -1)
    if not see_through:
        return values, None
    return values[..., :-1], None if (planes[-1] == 1).all() else planes[-1]


def _gray_palette(image: Image.Image) -> bool:
    colours = np.reshape(image.getpalette("RGB") or [0, 0, 0], (-1, 3))
    return bool((colours == colours[:, :1]).all())


def _deep(image: Image.Image, name: str) -> Values:
    """Gray of 16 or 32 bits a pixel. Floats are from 0 to 1 or, if any is larger, to 255, as Pillow makes them."""
    array = np.asarray(image)
    scale = DEEP if image.mode != "F" else 1 if array.max() <= 1 + ROUNDING else 255
    values = array.astype(np.float32) / scale
    if not (np.isfinite(values).all() and values.min() >= -ROUNDING and values.max() <= 1 + ROUNDING):
        raise UserError(f"{name}: holds values outside 0 to {scale}: convert it to 8 or 16 bits")
    return values.clip(0, 1)[..., None]


def _deep_alpha(image: Image.Image) -> Alpha | None:
    hole = image.info.get("transparency")
    if not isinstance(hole, int):
        return None
    alpha = (np.asarray(image) != hole).astype(np.float32)
    return None if alpha.all() else alpha
