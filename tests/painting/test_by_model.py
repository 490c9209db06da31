from dataclasses import replace
from pathlib import Path

import pytest
import torch
from scenes import half_sizes

import limner
from limner.cli import main
from limner.errors import UserError
from limner.models.build import build
from limner.models.painter import Painter
from limner.models.settings import Model
from limner.painting import by_model
from limner.painting.fit.fitting import Task, fit
from limner.painting.fit.goal import Goal
from limner.painting.fit.moves import Style
from limner.painting.fit.rounds import Plan
from limner.templates import TemplateBank
from limner.writer import render

SIDE = 16


def painter(channels: int = 1, **options) -> Painter:
    torch.manual_seed(0)
    return Painter(Model(moves=5, templates=("circle",), phi0=6.0, hidden=8, **options), (SIDE, SIDE), channels).eval()


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(("count", "cells"), [(5, 1), (19, 1), (20, 2), (90, 4)])
def test_every_patch_is_painted_as_an_image_of_its_own(channels: int, count: int, cells: int) -> None:
    model = painter(channels)
    side = cells * SIDE
    picture = torch.rand(channels, side, side)
    strokes = by_model.proposed(model, picture, count)
    assert len(strokes) == 5 * cells**2
    canvas = render(strokes, model.bank, (side, side), background=1.0)[0]
    for row in range(cells):
        for column in range(cells):
            place = (slice(None), slice(row * SIDE, (row + 1) * SIDE), slice(column * SIDE, (column + 1) * SIDE))
            alone = model(1 - picture[place][None]).canvas[0]
            assert torch.allclose(canvas[place], 1 - alone, atol=1e-3)


def test_gray_painters_look_at_gray_and_propose_gray_for_a_coloured_picture() -> None:
    strokes = by_model.proposed(painter(), torch.rand(3, SIDE, SIDE), 5)
    assert strokes.what.shape == (1, 5, 3)
    assert (strokes.what == strokes.what[..., :1]).all()


def test_a_painter_may_be_of_64_bits() -> None:
    usual = by_model.proposed(painter(), picture := torch.rand(3, SIDE, SIDE), 5)
    found = by_model.proposed(painter().double(), picture, 5)
    assert found.where.dtype == torch.float32
    assert torch.allclose(found.where, usual.where, atol=1e-4)


def test_a_model_in_training_stays_in_it_and_gets_no_gradient() -> None:
    model = painter(batch_norm=True).train()
    picture = torch.rand(1, SIDE, SIDE)
    strokes = by_model.proposed(model, picture, 5)
    assert model.training
    assert not strokes.where.requires_grad
    assert torch.equal(strokes.where, by_model.proposed(model.eval(), picture, 5).where)


def test_patches_are_as_many_as_moves_out_of_training_allow() -> None:
    picture, model = torch.rand(1, SIDE, SIDE), painter(kind="pointing")
    for moves, patches in ((0, 1), (1, 4), (2, 1)):
        model.settings = replace(model.settings, moves_test=moves)
        assert len(by_model.proposed(model, picture, 7)) == min(7, (moves or 5) * patches)


def test_fewer_strokes_than_moves() -> None:
    assert len(by_model.proposed(painter(), torch.rand(1, SIDE, SIDE), 3)) == 3


def test_what_covers_all_is_left_out() -> None:
    model = painter()
    with torch.no_grad():
        model.writers.scores.weight.zero_()
        model.writers.scores.bias.zero_()
        model.writers.scores.bias[:6] = torch.tensor([-6.0, 0, 0, 0, -6.0, 0])
    assert len(by_model.proposed(model, torch.rand(1, SIDE, SIDE), 5)) == 4


def test_refinement_starts_from_what_is_proposed() -> None:
    """After a single step the strokes are still about those proposed; more are added up to the count."""
    model = painter()
    pixels = torch.rand(1, 24, 24)
    start = by_model.proposed(model, pixels, 5)
    still = Plan(adding=0, dropping=0, moving=0, settling=1)
    bank = TemplateBank.named("circle")
    painted, *_ = fit(Task(Goal(pixels), bank, 5, torch.ones(1), Style(keep_angles=True), start=start), plan=still)
    assert torch.allclose(painted.where, start.where, atol=0.3)
    painted, *_ = fit(Task(Goal(pixels), bank, 9, torch.ones(1), Style(), start=start), plan=Plan(adding=2, moving=1))
    assert len(painted) == 9


def test_painting_leaves_what_is_drawn_at_random_and_autocast_alone() -> None:
    image, model = torch.rand(1, 24, 24), painter()
    usual, state = limner.paint(image, 5, model=model), torch.get_rng_state()
    with torch.autocast("cpu"):
        assert torch.equal(limner.paint(image, 5, model=model).canvas, usual.canvas)
    limner.load("two-rectangles")
    assert torch.equal(torch.get_rng_state(), state)


def test_what_is_proposed_has_the_sizes_asked_for() -> None:
    painting = limner.paint(torch.rand(1, 24, 24), 5, model=painter(), max_size=0.1, stop_psnr=0.01)
    assert len(painting.strokes) == 5
    assert (2 * half_sizes(painting.strokes.where[0], (24, 24))).max() <= 0.1 * 24 * 1.001


def test_the_hidden_colours_of_clear_pixels_are_not_painted(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[torch.Tensor] = []
    whole = by_model.proposed
    monkeypatch.setattr(
        by_model, "proposed", lambda model, pixels, count: seen.append(pixels) or whole(model, pixels, count)
    )
    clear = (torch.arange(24) < 12).expand(24, 24).float()
    for hidden in (0.0, 1.0):
        picture = torch.stack([*torch.full((3, 24, 24), 0.5) * clear + hidden * (1 - clear), clear])
        for background in ("auto", "#ff8000"):
            limner.paint(picture, 5, model=painter(), background=background)
    assert torch.equal(seen[0], seen[2])
    assert torch.equal(seen[1], seen[3])
    assert torch.equal(seen[0], (0.5 * clear + 1 - clear).expand(3, -1, -1))
    assert seen[1][1, 0, -1] == pytest.approx(128 / 255)


def test_a_run_paints_a_photograph(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = tmp_path / "run"
    few = ["--data.images", "20", "--training.batch", "10", "--training.iterations", "2", "--model.hidden", "8"]
    assert main(["train", "two-rectangles", "--out", str(run), "-q", *few]) == 0
    photo = Path(__file__).parents[2] / "examples/photo.jpg"
    files = ["-o", str(tmp_path / "out.svg"), "-o", str(tmp_path / "out.json")]
    assert main(["paint", str(photo), "-n", "9", "--size", "64", "--model", str(run), "-q", *files]) == 0
    strokes = limner.Strokes.load(tmp_path / "out.json")
    assert len(strokes) == 9
    assert main(["paint", str(photo), "--model", str(run), "--templates", "circle"]) == 2
    assert main(["paint", str(photo), "--model", str(tmp_path)]) == 2
    assert "no trained model is there" in capsys.readouterr().err


def test_models_without_strokes_are_refused(tmp_path: Path) -> None:
    model = build(Model(kind="autoencoder"), (SIDE, SIDE), 1)
    with pytest.raises(UserError, match="autoencoder paints without strokes"):
        limner.paint(torch.rand(3, 20, 20), 5, model=model)


def test_a_variational_painter_proposes_what_its_mean_codes_paint() -> None:
    model, picture = painter(latent=4), torch.rand(1, SIDE, SIDE)
    first, second = (by_model.proposed(model, picture, 5) for _ in range(2))
    assert torch.equal(first.where, second.where)
    assert not torch.equal(*(model(1 - picture[None]).strokes.where for _ in range(2)))


def test_a_painter_that_sorts_proposes_moves_in_the_order_of_its_canvas() -> None:
    model, picture = painter(order="soft"), torch.rand(1, SIDE, SIDE)
    with torch.no_grad():
        for weight in model.parameters():
            weight += 0.3 * torch.randn_like(weight)
    output = model(1 - picture[None])
    unsorted = render(replace(output.strokes, depth=None), model.bank, (SIDE, SIDE))
    assert not torch.allclose(unsorted, output.canvas, atol=0.05)
    canvas = render(by_model.proposed(model, picture, 5), model.bank, (SIDE, SIDE), background=1.0)
    assert torch.allclose(canvas, 1 - output.canvas, atol=1e-3)
