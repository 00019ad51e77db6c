"""Options that many commands share, and what they mean for the configuration."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:  # pydantic would slow `gsr --help` down
    from consumers.config import GsrConfig

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
ColumnNames = Annotated[
    list[str] | None,
    typer.Option(
        "--column",
        metavar="ROLE=NAME",
        help="Column of the file for user, item, timestamp, event or event_id; may be repeated.",
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
    from consumers.config_loading import parse_assignment

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
    from consumers.config_loading import load_config

    return load_config(config, given_flags(settings, log, state, log_format))


def column_names(assignments: Sequence[str] | None) -> dict[str, str]:
    """Return role -> column name.

    Examples
    --------
    >>> column_names(["user=visitor", "timestamp=ts"])
    {'user': 'visitor', 'timestamp': 'ts'}
    """
    roles = ("user", "item", "timestamp", "event", "event_id", "timestamp_unit")
    names = {}
    for text in assignments or ():
        role, equals, name = text.partition("=")
        if not equals or not name or role not in roles:
            raise typer.BadParameter(
                f"{text!r}: write ROLE=NAME, where ROLE is one of {', '.join(roles)}",
                param_hint="--column",
            )
        names[role] = name
    return names
