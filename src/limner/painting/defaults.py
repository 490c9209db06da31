"""What torch takes where nothing is said, while strokes are fitted."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import torch


@contextmanager
def in_float32_on_cpu() -> Iterator[None]:
    """New tensors are such inside, whatever torch's defaults are, since a photograph's kernels take no other."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float32)
    try:
        here = nullcontext() if torch.get_default_device().type == "cpu" else torch.device("cpu")
        with here, torch.autocast("cpu", enabled=False):
            yield
    finally:
        torch.set_default_dtype(before)
