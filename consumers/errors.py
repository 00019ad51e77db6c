"""Errors of the roles and the command line.

::

    GsrError
    ├── ConfigError         a setting is wrong; names it and where it came from
    ├── TooManyBadError     too large a share of recent records is bad: ingest stops
    ├── RoleFailedError     a role's process ended when it should not have
    └── ViewError           a serving view is torn, or of another format (retriable)
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


class ViewError(GsrError):
    """A serving view is torn or of another format; the trainer writes another within seconds."""

    retriable = True
