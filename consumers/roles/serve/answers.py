"""Documents that the API takes and gives, as its OpenAPI document describes them."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from gsr.counters.ids.id_column import MAX_ID_BYTES
from gsr.reasons.reason import ReasonKind
from stream.events.records.recommendation import Reason

Id = Annotated[
    str,
    Field(min_length=1, max_length=MAX_ID_BYTES, description="1 to 256 bytes as UTF-8."),
]
Moment = Annotated[float, Field(ge=0, le=1e11, allow_inf_nan=False)]
"""Seconds since the epoch."""


Title = Annotated[
    str | None,
    Field(description="What people call the item; null where nobody has said (`gsr items load`)."),
]


class Document(BaseModel):
    """Base of all documents."""

    model_config = ConfigDict(frozen=True)


class ListedItem(Document):
    """An item of a list; scores compare only within one list."""

    item_id: str
    title: Title
    score: float


class DecayedCount(Document):
    """How often something happened: a click counts half when the half-life has gone by."""

    half_life_seconds: float
    count: float


class ClickBehind(Document):
    """The click of the user without which an item would lose most of its chance."""

    item_id: str
    title: Title
    clicked_at: float
    share_lost: float = Field(
        description="The part of its share among the candidates that the item would lose."
    )
    followed: list[DecayedCount] = Field(description="Clicks on the item after the clicked one.")
    together: list[DecayedCount] = Field(description="Clicks of one person on both, close by.")


class ItemReason(Document):
    """Why an item is on a list, as facts."""

    kind: ReasonKind = Field(
        description="`click`: one click of the user; `clicks`: their clicks together; `popular`, "
        "`fresh`, `new`: what others do; `again`: their own clicks on it; `rest`: what is left."
    )
    click: ClickBehind | None = Field(description="Null unless `kind` is `click`.")
    clicks: list[DecayedCount] = Field(description="Clicks on the item, by everybody.")
    popular_on_seconds: float = Field(description="The half-life on which these stand out most.")
    last_click_seconds: float = Field(description="Since anybody clicked it last.")
    sequence_share: float | None = Field(
        description="Of what the user's clicks do for the score, the part of the learned vectors, "
        "0 to 1; the rest is due to counts of the item graph. Null where clicks do nothing."
    )


class ExplainedItem(ListedItem):
    """An item of a list, why it is there, and what its score is due to.

    Under a model a part is by how much the score would be lower if those features said of the item
    what they say of an average one; parts do not add up. Without a model they are what is added up.
    """

    words: str = Field(description="The reason as one clause for people.")
    reason: ItemReason
    parts: dict[str, float]


class Recommendations(Document):
    """A user's list."""

    user_id: str
    known: bool = Field(description="Whether any click of the user is known.")
    default: bool = Field(description="Whether this is the list of all users without clicks.")
    source: Literal["topic", "computed"] = Field(
        description="Whether the list is the one that was sent last, or was computed just now."
    )
    reason: Reason | None = Field(description="What made the list on the topic due.")
    model_version: int
    generated_at: float
    staleness_seconds: float = Field(
        description="Since the list was made or, where it was computed, since its counters were."
    )
    last_click_at: float | None
    source_offset: int | None = Field(
        description="Offset in the topic of clicks of the newest one that the list knows of."
    )
    items: list[ExplainedItem] | list[ListedItem]


class Ranking(Document):
    """The list for a session."""

    model_version: int
    generated_at: float
    staleness_seconds: float = Field(description="Since the counters were made.")
    unknown_items: list[str] = Field(description="Items of the session that nobody has clicked.")
    items: list[ExplainedItem] | list[ListedItem]


class SessionClick(Document):
    """A click of a session."""

    item_id: Id
    event: Annotated[str, Field(min_length=1, max_length=256)] | None = Field(
        default=None, description="One of events.weights; absent: events.default_event."
    )
    timestamp: Moment | None = Field(
        default=None,
        description="Seconds since the epoch, of all clicks or of none: then the newest was just "
        "now, the others a second apart.",
    )


class UserClick(Document):
    """A click of a user's buffer."""

    item_id: str
    title: Title
    event: str
    timestamp: float


class SentList(Document):
    """What is known of the list that was sent last."""

    model_version: int
    generated_at: float
    reason: Reason
    items: int
    source_offset: int | None
    knows_newest_click: bool


class User(Document):
    """What is known of a user."""

    user_id: str
    clicks: list[UserClick] = Field(description="The buffer, oldest first.")
    seen_before: int = Field(description="Items that are remembered beyond the buffer.")
    last_click_at: float
    accepted_at: float
    source_partition: int
    source_offset: int
    list: SentList | None


class FoundUsers(Document):
    """Users whose ids begin as asked for."""

    user_ids: list[str]


class FoundItem(Document):
    """An item and its popularity."""

    item_id: str
    title: Title
    popularity: float


class FoundItems(Document):
    """Items whose ids, or words of their titles, begin as asked for, most popular first."""

    half_life_seconds: float = Field(description="Time scale of the popularity.")
    items: list[FoundItem]


class WeightedItem(Document):
    """A neighbour and its weight on each time scale."""

    item_id: str
    title: Title
    weights: list[float]


class ItemNeighbours(Document):
    """The neighbourhood of an item in the item graph, strongest first."""

    item_id: str
    title: Title
    listable: bool = Field(description="Whether it may be listed now.")
    last_click_at: float
    half_lives_seconds: list[float] = Field(description="Time scales of popularity and followers.")
    popularity: list[float]
    followers: list[WeightedItem] = Field(description="Clicked after it.")
    close_half_lives_seconds: list[float]
    close: list[WeightedItem] = Field(description="Clicked close to it, whichever came first.")
    as_of: float
    staleness_seconds: float


class SimilarItem(Document):
    """An item and the cosine of its vector and another's."""

    item_id: str
    title: Title
    cosine: float


class SimilarItems(Document):
    """Items whose learned vectors lie closest to that of an item."""

    item_id: str
    title: Title
    model_version: int
    items: list[SimilarItem] = Field(description="Empty where the item has no vector yet.")


class ClickPlace(Document):
    """Where a click is on the topic."""

    partition: int
    offset: int


class AcceptedClicks(Document):
    """The clicks are on the topic, in this order."""

    accepted: list[ClickPlace]


class PostedClick(Document):
    """A click, as `docs/events.md` describes it."""

    user_id: Id
    item_id: Id
    timestamp: float | str = Field(description="Seconds since the epoch, or ISO-8601.")
    event: str | None = None
    event_id: Id | None = None


class FieldFault(Document):
    """What is wrong with one field of a request."""

    where: str
    reason: str


class ProblemDocument(Document):
    """What is wrong, as RFC 9457 says it."""

    type: str
    title: str
    status: int
    detail: str = Field(description="What happened, and what to do.")
    errors: list[FieldFault] | None = None
