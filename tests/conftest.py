import os
import signal
from collections.abc import Iterator
from pathlib import Path

import jaxtyping
import pytest
import torch
from hypothesis import settings

from limner.signals import ENDING

settings.register_profile("limner", derandomize=True, deadline=None, database=None)
settings.load_profile("limner")


@pytest.fixture(scope="session")
def data() -> Path | None:
    """The folder that holds the real data sets, laid out as their archives unpack; None where LIMNER_DATA is unset."""
    folder = os.environ.get("LIMNER_DATA")
    return Path(folder) if folder else None


@pytest.fixture
def unchecked() -> Iterator[None]:
    """As users run it: without the checks of shapes in signatures, which under pytest would come first."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


@pytest.fixture(params=["clamp", "newer clamp"])
def any_clamp(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Torch's `clamp` as it is, and as it is from 2.14 on: without a gradient at its bounds."""
    clamp = torch.Tensor.clamp

    def newer(values: torch.Tensor, *bounds: float, **named: float) -> torch.Tensor:
        held = clamp(values.detach(), *bounds, **named)
        inside = held == values
        for bound in (*bounds, *named.values()):
            inside = inside & (values != bound)
        return torch.where(inside, values, held)

    if request.param == "newer clamp":
        monkeypatch.setattr(torch.Tensor, "clamp", newer)


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Signals as a terminal has them: shells start what runs in the background without Ctrl-C, nohup without SIGHUP."""
    usual = dict.fromkeys(ENDING, signal.SIG_DFL) | {signal.SIGINT: signal.default_int_handler}
    before = {number: signal.signal(number, handler) for number, handler in usual.items()}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)
