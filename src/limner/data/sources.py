"""Where the real data sets lie, and fetching those that may be fetched."""

from __future__ import annotations

import os
import shutil
import sys
import tarfile
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import pooch
import requests

from limner.data.settings import Data
from limner.errors import UserError

TIMEOUT = 30


@dataclass(frozen=True)
class Source:
    """A data set as its archives unpack: `folder` holds `files` (names or patterns); `hashes` by file to download.

    Archives (.zip, .tar.gz) are unpacked into `unpack`, other files are kept in `folder`.
    """

    folder: str
    files: tuple[str, ...]
    place: str
    hashes: dict[str, str] = field(default_factory=dict)
    unpack: str = "."

    def inside(self, root: Path) -> Path | None:
        """The set's folder below `root`, if all of its files are there."""
        folder = root / self.folder
        return folder if all(next(folder.glob(name), None) for name in self.files) else None


SOURCES = {
    "mnist": Source(
        "MNIST/raw",
        tuple(
            f"{part}-ubyte.gz"
            for part in ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1")
        ),
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        {
            "train-images-idx3-ubyte.gz": "md5:f68b3c2dcbeaaa9fbdd348bbdeb94873",
            "train-labels-idx1-ubyte.gz": "md5:d53e105ee54ea40749a09fcbcd1e9432",
            "t10k-images-idx3-ubyte.gz": "md5:9fb629c4189551a2d022fa330f9573f3",
            "t10k-labels-idx1-ubyte.gz": "md5:ec29112dd5afa0611ce80d1b7f02629c",
        },
    ),
    "omniglot": Source(
        "omniglot-py/images_background",
        ("*/character*/*.png",),
        "https://github.com/brendenlake/omniglot/raw/master/python/",
        {"images_background.zip": "md5:68d2efa1b9178cc56df9314c21c6e718"},
        unpack="omniglot-py",
    ),
    "cifar": Source(
        "cifar-10-batches-bin",
        (*(f"data_batch_{k}.bin" for k in range(1, 6)), "test_batch.bin"),
        "https://www.cs.toronto.edu/~kriz/",
        {"cifar-10-binary.tar.gz": "md5:c32a1d4ab5d03f1284b67883e8d87530"},
    ),
    "faces": Source("BioID-FaceDatabase-V1.2", ("*.pgm", "*.eye"), "https://www.bioid.com/face-database/"),
}


def cache() -> Path:
    """Where downloads and decoded pictures are kept."""
    return Path(pooch.os_cache("limner"))


def named_root(data: Data) -> Path | None:
    """The folder that the settings or LIMNER_DATA name, with data sets in it."""
    folder = data.folder or os.environ.get("LIMNER_DATA")
    return Path(folder) if folder else None


def present(data: Data) -> Path | None:
    """The folder of a real set, if it is on this machine."""
    return SOURCES[data.name].inside(named_root(data) or cache())


def fetch(data: Data) -> Path:
    """The folder of a real set, downloaded into the cache where no folder is named.

    Raises UserError, with the place to get it from, for a set that is missing and cannot be fetched.
    """
    if found := present(data):
        return found
    root, source = named_root(data), SOURCES[data.name]
    if root:
        raise UserError(f"{data.name}: not in {root}: {_by_hand(source, root)}")
    if not source.hashes:
        raise UserError(f"{data.name}: {_by_hand(source, Path('FOLDER'))} and set LIMNER_DATA=FOLDER")
    try:
        download(source, cache())
    except (requests.RequestException, OSError, ValueError) as error:
        words = f"{data.name}: cannot be downloaded ({error}): {_by_hand(source, Path('FOLDER'))}"
        raise UserError(f"{words} and set LIMNER_DATA=FOLDER") from error
    found = present(data)
    if not found:
        raise UserError(f"{data.name}: the archive from {source.place} does not hold {source.folder}")
    return found


def download(source: Source, root: Path) -> None:
    """Download all files of a source, compare their hashes and unpack archives, each whole or not at all."""
    fetcher = pooch.HTTPDownloader(progressbar=sys.stderr.isatty(), timeout=TIMEOUT)
    for name, known in source.hashes.items():
        archive = name.endswith((".zip", ".tar.gz"))
        folder = root / ("downloads" if archive else source.folder)
        path = Path(
            pooch.retrieve(source.place + name, known, name, folder, downloader=fetcher)  # pyright: ignore[reportArgumentType]
        )
        if archive:
            _unpack(path, root / source.unpack)
            path.unlink()


def _unpack(archive: Path, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=folder) as temporary:
        if archive.suffix == ".zip":
            with zipfile.ZipFile(archive) as opened:
                opened.extractall(temporary)
        else:
            with tarfile.open(archive) as opened:
                opened.extractall(temporary, filter="data")
        for part in Path(temporary).iterdir():
            shutil.rmtree(folder / part.name, ignore_errors=True)
            part.rename(folder / part.name)


def _by_hand(source: Source, root: Path) -> str:
    files = ", ".join(source.hashes or source.files)
    verb = "unpack" if any(name.endswith((".zip", ".gz")) and source.unpack != "." for name in source.hashes) else "put"
    return f"get {files} from {source.place} and {verb} into {root / source.folder}"
