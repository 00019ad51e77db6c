"""The hash is Kafka's, one key at a time and many together."""

import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.log.murmur2 import murmur2, murmur2_of_many

with warnings.catch_warnings():
    # kafka-python reads its message schemas through a deprecated function of importlib.
    warnings.simplefilter("ignore", DeprecationWarning)
    from kafka.partitioner.default import murmur2 as kafka_murmur2


@given(st.lists(st.binary(max_size=40), max_size=60))
def test_many_keys_hash_as_in_kafka(keys: list[bytes]) -> None:
    """Any keys, of any mixture of lengths."""
    expected = [kafka_murmur2(key) & 0xFFFFFFFF for key in keys]
    assert [murmur2(key) for key in keys] == expected
    assert murmur2_of_many(keys).tolist() == expected


@pytest.mark.parametrize("length", [255, 256, 257, 5000])
def test_long_keys_hash_as_in_kafka(length: int) -> None:
    """On both sides of the length at which keys are hashed one by one."""
    keys = [bytes(range(256)) * 20, b"short", b""]
    keys[0] = keys[0][:length]
    expected = [kafka_murmur2(key) & 0xFFFFFFFF for key in keys]
    assert murmur2_of_many(keys).tolist() == expected
