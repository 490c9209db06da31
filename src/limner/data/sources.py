"""Where the real data sets lie, and fetching those that may be fetched."""

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
from filelock import FileLock

from limner.data.settings import Data, Name
from limner.errors import UserError
from limner.files import place
from limner.printing import on_terminal, say

TIMEOUT = 30


@dataclass(frozen=True)
class Source:
    """A data set as its archives unpack: `folder` holds `files` (names or patterns), which come from `place`.

    hashes: of what is downloaded, by file name; none where the terms or an unknown hash forbid it.
    unpack: where archives (.zip, .tar.gz) are unpacked; other files go into `folder`.
    counts: images of the whole set in each split.  side: of its images, in pixels.
    """

    what: str
    folder: str
    files: tuple[str, ...]
    place: str
    counts: tuple[int, int, int]
    side: int
    hashes: dict[str, str] = field(default_factory=dict)
    unpack: str | None = None

    def inside(self, root: Path) -> Path | None:
        """The set's folder below `root`, if all of its files are there."""
        folder = root / self.folder
        return folder if all(next(folder.glob(name), None) for name in self.files) else None

    def missing(self, folder: Path) -> str:
        """How many images are missing, in words, of a set with a file for each; empty for none, and for other sets."""
        whole = sum(self.counts)
        found = sum(1 for _ in folder.glob(self.files[0])) if "[" in self.files[0] else whole
        return f"{folder}: {whole - found:,} of the {whole:,} images are missing" if found < whole else ""


SOURCES: dict[Name, Source] = {
    "mnist": Source(
        "put the four files *-ubyte.gz",
        "MNIST/raw",
        tuple(
            f"{part}-ubyte.gz"
            for part in ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1")
        ),
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        (55_000, 5_000, 10_000),
        28,
        {
            "train-images-idx3-ubyte.gz": "md5:f68b3c2dcbeaaa9fbdd348bbdeb94873",
            "train-labels-idx1-ubyte.gz": "md5:d53e105ee54ea40749a09fcbcd1e9432",
            "t10k-images-idx3-ubyte.gz": "md5:9fb629c4189551a2d022fa330f9573f3",
            "t10k-labels-idx1-ubyte.gz": "md5:ec29112dd5afa0611ce80d1b7f02629c",
        },
    ),
    "omniglot": Source(
        "unpack images_background.zip",
        "omniglot-py/images_background",
        ("*/character*/[0-9][0-9][0-9][0-9]_[0-9][0-9].png",),
        "https://github.com/brendenlake/omniglot/raw/master/python/",
        (13_520, 1_920, 3_840),
        105,
        {"images_background.zip": "md5:68d2efa1b9178cc56df9314c21c6e718"},
        unpack="omniglot-py",
    ),
    "cifar": Source(
        "unpack cifar-10-binary.tar.gz",
        "cifar-10-batches-bin",
        (*(f"data_batch_{k}.bin" for k in range(1, 6)), "test_batch.bin"),
        "https://www.cs.toronto.edu/~kriz/",
        (45_000, 5_000, 10_000),
        32,
        {"cifar-10-binary.tar.gz": "md5:c32a1d4ab5d03f1284b67883e8d87530"},
        unpack=".",
    ),
    "faces": Source(
        "put the frames (.pgm) and eyes (.eye)",
        "BioID-FaceDatabase-V1.2",
        ("BioID_[0-9][0-9][0-9][0-9].pgm", "BioID_[0-9][0-9][0-9][0-9].eye"),
        "https://www.bioid.com/face-database/",
        (1_214, 105, 202),
        100,
    ),
}


def cache() -> Path:
    """Where downloads and decoded pictures are kept; UserError for a user without a home."""
    try:
        return Path(pooch.os_cache("limner"))
    except RuntimeError as error:
        raise UserError(f"no folder for downloads is known ({error}): set HOME, or XDG_CACHE_HOME") from error


def named_root(data: Data) -> Path | None:
    """The folder that the settings or LIMNER_DATA name, with data sets in it."""
    folder = data.folder or os.environ.get("LIMNER_DATA")
    return Path(folder) if folder else None


def present(data: Data) -> Path | None:
    """The folder of a real set, if it is on this machine."""
    return SOURCES[data.name].inside(named_root(data) or cache())


def check_apart(option: str, path: Path, data: Data) -> None:
    """UserError for what would be written among the images of a set, of which it would become one, or replace one."""
    folder = data.folder if data.name == "folder" else present(data) if data.name in SOURCES else None
    if folder and Path(place(path)).is_relative_to(place(folder)):
        raise UserError(f"{path}: lies in {folder}, whose pictures are the data: give {option} another folder")


def tell_of_part(data: Data) -> None:
    """Say on stderr where only a part of a real set is on this machine."""
    folder = present(data) if data.name in SOURCES else None
    if folder and (words := SOURCES[data.name].missing(folder)):
        say(f"limner: {words}", sys.stderr)


def fetch(data: Data) -> Path:
    """The folder of a real set, downloaded into the cache where no folder is named.

    Raises UserError, with the place to get it from, for a set that is missing and cannot be fetched.
    """
    if found := present(data):
        return found
    source = SOURCES[data.name]
    if named_root(data) or not source.hashes:
        own = "; your own pictures are the set called folder" if data.folder else ""
        raise UserError(f"{data.name} is missing: {advice(data)}{own}")
    try:
        cache().mkdir(parents=True, exist_ok=True)
        with FileLock(cache() / f".{data.name}.lock"):  # of processes that want it at a time, one downloads it
            if not present(data):
                download(source, cache())
    except requests.ConnectionError as error:
        raise UserError(f"{data.name} cannot be downloaded, without a connection: {by_hand(source)}") from error
    except (requests.RequestException, OSError, ValueError, tarfile.TarError, zipfile.BadZipFile) as error:
        raise UserError(f"{data.name} cannot be downloaded: {error}; {by_hand(source)}") from error
    found = present(data)
    if not found:
        raise UserError(f"{data.name}: what {source.place} gave does not hold {source.folder}")
    return found


def advice(data: Data) -> str:
    """How to get a set that is missing."""
    root, source = named_root(data), SOURCES[data.name]
    return by_hand(source, root) if root or not source.hashes else f"downloaded at first use from {source.place}"


def by_hand(source: Source, root: Path | None = None) -> str:
    """How to get a set without limner: what, from where, to where."""
    words = f"{source.what} from {source.place} into {(root or Path('DIR')) / (source.unpack or source.folder)}"
    return words if root else f"{words} and set LIMNER_DATA=DIR"


def download(source: Source, root: Path) -> None:
    """Download all files of a source, compare their hashes and unpack archives, each whole or not at all."""
    fetcher = pooch.HTTPDownloader(progressbar=on_terminal(sys.stderr), timeout=TIMEOUT)
    folder = root / ("downloads" if source.unpack else source.folder)
    for name, known in source.hashes.items():
        path = pooch.retrieve(source.place + name, known, name, folder, downloader=fetcher)  # pyright: ignore[reportArgumentType]
        if source.unpack:
            _unpack(Path(path), root / source.unpack)
            Path(path).unlink()


def _unpack(archive: Path, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=folder) as temporary:
        if archive.suffix == ".zip":
            with zipfile.ZipFile(archive) as opened:
                opened.extractall(temporary)
        else:
            with tarfile.open(archive) as opened:
                opened.extraction_filter = getattr(tarfile, "data_filter", None)  # Python 3.11.4
                opened.extractall(temporary)
        for part in Path(temporary).iterdir():
            shutil.rmtree(folder / part.name, ignore_errors=True)
            part.rename(folder / part.name)
