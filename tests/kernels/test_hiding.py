"""Spans of rows cut short where they are hidden, against pixels one by one."""

import numpy as np
import pytest
from numba import njit

from limner.kernels import hiding
from limner.kernels.jit import OPTIONS
from limner.kernels.simd import load, store


@njit(**OPTIONS)
def cut(spans, hidden, width):
    """Spans (4, 8) cut in place."""
    blocks = hiding.blocks_in_row(width, hidden)
    cut = hiding.clip((load(spans, 0), load(spans, 8), load(spans, 16), load(spans, 24)), load(hidden, 0), blocks)
    store(spans, 0, cut[0])
    store(spans, 8, cut[1])
    store(spans, 16, cut[2])
    store(spans, 24, cut[3])


@njit(**OPTIONS)
def hide(first, last, width, words):
    """The blocks that runs of pixels hide."""
    store(words, 0, hiding.hidden_by(load(first, 0), load(last, 0), width, hiding.blocks_in_row(width, words)))


def columns(width: int) -> int:
    """Of a block, the least power of two with which a word holds a row."""
    return next(1 << k for k in range(9) if width <= 8 * hiding.word_of(width)().itemsize << k)


def pixels(word: int, width: int) -> np.ndarray:
    """Which pixels of a row a word hides."""
    block = columns(width)
    return np.array([(int(word) >> (i // block)) & 1 for i in range(width)], bool)


@pytest.mark.parametrize("kind", [np.int16, np.int32])
@pytest.mark.parametrize("width", [1, 7, 8, 28, 31, 32, 33, 63, 64, 65, 100, 128, 129, 300])
def test_spans_keep_what_is_seen(width: int, kind: type) -> None:
    random, block, word = np.random.default_rng(width), columns(width), hiding.word_of(width)
    blocks = -(-width // block)
    for _ in range(300):
        spans, words = np.zeros((4, 8), kind), np.zeros(8, word)
        for row in range(8):
            first, last = sorted(random.integers(0, width + 1, 2))
            start = min(first + 8 * random.integers(0, 4), last)
            stop = random.integers(start, last + 1)
            spans[:, row] = (first, start, stop, last) if start < stop else (first, last, last, last)
            spans[:, row] *= first < last
            for _ in range(random.integers(0, 4)):
                low, high = sorted(random.integers(0, blocks + 1, 2))
                words[row] |= word((1 << int(high)) - (1 << int(low)))
        old = spans.copy()
        cut(spans, words, width)
        for row in range(8):
            (first, start, stop, last), was = map(int, spans[:, row]), old[:, row].astype(int)
            seen = np.flatnonzero(~pixels(words[row], width))
            seen = seen[(seen >= was[0]) & (seen < was[3])]
            assert first >= last if not len(seen) else first <= start <= stop <= last
            if len(seen):
                assert was[0] <= first <= seen[0]
                assert seen[-1] < last <= was[3]
                flat = seen[(seen >= start) & (seen < stop)]
                assert ((flat >= was[1]) & (flat < was[2])).all()
                assert start == last or (start - first) % 8 == 0
                assert eights(first, start) + eights(stop, last) <= eights(was[0], was[1]) + eights(was[2], was[3])
                left, right = seen[seen < was[1]], seen[seen >= was[2]]
                if block == 1 and was[1] < was[2]:
                    assert eights(stop, last) == (eights(right[0], last) if len(right) and start < last else 0)
                    if len(right) == len(seen):
                        assert (first, start) == (right[0], last)
                    assert start == last or start - first == 8 * (eights(first, left[-1] + 1) if len(left) else 0)


def eights(first: int, last: int) -> int:
    return -(-(last - first) // 8)


@pytest.mark.parametrize("width", [1, 8, 31, 32, 33, 64, 100, 129, 300])
def test_whole_blocks_are_hidden(width: int) -> None:
    random, block, word = np.random.default_rng(width), columns(width), hiding.word_of(width)
    for _ in range(100):
        first, last = np.sort(random.integers(0, width + 1, (2, 8)), 0).astype(np.int32)
        words = np.zeros(8, word)
        hide(first, last, width, words)
        for low, high, word in zip(first, last, words, strict=True):
            for k in range(-(-width // block)):
                whole = low <= k * block and min((k + 1) * block, width) <= high
                assert (int(word) >> k) & 1 == whole


def test_words_are_as_small_as_will_do() -> None:
    assert [columns(width) for width in (8, 32, 33, 64, 65, 128, 129)] == [1, 1, 1, 1, 2, 2, 4]
    assert hiding.word_of(32) is np.uint32
