"""Colours and palettes as people write them."""

import os
import re
from collections.abc import Sequence
from operator import index
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from PIL import ImageColor
from torch import Tensor

from limner.errors import UserError
from limner.files import read_bytes
from limner.images import SUFFIXES, open_image, to_values
from limner.painting.palette import suiting
from limner.painting.pictures import read_picture
from limner.strokes_json import parse

MOST = 256
HEX = re.compile(r"#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})")


def colour(text: str) -> Float[Tensor, "3"]:
    """sRGB values in [0, 1] of "#rrggbb", "#rgb" (the # may be left out) or a CSS name; UserError for anything else."""
    if not _is_colour(text):
        raise UserError(f'"{text}" is no colour: expected #rrggbb or a name such as white')
    if match := HEX.fullmatch(text.strip()):
        digits = match[1] if len(match[1]) == 6 else "".join(digit * 2 for digit in match[1])
        return torch.tensor(list(bytes.fromhex(digits))) / 255
    return torch.tensor(ImageColor.getrgb(text.strip().lower())) / 255


def _is_colour(text: str) -> bool:
    return bool(HEX.fullmatch(text.strip())) or text.strip().lower() in ImageColor.colormap


def ground(given: str | Sequence | np.ndarray | Tensor) -> Float[Tensor, "3"]:
    """The colour of a background as `limner.paint` takes it: by name, as #rrggbb, or as three numbers in [0, 1]."""
    if isinstance(given, str):
        return colour(given)
    try:
        numbers = given if isinstance(given, Tensor) else np.array(given, np.float32)
        values = torch.as_tensor(numbers, dtype=torch.float32).detach().cpu()
        if values.shape == (3,) and ((values >= 0) & (values <= 1)).all():
            return values
    except (TypeError, ValueError, RuntimeError):
        pass
    raise UserError(f"background: {given!r} is no name of a colour, no #rrggbb and no three numbers from 0 to 1")


def palette(text: str) -> int | Float[Tensor, "colour 3"]:
    """A number of colours, from 1 to 256; those in a file (`read_palette`); or, without such a file, colours.

    Several colours have commas between them. K:FILE has the K colours that suit a picture.
    """
    if re.fullmatch(r"\d+:.+", text) and not os.path.exists(text):
        count, _, file = text.partition(":")
        return suiting(read_picture(file), None, _count(count), None).expand(-1, 3)
    named = text.split(",")
    if any(map(_is_colour, named)) and not (os.path.exists(text) or re.fullmatch(r"\d{1,5}", text)):
        return torch.stack([colour(each) for each in named])
    try:
        float(text)
    except ValueError:
        return read_palette(Path(text))
    return _count(text)


def _count(text: str) -> int:
    number = float(text)
    if not (1 <= number <= MOST and number.is_integer()):
        raise UserError(f"palette of {text} colours: expected a whole number from 1 to {MOST}, or a file of colours")
    return int(number)


def inks(given: int | str | Path | Sequence | np.ndarray | Tensor) -> int | Float[Tensor, "colour 3"]:
    """A palette as `limner.paint` takes it: a number, a file, or colours: by name, #rrggbb, or three numbers in [0, 1].

    Raises UserError for anything else, and for a number that is not from 1 to 256.
    """
    if isinstance(given, str | Path):
        return palette(str(given))
    if isinstance(given, Sequence | np.ndarray):
        rows = given
        if isinstance(given, Sequence):
            rows = [colour(each).tolist() if isinstance(each, str) else each for each in given]
        try:
            given = torch.from_numpy(np.array(rows, np.float32))
        except (TypeError, ValueError):
            raise UserError(f"palette: {given!r} is none: expected colours by name or as three numbers each") from None
    if isinstance(given, Tensor):
        colours = given.detach().cpu().float()
        if colours.shape[1:] != (3,) or not len(colours):
            raise UserError(f"palette: a tensor of shape {tuple(given.shape)}: expected (colour, 3) from 0 to 1")
        if not ((colours >= 0) & (colours <= 1)).all():
            least, most = colours.min().item(), colours.max().item()
            raise UserError(f"palette: holds values from {least:g} to {most:g}: expected numbers from 0 to 1")
        return colours
    if isinstance(given, bool) or not hasattr(given, "__index__") or not 1 <= index(given) <= MOST:
        raise UserError(f"palette: {given!r} is neither a tensor (colour, 3) nor a number from 1 to {MOST}")
    return index(given)


def read_palette(path: Path) -> Float[Tensor, "colour 3"]:
    """The colours in a file: one #rrggbb or name a line, a GIMP palette, a picture of at most 256 colours, or strokes.

    Each colour once: those of a text, or of strokes, in order of appearance, those of a picture sorted. A line that
    begins with ; or with # and a space is a note. UserError names the file, and the line if it is a text.
    """
    suffix = path.suffix.lower()
    colours = (_of_picture if suffix in SUFFIXES else _of_strokes if _is_json(path) else _of_text)(path)
    distinct = list(dict.fromkeys(colours))
    if not distinct:
        raise UserError(f"{path}: holds no colours")
    if len(distinct) > MOST:
        advice = f": 8:{path} takes the 8 that suit it best" if suffix in SUFFIXES else ""
        raise UserError(f"{path}: holds {len(distinct)} colours, expected at most {MOST}{advice}")
    return torch.tensor(distinct)


def _of_picture(path: Path) -> list[tuple[float, ...]]:
    values, alpha = to_values(open_image(path, str(path)), str(path))
    shown = torch.from_numpy(values).flatten(0, 1).expand(-1, 3)
    if alpha is not None:
        shown = shown[torch.from_numpy(alpha).flatten() > 0]
    keys = torch.zeros(len(shown), dtype=torch.long)
    for channel in shown.T:  # numbers are sorted sooner than rows of three
        levels, level = channel.unique(return_inverse=True)
        keys = keys * len(levels) + level
    distinct, place = keys.unique(return_inverse=True)
    one = torch.empty_like(distinct).scatter_(0, place, torch.arange(len(keys)))
    return [tuple(row) for row in shown[one].tolist()]


def _is_json(path: Path) -> bool:
    return path.suffix.lower() == ".json" and read_bytes(path).lstrip()[:1] == b"{"


def _of_strokes(path: Path) -> list[tuple[float, ...]]:
    found = parse(path).strokes.what.flatten(0, 1).expand(-1, 3)
    return [tuple(row) for row in found.tolist()]


def _of_text(path: Path) -> list[tuple[float, ...]]:
    try:
        lines = read_bytes(path).decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise UserError(f"{path}: is no text: expected one #rrggbb a line, or a picture") from None
    gimp = lines[:1] == ["GIMP Palette"]
    colours = []
    for number, line in enumerate(lines, 1):
        words = line.strip()
        if re.match(r"$|;|#(\s|$)", words) or (gimp and (number == 1 or re.match(r"#|\w+:", words))):
            continue
        try:
            colours.append(_of_gimp(words) if gimp else tuple(colour(words).tolist()))
        except UserError as error:
            raise UserError(f"{path}, line {number}: {error}") from None
    return colours


def _of_gimp(line: str) -> tuple[float, ...]:
    match = re.match(r"0*(\d{1,3})\s+0*(\d{1,3})\s+0*(\d{1,3})(\s|$)", line)
    levels = [int(part) for part in match.groups()[:3]] if match else []
    if not levels or max(levels) > 255:
        raise UserError(f'"{line[:40]}" is no colour: expected three numbers up to 255')
    return tuple((torch.tensor(levels) / 255).tolist())


def coloured(colours: int | Tensor | None) -> bool:
    """Whether any of these colours (*, 3) is not gray; a number of colours to choose is not."""
    return isinstance(colours, Tensor) and bool((colours != colours[..., :1]).any())
