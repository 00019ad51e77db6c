"""Every setting of every role: sections, defaults, limits.

The docstrings below are the manual: `consumers/config/default.toml` is written from them. A section
is frozen; units are in the names; a duration is a plain number. How values are found (flags over
environment over file over defaults) is told in `consumers.config.loading`.
"""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from gsr.config import LearnerConfig, ModelConfig
from gsr.counters.config import StateConfig
from stream.events.clicks.click import DEFAULT_EVENT_WEIGHTS, MAX_EVENT_NAMES, EventRules
from stream.log.interface import TopicSpec
from stream.log.kafka.cluster.settings import KafkaSettings


def _off_is_none(value: object) -> object:
    return None if value == "off" else value


def _topic_name(value: str) -> str:
    if not value or set(value) - set("abcdefghijklmnopqrstuvwxyz0123456789.-"):
        raise ValueError("a topic name has lower-case letters, digits, dots and hyphens only")
    return value


Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=1)]
Port = Annotated[int, Field(ge=0, le=65_535)]
GroupName = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,200}$")]
TopicName = Annotated[str, AfterValidator(_topic_name)]
PositiveOrOff = Annotated[Positive | None, BeforeValidator(_off_is_none)]
CountOrOff = Annotated[Count | None, BeforeValidator(_off_is_none)]


class Section(BaseModel):
    """What all sections share: frozen, and no unknown key."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)


class LogSection(Section):
    """The event log and its topics.

    Parameters
    ----------
    url
        Where the log is: embedded:DIRECTORY, or kafka://HOST:PORT,HOST:PORT (see [kafka]).
    partitions
        Partitions of the clicks topic, fixed for its life: state is kept per partition.
    clicks, dead_letters, sequences, recommendations, default_recommendations, items
        Topic names.
    clicks_retention_seconds
        How long clicks stay. Must exceed the age of the oldest checkpoint; "off" keeps them.
    clicks_retention_bytes
        Largest size of one partition of clicks; the oldest leave; "off" sets no limit.
    dead_letters_retention_seconds
        How long refused records stay; "off" keeps them.
    """

    url: str = "embedded:run/log"
    partitions: Count = 4
    clicks: TopicName = "clicks"
    dead_letters: TopicName = "clicks.dlq"
    sequences: TopicName = "sequences"
    recommendations: TopicName = "recommendations"
    default_recommendations: TopicName = "recommendations-default"
    items: TopicName = "items"
    clicks_retention_seconds: PositiveOrOff = 604_800.0
    clicks_retention_bytes: CountOrOff = None
    dead_letters_retention_seconds: PositiveOrOff = 1_209_600.0

    def topics(self) -> tuple[TopicSpec, ...]:
        """Return the settings of every topic, clicks first."""
        return (
            TopicSpec(
                name=self.clicks,
                partitions=self.partitions,
                retention_seconds=self.clicks_retention_seconds,
                retention_bytes=self.clicks_retention_bytes,
            ),
            TopicSpec(
                name=self.dead_letters,
                partitions=self.partitions,
                retention_seconds=self.dead_letters_retention_seconds,
            ),
            TopicSpec(name=self.sequences, partitions=self.partitions, compacted=True),
            TopicSpec(name=self.recommendations, partitions=self.partitions, compacted=True),
            TopicSpec(name=self.default_recommendations, compacted=True),
            TopicSpec(name=self.items, compacted=True),
        )

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [spec.name for spec in self.topics()]
        if len(set(names)) < len(names):
            raise ValueError("two topics have the same name: give each its own")
        return self


class EventsSection(Section):
    """What makes a click acceptable, and what it is worth.

    Parameters
    ----------
    weights
        Event name to weight. Positive: learned from. 0: only marks the item as seen. Negative:
        only hides the item. Append new names at the end; state refuses inserted or removed ones.
    default_event
        The name of a click that names none; one of the above.
    future_tolerance_seconds
        How far a click may lie past its append time before it is refused.
    max_age_seconds
        How far a click may lie behind its append time; "off": any age.
    """

    weights: dict[str, Annotated[float, Field(allow_inf_nan=False)]] = Field(
        default_factory=lambda: dict(DEFAULT_EVENT_WEIGHTS),
        min_length=1,
        max_length=MAX_EVENT_NAMES,
    )
    default_event: str = "click"
    future_tolerance_seconds: NotNegative = 300.0
    max_age_seconds: PositiveOrOff = None

    @model_validator(mode="after")
    def _default_is_known(self) -> Self:
        if self.default_event not in self.weights:
            names = ", ".join(self.weights)
            raise ValueError(f"default_event must be one of the events in weights ({names})")
        return self

    def rules(self) -> EventRules:
        """Return the section as the codec wants it."""
        return EventRules(**self.model_dump())


class StateSection(Section):
    """Where state lies, and its shape; changing the shape needs a rebuild of the state.

    Parameters
    ----------
    directory
        Where ingest keeps its databases, one per partition (and, by default, the artifacts).
    buffer_length
        Clicks kept per user, the newest by event time.
    seen_items
        Distinct items that a user's seen filter remembers after they left the buffer.
    neighbours
        Neighbours kept per item and time scale.
    half_lives_seconds
        The time scales of edge weights and popularity.
    window_weights
        Weight of the edge from the last, last but one, ... click of the user to a new one.
    session_gap_seconds
        A longer pause between two clicks ends the window; "off": never.
    user_ttl_seconds, item_ttl_seconds
        A user or an item without clicks for this long expires; "off": never.
    max_items
        Items kept per partition; past it those clicked longest ago leave.
    feed_bytes
        Cap per partition of the accepted clicks that wait for the trainer.
    """

    directory: Path = Path("run/state")
    buffer_length: Annotated[int, Field(ge=2, le=1024)] = 64
    seen_items: Annotated[int, Field(ge=0, le=65_535)] = 1000
    neighbours: Annotated[int, Field(ge=2, le=1024)] = 64
    half_lives_seconds: Annotated[tuple[Positive, ...], Field(min_length=1, max_length=8)] = (
        3600.0,
        86_400.0,
        2_592_000.0,
        31_536_000.0,
    )
    window_weights: Annotated[tuple[Positive, ...], Field(min_length=1, max_length=16)] = (
        1.0,
        1.0 / 2.0,
        1.0 / 3.0,
    )
    session_gap_seconds: PositiveOrOff = None
    user_ttl_seconds: PositiveOrOff = None
    item_ttl_seconds: PositiveOrOff = None
    max_items: Count = 1_000_000
    feed_bytes: Annotated[int, Field(ge=1_048_576)] = 268_435_456

    @model_validator(mode="after")
    def _has_a_shape(self) -> Self:
        self.shape()
        return self

    def shape(self) -> StateConfig:
        """Return the section as the state store wants it."""
        values = self.model_dump(exclude={"directory", "half_lives_seconds"})
        return StateConfig(**values, half_lives=self.half_lives_seconds)


class IngestSection(Section):
    """Clicks to state.

    Parameters
    ----------
    group
        Under this name ingest saves its positions in the log.
    poll_records
        Most records of one micro-batch.
    poll_timeout_seconds
        How long one poll waits for records.
    flush_interval_seconds
        Longest time between two flushes of changed state to disk; longer while clicks wait, since
        a flush costs the same whatever number of clicks it holds.
    flush_dirty_bytes
        Changed state of one partition that makes a flush due earlier; while clicks wait, twice
        that.
    cached_users, cached_user_bytes
        Users kept in memory per partition, and the memory that they may take, roughly; the others
        are read from disk when they return.
    checkpoint_interval_seconds
        How often a partition's state is handed to the trainer, if it changed.
    sequence_linger_seconds
        How long a touched user waits for further clicks before their sequence is sent.
    sequence_bytes_per_second
        Most bytes of sequences sent per second; above it they wait and coalesce.
    max_bad_share
        Stop when a larger share than this of the recent records is bad; 1 never stops.
    bad_window_records, bad_minimum_records
        How many records are recent, and how many must have come before the share is judged.
    restore_lead_records
        Local state that the newest checkpoint leads by more than this is not caught up from the
        log: the checkpoint takes its place.
    lock_wait_seconds
        How long to wait for another process to let go of a partition's state directory.
    accept_gap
        Go on where clicks left the log before they were applied, instead of stopping; they are
        counted. Switch it off again afterwards.
    skip_damaged
        Set clicks that nobody can read aside, instead of stopping; they are counted, and a dead
        letter names them. Switch it off again afterwards.
    accept_topic
        The id of a clicks topic that may take the place of the one that the state was made from.
        Only where it holds the same records at the same offsets, as one restored from a backup
        does; "": none. Take it out again afterwards.
    clean_interval_seconds
        How often the embedded log deletes and compacts what it no longer needs.
    ready_lag_records
        Ready once fewer records than this wait.
    """

    group: GroupName = "gsr-ingest"
    poll_records: Annotated[int, Field(ge=1, le=1_000_000)] = 20_000
    poll_timeout_seconds: Positive = 0.02
    flush_interval_seconds: Positive = 2.0
    flush_dirty_bytes: Count = 67_108_864
    cached_users: Count = 1_000_000
    cached_user_bytes: Count = 268_435_456
    checkpoint_interval_seconds: Positive = 5.0
    sequence_linger_seconds: NotNegative = 0.03
    sequence_bytes_per_second: Positive = 16_777_216.0
    max_bad_share: Share = 0.2
    bad_window_records: Count = 10_000
    bad_minimum_records: Count = 1000
    restore_lead_records: Count = 1_000_000
    lock_wait_seconds: Positive = 60.0
    accept_gap: bool = False
    skip_damaged: bool = False
    accept_topic: str = ""
    clean_interval_seconds: Positive = 1.0
    ready_lag_records: Count = 50_000


class TrainerSection(Section):
    """Test, train, judge, snapshot.

    Parameters
    ----------
    cycle_seconds
        How often a cycle begins, if there are enough clicks.
    cycle_min_clicks
        Fewer fresh clicks than this wait for the next cycle.
    cycle_max_clicks
        A cycle begins early when this many wait, and takes no more than these, nor many more than
        it can learn in `cycle_seconds`. Where more arrive between two cycles, all of them still
        count, and a random share is tested and learned.
    budget_seconds
        Time that one cycle may take; replay is shed before fresh clicks.
    view_interval_seconds
        How often live counters are exported for the publisher.
    poll_interval_seconds
        How often new checkpoints are looked for.
    recent_clicks
        Scored clicks over which the recent quality gauges are averaged.
    psi_seconds
        Length of the two time spans whose item popularity is compared.
    alarm_effort
        Learning effort while drift is alarming, as a multiple of the normal one.
    alarm_cycles
        Cycles that the higher effort lasts after the last alarm.
    threads
        Threads of the numerical libraries.
    nice
        How far the trainer steps back where processors are short: its own niceness, 0 to 19. Lists
        and state come before learning.
    """

    cycle_seconds: Positive = 20.0
    cycle_min_clicks: Count = 200
    cycle_max_clicks: Count = 10_000
    budget_seconds: Positive = 30.0
    view_interval_seconds: Positive = 5.0
    poll_interval_seconds: Positive = 0.5
    recent_clicks: Count = 5000
    psi_seconds: Positive = 300.0
    alarm_effort: Annotated[float, Field(ge=1)] = 2.0
    alarm_cycles: Count = 5
    threads: Count = 1
    nice: Annotated[int, Field(ge=0, le=19)] = 10


class PublisherSection(Section):
    """Sequences to recommendation lists.

    Parameters
    ----------
    group
        Under this name the publisher saves its positions in the log.
    list_length, default_list_length
        Items per list, and in the default list for users without clicks.
    allow_repeats
        May lists contain items that the user has seen?
    users_per_batch
        Most users scored at once.
    linger_seconds
        How long a due user waits for others to be scored with.
    walk_users_per_second
        Rate at which the lists of active users are refreshed after a new model.
    active_user_seconds
        Users with a click within this time (before the newest click) are active.
    default_list_interval_seconds
        How often the default list is refreshed.
    artifacts_poll_seconds
        How often a newer model or view is looked for.
    fallback_graph_weight
        Before the first model: share of the item graph in the score; the rest is popularity.
    kept_users
        Users kept in memory; those whose click is oldest leave.
    kept_record_bytes
        Memory for users' newest sequences; others are read from the topic again, which is slow.
    threads
        Threads of the numerical libraries.
    """

    group: GroupName = "gsr-publisher"
    list_length: Annotated[int, Field(ge=1, le=1000)] = 20
    default_list_length: Annotated[int, Field(ge=1, le=1000)] = 100
    allow_repeats: bool = False
    users_per_batch: Count = 1024
    linger_seconds: NotNegative = 0.02
    walk_users_per_second: Positive = 500.0
    active_user_seconds: Positive = 2_592_000.0
    default_list_interval_seconds: Positive = 5.0
    artifacts_poll_seconds: Positive = 0.25
    fallback_graph_weight: Share = 0.5
    kept_users: Count = 1_000_000
    kept_record_bytes: Count = 268_435_456
    threads: Count = 1


class ArtifactsSection(Section):
    """Checkpoints, snapshots and views, where the roles meet.

    Parameters
    ----------
    url
        A directory, or any fsspec location such as s3://bucket/gsr; "" means the directory
        artifacts inside state.directory.
    options_file
        TOML file with the options of the remote file system (keys, endpoint): secrets stay out
        of this file. "" means none.
    keep_checkpoints, keep_snapshots, keep_views
        How many of the newest are kept; pinned checkpoints and the serving snapshot always are.
    """

    url: str = ""
    options_file: str = ""
    keep_checkpoints: Annotated[int, Field(ge=2)] = 3
    keep_snapshots: Annotated[int, Field(ge=2)] = 10
    keep_views: Annotated[int, Field(ge=2)] = 3


class HttpSection(Section):
    """/metrics, /livez and /readyz of each role.

    Parameters
    ----------
    host
        Address to listen on, of IPv4 or IPv6 (::1; :: takes callers of both). There is no
        authentication: stay on loopback or a private network.
    ingest_port, trainer_port, publisher_port
        One port per role; 0 picks a free one.
    heartbeat_limit_seconds
        /livez fails when the role's loop has not come round for this long.
    """

    host: str = "127.0.0.1"
    ingest_port: Port = 9301
    trainer_port: Port = 9302
    publisher_port: Port = 9303
    heartbeat_limit_seconds: Positive = 120.0


class ProcessSection(Section):
    """What all processes share.

    Parameters
    ----------
    log_level
        Least important messages that are printed: debug, info, warning or error.
    log_format
        text for people, json for log collectors; on standard error.
    restarts
        `gsr run` gives up after this many crashes of one role within restart_window_seconds.
    restart_window_seconds
        See restarts.
    restart_backoff_seconds
        Wait before the first restart; doubled at each further one.
    stop_seconds
        Time that a role gets to stop before it is killed.
    stalled_seconds
        /readyz fails when a partition has not advanced for this long although records wait. Set it
        above the time between two commits of producers that write in transactions.
    """

    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["text", "json"] = "text"
    restarts: Annotated[int, Field(ge=0)] = 5
    restart_window_seconds: Positive = 300.0
    restart_backoff_seconds: Positive = 0.5
    stop_seconds: Positive = 30.0
    stalled_seconds: Positive = 20.0


class GsrConfig(Section):
    """All sections; `load_config` builds one from flags, environment and file.

    `kafka` is the log's own, `model` and `learner` are the library's: see
    `stream.log.kafka.cluster.settings` and `gsr.config`. The model's time scales and event weights
    are never set: they follow those of the state.
    """

    log: LogSection = LogSection()
    kafka: KafkaSettings = KafkaSettings()
    events: EventsSection = EventsSection()
    state: StateSection = StateSection()
    ingest: IngestSection = IngestSection()
    trainer: TrainerSection = TrainerSection()
    model: ModelConfig = ModelConfig()
    learner: LearnerConfig = LearnerConfig()
    publisher: PublisherSection = PublisherSection()
    artifacts: ArtifactsSection = ArtifactsSection()
    http: HttpSection = HttpSection()
    process: ProcessSection = ProcessSection()

    @model_validator(mode="after")
    def _model_follows_state(self) -> Self:
        derived = dataclasses.replace(
            self.model,
            half_lives=self.state.half_lives_seconds,
            event_weights=tuple(self.events.weights.values()),
        )
        object.__setattr__(self, "model", derived)
        return self

    @property
    def artifacts_url(self) -> str:
        """Where the artifact store is."""
        return self.artifacts.url or str(self.state.directory / "artifacts")

    @property
    def ingest_directory(self) -> Path:
        """Where ingest keeps one database per partition (`partition-N`)."""
        return self.state.directory / "ingest"

    def with_values(self, values: Mapping[str, Mapping[str, Any]]) -> "GsrConfig":
        """Return a copy with other values: section to setting to value; checked as from a file."""
        merged = self.model_dump()
        for section, settings in values.items():
            merged[section] |= settings
        return GsrConfig.model_validate(merged)
