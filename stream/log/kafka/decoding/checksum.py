"""CRC-32C, the checksum of Kafka's record batches.

The `crc32c` package computes it in hardware; it is LGPL, so it is optional (the extra
``fast-crc``), and without it a kernel does the same.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from gsr.compiled import lean_kernel

try:
    import crc32c as hardware
except ImportError:
    _HAS_HARDWARE = False
else:
    _HAS_HARDWARE = True

_POLYNOMIAL: Final = 0x82F63B78
"""Castagnoli's, with its bits reversed (RFC 3720, appendix B.4)."""
_LANES: Final = 8


def _tables() -> npt.NDArray[np.uint32]:
    """Return uint32 [8, 256], what a byte does to the checksum k bytes later."""
    tables = np.zeros((_LANES, 256), np.uint32)
    rest = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        rest = np.where(rest & 1, (rest >> 1) ^ np.uint32(_POLYNOMIAL), rest >> 1)
    tables[0] = rest
    for lane in range(1, _LANES):
        rest = (rest >> 8) ^ tables[0][rest & 0xFF]
        tables[lane] = rest
    return tables


_TABLES: Final = _tables()


@lean_kernel
def _by_tables(
    data: npt.NDArray[np.uint8], tables: npt.NDArray[np.uint32]
) -> int:  # pragma: no cover
    """Take eight bytes at a time ("slicing by 8", Kounavis and Berry 2005), then the rest."""
    crc = np.uint32(0xFFFFFFFF)
    whole = len(data) - len(data) % 8
    for at in range(0, whole, 8):
        low = np.uint32(data[at]) | np.uint32(data[at + 1]) << np.uint32(8)
        low |= np.uint32(data[at + 2]) << np.uint32(16) | np.uint32(data[at + 3]) << np.uint32(24)
        low ^= crc
        crc = (
            tables[7, low & np.uint32(0xFF)]
            ^ tables[6, (low >> np.uint32(8)) & np.uint32(0xFF)]
            ^ tables[5, (low >> np.uint32(16)) & np.uint32(0xFF)]
            ^ tables[4, low >> np.uint32(24)]
            ^ tables[3, data[at + 4]]
            ^ tables[2, data[at + 5]]
            ^ tables[1, data[at + 6]]
            ^ tables[0, data[at + 7]]
        )
    for at in range(whole, len(data)):
        crc = (crc >> np.uint32(8)) ^ tables[0, (crc ^ data[at]) & np.uint32(0xFF)]
    return int(crc ^ np.uint32(0xFFFFFFFF))


def crc_by_tables(data: bytes | memoryview) -> int:
    """Return the CRC-32C of `data` without any package."""
    return int(_by_tables(np.frombuffer(data, np.uint8), _TABLES))


def crc32c(data: bytes | memoryview) -> int:
    """Return the CRC-32C of `data`."""
    return hardware.crc32c(data) if _HAS_HARDWARE else crc_by_tables(data)
