"""A recommender that a program holds: clicks in, lists out, learning as it goes."""

import os
from collections.abc import Collection, Mapping
from typing import Any, Final, Self

import numpy as np
import pyarrow as pa
from threadpoolctl import ThreadpoolController

from gsr.baselines.counters import HALF_LIVES, BaselineCounters
from gsr.counters.ids.id_column import IdColumn
from gsr.errors import ModelError, SnapshotError
from gsr.library.arguments import given_ids, given_items, given_length, given_moment
from gsr.library.clicks import FrameClicks, read_clicks
from gsr.library.evaluation import Evaluation, evaluation_of
from gsr.library.frames import ARROW, kind_if_there, name_of, to_frame
from gsr.library.library_loop import feed, new_loop, restored_loop, stored_loop
from gsr.library.list_frames import list_columns, reason_columns
from gsr.library.saving import read_file, write_file
from gsr.library.settings import StreamSettings
from gsr.library.user_lists import ListsNow
from gsr.loop.learning_loop import LearningLoop


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
        self._begin(new_loop(self.settings))

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
        self._begin(new_loop(self.settings))
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
        ids = self._all_users() if users is None else given_ids(users, "user_id")
        with self._threads():
            lists = self._lists().lists(
                ids, given_length(k), given_moment(now), given_items(exclude)
            )
        owners = np.nonzero(lists.rows >= 0)[0]
        user_ids = pa.array(list(ids.rows(owners)), pa.string())
        return self._framed({"user_id": user_ids, **list_columns(lists, self._id_of)})

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
        items = given_ids(session, "item_id")
        with self._threads():
            lists = self._lists().session_list(
                items, given_length(k), given_moment(now), given_items(exclude)
            )
        return self._framed(list_columns(lists, self._id_of))

    def explain(
        self, user: str, *, k: int = 10, exclude: Collection[str] = (), now: Any = None
    ) -> Any:
        """Return a user's list, and why each of its items is there.

        The reason that is named is true: each click that is read is left out once, and the list's
        items are scored again without it.

        Parameters
        ----------
        user
            The user's id.
        k, exclude, now
            See `recommend`.

        Returns
        -------
        A data frame with the columns ``rank``, ``item_id``, ``score``; ``reason``, in words;
        ``clicked_item_id`` and ``share_lost``, the click without which the item would lose most of
        its share among the candidates, and which part (`gsr.ranker.leaving_out`), null where no
        single click carries it; and one for each group of features: by how much the score would be
        lower if that group said of the item what it says of the average candidate. These do not
        add up (`gsr.ranker.explaining`).

        Raises
        ------
        ModelError, ClicksError
            See `recommend`.
        """
        ids = given_ids([user], "user_id")
        with self._threads():
            explained, reasons = self._lists().explained(
                ids, given_length(k), given_moment(now), given_items(exclude)
            )
        columns = list_columns(explained.lists, self._id_of)
        return self._framed({**columns, **reason_columns(explained, reasons)})

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
            loop = restored_loop(*stored_loop(self._loop), self.settings, baselines)
            baselines.seed(loop.mirror.graph())
        else:
            loop = new_loop(self.settings, BaselineCounters(HALF_LIVES, ()))
        with self._threads():
            feed(loop, read, self.settings, warmed=round(warmup * len(read)))
        return evaluation_of(loop)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write everything into one file, from which `load` goes on as this one would.

        Raises
        ------
        OSError
            It cannot be written; what stood there before still does.
        """
        arrays, document = stored_loop(self._loop)
        document["settings"] = self.settings.to_json()
        document["next_offset"] = self._next_offset
        document["frames"] = name_of(self._kind)
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
            made._begin(restored_loop(arrays, document, made.settings))
            made._next_offset = int(document["next_offset"])
            made._kind = kind_if_there(document["frames"])
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise SnapshotError(f"{path} does not fit together: {error}") from error
        return made

    def _begin(self, loop: LearningLoop) -> None:
        self._loop = loop
        self._next_offset = 0
        self._answers: ListsNow | None = None

    def _take(self, clicks: FrameClicks) -> None:
        self._kind = clicks.kind
        self._answers = None
        self._next_offset += len(clicks)
        with self._threads():
            feed(self._loop, clicks, self.settings)

    def _lists(self) -> ListsNow:
        if self._answers is None:
            if not self.items:
                raise ModelError("nothing was learned yet: call fit(clicks) or load(path) first")
            self._answers = ListsNow(self._loop, self.settings)
        return self._answers

    def _all_users(self) -> IdColumn:
        users = self._loop.mirror.arrays.users
        return IdColumn.of([user_id for user_id, _ in users.taken()])

    def _id_of(self, row: int) -> str | None:
        return self._loop.mirror.arrays.items.id_of(row)

    def _framed(self, columns: Mapping[str, Any]) -> Any:
        return to_frame(columns, self._kind)

    def _threads(self) -> Any:
        """Return a context in which the threads of matrix products are limited."""
        return ThreadpoolController().limit(limits=self.settings.threads)
