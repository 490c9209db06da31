"""Loading by settings; and the real data, from the sample and, where LIMNER_DATA names it, whole."""

import hashlib
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pooch
import pytest
import torch
from PIL import Image

from limner.data import Data, Images, load
from limner.data.loading import gray
from limner.data.settings import SPLITS
from limner.data.sources import SOURCES
from limner.errors import UserError

SAMPLE_COUNTS = {"mnist": (88, 8, 24), "omniglot": (8, 8, 8), "cifar": (18, 2, 4), "faces": (4, 4, 4)}
CIFAR_MD5 = [
    "5dd7e06a14cb22eb9f671a540d1b7c25",
    "5ea93a67294ea407fff1d09f752e9692",
    "942cd6a4bcdd0dd3c604fbe906cb4421",
    "ae636b3ba5c66a11e91e8cb52e771fcb",
    "53f37980c15c3d472c316c40844f3f0d",
    "803d5f7f4d78ea53de84dbe85f74fb6d",
]


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def whole(data: Path | None, kept: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the whole data sets, decoded once for this module."""
    if data is None:
        pytest.skip("LIMNER_DATA names no folder")
    monkeypatch.setattr(pooch, "os_cache", lambda _: kept)
    return data


def splits(data: Data) -> list[Images]:
    return [load(data, split) for split in SPLITS]


def labels(images: Images) -> torch.Tensor:
    assert images.labels is not None
    return images.labels


@pytest.mark.parametrize("name", SAMPLE_COUNTS)
def test_a_sample_of_every_real_set(name: Any, sample: Path) -> None:
    train, validation, test = splits(Data(name, folder=sample))
    assert (len(train), len(validation), len(test)) == SAMPLE_COUNTS[name]
    side = SOURCES[name].side
    for images in (train, validation, test):
        assert images.pixels.shape[1:] == (1, side, side)
        assert images.pixels.dtype == torch.uint8
        assert images.truth is None
        assert (images.labels is None) == (name == "faces")
    again = load(Data(name, folder=sample))
    assert again.pixels.equal(train.pixels)


@pytest.mark.parametrize("name", SAMPLE_COUNTS)
def test_counts_of_the_whole(name: Any, whole: Path) -> None:
    counts = tuple(len(load(Data(name, folder=whole), split)) for split in SPLITS)
    assert counts == SOURCES[name].counts


def test_mnist_has_its_digits(whole: Path) -> None:
    train, validation, test = splits(Data("mnist", folder=whole))
    digits = labels(train).bincount() + labels(validation).bincount()
    assert digits.tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert labels(test).bincount().tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    mean = torch.cat([train.pixels, validation.pixels]).float().mean().item() / 255
    assert mean == pytest.approx(0.1307, abs=5e-5)


def test_cifar_is_the_official_one(whole: Path) -> None:
    """The bytes of the official files, made again from the images and labels."""
    parts = splits(Data("cifar", folder=whole, channels=3))
    bytes_of = [(labels(part).byte()[:, None], 255 - part.pixels.flatten(1)) for part in parts]
    records = [torch.cat(pair, 1).numpy() for pair in bytes_of]
    train = np.concatenate(records[:2]).reshape(5, 10_000, -1)
    assert [hashlib.md5(batch.tobytes()).hexdigest() for batch in (*train, records[2])] == CIFAR_MD5


def test_omniglot_has_twenty_of_every_character(whole: Path) -> None:
    parts = splits(Data("omniglot", folder=whole))
    seen = [set(labels(part).tolist()) for part in parts]
    assert [len(characters) for characters in seen] == [676, 96, 192]
    assert set.union(*seen) == set(range(964))
    for part in parts:
        assert labels(part).bincount().unique().tolist() in ([20], [0, 20])
        assert part.pixels[:500].unique().tolist() == [0, 255]
        assert part.pixels.flatten(1).any(1).all()


def test_faces_fill_their_squares(whole: Path) -> None:
    """Eyes are dark: about their places, on the average face, there is more ink than between and under them."""
    mean = load(Data("faces", folder=whole)).ink().mean(0)[0]
    places = {"left": (38, 29), "right": (38, 70), "nose": (38, 50), "cheek": (58, 28)}
    left, right, nose, cheek = (mean[y - 3 : y + 3, x - 3 : x + 3].mean() for y, x in places.values())
    assert min(left, right) > max(nose, cheek) + 0.05


def test_fewer_images_are_drawn_from_all(sample: Path) -> None:
    data = Data("mnist", folder=sample, images=20, held_out=3)
    all_of_it = {image.numpy().tobytes() for image in load(replace(data, images=None)).pixels}
    some = load(data)
    assert [len(part) for part in splits(data)] == [20, 3, 3]
    assert {image.numpy().tobytes() for image in some.pixels} <= all_of_it
    assert load(data).pixels.equal(some.pixels)
    other = load(replace(data, seed=1))
    assert not other.pixels.equal(some.pixels)
    assert len(load(replace(data, images=1000))) == 88


def test_labels_stay_with_their_images(sample: Path) -> None:
    whole_set, some = load(Data("mnist", folder=sample)), load(Data("mnist", folder=sample, images=20))
    names = {image.numpy().tobytes(): label for image, label in zip(whole_set.pixels, labels(whole_set), strict=True)}
    assert [names[image.numpy().tobytes()] for image in some.pixels] == labels(some).tolist()


def test_gray_is_that_of_pillow(sample: Path) -> None:
    colour, gray = (load(Data("cifar", folder=sample, channels=channels)) for channels in (3, 1))  # pyright: ignore[reportArgumentType]
    for rgb, ink in zip(colour.pixels, gray.pixels, strict=True):
        luma = np.asarray(Image.fromarray((255 - rgb).permute(1, 2, 0).contiguous().numpy()).convert("L"))
        assert np.abs(255 - luma.astype(int) - ink[0].numpy()).max() <= 1


def test_gray_in_three_channels_is_the_gray_that_it_shows() -> None:
    shades = torch.arange(256, dtype=torch.uint8)[:, None, None, None]
    assert torch.equal(gray(shades.expand(-1, 3, 2, 2)), shades.expand(-1, 1, 2, 2))


def test_gray_images_have_three_equal_channels(sample: Path) -> None:
    gray, colour = (load(Data("faces", folder=sample, channels=channels)) for channels in (1, 3))  # pyright: ignore[reportArgumentType]
    assert colour.pixels.equal(gray.pixels.repeat(1, 3, 1, 1))
    assert colour.ink().shape == (4, 3, 100, 100)


@pytest.mark.parametrize("side", [14, 50])
def test_other_sizes(side: int, sample: Path) -> None:
    full, small = (load(Data("faces", folder=sample, size=size)) for size in (100, side))
    assert small.size == (side, side)
    for before, after in zip(full.pixels, small.pixels, strict=True):
        by_pillow = Image.fromarray(before[0].numpy()).resize((side, side), Image.Resampling.BILINEAR)
        assert np.abs(np.asarray(by_pillow).astype(int) - after[0].numpy()).max() <= 2


def test_senseless_settings_are_refused(sample: Path) -> None:
    with pytest.raises(UserError, match="images 0"):
        load(Data("mnist", folder=sample, images=0))


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("name", ["shapes", "mnist"])
def test_there_are_three_splits(name: Any, sample: Path) -> None:
    with pytest.raises(UserError, match="split foo: expected one of train, validation, test"):
        load(Data(name, folder=sample if name == "mnist" else None), "foo")  # pyright: ignore[reportArgumentType]


def test_a_split_without_images_is_said(sample: Path) -> None:
    shutil.rmtree(sample / "omniglot-py/images_background/Greek")
    with pytest.raises(UserError, match="omniglot: there are no images to test on"):
        load(Data("omniglot", folder=sample), "test")
