"""XXH3-64 of short inputs in kernels: what `xxhash.xxh3_64_intdigest` says, byte for byte.

After Yann Collet's specification of xxHash (doc/xxhash_spec.md), inputs of 0 to 240 bytes.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from gsr.compiled import lean_kernel
from gsr.machine_words import high_product, load_32, load_64

LONGEST: Final = 240
"""Longer inputs are hashed in another way, which is not done here."""

_SECRET: Final = np.frombuffer(
    bytes.fromhex(
        "b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671f"
        "cb79e64eccc0e578825ad07dccff7221b8084674f743248ee03590e6813a264c"
        "3c2852bb91c300cb88d0658b1b532ea371644897a20df94e3819ef46a9deacd8"
        "a8fa763fe39c343ff9dcbbc7c70b4f1d8a51e04bcdb45931c89f7ec9d9787364"
        "eac5ac8334d3ebc3c581a0fffa1363eb170ddd51b7f0da49d316552629d4689e"
        "2b16be587d47a1fc8ff8b8d17ad031ce45cb3a8f95160428afd7fbcabb4b407e"
    ),
    dtype=np.uint8,
)

_PRIME64_1: Final = np.uint64(0x9E3779B185EBCA87)
_PRIME64_2: Final = np.uint64(0xC2B2AE3D27D4EB4F)
_PRIME64_3: Final = np.uint64(0x165667B19E3779F9)
_PRIME_MX1: Final = np.uint64(0x165667919E3779F9)
_PRIME_MX2: Final = np.uint64(0x9FB21C651E98DF25)

_LOW_HALF: Final = np.uint64(0xFFFF_FFFF)


@lean_kernel
def _secret(at: int) -> np.uint64:
    return np.uint64(load_64(_SECRET, at))


@lean_kernel
def _folded_product(left: np.uint64, right: np.uint64) -> np.uint64:
    return np.uint64(left * right) ^ np.uint64(high_product(left, right))


@lean_kernel
def _swapped(word: np.uint64) -> np.uint64:
    """Return the eight bytes in the opposite order."""
    word = ((word & np.uint64(0x00FF00FF00FF00FF)) << np.uint64(8)) | (
        (word >> np.uint64(8)) & np.uint64(0x00FF00FF00FF00FF)
    )
    word = ((word & np.uint64(0x0000FFFF0000FFFF)) << np.uint64(16)) | (
        (word >> np.uint64(16)) & np.uint64(0x0000FFFF0000FFFF)
    )
    return (word << np.uint64(32)) | (word >> np.uint64(32))


@lean_kernel
def _avalanche(word: np.uint64) -> np.uint64:
    word = (word ^ (word >> np.uint64(37))) * _PRIME_MX1
    return word ^ (word >> np.uint64(32))


@lean_kernel
def _avalanche_64(word: np.uint64) -> np.uint64:
    word = (word ^ (word >> np.uint64(33))) * _PRIME64_2
    word = (word ^ (word >> np.uint64(29))) * _PRIME64_3
    return word ^ (word >> np.uint64(32))


@lean_kernel
def _up_to_3(data: npt.NDArray[np.uint8], start: int, length: int, seed: np.uint64) -> np.uint64:
    if length == 0:
        return _avalanche_64(seed ^ _secret(56) ^ _secret(64))
    first = np.uint64(data[start])
    middle = np.uint64(data[start + (length >> 1)])
    last = np.uint64(data[start + length - 1])
    word = (first << np.uint64(16)) | (middle << np.uint64(24)) | last
    word |= np.uint64(length) << np.uint64(8)
    mask = np.uint64(load_32(_SECRET, 0)) ^ np.uint64(load_32(_SECRET, 4))
    return _avalanche_64(word ^ (mask + seed))


@lean_kernel
def _up_to_8(data: npt.NDArray[np.uint8], start: int, length: int, seed: np.uint64) -> np.uint64:
    low_seed = seed & _LOW_HALF
    swapped = _swapped(low_seed) >> np.uint64(32)
    seed ^= swapped << np.uint64(32)
    first = np.uint64(load_32(data, start))
    last = np.uint64(load_32(data, start + length - 4))
    word = (last + (first << np.uint64(32))) ^ ((_secret(8) ^ _secret(16)) - seed)
    word ^= ((word << np.uint64(49)) | (word >> np.uint64(15))) ^ (
        (word << np.uint64(24)) | (word >> np.uint64(40))
    )
    word *= _PRIME_MX2
    word ^= (word >> np.uint64(35)) + np.uint64(length)
    word *= _PRIME_MX2
    return word ^ (word >> np.uint64(28))


@lean_kernel
def _up_to_16(data: npt.NDArray[np.uint8], start: int, length: int, seed: np.uint64) -> np.uint64:
    low = ((_secret(24) ^ _secret(32)) + seed) ^ np.uint64(load_64(data, start))
    high = ((_secret(40) ^ _secret(48)) - seed) ^ np.uint64(load_64(data, start + length - 8))
    return _avalanche(np.uint64(length) + _swapped(low) + high + _folded_product(low, high))


@lean_kernel
def _mixed_16(data: npt.NDArray[np.uint8], start: int, secret: int, seed: np.uint64) -> np.uint64:
    return _folded_product(
        np.uint64(load_64(data, start)) ^ (_secret(secret) + seed),
        np.uint64(load_64(data, start + 8)) ^ (_secret(secret + 8) - seed),
    )


@lean_kernel
def _up_to_128(data: npt.NDArray[np.uint8], start: int, length: int, seed: np.uint64) -> np.uint64:
    total = np.uint64(length) * _PRIME64_1
    end = start + length
    for pair in range((length - 1) >> 5, -1, -1):
        total += _mixed_16(data, start + 16 * pair, 32 * pair, seed)
        total += _mixed_16(data, end - 16 * (pair + 1), 32 * pair + 16, seed)
    return _avalanche(total)


@lean_kernel
def _up_to_240(data: npt.NDArray[np.uint8], start: int, length: int, seed: np.uint64) -> np.uint64:
    total = np.uint64(length) * _PRIME64_1
    for part in range(8):
        total += _mixed_16(data, start + 16 * part, 16 * part, seed)
    total = _avalanche(total)
    for part in range(8, length >> 4):
        total += _mixed_16(data, start + 16 * part, 16 * (part - 8) + 3, seed)
    total += _mixed_16(data, start + length - 16, 119, seed)
    return _avalanche(total)


@lean_kernel
def xxh3(data: npt.NDArray[np.uint8], start: int, length: int, seed: np.uint64) -> np.uint64:
    """Return the XXH3-64 hash of bytes ``start : start + length``, at most `LONGEST` of them.

    Parameters
    ----------
    data
        uint8 [m].
    start, length
        Which bytes.
    seed
        0 for the hash without a seed.
    """
    if length <= 3:  # noqa: PLR2004 -- the classes of the specification, here and below
        return _up_to_3(data, start, length, seed)
    if length <= 8:  # noqa: PLR2004
        return _up_to_8(data, start, length, seed)
    if length <= 16:  # noqa: PLR2004
        return _up_to_16(data, start, length, seed)
    if length <= 128:  # noqa: PLR2004
        return _up_to_128(data, start, length, seed)
    return _up_to_240(data, start, length, seed)
