"""Strokes as JSON and back, bit for bit; docs/json.md is the schema."""

import base64
import json
import math
from collections.abc import Iterable
from io import BytesIO
from operator import index
from pathlib import Path
from typing import Any, NamedTuple, SupportsIndex, cast

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from limner.errors import UserError
from limner.files import atomic, read_bytes
from limner.images import open_image, opened, to_values
from limner.shapes import FINEST, SHAPES, draw
from limner.strokes import FIELDS, REQUIRED, Strokes, shapes
from limner.templates import TemplateBank
from limner.tracing import LINES

FORMAT = "limner-strokes"
VERSION = 1
DTYPES = {"float32": torch.float32, "float64": torch.float64, "float16": torch.float16, "bfloat16": torch.bfloat16}
PNG = "data:image/png;base64,"
LIMIT = 2**31
"""Whole numbers of a file stay below."""
TEXELS = 2**27
"""Of all templates of a file together, at most."""


class Document(NamedTuple):
    """What a file holds; None stands for what was not said.

    size, picture_size: (height, width) of the canvas that strokes were fitted on, and of the picture.
    """

    strokes: Strokes
    bank: TemplateBank | None
    size: tuple[int, int] | None
    background: Float[Tensor, "channel"] | None
    picture_size: tuple[int, int] | None = None


def dump(
    path: str | Path,
    strokes: Strokes,
    bank: TemplateBank | None = None,
    size: tuple[SupportsIndex, SupportsIndex] | None = None,
    background: Float[Tensor, "channel"] | None = None,
    picture_size: tuple[SupportsIndex, SupportsIndex] | None = None,
) -> None:
    """Write strokes, exactly, and what they are painted with and on; a background of None is transparent.

    Fields of several kinds of floats are written as float64, whole numbers as floats like the rest.
    Named shapes are stored by name, other templates as pictures of 8 bits, to which a learnt mask is rounded.
    Raises UserError for numbers that are not finite, and when the file cannot be written.
    """
    if bank is not None and strokes.which.shape[2] != len(bank):
        raise ValueError(f"strokes choose from {strokes.which.shape[2]} templates, the bank has {len(bank)}")
    if background is not None and not background.isfinite().all():
        raise UserError(f"{path}: the background is not finite: it cannot be saved")
    kinds = {tensor.dtype for tensor in strokes.tensors().values()} & set(DTYPES.values())
    dtype = kinds.pop() if len(kinds) == 1 else torch.float64
    strokes = strokes.map(lambda tensor: tensor.to(dtype))
    head = {
        "format": FORMAT,
        "version": VERSION,
        "dtype": str(dtype).removeprefix("torch."),
        "size": None if size is None else [index(side) for side in size],
        "picture_size": None if picture_size is None else [index(side) for side in picture_size],
        "background": background,
        "channels": strokes.what.shape[2],
        "templates": strokes.which.shape[2] if bank is None else _templates(bank),
        "prefilter": bank is None or bank.prefilter,
        "fields": list(strokes.tensors()),
        "strokes": len(strokes),
    }
    lines = [f'"{key}": {_written(value)},' for key, value in head.items()]
    with atomic(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        file.write("{\n" + "\n".join(lines) + '\n"pictures": [')
        file.write(",".join(f"[{','.join(picture)}\n]" for picture in _pictures(strokes, path)))
        file.write("]\n}\n")


def parse(path: str | Path) -> Document:
    """Read what `dump` wrote; UserError names the file and the first thing in it that is wrong."""
    path = Path(path)
    try:
        content = json.loads(read_bytes(path))
    except (ValueError, RecursionError) as error:
        if isinstance(error, UserError):
            raise
        what = "no text" if isinstance(error, UnicodeDecodeError) else f"not JSON ({error})"
        raise UserError(f"{path}: is {what}: expected strokes that limner saved as .json") from None
    try:
        return _document(content)
    except UserError as error:
        raise UserError(f"{path}: {error}") from None


def _pictures(strokes: Strokes, path: str | Path) -> Iterable[Iterable[str]]:
    """One line of JSON a stroke."""
    for name, tensor in strokes.tensors().items():
        if not tensor.isfinite().all():
            picture, move, *_ = torch.nonzero(~tensor.isfinite())[0].tolist()
            raise UserError(f"{path}: {name} of picture {picture}, stroke {move} is not finite: it cannot be saved")
    texts = {name: exact(_array(tensor)) for name, tensor in strokes.tensors().items()}
    batch, moves = strokes.where.shape[:2]
    for b in range(batch):
        rows = ([f'"{name}":{_nested(text[b, t])}' for name, text in texts.items()] for t in range(moves))
        yield [f"\n{{{','.join(row)}}}" for row in rows]


def _array(tensor: Tensor) -> np.ndarray:
    tensor = tensor.detach().cpu()
    return (tensor if tensor.dtype == torch.float64 else tensor.float()).numpy()


def exact(array: np.ndarray) -> np.ndarray:
    """Every number as its shortest text that JSON reads back to the same bits."""
    text = array.astype(str)
    with np.errstate(over="ignore"):
        wrong = text.astype(np.float64).astype(array.dtype) != array
    text = text.astype(object)
    text[wrong] = [repr(float(value)) for value in array[wrong]]
    short = np.vectorize(lambda number: number if number == "-0.0" else number.removesuffix(".0"), otypes=[object])
    return short(text) if text.size else text


def _written(value: object) -> str:
    return f"[{', '.join(exact(_array(value)))}]" if isinstance(value, Tensor) else json.dumps(value)


def _nested(text: Any) -> str:
    return text if isinstance(text, str) else f"[{','.join(map(_nested, text))}]"


def _templates(bank: TemplateBank) -> list[dict[str, object]]:
    masks = bank.masks.detach().cpu().float()
    return [_template(*each) for each in zip(bank.names, masks, bank.paths, strict=True)]


def _template(name: str, mask: Float[Tensor, "S S"], path: str | None) -> dict[str, object]:
    if by_name(name, mask):
        return {"name": name, "texels": len(mask)}
    file = BytesIO()
    Image.fromarray((mask * 255).round().to(torch.uint8).numpy()).save(file, "PNG")
    entry: dict[str, object] = {"name": name, "mask": PNG + base64.b64encode(file.getvalue()).decode()}
    return entry | ({"outline": path} if path else {})


def by_name(name: str, mask: Float[Tensor, "S S"]) -> bool:
    """Whether a template is stored as the shape that its name says, and not as a picture."""
    return name in SHAPES and len(mask) <= FINEST and torch.equal(mask, draw(SHAPES[name], len(mask)))


def _document(content: Any) -> Document:
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise UserError(f'is not a file of strokes: "format" is not "{FORMAT}"')
    version = _get(content, "version", int)
    if version != VERSION:
        held = f"newer than {VERSION}: read it with a newer limner" if version > VERSION else f"expected {VERSION}"
        raise UserError(f"has version {version}, {held}")
    dtype, channels, moves = _get(content, "dtype", str), _get(content, "channels", int), _get(content, "strokes", int)
    fields = _get(content, "fields", list)
    templates, prefilter = _get(content, "templates", int, list), _get(content, "prefilter", bool)
    if dtype not in DTYPES:
        raise UserError(f'"dtype" is "{dtype}", expected one of {", ".join(DTYPES)}')
    if channels not in (1, 3):
        raise UserError(f'"channels" is {channels}, expected 1 or 3')
    if not (set(REQUIRED) <= {str(field) for field in fields} <= set(FIELDS) and len(set(fields)) == len(fields)):
        raise UserError(
            f'"fields" are {fields}, expected {", ".join(REQUIRED)} and any of {", ".join(FIELDS[len(REQUIRED) :])}'
        )
    bank = _bank(templates, prefilter) if isinstance(templates, list) else None
    count = len(bank) if bank else cast(int, templates)
    pictures, numbers = _get(content, "pictures", list), shapes(channels, count)
    tensors = _tensors(pictures, {field: numbers[field] for field in fields}, moves, DTYPES[dtype])
    size, background = _size(content, "size"), _background(content, channels, DTYPES[dtype])
    picture_size = _size(content, "picture_size") if "picture_size" in content else None  # older files have none
    return Document(Strokes(**tensors), bank, size, background, picture_size)


def _get(content: dict, key: str, *kinds: type) -> Any:
    if key not in content:
        raise UserError(f'"{key}" is missing')
    value = content[key]
    if kinds and (not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds)):
        raise UserError(f'"{key}" is a {type(value).__name__}, expected {" or ".join(kind.__name__ for kind in kinds)}')
    if isinstance(value, int) and not 0 <= value < LIMIT:
        raise UserError(f'"{key}" is {value}, expected 0 to {LIMIT - 1}')
    return value


def _bank(templates: list, prefilter: bool) -> TemplateBank:
    if not templates:
        raise UserError('"templates" is empty: store a number where there is no bank')
    masks, names, paths = [], [], []
    for k, entry in enumerate(templates):
        try:
            if not isinstance(entry, dict):
                raise UserError("is no object")
            names.append(_get(entry, "name", str))
            masks.append(_mask(entry, names[-1], len(templates)))
            paths.append(_path(entry))
        except UserError as error:
            raise UserError(f"template {k}: {error}") from None
        if len(masks[k]) != len(masks[0]):
            raise UserError(f"template {k}: is {len(masks[k])} texels wide, template 0 is {len(masks[0])}")
    return TemplateBank(torch.stack(masks), tuple(names), prefilter, tuple(paths))


def _path(entry: dict) -> str | None:
    """The outline of a template, of straight lines only."""
    if "outline" not in entry:
        return None
    outline = _get(entry, "outline", str)
    if not LINES.fullmatch(outline):
        raise UserError('"outline" is no path of closed lines, such as "M-1 -1 1 -1 0 1Z"')
    return outline


def _mask(entry: dict, name: str, templates: int) -> Float[Tensor, "S S"]:
    """That of a template, which is one of so many of the same size."""
    if "mask" not in entry:
        texels = _get(entry, "texels", int)
        if name not in SHAPES:
            raise UserError(f'"{name}" is not a known shape, and there is no "mask"')
        if not 1 <= texels <= FINEST:
            raise UserError(f'"texels" is {texels}, expected 1 to {FINEST}')
        _check_room(texels, templates)
        return draw(SHAPES[name], texels)
    try:
        content = base64.b64decode(_get(entry, "mask", str).removeprefix(PNG), validate=True)
    except ValueError as error:
        raise UserError(f'"mask" is no PNG in base64 ({error})') from None
    with opened(content, '"mask"') as image:
        _check_room(max(image.size), templates)
    values, _ = to_values(open_image(content, '"mask"'), '"mask"')
    if values.shape[0] != values.shape[1] or values.shape[2] != 1:
        raise UserError('"mask" is not a square gray picture')
    return torch.from_numpy(values[..., 0].copy())


def _check_room(texels: int, templates: int) -> None:
    """UserError for masks of so many texels a side that would need some gigabytes of memory."""
    if templates * texels**2 > TEXELS:
        most = math.isqrt(TEXELS // templates)
        raise UserError(f"is {texels} texels wide, and of {templates} templates each may be {most}")


def _size(content: dict, key: str) -> tuple[int, int] | None:
    size = _get(content, key)
    if size is None:
        return None
    if not (isinstance(size, list) and len(size) == 2 and all(type(side) is int and 0 < side < LIMIT for side in size)):
        raise UserError(f'"{key}" is {size}, expected [height, width] or null')
    return size[0], size[1]


def _background(content: dict, channels: int, dtype: torch.dtype) -> Tensor | None:
    """Of 32 bits at least, whatever strokes have: their fewer would round it."""
    background = _get(content, "background")
    if background is None:
        return None
    colour = torch.from_numpy(np.array(_numbers(background, (channels,), '"background"'), np.float64))
    colour = colour.to(torch.promote_types(dtype, torch.float32))
    if not colour.isfinite().all():
        raise UserError('"background" is not finite')
    return colour


def _tensors(pictures: list, shapes: dict[str, tuple[int, ...]], moves: int, dtype: torch.dtype) -> dict[str, Tensor]:
    """The fields as tensors (picture, stroke, *shape)."""
    numbers: dict[str, list[float]] = {field: [] for field in shapes}
    for b, picture in enumerate(pictures):
        if not isinstance(picture, list) or len(picture) != moves:
            held = f"holds {len(picture)} strokes" if isinstance(picture, list) else "is no list"
            raise UserError(f'picture {b}: {held}, expected {moves} ("strokes")')
        for t, stroke in enumerate(picture):
            place = f"picture {b}, stroke {t}"
            if not isinstance(stroke, dict) or set(stroke) != set(shapes):
                raise UserError(f"{place}: expected the keys {', '.join(shapes)}")
            for field, shape in shapes.items():
                numbers[field] += _numbers(stroke[field], shape, f"{place}: {field}")
    arrays = {field: np.asarray(flat, np.float64) for field, flat in numbers.items()}
    tensors = {field: torch.from_numpy(array).to(dtype) for field, array in arrays.items()}
    for field, tensor in tensors.items():
        if not tensor.isfinite().all():
            first = int(torch.nonzero(~tensor.isfinite())[0]) // math.prod(shapes[field])
            raise UserError(f"picture {first // moves}, stroke {first % moves}: {field} is not finite")
    return {field: tensor.view(len(pictures), moves, *shapes[field]) for field, tensor in tensors.items()}


def _numbers(value: Any, shape: tuple[int, ...], place: str) -> list[float]:
    """Nested lists of this shape, flat."""
    if not shape:
        if type(value) not in (int, float):
            raise UserError(f"{place} is a {type(value).__name__} where a number is expected")
        try:
            return [float(value)]
        except OverflowError:
            return [float("inf")]
    if not isinstance(value, list) or len(value) != shape[0]:
        held = f"{len(value)} values" if isinstance(value, list) else f"a {type(value).__name__}"
        raise UserError(f"{place} has {held} where {shape[0]} are expected")
    return [number for part in value for number in _numbers(part, shape[1:], place)]
