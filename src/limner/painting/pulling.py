"""Gradients of pictures, pulled back to what they were painted from."""

from collections.abc import Sequence

import torch
from torch import Tensor


class _Pull(torch.autograd.Function):
    """A number whose gradient to `picture` is `pull`."""

    @staticmethod
    def forward(ctx, picture: Tensor, pull: Tensor) -> Tensor:
        ctx.save_for_backward(pull)
        return picture.new_zeros(())

    @staticmethod
    def backward(ctx, grad: Tensor):  # pyright: ignore[reportIncompatibleMethodOverride]
        (pull,) = ctx.saved_tensors
        return grad * pull, None


def pulled(
    pictures: Sequence[Tensor],
    to: Sequence[Tensor],
    pulls: Sequence[Tensor],
    retain_graph: bool = False,
    allow_unused: bool = False,
) -> tuple[Tensor, ...]:
    """torch.autograd.grad(pictures, to, pulls), which would import sympy, a third of a second, before."""
    numbers = [torch.as_tensor(_Pull.apply(*each)) for each in zip(pictures, pulls, strict=True)]
    return torch.autograd.grad(torch.stack(numbers).sum(), to, retain_graph=retain_graph, allow_unused=allow_unused)
