from functools import partial

import pytest

import limner.painting
from limner.painting.fit import Plan, fit

QUICK = Plan(adding=4, steps=3, moving=1, moving_steps=4, settling=18, tries=120)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """`limner.paint` with a tenth of the work: for small pictures of few strokes."""
    monkeypatch.setattr(limner.painting, "fit", partial(fit, plan=QUICK))
