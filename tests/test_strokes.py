"""The value that all parts exchange."""

from pathlib import Path

import numpy as np
import pytest
import torch

from limner.strokes import Strokes
from limner.templates import TemplateBank

SHAPES = {
    "where": (2, 4, 2, 3),
    "which": (2, 4, 5),
    "what": (2, 4, 3),
    "opacity": (2, 4),
    "depth": (2, 4),
    "slope": (2, 4, 3, 2),
}


def full() -> Strokes:
    return Strokes(**{name: torch.randn(shape) for name, shape in SHAPES.items()})


def bare() -> Strokes:
    return Strokes(*(torch.randn(SHAPES[name]) for name in ("where", "which", "what")))


def test_strokes_are_shown_by_their_shapes() -> None:
    assert repr(bare()) == "Strokes(where (2, 4, 2, 3), which (2, 4, 5), what (2, 4, 3))"
    assert repr(full()).endswith("what (2, 4, 3), opacity (2, 4), depth (2, 4), slope (2, 4, 3, 2))")


def test_tensors_are_the_fields_that_are_set() -> None:
    assert list(full().tensors()) == list(SHAPES)
    assert list(bare().tensors()) == ["where", "which", "what"]
    assert len(full()) == 4


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("where", (2, 4, 3, 2)),
        ("which", (2, 5, 5)),
        ("what", (1, 4, 3)),
        ("opacity", (2, 4, 1)),
        ("depth", (4, 2)),
        ("slope", (2, 4, 2, 3)),
        ("which", ()),
        ("what", ()),
    ],
)
@pytest.mark.usefixtures("unchecked")
def test_shapes_that_do_not_belong_together_are_refused(name: str, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=f"strokes: {name} has shape"):
        Strokes(**{**full().tensors(), name: torch.zeros(shape)})


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("shape", [(6,), (4, 2, 3), (1, 2, 4, 2, 3)])
def test_where_has_four_dimensions(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"strokes: where has shape .*, expected \(batch, move, 2, 3\)"):
        Strokes(**{**full().tensors(), "where": torch.zeros(shape)})


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("kind", [torch.long, torch.bool])
def test_whole_numbers_are_refused(name: str, kind: torch.dtype) -> None:
    with pytest.raises(ValueError, match=f"strokes: {name} is of {kind}, expected floating-point numbers"):
        Strokes(**{**full().tensors(), name: torch.ones(SHAPES[name], dtype=kind)})


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(("name", "value"), [("where", [0.0]), ("what", np.zeros((2, 4, 3))), ("opacity", 0.5)])
def test_what_is_no_tensor_is_refused(name: str, value: object) -> None:
    with pytest.raises(ValueError, match=f"strokes: {name} is of {type(value).__name__}, expected floating-point"):
        Strokes(**{**full().tensors(), name: value})  # pyright: ignore[reportArgumentType]


@pytest.mark.usefixtures("unchecked")
def test_which_may_not_be_missing() -> None:
    with pytest.raises(ValueError, match="strokes: which is missing"):
        Strokes(**{**full().tensors(), "which": None})  # pyright: ignore[reportArgumentType]


@pytest.mark.usefixtures("unchecked")
def test_two_channels_are_refused() -> None:
    with pytest.raises(ValueError, match="what has 2 channels, expected 1"):
        Strokes(**{**bare().tensors(), "what": torch.zeros(2, 4, 2)})


def test_map_reaches_every_tensor() -> None:
    doubled = full().map(lambda tensor: tensor.double())
    assert {tensor.dtype for tensor in doubled.tensors().values()} == {torch.float64}
    assert bare().map(torch.zeros_like).opacity is None
    assert {tensor.device.type for tensor in full().to("meta").tensors().values()} == {"meta"}
    learnt = full().map(lambda tensor: tensor.requires_grad_())
    assert not any(tensor.requires_grad for tensor in learnt.detach().tensors().values())


def test_strokes_are_equal_to_themselves_alone() -> None:
    strokes = full()
    assert strokes == strokes
    assert strokes != full()
    assert len({strokes, strokes}) == 1


def test_indexing_is_that_of_batch_and_moves() -> None:
    strokes, order = full(), torch.tensor([3, 0, 2, 1])
    assert len(strokes[:, 1:3]) == 2
    for name, tensor in strokes[:1, order].tensors().items():
        assert torch.equal(tensor, getattr(strokes, name)[:1, order]), name
    assert strokes[1:].where.shape[0] == 1
    for index in (1, (0, 1), (slice(None), 0), torch.tensor(0)):
        with pytest.raises(ValueError, match=r"leaves where of shape .*: take slices, as in \[:1\] or \[:, :1\]"):
            strokes[index]


def test_then_paints_on_top() -> None:
    first, second = full(), full()
    both = first.then(second)
    assert len(both) == 8
    for name, tensor in both.tensors().items():
        assert torch.equal(tensor[:, :4], getattr(first, name)), name
        assert torch.equal(tensor[:, 4:], getattr(second, name)), name


def test_then_needs_the_same_fields() -> None:
    with pytest.raises(ValueError, match="cannot join fields"):
        full().then(bare())
    with pytest.raises(ValueError, match=r"cannot join where of shapes \(2, 4, 2, 3\) and \(1, 4, 2, 3\)"):
        full().then(full()[:1])
    with pytest.raises(ValueError, match="there are none to join"):
        Strokes.joined([])


@pytest.mark.parametrize("strokes", [full, bare])
def test_save_and_load_are_exact(strokes, tmp_path: Path) -> None:
    saved = strokes()
    saved.save(tmp_path / "strokes.json")
    loaded = Strokes.load(tmp_path / "strokes.json")
    assert list(loaded.tensors()) == list(saved.tensors())
    assert all(torch.equal(tensor, getattr(saved, name)) for name, tensor in loaded.tensors().items())


def test_stacked_strokes_are_a_batch() -> None:
    parts = [full(), full()[:1], full()]
    together = Strokes.stacked(parts)
    assert together.where.shape == (5, 4, 2, 3)
    for name, tensor in together.tensors().items():
        assert torch.equal(tensor, torch.cat([part.tensors()[name] for part in parts])), name
    with pytest.raises(ValueError, match=r"cannot join where of shapes \(2, 4, 2, 3\) and \(2, 3, 2, 3\)"):
        Strokes.stacked([full(), full()[:, :3]])
    with pytest.raises(ValueError, match="cannot join fields"):
        Strokes.stacked([full(), bare()])
    with pytest.raises(ValueError, match="there are none to join"):
        Strokes.stacked([])


def test_what_torch_saved_it_reads(tmp_path: Path) -> None:
    strokes, bank = bare(), TemplateBank.named("circle", "line", size=9)
    assert len(bank.outlines) == 2  # which it keeps, and does not save
    torch.save({"strokes": strokes, "bank": bank}, tmp_path / "a.pt")
    again, same = torch.load(tmp_path / "a.pt", weights_only=True).values()
    assert torch.equal(same.masks, bank.masks)
    assert (same.names, same.outlines) == (bank.names, bank.outlines)
    assert again.tensors().keys() == strokes.tensors().keys()
    assert torch.equal(again.where, strokes.where)


def sound() -> Strokes:
    """All in range, with slopes of rank one that leave no colour."""
    strokes = full()
    what, direction = strokes.what.sigmoid(), strokes.slope[..., :1, :] / 9
    room = torch.minimum(what, 1 - what)[..., None]
    which, opacity = strokes.which.softmax(-1), strokes.opacity.sigmoid()
    return Strokes(strokes.where, which, what, opacity, strokes.depth, direction * room)


def test_held_leaves_what_is_in_range() -> None:
    strokes = sound()
    for name, tensor in strokes.held().tensors().items():
        assert torch.allclose(tensor, strokes.tensors()[name], atol=1e-6), name


def test_held_brings_all_into_range() -> None:
    strokes = full().map(lambda tensor: 3 * tensor)
    held = strokes.held()
    assert torch.equal(held.where, strokes.where)
    assert torch.equal(held.depth, strokes.depth)
    assert torch.equal(held.what, strokes.what.clamp(0, 1))
    assert torch.equal(held.opacity, strokes.opacity.clamp(0, 1))
    positive = strokes.which.clamp(min=0)
    assert torch.allclose(held.which, torch.nan_to_num(positive / positive.sum(-1, keepdim=True)))
    corners = torch.tensor([[-1.0, -1], [-1, 1], [1, -1], [1, 1]])
    filled = held.what[..., None] + held.slope @ corners.T
    assert filled.min() >= -1e-6
    assert filled.max() <= 1 + 1e-6
    again = held.held()
    for name, tensor in again.tensors().items():
        assert torch.allclose(tensor, held.tensors()[name], atol=1e-5), name


def test_held_slopes_are_the_nearest_of_rank_one() -> None:
    """By the singular value decomposition, where colours have room for all of it."""
    what = torch.full((2, 4, 3), 0.5)
    slope = 0.05 * torch.randn(2, 4, 3, 2)
    held = Strokes(torch.randn(2, 4, 2, 3), torch.ones(2, 4, 1), what, slope=slope).held().slope
    left, strength, right = np.linalg.svd(slope.double().numpy(), full_matrices=False)
    nearest = strength[..., :1, None] * left[..., :, :1] * right[..., :1, :]
    assert np.allclose(held.numpy(), nearest, atol=1e-6)


def test_held_lets_gradients_through() -> None:
    strokes = sound().map(lambda tensor: tensor.detach().requires_grad_())
    sum(tensor.sum() for tensor in strokes.held().tensors().values()).backward()
    for name in ("what", "opacity", "slope"):
        assert strokes.tensors()[name].grad.abs().sum() > 0, name


def test_weights_of_nothing_stay_nothing() -> None:
    strokes = bare()
    held = Strokes(strokes.where, torch.full_like(strokes.which, -1.0), strokes.what.sigmoid()).held()
    assert held.which.abs().max() == 0
