"""Metrics of what became of the lists that were sent; the publisher counts them.

`docs/attribution.md` defines each number.
"""

from typing import Final, get_args

from consumers.metrics.catalogue.spec import counter, gauge
from stream.events.records.recommendation import Reason

OUTCOMES: Final = ("hit", "miss", "unlisted", "unknown")
SERVED_REASONS: Final = (*get_args(Reason), "default", "none")
"""Why a list was made; `default`: that for users without one; `none`: there is no list."""
POSITIONS: Final = ("1", "2-5", "6-10", "11-20", "21-50", "51-")
MODELS: Final = ("newest", "previous", "earlier")

SERVED: Final = (
    counter(
        "gsr_served_clicks_total",
        "Clicks by whether the item was on the list that their user had, and why that was made.",
        "hit over hit and miss is the served hit rate. Much unknown: raise publisher.kept_users.",
        labels={"outcome": OUTCOMES, "reason": SERVED_REASONS},
    ),
    counter(
        "gsr_served_hits_total",
        "Hits by the item's place on the list, and by why the list was made.",
        "How far down people look, and which kind of list they click on.",
        labels={"position": POSITIONS, "reason": SERVED_REASONS[:-1]},
    ),
    counter(
        "gsr_served_named_clicks_total",
        "Clicks that named their list (list_id).",
        "Beside all clicks: how much is known for certain. Falling: a client stopped sending it.",
    ),
    gauge(
        "gsr_served_hit_ratio",
        "Share of hits among the last 10,000 clicks whose list is known, since the start.",
        "How often people click what they were shown. Lower than the trainer's test says: clicks "
        "come from elsewhere, or lists come late.",
    ),
    gauge(
        "gsr_served_model_version",
        "The newest three model versions on whose lists anybody clicked since the start.",
        "Whom the next two rows speak of.",
        labels={"model": MODELS},
    ),
    gauge(
        "gsr_served_model_clicks",
        "Clicks on the lists of these versions, since the start.",
        "The weight of the hits beside it.",
        labels={"model": MODELS},
    ),
    gauge(
        "gsr_served_model_hits",
        "Hits on the lists of these versions, since the start.",
        "Over the clicks: the hit rate of a version. Far lower for newest: roll it back.",
        labels={"model": MODELS},
    ),
    gauge(
        "gsr_served_lag_records",
        "Clicks not yet held against lists.",
        "Growing: the publisher does not keep up; lists go first.",
    ),
)
