"""What PyTorch does to whole functions: derivatives forward, `torch.func`, exports, traces, batches of gradients.

Its own operations take part in that. Kernels do not, and what is kept for later would be kept in a form of the moment.
"""

import torch
from torch import Tensor
from torch.autograd import forward_ad


def under_way() -> bool:
    """Whether forward-mode derivatives, a transform of torch.func, an export or a trace are."""
    if torch.compiler.is_compiling():
        return torch.compiler.is_exporting()
    if torch.jit.is_tracing():  # pyright: ignore[reportPrivateImportUsage]
        return True
    return forward_ad._current_level >= 0 or torch._C._are_functorch_transforms_active()


def traced() -> bool:
    """Whether tensors may stand for others, so that their values cannot be looked at, nor kept for later."""
    return torch.compiler.is_compiling() or under_way()


def check_backward(grad: Tensor) -> None:
    """Raise RuntimeError in a backward pass by kernels that is itself to be differentiated, or that of many at once."""
    if torch._C._functorch.is_legacy_batchedtensor(grad):  # pyright: ignore[reportAttributeAccessIssue]
        raise RuntimeError('render: the fused backend takes no batch of gradients: take backend="reference"')
    if torch.is_grad_enabled():
        raise RuntimeError('render: the fused backend has first derivatives only: take backend="reference" for more')
