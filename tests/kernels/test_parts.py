"""Parts of kernels, which are compiled in kernels only. The one here is not cached, so that its parts are compiled."""

import numpy as np
import pytest
from numba import njit

from limner.kernels.jit import OPTIONS, inlined


@inlined
def doubled(number):
    return 2 * number


@inlined
def tripled(number):
    return doubled(number) + number


@njit(**OPTIONS)
def sixfold(numbers):
    for k in range(len(numbers)):
        numbers[k] = tripled(doubled(numbers[k]))


@pytest.mark.parametrize("kind", [np.float32, np.int64])
def test_kernels_are_made_of_parts(kind: type) -> None:
    sixfold(numbers := np.arange(5).astype(kind))
    np.testing.assert_array_equal(numbers, 6 * np.arange(5))


def test_parts_have_no_machine_code_but_in_kernels() -> None:
    sixfold(np.zeros(1))
    part = tripled.overloads[tripled.signatures[0]]
    name = part.fndesc.llvm_func_name
    assert part.library.get_pointer_to_function(name) == 0
    assert not [line for line in sixfold.inspect_asm(sixfold.signatures[0]).splitlines() if line.startswith(f"{name}:")]


def test_python_cannot_call_parts() -> None:
    with pytest.raises(ValueError, match="remove"):
        doubled(1)
