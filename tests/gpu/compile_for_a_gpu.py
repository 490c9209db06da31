"""Compile every kernel for GPUs of the compute capabilities given as arguments: a program that needs none of them.

Triton compiles what it meets; its interpreter, which other tests use, understands more.
"""

import sys
from itertools import product

import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

from limner.gpu import depth, layout, over
from limner.gpu.jit import NUMBERS

ARRAYS = {name: "*i64" for name in ("first", "sizes", "offsets", "counts")}
ARRAYS |= {"met": "*i16", "slots": "*i16", "levels": "*i32"}


def compiled(kernel, capability: int, **switches) -> None:
    kinds = ARRAYS | {name: "i32" for name in (*NUMBERS, "templates")} | {name: "constexpr" for name in switches}
    signature = {name: kinds.get(name, "*fp32") for name in kernel.arg_names}
    constants = {(kernel.arg_names.index(name),): value for name, value in switches.items()}
    triton.compile(ASTSource(kernel, signature, constants), target=GPUTarget("cuda", capability, 32))


for capability in map(int, sys.argv[1:]):
    compiled(layout.place, capability, density=2, BLOCK=128)
    compiled(layout.meet, capability, SIDE=16, BLOCK=128)
    compiled(layout.gather, capability, PADDED=16, BLOCK=128)
    for channels, samples, some in product((1, 3), (1, 4), (False, True)):
        shared = {"CHANNELS": channels, "PADDED": channels + channels // 3, "SIDE": 16, "SAMPLES": samples}
        shared["SLOPE"] = some
        learnt = shared | {"DENSE": some, "TEXELS": some}
        compiled(over.forward, capability, **shared, ADDITIVE=not some, KEEP=some)
        compiled(over.backward, capability, **learnt, ADDITIVE=False, KEPT=some)
        compiled(over.backward, capability, **learnt, ADDITIVE=True, KEPT=False)
        compiled(depth.forward, capability, **shared)
        compiled(depth.backward, capability, **learnt)
