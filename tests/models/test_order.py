from dataclasses import replace

import torch
from hypothesis import given
from hypothesis import strategies as st

from limner.models.order import by_evidence, explained, greedy_order
from limner.strokes import Strokes
from limner.templates import TemplateBank
from limner.writer import in_depth_order, move_masks, render

BANK = TemplateBank.named("square")
SIZE = (24, 24)


def pile(seed: int, moves: int) -> Strokes:
    """Overlapping squares of plainly different inks."""
    torch.manual_seed(seed)
    half, centre = 0.3 + 0.2 * torch.rand(1, moves, 2), 0.6 * torch.rand(1, moves, 2) - 0.3
    where = torch.zeros(1, moves, 2, 3)
    where[..., 0, 0], where[..., 1, 1] = 1 / half.unbind(-1)[0], 1 / half.unbind(-1)[1]
    where[..., 2] = -centre / half
    ink = torch.linspace(0.3, 1, moves)[torch.randperm(moves)].view(1, moves, 1)
    return Strokes(where, torch.ones(1, moves, 1), ink)


def errors(seed: int, moves: int) -> tuple[float, float]:
    """Squared error, as a share of the picture's ink, of moves in a random order and of them sorted by evidence."""
    strokes = pile(seed, moves)
    images = render(strokes, BANK, SIZE)
    shuffled = strokes[:, torch.randperm(moves)]
    depth = by_evidence(images, shuffled, BANK, sigma=0.05)
    pictures = [render(each, BANK, SIZE) for each in (shuffled, in_depth_order(replace(shuffled, depth=depth)))]
    shares = [((picture - images).square().sum() / images.square().sum()).item() for picture in pictures]
    return shares[0], shares[1]


@given(st.integers(0, 1000))
def test_evidence_puts_two_moves_right(seed: int) -> None:
    assert errors(seed, 2)[1] < 0.01


def test_evidence_puts_most_moves_of_a_pile_right() -> None:
    shuffled, sorted_ = torch.tensor([errors(seed, 5) for seed in range(60)]).mean(0)
    assert sorted_ < 0.1 * shuffled


def test_without_evidence_painting_order_stays() -> None:
    assert greedy_order(torch.zeros(2, 4, 4)).tolist() == [[0, 1, 2, 3]] * 2


def test_greedy_order_follows_a_chain() -> None:
    """0 above 1, 1 above 2: from bottom to top 2, 1, 0."""
    evidence = torch.tensor([[[0.0, 1, 1], [-1, 0, 1], [-1, -1, 0]]])
    assert greedy_order(evidence).tolist() == [[2, 1, 0]]


def test_masks_are_of_moves_alone() -> None:
    strokes = pile(0, 3)
    masks = move_masks(strokes, BANK, SIZE)
    for t in range(3):
        alone = Strokes(strokes.where[:, t : t + 1], strokes.which[:, t : t + 1], torch.ones(1, 1, 1))
        assert torch.allclose(masks[:, t], render(alone, BANK, SIZE)[:, 0], atol=1e-5)


def test_gray_in_three_channels_is_explained_as_in_one() -> None:
    images, what = torch.rand(2, 1, 4, 5), torch.rand(2, 3, 1)
    one = explained(images, what, 0.2)
    assert torch.allclose(explained(images.expand(-1, 3, -1, -1), what.expand(-1, -1, 3), 0.2), one)
    assert torch.allclose(one[1, 2, 7], (-((images[1, 0, 1, 2] - what[1, 2, 0]) ** 2) / 0.08).exp())


def test_little_evidence_is_evidence() -> None:
    evidence = torch.tensor([[[0.0, 0.05], [-0.05, 0]], [[0.0, 1e-9], [-1e-9, 0]]])
    assert greedy_order(evidence).tolist() == [[1, 0], [0, 1]]
