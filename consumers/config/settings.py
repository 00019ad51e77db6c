"""The whole configuration: all sections with their defaults.

How values are found (flags over environment over file over defaults) is told in
`consumers.config.loading`.
"""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from pydantic import model_validator

from consumers.config.sections.artifacts import ArtifactsSection
from consumers.config.sections.events import EventsSection
from consumers.config.sections.http import HttpSection
from consumers.config.sections.ingest import IngestSection
from consumers.config.sections.log import LogSection
from consumers.config.sections.process import ProcessSection
from consumers.config.sections.publisher import PublisherSection
from consumers.config.sections.section import Section
from consumers.config.sections.serve import ServeSection
from consumers.config.sections.state import StateSection
from consumers.config.sections.titles import TitlesSection
from consumers.config.sections.trainer import TrainerSection
from gsr.ranker.config import RankerConfig, RankerLearning
from stream.log.kafka.cluster.settings import KafkaSettings


class GsrConfig(Section):
    """All sections; `load_config` builds one from flags, environment and file.

    `kafka` is the log's own, `model` and `learner` are the library's: see
    `stream.log.kafka.cluster.settings` and `gsr.ranker.config`. The model's time scales and event
    weights are never set: they follow those of the state.
    """

    log: LogSection = LogSection()
    kafka: KafkaSettings = KafkaSettings()
    events: EventsSection = EventsSection()
    state: StateSection = StateSection()
    ingest: IngestSection = IngestSection()
    trainer: TrainerSection = TrainerSection()
    model: RankerConfig = RankerConfig()
    learner: RankerLearning = RankerLearning()
    publisher: PublisherSection = PublisherSection()
    serve: ServeSection = ServeSection()
    titles: TitlesSection = TitlesSection()
    artifacts: ArtifactsSection = ArtifactsSection()
    http: HttpSection = HttpSection()
    process: ProcessSection = ProcessSection()

    @model_validator(mode="after")
    def _model_follows_state(self) -> Self:
        derived = dataclasses.replace(
            self.model,
            half_lives=self.state.half_lives_seconds,
            close_half_lives=self.state.shape().close_half_lives,
            event_weights=tuple(self.events.weights.values()),
        )
        object.__setattr__(self, "model", derived)
        return self

    @property
    def artifacts_url(self) -> str:
        """Location of the artifact store."""
        return self.artifacts.url or str(self.state.directory / "artifacts")

    @property
    def ingest_directory(self) -> Path:
        """Directory of ingest's databases, one per partition (`partition-N`)."""
        return self.state.directory / "ingest"

    @property
    def serve_directory(self) -> Path:
        """Directory of the users' newest records that the API answers from."""
        return Path(self.serve.directory or self.state.directory / "serve")

    @property
    def titles_file(self) -> Path:
        """File of the titles of items."""
        return Path(self.titles.file or self.state.directory / "items.sqlite")

    def with_values(self, values: Mapping[str, Mapping[str, Any]]) -> "GsrConfig":
        """Return a copy with other values: section to setting to value; checked as from a file."""
        merged = self.model_dump()
        for section, settings in values.items():
            merged[section] |= settings
        return GsrConfig.model_validate(merged)
