"""What a group of features does to a candidate's score."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from gsr.ranker.adam import Floats
from gsr.ranker.model import NO_CLICKS, VECTOR_GROUP, RankerModel, kinds_of

SEQUENCE: Final = "sequence"
GRAPH: Final = "graph"

SIDES: Final[Mapping[str, tuple[str, ...]]] = {
    SEQUENCE: (VECTOR_GROUP,),
    GRAPH: ("last click", "history", "together"),
}
"""The two ways in which a user's clicks speak for an item, and the groups of features of each:
learned vectors of the sequence of clicks, and counts of what followed them or was close by."""


def group_parts(model: RankerModel, features: Floats, context: Floats) -> dict[str, Floats]:
    """Return by how much scores would be lower without what each group says of the candidate.

    Instead, the group says of it what it says of the average candidate: its standardised features
    are 0. All else stays as it is, so what two groups say together counts for both of them, or for
    neither: the numbers do not add up to the score.

    Parameters
    ----------
    model
        Scores.
    features, context
        float32 [n, K, F + Q] and [n, C], not standardised.

    Returns
    -------
    By group of `RankerModel.groups`, float32 [n, K], boosts of new items included.
    """
    return _parts(model, features, context, {group: [group] for group in model.groups})


def side_parts(model: RankerModel, features: Floats, context: Floats) -> dict[str, Floats]:
    """Return the same as `group_parts` of all groups of each of the `SIDES` at once."""
    used = {side: [one for one in SIDES[side] if one in model.groups] for side in SIDES}
    return _parts(model, features, context, used)


def _parts(
    model: RankerModel, features: Floats, context: Floats, left_out: Mapping[str, Sequence[str]]
) -> dict[str, Floats]:
    """Return by how much scores would be lower without some groups, by the name of each choice."""
    counted, new = model.counted, model.layout.places.new
    standard, around, cold = features.copy(), context.copy(), kinds_of(context) == NO_CLICKS
    model.standardise(standard, around)
    scores = model.network.scores(standard, around)
    linear = (features[cold][..., :counted] - model.scaling.means) * model.cold_weights
    parts = {}
    for name, groups in left_out.items():
        no_columns = np.zeros(0, dtype=np.int64)
        columns = np.concatenate([no_columns, *(model.group_columns(group) for group in groups)])
        changed = standard.copy()
        changed[..., columns] = 0.0
        parts[name] = scores - model.network.scores(changed, around)
        parts[name][cold] = linear[..., columns[columns < counted]].sum(axis=-1)
        if new in columns:
            average = model.boosts(model.scaling.means)
            parts[name] += model.boosts(features[..., :counted]) - average
    return parts
