"""Time, memory and compiling of the engine against plain PyTorch: `limner bench engine`, about two minutes.

Every figure is the median of steps after warm-up, plain and limner by turns in one process and on one thread unless
said otherwise; a ratio is the median of those of all turns. A step is forward and backward of a linear loss, whose
gradient costs nothing to find. "First" is the first step of a fresh process that has painted a tiny picture before;
memory is how much that process then grows.
"""

import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numba
import plain
import torch
from process import cpu_name

from limner import Strokes, TemplateBank, render
from limner.canvas import transform_mask
from limner.files import write_json

SHAPES = ((100, 40, 100, 100), (100, 60, 32, 32), (100, 20, 28, 28), (100, 2, 28, 28))
ROUNDS = (7, 15, 25, 60)
EXTRAS = {"prefilter": {"prefilter": True}, "4 templates": {"templates": 4}, "RGB": {"channels": 3}}
TINY = (2, 2, 8, 8)
STROKES = "Phi = diag(2, 2) + N(0, 0.3) in all six entries, circle of 28 texels, over, seed 0"
BUSY = "while True: pass"

Step = Callable[[], tuple[torch.Tensor, ...]]


def problem(
    shape: tuple[int, ...], channels: int = 1, templates: int = 1, prefilter: bool = False, device: str = "cpu"
) -> dict[str, Step]:
    """The same step by the plain formulation and by limner; each returns the canvas and the gradients."""
    batch, moves, height, width = shape
    torch.manual_seed(0)
    where = torch.tensor([[2.0, 0, 0], [0, 2, 0]]) + 0.3 * torch.randn(batch, moves, 2, 3)
    which = torch.randn(batch, moves, templates).softmax(-1) if templates > 1 else torch.ones(batch, moves, 1)
    what, slopes = torch.rand(batch, moves, channels), torch.randn(batch, channels, height, width)
    bank = TemplateBank.named(*("circle", "square", "line", "curve")[:templates], prefilter=prefilter).to(device)
    where, which, what, slopes = (tensor.to(device) for tensor in (where, which, what, slopes))
    leaves = [where, what, which] if templates > 1 else [where, what]
    for leaf in leaves:
        leaf.requires_grad_()

    def step(paint: Callable[[], torch.Tensor]) -> tuple[torch.Tensor, ...]:
        canvas = paint()
        return canvas.detach(), *torch.autograd.grad(canvas, leaves, slopes)

    return {
        "plain": lambda: step(lambda: plain.paint(where, which, what, bank.masks, (height, width))),
        "limner": lambda: step(lambda: render(Strokes(where, which, what), bank, (height, width), backend="fused")),
    }


def same_function(steps: dict[str, Step], most: float = 1e-3) -> None:
    """Raise AssertionError unless both steps find the same canvas and gradients."""
    for ours, theirs in zip(steps["limner"](), steps["plain"](), strict=True):
        apart = ((ours - theirs).norm() / theirs.norm()).item()
        assert apart <= most, f"plain and limner disagree: {apart:.1e} of the norm"


def by_turns(steps: dict[str, Step], rounds: int, times: int = 10) -> dict[str, list[list[float]]]:
    """Milliseconds of steps in each of `rounds` rounds; all but the plain one take `times` steps in a row."""
    found: dict[str, list[list[float]]] = {name: [] for name in steps}
    for turn in range(rounds + 1):
        for name, step in steps.items():
            spans = []
            for _ in range(1 if name == "plain" else times):
                start = time.perf_counter()
                step()
                spans.append(1e3 * (time.perf_counter() - start))
            if turn:
                found[name].append(spans)
    return found


def medians(steps: dict[str, Step], rounds: int, times: int = 10) -> dict[str, float]:
    """Milliseconds a step."""
    return {name: middle(turns) for name, turns in by_turns(steps, rounds, times).items()}


def middle(turns: list[list[float]]) -> float:
    """The median of all steps."""
    return statistics.median(itertools.chain.from_iterable(turns))


def ratio(slow: list[list[float]], fast: list[list[float]]) -> float:
    """How many times as long, round by round: others slow a machine down for some time, both alike; the median."""
    pairs = zip(slow, fast, strict=True)
    return statistics.median(statistics.median(ours) / statistics.median(theirs) for ours, theirs in pairs)


def row(label: str, shape: tuple[int, ...], rounds: int, **options) -> dict:
    """One line of the table."""
    steps = problem(shape, **options)
    if not options.get("prefilter"):
        same_function(steps)
    warm = by_turns(steps, rounds)
    fresh = {name: probe("fresh", name, shape, options) for name in steps}
    return {
        "label": label,
        "shape": shape,
        "ratio": ratio(warm["plain"], warm["limner"]),
        **{f"{name}_ms": middle(warm[name]) for name in steps},
        **{f"{name}_first_ms": fresh[name]["ms"] for name in steps},
        **{f"{name}_mib": fresh[name]["mib"] for name in steps},
    }


def probe(task: str, name: str, shape: tuple[int, ...], options: dict, **environment: str) -> dict:
    """What a fresh process measures: `fresh` or `first_use`, below."""
    paths = {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    command = [sys.executable, __file__, json.dumps([task, name, shape, options])]
    done = subprocess.run(
        command, env={**os.environ, **paths, **environment}, capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def fresh(name: str, shape: tuple[int, ...], options: dict) -> dict:
    """Milliseconds of this process' first real step, and MiB by which it grows over three steps."""
    problem(TINY, **options)[name]()
    step = problem(shape, **options)[name]
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew from here
    before = memory("VmRSS")
    start = time.perf_counter()
    step()
    first = time.perf_counter() - start
    step(), step()
    return {"ms": 1e3 * first, "mib": max(0, memory("VmHWM") - before) / 1024}


def memory(field: str) -> int:
    """KiB resident, now (VmRSS) or at most (VmHWM)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field))


def first_use(name: str, shape: tuple[int, ...], options: dict) -> dict:
    """CPU seconds of the first step with an empty cache folder, nearly all of which is compiling.

    A plain step comes before, which makes torch load what its backward pass needs.
    """
    steps = problem(shape, **options)
    steps["plain"]()
    start = time.process_time()
    steps[name]()
    return {"seconds": time.process_time() - start}


def threads(rounds: int) -> dict:
    """One thread against two on the big shape: milliseconds on the machine as it is, and with one core taken."""
    step = problem(SHAPES[0])["limner"]

    def on(count: int) -> Step:
        def run() -> tuple[torch.Tensor, ...]:
            torch.set_num_threads(count)
            return step()

        return run

    both = {"one": on(1), "two": on(2)}
    found = {"idle": medians(both, rounds)}
    busy = subprocess.Popen([sys.executable, "-c", BUSY])
    try:
        found["busy"] = medians(both, rounds)
    finally:
        busy.kill()
        busy.wait()
        torch.set_num_threads(1)
    return found


def pixels(rounds: int) -> dict:
    """Nanoseconds that a pixel under a stamp takes on the big shape, and torch's lerp_ of as many pixels."""
    batch, moves, height, width = SHAPES[0]
    bank = TemplateBank.named("circle", prefilter=False)
    torch.manual_seed(0)
    where = torch.tensor([[2.0, 0, 0], [0, 2, 0]]) + 0.3 * torch.randn(batch, moves, 2, 3)
    texels = bank.pyramid.texels.expand(batch, -1)
    masks = (transform_mask(texels, bank.pyramid, where[:, t], (height, width)) for t in range(moves))
    touched = sum(int((mask > 0).sum()) for mask in masks)
    canvas, paint = torch.rand(touched), torch.rand(touched)
    strokes = Strokes(where, torch.ones(batch, moves, 1), torch.rand(batch, moves, 1))
    steps = {
        "both": problem(SHAPES[0])["limner"],
        "forward": lambda: (render(strokes, bank, (height, width), backend="fused"),),
        "lerp": lambda: (canvas.lerp_(paint, 0.3),),
    }
    spans = medians(steps, rounds)
    each = {f"{name}_ns": 1e6 * span / touched for name, span in spans.items()}
    return {"touched": touched, "coverage": touched / (batch * moves * height * width), **each}


def machine() -> dict:
    """What ran this."""
    return {"cpu": cpu_name(), "cores": os.cpu_count(), "torch": torch.__version__, "numba": numba.__version__}


def measure() -> dict:
    """All figures."""
    torch.set_num_threads(1)
    started = os.getloadavg()[0]
    rows = [row("", shape, rounds) for shape, rounds in zip(SHAPES, ROUNDS, strict=True)]
    rows += [row(label, SHAPES[1], ROUNDS[1], **options) for label, options in EXTRAS.items()]
    with tempfile.TemporaryDirectory() as folder:
        compiling = probe("first_use", "limner", TINY, {}, NUMBA_CACHE_DIR=folder)
    found = {"rows": rows, "pixels": pixels(ROUNDS[0]), "threads": threads(ROUNDS[0]), "first_use": compiling}
    return {"machine": machine(), "strokes": STROKES, "load": [started, os.getloadavg()[0]], **found}


def table(found: dict) -> str:
    """The figures as Markdown."""
    lines = [
        "| batch, moves, canvas | plain | limner | ratio | first plain | first limner | memory plain | memory limner |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for line in found["rows"]:
        spans = [milliseconds(line[key]) for key in ("plain_ms", "limner_ms")]
        firsts = [milliseconds(line[key]) for key in ("plain_first_ms", "limner_first_ms")]
        sizes = [f"{line[key]:.0f} MiB" for key in ("plain_mib", "limner_mib")]
        lines.append("| " + " | ".join([named(line), *spans, f"{line['ratio']:.0f}", *firsts, *sizes]) + " |")
    idle, busy, each = found["threads"]["idle"], found["threads"]["busy"], found["pixels"]
    ran, load = found["machine"], found["load"]
    lines += [
        "",
        f"- {ran['cpu']}, {ran['cores']} cores, load {load[0]:.1f} to {load[1]:.1f}, one thread; torch {ran['torch']}, "
        f"numba {ran['numba']}.",
        f"- {found['strokes']}; a stamp covers {each['coverage']:.1%} of the canvas.",
        f"- Two threads on the first shape: {idle['one'] / idle['two']:.2f} times as fast as one; with a core taken by "
        f"another process {busy['one'] / busy['two']:.2f} times.",
        f"- A pixel under a stamp, hidden or not, takes {each['forward_ns']:.2f} ns forward, {each['both_ns']:.2f} ns "
        f"forward and backward: {each['forward_ns'] / each['lerp_ns']:.1f} and {each['both_ns'] / each['lerp_ns']:.1f} "
        f"times an in-place `lerp_` ({each['lerp_ns']:.2f} ns).",
        f"- First use, with an empty cache folder: {found['first_use']['seconds']:.1f} CPU seconds.",
    ]
    return "\n".join(lines)


def named(line: dict) -> str:
    """What a line of a table measures."""
    batch, moves, height, width = line["shape"]
    return f"{batch}, {moves}, {height}x{width}" + (f", {line['label']}" if line["label"] else "")


def milliseconds(span: float) -> str:
    """Three digits, or all before the point."""
    return f"{span:,.0f} ms" if span >= 1000 else f"{span:.3g} ms"


def main(json: Path | None = None) -> None:
    """Measure, print the table, and write the figures as JSON if asked."""
    found = measure()
    print(table(found))
    if json:
        write_json(json, found)


if __name__ == "__main__":
    torch.set_num_threads(1)
    task, *rest = json.loads(sys.argv[1])
    print(json.dumps({"fresh": fresh, "first_use": first_use}[task](*rest)))
