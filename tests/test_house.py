"""The house: what is packed, what is pinned, and what never belongs in the repository."""

import os
import re
import subprocess
import sys
import tomllib
from itertools import chain
from pathlib import Path
from zipfile import ZipFile

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src/limner"

MACHINE_PATH = re.compile(r"(?<![\w.~$<\])}-])/(?:work|tmp|home|root|opt|Users)\b")
REGISTRY = re.compile(r"\b(?:(?:pypi|pythonhosted|npmjs|debian|anaconda)\.(?:org|com)|pytorch\.org/whl)")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    (path,) = folder.glob("limner-*.whl")
    return ZipFile(path)


def test_wheel_carries_the_whole_package(wheel: ZipFile) -> None:
    files = {path.relative_to(ROOT / "src").as_posix() for path in PACKAGE.rglob("*") if path.is_file()}
    assert {name for name in files if "__pycache__" not in name} <= set(wheel.namelist())


def test_wheel_imports_elsewhere(wheel: ZipFile, tmp_path: Path) -> None:
    wheel.extractall(tmp_path)
    show = [sys.executable, "-c", "import limner; print(limner.__file__)"]
    run = subprocess.run(
        show, cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(tmp_path)}, check=True, capture_output=True, text=True
    )
    assert Path(run.stdout.strip()).is_relative_to(tmp_path)


def test_every_dependency_is_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [project["dependencies"], *project["optional-dependencies"].values()]
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
    pins = {canonicalize_name(name): version for name, version in (line.split("==") for line in lines)}
    for requirement in map(Requirement, chain.from_iterable(wanted)):
        assert requirement.specifier.contains(pins[canonicalize_name(requirement.name)])


@pytest.mark.parametrize("pattern", [MACHINE_PATH, REGISTRY], ids=["machine path", "registry"])
def test_repository_names_no_machine(pattern: re.Pattern[str]) -> None:
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    contents = {name: (ROOT / name).read_bytes() for name in listing.split("\0") if (ROOT / name).is_file()}
    texts = {name: content.decode() for name, content in contents.items() if b"\0" not in content}
    assert texts
    assert {name: match.group() for name, text in texts.items() if (match := pattern.search(text))} == {}


def test_modules_stay_short() -> None:
    lengths = {path.name: len(path.read_text().splitlines()) for path in PACKAGE.rglob("*.py")}
    assert lengths
    assert {name: length for name, length in lengths.items() if length >= 320} == {}
