"""Sending of events to the clicks topic, with a progress bar and a way to go on."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from consumers.cli.output import say

if TYPE_CHECKING:  # they would slow `gsr --help` down
    from consumers.config.settings import GsrConfig
    from consumers.topics.feeding import Pace
    from stream.events.clicks.event_columns import EventColumns


@dataclass(slots=True)
class Sent:
    """Progress of the sending, and how to go on after it stopped.

    Parameters
    ----------
    topic
        Where the events go.
    skipped
        Events of the file before the first that was sent; None: they come from no file.
    limit
        How many are to be sent; None: all that there are.
    restamp
        Whether they get the time of sending.
    count
        Events that the log has acknowledged.
    """

    topic: str
    skipped: int | None = None
    limit: int | None = None
    restamp: bool = False
    count: int = 0

    @property
    def position(self) -> int:
        """The place behind the last event that was sent, in the file."""
        return (self.skipped or 0) + self.count

    def tell_stopped(self, error: BaseException) -> None:
        """Say how many went before `error`, and how the rest can follow."""
        from stream.errors import LogError

        text = f"stopped: {self.count:,} events were sent to {self.topic}"
        if self.count and self.skipped is not None:
            text += f"; to go on behind them, give the same command --skip {self.position}"
            if self.limit is not None and self.count < self.limit:
                text += f" --limit {self.limit - self.count}"
        if isinstance(error, LogError):
            text += f". Of the next few thousand some may be there{self._sent_again()}"
        say(text)

    def _sent_again(self) -> str:
        # With other times, the same events are other clicks.
        if self.restamp:
            return ", and count twice if they are sent again"
        return ": that they come twice is harmless"


def send(
    config: "GsrConfig",
    batches: "Iterable[EventColumns]",
    pace: "Pace",
    sent: Sent,
) -> None:
    """Put events on the topic until there are no more, with a progress bar; a signal ends it.

    Parameters
    ----------
    config
        Of the log; its topics are made where they are missing.
    batches
        The events, in the order in which they go.
    pace
        How fast, and with which times.
    sent
        Is kept up to date, and says how far it came where something ends it early.

    Raises
    ------
    EventFileError, LogError
        The events cannot be read, or the log does not take them.
    """
    import itertools
    import time

    from consumers.cli.log_access import open_log_to_fill
    from consumers.cli.progress_bar import progress_bar
    from consumers.runtime.interruption import Interruption
    from consumers.runtime.parent_watch import parent_watched
    from consumers.runtime.progress import Progress
    from consumers.topics.feeding import feed
    from stream.clock import SystemClock

    # What cannot be read is found before a log is made for it.
    remaining = iter(batches)
    try:
        batches = itertools.chain(list(itertools.islice(remaining, 1)), remaining)
    except BaseException as error:
        sent.tell_stopped(error)
        raise
    begun, total = time.monotonic(), sent.limit
    interruption = Interruption()

    def tell(count: int) -> None:
        sent.count = count
        seconds = max(1e-9, time.monotonic() - begun)
        left = (total - count) * seconds / count if total and count else None
        progress(
            Progress(
                stage="sending",
                done=count,
                total=total or 0,
                events_per_second=count / seconds,
                seconds_left=left,
            )
        )

    with (
        open_log_to_fill(config) as log,
        progress_bar() as progress,
        parent_watched(lambda _done: interruption.stop.set()),
        interruption.caught(),
    ):
        writer = log.writer(sent.topic)
        try:
            feed(
                batches,
                writer,
                pace,
                SystemClock(),
                stop=interruption.stop,
                held=interruption.held,
                sent=tell,
            )
            interruption.end()
        except BaseException as error:
            sent.tell_stopped(error)
            raise
        finally:
            writer.close()
