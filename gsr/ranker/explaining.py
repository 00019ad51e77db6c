"""What each group of features does to a candidate's score."""

from gsr.ranker.adam import Floats
from gsr.ranker.model import NO_CLICKS, RankerModel, kinds_of


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
    counted, new = model.counted, model.layout.places.new
    standard, around, cold = features.copy(), context.copy(), kinds_of(context) == NO_CLICKS
    model.standardise(standard, around)
    scores = model.network.scores(standard, around)
    linear = (features[cold][..., :counted] - model.scaling.means) * model.cold_weights
    parts = {}
    for group in model.groups:
        columns = model.group_columns(group)
        changed = standard.copy()
        changed[..., columns] = 0.0
        parts[group] = scores - model.network.scores(changed, around)
        parts[group][cold] = linear[..., columns[columns < counted]].sum(axis=-1)
        if new in columns:
            average = model.boosts(model.scaling.means)
            parts[group] += model.boosts(features[..., :counted]) - average
    return parts
