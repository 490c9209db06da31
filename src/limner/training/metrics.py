"""How good a model is on images it was not trained on: reconstruction, bounds, and its moves against the truth."""

import math
from collections.abc import Iterable, Iterator

import torch
from torch import Tensor, nn

from limner.canvas import Canvas
from limner.data.images import Images
from limner.models.code import mean_codes
from limner.models.evaluating import evaluating
from limner.models.output import Output, PerImage
from limner.strokes import Strokes
from limner.templates import TemplateBank
from limner.training.matching import Scores, against_truth
from limner.training.visibility import see

EXACT = 1e-10
"""Mean squared error below which a canvas counts as exact: 100 dB."""
SSIM_LEAST = 6
"""Least side in pixels that SSIM is measured on."""
PIXELS_AT_ONCE = 2**23
"""Pixels of masks held in memory at a time."""


def evaluate(model: nn.Module, images: Images, batch: int = 100, samples: int = 0, seed: int = 0) -> dict[str, float]:
    """The mean of every score that applies, and `images`, how many there were; a score of nothing is left out.

    mse, psnr, ssim: over images (`reconstruction`).
    live, visible: over moves (`move_scores`).
    iou, found, all_found, template, template_images, template_any, order, order_found, count: for images with truth,
        see `matching`.
        So far the canvas and the moves are those of the mean codes; what follows is of one sample of the codes.
    loss, and the losses by name: over images, as the model returns them out of training.
    elbo: over images, in nats: log p(x, z) - log q(z | x), whatever beta or free bits the loss has.
    iwae: over images, in nats: `importance_bound` of so many `samples`, if any.
    The model's mode and the state of the random numbers are left as they were; `seed` starts those of the evaluation.
    """
    device = next((parameter.device for parameter in model.parameters()), torch.device("cpu"))
    parts: list[Scores] = []
    with evaluating(model), torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        for start in range(0, len(images), batch):
            parts += scores(model, images[start : start + batch], device, samples)
    return {**averages(parts), "images": float(len(images))}


def scores(model: nn.Module, images: Images, device: torch.device, samples: int = 0) -> Iterator[Scores]:
    """The scores of one batch, as `evaluate` names them, each with a value for every image, move or what it is over."""
    ink = images.ink(device)
    with mean_codes(model):
        painted: Output = model(ink)
    yield reconstruction(ink, painted.canvas)
    bank = getattr(model, "bank", None)
    if painted.strokes is not None and bank is not None:
        yield from move_scores(painted.strokes, bank, images)
    sampled: Output = model(ink)
    yield {**sampled.losses, "loss": torch.stack(list(sampled.losses.values())).sum(0)}
    if sampled.log_weight is not None:
        yield {"elbo": sampled.log_weight}
        if samples:
            yield {"iwae": importance_bound(model, ink, samples)}


def reconstruction(images: Canvas, canvas: Canvas) -> Scores:
    """mse, psnr (dB, at most 100) and ssim of each image, on ink in [0, 1].

    ssim: Wang et al. 2004, Gaussian window of sigma 1.5, averaged over all pixels with the borders mirrored; not of
        images with fewer than 6 pixels a side, which the window does not fit on.
    """
    from torchmetrics.functional.image import structural_similarity_index_measure

    images, canvas = images.float(), canvas.float()
    mse = (images - canvas).square().flatten(1).mean(1)
    found = {"mse": mse, "psnr": -10 * mse.clamp(min=EXACT).log10()}
    if min(images.shape[2:]) < SSIM_LEAST:
        return found
    ssim = structural_similarity_index_measure(canvas, images, data_range=1.0, reduction="none")
    assert isinstance(ssim, Tensor)
    return {**found, "ssim": ssim.view(-1)}


@torch.no_grad()
def importance_bound(model: nn.Module, images: Canvas, samples: int) -> PerImage:
    """log (1/K) sum_k p(x, z_k) / q(z_k | x) in nats, K = `samples` >= 1 (Burda et al. 2016); K = 1 is the ELBO."""
    log_weights = torch.stack([model(images).log_weight for _ in range(samples)])
    return log_weights.logsumexp(0) - math.log(samples)


def move_scores(strokes: Strokes, bank: TemplateBank, images: Images) -> Iterator[Scores]:
    """Scores of the moves that were painted for images, a few images at a time.

    live: over moves, 1 for what is not a null move (`visibility.Seen`).
    visible: over moves, pixels of it that are seen, counted by coverage; 0 for null moves.
    Also `matching.against_truth`, where the truth is known.
    """
    bank, truth = bank.detach().to("cpu"), images.truth
    true_bank = TemplateBank.named(*images.templates) if truth is not None else None
    moves = max(len(strokes), len(truth) if truth is not None else 0, 1)
    step = max(1, PIXELS_AT_ONCE // (moves * math.prod(images.size)))
    for start in range(0, len(images), step):
        chunk = slice(start, start + step)
        seen = see(strokes[chunk], bank, images.size)
        yield {"live": seen.live.flatten().float(), "visible": seen.visible.sum((2, 3)).flatten()}
        if truth is not None and true_bank is not None:
            shapes = see(truth[chunk], true_bank, images.size)
            yield against_truth(seen, shapes, bank.names, true_bank.names)


def averages(parts: Iterable[Scores]) -> dict[str, float]:
    """The mean of each score over all its items in all parts; scores without items are left out."""
    sums: dict[str, float] = {}
    counts: dict[str, int] = {}
    for part in parts:
        for name, values in part.items():
            sums[name] = sums.get(name, 0.0) + float(values.cpu().double().sum())
            counts[name] = counts.get(name, 0) + len(values)
    return {name: total / counts[name] for name, total in sums.items() if counts[name]}
