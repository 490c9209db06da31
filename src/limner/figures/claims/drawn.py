"""Figures 3.1 to 3.5, which the engine draws without training (thesis chapter 3)."""

from limner.figures.figure import Figure, Judgement
from limner.figures.judging import both
from limner.figures.layouts import Drawn
from limner.figures.results import Results, number

EXACT = 0.01
"""Difference of ink that is still taken for none."""


def _score(results: Results, score: str) -> float:
    return results.mean("engine", score)


def _mask(results: Results) -> Judgement:
    error, edge = _score(results, "area_error"), _score(results, "partial")
    why = (
        f"its area is off by {number(error)} of what Φ says; {number(edge)} of the pixels it covers are partly covered"
    )
    return both(error < EXACT, edge < 0.2, why)


def _colour(results: Results) -> Judgement:
    error = _score(results, "colour_error")
    return both(error < 1e-6, True, f"painted on a blank canvas it differs from h_what · p_mask by {number(error)}")


def _choice(results: Results) -> Judgement:
    soft, sharp = _score(results, "weight_1"), _score(results, "weight_30")
    why = f"the square's weight is {number(soft)} at γ = 1 and {number(sharp)} at γ = 30"
    return both(sharp > 0.99, soft < sharp, why)


def _order(results: Results) -> Judgement:
    right, wrong = _score(results, "right_order"), _score(results, "wrong_order")
    why = f"root mean squared error {number(right)} with blue first, {number(wrong)} with red first"
    return both(right < EXACT, wrong > 10 * right, why)


def _canvases(results: Results) -> Judgement:
    over, additive, best = (_score(results, name) for name in ("over", "additive", "additive_best"))
    purple = _score(results, "purple")
    why = (
        f"root mean squared error {number(over)} of over, {number(additive)} of additive, {number(best)} of additive "
        f"in the best colours there are; where they meet, red and blue are both at {number(purple)} or more"
    )
    return both(over < EXACT < best, purple > 0.5, why)


FIGURES = (
    Figure(
        "3.1",
        "Transforming a template mask",
        "A square mask is rescaled and rotated by an affine Φ, and stays mostly binary",
        "a rotated, smaller square",
        "area against that of Φ; share of covered pixels that are partly covered",
        0,
        Drawn("mask"),
        _mask,
        ("area_error", "partial"),
    ),
    Figure(
        "3.2",
        "Colouring a mask",
        "A transformed mask times a colour is the coloured patch",
        "p_color = h_what · p_mask",
        "largest difference between the painted patch and h_what · p_mask",
        0,
        Drawn("colour"),
        _colour,
        ("colour_error",),
    ),
    Figure(
        "3.3",
        "Choosing a template",
        "Sharpened weights choose a square from a bank of templates (3.1)",
        "nearly one-hot",
        "weight of the square",
        0,
        Drawn("choice"),
        _choice,
        ("weight_1", "weight_30", "area_error"),
    ),
    Figure(
        "3.4",
        "A picture with occlusion",
        "Two moves paint a red rectangle over a blue one, in one order only",
        "blue first, then red",
        "root mean squared error against the exact picture",
        0,
        Drawn("order"),
        _order,
        ("right_order", "wrong_order"),
    ),
    Figure(
        "3.5",
        "Additive and superpositional canvas",
        "Adding (3.3) gives purple where blue and red meet, over occludes; no colours make sums of patches do so",
        "purple; red",
        "root mean squared error against the exact picture",
        0,
        Drawn("canvases"),
        _canvases,
        ("over", "additive", "additive_best", "purple"),
    ),
)
