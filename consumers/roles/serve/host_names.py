"""By which names a service may be called.

A page of somebody else may have its own name point to this machine (DNS rebinding). Its requests
then come from a browser on this machine, so loopback does not keep them out. They name the other
host, though, and a browser lets no page change that.
"""

from typing import Final

from consumers.config.sections.serve import ServeSection, is_loopback

OWN_NAMES: Final = ("localhost", "127.0.0.1", "::1")


def allowed_hosts(settings: ServeSection) -> frozenset[str] | None:
    """Return the names that requests may be for, as `host_name` gives them; None: any."""
    loopback = is_loopback(settings.host)
    if not loopback and not settings.allowed_hosts:
        return None
    names = (settings.host, *settings.allowed_hosts, *(OWN_NAMES if loopback else ()))
    return frozenset(host_name(_bracketed(name).encode()) for name in names)


def host_name(header: bytes) -> str:
    """Return the name in a Host header, without its port and in lower case.

    Examples
    --------
    >>> [host_name(header) for header in (b"Shop:80", b"[::1]:9300", b"127.0.0.1", b"")]
    ['shop', '::1', '127.0.0.1', '']
    """
    text = header.decode("latin-1").strip().lower()
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0]


def _bracketed(name: str) -> str:
    return f"[{name}]" if name.count(":") > 1 and not name.startswith("[") else name
