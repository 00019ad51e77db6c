"""A recommender that a program holds: clicks in, lists out, learning as it goes."""

import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final, Self

import narwhals as nw
import numpy as np
import pyarrow as pa
from threadpoolctl import ThreadpoolController

from gsr.baselines.counters import HALF_LIVES, BaselineCounters
from gsr.baselines.interface import Baseline
from gsr.baselines.together import BaselinesTogether
from gsr.counters.ids.id_column import IdColumn
from gsr.counters.stored_counters import counters_as_arrays
from gsr.errors import ClicksError, ModelError, SnapshotError
from gsr.library.clicks import FrameClicks, id_column, read_clicks, seconds_of
from gsr.library.evaluation import Evaluation, evaluation_of
from gsr.library.frames import ARROW, kind_if_there, name_of, to_frame
from gsr.library.saving import Arrays, read_file, write_file
from gsr.library.settings import StreamSettings
from gsr.library.user_lists import LONGEST_LIST, ListsNow
from gsr.loop.learning_loop import LearningLoop
from gsr.loop.loop_state import loop_state, restore_loop, stored_model
from gsr.loop.options import LoopOptions
from gsr.ranker.asking import UserLists
from gsr.ranker.model import RankerModel

FORGOTTEN: Final = 16
"""One user in so many is forgotten at once, where there are too many."""

_COUNTERS: Final = "counters."
_GENERATIONS: Final = "generations"


class StreamRecommender:
    """Learns clicks in the order of their times, and lists what a user may click next.

    It is the learner of the service without its log and its disks: the same counters, model and
    rules, in memory. Every click is tested before it is learned, so quality is always known.

    Parameters
    ----------
    settings
        None: the defaults, which are those of the service.

    Examples
    --------
    >>> import pyarrow as pa
    >>> clicks = pa.table({"user_id": ["u1", "u2"], "item_id": ["a", "b"], "timestamp": [1.0, 2.0]})
    >>> recommender = StreamRecommender().fit(clicks)
    >>> recommender
    StreamRecommender(clicks=2, users=2, items=2)
    >>> recommender.recommend(["u1"])["item_id"].to_pylist()
    ['b']
    """

    def __init__(self, settings: StreamSettings | None = None) -> None:
        self.settings: Final = settings or StreamSettings()
        self._kind = ARROW
        self._begin(self._new_loop(_no_baselines()))

    def __repr__(self) -> str:
        counts = f"clicks={self.clicks}, users={self.users}, items={self.items}"
        return f"StreamRecommender({counts})"

    @property
    def clicks(self) -> int:
        """Clicks that were accepted: all but those that were there already."""
        return self._loop.totals.clicks

    @property
    def users(self) -> int:
        """Users who are remembered."""
        return len(self._loop.mirror.arrays.users)

    @property
    def items(self) -> int:
        """Items that are known."""
        return len(self._loop.mirror.arrays.items)

    @property
    def quality(self) -> dict[str, float]:
        """Each metric's mean over all clicks so far of users of whom something was known.

        Zeros where there were none. `evaluate` puts others beside.
        """
        return self._loop.quality.overall.means(0)

    def fit(self, clicks: Any) -> Self:
        """Forget everything, and learn a log from its beginning.

        Parameters
        ----------
        clicks
            See `learn`.

        Raises
        ------
        ClicksError, TrainingError
            See `learn`; nothing is forgotten where clicks are not as they are wanted.
        """
        read = read_clicks(clicks, self.settings)
        self._begin(self._new_loop(_no_baselines()))
        self._take(read)
        return self

    def learn(self, clicks: Any) -> Self:
        """Go on with more clicks: test each, count it, and learn from it.

        Parameters
        ----------
        clicks
            A data frame of polars, pandas or Arrow (or whatever else narwhals reads) with the
            columns ``user_id`` and ``item_id`` (text or whole numbers), ``timestamp`` (datetimes,
            UTC where they have no zone, or seconds since the epoch), and perhaps ``event`` (a name
            of `StreamSettings.event_weights`; null: the default one) and ``event_id`` (tells
            events apart that are equal otherwise). Rows are taken by time; equal times keep the
            frame's order. A row that is there already changes nothing.

        Raises
        ------
        ClicksError
            A column is missing, of the wrong type, or holds nulls or values that make no sense;
            nothing was learned.
        TrainingError
            The numbers were not finite; the weights are those from before that cycle.
        """
        self._take(read_clicks(clicks, self.settings, self._next_offset))
        return self

    def recommend(
        self,
        users: Any = None,
        *,
        k: int = 10,
        exclude: Collection[str] = (),
        now: Any = None,
    ) -> Any:
        """Return users' lists.

        Parameters
        ----------
        users
            User ids: a sequence, or a column of a data frame; None: everybody who is known. A user
            of whom nothing is known gets what others click first.
        k
            Items per list, 1 to 1000; a list is shorter where there are not enough.
        exclude
            Item ids that nobody may get.
        now
            When the next item is asked for: a datetime, or seconds since the epoch; None: at the
            newest click.

        Returns
        -------
        A data frame of the kind that the newest clicks came in, with the columns ``user_id``,
        ``rank`` (from 1), ``item_id`` and ``score``. Scores of one list can be compared, those of
        two cannot.

        Raises
        ------
        ModelError
            Nothing was learned yet.
        ClicksError
            `users` or `now` are of the wrong type.
        """
        ids = self._all_users() if users is None else _ids(users, "user_id")
        with self._threads():
            lists = self._lists().lists(ids, _length(k), _moment(now), _items(exclude))
        owners = np.nonzero(lists.rows >= 0)[0]
        return self._framed({"user_id": list(ids.rows(owners))}, lists)

    def rank(
        self,
        session: Any,
        *,
        k: int = 10,
        exclude: Collection[str] = (),
        now: Any = None,
    ) -> Any:
        """Return the list of somebody without a name.

        Parameters
        ----------
        session
            Ids of the items that they clicked, oldest first; unknown ones say nothing.
        k, exclude, now
            See `recommend`.

        Returns
        -------
        A data frame with the columns ``rank``, ``item_id`` and ``score``.

        Raises
        ------
        ModelError, ClicksError
            See `recommend`.
        """
        items = _ids(session, "item_id")
        with self._threads():
            lists = self._lists().session_list(items, _length(k), _moment(now), _items(exclude))
        return self._framed({}, lists)

    def explain(
        self, user: str, *, k: int = 10, exclude: Collection[str] = (), now: Any = None
    ) -> Any:
        """Return a user's list with what made it.

        Parameters
        ----------
        user
            The user's id.
        k, exclude, now
            See `recommend`.

        Returns
        -------
        A data frame with the columns ``rank``, ``item_id``, ``score``, and one for each group of
        features: by how much the score would be lower if that group said of the item what it says
        of the average candidate. These do not add up (`gsr.ranker.explaining`).

        Raises
        ------
        ModelError, ClicksError
            See `recommend`.
        """
        ids = _ids([user], "user_id")
        with self._threads():
            lists, parts = self._lists().explained(ids, _length(k), _moment(now), _items(exclude))
        there = lists.rows >= 0
        return self._framed({}, lists, {name: part[there] for name, part in parts.items()})

    def evaluate(self, clicks: Any, *, warmup: float = 0.1) -> Evaluation:
        """Test and learn clicks on a copy, and return how good it was; this one stays as it is.

        A new recommender says what `gsr replay` says of the same clicks and settings. One that has
        learned goes on from there: to see how it does on what came after.

        Parameters
        ----------
        clicks
            See `learn`.
        warmup
            Share of them that is learned before scoring begins, from 0 up to, not with, 1.

        Raises
        ------
        ClicksError, TrainingError
            See `learn`.
        ValueError
            `warmup` makes no sense.
        """
        if not 0.0 <= warmup < 1.0:
            raise ValueError(f"warmup is {warmup}: give a share from 0 up to, not with, 1")
        read = read_clicks(clicks, self.settings, self._next_offset)
        if self._next_offset:
            baselines = BaselineCounters(self.settings.counters.half_lives, ())
            loop = self._restored(*self._state(), baselines)
            baselines.seed(loop.mirror.graph())
        else:
            loop = self._new_loop(BaselineCounters(HALF_LIVES, ()))
        with self._threads():
            self._feed(loop, read, warmed=round(warmup * len(read)))
        return evaluation_of(loop)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write everything into one file, from which `load` goes on as this one would.

        Raises
        ------
        OSError
            It cannot be written; what stood there before still does.
        """
        arrays, document = self._state()
        write_file(path, arrays, document)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Return the recommender that `save` wrote.

        Raises
        ------
        FileNotFoundError
            There is no such file.
        SnapshotError
            It holds something else, is damaged, or is of another format.
        """
        arrays, document = read_file(path)
        try:
            made = cls(StreamSettings.from_json(document["settings"]))
            made._begin(made._restored(arrays, document, _no_baselines()))
            made._next_offset = int(document["next_offset"])
            made._kind = kind_if_there(document["frames"])
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise SnapshotError(f"{path} does not fit together: {error}") from error
        return made

    def _begin(self, loop: LearningLoop) -> None:
        self._loop = loop
        self._next_offset = 0
        self._answers: ListsNow | None = None

    def _new_loop(self, baselines: Baseline, model: RankerModel | None = None) -> LearningLoop:
        settings = self.settings
        options = LoopOptions(
            state=settings.counters,
            model=settings.ranker,
            learner=settings.learning,
            mask_seen=not settings.allow_repeats,
            # As in a replay: what is multiplied together decides the last bits of ranks.
            test_first_clicks=True,
        )
        return LearningLoop(options, model, baselines)

    def _take(self, clicks: FrameClicks) -> None:
        self._kind = clicks.kind
        self._answers = None
        self._next_offset += len(clicks)
        with self._threads():
            self._feed(self._loop, clicks)

    def _feed(self, loop: LearningLoop, clicks: FrameClicks, warmed: int = 0) -> None:
        """Test and learn clicks, cycle by cycle; of the first `warmed` nothing is scored."""
        done = 0
        for cycle in clicks.cycles(self.settings.cycle_clicks):
            # A cycle never straddles the end of the warm-up, as in a replay.
            for part in cycle.split(warmed - done):
                loop.advance(part, rank=done >= warmed)
                loop.test()
                loop.learn()
                done += len(part)
            self._forget_users(loop)

    def _forget_users(self, loop: LearningLoop) -> None:
        """Forget some of the users where there are too many."""
        counters, settings = loop.mirror.arrays, self.settings
        most, most_bytes = settings.max_users, settings.max_user_bytes
        if len(counters.users) > most or counters.users.nbytes > most_bytes:
            counters.mark_clean()
            counters.evict_users(most - most // FORGOTTEN, most_bytes - most_bytes // FORGOTTEN)

    def _lists(self) -> ListsNow:
        if self._answers is None:
            if not self.items:
                raise ModelError("nothing was learned yet: call fit(clicks) or load(path) first")
            self._answers = ListsNow(self._loop, self.settings)
        return self._answers

    def _all_users(self) -> IdColumn:
        users = self._loop.mirror.arrays.users
        return IdColumn.of([user_id for user_id, _ in users.taken()])

    def _framed(
        self,
        first: Mapping[str, Any],
        lists: UserLists,
        last: Mapping[str, Any] | None = None,
    ) -> Any:
        """Return lists, row below row, as a data frame between other columns."""
        there = lists.rows >= 0
        id_of = self._loop.mirror.arrays.items.id_of
        columns = {
            **{name: pa.array(values, pa.string()) for name, values in first.items()},
            "rank": np.nonzero(there)[1] + 1,
            "item_id": pa.array([id_of(row) for row in lists.rows[there].tolist()], pa.string()),
            "score": lists.scores[there],
            **(last or {}),
        }
        return to_frame(columns, self._kind)

    def _state(self) -> tuple[Arrays, dict[str, Any]]:
        arrays, document = loop_state(self._loop)
        mirror = self._loop.mirror
        counters = counters_as_arrays(mirror.arrays)
        arrays |= {_COUNTERS + name: array for name, array in counters.items()}
        arrays[_GENERATIONS] = mirror.generations.copy()
        document["settings"] = self.settings.to_json()
        document["next_offset"] = self._next_offset
        document["frames"] = name_of(self._kind)
        return arrays, document

    def _restored(
        self, arrays: Arrays, document: Mapping[str, Any], baselines: Baseline
    ) -> LearningLoop:
        loop = self._new_loop(baselines, stored_model(arrays, document, self.settings.ranker))
        counters = {
            name[len(_COUNTERS) :]: array
            for name, array in arrays.items()
            if name.startswith(_COUNTERS)
        }
        loop.mirror.load(counters, arrays[_GENERATIONS])
        restore_loop(loop, arrays, document)
        return loop

    def _threads(self) -> Any:
        """Return a context in which the threads of matrix products are limited."""
        return ThreadpoolController().limit(limits=self.settings.threads)


def _no_baselines() -> Baseline:
    return BaselinesTogether({}, lambda: 0.0)


def _ids(values: Any, name: str) -> IdColumn:
    """Return ids that are given as a sequence, or as a column of a data frame."""
    if isinstance(values, str):
        raise ClicksError(f"{name} is one text: give a list of ids, [{values!r}]")
    try:
        series = nw.from_native(values, series_only=True, pass_through=True)
        column = series.to_arrow() if isinstance(series, nw.Series) else series
        if not isinstance(column, pa.Array | pa.ChunkedArray):
            column = pa.array(list(column) or [], None if len(column) else pa.string())
    except (TypeError, pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise ClicksError(f"{name}s are no ids: give text or whole numbers ({error})") from error
    chunked = column if isinstance(column, pa.ChunkedArray) else pa.chunked_array([column])
    return id_column(chunked, name)


def _items(exclude: Iterable[str]) -> Sequence[str]:
    return _ids(list(exclude), "item_id")


def _moment(now: Any) -> float | None:
    return None if now is None else seconds_of(now)


def _length(k: int) -> int:
    if not 1 <= k <= LONGEST_LIST:
        raise ValueError(f"k is {k}: give 1 to {LONGEST_LIST}")
    return int(k)
