"""Quality and cost of `limner paint`, whole processes: `limner bench paint --pictures FOLDER`, half an hour.

Every picture of the folder is scaled to 256 px on the longer side by a box filter and painted with each number of
strokes, in five styles, with three seeds each, whose means count: the mean PSNR of twelve pictures differs by 0.1 dB
from seed to seed. CPU-seconds are those of the process, start-up included; PSNR and SSIM are of the saved PNG; the SVG
is written from the saved JSON and rendered by resvg at the same size. With `--primitive PROGRAM`, primitive paints each
picture in the same run, twenty minutes more. Then one larger picture: time, memory, and how time grows with N.
"""

import os
import platform
import statistics
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import peers
from PIL import Image
from process import cpu_name, run

from limner.files import write_json

SIDE, SEEDS = 256, 3
STYLES = {
    "free, flat": [],
    "opaque, flat": ["--opacity", "opaque"],
    "free, gradient": ["--fill", "gradient"],
    "free, flat, soft rims": ["--templates", "soft"],
    "free, flat, squares": ["--templates", "square"],
}
LARGE, MANY = (1024, 768), (250, 500, 1000, 2000)


@dataclass(frozen=True)
class Run:
    """One process: PSNR of its PNG and of its SVG in dB, SSIM of the PNG, CPU and wall seconds, peak memory in MiB."""

    psnr: float
    ssim: float
    svg: float
    cpu: float
    wall: float
    memory: float


def paint(picture: Path, strokes: int, style: list[str], threads: int) -> Run:
    """Paint a picture in a process of its own and score what it saved."""
    from limner.painting.painting import Painting

    png, document = picture.with_suffix(".out.png"), picture.with_suffix(".out.json")
    command = ["paint", str(picture), "-n", str(strokes), "-o", str(png), "-o", str(document), "--quiet"]
    command += ["--threads", str(threads), *style]
    code = "import sys; from limner.cli import main; sys.exit(main())"
    cost = run([sys.executable, "-c", code, *command])
    painting, svg = Painting.load(document), picture.with_suffix(".out.svg")
    assert len(painting.strokes) == strokes
    painting.save(svg)
    psnr, ssim = peers.scores(png, picture)
    return Run(psnr, ssim, peers.scores(svg, picture)[0], **vars(cost))


def average(runs: list[Run]) -> Run:
    """Their means."""
    return Run(*map(statistics.mean, zip(*(vars(run).values() for run in runs), strict=True)))


def scaled(picture: Path, folder: Path) -> Path:
    """The picture at 256 px on the longer side, as a PNG in a folder."""
    image = Image.open(picture).convert("RGB")
    share = SIDE / max(image.size)
    path = folder / f"{picture.stem}.png"
    image.resize((round(image.width * share), round(image.height * share)), Image.Resampling.BOX).save(path)
    return path


def table(pictures: list[Path], counts: tuple[int, ...], threads: int, program: Path | None) -> list[dict]:
    """A row for each picture, number of strokes and style."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        small = [scaled(picture, Path(folder)) for picture in pictures]
        for style in STYLES.values():
            paint(small[0], 5, style, threads)  # compiles the kernels, if that has not been done
        for count in counts:
            for picture in small:
                peer = program and peers.primitive(program, picture, count)
                for name, style in STYLES.items():
                    seeds = range(SEEDS)
                    found = average([paint(picture, count, [*style, "--seed", str(seed)], threads) for seed in seeds])
                    row = {"picture": picture.stem, "strokes": count, "style": name, **peers.rounded(vars(found))}
                    rows.append({**row, "primitive": peer})
                    print(line(rows[-1]), flush=True)
            for name in STYLES:
                print(line(mean(rows, count, name)), flush=True)
    return rows


def growth(picture: Path) -> list[dict]:
    """A picture of 1024 x 768 on all cores, with more and more strokes."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        large = Path(folder) / "large.png"
        Image.open(picture).convert("RGB").resize(LARGE, Image.Resampling.LANCZOS).save(large)
        for count in MANY:
            run = paint(large, count, [], os.cpu_count() or 1)
            rows.append({"picture": picture.stem, "strokes": count, **peers.rounded(vars(run))})
            print(
                f"{LARGE[0]} x {LARGE[1]}, N={count}: {run.wall:.1f} s, {run.memory:.0f} MB, {run.psnr:.2f} dB",
                flush=True,
            )
    return rows


def mean(rows: list[dict], count: int, style: str) -> dict:
    """The mean row of a style over all pictures."""
    rows = [row for row in rows if row["strokes"] == count and row["style"] == style]
    found = {key: statistics.mean(row[key] for row in rows) for key in ("psnr", "ssim", "svg", "cpu", "wall", "memory")}
    theirs = [row["primitive"] for row in rows if row["primitive"]]
    peer = {key: statistics.mean(each[key] for each in theirs) for key in ("psnr", "ssim", "cpu")} if theirs else None
    return {"picture": "mean", "strokes": count, "style": style, **found, "primitive": peer}


def line(row: dict) -> str:
    """A row as text."""
    text = f"{row['picture']:>13} N={row['strokes']:<4} {row['style']:<14} {row['psnr']:6.2f} dB, {row['ssim']:.3f}"
    text += f"  {row['cpu']:5.1f} CPU-s  svg {row['svg'] - row['psnr']:+.2f} dB"
    if row["primitive"]:
        peer = row["primitive"]
        better = f"{row['psnr'] - peer['psnr']:+.2f} dB, {row['ssim'] - peer['ssim']:+.3f}"
        text += f"  primitive {better}, {row['cpu'] / peer['cpu']:.2f} of its CPU-s"
    return text


def main(
    json: Path | None, pictures: Path | None, strokes: tuple[int, ...], threads: int, primitive: Path | None
) -> None:
    """Print the tables, and write them as JSON."""
    chosen = choose(pictures)
    rows = table(chosen, strokes, threads, primitive)
    large = growth(chosen[-1])
    if json:
        means = [mean(rows, count, style) for count in strokes for style in STYLES]
        result = {
            "machine": machine(threads),
            "side": SIDE,
            "seeds": SEEDS,
            "means": means,
            "rows": rows,
            "large": large,
        }
        write_json(json, result)


def choose(folder: Path | None) -> list[Path]:
    """The pictures of a folder, or the bundled one."""
    from limner.painting.pictures import picture_files

    return picture_files(folder or Path(__file__).resolve().parent.parent / "examples")


def machine(threads: int) -> dict:
    """What the figures were measured on."""
    return {"cpu": cpu_name(), "cores": os.cpu_count(), "python": platform.python_version(), "threads": threads}
