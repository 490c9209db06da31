from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from limner.data import omniglot
from limner.errors import UserError

FOLDER = "omniglot-py/images_background"


@pytest.mark.parametrize(("split", "alphabet"), [("train", "Latin"), ("validation", "Hebrew"), ("test", "Greek")])
def test_a_split_has_whole_alphabets(sample: Path, split, alphabet: str) -> None:
    images = omniglot.read(sample / FOLDER, split)
    files = sorted((sample / FOLDER / alphabet).rglob("*.png"))
    assert images.labels is not None
    assert images.labels.tolist() == [int(file.name[:4]) - 1 for file in files]
    for image, file in zip(images.pixels, files, strict=True):
        assert np.array_equal(image[0].numpy() == 255, ~np.asarray(Image.open(file)))
        assert 0.005 < (image == 255).float().mean() < 0.2


def test_no_alphabet_is_held_out_twice() -> None:
    assert not omniglot.VALIDATION & omniglot.TEST


@pytest.mark.parametrize(("size", "words"), [((105, 104), "is 105 x 104 pixels"), (None, "is not a picture")])
def test_other_pictures_are_refused(sample: Path, size, words: str) -> None:
    file = next((sample / FOLDER / "Latin").rglob("*.png"))
    if size:
        Image.new("1", size).save(file)
    else:
        file.write_text("text")
    with pytest.raises(UserError, match=f"{file.name}: {words}"):
        omniglot.read(sample / FOLDER, "train")
