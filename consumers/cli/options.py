"""Options that many commands share, and the configuration that follows from them."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal, cast

import typer

if TYPE_CHECKING:  # they would slow `gsr --help` down
    from consumers.config.settings import GsrConfig
    from stream.events.files.dialect import FileDialect
    from stream.events.files.time_units import TimeUnit

MOST_RATE: Final = 1e9
"""Events per second; leave the option out for no limit."""
MOST_SEED: Final = 2**62
"""Every generator takes it, and some more on top of it."""

ConfigFile = Annotated[
    Path | None,
    typer.Option("--config", metavar="FILE", help="TOML file of settings (or set GSR_CONFIG)."),
]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="SECTION.KEY=VALUE", help="One setting; may be repeated."),
]
LogUrl = Annotated[
    str | None, typer.Option("--log", metavar="URL", help="Event log, for example embedded:DIR.")
]
StateDirectory = Annotated[
    Path | None, typer.Option("--state", metavar="DIR", help="Directory of the state.")
]
LogFormat = Annotated[
    Literal["text", "json"] | None,
    typer.Option("--log-format", help="Messages for people or for log collectors."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would happen.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
EVENTS_HELP = (
    "CSV or JSON lines, .gz and .zst too, or Parquet. Several files are parts of one log; - is "
    "standard input; a directory means the event files in it, by name."
)
EventPaths = Annotated[list[Path], typer.Argument(metavar="EVENTS", help=EVENTS_HELP)]
ColumnNames = Annotated[
    list[str] | None,
    typer.Option(
        "--column",
        metavar="ROLE=NAME",
        help="Column of the file for user, item, timestamp, event or event_id; may be repeated. "
        "With --no-header a number, from 1.",
    ),
]
Header = Annotated[
    bool | None,
    typer.Option(
        "--header/--no-header",
        help="Whether the first line of CSV names the columns [it does].",
    ),
]
QuotingRule = Annotated[
    Literal["auto", "standard", "none"],
    typer.Option(
        "--quoting", help="CSV: quotes enclose fields, or are text [as the first ones tell]."
    ),
]
TimestampUnit = Annotated[
    Literal["s", "ms", "us", "ns", "minutes", "hours", "days", "excel", "calendar"] | None,
    typer.Option("--time-unit", help="Of timestamps that are numbers [as the first ones tell]."),
]
TimestampFormat = Annotated[
    str | None,
    typer.Option(
        "--time-format",
        metavar="FORMAT",
        help="Of timestamps that are text, such as '%d/%m/%Y %H:%M:%S' [usual forms].",
    ),
]
SkipBad = Annotated[
    bool, typer.Option("--skip-bad", help="Skip and count bad rows instead of stopping.")
]
Limit = Annotated[
    int | None, typer.Option("--limit", min=1, metavar="N", help="Only the first N events.")
]


def given_flags(
    settings: Sequence[str] | None = None,
    log: str | None = None,
    state: Path | None = None,
    log_format: str | None = None,
) -> dict[str, object]:
    """Return the flags as `section.key` -> value; those with a name win over --set."""
    from consumers.config.loading import parse_assignment

    flags = dict(map(parse_assignment, settings or ()))
    if log is not None:
        flags["log.url"] = log
    if state is not None:
        flags["state.directory"] = str(state)
    if log_format is not None:
        flags["process.log_format"] = log_format
    return flags


def resolve(
    config: Path | None = None,
    settings: Sequence[str] | None = None,
    log: str | None = None,
    state: Path | None = None,
    log_format: str | None = None,
) -> "GsrConfig":
    """Return the configuration."""
    from consumers.config.loading import load_config

    return load_config(config, given_flags(settings, log, state, log_format))


def given_options(context: typer.Context, names: Sequence[str]) -> list[str]:
    """Return the flags of those of the parameters `names` that the command line gives."""
    flags = {parameter.name: parameter.opts[0] for parameter in context.command.params}
    sources = {name: context.get_parameter_source(name) for name in names}
    return [flags[n] for n, source in sources.items() if source and source.name == "COMMANDLINE"]


def column_names(assignments: Sequence[str] | None, *more_roles: str) -> dict[str, str]:
    """Return role -> column name; `more_roles` are those that only this command knows.

    Examples
    --------
    >>> column_names(["user=visitor", "timestamp=ts"])
    {'user': 'visitor', 'timestamp': 'ts'}
    """
    return {role: name for role, name in _assigned(assignments, more_roles) if role != _UNIT}


def file_dialect(
    header: bool | None,
    quoting: Literal["auto", "standard", "none"],
    time_unit: str | None,
    time_format: str | None,
    assignments: Sequence[str] | None,
    *more_roles: str,
) -> "FileDialect":
    """Return the dialect of event files by the options and by `--column timestamp_unit=`."""
    from stream.events.files.dialect import FileDialect

    units = {name for role, name in _assigned(assignments, more_roles) if role == _UNIT}
    units |= set() if time_unit is None else {time_unit}
    if len(units) > 1:
        raise typer.BadParameter(f"one file has one unit, not {', '.join(sorted(units))}")
    try:
        return FileDialect(
            header=header,
            quoting=quoting,
            time_unit=cast("TimeUnit | None", next(iter(units), None)),  # checked inside
            time_format=time_format,
        )
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def is_usual_dialect(dialect: "FileDialect", assignments: Sequence[str] | None) -> bool:
    """Return whether no option describes the dialect of event files."""
    return not assignments and dialect == file_dialect(None, "auto", None, None, None)


_UNIT = "timestamp_unit"


def _assigned(
    assignments: Sequence[str] | None, more_roles: Sequence[str]
) -> list[tuple[str, str]]:
    return assigned_columns(
        assignments, ("user", "item", "timestamp", "event", "event_id", _UNIT, *more_roles)
    )


def assigned_columns(
    assignments: Sequence[str] | None, roles: Sequence[str]
) -> list[tuple[str, str]]:
    """Return role and name of each `--column ROLE=NAME`, where ROLE is one of `roles`.

    Examples
    --------
    >>> assigned_columns(["title=name"], ("item", "title"))
    [('title', 'name')]
    """
    assigned = []
    for text in assignments or ():
        role, equals, name = text.partition("=")
        if not equals or not name or role not in roles:
            raise typer.BadParameter(
                f"{text!r}: write ROLE=NAME, where ROLE is one of {', '.join(roles)}",
                param_hint="--column",
            )
        assigned.append((role, name))
    return assigned
