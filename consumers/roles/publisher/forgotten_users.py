"""Withdrawal of the lists of users who were forgotten while no publisher ran."""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from consumers.config.settings import GsrConfig
from consumers.roles.publisher.user_table import UserTable
from consumers.topics.sequences_completeness import RESENDING, read_completeness
from stream.clock import Clock, Periodic
from stream.log.interface import Log

_LOGGER = logging.getLogger(__name__)

LOOK_SECONDS: Final = 1.0


class ForgottenUsers:
    """Withdraws the lists of users who were forgotten while no publisher ran.

    Such a user has a list and no sequence; but so has everybody where `sequences` was emptied,
    until ingest has sent all of them again. So lists are withdrawn once the topic holds everybody,
    as ingest notes in the log, and has been read.

    Parameters
    ----------
    log, config, clock
        As the role got them.
    users
        What has been read of lists and sequences.
    withdraw
        Forgets users and withdraws their lists.
    """

    def __init__(
        self,
        log: Log,
        config: GsrConfig,
        clock: Clock,
        users: UserTable,
        withdraw: Callable[[Sequence[str]], None],
    ) -> None:
        self._log = log
        self._config = config
        self._users = users
        self._withdraw = withdraw
        self._waiting: set[int] = set()
        self._incomplete: set[int] = set()
        self._said: dict[int, str] = {}
        self._next_look = Periodic(clock, LOOK_SECONDS)

    @property
    def complete(self) -> bool:
        """Whether no sequence is still to be sent again, as far as is known."""
        return not self._incomplete

    def look_for(self, partitions: Sequence[int]) -> None:
        """Look through `partitions`, which have just been restored, at the next `look`."""
        self._waiting.update(partitions)
        self._next_look.restart(0.0)

    def leave(self, partitions: Sequence[int]) -> None:
        """Stop looking at `partitions`: others serve them."""
        self._waiting.difference_update(partitions)
        self._incomplete.difference_update(partitions)
        for partition in partitions:
            self._said.pop(partition, None)

    def look(self, followed: Callable[[], Mapping[int, int]]) -> None:
        """Withdraw the lists of those who are known by now to be forgotten; at most once a second.

        Parameters
        ----------
        followed
            Returns up to where each served partition of `sequences` has been followed.
        """
        if not self._waiting or not self._next_look.due():
            return
        # Before the ends: what was complete then ends there or earlier.
        noted = read_completeness(self._log, self._config)
        ends = self._log.end_offsets(self._config.log.sequences)
        positions = followed()
        for partition in sorted(self._waiting & positions.keys()):
            gone = self._users.listed_without_sequence(partition)
            if noted.get(partition) == RESENDING:
                self._incomplete.add(partition)
                self._say(
                    "partition %d: ingest sends all sequences again; until that is done %d lists "
                    "without a sequence stay as they are",
                    (partition, len(gone)),
                )
                continue
            self._incomplete.discard(partition)
            # Ingest's note may be ahead of what can be read: a transaction that has just ended.
            sent = max(ends[partition], noted.get(partition, 0))
            if gone and not ends[partition]:
                self._say(
                    "partition %d: no sequence was ever sent, but %d users have lists; they stay "
                    "as they are until ingest, which does so as soon as it runs, has sent the "
                    "sequences again from its state, or until their users click. Was the topic "
                    "deleted?",
                    (partition, len(gone)),
                )
            elif positions[partition] >= sent:
                self._withdraw(gone)
                self.leave([partition])

    def _say(self, text: str, facts: tuple[int, int]) -> None:
        if self._said.get(facts[0]) != text:
            self._said[facts[0]] = text
            _LOGGER.warning(text, *facts)
