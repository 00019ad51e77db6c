"""A network address: host and port, written so that IPv6 stays readable."""

import re
from dataclasses import dataclass
from typing import Final, Self

_WRITTEN: Final = re.compile(r"(?:\[(?P<v6>[^\s,/\[\]]+)\]|(?P<host>[^\s,:/\[\]]+)):(?P<port>\d+)")
_LARGEST_PORT: Final = 65_535


@dataclass(frozen=True, slots=True)
class Address:
    """A host and a port.

    Parameters
    ----------
    host
        A name, an IPv4 address, or an IPv6 address without brackets.
    port
        From 0 to 65535.

    Examples
    --------
    >>> str(Address("::1", 9092)), str(Address("localhost", 9092))
    ('[::1]:9092', 'localhost:9092')
    """

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``HOST:PORT`` or ``[IPV6]:PORT``.

        Raises
        ------
        ValueError
            The text is no such thing; the message says what is wrong and what would be right.

        Examples
        --------
        >>> Address.parse("[::1]:9092")
        Address(host='::1', port=9092)
        """
        written = _WRITTEN.fullmatch(text)
        if written is None:
            raise ValueError(_fault(text))
        port = int(written["port"])
        if not 0 < port <= _LARGEST_PORT:
            raise ValueError(f"{text!r}: a port lies between 1 and {_LARGEST_PORT}")
        return cls(written["v6"] or written["host"], port)

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def _fault(text: str) -> str:
    if not text:
        return "a host and a port are missing"
    if text.count(":") > 1 and not text.startswith("["):
        return f"{text!r}: write an IPv6 address in brackets, as in [::1]:9092"
    if re.fullmatch(r"\[[^\s,/\[\]]+\]|[^\s,:/\[\]]+:?", text):
        return f"{text!r} has no port, as in {text.rstrip(':')}:9092"
    return f"{text!r} is not HOST:PORT"
