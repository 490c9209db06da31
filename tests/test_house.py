"""The house: what is packed, what is pinned, and what never belongs in the repository."""

import os
import re
import subprocess
import sys
import sysconfig
import tomllib
import venv
from itertools import chain
from pathlib import Path
from zipfile import ZipFile

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from PIL import Image

from limner.painting import raster
from limner.painting.painting import Painting
from limner.strokes_json import parse

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src/limner"

MACHINE_PATH = re.compile(r"(?<![\w.~$<\])}-])/(?:work|tmp|home|root|opt|Users)\b")
REGISTRY = re.compile(r"\b(?:(?:pypi|pythonhosted|npmjs|debian|anaconda)\.(?:org|com)|pytorch\.org/whl)")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    """Built from the source distribution, as those are that others make."""
    build = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    (path,) = folder.glob("limner-*.whl")
    return ZipFile(path)


def test_wheel_carries_the_whole_package(wheel: ZipFile) -> None:
    files = {path.relative_to(ROOT / "src").as_posix() for path in PACKAGE.rglob("*") if path.is_file()}
    assert {name for name in files if "__pycache__" not in name} <= set(wheel.namelist())


@pytest.fixture(scope="module")
def elsewhere(wheel: ZipFile, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new virtual environment with the wheel installed by pip; dependencies are those of this one."""
    folder = tmp_path_factory.mktemp("elsewhere")
    venv.create(folder, symlinks=os.name == "posix")
    pip = [sys.executable, "-m", "pip", "--python", str(folder), "install", "--no-deps", "--no-index"]
    subprocess.run([*pip, str(wheel.filename)], check=True, capture_output=True)
    packages = Path(sysconfig.get_path("purelib", "venv", {"base": str(folder)}))
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    assert (packages / "limner" / "cli.py").exists()
    return folder


def run_elsewhere(folder: Path, desk: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A command of that environment, run in the folder `desk`."""
    command = Path(sysconfig.get_path("scripts", "venv", {"base": str(folder)})) / arguments[0]
    settings = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run([command, *arguments[1:]], cwd=desk, env=settings, capture_output=True, text=True)


def test_installed_wheel_paints(elsewhere: Path, tmp_path: Path) -> None:
    Image.open(ROOT / "examples" / "photo.jpg").resize((45, 30)).save(tmp_path / "photo.png")
    outputs = [f"-o=painted.{suffix}" for suffix in ("png", "svg", "json")]
    templates = ["--templates", "circle", "line"]
    run = run_elsewhere(elsewhere, tmp_path, "limner", "paint", "photo.png", "-n", "10", "-q", *templates, *outputs)
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")
    assert {path.name for path in tmp_path.iterdir()} == {"photo.png", "painted.png", "painted.svg", "painted.json"}
    document = parse(tmp_path / "painted.json")
    assert document.bank is not None
    assert (len(document.strokes), document.bank.names) == (10, ("circle", "line"))
    painting = Painting(document.strokes, document.bank, document.background, document.size)
    for suffix in ("png", "svg"):
        seen = raster.on_white(raster.read(tmp_path / f"painted.{suffix}"))
        assert (seen.float() - painting.render(30, 45).float()).abs().mean() < 2


def test_installed_wheel_has_no_bench(elsewhere: Path, tmp_path: Path) -> None:
    run = run_elsewhere(elsewhere, tmp_path, "limner", "bench", "engine")
    assert run.returncode == 2
    assert (
        run.stderr == "limner: limner bench works only in a checkout of the repository, beside its folder benchmarks\n"
    )


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
    lengths = {str(path.relative_to(PACKAGE)): len(path.read_text().splitlines()) for path in PACKAGE.rglob("*.py")}
    assert lengths
    assert {name: length for name, length in lengths.items() if length >= 320} == {}
