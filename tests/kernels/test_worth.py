"""What a painting is worth without each of its moves, against the reference without it."""

from dataclasses import replace

import pytest
import torch
from scenes import scene_of
from torch import Tensor

from limner.cpu.gains import changes_without
from limner.strokes import Strokes
from limner.templates import TemplateBank
from limner.writer import render


def error(strokes: Strokes, bank: TemplateBank, ground: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    canvas = render(strokes.map(Tensor.double), bank, None, ground.double(), backend="reference")
    return ((canvas - target).square() * weight[:, None]).sum((1, 2, 3))


@pytest.mark.parametrize("size", [(30, 25), (150, 9), (5, 70)])
@pytest.mark.parametrize("batch", [1, 9])
@pytest.mark.parametrize("hard", [False, True])
@pytest.mark.parametrize("plain", [False, True])
def test_changes_are_those_of_leaving_out(size: tuple[int, int], batch: int, hard: bool, plain: bool) -> None:
    leaves = scene_of("over", size, batch, moves=7)["leaves"]
    bank, ground = TemplateBank(leaves.pop("masks")), leaves.pop("background")
    strokes = replace(Strokes(**leaves), depth=None)
    if hard:
        bank = TemplateBank.named("circle", "square", "curve", size=9)
        strokes = replace(strokes, which=torch.nn.functional.one_hot(strokes.which.argmax(-1), 3).float())
    if plain:
        strokes = replace(strokes, opacity=None, slope=None)
    target, weight = torch.rand_like(ground), torch.rand(batch, *size)
    found = changes_without(strokes, bank, ground, target, weight)
    whole = error(strokes, bank, ground, target, weight)
    for t in range(len(strokes)):
        rest = strokes[:, [k for k in range(len(strokes)) if k != t]]
        true = error(rest, bank, ground, target, weight) - whole
        torch.testing.assert_close(found[:, t].double(), true, rtol=1e-4, atol=1e-4 * whole.max().item())
