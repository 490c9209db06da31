"""Eight numbers at a time, against numpy."""

import numpy as np
import pytest
from numba import njit

from limner.kernels import across, lanes, quads, simd
from limner.kernels.jit import OPTIONS

store, load = simd.store, simd.load
WHOLE = np.int32


@njit(**OPTIONS)
def compute_wholes(a, b, found):
    x, y = load(a, 0), load(b, 0)
    store(found, 0, x + y)
    store(found, 8, x - 3)
    store(found, 16, 5 * x)
    store(found, 24, (x & y) | 1)
    store(found, 32, x >> 3)
    store(found, 40, y << 2)
    store(found, 48, lanes.smaller(x, y))
    store(found, 56, lanes.larger(x, 7))
    store(found, 64, lanes.choose(x < y, x, -1))
    store(found, 72, lanes.choose((x >= 0) & (y <= 5), 1, y))
    store(found, 80, lanes.choose((x > y) ^ (x > 0), x, y))
    store(found, 88, lanes.count() + across.before(x))
    store(found, 96, across.behind(x, y))
    store(found, 104, lanes.choose((x > y) & (found[0] < 99), x, -1))
    return across.total(x), across.least(x)


@pytest.mark.parametrize("kind", [np.int16, np.int32])
@pytest.mark.parametrize("seed", range(5))
def test_whole_numbers(seed: int, kind: type) -> None:
    random = np.random.default_rng(seed)
    a, b = random.integers(-900, 900, 8).astype(kind), random.integers(-20, 20, 8).astype(kind)
    found = np.zeros(112, WHOLE)
    total, least = compute_wholes(a, b, found)
    x, y = a.astype(WHOLE), b.astype(WHOLE)
    wanted = [
        x + y, x - 3, 5 * x, (x & y) | 1, x // 8, 4 * y, np.minimum(x, y), np.maximum(x, 7), np.where(x < y, x, -1),
        np.where((x >= 0) & (y <= 5), 1, y), np.where((x > y) ^ (x > 0), x, y), np.arange(8) + x.cumsum() - x,
        [x[7], *y[:7]], np.where((x > y) & (x[0] + y[0] < 99), x, -1),
    ]  # fmt: skip
    np.testing.assert_array_equal(found.reshape(-1, 8), wanted)
    assert (total, least) == (x.sum(), x.min())


@njit(**OPTIONS)
def compute_doubles(a, b, found, rounded):
    x, y = load(a, 0), load(b, 0)
    store(found, 0, x + y)
    store(found, 8, x - 0.5)
    store(found, 16, 2 * x * y)
    store(found, 24, 1.0 / y)
    store(found, 32, lanes.smaller(x, y))
    store(found, 40, lanes.larger(x, 0.25))
    store(found, 48, lanes.choose(x <= y, x, 0.0))
    store(found, 56, lanes.doubles(lanes.count()))
    store(rounded, 0, lanes.round_up(x))
    store(rounded, 8, lanes.round_down(x))
    store(rounded, 16, lanes.cut(x))
    return across.total(x)


@pytest.mark.parametrize("seed", range(5))
def test_doubles(seed: int) -> None:
    random = np.random.default_rng(seed)
    a, b = random.normal(0, 100, 8), random.normal(0, 100, 8)
    a[:2] = 3.0, -2.0
    found, rounded = np.zeros(64), np.zeros(24, WHOLE)
    total = compute_doubles(a, b, found, rounded)
    wanted = [
        a + b, a - 0.5, 2 * a * b, 1 / b, np.minimum(a, b), np.maximum(a, 0.25), np.where(a <= b, a, 0), np.arange(8),
    ]  # fmt: skip
    np.testing.assert_allclose(found.reshape(-1, 8), wanted, rtol=1e-15)
    np.testing.assert_array_equal(rounded.reshape(-1, 8), [np.ceil(a), np.floor(a), np.trunc(a)])
    assert total == pytest.approx(a.sum())


@njit(**OPTIONS)
def compute_words(a, every, found, zeros):
    x = load(a, 0)
    store(found, 0, x ^ every)
    store(found, 8, every << lanes.words(lanes.count() * 4, every))
    store(found, 16, (x | 5) & lanes.words(lanes.count(), every))
    store(zeros, 0, lanes.wholes(lanes.zeros_below(x)))
    store(zeros, 8, lanes.wholes(lanes.zeros_above(x)))


@pytest.mark.parametrize("word", [np.uint32, np.uint64])
def test_words(word: type) -> None:
    size = 8 * word().itemsize
    a = np.array([0, 1, 2 ** (size - 1), 2**size - 1, 24, 2 ** (size // 2 + 8) + 2**7, 6 * 2 ** (size - 5), 5], word)
    found, zeros = np.zeros(24, word), np.zeros(16, WHOLE)
    every = word(2**size - 1)
    compute_words(a, every, found, zeros)
    lane = np.arange(8, dtype=word)
    np.testing.assert_array_equal(found.reshape(-1, 8), [~a, every << (4 * lane), (a | word(5)) & lane])
    bits = [f"{number:0{size}b}" for number in a.tolist()]
    below = [len(number) - len(number.rstrip("0")) for number in bits]
    above = [len(number) - len(number.lstrip("0")) for number in bits]
    np.testing.assert_array_equal(zeros.reshape(2, 8), [below, above])


@njit(**OPTIONS)
def compute_sums(a, found):
    sums = across.totals(
        (load(a, 0), load(a, 8), load(a, 16), load(a, 24), load(a, 32), load(a, 40), load(a, 48), load(a, 56))
    )
    for k in range(8):
        found[k] = sums[k]


def test_eight_sums() -> None:
    a, found = np.random.default_rng(0).normal(size=64).astype(np.float32), np.zeros(8, np.float32)
    compute_sums(a, found)
    np.testing.assert_allclose(found, a.reshape(8, 8).sum(1), rtol=1e-6)


@njit(**OPTIONS)
def compute_moves(strided, table, gathered, looked_up, groups):
    store(gathered, 0, simd.gather(strided, 1, 3, 10))
    store(looked_up, 0, simd.look_up(table, lanes.count() & 3))
    quads.write_four(groups, 0, 1, 2, 3, 4)
    numbers = lanes.count() * 2
    quads.write_fours(groups, 1, numbers, numbers, numbers * 10, numbers * 100, numbers * 1000)
    return quads.read_four(groups, 3)


def test_moving_single_numbers() -> None:
    strided, table = np.arange(50, dtype=np.float32), np.array([7, -5, 2**31 - 1, 0])
    gathered, looked_up, groups = np.zeros(8, np.float32), np.zeros(8, WHOLE), np.full(4 * 16, -1, WHOLE)
    read = compute_moves(strided, table, gathered, looked_up, groups)
    np.testing.assert_array_equal(gathered, [1, 4, 7, 10, 10, 10, 10, 10])
    np.testing.assert_array_equal(looked_up, np.tile(table, 2))
    wanted = np.full((16, 4), -1)
    wanted[0] = 1, 2, 3, 4
    wanted[1::2] = np.outer(2 * np.arange(8), [1, 10, 100, 1000])
    np.testing.assert_array_equal(groups.reshape(16, 4), wanted)
    assert read == (2, 20, 200, 2000)
