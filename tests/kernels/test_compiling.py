"""Kernels and their parts, and what is kept of them on disk.

The kernel here is not cached, so that its parts are compiled.
"""

import gc
import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from numba import njit
from numba.core.caching import FunctionCache
from numba.core.compiler import Compiler
from numba.extending import overload
from PIL import Image

import limner
from limner.cpu.cells import cells_of
from limner.kernels.compiling import CheckedFiles, KernelCache, KernelCompiler
from limner.kernels.jit import OPTIONS, inlined
from limner.signals import handled
from limner.templates import TemplateBank


@inlined
def doubled(number):
    return 2 * number


@inlined
def tripled(number):
    return doubled(number) + number


@njit(pipeline_class=KernelCompiler, **OPTIONS)
def sixfold(numbers):
    for k in range(len(numbers)):
        numbers[k] = tripled(doubled(numbers[k]))


@pytest.mark.parametrize("kind", [np.float32, np.int64])
def test_kernels_are_made_of_parts(kind: type) -> None:
    sixfold(numbers := np.arange(5).astype(kind))
    np.testing.assert_array_equal(numbers, 6 * np.arange(5))


def test_parts_have_no_machine_code_but_in_kernels() -> None:
    sixfold(np.zeros(1))
    part = tripled.overloads[tripled.signatures[0]]
    name = part.fndesc.llvm_func_name
    assert part.library.get_pointer_to_function(name) == 0
    assert not [line for line in sixfold.inspect_asm(sixfold.signatures[0]).splitlines() if line.startswith(f"{name}:")]


def test_python_cannot_call_parts() -> None:
    with pytest.raises(ValueError, match="remove"):
        doubled(1)


@pytest.mark.parametrize("searching", [True, False])
def test_no_garbage_is_searched_for_meanwhile(searching: bool) -> None:
    seen = []

    def look() -> None:
        """Something that numba has to compile."""

    @overload(look)
    def compiled():
        seen.append(gc.isenabled())
        return lambda: None

    (gc.enable if searching else gc.disable)()
    try:
        njit(pipeline_class=KernelCompiler, **OPTIONS)(lambda: look())()
        assert gc.isenabled() == searching
    finally:
        gc.enable()
    assert seen
    assert not any(seen)


@pytest.mark.parametrize("what", ["compile", "load"])
def test_an_interrupt_waits_until_a_kernel_is_ready(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Python called back by LLVM cannot be left by an exception."""
    heard, seen = [], []

    def interrupt(*_) -> None:
        signal.raise_signal(signal.SIGTERM)
        seen.extend(heard)

    with handled(lambda number, frame: heard.append(number), signal.SIGTERM):
        if what == "compile":
            monkeypatch.setattr(Compiler, "compile_extra", interrupt)
            KernelCompiler.compile_extra(object.__new__(KernelCompiler), None)
        else:
            monkeypatch.setattr(FunctionCache, "_load_overload", interrupt)
            KernelCache(sixfold.py_func).load_overload(None, None)
    assert heard == [signal.SIGTERM]
    assert seen == []


def copied(folder: Path) -> Path:
    """The package, without kernels."""
    package = Path(limner.__file__).parent
    return shutil.copytree(package, folder / "limner", ignore=shutil.ignore_patterns("__pycache__"))


def test_without_a_cache_folder(tmp_path: Path) -> None:
    """No folder can be made below a file, whoever asks: neither beside the package nor the user's own cache."""
    package = copied(tmp_path / "site")
    (package / "kernels" / "__pycache__").touch()
    (tmp_path / "file").touch()
    below = str(tmp_path / "file" / "cache")
    bank = "limner.TemplateBank.named('circle')"
    code = f"import limner, limner.cpu.cells; print(limner.cpu.cells.cells_of({bank}).tables[1].sum())"
    places = {"PYTHONPATH": str(package.parent), "XDG_CACHE_HOME": below, "HOME": below, "NUMBA_CACHE_DIR": below}
    ran = subprocess.run([sys.executable, "-c", code], env={**os.environ, **places}, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert ran.stderr.count("no writable cache folder, so kernels are compiled in every run") == 1
    outlines = cells_of(TemplateBank.named("circle")).tables[1]
    assert float(ran.stdout) == pytest.approx(outlines.sum(), rel=1e-6)
    Image.new("L", (8, 8)).save(tmp_path / "gray.png")
    for quiet, lines in (
        (["-q"], []),
        ([], ["limner: no writable cache folder, so kernels are compiled in every run"]),
    ):
        line = [sys.executable, "-m", "limner", "paint", "gray.png", "-n", "0", "-o", "out.png", *quiet]
        ran = subprocess.run(line, env={**os.environ, **places}, capture_output=True, text=True, cwd=tmp_path)
        assert ran.returncode == 0
        assert [told.partition(": set NUMBA_CACHE_DIR")[0] for told in ran.stderr.splitlines()] == lines


def test_on_a_full_disk(tmp_path: Path) -> None:
    """Folders and files can be made, and nothing be written to them."""
    bank = "limner.TemplateBank.named('circle')"
    code = f"import limner, limner.cpu.cells; print(limner.cpu.cells.cells_of({bank}).tables[1].sum())"
    ran = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "NUMBA_CACHE_DIR": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0)),
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stderr.count("no writable cache folder, so kernels are compiled in every run") == 1
    assert float(ran.stdout) == pytest.approx(cells_of(TemplateBank.named("circle")).tables[1].sum(), rel=1e-6)


def half_empty(content: bytes) -> bytes:
    """As a power cut leaves a file: with blocks that were never written."""
    return content[:4096] + bytes(4096) + content[8192:]


@pytest.mark.parametrize(
    ("ending", "damage"),
    [
        (".nbi", lambda content: b""),
        (".nbi", lambda content: content[:20]),
        (".nbc", lambda content: b""),
        (".nbc", lambda content: content[:20]),
        (".nbc", half_empty),
    ],
)
def test_a_damaged_kernel_is_compiled_anew(ending: str, damage: Callable[[bytes], bytes], tmp_path: Path) -> None:
    code = """
import limner, limner.cpu.cells
from limner.kernels.outlines import find_outlines
outlines = limner.cpu.cells.cells_of(limner.TemplateBank.named("circle")).tables[1]
print(outlines.sum(), sum(find_outlines.stats.cache_hits.values()))
"""
    run = partial(subprocess.run, env=os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}, check=True, capture_output=True)
    found = [run([sys.executable, "-c", code], text=True).stdout.split()]
    for file in tmp_path.rglob(f"*find_outlines*{ending}"):
        file.write_bytes(damage(file.read_bytes()))
    found += [run([sys.executable, "-c", code], text=True).stdout.split() for _ in "12"]
    assert [hits for _, hits in found] == ["0", "0", "1"]
    assert len({outlines for outlines, _ in found}) == 1


def test_a_kernel_from_the_cache_needs_no_compiler(tmp_path: Path) -> None:
    """Of numba, what imports scipy takes longest to load."""
    code = """
import sys, limner, limner.cpu.cells
outlines = limner.cpu.cells.cells_of(limner.TemplateBank.named("circle")).tables[1]
print(outlines.sum(), "numba.np.linalg" in sys.modules)
"""
    run = partial(subprocess.run, env=os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}, check=True, capture_output=True)
    (first, compiled), (second, loaded) = (run([sys.executable, "-c", code], text=True).stdout.split() for _ in "12")
    assert (first, compiled, loaded) == (second, "True", "False")


@pytest.mark.parametrize("closed", ["", "__pycache__"], ids=["all", "package"])
def test_kernels_beside_the_package_are_read_where_they_cannot_be_written(closed: str, tmp_path: Path) -> None:
    """Where nothing can be written, as in a container, and where another user has installed limner.

    Permissions would not stop one who may do anything.
    """
    package = copied(tmp_path / "site")
    code = """
import limner, limner.cpu.cells
import numpy as np
from limner.kernels.ahead import Needed, _missing
from limner.kernels.outlines import find_outlines
outlines = limner.cpu.cells.cells_of(limner.TemplateBank.named("circle")).tables[1]
other = _missing([Needed(find_outlines, (np.zeros(3),))])
kept = [find_outlines._cache.has(types, find_outlines.targetctx) for types in find_outlines.overloads]
print(outlines.sum(), sum(find_outlines.stats.cache_hits.values()), len(other), *kept)
"""
    refusing = f"""
import tempfile
from numba.core.caching import IndexDataCacheFile

make, write = tempfile.TemporaryFile, IndexDataCacheFile._open_for_write

def refuse(path):
    if {closed!r} in str(path):
        raise PermissionError("read only")

def checked(dir):
    refuse(dir)
    return make(dir=dir)

def written(self, path):
    refuse(path)
    return write(self, path)

tempfile.TemporaryFile, IndexDataCacheFile._open_for_write = checked, written
"""
    free = {name: value for name, value in os.environ.items() if name != "NUMBA_CACHE_DIR"}
    places = {"PYTHONPATH": str(package.parent), "XDG_CACHE_HOME": str(tmp_path / "home")}
    run = partial(subprocess.run, env=free | places, capture_output=True, text=True)
    runs = [run([sys.executable, "-c", before + code]) for before in ("", refusing)]
    assert [ran.stderr for ran in runs] == ["", ""]
    (outlines, compiled, *_), (same, loaded, worth_compiling, kept) = (ran.stdout.split() for ran in runs)
    assert kept == "True"
    assert (outlines, compiled, loaded) == (same, "0", "1")
    assert worth_compiling == ("1" if closed else "0")


def test_what_others_have_damaged_is_as_none_and_loses_nothing_of_ones_own(tmp_path: Path) -> None:
    (tmp_path / "others").mkdir()
    (tmp_path / "own").mkdir()
    (tmp_path / "others" / "kernel.nbi").write_bytes(b"damaged")
    files = CheckedFiles(tmp_path / "own", "kernel", "stamp", CheckedFiles(tmp_path / "others", "kernel", "stamp"))
    files.save("one", b"code")
    assert (files.load("one"), files.load("other")) == (b"code", None)
