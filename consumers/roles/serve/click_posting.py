"""Clicks that callers post: judged as ingest will judge them, then appended to the topic."""

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

import msgspec
import numpy as np

from consumers.metrics.registry import Metrics
from consumers.roles.serve.answers import AcceptedClicks, ClickPlace, FieldFault
from consumers.roles.serve.batching_thread import BatchingThread
from consumers.roles.serve.problems import ProblemError
from stream.clock import Clock
from stream.errors import LogError
from stream.events.clicks.codec import ClickCodec
from stream.events.clicks.encoding import encode_click
from stream.events.clicks.rules import EventRules
from stream.log.interface import Log, Outgoing, RecordBatch, Writer

_RAW: Final = msgspec.json.Decoder(msgspec.Raw)
_RAWS: Final = msgspec.json.Decoder(list[msgspec.Raw])


class _Key(msgspec.Struct, gc=False):
    user_id: str


_KEYS: Final = msgspec.json.Decoder(_Key)
_EXAMPLE: Final = Outgoing(b"u", encode_click("u", "i", 0.0))


@dataclass(frozen=True, slots=True)
class _Posted:
    """Records of one request."""

    records: list[Outgoing]


class ClickPosting:
    """Appends posted clicks; requests that come together share one append.

    Parameters
    ----------
    log, topic
        Where clicks go.
    rules
        What makes a click acceptable, as ingest has it.
    most
        Clicks of one request.
    most_waiting
        Requests that may wait for their turn.
    clock, metrics
        Of the role.
    """

    def __init__(
        self,
        log: Log,
        topic: str,
        rules: EventRules,
        *,
        most: int,
        most_waiting: int,
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        self._log = log
        self._topic = topic
        self._codec = ClickCodec(rules)
        self._most = most
        self._clock = clock
        self._clicks = metrics.counter("gsr_serve_clicks_total")
        self._writer: Writer | None = None
        self._faults([_EXAMPLE])  # compiles what judges clicks, before anybody waits for it
        self._thread: BatchingThread[_Posted, AcceptedClicks] = BatchingThread(
            "clicks", self._append, most_waiting
        )

    async def post(self, body: bytes) -> AcceptedClicks:
        """Append the click of `body`, or all of a list of them; durable on return.

        Raises
        ------
        ProblemError
            Any of them is no click; none was appended.
        LogError
            They could not be appended; some may have been.
        """
        values = self._values(body)
        records = [Outgoing(_key(value), value) for value in values]
        faults = self._faults(records)
        if faults:
            raise ProblemError(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                "no-click",
                f"{faults[0].where}: {faults[0].reason}. Nothing was appended.",
                errors=faults,
            )
        return await self._thread.ask(_Posted(records))

    def close(self) -> None:
        """Append what waits, and let go of the writer."""
        self._thread.close()
        if self._writer is not None:
            self._writer.close()

    def _values(self, body: bytes) -> list[bytes]:
        try:
            if body.lstrip()[:1] != b"[":
                return [bytes(_RAW.decode(body))]
            values = [bytes(value) for value in _RAWS.decode(body)]
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise ProblemError(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                "no-click",
                f"the body is no JSON: {error}. Send a click, or a list of clicks.",
            ) from None
        if not 1 <= len(values) <= self._most:
            raise ProblemError(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                "no-click",
                f"the list has {len(values)} clicks: send 1 to {self._most} at once",
            )
        return values

    def _faults(self, records: Sequence[Outgoing]) -> list[FieldFault]:
        """Return what ingest would find wrong, were they appended now."""
        count = len(records)
        batch = RecordBatch(
            topic=self._topic,
            partition=0,
            offsets=np.arange(count, dtype=np.int64),
            append_times=np.full(count, self._clock.time()),
            keys=[record.key for record in records],
            values=[record.value for record in records],
        )
        bad = self._codec.decode(batch, -np.inf).bad
        return [
            FieldFault(where=f"click {one.index}", reason=f"{one.reason}: {one.detail}")
            for one in bad
        ]

    def _append(self, posted: Sequence[_Posted]) -> list[AcceptedClicks | Exception]:
        """Append the clicks of several requests, in their order."""
        try:
            if self._writer is None:
                self._writer = self._log.writer(self._topic)
            places = self._writer.append([one for each in posted for one in each.records])
        except LogError as error:
            return [error for _ in posted]
        self._clicks.inc(len(places))
        answers: list[AcceptedClicks | Exception] = []
        start = 0
        for each in posted:
            own = places[start : start + len(each.records)]
            start += len(each.records)
            accepted = [ClickPlace(partition=one, offset=offset) for one, offset in own]
            answers.append(AcceptedClicks(accepted=accepted))
        return answers


def _key(value: bytes) -> bytes | None:
    """Return the key that a click's record must have; None where it names no user."""
    try:
        return _KEYS.decode(value).user_id.encode()
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        # Some key: the codec looks at the value first where there is one, and says what is wrong.
        return b"?"
