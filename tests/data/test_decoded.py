import os
from pathlib import Path

import numpy as np
import pytest

from limner.data.decoded import decoded


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "files"
    folder.mkdir()
    for name in ("a", "b"):
        (folder / name).write_text(name)
    return folder


def times(folder: Path, value: int = 7, name: str = "set") -> tuple[int, int]:
    """What comes back, and how often decoding was needed for it."""
    calls = []

    def decode() -> np.ndarray:
        calls.append(1)
        return np.array([value], np.uint8)

    return int(decoded(name, folder, sorted(folder.iterdir()), decode)[0]), len(calls)


def test_decoded_once(folder: Path) -> None:
    assert times(folder) == (7, 1)
    assert times(folder, 8) == (7, 0)
    assert times(folder, 8, name="other") == (8, 1)


def older(file: Path) -> None:
    os.utime(file, (1, 1))


def longer(file: Path) -> None:
    date = file.stat().st_mtime_ns
    file.write_text("longer")
    os.utime(file, ns=(date, date))


CHANGES = {
    "content": lambda folder: (folder / "a").write_text("longer"),
    "date": lambda folder: older(folder / "a"),
    "size alone": lambda folder: longer(folder / "a"),
    "name": lambda folder: (folder / "a").rename(folder / "c"),
    "one less": lambda folder: (folder / "a").unlink(),
    "one more": lambda folder: (folder / "c").write_text("c"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_decoded_anew_when_files_change(folder: Path, cache: Path, change) -> None:
    times(folder)
    change(folder)
    assert times(folder, 8) == (8, 1)
    assert times(folder, 9) == (8, 0)
    assert len(list((cache / "decoded").iterdir())) == 1


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04 cut short"])
def test_a_damaged_cache_costs_only_time(folder: Path, cache: Path, content: bytes) -> None:
    times(folder)
    (kept,) = (cache / "decoded").iterdir()
    whole = kept.read_bytes()
    for damage in (content, whole[:-30], whole[:90] + bytes(20) + whole[110:]):
        kept.write_bytes(damage)
        assert times(folder, 8) == (8, 1)
        assert times(folder, 9) == (8, 0)


def test_a_cache_that_seems_encrypted_costs_only_time(folder: Path, cache: Path) -> None:
    times(folder)
    (kept,) = (cache / "decoded").iterdir()
    whole = kept.read_bytes()
    flags = whole.index(b"PK\1\2") + 8  # of the first file in the archive's list of them
    kept.write_bytes(whole[:flags] + bytes([whole[flags] | 1]) + whole[flags + 1 :])
    assert times(folder, 8) == (8, 1)
    assert times(folder, 9) == (8, 0)


def test_a_cache_that_cannot_be_written_costs_only_time(folder: Path, cache: Path) -> None:
    cache.write_text("a file where the folder should be")
    assert times(folder) == (7, 1)
    assert times(folder, 8) == (8, 1)
