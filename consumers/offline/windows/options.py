"""What `replay_windows` can be asked for, and the published protocols by name."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from consumers.config.settings import GsrConfig
from consumers.errors import ConfigError
from consumers.offline.click_history import CYCLE_CLICKS
from stream.events.files.time_units import TimeUnit

Mode = Literal["frozen", "live"]
MODES: Final[tuple[Mode, ...]] = ("frozen", "live")


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowOptions:
    """A log to test and learn window by window, and how.

    Parameters
    ----------
    events
        A table of clicks: Parquet, or CSV with a header, perhaps compressed.
    item, user, session, time, window
        Names of its columns. Without `session`, the clicks of a user in one window are a session;
        without `user`, histories are those of sessions. Without `time` (numbers of a usual unit,
        or moments such as ``2026-01-31T12:00:00``), sessions come one after another in the order
        of the file, and times are made up: each window is `window_seconds` long, its clicks in
        even steps. Without `window` (whole numbers), a session belongs to the span of
        `window_seconds` in which it begins.
    time_unit
        Of times that are numbers; None: as their size tells.
    window_seconds
        Length of a span, or of a window without times.
    histories
        Whose clicks precede a click: those of its "session", or all of its "user".
    tested
        The "last" click of each session, or "each" but the first.
    first_tested
        Number, from 0, of the first window that is tested: what is before is learned only.
    session_clicks
        Sessions are cut to their first so many clicks; None: they are not.
    window_sessions
        Windows with fewer sessions are left out altogether.
    known_items_only
        Clicks on items that no earlier window has are taken out of a window's test, histories
        included; a session of which one click is left is not tested.
    repeats
        "include": all items are ranked; "exclude": those of a history are left out of the ranking,
        and a click on one of them is tested too, and missed.
    modes
        "frozen": counters and weights are those from the end of the window before; "live": they
        move within the window, click by click and cycle by cycle; it needs times, because the
        order of a file without them may put later sessions first.
    share
        Share of the cases that is tested, drawn at random.
    limit
        Only the first so many clicks of the file; None: all.
    windows
        Only the first so many windows; None: all.
    joint
        Whether the joint model is learned and tested beside the baselines, which takes longest.
    cycle_clicks
        Clicks per learning cycle, at most: a cycle ends with its window.
    seed
        Of everything random.
    config
        Settings of the counters, the model and its learner.
    """

    events: Path
    item: str = "item_id"
    user: str | None = None
    session: str | None = None
    time: str | None = None
    window: str | None = None
    time_unit: TimeUnit | None = None
    window_seconds: float = 3600.0
    histories: Literal["session", "user"] = "session"
    tested: Literal["last", "each"] = "last"
    first_tested: int = 1
    session_clicks: int | None = None
    window_sessions: int = 1
    known_items_only: bool = False
    repeats: Literal["include", "exclude"] = "include"
    modes: tuple[Mode, ...] = ("frozen",)
    share: float = 1.0
    limit: int | None = None
    windows: int | None = None
    joint: bool = True
    cycle_clicks: int = CYCLE_CLICKS
    seed: int = 0
    config: GsrConfig = field(default_factory=GsrConfig)

    def check(self) -> None:
        """Raise a `ConfigError` where the options contradict themselves."""
        rules = (
            (
                self.session is not None or self.user is not None,
                "name the column of sessions, of users, or both",
            ),
            (
                self.histories == "session" or self.user is not None,
                "histories of users need the column of users",
            ),
            (
                self.time is not None or self.window is not None,
                "name the column of times, of windows, or both",
            ),
            (self.window_seconds > 0.0, "window_seconds must be above 0"),
            (
                self.session_clicks is None or self.session_clicks > 1,
                "session_clicks must be 2 or more: the first click is not tested",
            ),
            (self.first_tested >= 1, "first_tested must be 1 or more: something must be learned"),
            (0.0 < self.share <= 1.0, "share must be above 0, up to 1"),
            (self.limit is None or self.limit >= 1, "limit must be 1 or more"),
            (self.windows is None or self.windows >= 1, "windows must be 1 or more"),
            (self.cycle_clicks >= 1, "cycle_clicks must be 1 or more"),
            (bool(self.modes) and set(self.modes) <= set(MODES), "modes are frozen and live"),
            (
                "live" not in self.modes or self.time is not None,
                "live needs the column of times: without, the order within a window is unknown",
            ),
        )
        for holds, message in rules:
            if not holds:
                raise ConfigError(f"windows: {message}")


@dataclass(frozen=True, slots=True)
class Protocol:
    """A published protocol.

    Parameters
    ----------
    options
        Fields of `WindowOptions` that it sets.
    source
        Who published it.
    metrics
        Those that are published, as in `gsr.quality.ranking_metrics.METRICS`.
    published
        Name of a model to its published metrics; None where one was not published.
    """

    options: Mapping[str, Any]
    source: str
    metrics: tuple[str, ...]
    published: Mapping[str, tuple[float | None, ...]]

    def rows(self) -> dict[str, dict[str, float | None]]:
        """Return each published model's metrics by name."""
        return {
            model: dict(zip(self.metrics, figures, strict=True))
            for model, figures in self.published.items()
        }


PROTOCOLS: Final[Mapping[str, Protocol]] = {
    "news-by-the-hour": Protocol(
        options={
            "user": "user_id",
            "session": "session_id",
            "time": "timestamp",
            "window": "window",
            "tested": "last",
            "first_tested": 2,
            "session_clicks": 20,
            "window_sessions": 100,
        },
        source="Transformers4Rec (RecSys 2021), table 2, Globo.com G1 news; half of the cases",
        metrics=("hr@20", "ndcg@20"),
        published={
            "V-SkNN": (0.6601, 0.3511),
            "STAN": (0.6681, 0.3570),
            "VSTAN": (0.6668, 0.3586),
            "GRU4Rec, retrained in full": (0.5029, 0.2596),
            "XLNet (RTD), item ids only": (0.6611, 0.3609),
            "XLNet (RTD), with side information": (0.6721, 0.3675),
        },
    ),
    "ader": Protocol(
        options={
            "session": "session_id",
            "window": "period",
            "window_seconds": 7 * 86_400.0,
            "tested": "each",
            "first_tested": 1,
            "known_items_only": True,
        },
        source="ADER (RecSys 2020), DIGINETICA in 16 periods after the first",
        metrics=("hr@20", "mrr@20"),
        published={
            "fine-tuning": (0.4728, 0.1601),
            "fine-tuning with dropout": (0.4907, None),
            "retrained on everything, every period": (0.5003, 0.1731),
            "ADER": (0.5021, 0.1732),
        },
    ),
}
"""Published protocols by name, with the figures to compare with; recall of one item is HR."""


def protocol_options(name: str, events: Path, **changes: Any) -> WindowOptions:
    """Return the options of the published protocol `name` for a file.

    Parameters
    ----------
    name
        One of `PROTOCOLS`.
    events
        The file.
    **changes
        Other fields of `WindowOptions`.

    Raises
    ------
    ConfigError
        There is no such protocol.

    Examples
    --------
    >>> protocol_options("ader", Path("clicks.csv.gz"), share=0.1).tested
    'each'
    """
    if name not in PROTOCOLS:
        raise ConfigError(f"no protocol is called {name!r}: there are {', '.join(PROTOCOLS)}")
    return WindowOptions(events=events, **{**PROTOCOLS[name].options, **changes})
