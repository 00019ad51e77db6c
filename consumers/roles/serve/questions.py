"""Questions that the model and the counters answer, and their answers, off the event loop."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias, TypeVar

from consumers.metrics.registry import Metrics
from consumers.roles.serve.batching_thread import BatchingThread
from consumers.roles.serve.item_search import ItemSearch
from consumers.roles.serve.served_artifacts import ServedArtifacts
from consumers.serving.graph_rows import Neighbours, close_at, followers_at, popularity_at
from consumers.serving.item_titles import ItemTitles
from consumers.serving.newest_artifacts import NewestArtifacts
from consumers.serving.recommender import Explanation, Recommender, nobody
from stream.clock import Clock
from stream.events.records.recommendation import ScoredItem
from stream.events.records.sequence import SequenceRecord

NO_VIEW: Final = (
    "there is no serving view with clicks yet: the trainer makes the first within seconds of the "
    "first clicks, or of its start"
)


class NotReadyError(Exception):
    """There is nothing to answer from yet; the message says what is missing."""


class UnknownItemError(Exception):
    """The counters do not know the item."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListQuestion:
    """Asks what a user would get now.

    Parameters
    ----------
    record
        The user's sequence; None: nothing is known of them.
    length
        Items of the list.
    excluded
        Items that must not be in it.
    explained
        Whether the answer says why.
    """

    record: SequenceRecord | None
    length: int
    excluded: tuple[str, ...] = ()
    explained: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ListAnswer:
    """A list that was computed.

    Parameters
    ----------
    items
        Item and score, best first.
    reasons
        Why each item is there; empty where nobody asked.
    model_version, view_created_at
        What computed it.
    unknown
        Which items of the sequence the counters do not know.
    """

    items: list[tuple[str, float]]
    reasons: list[Explanation]
    model_version: int
    view_created_at: float
    unknown: list[str]


@dataclass(frozen=True, slots=True)
class NeighboursQuestion:
    """Asks what is clicked after an item, and close to it, `count` of each at most."""

    item_id: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NeighboursAnswer:
    """The strongest edges of an item.

    Parameters
    ----------
    half_lives, close_half_lives
        The time scales, seconds.
    popularity
        By time scale.
    last_click_at
        Seconds since the epoch.
    listable
        Whether it may be listed now.
    followers, close
        Items and their weights by time scale, strongest first.
    reference_time, view_created_at
        The moment of the weights, and when the counters were made.
    """

    half_lives: list[float]
    close_half_lives: list[float]
    popularity: list[float]
    last_click_at: float
    listable: bool
    followers: list[tuple[str, list[float]]]
    close: list[tuple[str, list[float]]]
    reference_time: float
    view_created_at: float


@dataclass(frozen=True, slots=True)
class SimilarQuestion:
    """Asks which items have vectors like that of an item, `count` at most."""

    item_id: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SimilarAnswer:
    """Items and cosines, closest first, and the model whose vectors these are."""

    items: list[tuple[str, float]]
    model_version: int


@dataclass(frozen=True, slots=True)
class SearchQuestion:
    """Asks which items' ids, or words of their titles, begin with `prefix`, `count` at most."""

    prefix: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchAnswer:
    """Items and their popularity with this half-life, most popular first."""

    items: list[tuple[str, float]]
    half_life: float


Question: TypeAlias = ListQuestion | NeighboursQuestion | SimilarQuestion | SearchQuestion
Answer: TypeAlias = ListAnswer | NeighboursAnswer | SimilarAnswer | SearchAnswer
Wanted = TypeVar("Wanted", ListAnswer, NeighboursAnswer, SimilarAnswer, SearchAnswer)


async def ask(
    thread: BatchingThread[Question, Answer], question: Question, wanted: type[Wanted]
) -> Wanted:
    """Return the answer to a question, which is of the kind that belongs to it.

    Raises
    ------
    NotReadyError, UnknownItemError, TooBusyError
        There is none.
    """
    answer = await thread.ask(question)
    if not isinstance(answer, wanted):
        raise TypeError(f"asked for a {wanted.__name__}, got {type(answer).__name__}")
    return answer


class Answerer:
    """Answers questions from what serves now.

    Parameters
    ----------
    artifacts
        What serves.
    titles
        Of items, which are searched too.
    metrics, clock
        Of the role.
    """

    def __init__(
        self, artifacts: ServedArtifacts, titles: ItemTitles, metrics: Metrics, clock: Clock
    ) -> None:
        self._artifacts = artifacts
        self._seconds = metrics.histogram("gsr_serve_score_seconds")
        self._clock = clock
        self._search = ItemSearch(titles)

    def answer(self, questions: Sequence[Question]) -> list[Answer | Exception]:
        """Return an answer, or an error to raise, for each question, in their order."""
        with self._artifacts.held() as serving:
            if not serving.has_items:
                error = NotReadyError(NO_VIEW)
                return [error for _ in questions]
            begun = self._clock.monotonic()
            answers: dict[int, Answer | Exception] = {}
            for places in _alike(questions):
                answers |= _lists(serving, questions, places)
            for place, question in enumerate(questions):
                if place not in answers:
                    answers[place] = self._one(serving, question)
            self._seconds.observe(self._clock.monotonic() - begun)
        return [answers[place] for place in range(len(questions))]

    def _one(self, serving: NewestArtifacts, question: Question) -> Answer | Exception:
        if isinstance(question, ListQuestion):
            return _explained(serving, question)
        if isinstance(question, SearchQuestion):
            found, half_life = self._search.find(
                serving.recommender, question.prefix, question.count
            )
            return SearchAnswer(items=found, half_life=half_life)
        return _about_item(serving, question)


def _alike(questions: Sequence[Question]) -> list[list[int]]:
    """Return the places of lists that can be made together: of one length, without reasons."""
    places: dict[int, list[int]] = defaultdict(list)
    for place, question in enumerate(questions):
        if isinstance(question, ListQuestion) and not question.explained:
            places[question.length].append(place)
    return list(places.values())


def _lists(
    serving: NewestArtifacts, questions: Sequence[Question], places: list[int]
) -> dict[int, Answer | Exception]:
    asked = [one for place in places if isinstance(one := questions[place], ListQuestion)]
    records = [one.record or nobody() for one in asked]
    made = serving.recommender.make(records, asked[0].length, [one.excluded for one in asked])
    return {
        place: _list_answer(serving, records[at], made.items(at)) for at, place in enumerate(places)
    }


def _explained(serving: NewestArtifacts, question: ListQuestion) -> ListAnswer:
    record = question.record or nobody()
    _, reasons = serving.recommender.explain(record, question.length, question.excluded)
    return _list_answer(serving, record, reasons, reasons)


def _list_answer(
    serving: NewestArtifacts,
    record: SequenceRecord,
    items: Sequence[ScoredItem | Explanation],
    reasons: Sequence[Explanation] = (),
) -> ListAnswer:
    rows = serving.recommender.index.rows_of(record.items).tolist()
    return ListAnswer(
        items=[(item.item_id, item.score) for item in items],
        reasons=list(reasons),
        model_version=serving.version,
        view_created_at=serving.view_created_at,
        unknown=[item for item, row in zip(record.items, rows, strict=True) if row < 0],
    )


def _about_item(
    serving: NewestArtifacts, question: NeighboursQuestion | SimilarQuestion
) -> Answer | Exception:
    row = serving.recommender.index.row_of(question.item_id)
    if row < 0:
        return UnknownItemError(question.item_id)
    if isinstance(question, SimilarQuestion):
        return _similar(serving, row, question)
    return _neighbours(serving.recommender, row, question)


def _similar(
    serving: NewestArtifacts, row: int, question: SimilarQuestion
) -> SimilarAnswer | NotReadyError:
    if serving.model is None:
        return NotReadyError("no model has been learned yet")
    recommender = serving.recommender
    rows, cosines = serving.model.similar(row, question.count, recommender.listable)
    names = [recommender.index.item_ids[at] for at in rows.tolist()]
    found = [round(cosine, 6) for cosine in cosines.tolist()]
    return SimilarAnswer(items=list(zip(names, found, strict=True)), model_version=serving.version)


def _neighbours(
    recommender: Recommender, row: int, question: NeighboursQuestion
) -> NeighboursAnswer:
    view = recommender.view
    graph, now = view.graph, view.reference_time

    def named(found: Neighbours) -> list[tuple[str, list[float]]]:
        strongest = found.strongest(question.count)
        names = [recommender.index.item_ids[at] for at in strongest.rows.tolist()]
        return list(zip(names, strongest.weights.tolist(), strict=True))

    return NeighboursAnswer(
        half_lives=graph.half_lives.tolist(),
        close_half_lives=graph.close_half_lives.tolist(),
        popularity=popularity_at(graph, row, now).tolist(),
        last_click_at=float(graph.last_clicks[row]),
        listable=bool(recommender.listable[row]),
        followers=named(followers_at(graph, row, now)),
        close=named(close_at(graph, row, now)),
        reference_time=now,
        view_created_at=view.created_at,
    )
