"""As few strokes as meet a goal: fits of several numbers of strokes in turn, guided by what a doubling has brought.

A fit that stops once its goal is met has added three to four times as many strokes as it takes, since those have not
settled.
"""

import math
from collections.abc import Callable, Iterator
from typing import TypeVar

T = TypeVar("T")

FIRST = 0.3
"""Of the strokes that met the goal without having settled: the first guess."""
GROWTH, LEAST_GROWTH, MOST_GROWTH = 2.5, 1.0, 6.0
"""Decibels that twice the strokes bring while nothing is known of the picture, and bounds of what is found."""
NEAR, CLOSE = 0.03, 0.1
"""Of the strokes, and decibels: so many more or fewer are a matter of chance."""
FITS = 7


def fewest(fit: Callable[[int, T | None], tuple[T, float] | None], enough: int, wanted: float) -> Iterator[T]:
    """Results that reach a PSNR with fewer strokes each, all of fewer than `enough`, which are known to reach it.

    fit: gives, for a number of strokes and the result before, if there is one, a result and its PSNR in dB;
        None ends the search.
    """
    too_few, guess, tried, result = 0, math.ceil(FIRST * enough), [], None
    while enough - too_few > max(1, NEAR * enough) and len(tried) < FITS:
        count = min(max(guess, too_few + 1), enough - 1)
        if (found := fit(count, result)) is None:
            return
        result, psnr = found
        tried.append((count, psnr))
        guess = round(count * 2 ** ((wanted - psnr) / growth(tried)))
        if psnr >= wanted:
            enough = count
            yield result
            if psnr < wanted + CLOSE:
                return
        else:
            too_few = count


def growth(tried: list[tuple[int, float]]) -> float:
    """Decibels that twice the strokes bring, from the last two fits, unless both are exact."""
    if len(tried) < 2:
        return GROWTH
    (few, worse), (many, better) = tried[-2:]
    found = (better - worse) / math.log2(many / few)
    return GROWTH if math.isnan(found) else min(max(found, LEAST_GROWTH), MOST_GROWTH)
