"""Memory that renders leave to each other."""

import gc

import numpy as np
import torch
from torch import Tensor

from limner import Strokes, TemplateBank, render
from limner.kernels.memory import LEAST, MOST, Memory


def place(array: np.ndarray) -> int:
    return array.__array_interface__["data"][0]


def test_the_next_has_the_memory_of_what_is_gone() -> None:
    memory = Memory()
    array = memory.array((LEAST,), np.float32)
    assert (array.shape, array.dtype) == ((LEAST,), np.float32)
    before = place(array)
    del array, memory
    gc.collect()
    assert place(Memory().array((3, LEAST), np.int8)) == before


def test_what_is_alive_is_not_given_away() -> None:
    memory, other = Memory(), Memory()
    arrays = [each.array((side,), np.float64) for each in (memory, other) for side in (LEAST, LEAST - 5, 7, LEAST)]
    for k, array in enumerate(arrays):
        array[:] = k
    assert [set(array.tolist()) for array in arrays] == [{float(k)} for k in range(len(arrays))]


def test_huge_arrays_are_not_kept() -> None:
    memory = Memory()
    memory.array((MOST + 1,), np.uint8)
    assert memory.blocks == []


def gradients(strokes: Strokes, canvas: Tensor) -> list[Tensor]:
    return list(torch.autograd.grad(canvas.square().sum(), [strokes.where, strokes.what]))


def scene(seed: int) -> Strokes:
    random = torch.Generator().manual_seed(seed)
    where = torch.tensor([[2.0, 0, 0], [0, 2, 0]]) + 0.3 * torch.randn(8, 20, 2, 3, generator=random)
    what = torch.rand(8, 20, 1, generator=random)
    return Strokes(where.requires_grad_(), torch.ones(8, 20, 1), what.requires_grad_())


def test_renders_that_wait_for_their_backward_pass_keep_theirs() -> None:
    bank, scenes = TemplateBank.named("circle"), [scene(seed) for seed in range(4)]
    alone = [gradients(strokes, render(strokes, bank, (64, 64), backend="fused")) for strokes in scenes]
    canvases = [render(strokes, bank, (64, 64), backend="fused") for strokes in scenes]
    for k in (2, 0, 3, 1):
        found = gradients(scenes[k], canvases[k])
        assert all(torch.equal(one, other) for one, other in zip(found, alone[k], strict=True))
