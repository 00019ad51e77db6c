"""Documents that tell of the service itself."""

from typing import Literal

from pydantic import Field

from consumers.roles.serve.answers import Document


class ModelFacts(Document):
    """A model that is kept."""

    version: int
    created_at: float
    bytes: int
    serving: bool
    restored_from: int | None = None
    clicks_learned: int | None = None
    quality: dict[str, float] = Field(default_factory=dict)


class Models(Document):
    """The kept models, oldest first."""

    serving: int = Field(description="0: none yet, the counters answer alone.")
    models: list[ModelFacts]


class TopicStatus(Document):
    """How far a topic has come, and how much of it waits."""

    records: int = Field(description="Ends of all partitions together.")
    per_second: float
    lag: int | None = Field(description="Records that its reader has not taken; null: not known.")


class RoleStatus(Document):
    """What the other roles say of themselves."""

    answering: list[str]
    clicks_accepted: int
    lists_sent: int
    drift_alarms: int
    clicks_learned: int
    clicks_tested: int
    hit_rate_at_10: dict[str, float]
    ndcg_at_10: dict[str, float]
    served_hit_rate: float | None = Field(
        description="Of recent clicks whose list is known, the share that was on it."
    )
    click_to_list_seconds_p50: float | None
    click_to_list_seconds_p99: float | None


class Alarm(Document):
    """Something that needs somebody."""

    name: str
    about: str = Field(description="The topic or role that it is about, where it is about one.")
    text: str


class Status(Document):
    """The service as this role sees it."""

    generated_at: float
    ready: bool
    model_version: int
    model_created_at: float | None
    view_number: int
    view_created_at: float | None
    items: int
    users: int
    store_bytes: int
    newest_list_at: float | None
    newest_click_at: float | None = Field(description="Of those that the counters know.")
    topics: dict[str, TopicStatus]
    roles: RoleStatus | None = Field(description="Null: nobody is asked (serve.scrape_roles).")
    alarms: list[Alarm]


EventKind = Literal["promotion", "rollback", "drift", "alarm", "alarm-over"]


class ServiceEvent(Document):
    """Something that happened."""

    at: float
    kind: EventKind
    text: str
    model_version: int | None = None


class ServiceEvents(Document):
    """What happened lately, newest first."""

    events: list[ServiceEvent]


class QualityPoint(Document):
    """How good lists were at a moment, over the clicks just before it."""

    at: float
    model_version: int
    clicks_tested: int
    hit_rate_at_10: dict[str, float]
    ndcg_at_10: dict[str, float]
    served_hit_rate: float | None


class Quality(Document):
    """How good lists were over time, oldest first.

    Each click is ranked before anything learns from it: by the joint model, by the item graph
    alone, and by popularity alone.
    """

    seconds: float = Field(description="From point to point; grows with the time that they span.")
    points: list[QualityPoint]
