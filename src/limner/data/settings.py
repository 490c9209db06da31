"""What a data set can be asked to be; light to import, since the command line's help is made of it."""

import math
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from tyro.conf import arg

from limner.errors import UserError
from limner.flags import within

Shape = Literal["square", "circle", "line", "curve"]
Split = Literal["train", "validation", "test"]
Name = Literal[
    "two-rectangles",
    "four-rectangles",
    "zero-to-two-rectangles",
    "two-rectangles-occlusion",
    "two-rectangles-mixed",
    "two-shapes",
    "shapes",
    "mnist",
    "omniglot",
    "cifar",
    "faces",
    "folder",
]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")
THESIS_SIZE, FOLDER_SIZE = 28, 64
TRAIN, HELD_OUT = 10_000, 2_000
MOST = {"images": 10**8, "held_out": 10**8, "size": 8192}
MOST_SHAPES = 1000


@dataclass(frozen=True)
class Recipe:
    """How synthetic images are made, with nothing left open; the fields are explained at `Data`."""

    counts: tuple[int, int] = (2, 2)
    shapes: tuple[Shape, ...] = ("square",)
    isotropic: bool = False
    min_side: float = 5.0
    max_side: float = 14.0
    rotation: float = 0.0
    levels: tuple[float, ...] = (1.0,)
    inverted: float = 0.0
    overlap: bool = True


RECTANGLES = Recipe()
SYNTHETIC: dict[str, Recipe] = {
    "two-rectangles": RECTANGLES,
    "four-rectangles": replace(RECTANGLES, counts=(4, 4), min_side=4.0, max_side=10.0),
    "zero-to-two-rectangles": replace(RECTANGLES, counts=(0, 2)),
    "two-rectangles-occlusion": replace(RECTANGLES, min_side=7.0, max_side=16.0, levels=(0.5, 1.0)),
    "two-rectangles-mixed": replace(RECTANGLES, inverted=0.5),
    "two-shapes": replace(RECTANGLES, shapes=("square", "circle"), isotropic=True),
    "shapes": Recipe(counts=(1, 4), shapes=("square", "circle"), rotation=180.0, levels=()),
}


def _left_out(metavar: str) -> Any:
    """How the command line's help shows a field that may be left out."""
    return arg(metavar=metavar, help_behavior_hint="")


@dataclass(frozen=True)
class Data:
    """A data set; what is left out is as the set of that name has it.

    The fields from `counts` on are for synthetic sets, and change any of them; "shapes" is the general one.
    """

    name: Name = "two-rectangles"
    """Which set; folder is a folder of your own pictures."""
    images: Annotated[int | None, _left_out("N")] = None
    """Images to train on, at most. Left out: 10,000 of a synthetic set, all of a real one."""
    held_out: Annotated[int | None, _left_out("N")] = None
    """Images to validate on, and again to test on, at most. Left out: 2,000 of a synthetic set, all of a real one."""
    size: Annotated[int | None, _left_out("PIXELS")] = None
    """Side in pixels. Left out: 28 for a synthetic set, 64 for a folder, and as a real set is (faces: 100)."""
    channels: Literal[1, 3] = 1
    """1 is gray, 3 is RGB."""
    folder: Annotated[Path | None, _left_out("FOLDER")] = None
    """Your pictures; for a real set, where it lies. Left out: what LIMNER_DATA names, or the cache of downloads."""
    seed: int = 0
    """Another seed draws other images; the splits never share theirs."""
    counts: Annotated[tuple[int, int] | None, _left_out("FEWEST MOST")] = None
    """Fewest and most shapes in an image."""
    counts_held_out: Annotated[tuple[int, int] | None, _left_out("FEWEST MOST")] = None
    """Of the images to validate and to test on, if they are to have other numbers of shapes."""
    shapes: Annotated[tuple[Shape, ...] | None, _left_out("SHAPE ...")] = None
    """Shapes to choose from: square, circle, line, curve."""
    isotropic: Annotated[bool | None, _left_out("True|False")] = None
    """Shapes as wide as high."""
    min_side: Annotated[float | None, _left_out("PIXELS")] = None
    """Shortest side in pixels."""
    max_side: Annotated[float | None, _left_out("PIXELS")] = None
    """Longest side in pixels."""
    rotation: Annotated[float | None, _left_out("DEGREES")] = None
    """Largest turn either way, in degrees."""
    levels: Annotated[tuple[float, ...] | None, _left_out("INK ...")] = None
    """Inks that a shape may have, each of its channels on its own: 1 is black. The option alone: any from 0.2 to 1."""
    inverted: Annotated[float | None, _left_out("SHARE")] = None
    """Share of images that are white on black."""
    overlap: Annotated[bool | None, _left_out("True|False")] = None
    """Whether shapes may lie over one another."""

    @property
    def synthetic(self) -> bool:
        """Whether the images are drawn, not read."""
        return self.name in SYNTHETIC

    def recipe(self, split: Split = "train") -> Recipe:
        """How the images of a synthetic set are made; sides grow with the canvas unless they are given.

        Raises UserError for what cannot be drawn.
        """
        named, size = SYNTHETIC[self.name], self.size or THESIS_SIZE
        named = replace(
            named, min_side=named.min_side * size / THESIS_SIZE, max_side=named.max_side * size / THESIS_SIZE
        )
        given, counts = self._given(), "counts"
        held_out = given.pop("counts_held_out", None)
        if held_out and split != "train":
            given["counts"], counts = held_out, "counts-held-out"
        recipe = replace(named, **given)
        _check(recipe, counts)
        return recipe

    def check(self) -> None:
        """Raise UserError, which begins with the name of a setting, for values that make no sense."""
        for name, known in (("name", get_args(Name)), ("channels", (1, 3))):
            if getattr(self, name) not in known:
                raise UserError(f"{name} {getattr(self, name)}: expected one of {', '.join(map(str, known))}")
        for name, most in MOST.items():
            within(_flag(name), getattr(self, name), 1, most)
        if not 0 <= self.seed < 2**63:
            raise UserError(f"seed {self.seed}: expected 0 to 2^63 - 1")
        if self.synthetic and self.folder:
            raise UserError(f"folder {self.folder}: {self.name} is drawn: your own pictures are the set called folder")
        if self.synthetic:
            for split in SPLITS:
                self.recipe(split)
        elif given := self._given():
            raise UserError(f"{_flag(next(iter(given)))} is for synthetic sets: {self.name} is not drawn")

    def _given(self) -> dict[str, Any]:
        names = [*(field.name for field in fields(Recipe)), "counts_held_out"]
        values = {name: getattr(self, name) for name in names}
        return {name: value for name, value in values.items() if value is not None}


def check_used(data: Data, split: Split, before: Data | None = None) -> None:
    """Raise UserError, which begins with the name of a setting, for one that images of a split do not depend on.

    before: settings that were there already; what is as in these was not asked for.
    """
    for name in ("held_out", "counts_held_out") if split == "train" else ("images",):
        value = getattr(data, name)
        if value is not None and value != getattr(before, name, None):
            raise UserError(f"{_flag(name)} is of no use with --split {split}")


def _check(recipe: Recipe, counts: str) -> None:
    fewest, most = recipe.counts
    if not 0 <= fewest <= most or most < 1:
        raise UserError(f"{counts} {fewest} {most}: expected the fewest shapes, then the most")
    within(counts, most, 1, MOST_SHAPES)
    if not recipe.shapes:
        raise UserError("shapes: name at least one")
    if not 0 < recipe.min_side <= recipe.max_side < math.inf:
        raise UserError(
            f"min-side, max-side: {recipe.min_side:g} to {recipe.max_side:g} pixels: expected less first, above 0"
        )
    if not 0 <= recipe.rotation <= 180:
        raise UserError(f"rotation {recipe.rotation:g}: expected 0 to 180 degrees")
    if not all(0 <= level <= 1 for level in (*recipe.levels, recipe.inverted)):
        raise UserError("levels and inverted: expected numbers from 0 to 1")


def _flag(name: str) -> str:
    return name.replace("_", "-")
