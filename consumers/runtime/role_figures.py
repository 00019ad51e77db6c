"""Figures of the roles of a service, read from their /metrics."""

import http.client
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from prometheus_client.parser import text_string_to_metric_families

SCRAPE_SECONDS: Final = 1.0
_TIMEOUT_SECONDS: Final = 2.0
_JOINT: Final = "joint"
_COUNTERS: Final = ("graph", "popularity")
CUT: Final = "10"

Sample = tuple[str, frozenset[tuple[str, str]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Figures of the roles at one moment.

    Parameters
    ----------
    answering
        Roles whose /metrics answered.
    clicks, lists, alarms, version, learned, scored
        Counts so far; the version is the one served.
    delay_median, delay_99
        Seconds from a click to its refreshed list; None before the first.
    hit_rate, ndcg
        Model -> HR@10 and NDCG@10 over recent clicks; without the joint model before there is one,
        as it has learned nothing then, and empty before any click was scored.
    served_hit_rate
        Of recent clicks whose list is known, the share that was on it; None before the first.
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
    ndcg: Mapping[str, float] = field(default_factory=dict)
    served_hit_rate: float | None = None
    shift: float = 0.0


class Scraper:
    """Asks the roles for their metrics again and again, on a thread of its own.

    Parameters
    ----------
    host
        Where they listen.
    ports
        Role -> port.
    seconds
        From one look to the next.
    """

    def __init__(
        self, host: str, ports: Mapping[str, int], seconds: float = SCRAPE_SECONDS
    ) -> None:
        self._host = host
        self._ports = ports
        self._seconds = seconds
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
        while not self._done.wait(self._seconds):
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

    version = int(total("gsr_publisher_model_version"))
    scored = int(total("gsr_trainer_clicks_scored_total"))
    made = version or total("gsr_trainer_snapshot_version")
    models: tuple[str, ...] = ()
    if scored:
        models = (_JOINT, *_COUNTERS) if made else _COUNTERS

    def by_model(name: str) -> dict[str, float]:
        return {model: total(name, model=model, k=CUT, slice="all") for model in models}

    held = sum(total("gsr_served_clicks_total", outcome=outcome) for outcome in ("hit", "miss"))
    return Figures(
        answering=answering,
        clicks=int(total("gsr_ingest_clicks_total", outcome="accepted")),
        lists=int(total("gsr_publisher_lists_total")),
        alarms=int(total("gsr_trainer_drift_alarms_total")),
        version=version,
        learned=int(total("gsr_trainer_clicks_learned_total")),
        scored=scored,
        delay_median=_quantile(samples, "gsr_publisher_click_to_list_seconds", 0.5),
        delay_99=_quantile(samples, "gsr_publisher_click_to_list_seconds", 0.99),
        hit_rate=by_model("gsr_trainer_hit_ratio"),
        ndcg=by_model("gsr_trainer_ndcg_ratio"),
        served_hit_rate=total("gsr_served_hit_ratio") if held else None,
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
