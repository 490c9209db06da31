"""The pictures of trained figures, in the thesis' layouts; images are held-out ones if not said, evenly chosen."""

from pathlib import Path

import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from limner.data.images import Images
from limner.experiments import runs
from limner.experiments.settings import Experiment
from limner.figures import plots, sheets
from limner.figures.cache import key
from limner.figures.figure import Figure, Scale
from limner.figures.layouts import COLUMNS, Curves, Dots, Masks, Process, Progress, Reconstructions
from limner.figures.measuring import images_of
from limner.figures.results import SPLITS, Results
from limner.figures.sheets import Cells, Panel
from limner.models.build import Network
from limner.models.code import mean_codes
from limner.models.evaluating import evaluating
from limner.training.process import some_steps

LARGE, SIDE, SMALL = 56, 30, 48
"""Pixels of an image, about: on a sheet of up to `FEW` across, on a larger sheet, and of a large reconstruction."""
FEW = 20
SAMPLES = 4
"""Rows of images drawn from the prior."""


def draw(figure: Figure, scale: Scale, results: Results, folder: Path) -> Image.Image:
    """The picture of a figure whose runs lie below `folder`; of each variant its first seed is shown."""
    torch.set_num_threads(1)
    first = {variant: experiment for variant, seed, experiment in figure.runs(scale) if seed == 0}
    layout = figure.layout
    if isinstance(layout, Curves):
        return plots.curves(layout, results)
    if isinstance(layout, Dots):
        return plots.dots(layout, results)
    if isinstance(layout, Process):
        return process(layout, first, folder)
    if isinstance(layout, Progress):
        return progress(layout, first, folder)
    if isinstance(layout, Masks):
        return learnt_masks(layout, first, folder)
    assert isinstance(layout, Reconstructions)
    return reconstructions(layout, first[layout.variant], folder)


def process(layout: Process, first: dict[str, Experiment], folder: Path) -> Image.Image:
    """Painting processes, a panel a variant, and below them what is painted from codes that are drawn at random."""
    panels = []
    for variant in layout.variants:
        model, images = _load(first[variant], folder), images_of(first[variant].data, "test").spread(layout.rows)
        if variant in layout.unsorted:
            panels.append(Panel(f"{variant}, before sorting", *_process(model, images, layout.columns, in_order=False)))
        panels.append(Panel(variant, *_process(model, images, layout.columns)))
    if layout.samples:
        panels += [_samples(variant, _load(first[variant], folder), layout) for variant in layout.variants]
    return _compose(panels, layout.across)


def _process(model: Network, images: Images, most: int, in_order: bool = True) -> tuple[Cells, list[str]]:
    """`some_steps`, then the target; and their names."""
    ink = images.ink()
    cells, chosen = some_steps(model, ink, most, in_order)
    return torch.cat([cells, ink[:, None]], 1), [*(str(t + 1) for t in chosen), "x"]


@torch.no_grad()
def _samples(variant: str, model: Network, layout: Process) -> Panel:
    columns = min(layout.columns, model.settings.moves) + 1
    torch.manual_seed(0)
    return Panel(f"samples: {variant}", model.sample(SAMPLES * columns).canvas.unflatten(0, (SAMPLES, columns)))


def progress(layout: Progress, first: dict[str, Experiment], folder: Path) -> Image.Image:
    """Painting processes of the same images, a panel an image, a row for each stage of training."""
    stages, columns = [], []
    for name in layout.variants:
        images = images_of(first[name].data, "test").spread(layout.images)
        cells, columns = _process(_load(first[name], folder), images, COLUMNS)
        stages.append(cells)
    panels = [
        Panel(
            "", torch.stack([cells[k] for cells in stages]), columns, layout.variants if k % layout.across == 0 else ()
        )
        for k in range(len(stages[0]))
    ]
    return _compose(panels, layout.across)


def reconstructions(layout: Reconstructions, experiment: Experiment, folder: Path) -> Image.Image:
    """What was painted, above what was to be painted, of training and of held-out images; large ones smaller."""
    model = _load(experiment, folder)
    inks = [images_of(experiment.data, split).spread(layout.side**2).ink() for split in SPLITS]
    with evaluating(model), mean_codes(model):
        painted = [model(ink).canvas for ink in inks]
    titles = ["painted from training images", "painted from held-out images", "training images", "held-out images"]
    panels = [
        Panel(title, _small(each).unflatten(0, (-1, min(layout.side, len(each)))))
        for title, each in zip(titles, [*painted, *inks], strict=True)
    ]
    return sheets.compose(panels, len(SPLITS), SIDE)


@torch.no_grad()
def learnt_masks(layout: Masks, first: dict[str, Experiment], folder: Path) -> Image.Image:
    """The first template of every variant, black where it is brush."""
    banks = [_load(first[name], folder).bank for name in layout.variants]
    masks = torch.stack([bank.masks[:1] for bank in banks if bank is not None])
    cells = masks.unflatten(0, (len(layout.rows), len(layout.columns)))
    return sheets.compose([Panel("", cells, layout.columns, layout.rows)], 1, LARGE)


def _small(images: Float[Tensor, "batch channel height width"]) -> Float[Tensor, "batch channel rows columns"]:
    if images.shape[-1] <= SMALL:
        return images
    return torch.nn.functional.interpolate(images, (SMALL, SMALL), mode="bilinear", antialias=True)


def _compose(panels: list[Panel], across: int) -> Image.Image:
    wide = min(across, len(panels)) * max(panel.cells.shape[1] for panel in panels)
    return sheets.compose(panels, across, LARGE if wide <= FEW else SIDE)


def _load(experiment: Experiment, folder: Path) -> Network:
    return runs.load(folder / key(experiment))
