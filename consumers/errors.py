"""Errors of the roles and the command line.

::

    GsrError
    ├── ConfigError         a setting is wrong; names it and where it came from
    ├── TooManyBadError     too large a share of recent records is bad: ingest stops
    ├── ClicksDamagedError  clicks on the log cannot be read: ingest stops
    ├── MissingClicksError  the log lacks the clicks that a state needs next: ingest stops
    │   ├── ClicksExpiredError  they left it before they were applied
    │   └── OtherTopicError     it is another topic than the one the state was made from
    ├── RoleFailedError     a role's process ended when it should not have
    ├── ArtifactError       an artifact is missing, torn or does not fit
    ├── PortBusyError       another process listens on the role's port
    ├── NotFoundError       what the command was asked for does not exist
    └── MissingExtraError   packages are not installed that only this command needs
"""

from collections.abc import Sequence
from typing import ClassVar

from stream.errors import RecordsDamagedError


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
    """Too large a share of recent records is bad; ingest stops instead of draining the topic.

    Parameters
    ----------
    topic, partition
        Where.
    bad, window
        How many of how many recent records are bad.
    examples
        The newest of them: (offset, reason, detail).
    """

    exit_code = 3

    def __init__(
        self,
        topic: str,
        partition: int,
        bad: int,
        window: int,
        examples: Sequence[tuple[int, str, str]],
    ) -> None:
        self.topic = topic
        self.partition = partition
        self.examples = tuple(examples)
        shown = "; ".join(
            f"offset {offset}: {reason} ({detail})" if detail else f"offset {offset}: {reason}"
            for offset, reason, detail in examples
        )
        super().__init__(
            f"{topic}[{partition}]: {bad} of the last {window} records are bad, the newest are "
            f"{shown}. Nothing past them was applied. Correct the producer; to set such records "
            "aside all the same, raise ingest.max_bad_share and start again."
        )


class MissingClicksError(GsrError):
    """The log does not hold the clicks that a state needs next; ingest stops."""

    exit_code = 12


class ClicksExpiredError(MissingClicksError):
    """Clicks left the log before they were applied; ingest stops instead of skipping them.

    Parameters
    ----------
    topic, partition
        Where.
    offset
        The first one that is missing.
    start
        The oldest one that the log still has.
    """

    def __init__(self, topic: str, partition: int, offset: int, start: int) -> None:
        self.topic = topic
        self.partition = partition
        self.offset = offset
        self.start = start
        super().__init__(
            f"{topic}[{partition}]: the state needs offset {offset}, but the log now begins at "
            f"{start}: {start - offset} records were deleted before they were applied. If a newer "
            "state of this partition exists, put it or its artifact store back. To go on without "
            "these clicks, start once with --set ingest.accept_gap=true. Then raise "
            "log.clicks_retention_seconds, or keep ingest from being away for so long."
        )


class ClicksDamagedError(GsrError):
    """Clicks on the log cannot be read; ingest stops instead of skipping them.

    Parameters
    ----------
    damage
        Which ones, and what is wrong with them.
    """

    exit_code = 6

    def __init__(self, damage: RecordsDamagedError) -> None:
        self.damage = damage
        end, place = damage.next_offset, f"{damage.topic}[{damage.partition}]"
        if end is None:
            past = (
                "Where the damage ends cannot be told, so ingest.skip_damaged does not help: look "
                "for the next batch that is whole with kafka-dump-log.sh, delete the records "
                f"before its offset from {place} with kafka-delete-records.sh once every other "
                "reader of the topic is past it, and start once with --set ingest.accept_gap=true."
            )
        else:
            past = (
                f"To set the offsets {damage.offset} to {end - 1} aside and go on behind them, "
                "start once with --set ingest.skip_damaged=true: what they held is then missing "
                "in the state."
            )
        super().__init__(
            f"{damage}. Nothing from there on was applied. If another replica of {place} is whole, "
            f"make that one the leader and start again. {past}"
        )


class OtherTopicError(MissingClicksError):
    """The clicks topic is not the one that a state was made from, though it has its name.

    Parameters
    ----------
    topic
        Its name.
    made_from
        The id of the topic that the state was made from.
    found
        The id of the topic that has the name now; None: there is none.
    whose
        What was made from it, as ``"the state in DIR"``.
    """

    def __init__(self, topic: str, made_from: str, found: str | None, whose: str) -> None:
        self.topic = topic
        self.made_from = made_from
        self.found = found
        what, named = (
            f"{topic} is gone: it was deleted (id {made_from})",
            "the id that the next start will name as ingest.accept_topic",
        )
        if found is not None:
            what = (
                f"{topic} is another topic than the one that {whose} was made from (id "
                f"{made_from} there, {found} here): it was deleted and made anew, or this is "
                "another log"
            )
            named = f"--set ingest.accept_topic={found}"
        super().__init__(
            f"{what}. Nothing of another topic was applied. To go on with the old topic, name its "
            f"log with --log, or put its records back at their old offsets and start with {named}. "
            "To begin anew with what the topic holds, start with an empty directory as --state "
            "(and another artifacts.url, if that is set); keep the old ones. What the topic does "
            "not hold comes from gsr bootstrap alone."
        )


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


class MissingExtraError(GsrError):
    """Packages that only a few commands need are not installed; the message says how to.

    Parameters
    ----------
    what
        What needs them.
    package
        One that is missing.
    extra
        The extra of ours that brings them.
    """

    exit_code = 13

    def __init__(self, what: str, package: str, extra: str) -> None:
        super().__init__(
            f"{what} needs {package}, which is not installed: pip install 'gsr[{extra}]'"
        )
