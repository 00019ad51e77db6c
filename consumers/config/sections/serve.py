"""Settings `[serve]`: the HTTP API."""

import ipaddress
from typing import Annotated, Final, Self

from pydantic import Field, model_validator

from consumers.config.sections.section import Count, Port, Positive, PositiveOrOff, Section

MOST_ITEMS: Final = 1000

HostName = Annotated[str, Field(pattern=r"^[A-Za-z0-9._:\[\]-]{1,253}$")]
"""A name or an address, without a port."""


class ServeSection(Section):
    """The HTTP API over topics, models and views.

    Parameters
    ----------
    host, port
        Where the API answers; port 0 picks a free one. On another address than loopback a token
        is asked for, see allow_open.
    token_file
        File with the bearer token that callers must name; "": none is asked for.
    allow_open
        Answer on any address without a token.
    tls_certificate_file, tls_key_file
        PEM files for HTTPS; "": plain HTTP.
    allowed_hosts
        Names by which callers may call it besides its own address: requests to others are refused.
        On loopback the machine's own names are allowed as well; elsewhere an empty list allows any.
    accept_clicks
        Whether POST /v1/clicks appends clicks to the topic.
    directory
        Folder for users' newest records, of this process alone; "": `serve` in state.directory.
    cache_bytes, write_buffer_bytes
        Memory for those records.
    refresh_seconds
        How often a newer model or view is taken over.
    longest_list
        Most items of one list, and of what is similar to an item, or clicked after it.
    session_items
        Most clicks of a session that a list is asked for.
    excluded_items
        Most items that a caller may exclude.
    clicks_per_request
        Most clicks posted at once.
    body_bytes
        Most bytes of a request's body.
    timeout_seconds
        A request that takes longer is given up.
    requests_per_second, burst_requests
        How many each client may make, and how many at once; "off" sets no limit.
    kept_clients
        Clients whose requests are counted; who was away longest is forgotten.
    waiting_requests
        Requests that may wait for a list at once; others are told to come back.
    connections
        Connections that may be open at once.
    scrape_roles
        Whether /v1/status asks the other roles for their metrics, at http.host and their ports.
    threads
        Threads of the numerical libraries.
    """

    host: str = "127.0.0.1"
    port: Port = 9300
    token_file: str = ""
    allow_open: bool = False
    tls_certificate_file: str = ""
    tls_key_file: str = ""
    allowed_hosts: tuple[HostName, ...] = ()
    accept_clicks: bool = False
    directory: str = ""
    cache_bytes: Count = 33_554_432
    write_buffer_bytes: Count = 16_777_216
    refresh_seconds: Positive = 2.0
    longest_list: Annotated[int, Field(ge=1, le=MOST_ITEMS)] = 200
    session_items: Annotated[int, Field(ge=1, le=MOST_ITEMS)] = 200
    excluded_items: Annotated[int, Field(ge=1, le=10 * MOST_ITEMS)] = 1000
    clicks_per_request: Annotated[int, Field(ge=1, le=MOST_ITEMS)] = 100
    body_bytes: Annotated[int, Field(ge=1024, le=16_777_216)] = 262_144
    timeout_seconds: Positive = 2.0
    requests_per_second: PositiveOrOff = 500.0
    burst_requests: Count = 1000
    kept_clients: Count = 10_000
    waiting_requests: Count = 512
    connections: Count = 1000
    scrape_roles: bool = True
    threads: Count = 1

    @model_validator(mode="after")
    def _is_closed_or_meant_to_be_open(self) -> Self:
        if not (self.token_file or self.allow_open or is_loopback(self.host)):
            raise ValueError(
                f"serve.host is {self.host}, which others reach: name a token in a file with "
                "serve.token_file, stay on 127.0.0.1, or say serve.allow_open=true where something "
                "in front of it asks who calls"
            )
        if bool(self.tls_certificate_file) != bool(self.tls_key_file):
            raise ValueError(
                "serve.tls_certificate_file and serve.tls_key_file belong together: set both"
            )
        return self


def is_loopback(host: str) -> bool:
    """Return whether only this machine reaches an address.

    Examples
    --------
    >>> [is_loopback(host) for host in ("127.0.0.1", "::1", "localhost", "0.0.0.0", "shop")]
    [True, True, True, False, False]
    """
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
