"""Letters and words as masks, in any font."""

import re
from io import BytesIO
from os.path import expanduser
from pathlib import Path
from unicodedata import category, normalize

import numpy as np
from jaxtyping import Float
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from limner.errors import UserError
from limner.files import read_bytes
from limner.masks import fitted, pixels_of

SPELT = re.compile(r"(letters|words|text):(.*)", re.DOTALL | re.IGNORECASE)
"""What is to be written, as `templates` may say it."""
FONTS = (".ttf", ".otf", ".ttc", ".otc", ".dfont", ".pfa", ".pfb", ".woff", ".woff2", ".pcf", ".bdf", ".fon")
"""How fonts are called, those included that cannot be drawn."""
LONGEST = 100
"""Characters of a text."""
TRIED = 100.0
"""Size of a font in which a text is measured."""
MOST = 2**26
"""Pixels of a text that is drawn."""
LEADING = 0.15
"""Space between lines, as a share of the size of their font."""
SYMBOLS = 0xF000
"""Added to the numbers of letters by fonts of symbols, which do not go by Unicode."""


def spelt(words: str) -> list[tuple[str, Path]] | None:
    r"""What "letters:ABC", "words:A BC", "text:ABC" or "text:ABC@FONT.ttf" stands for: texts, with the font of each.

    Of letters and of words each is one, however often it comes, a letter with its accents; a text is one as a whole,
    and "\n" in it, or a line break, begins a new line. None for what begins otherwise.
    Raises UserError for no text or too long a one, and for a font that cannot be read or lacks a letter.
    """
    if not (found := SPELT.fullmatch(words)):
        return None
    kind, (said, font) = found[1].lower(), _parted(found[2])
    lines = normalize("NFC", said).replace(r"\n", "\n").strip().splitlines()
    text = "\n".join(re.sub(r"\s", " ", line).strip() for line in lines)
    seen = [letter for letter in "".join(text.split()) if not _unseen(letter)]
    if not seen:
        raise UserError(f"{words}: says nothing: write something, such as {kind}:ABC")
    if len(text) > LONGEST:
        raise UserError(f"{words[:LONGEST]}...: has {len(text)} characters: write {LONGEST} at most")
    known = _letters_of(font)
    if unknown := [letter for letter in seen if ord(letter) not in known]:
        advice = f"choose another font, such as {kind}:ABC@FONT.ttf"
        raise UserError(f"{words}: {font.name} has no {unknown[0]!r}: {advice}")
    parts = {"letters": _parts(text), "words": list(dict.fromkeys(text.split())), "text": [text]}
    return [(each, font) for each in parts[kind]]


def _parted(words: str) -> tuple[str, Path]:
    """A text and the font after the "@", where one is named; either may have others of these."""
    named = words.lower().endswith(FONTS)
    pairs = [(words[:k], Path(expanduser(words[k + 1 :]))) for k, letter in enumerate(words) if named and letter == "@"]
    return next((pair for pair in pairs if pair[1].is_file()), pairs[-1] if pairs else (words, _usual()))


def _parts(text: str) -> list[str]:
    """The letters of a text, once each, with the accents and other marks that belong to them."""
    parts: list[str] = []
    for letter in "".join(text.split()):
        if parts and (category(letter).startswith("M") or _unseen(letter)):
            parts[-1] += letter
        else:
            parts.append(letter)
    return [part for part in dict.fromkeys(parts) if not all(map(_unseen, part))]


def _unseen(letter: str) -> bool:
    """Whether a character only says how others are shown, such as joiners and what makes a symbol an emoji."""
    return category(letter) == "Cf" or "\N{VARIATION SELECTOR-1}" <= letter <= "\N{VARIATION SELECTOR-16}"


def written(text: str, font: Path, size: int) -> Float[Tensor, "S S"]:
    """The mask of a text, `size` texels a side: as large as fits, in the middle.

    Raises UserError for one that shows nothing, and for a font without outlines.
    """
    content = read_bytes(font)
    try:
        tried = _inked(text, content, TRIED)
        large = tried and _inked(text, content, TRIED * pixels_of(size) / max(tried.size))
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise UserError(f"{font}: {text!r} cannot be drawn ({error}): choose a font of outlines") from error
    if large is None:
        raise UserError(f"{text!r}: shows nothing in {font.name}: write something else")
    return fitted(np.asarray(large, np.float32) / 255, size)


def _inked(text: str, font: bytes, height: float) -> Image.Image | None:
    """What shows of a text, white on black, in letters of this height; None if nothing does."""
    face, style = _face(font, height), {"align": "center", "spacing": LEADING * height}
    box = ImageDraw.Draw(Image.new("L", (1, 1))).textbbox((0, 0), text, face, **style)
    left, top, right, bottom = map(round, box)
    if (right - left) * (bottom - top) > MOST:
        raise ValueError("its letters are too large")
    image = Image.new("L", (max(1, right - left), max(1, bottom - top)))
    ImageDraw.Draw(image).text((-left, -top), text, 255, face, **style)
    return image.crop(box) if (box := image.getbbox()) else None


def _face(font: bytes, height: float) -> ImageFont.FreeTypeFont:
    """A font in this size, whose letters are found by Unicode where it goes by that."""
    try:
        return ImageFont.truetype(BytesIO(font), height, encoding="unic")
    except OSError:
        return ImageFont.truetype(BytesIO(font), height, encoding="symb")


def _letters_of(font: Path) -> set[int]:
    """The characters that a font has, as numbers of Unicode."""
    from matplotlib.ft2font import FT2Font

    read_bytes(font)
    try:
        face = FT2Font(str(font))
        found = set(face.get_charmap())
        if not found and face.num_charmaps:
            face.set_charmap(0)
            found = {number - SYMBOLS for number in face.get_charmap()}
    except (OSError, RuntimeError) as error:
        raise UserError(f"{font}: is no font that can be read: expected TrueType or OpenType") from error
    return found


def _usual() -> Path:
    """A bold font that matplotlib brings."""
    from matplotlib import get_data_path

    return Path(get_data_path(), "fonts", "ttf", "DejaVuSans-Bold.ttf")
