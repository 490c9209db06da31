import gzip
from pathlib import Path

import numpy as np
import pytest
import torch

from limner.data import mnist
from limner.data.sources import SOURCES
from limner.errors import UserError


def write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(content))


def test_digits_and_splits(tmp_path: Path) -> None:
    digits = np.random.default_rng(0).integers(0, 256, (24, 28, 28), np.uint8)
    labels = np.arange(24, dtype=np.uint8) % 10
    header = bytes([0, 0, 8, 3, 0, 0, 0, 24, 0, 0, 0, 28, 0, 0, 0, 28])
    for part in ("train", "t10k"):
        write(tmp_path / f"{part}-images-idx3-ubyte.gz", header + digits.tobytes())
        write(tmp_path / f"{part}-labels-idx1-ubyte.gz", bytes([0, 0, 8, 1, 0, 0, 0, 24]) + labels.tobytes())
    train, validation, test = (mnist.read(tmp_path, split) for split in ("train", "validation", "test"))
    assert train.labels is not None
    assert (len(train), len(validation), len(test)) == (22, 2, 24)
    assert torch.cat([train.pixels, validation.pixels]).equal(torch.from_numpy(digits[:, None]))
    assert train.labels.tolist() == labels[:22].tolist()


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda content: content[:-20], "is damaged or cut short"),
        (lambda content: b"", "is empty"),
        (lambda content: b"text", "is damaged or cut short"),
        (lambda content: content[:40] + bytes(8) + content[48:], "is damaged or cut short"),
        (lambda content: gzip.compress(gzip.decompress(content)[:-1]), "is not an IDX file"),
        (lambda content: gzip.compress(b"short"), "is not an IDX file"),
        (lambda content: gzip.compress(b"\0\0\x0d\3" + gzip.decompress(content)[4:]), "is not an IDX file"),
    ],
)
def test_damage_is_said(sample: Path, damage, words: str) -> None:
    path = sample / "MNIST/raw/train-images-idx3-ubyte.gz"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(UserError, match=f"train-images-idx3-ubyte.gz: {words}"):
        mnist.read(sample / "MNIST/raw", "train")


@pytest.mark.parametrize("name", ["train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"])
def test_images_and_labels_of_something_else(name: str, sample: Path) -> None:
    path = sample / "MNIST/raw" / name
    content = gzip.decompress(path.read_bytes())
    halved = content[:8] + (14).to_bytes(4) + (56).to_bytes(4) + content[16:]
    path.write_bytes(gzip.compress(halved if "images" in name else content[:-1] + b"\x0a"))
    with pytest.raises(UserError, match="the images of train are no digits of 28 x 28 pixels"):
        mnist.read(path.parent, "train")


def test_labels_of_other_images(sample: Path) -> None:
    raw = sample / "MNIST/raw"
    (raw / "t10k-labels-idx1-ubyte.gz").write_bytes((raw / "train-labels-idx1-ubyte.gz").read_bytes())
    with pytest.raises(UserError, match="24 images of t10k but 96 labels"):
        mnist.read(raw, "test")


def test_as_many_are_held_out_as_is_said() -> None:
    training, validation, _ = SOURCES["mnist"].counts
    assert (training + validation) // mnist.HELD_OUT == validation
