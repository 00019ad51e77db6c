"""`gsr replay --protocol`: sessions tested window by window, beside published figures."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import typer

from consumers.cli.options import given_options
from consumers.cli.output import print_json, print_table, say
from consumers.config.home_paths import home_path

WINDOW_ROLES: Final = ("session", "window")
"""Columns that only a replay knows, besides those of every event file."""

ReplayProtocol = Annotated[
    Literal["prequential", "windows", "news-by-the-hour", "ader"],
    typer.Option(
        "--protocol",
        help="Click by click, or sessions window by window: freely, or as one was published.",
    ),
]
ReplayColumns = Annotated[
    list[str] | None,
    typer.Option(
        "--column",
        metavar="ROLE=NAME",
        help="As elsewhere; session=NAME makes histories those of sessions, and with windows "
        "window=NAME is the column that numbers them.",
    ),
]
WindowHours = Annotated[
    float,
    typer.Option(
        "--window-hours", min=1e-3, help="Length of a window, where no column numbers them."
    ),
]
WindowMode = Annotated[
    Literal["frozen", "live", "both"],
    typer.Option(
        "--mode", help="Whether counters and weights stand still while a window is tested."
    ),
]
WindowTested = Annotated[
    Literal["last", "each"],
    typer.Option(
        "--tested", help="With windows: each session's last click, or each but the first."
    ),
]

_OF_WINDOWS: Final = ("window_hours", "mode", "tested")
_SET_BY_PROTOCOL: Final = ("window_hours", "tested")
_NOT_OF_WINDOWS: Final = (
    *("header", "quoting", "time_format", "start", "stop", "warmup", "compare"),
    *("recommendations", "resume", "skip_bad", "retrain_hours", "retrain_passes"),
)
_FIELDS: Final = {
    "user": "user",
    "item": "item",
    "timestamp": "time",
    "session": "session",
    "window": "window",
}
"""Role of a column to the field of `WindowOptions`."""


def by_session(named: Mapping[str, str]) -> dict[str, str]:
    """Return role -> column of a replay click by click; a session takes the user's place.

    >>> by_session({"session": "visit", "item": "page"})
    {'item': 'page', 'user': 'visit'}
    """
    found = {role: name for role, name in named.items() if role != "session"}
    return found | ({"user": named["session"]} if "session" in named else {})


def refuse_windows(context: typer.Context, named: Mapping[str, str]) -> None:
    """Refuse options of windows in a replay click by click."""
    given = given_options(context, _OF_WINDOWS)
    if "window" in named:
        given.append("--column window=")
    if given:
        raise typer.BadParameter(
            f"{', '.join(given)}: there are no windows with --protocol prequential; give "
            "--protocol windows"
        )


def replay_by_windows(
    context: typer.Context,
    protocol: str,
    events: Sequence[str],
    out: Path,
    named: Mapping[str, str],
    baselines: str,
    *,
    as_json: bool,
    **options: Any,
) -> None:
    """Replay a file window by window, write its results and print the quality.

    Parameters
    ----------
    context
        Of the command, whose other options are refused.
    protocol
        "windows", or the name of a published one.
    events, out
        One file, and where the results go.
    named
        Role to column.
    baselines
        Their names.
    as_json
        Print the whole result.
    **options
        Fields of `WindowOptions`; what the protocol sets is its own. None: not given.
    """
    _check(context, protocol, events, named)
    import time

    from consumers.cli.progress_bar import progress_bar
    from consumers.offline.windows.baselines import window_baselines
    from consumers.offline.windows.options import WindowOptions, protocol_options
    from consumers.offline.windows.report import write_window_report
    from consumers.offline.windows.result import window_result
    from consumers.offline.windows.run import replay_windows
    from consumers.runtime.documents import write_document
    from consumers.runtime.interruption import Interruption
    from consumers.runtime.outputs import check_output

    path = home_path(Path(events[0]))
    given = {name: value for name, value in options.items() if value is not None}
    given |= {_FIELDS[role]: name for role, name in named.items()}
    if protocol == "windows":
        usual = {"time": "timestamp"} | ({} if "session" in named else {"user": "user_id"})
        chosen = WindowOptions(events=path, **{**usual, **given})
    else:
        own = {"window_seconds", "tested"}
        changes = {name: value for name, value in given.items() if name not in own}
        chosen = protocol_options(protocol, path, **changes)
    rivals = window_baselines(baselines, time.monotonic)
    check_output(out)
    with Interruption().caught(), progress_bar() as progress:
        document = replay_windows(chosen, rivals, progress)
        result = window_result(document, protocol)
        write_window_report(result, out / "report.html")
        write_document(result, out / "metrics.json")
    if as_json:
        print_json(result)
    else:
        _print_quality(result)
        say(
            "half-lives and mixes are the best on the scored cases themselves, which favours "
            "the baselines"
        )
    say(f"wrote {out / 'metrics.json'} and {out / 'report.html'}")


def _check(
    context: typer.Context, protocol: str, events: Sequence[str], named: Mapping[str, str]
) -> None:
    from consumers.topics.click_export import LOG_URL

    refused = given_options(context, _NOT_OF_WINDOWS)
    if refused:
        raise typer.BadParameter(f"{', '.join(refused)}: only with --protocol prequential")
    own = given_options(context, _SET_BY_PROTOCOL)
    if own and protocol != "windows":
        raise typer.BadParameter(
            f"{', '.join(own)}: {protocol} sets it; give --protocol windows to choose"
        )
    if len(events) > 1 or LOG_URL.match(events[0]):
        raise typer.BadParameter("windows are read from one file, CSV with a header or Parquet")
    unread = [role for role in named if role not in _FIELDS]
    if unread:
        raise typer.BadParameter(
            f"windows read no column for {', '.join(unread)}: all clicks count alike",
            param_hint="--column",
        )


def _print_quality(result: Mapping[str, Any]) -> None:
    metrics = result["metrics"]
    for mode, columns in result["shown"].items():
        means = result["over_windows"][mode]
        rows = [(column, *(means[column][m] for m in metrics)) for column in columns.values()]
        rows += [
            (f"{model} (published)", *(found[m] for m in metrics))
            for model, found in result["published"].items()
        ]
        shown = [[row[0], *("" if x is None else f"{x:.4f}" for x in row[1:])] for row in rows]
        print_table((mode, *metrics), shown)
