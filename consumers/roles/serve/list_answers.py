"""Lists for users and sessions: the one on the topic where it answers, else one computed now."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

from consumers.metrics.registry import Metrics
from consumers.roles.serve.answers import (
    ExplainedItem,
    FoundUsers,
    ListedItem,
    Ranking,
    Recommendations,
    SentList,
    User,
    UserClick,
)
from consumers.roles.serve.batching_thread import BatchingThread
from consumers.roles.serve.explained_items import explained_items, listed_items
from consumers.roles.serve.problems import unknown_user
from consumers.roles.serve.questions import Answer, ListAnswer, ListQuestion, Question, ask
from consumers.roles.serve.small_topics import SmallTopics
from consumers.roles.serve.user_store import UserStore
from consumers.serving.item_titles import ItemTitles
from stream.clock import Clock
from stream.errors import RecordFormatError
from stream.events.records.recommendation import Recommendation, decode_recommendation
from stream.events.records.sequence import SequenceRecord, decode_sequence, unpack_seen

_LOGGER = logging.getLogger(__name__)

Record = TypeVar("Record")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a caller wants of a list.

    Parameters
    ----------
    length
        Items.
    excluded
        Items that must not be in it.
    explained
        Whether each item comes with what its score is due to.
    """

    length: int
    excluded: tuple[str, ...] = ()
    explained: bool = False


class ListAnswers:
    """Answers what users and sessions get.

    Parameters
    ----------
    store
        The newest records of users.
    defaults
        The default list, and which items are blocked.
    newest_users
        Returns who clicked last, newest first.
    thread
        Computes.
    titles
        Of items.
    clock, metrics
        Of the role.
    """

    def __init__(
        self,
        store: UserStore,
        defaults: SmallTopics,
        newest_users: Callable[[], Sequence[str]],
        thread: BatchingThread[Question, Answer],
        titles: ItemTitles,
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        self._store = store
        self._defaults = defaults
        self._newest_users = newest_users
        self._thread = thread
        self._titles = titles
        self._clock = clock
        self._lists = metrics.counter("gsr_serve_lists_total")

    def users(self, prefix: str, count: int) -> FoundUsers:
        """Return users whose ids begin like this; without a prefix, those who clicked last."""
        newest = self._newest_users() if not prefix else ()
        if newest:
            return FoundUsers(user_ids=list(newest[:count]))
        keys = self._store.keys("sequences", prefix.encode(), count)
        return FoundUsers(user_ids=[key.decode("utf-8", "replace") for key in keys])

    def user(self, user_id: str) -> User:
        """Return what is known of a user.

        Raises
        ------
        ProblemError
            Nothing is.
        """
        record = self._sequence(user_id)
        if record is None:
            raise unknown_user()
        clicks = zip(record.items, record.events, record.times, strict=True)
        titles = self._titles.of(record.items)
        return User(
            user_id=user_id,
            clicks=[
                UserClick(item_id=item, title=titles.get(item), event=event, timestamp=time)
                for item, event, time in clicks
            ],
            seen_before=_count_seen(record),
            last_click_at=record.last_click_at,
            accepted_at=record.accepted_at,
            source_partition=record.source_partition,
            source_offset=record.source_offset,
            list=_sent(self._listed(user_id), record),
        )

    async def recommendations(self, user_id: str, wish: Wish) -> Recommendations:
        """Return a user's list; the default one where nothing is known of them."""
        record = self._sequence(user_id)
        listed = self._defaults.newest if record is None else self._listed(user_id)
        if listed is not None and self._answers(listed, record, wish):
            self._lists.labels("topic").inc()
            excluded = frozenset(wish.excluded)
            items = [one for one in listed.items if one.item_id not in excluded]
            shown = [(one.item_id, one.score) for one in items[: wish.length]]
            return self._document(
                user_id,
                record,
                "topic",
                listed_items(shown, self._titles),
                listed,
            )
        answer = await self._compute(record, wish)
        now = self._clock.time()
        made = Recommendation(
            user_id=user_id,
            items=[],
            model_version=answer.model_version,
            generated_at=now,
            reason="click",
            last_click_at=None if record is None else record.last_click_at,
            source_offset=None if record is None else record.source_offset,
        )
        age = max(0.0, now - answer.view_created_at)
        return self._document(user_id, record, "computed", self._items(answer), made, age)

    async def ranking(self, record: SequenceRecord, wish: Wish) -> Ranking:
        """Return the list of whoever has clicked what `record` says."""
        answer = await self._compute(record, wish)
        now = self._clock.time()
        return Ranking(
            model_version=answer.model_version,
            generated_at=now,
            staleness_seconds=max(0.0, now - answer.view_created_at),
            unknown_items=answer.unknown,
            items=self._items(answer),
        )

    def _items(self, answer: ListAnswer) -> list[ExplainedItem] | list[ListedItem]:
        if answer.reasons:
            return explained_items(answer.reasons, self._titles)
        return listed_items(answer.items, self._titles)

    async def _compute(self, record: SequenceRecord | None, wish: Wish) -> ListAnswer:
        question = ListQuestion(
            record=record,
            length=wish.length,
            excluded=wish.excluded,
            explained=wish.explained,
        )
        answer = await ask(self._thread, question, ListAnswer)
        self._lists.labels("computed").inc()
        return answer

    def _answers(self, listed: Recommendation, record: SequenceRecord | None, wish: Wish) -> bool:
        """Return whether the list on the topic is what a caller wants."""
        if wish.explained or (record is not None and not _knows_newest_click(listed, record)):
            return False
        blocked = self._defaults.controls.blocked
        ids = [item.item_id for item in listed.items]
        if not blocked.isdisjoint(ids):
            return False
        return len(ids) - sum(item in ids for item in set(wish.excluded)) >= wish.length

    def _document(
        self,
        user_id: str,
        record: SequenceRecord | None,
        source: Literal["topic", "computed"],
        items: list[ExplainedItem] | list[ListedItem],
        made: Recommendation,
        staleness: float | None = None,
    ) -> Recommendations:
        age = max(0.0, self._clock.time() - made.generated_at)
        return Recommendations(
            user_id=user_id,
            known=record is not None,
            default=record is None,
            source=source,
            reason=made.reason if source == "topic" else None,
            model_version=made.model_version,
            generated_at=made.generated_at,
            staleness_seconds=age if staleness is None else staleness,
            last_click_at=made.last_click_at,
            source_offset=made.source_offset,
            items=items,
        )

    def _listed(self, user_id: str) -> Recommendation | None:
        return _decoded(decode_recommendation, self._store.newest("lists", user_id.encode()))

    def _sequence(self, user_id: str) -> SequenceRecord | None:
        return _decoded(decode_sequence, self._store.newest("sequences", user_id.encode()))


def _decoded(decode: Callable[[bytes], Record], value: bytes | None) -> Record | None:
    """Return a record; None where there is none, or where it says something else on a closer look.

    It was looked at when it was stored, but not at all of it.
    """
    if value is None:
        return None
    try:
        return decode(value)
    except RecordFormatError as error:
        _LOGGER.warning("a stored record is ignored: %s", error)
        return None


def _knows_newest_click(listed: Recommendation, record: SequenceRecord) -> bool:
    return listed.source_offset is not None and listed.source_offset >= record.source_offset


def _count_seen(record: SequenceRecord) -> int:
    try:
        return len(unpack_seen(record.seen)) if record.seen else 0
    except RecordFormatError:
        return 0


def _sent(listed: Recommendation | None, record: SequenceRecord) -> SentList | None:
    if listed is None:
        return None
    return SentList(
        model_version=listed.model_version,
        generated_at=listed.generated_at,
        reason=listed.reason,
        items=len(listed.items),
        source_offset=listed.source_offset,
        knows_newest_click=_knows_newest_click(listed, record),
    )


def session_record(
    items: Sequence[str], events: Sequence[str], times: Sequence[float]
) -> SequenceRecord:
    """Return the sequence of whoever clicked these, oldest first; there is at least one."""
    return SequenceRecord(
        user_id="",
        items=list(items),
        times=list(times),
        events=list(events),
        source_partition=0,
        source_offset=0,
        next_offset=1,
        last_click_at=times[-1],
        accepted_at=times[-1],
    )
