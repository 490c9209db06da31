"""Pulling gradients back, against torch itself; and what a painting must not import."""

import subprocess
import sys

import torch
from torch import Tensor

from limner.painting.pulling import pulled


def test_equals_torch() -> None:
    x, y, z = (torch.randn(3, 4, requires_grad=True) for _ in range(3))
    pulls = [torch.randn(3, 4), torch.randn(3, 4)]

    def pictures() -> list[Tensor]:
        return [x * y.sin(), (x + y).exp()]

    theirs = torch.autograd.grad(pictures(), [x, y, z], pulls, allow_unused=True)
    ours = pulled(pictures(), [x, y, z], pulls, allow_unused=True)
    assert ours[2] is theirs[2] is None
    torch.testing.assert_close(ours[:2], theirs[:2])
    torch.testing.assert_close(pulled(pictures(), [x, y], pulls), theirs[:2])


def test_painting_does_not_import_sympy() -> None:
    code = "import sys, torch, limner; limner.paint(torch.rand(3, 9, 9), strokes=2); assert 'sympy' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
