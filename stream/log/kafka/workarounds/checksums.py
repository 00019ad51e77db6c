"""Checksums of what is sent, computed by the processor.

Wrong: kafka-python computes CRC-32C in Python, at 10 megabytes a second, where the LGPL package
    `crc32c` is not installed: most of what sending costs.
Issue: https://github.com/dpkp/kafka-python/issues/2380 and 1412.
Probe: `fits`; elsewhere sending is slower, nothing else changes.
Until: kafka-python needs no package for a fast checksum.
"""

from typing import Any

import google_crc32c
from kafka.record import default_records

from stream.log.kafka.cluster.library import warn_unfit


def hasten_checksums() -> None:
    """Make the library compute checksums, of batches that it makes or reads, natively."""
    if fits():
        default_records.calc_crc32c = _crc32c
    else:
        warn_unfit("checksums", "what is sent is checksummed in Python, which is slow")


def fits() -> bool:
    """Return whether the library looks the function up where it is replaced."""
    return hasattr(default_records, "calc_crc32c")


def _crc32c(data: Any) -> int:
    return int(google_crc32c.value(bytes(data)))
