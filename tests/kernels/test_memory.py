"""Memory that renders leave to each other."""

import math
import sys
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from types import ModuleType

import numpy as np
import pytest
import torch
from torch import Tensor

from limner import Strokes, TemplateBank, render
from limner.checks import Compositing
from limner.cpu import fused, laying
from limner.kernels import memory
from limner.kernels.memory import DESKS, LARGEST, LEAST, MOST, WAITING, array, desk, lent


def place(block: np.ndarray) -> int:
    return block.__array_interface__["data"][0]


def test_the_next_has_the_memory_of_what_is_gone() -> None:
    block = array((LEAST,), np.float32)
    assert (block.shape, block.dtype) == ((LEAST,), np.float32)
    before, block[:] = place(block), 7  # fresh memory would be zeros
    del block
    again = array((3, LEAST), np.int8)
    assert place(again) == before
    assert (again.reshape(-1)[: again.size // 4 * 4].view(np.float32) == 7).all()


def test_what_is_alive_is_not_given_away() -> None:
    for side in (LEAST, LEAST - 5, 7, MOST + 1):
        arrays = [array((2, side), np.int8) for _ in range(3)]
        parts = [block[1, 2:5] for block in arrays]
        del arrays
        more = [array((2, side), np.int8) for _ in range(3)]
        for k, block in enumerate((*parts, *more)):
            block[:] = k
        assert [set(block.ravel().tolist()) for block in (*parts, *more)] == [{k} for k in range(6)]


def numbers(length: int) -> tuple[np.ndarray, ...]:
    return np.zeros(length), np.zeros(3)


def test_arrays_are_lent_to_one_at_a_time() -> None:
    first, second, other = lent(numbers, 9), lent(numbers, 9), lent(numbers, 10)
    assert [len(loan.arrays[0]) for loan in (first, second, other)] == [9, 9, 10]
    one, two = first.arrays, second.arrays
    assert one[0] is not two[0]
    del first
    third, fourth = lent(numbers, 9), lent(numbers, 9)
    assert third.arrays is one
    assert fourth.arrays[0] is not one[0]
    assert fourth.arrays[0] is not two[0]


def test_references_are_counted_alike_however_often() -> None:
    """Python runs code otherwise once it has often run."""
    held = object()
    for _ in range(10_000):
        assert memory._last(deque([object()]))[1] == memory.ALONE
        assert memory._last(deque([held]))[1] > memory.ALONE


def test_no_code_runs_where_memory_is_given_back() -> None:
    """A KeyboardInterrupt that came in a destructor would be swallowed."""
    calls = []
    loan, block = lent(numbers, 11), array((LEAST,), np.float32)
    tensor = torch.from_numpy(block[5:])
    sys.setprofile(lambda frame, event, _: calls.append(frame.f_code.co_name) if event == "call" else None)
    del loan, block, tensor
    sys.setprofile(None)
    assert calls == []


def test_few_small_and_recent_arrays_wait_to_be_lent() -> None:
    def left(length: int) -> tuple[np.ndarray, ...]:
        return lent(numbers, length).arrays

    lengths = range(20, 20 + DESKS)
    waiting = [left(length) for length in lengths]
    assert all(left(length) is one for length, one in zip(lengths, waiting, strict=True))
    left(20 + DESKS)
    assert left(20) is not waiting[0]
    assert left(WAITING // 8 - 3) is left(WAITING // 8 - 3)
    assert left(WAITING // 8 - 2) is not left(WAITING // 8 - 2)


@pytest.mark.parametrize("part", [laying, fused])
def test_a_thread_that_goes_on_has_its_own(part: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C may end a render while other threads still paint."""
    bank, (first, second) = TemplateBank.named("circle"), (scene(seed) for seed in range(2))
    wanted = gradients(second, render(second, bank, (64, 64), backend="fused"))
    left = []

    def interrupted(job: Callable[[int, int, int], None], tasks: int, *_, **__) -> None:
        left.append(lambda: job(0, tasks, 0))
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(part, "run", interrupted)
        with pytest.raises(KeyboardInterrupt):
            render(first, bank, (64, 64), backend="fused")
    canvas = render(second, bank, (64, 64), backend="fused")
    left[0]()
    assert all(torch.equal(one, other) for one, other in zip(gradients(second, canvas), wanted, strict=True))


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


def test_a_desk_is_a_threads_own() -> None:
    def make(length: int) -> tuple[np.ndarray, ...]:
        return (np.zeros(length),)

    (mine,), (again,), (longer,) = desk(make, 3), desk(make, 3), desk(make, 4)
    with ThreadPoolExecutor(1) as pool:
        (other,) = pool.submit(desk, make, 3).result()
    assert mine is again
    assert [len(mine), len(longer), len(other)] == [3, 4, 3]
    assert other is not mine


def test_few_and_small_desks_are_kept() -> None:
    def make(length: int) -> tuple:
        return np.zeros(length), (np.zeros(length),)

    kept = [desk(make, length) for length in range(5, 5 + DESKS)]
    with ThreadPoolExecutor(1) as pool:
        list(pool.map(desk, [make] * (2 * DESKS), range(2 * DESKS)))
    assert all(desk(make, length) is one for length, one in enumerate(kept, 5))
    desk(make, 5 + DESKS)
    assert all(desk(make, length) is one for length, one in enumerate(kept[1:], 6))
    assert desk(make, 5) is not kept[0]
    assert desk(make, LARGEST // 16) is desk(make, LARGEST // 16)
    assert desk(make, LARGEST // 16 + 1) is not desk(make, LARGEST // 16 + 1)


@pytest.mark.parametrize("learnt", [False, True])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("broken", ["what", "opacity", "which"])
@pytest.mark.parametrize(("compositing", "samples"), [("over", 1), ("over", 2), ("depth", 1), ("depth", 2)])
def test_what_is_no_number_stays_in_its_picture(
    broken: str, channels: int, learnt: bool, compositing: Compositing, samples: int
) -> None:
    """The kernels leave what they work in to the next picture, and to the next render."""
    bank = TemplateBank.named("circle", "line")
    if learnt:
        bank = replace(bank, masks=bank.masks.clone().requires_grad_())
    torch.manual_seed(0)
    where = torch.tensor([[2.0, 0, 0], [0, 2, 0]]) + 0.3 * torch.randn(2, 9, 2, 3)
    where[:, 3:6, :, 2] -= 2  # in the last corner, whose eights reach past a picture
    parts = {"where": where, "which": torch.rand(2, 9, 2).softmax(-1), "what": torch.rand(2, 9, channels)}
    parts["opacity"] = torch.rand(2, 9)
    if compositing == "depth":
        parts["depth"] = torch.rand(2, 9)
    options = {"compositing": compositing, "temperature": 0.3 * (compositing == "depth"), "samples": samples}

    def painted(parts: dict[str, Tensor]) -> list[Tensor]:
        leaves = {name: tensor.clone().requires_grad_() for name, tensor in parts.items()}
        canvas = render(Strokes(**leaves), bank, (30, 21), backend="fused", **options)
        return [canvas, *torch.autograd.grad(canvas.square().sum(), list(leaves.values()))]

    wanted = painted(parts)
    assert all(found.isfinite().all() for found in wanted)
    sick = parts | {broken: parts[broken].clone()}
    sick[broken][0, 4] = math.nan
    for found, whole in zip(painted(sick), wanted, strict=True):
        assert found[0].isnan().any()
        assert torch.equal(found[1], whole[1])
    assert all(torch.equal(found, whole) for found, whole in zip(painted(parts), wanted, strict=True))
