"""`gsr bootstrap`: history becomes state and a first model, so that `gsr run` goes live from it."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from consumers.config import GsrConfig
from consumers.progress import ProgressCallback, quiet
from stream.clock import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class BootstrapOptions:
    """What to learn from.

    Parameters
    ----------
    events
        The event file (see `stream.events.files`).
    config
        The same settings that `gsr run` will use: state and artifacts go where they say.
    columns
        Which column holds what: user, item, timestamp, event, event_id → column name.
    limit
        Only the first so many events; None: all.
    cycle_clicks
        Clicks per cycle of the trainer; None: from the length of the history.
    on_bad
        "fail" at the first bad row, or "skip" and count.
    """

    events: Path
    config: GsrConfig
    columns: dict[str, str] = field(default_factory=dict)
    limit: int | None = None
    cycle_clicks: int | None = None
    on_bad: Literal["fail", "skip"] = "fail"


def bootstrap(
    options: BootstrapOptions,
    clock: Clock,
    progress: ProgressCallback = quiet,
) -> dict[str, Any]:
    """Build state, a first snapshot, the journal and a serving view; return a summary.

    Raises
    ------
    EventFileError
        The file cannot be read, is empty, or a row is bad (`on_bad="fail"`).
    ConfigError
        There is state already: bootstrap never overwrites.
    """
    raise NotImplementedError
