"""Pictures whose colours are not those of sRGB, by a profile or in numbers, in sRGB."""

import re
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image, ImageChops, ImageCms

from limner import hdr

SIGNAL = "signal"
"""Where a picture's `info` has what `signal` finds."""
ALIKE = 2
"""Steps of 255 by which profiles of sRGB differ, being rounded."""


def signal(image: Image.Image, content: bytes) -> tuple[int, int] | None:
    """Transfer and primaries of the colours as ITU-T H.273 counts them, where a PNG, HEIC or AVIF says it.

    A profile in a HEIC or AVIF says more; where it says several, one of them is of another picture in it.
    """
    found: list[tuple[bytes, bytes]] = []
    if image.format == "PNG":
        found = re.findall(rb"\x00\x04cICP(.)(.)", content.partition(b"IDAT")[0], re.DOTALL)
    elif image.format in ("AVIF", "HEIF") and not image.info.get("icc_profile"):
        found = re.findall(rb"colrnclx(..)(..)", content, re.DOTALL)
    if len(set(found)) != 1:
        return None
    primaries, transfer = (int.from_bytes(part, "big") for part in found[0])
    return transfer, primaries


def in_srgb(image: Image.Image, mode: str) -> Image.Image:
    """The picture in this mode; one whose colours are others than those of sRGB, by way of what they are."""
    stored = image.convert(mode)
    shown = _shown(image if image.mode == "CMYK" else stored.convert(mode.removesuffix("A")), image.info)
    if shown is None:
        return stored
    if mode.endswith("A"):
        shown.putalpha(stored.getchannel("A"))
    return shown


def _shown(colours: Image.Image, info: dict[Any, Any]) -> Image.Image | None:
    """Colours in sRGB, by what a file says of them; None where they are that, or where this does not fit them."""
    numbers = info.get(SIGNAL)
    if colours.mode in ("L", "RGB") and numbers and hdr.is_wider(*numbers):
        shown = Image.fromarray(hdr.in_srgb(np.asarray(colours.convert("RGB")).astype(np.uint16) * 257, *numbers))
        return shown.getchannel("G") if colours.mode == "L" else shown
    for mode in ("L", "RGB") if colours.mode == "L" else (colours.mode,):  # gray may be that of a palette of colours
        if transform := _to_srgb(info.get("icc_profile"), mode):
            shown = ImageCms.applyTransform(colours.convert(mode), transform) or colours
            return shown.getchannel("G") if colours.mode == "L" else shown
    return None


def _to_srgb(profile: bytes | None, mode: str) -> ImageCms.ImageCmsTransform | None:
    """From the colours of a profile; None without one, and for one that is damaged, of another mode, or sRGB's own."""
    if not profile:
        return None
    kept, flags = ImageCms.Intent.RELATIVE_COLORIMETRIC, ImageCms.Flags.BLACKPOINTCOMPENSATION
    try:
        source, target = ImageCms.ImageCmsProfile(BytesIO(profile)), ImageCms.createProfile("sRGB")
        transform = ImageCms.buildTransform(source, target, mode, "RGB", kept, flags)
    except (ImageCms.PyCMSError, OSError):
        return None
    if mode == "CMYK":
        return transform
    levels = np.arange(0, 256, 15).astype(np.uint8)
    grid = np.stack(np.meshgrid(levels, levels, levels), -1)
    shades = Image.fromarray(grid.reshape(-1, len(levels), 3)).convert(mode)
    shown = ImageCms.applyTransform(shades, transform) or shades
    changes = ImageChops.difference(shown, shades.convert("RGB"))
    return transform if np.max(changes.getextrema()) > ALIKE else None
