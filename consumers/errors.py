"""Errors of the roles and the command line.

::

    GsrError
    ├── ConfigError         a setting is wrong; names it and where it came from
    ├── TooManyBadError     too large a share of recent records is bad: ingest stops
    ├── RoleFailedError     a role's process ended when it should not have
    ├── ArtifactError       an artifact is missing, torn or does not fit
    ├── PortBusyError       another process listens on the role's port
    └── NotFoundError       what the command was asked for does not exist
"""

from typing import ClassVar


class GsrError(Exception):
    """Root of every error that this package raises on purpose.

    `exit_code` is what the command line exits with.
    """

    retriable: ClassVar[bool] = False
    exit_code: ClassVar[int] = 1


class ConfigError(GsrError):
    """A setting is wrong; the message names it, where it came from and what is allowed."""

    exit_code = 2


class TooManyBadError(GsrError):
    """Too large a share of recent records is bad; ingest stops instead of draining the topic."""

    exit_code = 3


class RoleFailedError(GsrError):
    """A role's process ended when it should not have."""

    exit_code = 4


class ArtifactError(GsrError):
    """A checkpoint, snapshot, view or journal is missing, torn or does not fit."""

    exit_code = 7


class PortBusyError(GsrError):
    """Another process listens on the role's port: stop it, or configure another port."""

    exit_code = 8


class NotFoundError(GsrError):
    """The user, item, version or file that a command was asked for does not exist."""

    exit_code = 9
