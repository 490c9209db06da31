"""Time of a training step and where it goes: `limner bench train`, about two minutes.

Each part is timed in the same process by turns, one thread, medians of CPU time. The step is what the training loop
does for a batch of 100: fetching images, forward, backward, Adam. The engine is `render` forward and backward on the
same moves with the same gradient of the canvas; network and loss are what is left of forward and backward.
"""

import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch
from engine import machine

from limner import render
from limner.data import Data, Images, load
from limner.files import write_json
from limner.models.build import Network, build
from limner.models.settings import Model
from limner.training.batches import Batches, seed_noise

BATCH, IMAGES = 100, 1000
CASES = {
    "simple, T=2, 28x28": (Model(kind="simple", moves=2, templates=("square",), affine="scale"), 28, 60, 4.0),
    "simple, T=20, 28x28": (Model(kind="simple", moves=20, templates=("circle",)), 28, 40, 2.0),
    "conv, T=40, 100x100": (Model(kind="conv", moves=40, templates=("circle",)), 100, 10, 2.0),
}
WARM_UP = 20

Part = Callable[[], object]


def parts(settings: Model, side: int) -> dict[str, Part]:
    """The step and its parts, on a painter that has trained a little."""
    torch.manual_seed(0)
    images = Images(load(Data("shapes", images=IMAGES, size=side, counts=(3, 6)), "train").pixels)
    model = build(settings, images.size, 1)
    optimiser = torch.optim.Adam(model.parameters(), 1e-3, fused=True)
    batches = Batches(IMAGES, BATCH, 0)
    turn = 0

    def data() -> torch.Tensor:
        nonlocal turn
        turn += 1
        model.schedule(turn)
        seed_noise(0, turn)
        return images[batches[turn]].ink()

    def learn(ink: torch.Tensor) -> torch.Tensor:
        output = model(ink)
        loss = torch.stack([each.mean() for each in output.losses.values()]).sum()
        optimiser.zero_grad()
        loss.backward()
        return output.canvas

    def step() -> None:
        learn(data())
        optimiser.step()

    for _ in range(WARM_UP):
        step()
    ink = data()
    return {
        "step": step,
        "data": data,
        "forward and backward": lambda: learn(ink),
        "optimiser": optimiser.step,
        "engine": engine(model, ink),
    }


def engine(model: Network, ink: torch.Tensor) -> Part:
    """`render` forward and backward of the moves that the model makes for `ink`."""
    strokes = model(ink).strokes
    assert strokes is not None
    strokes = strokes.detach()
    leaves = [strokes.where.requires_grad_(), strokes.what.requires_grad_()]
    canvas = render(strokes, model.bank, ink.shape[2:])
    slope = (2 * (canvas - ink) / BATCH).detach()
    return lambda: torch.autograd.grad(render(strokes, model.bank, ink.shape[2:]), leaves, slope)


def row(name: str, settings: Model, side: int, rounds: int, bar: float) -> dict:
    """CPU milliseconds of each part, by turns."""
    todo = parts(settings, side)
    spans: dict[str, list[float]] = {part: [] for part in todo}
    for _ in range(rounds):
        for part, run in todo.items():
            start = time.process_time()
            run()
            spans[part].append(1e3 * (time.process_time() - start))
    found = {part: statistics.median(each) for part, each in spans.items()}
    return {"name": name, "ms": found, "ratio": found["step"] / found["engine"], "bar": bar}


def measure() -> dict:
    """All figures."""
    torch.set_num_threads(1)
    rows = [row(name, *case) for name, case in CASES.items()]
    return {"machine": machine(), "batch": BATCH, "rows": rows}


def table(found: dict) -> str:
    """The figures as Markdown."""
    lines = [
        "| painter, batch 100 | step | engine | share | step / engine | bar | network and loss | data | optimiser |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for line in found["rows"]:
        ms = line["ms"]
        rest = ms["forward and backward"] - ms["engine"]
        cells = [f"{ms['step']:.3g} ms", f"{ms['engine']:.3g} ms", f"{ms['engine'] / ms['step']:.0%}"]
        cells += [f"{line['ratio']:.2f}", f"{line['bar']:.0f}", f"{rest:.2g} ms", f"{ms['data']:.2g} ms"]
        lines.append("| " + " | ".join([line["name"], *cells, f"{ms['optimiser']:.2g} ms"]) + " |")
    return "\n".join(lines)


def main(json: Path | None = None) -> None:
    """Measure, print the table, and write the figures as JSON if asked."""
    found = measure()
    print(table(found))
    if json:
        write_json(json, found)
