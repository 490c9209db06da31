"""Arguments that go with each other, or do not."""

from pathlib import Path
from typing import Any

import pytest

from limner.errors import UserError
from limner.flags import flag
from limner.painting.arguments import check_together

NOTHING: dict[str, Any] = {
    "min_size": None,
    "max_size": None,
    "palette": None,
    "fill": "flat",
    "repaint": None,
    "resume": None,
    "model": None,
    "templates": None,
    "keep_proportions": False,
    "upright": False,
    "keep_angles": False,
    "background": "auto",
}


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"min_size": 0.25, "max_size": 0.25},
        {"palette": 4},
        {"fill": "gradient", "background": "red"},
        {"resume": "a.json", "repaint": "mask.png", "templates": ("circle",), "upright": True},
        {"model": "mnist", "background": "red", "palette": 4},
    ],
)
def test_these_go_together(given: dict[str, Any]) -> None:
    check_together(NOTHING | given)


@pytest.mark.parametrize(
    ("given", "plain", "flagged"),
    [
        (
            {"min_size": 0.5, "max_size": 0.25},
            "min_size: 0.5 is larger than max_size, 0.25",
            "--min-size: 0.5 is larger than --max-size, 0.25",
        ),
        (
            {"repaint": Path("mask.png")},
            "repaint: mask.png needs strokes to repaint: give resume, too",
            "--repaint: mask.png needs strokes to repaint: give --resume, too",
        ),
        (
            {"model": object(), "resume": "a.json", "templates": ["circle"], "upright": True},
            "model: a painter starts anew with its own templates: leave out resume and templates",
            "--model: a painter starts anew with its own templates: leave out --resume and --templates",
        ),
        (
            {"model": "mnist", "keep_proportions": True, "upright": True, "keep_angles": True},
            "model: mnist proposes strokes of any shape: leave out keep_proportions and upright and keep_angles",
            "--model: mnist proposes strokes of any shape: "
            "leave out --keep-proportions and --upright and --keep-angles",
        ),
        (
            {"resume": "a.json", "background": (1, 0, 0)},
            "background: (1, 0, 0) cannot be chosen for strokes that are resumed: they have theirs",
            "--background: (1, 0, 0) cannot be chosen for strokes that are resumed: they have theirs",
        ),
    ],
)
def test_these_do_not(given: dict[str, Any], plain: str, flagged: str) -> None:
    for called, words in ((str, plain), (flag, flagged)):
        with pytest.raises(UserError) as caught:
            check_together(NOTHING | given, called)
        assert str(caught.value) == words
