"""Addresses are read as they are written, and wrong ones are explained."""

import pytest

from stream.address import Address


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("localhost:9092", "localhost", 9092),
        ("10.0.0.1:1", "10.0.0.1", 1),
        ("[::1]:65535", "::1", 65535),
        ("[2001:db8::1%eth0]:9092", "2001:db8::1%eth0", 9092),
    ],
)
def test_what_is_read_is_written_again(text: str, host: str, port: int) -> None:
    address = Address.parse(text)
    assert (address.host, address.port) == (host, port)
    assert str(address) == text


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "are missing"),
        ("localhost", "has no port, as in localhost:9092"),
        ("localhost:", "has no port, as in localhost:9092"),
        ("[::1]", r"has no port, as in \[::1\]:9092"),
        ("::1:9092", r"in brackets, as in \[::1\]:9092"),
        ("localhost:0", "between 1 and 65535"),
        ("localhost:65536", "between 1 and 65535"),
        ("http://localhost:9092", "write an IPv6 address in brackets|is not HOST:PORT"),
        ("a b:9092", "is not HOST:PORT"),
        ("localhost:port", "is not HOST:PORT"),
    ],
)
def test_what_is_wrong_is_said(text: str, reason: str) -> None:
    """With what would be right."""
    with pytest.raises(ValueError, match=reason):
        Address.parse(text)
