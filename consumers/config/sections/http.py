"""Settings `[http]`: where each role answers."""

from consumers.config.sections.section import Port, Positive, Section


class HttpSection(Section):
    """/metrics, /livez and /readyz of each role.

    Parameters
    ----------
    host
        Address to listen on, of IPv4 or IPv6 (::1; :: takes callers of both). There is no
        authentication: stay on loopback or a private network.
    ingest_port, trainer_port, publisher_port, serve_port
        One port per role; 0 picks a free one.
    heartbeat_limit_seconds
        /livez fails when the role's loop has not come round for this long.
    """

    host: str = "127.0.0.1"
    ingest_port: Port = 9301
    trainer_port: Port = 9302
    publisher_port: Port = 9303
    serve_port: Port = 9304
    heartbeat_limit_seconds: Positive = 120.0
