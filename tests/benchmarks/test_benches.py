"""The benches of painting measure what they say, and all are called with what their commands can be asked."""

from inspect import signature
from pathlib import Path

import pytest
from PIL import Image

from limner.cli import BENCHES, bench
from limner.options import Bench


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    Image.radial_gradient("L").resize((24, 16)).save(tmp_path / "photo.png")
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
