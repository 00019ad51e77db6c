"""Header names that are no UTF-8, where the library unpacks records itself.

Wrong: one record with such a name cannot be read, nor can anything after it. Kafka allows any
    bytes, and Java's clients replace what they cannot read.
Issue: not reported.
Probe: `fits`; elsewhere such records count as damaged. `fast_fetch` does not need this.
Until: the library replaces such bytes, or returns names as bytes.
"""

from typing import Any

from kafka.record.default_records import DefaultRecordBatch

from stream.log.kafka.cluster.library import warn_unfit


class _ReplacingBytes(bytearray):
    """Bytes that replace what is no UTF-8 in them where they are read as text."""

    def __getitem__(self, key: Any) -> Any:
        found = super().__getitem__(key)
        return _ReplacingBytes(found) if isinstance(key, slice) else found

    def decode(self, encoding: str = "utf-8", errors: str = "replace") -> str:
        return super().decode(encoding, errors)


def read_any_header_name() -> None:
    """Make the library replace what is no UTF-8 in a header's name, where it would fail."""
    if not fits():
        warn_unfit("header_names", "records with header names that are no UTF-8 cannot be read")
        return
    read: Any = DefaultRecordBatch._read_msg  # noqa: SLF001 - no public way
    if hasattr(read, "strict"):
        return

    def read_replacing(batch: Any, *arguments: Any) -> Any:
        try:
            return read(batch, *arguments)
        except UnicodeDecodeError:
            batch._buffer = _ReplacingBytes(batch._buffer)  # noqa: SLF001 - the same
            return read(batch, *arguments)

    read_replacing.__dict__["strict"] = read
    DefaultRecordBatch._read_msg = read_replacing  # noqa: SLF001 - the same


def fits() -> bool:
    """Return whether the library reads a record where that is replaced."""
    return hasattr(DefaultRecordBatch, "_read_msg")
