"""Moves against true shapes."""

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from limner.data.settings import Data
from limner.data.synthetic import draw
from limner.geometry import phi
from limner.strokes import Strokes
from limner.templates import TemplateBank
from limner.training.matching import Scores, against_truth, assign, iou
from limner.training.visibility import see

BANK = TemplateBank.named("square", "circle")
SIZE = (28, 28)
SQUARE, CIRCLE = "square", "circle"
Box = tuple[float, float, float, float, float, str]


def boxes(*boxes: Box, bank: TemplateBank = BANK, size: tuple[int, int] = SIZE) -> Strokes:
    """One painting: left, top, width, height in pixels, ink, template. Sides of 7, 14 or 28 have sharp edges."""
    left, top, width, height, ink = torch.tensor([box[:5] for box in boxes]).T
    pixel = torch.tensor([2 / size[1], 2 / size[0]])
    centre = torch.stack([left + width / 2, top + height / 2], -1) * pixel - 1
    where = phi(centre, torch.stack([width, height], -1) / size[0], torch.zeros(len(boxes)), size[1] / size[0])
    which = torch.tensor([[0.6 if name == box[5] else 0.4 for name in bank.names] for box in boxes])
    return Strokes(where[None], (which == 0.6).float()[None], ink[None, :, None])


def compare(moves: Strokes, truth: Strokes, bank: TemplateBank = BANK, size: tuple[int, int] = SIZE) -> Scores:
    return against_truth(see(moves, bank, size), see(truth, BANK, size), bank.names, BANK.names)


def means(scores: Scores) -> dict[str, float]:
    return {name: float(values.mean()) for name, values in scores.items() if len(values)}


@given(
    arrays(
        np.float32,
        st.tuples(st.integers(1, 3), st.integers(1, 4), st.integers(1, 4)),
        elements=st.integers(0, 8).map(lambda eighths: eighths / 8),
    )
)
def test_assignment_is_the_best_there_is(values: np.ndarray) -> None:
    table = torch.from_numpy(values)
    partners = assign(table)
    moves, shapes = values.shape[1:]
    for image, chosen in zip(values, partners.tolist(), strict=True):
        used = [move for move in chosen if move >= 0]
        assert len(set(used)) == len(used)
        padded = np.zeros((max(moves, shapes), shapes))
        padded[:moves] = image
        best = max(
            sum(padded[move, shape] for shape, move in enumerate(p)) for p in permutations(range(len(padded)), shapes)
        )
        assert sum(image[move, shape] for shape, move in enumerate(chosen) if move >= 0) == best
        assert all(image[move, shape] > 0 for shape, move in enumerate(chosen) if move >= 0)


def test_iou_of_masks_of_zeros_and_ones() -> None:
    generator = np.random.default_rng(0)
    moves, shapes = generator.random((2, 4, 9, 8)) < 0.6, generator.random((2, 3, 9, 8)) < 0.6
    shapes[0, 1] = moves[1, 2] = False
    found = iou(torch.from_numpy(moves).float(), torch.from_numpy(shapes).float())
    for b, t, s in np.ndindex(2, 4, 3):
        both, either = (moves[b, t] & shapes[b, s]).sum(), (moves[b, t] | shapes[b, s]).sum()
        assert found[b, t, s].item() == pytest.approx(both / either if either else 0)


def test_iou_of_soft_edges_is_that_of_the_areas() -> None:
    """Half a pixel to the right: 3.5 of 4.5 columns."""
    one = torch.tensor([[[[1.0, 1.0, 1.0, 1.0, 0.0]]]])
    other = torch.tensor([[[[0.5, 1.0, 1.0, 1.0, 0.5]]]])
    assert iou(other, one).item() == pytest.approx(3.5 / 4.5)


NAMES = ["two-rectangles-occlusion", "two-shapes", "zero-to-two-rectangles", "two-rectangles-mixed", "shapes"]


@pytest.mark.parametrize("name", NAMES)
def test_the_truth_is_perfect(name: str) -> None:
    images = draw(Data(name=name, held_out=60), "test")
    assert images.truth is not None
    bank = TemplateBank.named(*images.templates)
    seen = see(images.truth, bank, images.size)
    scores = against_truth(seen, seen, images.templates, images.templates)
    found = means(scores)
    found.pop("order", None), found.pop("order_found", None)
    assert found == pytest.approx(
        dict.fromkeys(["iou", "found", "all_found", "template", "template_images", "template_any", "count"], 1.0)
    )
    assert (len(scores["order"]) > 0) == (name in ("two-rectangles-occlusion", "two-rectangles-mixed", "shapes"))


LOWER, UPPER = (0.0, 0.0, 14.0, 14.0, 1.0, SQUARE), (7.0, 0.0, 14.0, 14.0, 0.5, SQUARE)


def test_order() -> None:
    truth = boxes(LOWER, UPPER)
    assert means(compare(truth, truth)) == dict.fromkeys(means(compare(truth, truth)), 1.0)
    turned = boxes(UPPER, LOWER)
    found = means(compare(turned, truth))
    assert (found["order"], found["order_found"]) == (0, 0)
    assert found["iou"] == pytest.approx(0.5)
    depth = replace(turned, depth=torch.tensor([[1.0, 0.0]]))
    assert means(compare(depth, truth)) == means(compare(truth, truth))


def test_order_cannot_be_judged_without_contrast_or_overlap() -> None:
    for upper in ((7.0, 0.0, 14.0, 14.0, 0.95, SQUARE), (13.5, 7.0, 14.0, 14.0, 0.5, SQUARE)):
        truth = boxes(LOWER, upper)
        assert len(compare(truth, truth)["order"]) == 0
    for down, pairs in ((1.0, 1), (3.0, 0)):
        truth = boxes(LOWER, (13.0, down, 14.0, 14.0, 0.5, SQUARE))
        assert len(compare(truth, truth)["order"]) == pairs
    covered = boxes(LOWER, UPPER, (7.0, 0.0, 7.0, 14.0, 0.0, SQUARE))
    assert len(compare(covered, covered)["order"]) == 2


def test_order_of_a_shape_that_was_not_painted_is_wrong() -> None:
    scores = compare(boxes(UPPER), boxes(LOWER, UPPER))
    assert scores["order"].tolist() == [0.0]
    assert len(scores["order_found"]) == 0


def test_a_pair_is_found_where_both_of_its_whole_masks_are() -> None:
    """Of the lower shape 4 of 14 columns are seen: what is painted there alone is not the shape, though it looks so."""
    upper = (4.0, 0.0, 14.0, 14.0, 0.5, SQUARE)
    truth, strip, low = boxes(LOWER, upper), (0.0, 0.0, 4.0, 14.0, 1.0, SQUARE), (4.0, 9.0, 14.0, 14.0, 0.5, SQUARE)
    for lower, above, pairs in ((LOWER, upper, 1), (strip, upper, 0), (LOWER, low, 0)):
        scores = compare(boxes(lower, above), truth)
        assert scores["order"].tolist() == [1.0]
        assert len(scores["order_found"]) == pairs


def test_half_of_a_shape_is_just_enough() -> None:
    for width, found in ((7.0, 1.0), (6.9, 0.0)):
        assert compare(boxes((0.0, 0.0, width, 14.0, 1.0, SQUARE)), boxes(LOWER))["found"].tolist() == [found]


def test_nobody_sees_which_of_two_black_shapes_lies_on_top() -> None:
    upper = (7.0, 7.0, 14.0, 14.0, 1.0, SQUARE)
    scores = compare(boxes(upper, LOWER), boxes(LOWER, upper))
    assert len(scores.pop("order")) == len(scores.pop("order_found")) == 0
    assert means(scores) == dict.fromkeys(scores, 1.0)


def test_iou_is_of_what_is_seen() -> None:
    """The lower shape is painted as the half of it that is seen, and the upper one 7 of its 14 columns to the right."""
    half = (0.0, 0.0, 7.0, 14.0, 1.0, SQUARE)
    assert compare(boxes(half, UPPER), boxes(LOWER, UPPER))["iou"].tolist() == pytest.approx([1.0, 1.0])
    for right, found in ((4.5, 1.0), (5.0, 0.0)):  # IoU 9.5 / 18.5 and 9 / 19
        moved = (right, 0.0, 14.0, 14.0, 1.0, SQUARE)
        assert compare(boxes(moved), boxes(LOWER))["all_found"].tolist() == [found]
    shifted = (14.0, 0.0, 14.0, 14.0, 0.5, SQUARE)
    scores = compare(boxes(half, shifted), boxes(LOWER, UPPER))
    assert scores["iou"].tolist() == pytest.approx([1.0, 1 / 3])
    assert scores["found"].tolist() == [1.0, 0.0]
    assert scores["all_found"].tolist() == [0.0]


def test_null_moves_change_no_score() -> None:
    truth = boxes(LOWER, UPPER)
    below = boxes((0.0, 0.0, 7.0, 7.0, 0.5, CIRCLE), (14.0, 14.0, 14.0, 14.0, 0.0, SQUARE))
    above = boxes((28.0, 0.0, 7.0, 7.0, 1.0, SQUARE), (7.0, 0.0, 7.0, 7.0, 0.5, SQUARE))
    scores = compare(below.then(truth).then(above), truth)
    assert means(scores) == dict.fromkeys(scores, 1.0)


def test_shapes_that_are_not_seen_take_no_moves() -> None:
    white = (7.0, 2.0, 14.0, 14.0, 0.0, SQUARE)
    for truth in (boxes(white, LOWER, UPPER), boxes(LOWER, white, UPPER)):
        assert compare(boxes(UPPER, LOWER), truth)["template"].tolist() == [1.0, 1.0]


def test_null_moves_find_nothing() -> None:
    """The white square lies where the upper one should, which was painted two pixels to the right of it."""
    white, late = (7.0, 0.0, 14.0, 14.0, 0.0, SQUARE), (9.0, 0.0, 14.0, 14.0, 0.5, SQUARE)
    truth = boxes(LOWER, UPPER)
    assert compare(boxes(white, LOWER, late), truth)["order"].tolist() == [1.0]
    assert compare(boxes(white, LOWER), truth)["template"].tolist() == [1.0, 0.0]


def test_shapes_that_cannot_be_seen_are_not_asked_for() -> None:
    truth = boxes((2.0, 2.0, 7.0, 7.0, 0.5, CIRCLE), LOWER)
    scores = compare(boxes(LOWER), truth)
    assert len(scores.pop("order")) == len(scores.pop("order_found")) == 0
    assert all(values.tolist() == [1.0] for values in scores.values())


def test_nothing_to_find_is_no_success() -> None:
    empty = replace(boxes(LOWER), opacity=torch.zeros(1, 1))
    scores = compare(boxes(LOWER), empty)
    assert scores["count"].tolist() == [0.0]
    assert compare(empty, empty)["count"].tolist() == [1.0]
    assert all(len(values) == 0 for name, values in scores.items() if name != "count")


def test_no_moves_find_nothing() -> None:
    scores = compare(boxes(LOWER)[:, :0], boxes(LOWER, UPPER))
    assert scores["iou"].tolist() == [0.0, 0.0]
    assert scores["template"].tolist() == [0.0, 0.0]
    assert scores["count"].tolist() == [0.0]


@pytest.mark.parametrize(("right", "down", "near"), [(3.9, 0, True), (0, 3.9, True), (4.1, 0, False), (3, 3, False)])
@pytest.mark.parametrize("size", [(28, 28), (28, 56), (56, 28)])
def test_templates_within_four_pixels(right: float, down: float, near: bool, size: tuple[int, int]) -> None:
    truth = boxes((7.0, 7.0, 14.0, 14.0, 1.0, CIRCLE), size=size)
    moved = boxes((7.0 + right, 7.0 + down, 14.0, 14.0, 1.0, CIRCLE), size=size)
    assert compare(moved, truth, size=size)["template"].tolist() == [float(near)]


def test_templates_are_compared_by_name_and_largest_weight() -> None:
    bank = TemplateBank.named("curve", "circle", "square")
    truth = boxes(LOWER, (14.0, 14.0, 14.0, 14.0, 0.5, CIRCLE))
    moves = boxes(LOWER, (14.0, 14.0, 14.0, 14.0, 0.5, CIRCLE), bank=bank)
    assert compare(moves, truth, bank)["template"].tolist() == [1.0, 1.0]
    mostly_square = replace(moves, which=torch.tensor([[[0.1, 0.4, 0.5], [0.1, 0.4, 0.5]]]))
    scores = compare(mostly_square, truth, bank)
    assert scores["template"].tolist() == [1.0, 0.0]
    assert scores["template_images"].tolist() == [0.0]
    assert scores["template_any"].tolist() == [1.0]


def test_one_move_is_the_template_of_one_shape() -> None:
    truth = boxes((0.0, 0.0, 7.0, 7.0, 1.0, SQUARE), (3.0, 0.0, 7.0, 7.0, 0.5, SQUARE))
    assert compare(boxes((1.0, 0.0, 7.0, 7.0, 1.0, SQUARE)), truth)["template"].sum() == 1


def test_a_map_without_inverse_is_nowhere() -> None:
    flat = boxes(LOWER)
    flat = replace(flat, where=torch.zeros_like(flat.where))
    assert compare(flat, boxes(LOWER))["template"].tolist() == [0.0]
