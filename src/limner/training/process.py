"""The painting process as a picture: a row for each image, a column for each move, the target last (Fig. 4.1)."""

from dataclasses import replace
from pathlib import Path

import torch
from torch import nn

from limner.canvas import Canvas
from limner.files import atomic
from limner.models.code import mean_codes
from limner.models.evaluating import evaluating
from limner.models.output import Output, Steps, steps
from limner.tables import Cells, table
from limner.templates import TemplateBank

COLUMNS_MOST = 12


def of_output(output: Output, bank: TemplateBank | None) -> Steps:
    """The canvas after each move that a model made; only the last where it made none."""
    if output.steps is not None:
        return output.steps
    if output.strokes is None or bank is None:
        return output.canvas[:, None]
    return steps(output.strokes, bank, (output.canvas.shape[2], output.canvas.shape[3]))


def some_steps(model: nn.Module, images: Canvas, most: int, in_order: bool = True) -> tuple[Cells, list[int]]:
    """The canvas after each move, of more than `most` only some, the last always; and which they are.

    in_order: that of depth, if moves have one, and not the order that the model gives them in.
    """
    with evaluating(model), mean_codes(model):
        output = model(images)
        if not in_order:
            output = replace(output, strokes=replace(output.strokes, depth=None))
        shown = of_output(output, getattr(model, "bank", None))
    chosen = torch.linspace(0, shown.shape[1] - 1, min(most, shown.shape[1])).round().long()
    return shown[:, chosen], chosen.tolist()


def painting_process(model: nn.Module, images: Canvas, columns: int = COLUMNS_MOST, target: bool = True) -> Cells:
    """The painting process of images; of more moves than `columns` only some are shown, the last always.

    target: end each row with the image itself.
    """
    cells, _ = some_steps(model, images, columns)
    return torch.cat([cells, images[:, None]], 1) if target else cells


def save_sheet(cells: Cells, path: Path) -> None:
    """Write a table of images of ink, shown as black on white, with gray lines between them."""
    with atomic(path) as temporary:
        table(1 - cells).save(temporary)
