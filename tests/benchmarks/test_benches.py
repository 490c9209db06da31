"""The benches of painting measure what they say, and all are called with what their commands can be asked."""

import sys
from inspect import signature
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from limner.benches import Bench
from limner.cli import BENCHES, bench
from limner.errors import UserError


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    Image.radial_gradient("L").resize((24, 16)).convert("RGB").save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


@pytest.mark.parametrize("kind", BENCHES)
def test_benches_take_what_can_be_asked(kind: type[Bench]) -> None:
    signature(bench(BENCHES[kind]).main).bind(**vars(kind()))


def test_a_painting_is_measured_as_it_is_saved(photo: Path) -> None:
    run = bench("paint").paint(photo, 3, ["--opacity", "opaque"], 1)
    assert 10 < run.svg < 60
    assert 10 < run.psnr < 60
    assert run.cpu > 0
    assert run.memory > 10


def test_parts_are_left_out(photo: Path) -> None:
    parts = bench("parts")
    found = {name: parts.measure(photo, 3, 0, **parts.PARTS[name])[0] for name in list(parts.PARTS)[:2]}
    assert len(set(found.values())) == 2
    assert parts.measure(photo, 3, 0, **parts.PARTS["as it is"])[0] == found["as it is"]


@pytest.fixture
def rival(tmp_path: Path) -> Path:
    """A program that is called as primitive is, and saves one gray, a row too few."""
    program = tmp_path / "rival"
    program.write_text(f"#!{sys.executable}\n{RIVAL}")
    program.chmod(0o755)
    return program


RIVAL = """
import sys
from PIL import Image
asked = dict(zip(sys.argv[1::2], sys.argv[2::2]))
assert [asked[name] for name in ("-n", "-j", "-r", "-s")] == ["3", "1", "24", "24"]
width, height = Image.open(asked["-i"]).size
Image.new("RGB", (width, height - 1), (128, 128, 128)).save(asked["-o"])
"""


def test_primitive_paints_beside(photo: Path, rival: Path) -> None:
    found = bench("primitive").paint(rival, photo, 3)
    error = (np.asarray(Image.open(photo).convert("RGB"))[:-1] / 255 - 128 / 255) ** 2
    assert found["psnr"] == pytest.approx(-10 * np.log10(error.mean()), abs=0.01)
    assert found["cpu"] > 0


def test_a_primitive_that_is_not_there_is_told(photo: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"--primitive .*nowhere: cannot be run"):
        bench("primitive").paint(tmp_path / "nowhere", photo, 3)
