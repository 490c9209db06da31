"""Programs that rebuild a picture from shapes as limner does; each paints one in a process of its own."""

import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image
from process import Cost, run

from limner.errors import UserError

GEOMETRIZE = Path(__file__).with_name("geometrize.js")
PLACES = {"ssim": 4}
"""Decimals of a figure, where they are not two."""
TRACE = "import sys, vtracer; vtracer.convert_image_to_svg_py(*sys.argv[1:])"


def primitive(program: Path, picture: Path, strokes: int) -> dict[str, float]:
    """fogleman's primitive, with triangles of alpha 128, what it does unasked: https://github.com/fogleman/primitive.

    `go install` builds it from there; npm's package sqip-plugin-primitive holds it for Linux, macOS and Windows.
    Raises UserError if there is no such program.
    """
    with Image.open(picture) as image:
        longer = str(max(image.size))
    with tempfile.TemporaryDirectory() as folder:
        png, svg = Path(folder) / "out.png", Path(folder) / "out.svg"
        sizes = ["-r", longer, "-s", longer]  # it works and saves at the size of the picture
        command = [str(program.resolve()), "-i", str(picture), "-o", str(png), "-o", str(svg), "-n", str(strokes)]
        cost = started([*command, "-j", "1", *sizes], f"--primitive {program}")
        return measured(cost, picture, svg, png)


def geometrize(package: Path, picture: Path, strokes: int, tries: int = 1) -> dict[str, float]:
    """geometrize, with triangles of alpha 128, what its library does unasked, or so many times its tries for each.

    https://github.com/Tw1ddle/geometrize-haxe; npm's package geometrizejs is that, compiled to JavaScript, which node
    runs. `npm pack geometrizejs` fetches it, and tar unpacks it.
    Raises UserError if there is no such package, or no node.
    """
    if not (package / "package.json").is_file():
        raise UserError(f"--geometrize {package}: is not npm's package geometrizejs: name the folder it unpacks to")
    with tempfile.TemporaryDirectory() as folder, Image.open(picture) as image:
        raw, svg, png = (Path(folder) / f"out.{suffix}" for suffix in ("raw", "svg", "png"))
        raw.write_bytes(image.convert("RGBA").tobytes())
        size = [str(image.width), str(image.height)]
        command = ["node", str(GEOMETRIZE), str(package.resolve()), str(raw), *size, str(strokes), str(tries), str(svg)]
        cost = started(command, "node")
        painted = np.frombuffer(raw.read_bytes(), np.uint8).reshape(image.height, image.width, 4)
        Image.fromarray(painted).convert("RGB").save(png)
        return measured(cost, picture, svg, png)


def vtracer(picture: Path) -> dict[str, float]:
    """vtracer, as it is unasked, whatever number of shapes that takes: https://github.com/visioncortex/vtracer.

    `pip install vtracer` is all it takes.  Raises UserError where it is not installed.
    """
    from importlib.util import find_spec

    if find_spec("vtracer") is None:
        raise UserError("--vtracer: it is not installed here: pip install vtracer")
    with tempfile.TemporaryDirectory() as folder:
        svg = Path(folder) / "out.svg"
        return measured(started([sys.executable, "-c", TRACE, str(picture), str(svg)], "--vtracer"), picture, svg)


def started(command: list[str], name: str) -> Cost:
    """What a command costs; UserError by this name if it cannot be run."""
    try:
        return run(command)
    except OSError as error:
        raise UserError(f"{name}: cannot be run ({error.strerror}): install it, or name the program itself") from error


def measured(cost: Cost, picture: Path, svg: Path, png: Path | None = None) -> dict[str, float]:
    """CPU-seconds, the size of the SVG, and how well it, rendered by resvg, and the PNG show the picture.

    ssim is the PNG's, or the SVG's where there is none.
    """
    found = {"cpu": cost.cpu, "kilobytes": svg.stat().st_size / 1000}
    found["svg"], found["ssim"] = scores(svg, picture)
    if png:
        found["psnr"], found["ssim"] = scores(png, picture)
    return rounded(found)


def rounded(found: dict[str, float]) -> dict[str, float]:
    """Figures as they are written into the results."""
    return {name: round(value, PLACES.get(name, 2)) for name, value in found.items()}


def scores(file: Path, picture: Path) -> tuple[float, float]:
    """PSNR in dB and SSIM of a PNG or an SVG, less the rows and columns by which it is too small."""
    from limner.painting import raster
    from limner.training.metrics import reconstruction

    shown, wanted = (raster.read(path)[..., :3].permute(2, 0, 1)[None] / 255 for path in (file, picture))
    height, width = (min(sides) for sides in zip(shown.shape[2:], wanted.shape[2:], strict=True))
    found = reconstruction(wanted[..., :height, :width], shown[..., :height, :width])
    return found["psnr"].item(), found["ssim"].item()
