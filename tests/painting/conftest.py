from collections.abc import Iterator
from functools import partial

import pytest

from limner.painting.fitting import Plan, fit

QUICK = Plan(adding=4, steps=3, dropping=1, moving=1, moving_steps=4, settling=18, tries=120)


@pytest.fixture(scope="module")
def quick() -> Iterator[None]:
    """`limner.paint` with a tenth of the work in all tests of a file: for small pictures of few strokes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("limner.painting.paint.fit", partial(fit, plan=QUICK))
        yield
