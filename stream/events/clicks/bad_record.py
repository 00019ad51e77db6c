"""Bad records of the topic `clicks`, and the reasons for which a record is bad."""

from dataclasses import dataclass
from typing import Final

REASONS: Final = (
    "empty",
    "malformed_json",
    "missing_field",
    "wrong_type",
    "id_length",
    "not_utf8",
    "too_large",
    "key_missing",
    "key_mismatch",
    "bad_timestamp",
    "future",
    "too_old",
    "unknown_event",
)


@dataclass(frozen=True, slots=True)
class BadRecord:
    """A record that is no click.

    Parameters
    ----------
    index
        Its row in the batch.
    offset
        Its offset in the log.
    reason
        One of `REASONS`, fit for a metric label.
    detail
        The reason in plain ASCII words, at most a few hundred characters.
    """

    index: int
    offset: int
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault of a record or of a row of a file.

    Parameters
    ----------
    reason
        One of `REASONS`; of a file's row also "malformed_row".
    detail
        The reason in plain ASCII words.
    """

    reason: str
    detail: str


def quoted(text: str, limit: int = 60) -> str:
    r"""Return foreign text for a message: ASCII, quoted, shortened.

    Examples
    --------
    >>> print(quoted("\u00e9t\u00e9"), quoted("long text", limit=4))
    '\xe9t\xe9' 'long'...
    """
    return ascii(text) if len(text) <= limit else ascii(text[:limit]) + "..."
