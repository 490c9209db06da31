import pytest
import torch
from torch.nn.functional import avg_pool2d

from limner.painting.shrinking import shrunk


@pytest.mark.parametrize("grain", [1, 2, 3, 5])
@pytest.mark.parametrize("size", [(4, 7), (1, 1)])
def test_is_average_pooling_both_ways(grain: int, size: tuple[int, int]) -> None:
    picture = torch.randn(2, 3, size[0] * grain, size[1] * grain, dtype=torch.float64, requires_grad=True)
    ours, theirs = shrunk(picture, grain), avg_pool2d(picture, grain)
    torch.testing.assert_close(ours, theirs)
    pull = torch.randn_like(theirs)
    gradients = (torch.autograd.grad(canvas, picture, pull)[0] for canvas in (ours, theirs))
    torch.testing.assert_close(*gradients)
