"""Painting with a tenth of the work."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import pytest

from limner.painting.films.following import FOLLOWING
from limner.painting.fit.fitting import fit
from limner.painting.fit.rounds import Plan

QUICK = Plan(adding=4, steps=3, dropping=1, moving=1, moving_steps=4, settling=18, tries=120)
QUICKER = replace(FOLLOWING, moving_steps=4, settling=6, tries=120)


@pytest.fixture(scope="module")
def quick() -> Iterator[None]:
    """`limner.paint` and `paint_clip` with a tenth of the work in all tests of a file: for small pictures."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("limner.painting.paint.fit", partial(fit, plan=QUICK))
        patch.setattr("limner.painting.films.following.USUAL", QUICK)
        patch.setattr("limner.painting.films.following.FOLLOWING", QUICKER)
        yield
