from pathlib import Path

import pytest
import torch

from limner.data import cifar
from limner.data.sources import SOURCES
from limner.errors import UserError


def record(label: int, red: int, green: int, blue: int, first: int) -> bytes:
    planes = b"".join(bytes([value] * 1024) for value in (red, green, blue))
    return bytes([label, first]) + planes[1:]


def test_records_splits_and_ink(tmp_path: Path) -> None:
    for k in range(1, 6):
        (tmp_path / f"data_batch_{k}.bin").write_bytes(record(k, 10, 20, 30, 40) + record(9, 0, 0, 255, 0))
    (tmp_path / "test_batch.bin").write_bytes(record(7, 1, 2, 3, 4))
    train, validation, test = (cifar.read(tmp_path, split) for split in ("train", "validation", "test"))
    assert train.labels is not None
    assert train.labels.tolist() == [1, 9, 2, 9, 3, 9, 4, 9, 5]
    assert (len(validation), len(test)) == (1, 1)
    assert train.pixels[0, :, 0, 0].tolist() == [215, 235, 225]
    assert train.pixels[0, :, 31, 31].tolist() == [245, 235, 225]
    assert torch.equal(validation.pixels[0, 2], torch.zeros(32, 32, dtype=torch.uint8))


def test_a_cut_file_is_said(sample: Path) -> None:
    path = sample / "cifar-10-batches-bin/data_batch_3.bin"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(UserError, match=r"data_batch_3\.bin: is cut short"):
        cifar.read(path.parent, "train")


def test_labels_of_something_else(sample: Path) -> None:
    path = sample / "cifar-10-batches-bin/data_batch_3.bin"
    path.write_bytes(b"\x0a" + path.read_bytes()[1:])
    with pytest.raises(UserError, match=r"data_batch_3\.bin: has labels beyond the 10 classes"):
        cifar.read(path.parent, "train")


def test_as_many_are_held_out_as_is_said() -> None:
    training, validation, _ = SOURCES["cifar"].counts
    assert (training + validation) // cifar.HELD_OUT == validation
