"""Machine instructions that Python does not have: loads at any byte, and wide products.

They can be called in kernels only. Nothing is checked: the bytes must be there.
"""

from typing import Any, Final

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.typing import signature
from numba.extending import intrinsic

_WIDE: Final = ir.IntType(128)


def _loader(word: Any, bits: int) -> Any:
    def load(_typing: Any, data: Any, _index: Any) -> Any:
        def generate(context: Any, builder: Any, call: Any, arguments: Any) -> Any:
            array = context.make_array(call.args[0])(context, builder, arguments[0])
            place = cgutils.gep(builder, array.data, arguments[1])
            return builder.load(builder.bitcast(place, ir.IntType(bits).as_pointer()), align=1)

        return signature(word, data, types.int64), generate

    return load


def _high_half(_typing: Any, _left: Any, _right: Any) -> Any:
    def generate(_context: Any, builder: Any, _call: Any, arguments: Any) -> Any:
        product = builder.mul(*(builder.zext(argument, _WIDE) for argument in arguments))
        return builder.trunc(builder.lshr(product, ir.Constant(_WIDE, 64)), ir.IntType(64))

    return signature(types.uint64, types.uint64, types.uint64), generate


load_32: Final = intrinsic(_loader(types.uint32, 32))
"""``load_32(data, index)``: the four bytes of uint8 `data` from `index` on, little-endian."""

load_64: Final = intrinsic(_loader(types.uint64, 64))
"""``load_64(data, index)``: the eight bytes of uint8 `data` from `index` on, little-endian."""

high_product: Final = intrinsic(_high_half)
"""``high_product(a, b)``: the upper 64 bits of the product of two uint64."""
