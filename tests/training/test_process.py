from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from limner.models.code import mean_codes
from limner.models.output import Output
from limner.models.painter import Painter
from limner.models.settings import Model
from limner.tables import GAP
from limner.training.process import of_output, painting_process, save_sheet, some_steps, steps
from limner.writer import render


def test_steps_are_the_canvases_after_each_move() -> None:
    torch.manual_seed(0)
    model = Painter(Model(moves=4, hidden=8), (10, 12), 1).eval()
    output = model(torch.rand(2, 1, 10, 12))
    found = steps(output.strokes, model.bank, (10, 12))
    for t in range(4):
        assert torch.allclose(found[:, t], render(output.strokes[:, : t + 1], model.bank, (10, 12)), atol=1e-6)


def test_ordered_moves_are_shown_from_far_to_near() -> None:
    torch.manual_seed(0)
    model = Painter(Model(moves=3, hidden=8, order="soft"), (10, 12), 1).eval()
    output = model(torch.rand(2, 1, 10, 12))
    assert torch.allclose(of_output(output, model.bank)[:, -1], output.canvas, atol=1e-5)


def test_models_without_strokes_show_what_they_have() -> None:
    canvas, between = torch.rand(2, 1, 4, 4), torch.rand(2, 5, 1, 4, 4)
    assert torch.equal(of_output(Output(canvas, {}), None), canvas[:, None])
    assert torch.equal(of_output(Output(canvas, {}, steps=between), None), between)


def test_sheet_is_black_on_white_with_the_cells_in_place(tmp_path: Path) -> None:
    cells = torch.rand(2, 3, 3, 4, 5)
    save_sheet(cells, tmp_path / "sheet.png")
    with Image.open(tmp_path / "sheet.png") as sheet:
        pixels = np.asarray(sheet)
    assert pixels.shape == (2 * (4 + GAP) + GAP, 3 * (5 + GAP) + GAP, 3)
    top, left = GAP + (4 + GAP), GAP + 2 * (5 + GAP)
    wanted = np.round(255 * (1 - cells[1, 2].permute(1, 2, 0).numpy()))
    assert np.array_equal(pixels[top : top + 4, left : left + 5], wanted)


def test_picture_of_a_model_leaves_it_in_training(tmp_path: Path) -> None:
    model = Painter(Model(moves=30, hidden=8), (10, 12), 1)
    save_sheet(painting_process(model, torch.rand(3, 1, 10, 12), columns=6), tmp_path / "p.png")
    assert model.training
    with Image.open(tmp_path / "p.png") as sheet:
        assert sheet.size == (7 * (12 + GAP) + GAP, 3 * (10 + GAP) + GAP)


@pytest.mark.parametrize(("most", "shown"), [(1, [0]), (3, [0, 2, 4]), (5, [0, 1, 2, 3, 4]), (9, [0, 1, 2, 3, 4])])
def test_of_many_moves_some_are_shown_from_the_first_to_the_last(most: int, shown: list[int]) -> None:
    model, images = Painter(Model(moves=5, hidden=8), (10, 12), 1), torch.rand(2, 1, 10, 12)
    cells, chosen = some_steps(model, images, most)
    assert chosen == shown
    assert torch.equal(cells, steps(model.eval()(images).strokes, model.bank, (10, 12))[:, shown])


def test_pictures_are_of_the_mean_codes() -> None:
    torch.manual_seed(0)
    model, images = Painter(Model(moves=2, hidden=8, latent=3, init=0.5), (10, 12), 1), torch.rand(2, 1, 10, 12)
    cells = painting_process(model, images, target=False)
    assert torch.equal(cells, painting_process(model, images, target=False))
    with mean_codes(model):
        assert torch.allclose(cells[:, -1], model.eval()(images).canvas, atol=1e-6)
    assert not torch.allclose(cells[:, -1], model(images).canvas, atol=1e-3)
    assert torch.equal(painting_process(model, images), torch.cat([cells, images[:, None]], 1))
