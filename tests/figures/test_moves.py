"""Scores of moves on paintings made by hand, where the answer is plain."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from limner import geometry
from limner.data.loading import load
from limner.data.settings import Data
from limner.figures import moves
from limner.models.build import build
from limner.models.evaluating import evaluating
from limner.models.settings import Model
from limner.strokes import Strokes
from limner.templates import TemplateBank
from limner.training.metrics import averages
from limner.training.visibility import masks, see
from limner.writer import render

SIZE = (28, 28)
BANK = TemplateBank.named("square")
LEFT, RIGHT, WHOLE, AWAY = ((-0.5, 0.0), 0.3), ((0.5, 0.0), 0.3), ((0.0, 0.0), 0.9), ((5.0, 0.0), 0.3)


def boxes(*places: tuple[tuple[float, float], float], inks: tuple[float, ...] = (1.0, 1.0)) -> Strokes:
    """One painting of squares: centre, half side and ink."""
    centre = torch.tensor([[place[0] for place in places]])
    half = torch.tensor([[place[1] for place in places]])[..., None].expand(-1, -1, 2)
    where = geometry.phi(centre, half, torch.zeros(centre.shape[:2]))
    ink = torch.tensor(inks[: len(places)])[None, :, None]
    return Strokes(where, torch.ones(1, len(places), 1), ink)


def boxed(painted: Strokes, true: Strokes) -> dict[str, float]:
    return averages([moves.boxed(see(painted, BANK, SIZE), see(true, BANK, SIZE))])


def test_one_box_over_both() -> None:
    both, canvas = ((0.0, 0.0), 0.8), ((0.0, 0.0), 3.0)
    true = boxes(LEFT, RIGHT)
    assert boxed(boxes(both), true) == {"boxed": 1}
    assert boxed(boxes(LEFT, both, inks=(1.0, 0.5)), true) == {"boxed": 1}
    for painted in (true, boxes(canvas), boxes(LEFT), boxes(both, canvas)):
        assert boxed(painted, true) == {"boxed": 0}
    assert boxed(boxes(both), boxes(LEFT)) == {}


@pytest.mark.parametrize(
    ("painted", "kind"),
    [
        (boxes(LEFT, RIGHT, inks=(1.0, 0.0)), "white"),
        (boxes(LEFT, WHOLE), "hidden"),
        (boxes(WHOLE, LEFT), "hidden"),
        (boxes(LEFT, AWAY), "empty"),
        (boxes(LEFT, (RIGHT[0], 0.01)), "empty"),
    ],
)
def test_kinds_of_null_moves(painted: Strokes, kind: str) -> None:
    seen, whole = see(painted, BANK, SIZE), masks(painted, BANK, SIZE)
    shares = averages([moves.nulls(seen, whole, see(boxes(LEFT), BANK, SIZE))])
    assert shares == {"null_due": 0.5} | {f"null_{name}": 0.5 * (name == kind) for name in ("empty", "white", "hidden")}
    assert averages([moves.nulls(seen, whole, see(boxes(AWAY), BANK, SIZE))]) == {}


def test_colours_bent_to_hide_a_wrong_order() -> None:
    low, high, away = ((0.0, -0.2), 0.5), ((0.0, 0.2), 0.5), ((0.0, 0.0), 0.01)

    def bent(*places: tuple[tuple[float, float], float], inks: tuple[float, ...]) -> dict[str, float]:
        true = see(boxes(low, high, inks=(1.0, 0.4)), BANK, SIZE)
        return averages([moves.bent(see(boxes(*places, inks=inks), BANK, SIZE), true)])

    assert bent(low, high, inks=(1.0, 0.4)) == {"bent_right": 0}
    assert bent(high, low, inks=(0.4, 0.7)) == pytest.approx({"bent_wrong": 0.15})
    assert bent(low, away, inks=(1.0, 0.4)) == {}


def test_overlaps_that_moves_paint() -> None:
    """Boxes of 6.4 by 6.4 pixels, of which 6.4 by 2.56 overlap."""
    low, high = ((0.0, -0.2), 0.4), ((0.0, 0.28), 0.4)
    true = see(boxes(low, high, inks=(1.0, 0.4)), BANK, SIZE)

    def overlap(*places: tuple[tuple[float, float], float], inks: tuple[float, ...]) -> dict[str, float]:
        return averages([moves.overlapping(see(boxes(*places, inks=inks), BANK, SIZE), true)])

    assert overlap(low, high, inks=(1.0, 0.4)) == pytest.approx({"overlap_right": 1}, rel=1e-3)
    assert overlap(high, low, inks=(0.4, 1.0)) == pytest.approx({"overlap_wrong": 1}, rel=1e-3)
    apart = ((0.0, 0.44), 0.4)
    painted = overlap(apart, low, inks=(0.4, 1.0))
    assert painted == pytest.approx({"overlap_wrong": 0.16 / 0.32}, abs=0.02)


def test_undone_counts_what_later_moves_take_back() -> None:
    blank, black, half = torch.zeros(1, 4, 4), torch.ones(1, 4, 4), torch.zeros(1, 4, 4)
    half[:, :2] = 1
    steps = torch.stack([torch.stack(each) for each in ([blank, half, black], [blank, black, half], [blank] * 3)])
    assert moves.undone(steps).tolist() == [1, 3, 1]


def test_a_canvas_of_little_ink_counts_as_blank() -> None:
    pixels = torch.zeros(2, 3, 1, 4, 4)
    pixels[:, 1, 0, 0, 0], pixels[:, 2, 0, 0, 1] = torch.tensor([1.0, 0.9]), torch.tensor([1.0, 0.9])
    assert moves.undone(pixels).tolist() == [3, 1]


@pytest.mark.parametrize(("share", "found"), [(0.86, 1), (0.7, 0)])
def test_a_box_covers_most_of_every_shape(share: float, found: int) -> None:
    """All of the left one, whose sides are at -0.8 and -0.2, and a share of the right one."""
    end = 0.2 + 0.6 * share
    assert boxed(boxes(((end / 2 - 0.4, 0.0), end / 2 + 0.4)), boxes(LEFT, RIGHT)) == {"boxed": found}


def test_what_is_undone_is_counted_from_blank_paper() -> None:
    torch.manual_seed(0)
    images = load(Data("two-rectangles", images=8), "train")
    model = build(Model(moves=2, hidden=8), images.size, 1)
    with evaluating(model):
        first, last = (render(model(images.ink()).strokes[:, :t], model.bank, images.size) for t in (1, 2))
        found = averages(moves.scores(model, images, images.ink().mean(0)))["undone"]
    ink = [each.abs().sum((1, 2, 3)) for each in (first, last - first, last)]
    assert found == pytest.approx(float(((ink[0] + ink[1]) / ink[2]).mean()), rel=1e-5)


def test_scores_are_of_the_mean_codes() -> None:
    images = load(Data("two-rectangles", images=8), "train")
    model = build(Model(moves=2, hidden=8, latent=3), images.size, 1)
    with evaluating(model):
        found = [averages(moves.scores(model, images, images.ink().mean(0))) for _ in range(2)]
    assert found[0] == found[1]


def test_chosen_is_the_largest_weight() -> None:
    which = torch.tensor([[[0.6, 0.4], [0.1, 0.9], [0.2, 0.8], [0.0, 1.0]]])
    strokes = replace(boxes(LEFT, RIGHT, LEFT, RIGHT, inks=(1.0,) * 4), which=which)
    chosen = averages([moves.chosen(strokes, TemplateBank.named("circle", "transparent"))])
    assert chosen == {"chosen_circle": 0.25, "chosen_transparent": 0.75}
    assert moves.chosen(boxes(LEFT), BANK) == {}


def test_likeness_is_the_correlation_with_what_was_drawn() -> None:
    images = load(Data("two-shapes", images=4), "train")
    settings = Model(moves=2, hidden=8, templates=("circle", "line"), learn_templates="random")
    model = build(settings, images.size, 1)
    assert model.bank is not None
    with evaluating(model):
        found = averages(moves.scores(model, images, images.ink().mean(0)))
        for name, mask in zip(("circle", "line"), model.bank.masks.flatten(1).numpy(), strict=True):
            drawn = TemplateBank.named(name).masks.flatten().numpy()
            assert found[f"like_{name}"] == pytest.approx(np.corrcoef(mask, drawn)[0, 1], abs=1e-4)
    fixed = build(replace(settings, learn_templates="no"), images.size, 1)
    with evaluating(fixed):
        assert "like_circle" not in averages(moves.scores(fixed, images, images.ink().mean(0)))


@pytest.mark.parametrize("kind", ["simple", "draw", "t-air", "autoencoder"])
def test_scores_of_every_kind_of_model(kind: str) -> None:
    images = load(Data("two-shapes", images=8), "train")
    templates = ("square", "circle")
    model = build(Model(kind=kind, moves=2, templates=templates, hidden=8), images.size, 1).eval()  # pyright: ignore
    mean = images.ink().mean(0)
    with evaluating(model):
        scores = averages(moves.scores(model, images, mean))
    assert scores["mse_of_mean"] == pytest.approx(float(images.ink().var(0, correction=0).mean()), rel=1e-4)
    assert ("undone" in scores) == (kind != "autoencoder")
    assert ("boxed" in scores) == ("chosen_circle" in scores) == (kind in ("simple", "t-air"))
    assert scores.get("undone", 1) >= 1 - 1e-6
