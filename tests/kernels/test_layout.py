"""Laying out many stamps: in parts, bands and whole eights, in memory that holds anything."""

from functools import partial

import numpy as np
import pytest
import torch
from scenes import OPAQUE, compare, scene_of, ties

from limner import Strokes, TemplateBank, geometry, render
from limner.cpu import fused, laying
from limner.kernels import layout, memory, threads


@pytest.mark.parametrize("split", [False, True])
@pytest.mark.parametrize("samples", [1, 2])
@pytest.mark.parametrize(
    ("batch", "moves", "size"),
    [
        (1, 2 * layout.TOGETHER + 13, (20, 37)),
        (2, layout.TOGETHER + 1, (9, 100)),
        (75, 1, (12, 9)),
        (30, 5, (8, 17)),
        (1, 3 * layout.TOGETHER, (2 * laying.BAND + 30, 20)),
    ],
)
def test_many_stamps(
    batch: int, moves: int, size: tuple[int, int], samples: int, split: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Opaque ones, which hide others of their own part and of the ones before; some out of sight."""
    monkeypatch.setattr(laying, "run", partial(threads.run, split=split))
    for seed in range(20):
        torch.manual_seed(seed)
        where = torch.tensor([[3.0, 0, 0], [0, 3, 0]]) + torch.randn(batch, moves, 2, 3) * torch.tensor([0.7, 0.7, 2])
        leaves = {
            "where": where,
            "which": torch.nn.functional.one_hot(torch.randint(3, (batch, moves)), 3).float(),
            "what": torch.rand(batch, moves, 1),
            "masks": OPAQUE[9],
            "background": torch.rand(batch, 1, *size),
        }
        options = {"compositing": "over", "temperature": 0.0, "samples": samples}
        scene = {"leaves": leaves, "wanted": ["what", "where"], "prefilter": True, "options": options}
        if not ties(scene)[0]:
            return compare(scene)
    raise AssertionError("every scene hangs on a last digit")


@pytest.mark.parametrize("power", [12, 15, 16, 18, 25, 37])
@pytest.mark.parametrize("samples", [1, 2])
def test_stamps_that_are_too_small_to_be_placed(samples: int, power: int) -> None:
    """They leave no mark, at most where a pixel's centre is that of the stamp, and nothing else is touched."""
    shapes = [
        [[1, 1, 0], [0.05, -0.13, 0]],
        [[-1, 1, 0], [1, -1, 0]],
        [[1, 0, 0.3], [0, 1, -0.2]],
        [[0, 1, 0], [1, 0, 1]],
    ]
    where = 10.0**power * torch.tensor(shapes)[:, None] * (1 + 0.01 * torch.arange(20)[:, None, None])
    where[0, :, 1] /= 10.0**power
    leaves = [where.requires_grad_(), torch.full((4, 20, 2), 0.5, requires_grad=True), torch.ones(4, 20, 1)]
    bank = TemplateBank(torch.ones(2, 64, 64))
    for compositing in ("over", "additive", "depth"):
        strokes = Strokes(*leaves, depth=torch.rand(4, 20))
        canvas = render(strokes, bank, (33, 33), compositing=compositing, samples=samples, backend="fused")
        assert ((canvas >= 0) & (canvas <= 20)).all()
        assert (canvas > 0).float().mean() < 0.1
        assert all(grad.isfinite().all() for grad in torch.autograd.grad(canvas.sum(), leaves[:2]))


def test_a_picture_of_many_stamps_is_laid_out_in_parts_unless_some_hide_others(monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = []
    monkeypatch.setattr(laying, "run", lambda *args: jobs.append(args[1]) or threads.run(*args))
    moves = 2 * layout.TOGETHER + 1
    strokes = Strokes(torch.eye(2, 3).expand(1, moves, 2, 3), torch.ones(1, moves, 1), torch.rand(1, moves, 1))
    for samples in (1, 2):
        render(strokes, TemplateBank.named("circle"), (30, 30), samples=samples, backend="fused")
    assert jobs == [1, 3]


def test_of_a_circle_only_samples_at_the_rim_are_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between octagons outside and inside of it lies a seventh of its area."""
    laid, lay_out = [], fused.lay_out
    monkeypatch.setattr(fused, "lay_out", lambda *args: laid.append(lay_out(*args)) or laid[-1])
    where = geometry.phi(torch.tensor([0.1, 0.0]), torch.tensor([0.9, 0.5]), torch.tensor(0.4))
    strokes = Strokes(where[None, None], torch.ones(1, 1, 1), torch.ones(1, 1, 1))
    render(strokes, TemplateBank.named("circle", size=128), (100, 100), samples=4, backend="fused")
    _, reach, _, fine, *_ = laid[0].arrays
    top, bottom = reach[0, 0, 0, :2]
    first, start, stop, last = fine[0, 0, :, 4 * top : 4 * bottom].astype(int)
    area = np.pi * 0.9 * 0.5 * 200**2
    assert area < (last - first).sum() < 1.08 * area
    assert 0.9 * area < (stop - start).sum() < area


def test_without_gradients_moves_share_one_list(monkeypatch: pytest.MonkeyPatch) -> None:
    lend, asked = memory.array, []
    monkeypatch.setattr(memory, "array", lambda *args: asked.append(args) or lend(*args))
    where = 0.9 * torch.eye(2, 3).expand(1, 50, 2, 3)
    for wanted in (True, False):
        strokes = Strokes(where.clone().requires_grad_(wanted), torch.ones(1, 50, 1), torch.rand(1, 50, 1))
        render(strokes, TemplateBank.named("soft"), (60, 60), backend="fused")
    learnt, alone = (shape[0] for shape, _ in asked if len(shape) == 1)
    assert 40 * (alone / 4) < learnt / 12  # of an eight four numbers are listed, and with gradients eight kept


def garbage(given):
    """Arrays, in tuples of tuples, that hold what looks like the work of a kernel, but for floats, which are none."""
    if isinstance(given, np.ndarray):
        given[...] = np.nan if given.dtype.kind == "f" else np.random.default_rng(0).integers(0, 30, given.shape)
        return given
    return tuple(map(garbage, given))


@pytest.mark.parametrize("samples", [1, 3])
@pytest.mark.parametrize("compositing", ["over", "additive", "depth"])
def test_what_memory_held_does_not_matter(compositing: str, samples: int, monkeypatch: pytest.MonkeyPatch) -> None:
    lend, lay_desk = memory.array, layout.lay_desk
    monkeypatch.setattr(memory, "array", lambda *args: garbage(lend(*args)))
    lend_all = memory.lent

    def lent(*args) -> memory.Lent:
        loan = lend_all(*args)
        garbage(loan.arrays)
        return loan

    monkeypatch.setattr(memory, "lent", lent)
    monkeypatch.setattr(layout, "lay_desk", lambda *args: garbage(lay_desk(*args)))
    for seed in range(20):
        torch.manual_seed(seed)
        scene = scene_of(compositing, (30, 25), samples=samples)
        scene["wanted"] = [name for name in scene["wanted"] if seed % 2 or name not in ("which", "opacity", "masks")]
        if not ties(scene)[0]:
            compare(scene)
