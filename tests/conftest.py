import os
import signal
from collections.abc import Iterator
from pathlib import Path

import jaxtyping
import pytest
from hypothesis import settings

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


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Ctrl-C as a terminal has it: a shell starts what runs in its background without."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
