"""An experiment as one value, and settings from what JSON made of them; light to import."""

import os
from dataclasses import asdict, dataclass, field, fields, is_dataclass, replace
from itertools import repeat
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from limner.data.settings import Data
from limner.errors import UserError
from limner.models.settings import Model, is_mask
from limner.training.settings import Training

T = TypeVar("T")


@dataclass(frozen=True)
class Experiment:
    """What to paint, what with, and how it learns."""

    data: Data = field(default_factory=Data)
    model: Model = field(default_factory=Model)
    training: Training = field(default_factory=Training)


def normalised(experiment: Experiment) -> Experiment:
    """The experiment as its run's settings.json gives it back, with files and folders that are found from anywhere.

    Raises UserError where a value is not what its field wants.
    """
    try:
        found = restored(Experiment, asdict(experiment))
    except ValueError as error:
        raise UserError(str(error)) from error
    folder = found.data.folder and Path(os.path.abspath(found.data.folder))
    templates = tuple(os.path.abspath(name) if is_mask(name) else name for name in found.model.templates)
    return replace(found, data=replace(found.data, folder=folder), model=replace(found.model, templates=templates))


def restored(kind: type[T], values: dict[str, Any]) -> T:
    """A dataclass from what `asdict`, and JSON, made of it; fields that are not there keep their defaults."""
    hints = get_type_hints(kind)
    unknown = values.keys() - {field.name for field in fields(kind)}  # pyright: ignore[reportArgumentType]
    if unknown:
        raise ValueError(f"unknown setting {sorted(unknown)[0]}")
    return kind(**{name: _value(name, hints[name], value) for name, value in values.items()})


def _value(name: str, hint: Any, value: Any) -> Any:
    """A value as its field's type hint wants it; ValueError where it is of another kind."""
    origin, inside = get_origin(hint), get_args(hint)
    if getattr(value, "shape", None) == ():  # a number of numpy or torch
        value = value.item()
    if is_dataclass(hint) and isinstance(hint, type) and isinstance(value, dict):
        return restored(hint, value)
    if origin is UnionType:
        hint = NoneType if value is None else next(each for each in inside if each is not NoneType)
        return _value(name, hint, value)
    if origin is tuple and isinstance(value, list | tuple):
        kinds = [inside[0]] * len(value) if inside[-1] is ... else inside
        if len(value) != len(kinds):
            raise ValueError(f"{name}: {value!r} are {len(value)} values, expected {len(kinds)}")
        return tuple(map(_value, repeat(name), kinds, value))
    if hint is Path and isinstance(value, str | Path):
        return Path(value)
    if origin is Literal:
        if value not in inside:
            raise ValueError(f"{name}: {value!r} is none of {', '.join(map(str, inside))}")
    elif type(value) is not hint and not (hint is float and type(value) is int):
        advice = ": give a whole number" if hint is int else ""
        raise ValueError(f"{name}: {value!r} is of another kind than expected{advice}")
    return value
