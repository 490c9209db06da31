"""Tables of the results, for the pages that show them: `python benchmarks/tables.py` writes them into the pages.

A page has `<!-- table: NAME -->` and `<!-- end -->` where a table stands; a test holds pages and results together.
"""

import re
from collections.abc import Callable
from json import loads
from pathlib import Path

import engine
import gpu
import models
import ship
import train

ROOT = Path(__file__).resolve().parent.parent
PAGES = (
    "README.md",
    "docs/engine.md",
    "docs/models.md",
    "docs/painting.md",
    "docs/trained.md",
    "docs/training.md",
)


def result(name: str) -> dict:
    """A committed result file."""
    return loads((ROOT / "benchmarks" / "results" / f"{name}.json").read_text())


def markdown(head: str, rows: list[list[str]]) -> str:
    """A table from its head, cells separated by |, and its rows; all but the first column are aligned right."""
    names = head.split("|")
    rule = ["---"] + ["---:"] * (len(names) - 1)
    return "\n".join("| " + " | ".join(cells) + " |" for cells in [names, rule, *rows])


def ran(found: dict, pictures: str, threads: str, runs: str | None = None) -> str:
    """What a table was measured on, as a line below it."""
    machine = found["machine"]
    runs = runs or (f"{found['seeds']} seeds each" if "seeds" in found else f"seed {found['seed']}")
    return f"\n\n{pictures}; {machine['cpu']}, {machine['cores']} cores, {threads}; {runs}."


def on(found: dict) -> str:
    """The number of threads in words."""
    return "one thread" if found["machine"]["threads"] == 1 else f"{found['machine']['threads']} threads"


def peer(found: dict) -> list[dict]:
    """The rows of pictures that primitive has painted too."""
    return [row for row in found["rows"] if row["primitive"]]


COLUMNS = "PSNR, dB|primitive, dB|ahead, dB|SSIM|primitive, SSIM|CPU-s|primitive, CPU-s|SVG − PNG, dB"


def ahead(row: dict) -> float:
    """By how many dB a row is better than primitive."""
    return row["psnr"] - row["primitive"]["psnr"]


def against(row: dict) -> list[str]:
    """The cells that compare a row with primitive."""
    theirs = row["primitive"]
    scores = [f"{row['psnr']:.2f}", f"{theirs['psnr']:.2f}", f"{ahead(row):+.2f}"]
    scores += [f"{row['ssim']:.3f}", f"{theirs['ssim']:.3f}"]
    return [*scores, f"{row['cpu']:.1f}", f"{theirs['cpu']:.0f}", f"{row['svg'] - row['psnr']:+.2f}"]


def means() -> str:
    """The mean over the pictures of every style and number of strokes, against primitive."""
    found = result("paint")
    rows = [[row["style"], str(row["strokes"]), *against(row)] for row in found["means"]]
    count = len({row["picture"] for row in peer(found)})
    pictures = f"Means over {count} pictures, {found['side']} px on the longer side"
    return markdown(f"opacity, fill|N|{COLUMNS}", rows) + ran(found, pictures, on(found))


def pictures() -> str:
    """Every picture, opacity free and flat fill, against primitive."""
    chosen = [row for row in peer(result("paint")) if row["style"] == "free, flat"]
    return markdown(f"picture|N|{COLUMNS}", [[row["picture"], str(row["strokes"]), *against(row)] for row in chosen])


def rivals() -> str:
    """limner and other programs on the same pictures."""
    found = result("rivals")
    rows = []
    for row in found["rows"]:
        png = f"{row['psnr']:.2f}" if "psnr" in row else "—"
        figures = [png, f"{row['svg']:.2f}", f"{row['ssim']:.3f}", f"{row['kilobytes']:.0f}", f"{row['cpu']:.1f}"]
        rows.append([row["program"], str(row["strokes"] or "—"), *figures])
    pictures = f"Means over {len(found['pictures'])} pictures, {found['side']} px on the longer side"
    head = "program|N|PNG, dB|SVG, dB|SSIM|SVG, kB|CPU-s"
    seeds = f"limner with {found['seeds']} seeds, the others once"
    return markdown(head, rows) + ran(found, pictures, on(found), seeds)


def large() -> str:
    """Cost of a large picture by number of strokes."""
    found = result("paint")
    cells = [
        [str(r["strokes"]), f"{r['wall']:.1f}", f"{r['cpu']:.1f}", f"{r['memory']:.0f}", f"{r['psnr']:.2f}"]
        for r in found["large"]
    ]
    below = ran(found, f"`{found['large'][0]['picture']}` at 1024 x 768", "a thread on each", "seed 0")
    return markdown("strokes|seconds|CPU-s|memory, MiB|PSNR, dB", cells) + below


def parts() -> str:
    """The fit with one part left out or changed at a time."""
    found = result("parts")
    whole = {row["strokes"]: row["psnr"] for row in found["rows"] if row["part"] == "as it is"}
    cells = [
        [
            row["part"],
            str(row["strokes"]),
            f"{row['psnr']:.2f}",
            f"{row['psnr'] - whole[row['strokes']]:+.2f}",
            f"{row['seconds']:.1f}",
        ]
        for row in found["rows"]
    ]
    pictures = f"Means over {', '.join(found['pictures'])}, {found['side']} px on the longer side"
    return markdown("part|N|PSNR, dB|change, dB|CPU-s of the fit", cells) + ran(found, pictures, on(found))


def clips() -> str:
    """Clips, and their pictures painted one by one."""
    found = result("clips")
    cells = []
    for row in found["rows"]:
        figures = [f"{row[way][name]:.2f}" for name in ("psnr", "changes", "cpu") for way in ("alone", "as_clip")]
        cells.append([row["clip"], str(row["pictures"]), *figures])
    pictures = f"{found['strokes']} strokes, {found['side']} px on the longer side at most"
    names = "alone, dB|clip, dB|changes, alone|changes, clip|CPU-s a picture, alone|CPU-s a picture, clip"
    return markdown(f"clip|pictures|{names}", cells) + ran(found, pictures, on(found))


def aims() -> str:
    """What was aimed at in painting, and whether it was reached."""
    found = result("paint")
    few, many = (row for row in found["means"] if row["style"] == "free, flat")
    most = {row["strokes"]: row for row in found["large"]}
    seconds, memory = most[2000]["wall"], most[2000]["memory"] * 2**20 / 1e9
    longer = max(most[2 * count]["wall"] / most[count]["wall"] for count in most if 2 * count in most)
    rows = []
    wanted = (
        (few, 2, "half", 0.5),
        (many, 3, "a quarter", 0.25),
        (few, 3, "a tenth", 0.1),
        (many, 4.5, "a tenth", 0.1),
    )
    for mean, least, part, share in wanted:
        better, cost = ahead(mean), mean["cpu"] / mean["primitive"]["cpu"]
        aim = f"N = {mean['strokes']}: {least} dB ahead of primitive in {part} of its CPU time"
        rows.append((aim, f"{better:+.2f} dB, {cost:.1%}", better >= least and cost <= share))
    for count in (few["strokes"], many["strokes"]):
        gap = max(mean["psnr"] - mean["svg"] for mean in found["means"] if mean["strokes"] == count)
        aim = f"N = {count}: SVG in the mean at most 0.3 dB below the PNG, in every style above"
        rows.append((aim, f"{gap:.2f} dB", gap <= 0.3))
    rows += [
        ("1024 x 768, 2,000 strokes: under 60 s", f"{seconds:.0f} s", seconds < 60),
        ("1024 x 768, 2,000 strokes: under 2 GB", f"{memory:.2f} GB", memory < 2),
        ("twice the strokes take at most twice the time", f"{longer:.2f} times", longer <= 2),
    ]
    return aimed(rows)


ENGINES = {
    "engine": "AMD EPYC (Zen 4)",
    "engine-zen5": "AMD EPYC (Zen 5)",
    "engine-zen3": "AMD EPYC (Zen 3)",
    "engine-xeon": "Intel Xeon",
}
"""Machines the engine was measured on, by the names of the result files."""


def engine_machines() -> str:
    """The ratios of the engine on the machines it was measured on."""
    rows = []
    for name, machine in ENGINES.items():
        found = result(name)
        each = [row for row in found["rows"] if not row["label"]]
        lerps = found["pixels"]["both_ns"] / found["pixels"]["lerp_ns"]
        cells = [f"{row['ratio']:.0f} ({engine.milliseconds(row['limner_ms'])})" for row in each]
        rows.append([machine, *cells, f"{lerps:.1f}", f"{found['first_use']['seconds']:.1f}"])
    shapes = [engine.named(row) for row in result("engine")["rows"] if not row["label"]]
    return markdown("|".join(["machine", *shapes, "lerps a pixel", "first use, CPU-s"]), rows)


def engine_aims() -> str:
    """What was aimed at in the engine, and whether it was reached."""
    found = result("engine")
    shapes = [row for row in found["rows"] if not row["label"]]
    ratios = [round(row["ratio"]) for row in shapes]
    wanted = [300, 100, 40, 12]
    share = shapes[0]["limner_mib"] / shapes[0]["plain_mib"]
    idle, busy = (found["threads"][state] for state in ("idle", "busy"))
    faster, slower = idle["one"] / idle["two"], busy["two"] / busy["one"]
    lerps = found["pixels"]["both_ns"] / found["pixels"]["lerp_ns"]
    rows = [
        (
            f"{listed(wanted)} times as fast as the plain formulation",
            f"{listed(ratios)} times",
            all(ratio >= least for ratio, least in zip(ratios, wanted, strict=True)),
        ),
        ("a pixel under a stamp in the time of 8 of torch's lerp", f"{lerps:.1f}", lerps < 8),
        ("a tenth of its memory, first shape", f"{share:.0%}", share <= 0.1),
        ("two threads 1.6 times as fast as one", f"{faster:.2f} times", faster >= 1.6),
        ("with a core taken, two threads at most 1.3 times as slow as one", f"{slower:.2f} times", slower <= 1.3),
    ]
    return aimed(rows)


def steps() -> str:
    """A training step and its parts."""
    found = result("train")
    machine = found["machine"]
    return f"{train.table(found)}\n\nMedians of CPU time, one thread; {machine['cpu']}, {machine['cores']} cores."


def trained() -> str:
    """Every model after a short training."""
    found = result("models")
    machine = found["machine"]
    about = (
        f"Batches of {found['batch']}, seed {found['seed']}, {found['held_out']:,} held-out images, IWAE of "
        f"{found['samples']} samples. Bounds are in nats, of a density for the calibrated likelihood, of Bernoulli "
        f"pixels for the others. Steps: medians of CPU time, one thread; {machine['cpu']}, {machine['cores']} cores."
    )
    return f"{models.table(found)}\n\n{about}"


def weights() -> str:
    """The models that come with limner, and what they reach on held-out images."""
    rows = []
    for name, about in ship.MODELS.items():
        model, scores = about.experiment.model, ship.scores(name)
        side = ship.runs.read(ship.shipped.FOLDER / name).size[0]
        found = [scores[split]["psnr"] for split in ship.SPLITS]
        drawn = f"{model.moves} {model.templates[0]}s on {side} x {side}"
        rows.append([f"`{name}`", model.kind, drawn, *(f"{psnr:.1f}" for psnr in found), f"{ship.kilobytes(name):.0f}"])
    table = markdown("name|painter|paints|PSNR, dB: training|held out|kB", rows)
    return f"{table}\n\nMeans over at most {ship.IMAGES:,} images; each data set's held-out part is told on the card."


def aimed(rows: list[tuple[str, str, bool]]) -> str:
    """A table of aims."""
    return markdown("aim|measured|reached", [[aim, seen, "yes" if reached else "no"] for aim, seen, reached in rows])


def listed(numbers: list[int]) -> str:
    """1, 2 and 3."""
    return f"{', '.join(map(str, numbers[:-1]))} and {numbers[-1]}"


TABLES: dict[str, Callable[[], str]] = {
    "aims": aims,
    "means": means,
    "pictures": pictures,
    "rivals": rivals,
    "large": large,
    "parts": parts,
    "clips": clips,
    "engine": lambda: engine.table(result("engine")),
    "engine_machines": engine_machines,
    "engine_aims": engine_aims,
    "gpu": lambda: gpu.table(result("gpu")),
    "models": trained,
    "train": steps,
    "weights": weights,
}


def filled(page: str) -> str:
    """The text of a page with every table as the results have it."""

    def table(match: re.Match) -> str:
        return f"<!-- table: {match[1]} -->\n\n{TABLES[match[1]]()}\n\n<!-- end -->"

    return re.sub(r"<!-- table: (\w+) -->.*?<!-- end -->", table, page, flags=re.DOTALL)


if __name__ == "__main__":
    for name in PAGES:
        path = ROOT / name
        path.write_text(filled(path.read_text()))
