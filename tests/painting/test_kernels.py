"""Kernels that are compiled before a fit are those that it calls."""

from typing import Any

import numpy as np
import pytest
from kernel_calls import Call, call_of, noting_calls

import limner
from limner.painting.fit import kernels

pytestmark = pytest.mark.usefixtures("quick")


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> set[Call]:
    return noting_calls(monkeypatch)


@pytest.fixture
def readied(monkeypatch: pytest.MonkeyPatch) -> set[Call]:
    """Those that would have been compiled before."""
    seen: set[Call] = set()
    monkeypatch.setattr(kernels, "compile_ahead", lambda needed, _: seen.update(call_of(*each) for each in needed))
    kernels._made_ready.cache_clear()
    return seen


@pytest.mark.parametrize(
    ("shape", "options"),
    [
        ((72, 60), {}),
        ((72, 60), {"fill": "gradient", "background": "transparent"}),
        ((72, 60, 3), {"opacity": "opaque"}),
        ((72, 60, 3), {"fill": "gradient"}),
        ((72, 60, 3), {"fill": "gradient", "opacity": 0.5, "background": "transparent"}),
        ((72, 60, 3), {"background": "transparent"}),
        ((72, 60, 3), {"palette": ["black", "white"], "upright": True}),
        ((24, 30, 3), {}),
    ],
    ids=str,
)
def test_a_fit_calls_what_was_made_ready(
    shape: tuple[int, ...], options: dict[str, Any], readied: set[Call], called: set[Call]
) -> None:
    picture = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    limner.paint(picture, 30, **options)
    assert called == readied


def test_masks_without_an_outline_take_one_sample(readied: set[Call], called: set[Call]) -> None:
    noise = limner.TemplateBank(limner.TemplateBank.named("circle").masks * 0.5)
    limner.paint(np.random.default_rng(0).integers(0, 256, (72, 60, 3), np.uint8), 30, templates=noise)
    assert called == readied
    assert not [name for name, _ in called if "coverage" in name]
