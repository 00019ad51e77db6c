"""Decoding of the JSON of our own topics, with a check of the schema version."""

from typing import TypeVar

import msgspec

from stream.errors import RecordFormatError

T = TypeVar("T", bound=msgspec.Struct)


def decode_record(decoder: msgspec.json.Decoder[T], value: bytes, version: int) -> T:
    """Decode `value`, and refuse a schema version newer than `version`.

    Parameters
    ----------
    decoder
        Of a struct with an attribute `schema_version`.
    value
        The record's JSON.
    version
        The newest schema version that this build understands.

    Raises
    ------
    RecordFormatError
        `value` is not such a record.
    """
    try:
        record = decoder.decode(value)
    except (ValueError, RecursionError) as error:
        raise RecordFormatError(f"not a {decoder.type.__name__}: {error}") from error
    found = record.schema_version  # type: ignore[attr-defined]  # each record struct has one
    if not 1 <= found <= version:
        raise RecordFormatError(
            f"a {decoder.type.__name__} of schema version {found}, this build reads 1 to "
            f"{version}: upgrade gsr"
        )
    return record
