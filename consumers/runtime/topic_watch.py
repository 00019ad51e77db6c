"""Notices that a topic is deleted, or made anew, while a role runs."""

import logging
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

from consumers.errors import OtherTopicError
from stream.clock import Clock
from stream.errors import StreamError, UnknownTopicError
from stream.log.interface import Log

LOOK_SECONDS: Final = 2.0
"""How often the log is asked."""
GONE_PATIENCE_SECONDS: Final = 10.0
"""A topic is gone once it was missing for so long: a broker that starts may not know it yet."""

_logger = logging.getLogger(__name__)


class TopicWatch:
    """Compares the topics with what they were when it began.

    Readers give nothing of a topic that took the place of theirs; this is how a role learns that
    it waits for nothing.

    Parameters
    ----------
    log
        Asked from a thread of the watch's own, so that one that is away holds nobody up.
    topics
        The names.
    clicks
        The one among them that state is made from.
    clock
        Times how long a topic is missing.
    """

    def __init__(self, log: Log, topics: Sequence[str], clicks: str, clock: Clock) -> None:
        self._log = log
        self._topics = tuple(topics)
        self._clicks = clicks
        self._clock = clock
        self._known: dict[str, str | None] = dict.fromkeys(topics)
        self._missing: dict[str, float] = {}
        self._trouble: Exception | None = None
        self.look()

    def check(self) -> None:
        """Raise what was found, if anything.

        Raises
        ------
        OtherTopicError
            The topic of clicks is gone, or another one has its name.
        UnknownTopicError
            The same of another topic.
        """
        if self._trouble is not None:
            raise self._trouble

    def look(self) -> None:
        """Ask the log once; what is wrong is raised by `check`."""
        try:
            troubles = self._troubles()
            if troubles and self._clicks not in troubles:
                # A whole log is replaced topic by topic: this one matters most.
                troubles = self._troubles()
        except StreamError as error:  # whoever needs the log says so, and better
            _logger.debug("the topics cannot be asked for: %s", error)
            return
        if troubles:
            first = self._clicks if self._clicks in troubles else min(troubles)
            self._trouble = troubles[first]

    def _troubles(self) -> dict[str, Exception]:
        """Return what is wrong with which topic."""
        found = self._log.topic_ids(self._topics)
        troubles = {topic: self._trouble_with(topic, found) for topic in self._topics}
        self._known = {t: found.get(t) if at is None else at for t, at in self._known.items()}
        return {topic: trouble for topic, trouble in troubles.items() if trouble is not None}

    def _trouble_with(self, topic: str, found: Mapping[str, str | None]) -> Exception | None:
        known = self._known.get(topic)
        if topic in found:
            self._missing.pop(topic, None)
            same = None in (known, found[topic]) or known == found[topic]
            return None if same else self._other(topic, found[topic])
        now = self._clock.monotonic()
        missing = now - self._missing.setdefault(topic, now)
        return self._other(topic, None) if missing >= GONE_PATIENCE_SECONDS else None

    def _other(self, topic: str, found: str | None) -> Exception:
        known = self._known.get(topic) or "unknown"
        if topic == self._clicks:
            return OtherTopicError(topic, known, found, "the state")
        fate = "is gone" if found is None else f"is another topic now (id {found})"
        return UnknownTopicError(
            f"{topic} was deleted while this process used it (id {known}), and {fate}: start "
            "again, which makes the topic where it is missing and takes it as it is"
        )


@contextmanager
def watched_topics(
    log: Log, topics: Sequence[str], clicks: str, clock: Clock
) -> Iterator[TopicWatch]:
    """Watch topics, as `TopicWatch` takes them, while the block runs."""
    watch, done = TopicWatch(log, topics, clicks, clock), threading.Event()

    def work() -> None:
        while not done.wait(LOOK_SECONDS):
            watch.look()

    thread = threading.Thread(target=work, name="topics", daemon=True)
    thread.start()
    try:
        yield watch
    finally:
        done.set()
        thread.join(LOOK_SECONDS)  # a log that is away may hold it; it holds nothing itself
