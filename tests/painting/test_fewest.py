"""Searching for few strokes, where how good so many are is a formula."""

import math
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from limner.painting.fit.fewest import FITS, fewest


def asked(psnr: Callable[[int], float], enough: int, wanted: float) -> tuple[list[int], list[int]]:
    """The numbers of strokes that fits were asked for, and those that were given back."""
    tried: list[int] = []

    def fit(count: int, before: int | None) -> tuple[int, float]:
        assert before == (tried[-1] if tried else None)
        tried.append(count)
        return count, psnr(count)

    return tried, list(fewest(fit, enough, wanted))


@given(start=st.floats(5, 20), growth=st.floats(1.2, 5), share=st.floats(0.05, 0.9), enough=st.integers(10, 5000))
def test_nearly_the_fewest_are_found(start: float, growth: float, share: float, enough: int) -> None:
    least = max(1, math.ceil(share * enough))

    def psnr(count: int) -> float:
        return start + growth * math.log2(count)

    tried, found = asked(psnr, enough, psnr(least) - 1e-6)
    assert len(tried) <= FITS
    assert all(0 < count < enough for count in tried)
    assert all(fewer < before for before, fewer in pairwise([enough, *found]))
    assert all(count >= least for count in found)
    nearest = found[-1] if found else enough
    assert nearest <= max(least + 1, 1.09 * least)


@pytest.mark.parametrize(("enough", "tried"), [(0, []), (1, []), (2, [1])])
def test_few_are_few_enough(enough: int, tried: list[int]) -> None:
    assert asked(lambda count: 0.0, enough, 20.0) == (tried, [])


def test_quality_that_is_chance_ends_too() -> None:
    qualities = iter([19.0, 21.0, 19.0, 21.0, 19.0, 19.0, 19.0, 19.0])
    tried, found = asked(lambda count: next(qualities), 1000, 20.0)
    assert len(tried) <= FITS
    assert len(found) == 2
    assert 1000 > found[0] > tried[2]
    assert found[0] > found[1] > tried[2]


def test_none_are_tried_that_are_known_to_be_enough() -> None:
    qualities = iter([21.0, 10.0, 21.0, 10.0, 21.0, 10.0, 21.0])
    tried, found = asked(lambda count: next(qualities), 1000, 20.0)
    assert (tried[0], len(tried)) == (300, FITS)
    assert max(tried[1:]) < 300
    assert all(count < before for before, count in pairwise(found))


def test_one_that_is_close_is_enough() -> None:
    assert asked(lambda count: 20.05, 1000, 20.0) == ([300], [300])


def test_fits_may_be_exact() -> None:
    assert asked(lambda count: math.inf, 10, 30.0) == ([3, 1], [3, 1])
