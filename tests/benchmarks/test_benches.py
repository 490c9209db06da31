"""The benches of painting measure what they say, and all are called with what their commands can be asked."""

import shutil
import sys
from functools import partial
from inspect import signature
from itertools import pairwise
from json import loads
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.ndimage import gaussian_filter

import limner
from limner.benches import Bench
from limner.cli import BENCHES, bench
from limner.errors import UserError
from limner.painting.pictures import Picture


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
    assert ssim(photo, 128) < run.ssim < 1
    assert run.cpu > 0
    assert run.memory > 10


def test_memory_is_that_of_the_process_alone() -> None:
    held, cost = np.ones(2**26), bench("process").run([sys.executable, "-S", "-c", "x = bytearray(2**25)"])
    assert held.nbytes == 2**29
    assert 32 < cost.memory < 100


def test_parts_are_left_out(photo: Path) -> None:
    parts = bench("parts")
    found = {name: parts.measure(photo, 3, 0, **parts.PARTS[name])[0] for name in list(parts.PARTS)[:2]}
    assert len(set(found.values())) == 2
    assert parts.measure(photo, 3, 0, **parts.PARTS["as it is"])[0] == found["as it is"]


def test_clips_are_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Gray pictures of levels that rise by 10, painted 1 too light and too dark by turns, and 2 too light."""
    clips = bench("clips")

    def gray(level: int) -> Picture:
        return Picture(torch.full((3, 4, 6), level / 255), None, "")

    def painted(level: int) -> limner.Painting:
        return limner.paint(gray(level), 0)

    levels = [100, 110, 120]
    pictures = [gray(level) for level in levels]
    waves = clips.measure(pictures, lambda each: [painted(level + (-1) ** k) for k, level in enumerate(levels)])
    assert (waves.psnr, waves.changes) == pytest.approx((48.13, 42.11), abs=0.01)
    lighter = clips.measure(pictures, lambda each: [painted(level + 2) for level in levels])
    assert lighter.psnr == pytest.approx(42.11, abs=0.01)
    assert lighter.changes > 100


def test_clips_are_made() -> None:
    clips = bench("clips")
    found = clips.made()
    assert {picture.size for pictures in found.values() for picture in pictures} == {clips.WINDOW}
    steps = {name: [clips.psnr(a.pixels, b.pixels) for a, b in pairwise(each)] for name, each in found.items()}
    assert {name: len(each) + 1 for name, each in steps.items()} == dict.fromkeys(found, clips.PICTURES)
    assert min(steps["cut"]) < 15 < min(steps["pan"] + steps["zoom"] + steps["light"])
    assert all(sum(psnr < 60 for psnr in each) > 45 for each in steps.values())


@pytest.fixture
def rival(tmp_path: Path) -> Path:
    """A program that is called as primitive is, and saves one gray, a row too few in the PNG."""
    program = tmp_path / "rival"
    program.write_text(f"#!{sys.executable}\n{RIVAL}")
    program.chmod(0o755)
    return program


SVG = """<svg xmlns="http://www.w3.org/2000/svg" width="24" height="16"><rect width="24" height="16"/></svg>"""
RIVAL = f"""
import sys
from pathlib import Path
from PIL import Image
asked = dict(zip(sys.argv[1::2], sys.argv[2::2]))
width, height = Image.open(asked["-i"]).size
assert [asked[name] for name in ("-n", "-j", "-r", "-s")] == ["3", "1", str(width), str(width)]
png, svg = (argument for argument, option in zip(sys.argv[1:], sys.argv) if option == "-o")
Image.new("RGB", (width, height - 1), (128, 128, 128)).save(png)
Path(svg).write_text({SVG!r})
"""
PACKAGE = """
let asked;
exports.ShapeTypes = { TRIANGLE: 1 };
exports.Bitmap = { createFromByteArray: (width, height, pixels) => ({ width, height, pixels }) };
exports.ImageRunner = class {
  constructor(picture, ground) {
    const bytes = picture.width * picture.height * 4;
    this.painted = new Uint8Array(bytes).map((_, place) => (ground >>> (24 - 8 * (place % 4))) & 255);
  }
  step(options) { asked = options; this.painted[0] += 1; return ["shape"]; }
  getImageData() { return { getBytes: () => ({ b: this.painted }) }; }
};
exports.SvgExporter = {
  getSvgPrelude: () => "", getSvgNodeClose: () => "</svg>",
  getSvgNodeOpen: (w, h) => `<svg xmlns="http://www.w3.org/2000/svg" width="${w}" height="${h}">`,
  exportShapes: (shapes) => {
    const { candidateShapesPerStep: candidates, shapeMutationsPerStep: mutations, alpha, shapeTypes } = asked;
    const told = [shapes.length, candidates, mutations, alpha, ...shapeTypes].join();
    return told === "3,500,1000,128,1" ? '<rect width="24" height="16"/>' : "";
  },
};
"""


def db(photo: Path, colour: np.ndarray | int, rows: int = 16) -> float:
    """PSNR of one colour, in the first rows of the picture."""
    error = (np.asarray(Image.open(photo).convert("RGB"))[:rows] / 255 - np.asarray(colour) / 255) ** 2
    return -10 * np.log10(error.mean())


def ssim(photo: Path, colour: int, rows: int = 16) -> float:
    """SSIM of one gray, which has no variance, in the first rows of a gray picture (Wang et al. 2004)."""
    pixels, flat = np.asarray(Image.open(photo).convert("L"))[:rows] / 255, colour / 255
    smooth = partial(gaussian_filter, sigma=1.5, truncate=3.5, mode="mirror")
    mean, c1, c2 = smooth(pixels), 0.01**2, 0.03**2
    variance = smooth(pixels**2) - mean**2
    return float(((2 * mean * flat + c1) / (mean**2 + flat**2 + c1) * c2 / (variance + c2)).mean())


def test_primitive_paints_beside(photo: Path, rival: Path) -> None:
    found = bench("peers").primitive(rival, photo, 3)
    assert found["psnr"] == pytest.approx(db(photo, 128, 15), abs=0.01)
    assert found["ssim"] == pytest.approx(ssim(photo, 128, 15), abs=1e-4)
    assert found["svg"] == pytest.approx(db(photo, 0), abs=0.01)
    assert found["kilobytes"] == round(len(SVG) / 1000, 2)
    assert found["cpu"] > 0


@pytest.mark.skipif(shutil.which("node") is None, reason="runs under node")
def test_geometrize_begins_on_the_mean_colour_and_tries_as_often_as_asked(photo: Path, tmp_path: Path) -> None:
    package, peers = tmp_path / "package", bench("peers")
    package.mkdir()
    (package / "package.json").write_text("{}")
    (package / "index.js").write_text(PACKAGE)
    Image.effect_noise((24, 16), 90).convert("RGB").save(photo)
    mean = np.asarray(Image.open(photo)).mean((0, 1)).astype(int)
    found = [peers.geometrize(package, photo, 3, tries) for tries in (1, 10)]
    assert found[0]["svg"] == pytest.approx(db(photo, mean), abs=0.01)
    assert found[0]["psnr"] == pytest.approx(db(photo, mean), abs=0.02)
    assert found[1]["svg"] == pytest.approx(db(photo, 0), abs=0.01)  # black, if asked as it expects


def test_vtracer_traces_the_picture(photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tracer = f"def convert_image_to_svg_py(picture, svg): assert open(picture); open(svg, 'w').write({SVG!r})"
    (tmp_path / "vtracer.py").write_text(tracer)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    found = bench("peers").vtracer(photo)
    assert found["svg"] == pytest.approx(db(photo, 0), abs=0.01)
    assert found["ssim"] == pytest.approx(ssim(photo, 0), abs=1e-4)
    assert "psnr" not in found


def test_peers_that_are_not_there_are_told(photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    peers = bench("peers")
    with pytest.raises(UserError, match=r"--primitive .*nowhere: cannot be run"):
        peers.primitive(tmp_path / "nowhere", photo, 3)
    with pytest.raises(UserError, match=r"--geometrize .*nowhere: is not npm's package"):
        peers.geometrize(tmp_path / "nowhere", photo, 3)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UserError, match="--vtracer: it is not installed here"):
        peers.vtracer(photo)


def test_rivals_are_compared_by_their_means(photo: Path, rival: Path, tmp_path: Path, monkeypatch, capsys) -> None:
    rivals, folder = bench("rivals"), tmp_path / "photos"
    monkeypatch.setattr(rivals, "SEEDS", 1)
    monkeypatch.setattr(rivals, "BRUSHES", ("circle",))
    folder.mkdir()
    shown = [folder / "a.png", folder / "b.png"]
    Image.linear_gradient("L").save(shown[0])
    Image.radial_gradient("L").save(shown[1])
    rivals.main(tmp_path / "rivals.json", folder, (3,), rival, None, False)
    found = loads((tmp_path / "rivals.json").read_text())
    ours, theirs = found["rows"]
    assert [ours["program"], theirs["program"]] == ["limner, circles", "primitive"]
    assert found["pictures"] == ["a", "b"]
    assert theirs["psnr"] == pytest.approx(np.mean([db(picture, 128, 255) for picture in shown]), abs=0.01)
    assert ours["psnr"] > theirs["psnr"]
    assert ours["ssim"] > theirs["ssim"]
    assert ours["kilobytes"] > 0.3
    assert capsys.readouterr().out.count("primitive") == 3
