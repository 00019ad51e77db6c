"""`gsr replay`: an event file through the whole pipeline, in event time, with quality measured."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from consumers.config import GsrConfig
from consumers.progress import ProgressCallback, quiet
from stream.clock import Clock, SystemClock


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayOptions:
    """What to replay, and how.

    Parameters
    ----------
    events
        The event file (see `stream.events.files`).
    out
        Directory for `metrics.json`, `report.html` and the recommendations; made if missing.
    columns
        Which column holds what: user, item, timestamp, event, event_id → column name.
    config
        Settings of state, model, learner and lists; those of processes are not used.
    warmup
        Share of the stream that is learned before scoring begins, 0 to 1.
    repeats
        "exclude": clicks on items in the user's buffer are not scored, and those items are left
        out of the ranking; "include": all clicks with an earlier one are, among all items.
    seed
        Of everything random.
    limit
        Only the first so many events; None: all.
    cycle_clicks
        Clicks per cycle of the trainer; None: from the length of the stream.
    recommendations
        "final": the list of every user at the end; "all": also each list that a cycle would have
        refreshed (large); "none".
    on_bad
        "fail" at the first bad row, or "skip" and count.
    """

    events: Path
    out: Path
    columns: dict[str, str] = field(default_factory=dict)
    config: GsrConfig = field(default_factory=GsrConfig)
    warmup: float = 0.1
    repeats: Literal["exclude", "include"] = "exclude"
    seed: int = 0
    limit: int | None = None
    cycle_clicks: int | None = None
    recommendations: Literal["none", "final", "all"] = "final"
    on_bad: Literal["fail", "skip"] = "fail"


def replay(
    options: ReplayOptions,
    progress: ProgressCallback = quiet,
    clock: Clock | None = None,
) -> dict[str, Any]:
    """Replay an event file and return what was written to `metrics.json`.

    Raises
    ------
    EventFileError
        The file cannot be read, is empty, or a row is bad (`on_bad="fail"`).
    ConfigError
        An option makes no sense; says which.
    """
    clock = clock or SystemClock()
    raise NotImplementedError
