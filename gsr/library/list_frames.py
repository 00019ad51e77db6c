"""Lists of items, and why each is there, as columns of a data frame."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from gsr.ranker.asking import Explained, UserLists
from gsr.reasons.reason import Reason
from gsr.reasons.words import in_words


def list_columns(lists: UserLists, item_id: Callable[[int], str | None]) -> dict[str, Any]:
    """Return lists, row below row: ``rank``, ``item_id`` and ``score``.

    Parameters
    ----------
    lists
        Of n users.
    item_id
        The item of a row.
    """
    there = lists.rows >= 0
    return {
        "rank": np.nonzero(there)[1] + 1,
        "item_id": pa.array([item_id(row) for row in lists.rows[there].tolist()], pa.string()),
        "score": lists.scores[there],
    }


def reason_columns(explained: Explained, reasons: Sequence[Reason]) -> Mapping[str, Any]:
    """Return what stands beside one user's list: its reasons, and what each group of features does.

    Columns of a click are null where no click is the reason.
    """
    clicks = [reason.click for reason in reasons]
    there = explained.lists.rows >= 0
    return {
        "reason": pa.array([in_words(reason) for reason in reasons], pa.string()),
        "clicked_item_id": pa.array([one and one.item_id for one in clicks], pa.string()),
        "share_lost": pa.array([one and one.share_lost for one in clicks], pa.float64()),
        **{name: part[there] for name, part in explained.parts.items()},
    }
