"""Seeds every test, and runs the Python blocks of README.md and docs/ as tests."""

import os
import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy
import pytest
import torch
from sybil import Sybil
from sybil.parsers.markdown import PythonCodeBlockParser, SkipParser

HERE = Path(__file__).parent


@pytest.fixture(autouse=True)
def seeded() -> None:
    """The same random numbers for every test, in whatever order tests run."""
    random.seed(0)
    numpy.random.seed(0)
    torch.manual_seed(0)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A page's working directory: empty but for the bundled examples, and shared by the blocks of that page."""
    folder = tmp_path_factory.mktemp("desk")
    shutil.copytree(HERE / "examples", folder / "examples")
    os.chdir(folder)
    yield folder
    os.chdir(HERE)


pytest_collect_file = Sybil(
    parsers=[PythonCodeBlockParser(), SkipParser()],
    patterns=["README.md", "docs/*.md"],
    fixtures=["seeded", "desk"],
).pytest()
