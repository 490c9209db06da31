"""limner and other programs on the same pictures: `limner bench rivals --pictures FOLDER`, half an hour for twelve.

Every picture of the folder is scaled to 256 px on the longer side by a box filter. limner paints it with circles, and
with triangles as the others do, opacity free and flat fill, with three seeds each; the others paint it once.
CPU-seconds are those of the process, start-up included. PSNR is of the saved PNG, and of the SVG as resvg renders it;
SSIM is the PNG's, or vtracer's SVG's.
"""

import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path

import peers
from paint import SEEDS, SIDE, choose, machine, paint, scaled

from limner.files import write_json

BRUSHES = ("circle", "triangle")
TRIES = (1, 10)
"""By how many times geometrize's library tries more than it does unasked."""

Program = Callable[[Path, int], dict[str, float]]


def painter(brush: str) -> Program:
    """How limner paints with one brush: means over the seeds."""

    def measured(picture: Path, strokes: int) -> dict[str, float]:
        found = []
        for seed in range(SEEDS):
            run = paint(picture, strokes, ["--templates", brush, "--seed", str(seed)], 1)
            kilobytes = picture.with_suffix(".out.svg").stat().st_size / 1000
            found.append({"cpu": run.cpu, "kilobytes": kilobytes, "svg": run.svg, "psnr": run.psnr, "ssim": run.ssim})
        return means(found)

    return measured


def programs(primitive: Path | None, geometrize: Path | None) -> dict[str, Program]:
    """Those that are at hand and take a number of shapes, by name."""
    found = {f"limner, {brush}s": painter(brush) for brush in BRUSHES}
    if primitive:
        found["primitive"] = lambda picture, strokes: peers.primitive(primitive, picture, strokes)
    for tries in TRIES if geometrize else ():
        name = "geometrize" if tries == 1 else f"geometrize, {tries} times the tries"
        found[name] = lambda picture, strokes, tries=tries: peers.geometrize(geometrize, picture, strokes, tries)
    return found


def means(rows: list[dict[str, float]]) -> dict[str, float]:
    """Of every figure."""
    return peers.rounded({name: statistics.mean(row[name] for row in rows) for name in rows[0]})


def table(pictures: list[Path], counts: tuple[int, ...], painters: dict[str, Program], vtracer: bool) -> list[dict]:
    """A row for each program and number of strokes: means over the pictures."""
    asked = [(name, count, program) for count in counts for name, program in painters.items()]
    found: dict[tuple[str, int | None], list] = {(name, count): [] for name, count, _ in asked}
    found |= {("vtracer", None): []} if vtracer else {}
    with tempfile.TemporaryDirectory() as folder:
        small = [scaled(picture, Path(folder)) for picture in pictures]
        for brush in BRUSHES:
            paint(small[0], 5, ["--templates", brush], 1)  # compiles the kernels, if that has not been done
        for picture in small:
            for name, count, program in asked:
                found[name, count].append(program(picture, count))
                row = {"picture": picture.stem, "program": name, "strokes": count, **found[name, count][-1]}
                print(line(row), flush=True)
            if vtracer:
                found["vtracer", None].append(peers.vtracer(picture))
    return [{"program": name, "strokes": count, **means(rows)} for (name, count), rows in found.items()]


def line(row: dict) -> str:
    """A row as text."""
    shapes = f"N={row['strokes']}" if row["strokes"] else ""
    png = f"{row['psnr']:6.2f}" if "psnr" in row else "     -"
    figures = (
        f"{png} dB, {row['ssim']:.3f}  svg {row['svg']:6.2f} dB {row['kilobytes']:6.1f} kB {row['cpu']:6.1f} CPU-s"
    )
    return f"{row.get('picture', 'mean'):>13} {row['program']:<30} {shapes:<7} {figures}"


def main(
    json: Path | None,
    pictures: Path | None,
    strokes: tuple[int, ...],
    primitive: Path | None,
    geometrize: Path | None,
    vtracer: bool,
) -> None:
    """Print the table, and write it as JSON."""
    chosen = choose(pictures)
    rows = table(chosen, strokes, programs(primitive, geometrize), vtracer)
    for row in rows:
        print(line(row))
    if json:
        names = [picture.stem for picture in chosen]
        found = {"machine": machine(1), "side": SIDE, "seeds": SEEDS, "pictures": names, "rows": rows}
        write_json(json, found)
