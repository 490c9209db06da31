"""Time and memory of the engine on a GPU against plain PyTorch on the same: `limner bench gpu`, about a minute.

The steps are those of `limner bench engine`; every figure is the median of steps after warm-up, plain and limner by
turns in one process, from the call until the GPU has done all of it. Memory is the peak that a step adds.
"""

from pathlib import Path

import engine
import torch

from limner.errors import UserError
from limner.files import write_json

SHAPES = (*engine.SHAPES, (100, 40, 256, 256), (1, 500, 768, 1024))
EXTRAS = {"4 templates": {"templates": 4}, "RGB": {"channels": 3}}
ROUNDS = 10


def row(label: str, shape: tuple[int, ...], rounds: int, **options) -> dict:
    """One line of the table."""
    steps = engine.problem(shape, device="cuda", **options)
    engine.same_function(steps, 1e-2)  # of millions of positions, plain float32 takes some for ones in the next texel
    found = engine.medians({name: finished(step) for name, step in steps.items()}, rounds, times=1)
    peaks = {name: peak(step) for name, step in steps.items()}
    return {
        "label": label,
        "shape": shape,
        "ratio": found["plain"] / found["limner"],
        **{f"{name}_ms": span for name, span in found.items()},
        **{f"{name}_mib": mib for name, mib in peaks.items()},
    }


def finished(step: engine.Step) -> engine.Step:
    """The same step, which ends when the GPU has done all of it."""

    def run() -> tuple[torch.Tensor, ...]:
        found = step()
        torch.cuda.synchronize()
        return found

    return run


def peak(step: engine.Step) -> float:
    """MiB that a step adds at most."""
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    step()
    torch.cuda.synchronize()
    return (torch.cuda.max_memory_allocated() - before) / 2**20


def measure() -> dict:
    """All figures."""
    rows = [row("", shape, ROUNDS) for shape in SHAPES]
    rows += [row(label, engine.SHAPES[1], ROUNDS, **options) for label, options in EXTRAS.items()]
    machine = {"gpu": torch.cuda.get_device_name(), "torch": torch.__version__}
    return {"machine": machine, "strokes": engine.STROKES, "rows": rows}


def table(found: dict) -> str:
    """The figures as Markdown."""
    lines = [
        "| batch, moves, canvas | plain | limner | ratio | memory plain | memory limner |",
        "|---|---|---|---|---|---|",
    ]
    for line in found["rows"]:
        cells = [engine.named(line), *(engine.milliseconds(line[key]) for key in ("plain_ms", "limner_ms"))]
        cells += [f"{line['ratio']:.0f}", *(f"{line[key]:,.0f} MiB" for key in ("plain_mib", "limner_mib"))]
        lines.append("| " + " | ".join(cells) + " |")
    ran = found["machine"]
    return "\n".join([*lines, "", f"- {ran['gpu']}; torch {ran['torch']}.", f"- {found['strokes']}."])


def main(json: Path | None = None) -> None:
    """Measure, print the table, and write the figures as JSON if asked."""
    if not torch.cuda.is_available():
        raise UserError("limner bench gpu: PyTorch finds no CUDA GPU here: try limner bench engine")
    found = measure()
    print(table(found))
    if json:
        write_json(json, found)
