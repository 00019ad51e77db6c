"""The demo's data: figures from the roles' /metrics, and one shopper from the topics."""

import http.client
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from prometheus_client.parser import text_string_to_metric_families

from consumers.config.settings import GsrConfig
from consumers.topics.log_range import poll_past_damage, say_damage
from stream.clock import Clock, Periodic
from stream.events.records.recommendation import Recommendation, decode_recommendation
from stream.events.records.sequence import SequenceRecord, decode_sequence
from stream.log.interface import Log

_SCRAPE_SECONDS: Final = 1.0
_TIMEOUT_SECONDS: Final = 2.0
_SHOPPERS: Final = 2000
_SHOPPER_SECONDS: Final = 6.0
_SHOWN_MODELS: Final = ("joint", "graph", "popularity")
CUT: Final = "10"

Sample = tuple[str, frozenset[tuple[str, str]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Figures of the three roles at one moment.

    Parameters
    ----------
    answering
        Roles whose /metrics answered.
    clicks, lists, alarms, version, learned, scored
        Counts so far; the version is the one served.
    delay_median, delay_99
        Seconds from a click to its refreshed list; None before the first.
    hit_rate
        Model -> HR@10 over recent clicks.
    shift
        Popularity shift (PSI).
    """

    answering: frozenset[str] = frozenset()
    clicks: int = 0
    lists: int = 0
    alarms: int = 0
    version: int = 0
    learned: int = 0
    scored: int = 0
    delay_median: float | None = None
    delay_99: float | None = None
    hit_rate: Mapping[str, float] = field(default_factory=dict)
    shift: float = 0.0


class Scraper:
    """Asks the roles for their metrics every second, on a thread of its own.

    Parameters
    ----------
    host
        Where they listen.
    ports
        Role -> port.
    """

    def __init__(self, host: str, ports: Mapping[str, int]) -> None:
        self._host = host
        self._ports = ports
        self._done = threading.Event()
        self._samples: dict[Sample, float] = {}
        self._thread = threading.Thread(target=self._scrape, name="scrape", daemon=True)
        self.figures = Figures()
        self._thread.start()

    def close(self) -> None:
        """Stop asking."""
        self._done.set()
        self._thread.join()

    def _scrape(self) -> None:
        while not self._done.wait(_SCRAPE_SECONDS):
            answering = set()
            for role, port in self._ports.items():
                text = self._get(port)
                if text is not None:
                    answering.add(role)
                    self._samples |= parse_samples(text)
            self.figures = summarise(self._samples, frozenset(answering))

    def _get(self, port: int) -> str | None:
        connection = http.client.HTTPConnection(self._host, port, timeout=_TIMEOUT_SECONDS)
        try:
            connection.request("GET", "/metrics")
            return connection.getresponse().read().decode()
        except (OSError, http.client.HTTPException):
            return None  # it starts, restarts or stops: the next look will tell
        finally:
            connection.close()


def parse_samples(text: str) -> dict[Sample, float]:
    """Return (name, labels) -> value of a text exposition."""
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def summarise(samples: Mapping[Sample, float], answering: frozenset[str]) -> Figures:
    """Return the figures that the samples say."""

    def total(name: str, **labels: str) -> float:
        wanted = frozenset(labels.items())
        return sum(
            value for (other, has), value in samples.items() if other == name and wanted <= has
        )

    def hit_rate(model: str) -> float:
        return total("gsr_trainer_hit_ratio", model=model, k=CUT, slice="all")

    return Figures(
        answering=answering,
        clicks=int(total("gsr_ingest_clicks_total", outcome="accepted")),
        lists=int(total("gsr_publisher_lists_total")),
        alarms=int(total("gsr_trainer_drift_alarms_total")),
        version=int(total("gsr_publisher_model_version")),
        learned=int(total("gsr_trainer_clicks_learned_total")),
        scored=int(total("gsr_trainer_clicks_scored_total")),
        delay_median=_quantile(samples, "gsr_publisher_click_to_list_seconds", 0.5),
        delay_99=_quantile(samples, "gsr_publisher_click_to_list_seconds", 0.99),
        hit_rate={model: hit_rate(model) for model in _SHOWN_MODELS},
        shift=total("gsr_trainer_popularity_psi"),
    )


def _quantile(samples: Mapping[Sample, float], name: str, share: float) -> float | None:
    """Read a quantile off a histogram's buckets, linear inside a bucket."""
    buckets = sorted(
        (float(dict(labels)["le"]), value)
        for (other, labels), value in samples.items()
        if other == f"{name}_bucket"
    )
    if not buckets or not buckets[-1][1]:
        return None
    wanted = share * buckets[-1][1]
    low, below = 0.0, 0.0
    for high, count in buckets:
        if count >= wanted:
            if high == float("inf"):
                return low
            return low + (high - low) * (wanted - below) / max(1e-9, count - below)
        low, below = high, count
    return low


@dataclass(frozen=True, slots=True)
class Shopper:
    """One user: what they clicked, and what they got for it."""

    sequence: SequenceRecord
    recommendation: Recommendation


class ShopperWindow:
    """Shows the newest refreshed list, and changes every few seconds.

    Parameters
    ----------
    config
        Names the topics.
    log
        Read from its end on.
    clock
        Says when it is time for another shopper.
    """

    def __init__(self, config: GsrConfig, log: Log, clock: Clock) -> None:
        self._log = log
        self._sequences: dict[str, SequenceRecord] = {}
        self._next_shopper = Periodic(clock, _SHOPPER_SECONDS)
        self.shopper: Shopper | None = None
        self._readers = [
            log.reader(topic) for topic in (config.log.sequences, config.log.recommendations)
        ]
        for reader, topic in zip(
            self._readers, (config.log.sequences, config.log.recommendations), strict=True
        ):
            for partition, end in log.end_offsets(topic).items():
                reader.seek(partition, end)

    def look(self) -> None:
        """Take in what is new on the topics."""
        sequences, recommendations = self._readers
        for batch in poll_past_damage(self._log, sequences, _SHOPPERS, 0.0, say_damage):
            for value in filter(None, batch.values):
                record = decode_sequence(value)
                self._sequences[record.user_id] = record
        while len(self._sequences) > _SHOPPERS:
            del self._sequences[next(iter(self._sequences))]
        for batch in poll_past_damage(self._log, recommendations, _SHOPPERS, 0.0, say_damage):
            values = [value for value in batch.values if value is not None]
            if not values or self._next_shopper.seconds_left() > 0:
                continue
            newest = decode_recommendation(values[-1])
            sequence = self._sequences.get(newest.user_id)
            # Only the sequence that the list was made from: a newer click may be in the list.
            made_from = None if sequence is None else sequence.source_offset
            if sequence is not None and newest.items and made_from == newest.source_offset:
                self.shopper = Shopper(sequence, newest)
                self._next_shopper.restart()

    def close(self) -> None:
        """Let go of the readers."""
        for reader in self._readers:
            reader.close()
