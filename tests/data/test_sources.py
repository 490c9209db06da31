"""Finding and fetching, from a server on this machine in place of the official ones."""

import functools
import hashlib
import os
import re
import shutil
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from limner.data import Data, load, sources
from limner.errors import UserError


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sample: Path) -> Iterator[Path]:
    """The folder of a server that all sets are fetched from; it holds the archives of the sample."""
    folder = tmp_path / "served"
    shutil.copytree(sample / "MNIST/raw", folder)
    with tarfile.open(folder / "cifar-10-binary.tar.gz", "w:gz") as archive:
        archive.add(sample / "cifar-10-batches-bin", "cifar-10-batches-bin")
    with zipfile.ZipFile(folder / "images_background.zip", "w") as archive:
        for file in (sample / "omniglot-py").rglob("*.png"):
            archive.write(file, file.relative_to(sample / "omniglot-py"))
    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder))) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        for name, source in sources.SOURCES.items():
            hashes = {file: f"md5:{hashlib.md5((folder / file).read_bytes()).hexdigest()}" for file in source.hashes}
            place = f"http://127.0.0.1:{running.server_port}/"
            monkeypatch.setitem(sources.SOURCES, name, replace(source, place=place, hashes=hashes))
        yield folder
        running.shutdown()
        thread.join()


def files_below(folder: Path) -> set[str]:
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    return files - {".mnist.lock", ".omniglot.lock", ".cifar.lock"}


@pytest.mark.parametrize("name", ["mnist", "omniglot", "cifar"])
def test_what_is_downloaded_is_what_lies_in_a_folder(name: str, server: Path, sample: Path, cache: Path) -> None:
    data = Data(name)  # pyright: ignore[reportArgumentType]
    assert sources.present(data) is None
    here = load(replace(data, folder=sample))
    assert here.pixels.equal(load(data).pixels)
    folder = sources.SOURCES[data.name].folder
    files = {file for file in files_below(sample) if file.startswith(folder)}
    assert {file for file in files_below(cache) if not file.startswith("decoded")} == files
    shutil.rmtree(server)
    assert here.pixels.equal(load(data).pixels)


def test_of_several_that_want_a_set_one_downloads_it(
    server: Path, sample: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, asked = Data("omniglot", folder=None), []
    monkeypatch.setattr(Quiet, "log_request", lambda self, *_: asked.append(self.path), raising=True)
    with ThreadPoolExecutor(4) as pool:
        folders = list(pool.map(sources.fetch, [data] * 4))
    assert len(set(folders)) == 1
    assert asked == ["/images_background.zip"]
    assert load(data).pixels.equal(load(replace(data, folder=sample)).pixels)


def test_other_bytes_are_refused(server: Path, cache: Path) -> None:
    (server / "cifar-10-binary.tar.gz").write_bytes(b"another archive")
    with pytest.raises(UserError, match=r"cifar cannot be downloaded: .*hash.*unpack cifar-10-binary.tar.gz from"):
        load(Data("cifar"))
    assert files_below(cache) == set()


def test_an_archive_of_something_else(server: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = sources.SOURCES["omniglot"]
    monkeypatch.setitem(sources.SOURCES, "cifar", replace(source, folder="cifar-10-batches-bin"))
    with pytest.raises(UserError, match=r"cifar: what http.* gave does not hold cifar-10-batches-bin"):
        load(Data("cifar"))


def test_a_file_that_is_not_there(server: Path) -> None:
    (server / "t10k-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(UserError, match=r"mnist cannot be downloaded: 404 .*put the four files"):
        load(Data("mnist"))


def test_no_connection(server: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = replace(sources.SOURCES["mnist"], place="http://127.0.0.1:9/")
    monkeypatch.setitem(sources.SOURCES, "mnist", source)
    with pytest.raises(UserError, match=r"mnist cannot be downloaded, without a connection: put the four files"):
        load(Data("mnist"))


def test_a_cache_that_cannot_be_made(server: Path, cache: Path) -> None:
    cache.touch()
    with pytest.raises(UserError, match=r"mnist cannot be downloaded: .* and set LIMNER_DATA=DIR"):
        sources.fetch(Data("mnist"))


def test_a_user_without_a_home_is_told(server: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless(name: str) -> None:
        raise RuntimeError("could not determine the home directory")

    monkeypatch.setattr("pooch.os_cache", homeless)
    with pytest.raises(UserError, match=r"no folder for downloads is known .*: set HOME, or XDG_CACHE_HOME"):
        sources.cache()


def test_half_an_archive_is_unpacked_anew(server: Path, cache: Path) -> None:
    half = cache / "cifar-10-batches-bin/data_batch_1.bin"
    half.parent.mkdir(parents=True)
    half.write_bytes(b"half")
    assert len(load(Data("cifar"))) == 18


@pytest.mark.parametrize("by", ["field", "variable"])
@pytest.mark.parametrize("name", ["mnist", "omniglot", "cifar", "faces"])
def test_nothing_is_fetched_into_a_folder_that_is_named(
    name: str, by: str, server: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    data = Data(name, folder=empty if by == "field" else None)  # pyright: ignore[reportArgumentType]
    if by == "variable":
        monkeypatch.setenv("LIMNER_DATA", str(empty))
    with pytest.raises(UserError, match=rf"{name} is missing: .* from http.* into {re.escape(str(empty))}") as found:
        load(data)
    assert ("your own pictures are the set called folder" in str(found.value)) == (by == "field")
    assert files_below(empty) == set()


def test_faces_are_not_downloaded() -> None:
    with pytest.raises(UserError, match=r"faces is missing: .*bioid\.com.* and set LIMNER_DATA=DIR"):
        load(Data("faces"))


def test_the_field_goes_before_the_variable(sample: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIMNER_DATA", str(tmp_path / "nowhere"))
    assert sources.present(Data("mnist", folder=sample)) == sample / "MNIST/raw"
    monkeypatch.setenv("LIMNER_DATA", str(sample))
    assert sources.present(Data("mnist")) == sample / "MNIST/raw"


@pytest.mark.parametrize("name", ["mnist", "omniglot", "cifar", "faces"])
def test_a_set_without_one_of_its_files_is_missing(name: str, sample: Path) -> None:
    data = Data(name, folder=sample)  # pyright: ignore[reportArgumentType]
    source = sources.SOURCES[data.name]
    assert sources.present(data)
    for file in list((sample / source.folder).glob(source.files[-1])):
        os.remove(file)
    assert sources.present(data) is None
