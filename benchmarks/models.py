"""Every model on two data sets, trained shortly and measured on held-out images: `limner bench models`, half an hour.

The same number of iterations, batches of 100, seed 0 and one thread for all: what the table compares is how far each
has come by then, not how good it can get. Step times are medians, of CPU time, so that other processes matter less.
"""

import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import torch
from engine import machine

from limner.data import Images, load
from limner.experiments.settings import Experiment
from limner.experiments.thesis import EXPERIMENTS
from limner.files import write_json
from limner.models.build import Network, build
from limner.models.settings import Model
from limner.training.loop import train
from limner.training.metrics import evaluate

HELD_OUT, SAMPLES = 1000, 10
VARIATIONAL = {"latent": 32, "likelihood": "ce"}
KINDS = {
    "simple": {"kind": "simple"},
    "simple, batch norm": {"kind": "simple", "batch_norm": True},
    "simple, denoising": {"kind": "simple", "latent": 32, "sigma": 0.3, "latent_cost": "none", "input_noise": 0.1},
    "simple, variational": {"kind": "simple", **VARIATIONAL},
    "simple, variational, calibrated": {
        "kind": "simple",
        "latent": 32,
        "likelihood": "optimal-sigma",
        "sigma_start": 0.05,
    },
    "recurrent": {"kind": "recurrent"},
    "canvas-recurrent": {"kind": "canvas-recurrent"},
    "conv": {"kind": "conv"},
    "pointing": {"kind": "pointing"},
    "autoencoder": {"kind": "autoencoder"},
    "autoencoder, variational": {"kind": "autoencoder", **VARIATIONAL},
    "draw": {"kind": "draw", "likelihood": "ce"},
    "t-draw": {"kind": "t-draw", "likelihood": "ce"},
    "air": {"kind": "air", "likelihood": "ce"},
    "t-air": {"kind": "t-air", "likelihood": "ce"},
}
SCORES = ("mse", "psnr", "ssim", "all_found", "iou", "live", "elbo", "iwae")


def row(name: str, label: str, experiment: Experiment) -> dict:
    """One model, trained and measured."""
    images, held_out = load(experiment.data, "train"), load(experiment.data, "test")[:HELD_OUT]
    torch.manual_seed(experiment.training.seed)
    model = build(experiment.model, images.size, images.channels)
    with tempfile.TemporaryDirectory() as folder:
        train(model, images, experiment.training, Path(folder), quiet=True)
    scores = evaluate(model, held_out, samples=SAMPLES if experiment.model.likelihood != "mse" else 0)
    return {
        "data": name,
        "model": label,
        "parameters": sum(weight.numel() for weight in model.parameters()),
        "step_ms": step_time(model, images, experiment.training.batch),
        "iterations": experiment.training.iterations,
        **{score: scores[score] for score in SCORES if score in scores},
    }


def step_time(model: Network, images: Images, batch: int, steps: int = 7) -> float:
    """Median CPU milliseconds of forward, backward and Adam, on the CPU wherever the model was trained."""
    model = model.cpu().train()
    optimiser = torch.optim.Adam(model.parameters(), fused=True)
    ink, spans = images[:batch].ink(), []
    for _ in range(steps):
        start = time.process_time()
        loss = model(ink).loss
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        spans.append(1e3 * (time.process_time() - start))
    return statistics.median(spans[1:])


def measure(iterations: int) -> dict:
    """All models on all data."""
    torch.set_num_threads(1)
    rows = []
    for name in ("two-rectangles", "mnist"):
        experiment = EXPERIMENTS[name]()
        training = replace(experiment.training, iterations=iterations, checkpoint_every=0, picture_every=0)
        for label, options in KINDS.items():
            model: Model = replace(experiment.model, **options)
            rows.append(row(name, label, Experiment(experiment.data, model, training)))
            print(line(rows[-1]), flush=True)
    return {"machine": machine(), "batch": 100, "seed": 0, "held_out": HELD_OUT, "samples": SAMPLES, "rows": rows}


def line(row: dict) -> str:
    """One line of the Markdown table."""
    cells = [row["data"], row["model"], f"{row['parameters']:,}", f"{row['step_ms']:.3g} ms", f"{row['iterations']:,}"]
    formats = {"mse": ".4f", "psnr": ".1f", "ssim": ".3f", "all_found": ".1%", "iou": ".2f", "live": ".0%"}
    cells += [format(row[score], formats.get(score, ".1f")) if score in row else "" for score in SCORES]
    return "| " + " | ".join(cells) + " |"


def table(found: dict) -> str:
    """The figures as Markdown."""
    head = (
        "| data | model | parameters | step | iterations | MSE | PSNR | SSIM | all found | IoU | live | ELBO | IWAE |"
    )
    return "\n".join([head, "|" + "---|" * 13, *map(line, found["rows"])])


def main(iterations: int = 1000, json: Path | None = None) -> None:
    """Measure, print the table, and write the figures as JSON if asked."""
    found = measure(iterations)
    if json:
        write_json(json, found)
