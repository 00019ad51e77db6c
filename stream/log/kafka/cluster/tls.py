"""TLS settings: which certificates a client trusts, and its own."""

import ssl

from stream.errors import LogError
from stream.log.kafka.workarounds.tls_sockets import TlsContext


def tls_context(
    *,
    ca_file: str | None,
    certificate_file: str | None,
    key_file: str | None,
    key_password: str | None,
    check_hostname: bool,
) -> TlsContext:
    """Return a context that trusts `ca_file`, else what the system trusts.

    Raises
    ------
    LogError
        A file does not hold what it should, or the key's password is wrong.
    """
    context = TlsContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = check_hostname
    try:
        if ca_file is None:
            context.load_default_certs()
        else:
            context.load_verify_locations(ca_file)
    except OSError as error:
        raise LogError(f"ssl_ca_file: {ca_file} holds no certificates in PEM form") from error
    if certificate_file is not None:
        try:
            # A password is always given: without one, OpenSSL would ask the terminal for it.
            context.load_cert_chain(certificate_file, key_file, password=key_password or "")
        except OSError as error:
            raise LogError(
                f"ssl_certificate_file: {certificate_file} and its key {key_file} cannot be used "
                f"({error.strerror or error}): both in PEM form, the password right?"
            ) from error
    return context
