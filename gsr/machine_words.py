"""Machine instructions that Python does not have: loads at any byte, wide products, prefetching.

They can be called in kernels only. Nothing is checked: the bytes must be there.
"""

from typing import Any, Final

from llvmlite import ir
from numba import types
from numba.core import cgutils, typing
from numba.extending import intrinsic

# Numba says nothing of their types.
_codes: Final[Any] = cgutils
_typing: Final[Any] = typing

_BYTE: Final = ir.IntType(8)
_INT: Final = ir.IntType(32)
_WIDE: Final = ir.IntType(128)
_POINTER: Final = _BYTE.as_pointer()


def _loader(word: Any, bits: int) -> Any:
    def load(_context: Any, data: Any, _index: Any) -> Any:
        def generate(context: Any, builder: Any, call: Any, arguments: Any) -> Any:
            array = context.make_array(call.args[0])(context, builder, arguments[0])
            place = builder.gep(array.data, [arguments[1]])
            return builder.load(builder.bitcast(place, ir.IntType(bits).as_pointer()), align=1)

        return _typing.signature(word, data, types.int64), generate

    return load


def _high_half(_context: Any, _left: Any, _right: Any) -> Any:
    def generate(_target: Any, builder: Any, _call: Any, arguments: Any) -> Any:
        product = builder.mul(*(builder.zext(argument, _WIDE) for argument in arguments))
        return builder.trunc(builder.lshr(product, ir.Constant(_WIDE, 64)), ir.IntType(64))

    return _typing.signature(types.uint64, types.uint64, types.uint64), generate


def _prefetch(_context: Any, column: Any, _row: Any) -> Any:
    def generate(context: Any, builder: Any, call: Any, arguments: Any) -> Any:
        array = context.make_array(call.args[0])(context, builder, arguments[0])
        stride = _codes.unpack_tuple(builder, array.strides)[0]
        first = builder.bitcast(array.data, _POINTER)
        place = builder.gep(first, [builder.mul(arguments[1], stride)])
        kind = ir.FunctionType(ir.VoidType(), [_POINTER, _INT, _INT, _INT])
        fetch = _codes.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        # For reading, to stay in every cache, data.
        builder.call(fetch, [place, *(ir.Constant(_INT, number) for number in (0, 3, 1))])
        return context.get_dummy_value()

    return _typing.signature(types.void, column, types.int64), generate


load_32: Final[Any] = intrinsic(_loader(types.uint32, 32))
"""``load_32(data, index)``: the four bytes of uint8 `data` from `index` on, little-endian."""

load_64: Final[Any] = intrinsic(_loader(types.uint64, 64))
"""``load_64(data, index)``: the eight bytes of uint8 `data` from `index` on, little-endian."""

high_product: Final[Any] = intrinsic(_high_half)
"""``high_product(a, b)``: the upper 64 bits of the product of two uint64."""

prefetch: Final[Any] = intrinsic(_prefetch)
"""``prefetch(column, row)``: ask for the memory of a row, without waiting for it."""
