"""Tables of the results, for the pages that show them: `python benchmarks/tables.py` writes them into the pages.

A page has `<!-- table: NAME -->` and `<!-- end -->` where a table stands; a test holds pages and results together.
"""

import re
from collections.abc import Callable
from json import loads
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGES = ("README.md", "docs/painting.md")


def result(name: str) -> dict:
    """A committed result file."""
    return loads((ROOT / "benchmarks" / "results" / f"{name}.json").read_text())


def markdown(head: str, rows: list[list[str]]) -> str:
    """A table from its head, cells separated by |, and its rows; all but the first column are aligned right."""
    names = head.split("|")
    rule = ["---"] + ["---:"] * (len(names) - 1)
    return "\n".join("| " + " | ".join(cells) + " |" for cells in [names, rule, *rows])


def against(row: dict) -> list[str]:
    """The cells that compare a row with primitive."""
    cells = [f"{row['psnr']:.2f}", f"{row['cpu']:.1f}", f"{row['svg'] - row['psnr']:+.2f}"]
    peer = row["primitive"]
    if not peer:
        return [*cells, "", "", ""]
    return [*cells, f"{peer['psnr']:.2f}", f"{row['psnr'] - peer['psnr']:+.2f}", f"{row['cpu'] / peer['cpu']:.2f}"]


COLUMNS = "PSNR, dB|CPU-s|SVG, dB|primitive, dB|ahead, dB|of its CPU-s"


def means() -> str:
    rows = [[row["style"], str(row["strokes"]), *against(row)] for row in result("paint")["means"]]
    return markdown(f"opacity, fill|N|{COLUMNS}", rows)


def pictures() -> str:
    chosen = [row for row in result("paint")["rows"] if row["style"] == "free, flat"]
    return markdown(f"picture|N|{COLUMNS}", [[row["picture"], str(row["strokes"]), *against(row)] for row in chosen])


def large() -> str:
    rows = result("paint")["large"]
    cells = [
        [str(r["strokes"]), f"{r['wall']:.1f}", f"{r['cpu']:.1f}", f"{r['memory']:.0f}", f"{r['psnr']:.2f}"]
        for r in rows
    ]
    return markdown("strokes|seconds|CPU-s|memory, MB|PSNR, dB", cells)


def parts() -> str:
    rows = result("parts")["rows"]
    whole = {row["strokes"]: row["psnr"] for row in rows if row["part"] == "as it is"}
    cells = [
        [
            row["part"],
            str(row["strokes"]),
            f"{row['psnr']:.2f}",
            f"{row['psnr'] - whole[row['strokes']]:+.2f}",
            f"{row['seconds']:.1f}",
        ]
        for row in rows
    ]
    return markdown("part|N|PSNR, dB|change, dB|CPU-s of the fit", cells)


TABLES: dict[str, Callable[[], str]] = {"means": means, "pictures": pictures, "large": large, "parts": parts}


def filled(page: str) -> str:
    """The text of a page with every table as the results have it."""

    def table(match: re.Match) -> str:
        return f"<!-- table: {match[1]} -->\n\n{TABLES[match[1]]()}\n\n<!-- end -->"

    return re.sub(r"<!-- table: (\w+) -->.*?<!-- end -->", table, page, flags=re.DOTALL)


if __name__ == "__main__":
    for name in PAGES:
        path = ROOT / name
        path.write_text(filled(path.read_text()))
