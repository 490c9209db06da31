"""What changes between two stages, on paintings made by hand and against plain loops."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from limner.data.loading import load
from limner.data.settings import Data
from limner.figures.changes import changes, overlap, updated
from limner.models.build import build
from limner.models.evaluating import evaluating
from limner.models.settings import Model


def test_overlaps_are_shares_of_the_ink_of_either() -> None:
    blank, half, whole = (torch.full((1, 1, 2, 2), value) for value in (0.0, 0.5, 1.0))
    left = torch.tensor([[[[1.0, 0], [1, 0]]]])
    pairs = [(blank, blank, 1), (blank, whole, 0), (half, whole, 0.5), (left, 1 - left, 0), (left, half, 1 / 3)]
    for one, other, wanted in pairs:
        assert overlap(one, other).item() == overlap(other, one).item() == pytest.approx(wanted)


@given(st.integers(0, 2**16), st.integers(1, 5))
def test_moves_that_change_are_counted_by_their_ink(seed: int, moves: int) -> None:
    torch.manual_seed(seed)
    before, after = torch.rand(2, 3, moves, 1, 4, 5)
    found = updated(before, after)
    for image in range(3):
        changed = []
        for move in range(moves):
            ink = [each[image, move] - (each[image, move - 1] if move else 0) for each in (before, after)]
            changed.append(float((ink[1] - ink[0]).abs().sum()))
        wanted = sum(changed) ** 2 / (moves * sum(each**2 for each in changed))
        assert found[image].item() == pytest.approx(wanted, rel=1e-4)


def test_moves_that_change_alike_and_those_that_stay() -> None:
    steps = torch.zeros(1, 4, 1, 2, 8)
    every, some = steps.clone(), steps.clone()
    for move in range(4):
        every[:, move:, :, :, 2 * move : 2 * move + 2] = 1
    some[:, 2:] = 1
    assert updated(steps, every).item() == pytest.approx(1)
    assert updated(steps, some).item() == pytest.approx(1 / 4)
    assert updated(some, some).item() == 0


def test_a_model_is_compared_with_itself_and_with_another() -> None:
    images = load(Data("two-rectangles", images=20, held_out=20), "train")
    settings = Model(kind="t-draw", likelihood="ce", hidden=8, latent=3)
    torch.manual_seed(1)
    model, other = (build(settings, images.size, 1) for _ in range(2))
    with evaluating(model), evaluating(other):
        same, moved = changes(model, model, images), changes(model, other, images)
    assert set(same) == {"kept", "alike", "updated"}
    assert same["kept"].tolist() == [1] * 20
    assert same["updated"].tolist() == [0] * 20
    assert (moved["kept"] < 1).all()
    assert torch.equal(moved["alike"], same["alike"])
