import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args

import pytest

from limner.data.settings import SYNTHETIC, Data, Name, Recipe
from limner.errors import UserError


def test_every_recipe_field_can_be_set() -> None:
    assert {field.name for field in fields(Recipe)} <= {field.name for field in fields(Data)}


def test_what_is_left_out_is_as_the_name_says() -> None:
    assert Data("four-rectangles").recipe() == SYNTHETIC["four-rectangles"]
    assert Data("four-rectangles", counts=(3, 3)).recipe().max_side == SYNTHETIC["four-rectangles"].max_side


def test_sides_grow_with_the_canvas_unless_given() -> None:
    recipe = Data("two-rectangles", size=56, min_side=3.0).recipe()
    assert (recipe.min_side, recipe.max_side) == (3.0, 28.0)


def test_images_that_are_held_out_may_have_other_numbers_of_shapes() -> None:
    data = Data("shapes", counts=(1, 2), counts_held_out=(5, 6))
    assert [data.recipe(split).counts for split in ("train", "validation", "test")] == [(1, 2), (5, 6), (5, 6)]


BAD = [
    (Data(size=10**8), "size 100000000: expected 1 to 8192"),
    (Data(images=0), "images 0"),
    (Data(held_out=-1), "held-out -1"),
    (Data(size=0), "size 0"),
    (Data(seed=-1), "seed -1"),
    (Data("mnist", seed=2**64), "seed 18446744073709551616"),
    (Data(counts=(3, 2)), "counts 3 2"),
    (Data(counts=(0, 0)), "counts 0 0"),
    (Data(shapes=()), "shapes"),
    (Data(min_side=6.0, max_side=5.0), "6 to 5"),
    (Data(max_side=float("inf")), "5 to inf"),
    (Data(min_side=0.0), "0 to 14"),
    (Data(rotation=200.0), "rotation 200"),
    (Data(levels=(1.5,)), "levels"),
    (Data(inverted=-0.5), "inverted"),
    (Data("mnist", min_side=3.0), "min-side is for synthetic sets"),
    (Data("mnist", counts_held_out=(1, 2)), "counts-held-out is for synthetic sets"),
    (Data("shapes", counts_held_out=(3, 2)), "counts-held-out 3 2"),
    (
        Data("two-shapes", folder=Path("mine")),
        "folder mine: two-shapes is drawn: your own pictures are the set called folder",
    ),
    (Data("shapes", counts=(1, 10**22)), "counts 10000000000000000000000: expected 1 to 1000"),
]


@pytest.mark.parametrize(("data", "words"), BAD, ids=[words for _, words in BAD])
def test_senseless_settings_are_refused(data: Data, words: str) -> None:
    with pytest.raises(UserError, match=words):
        data.check()


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"name": "foo"}, "name foo: expected one of two-rectangles"),
        ({"channels": 2}, "channels 2: expected one of 1, 3"),
    ],
)
def test_what_is_none_of_the_choices_is_refused(given: dict[str, Any], words: str) -> None:
    with pytest.raises(UserError, match=words):
        Data(**given).check()


@pytest.mark.parametrize("name", get_args(Name))
def test_every_set_is_sound_as_it_is(name: Any) -> None:
    Data(name, folder=Path("pictures") if name == "folder" else None).check()


def test_settings_are_light() -> None:
    code = "import sys, limner.data.options, limner.data; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"torch", "numpy", "PIL", "pooch"} & set(run.stdout.split())
