"""Kernels that are compiled before a render are those that it and its backward pass call."""

import pytest
import torch
from hypothesis import given
from kernel_calls import call_of, noting_calls
from scenes import paint, scenes

from limner.cpu import needed


@given(scene=scenes())
def test_a_render_calls_what_was_made_ready(scene: dict) -> None:
    leaves = {name: leaf.requires_grad_(name in scene["wanted"]) for name, leaf in scene["leaves"].items()}
    readied = set()
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(
            needed, "compile_ahead", lambda kernels, _: readied.update(call_of(*each) for each in kernels)
        )
        needed.make_ready.cache_clear()
        called = noting_calls(monkeypatch, skipped=("forward", "backward"))
        canvas = paint(leaves, scene["prefilter"], scene["options"], "fused")
        if canvas.requires_grad:
            canvas.backward(torch.zeros_like(canvas))
    batch, moves = leaves["where"].shape[:2]
    assert called == readied if batch and moves else called <= readied
