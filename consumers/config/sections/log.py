"""Settings `[log]`: the event log and its topics."""

from typing import Self

from pydantic import model_validator

from consumers.config.sections.section import Count, CountOrOff, PositiveOrOff, Section, TopicName
from stream.log.interface import TopicSpec


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
