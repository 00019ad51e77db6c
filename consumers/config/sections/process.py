"""Settings `[process]`: those of every process."""

from typing import Annotated, Literal

from pydantic import Field

from consumers.config.sections.section import Positive, Section


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
