"""The `gsr` application, made of all groups of commands."""

from typing import Annotated, Final, NoReturn

import typer

from consumers.cli import (
    control_records,
    dlq,
    evaluating,
    feeding,
    inspecting,
    log,
    models,
    offline,
    roles,
    state,
)
from consumers.cli.commands import group, say_system_error

_HELP = """Clicks in, refreshed recommendations out: a streaming recommender that keeps learning.

\b
Examples:
  gsr run --demo                         watch it work on simulated shoppers
  gsr run                                serve from the log in run/log
  gsr produce clicks.csv.gz --rate 1000  feed it with your own clicks
  gsr recommend alice                    what alice gets, and why
  gsr replay clicks.csv.gz --out report  measure quality on your own clicks
"""

_PARTS: Final = (
    roles,
    offline,
    evaluating,
    feeding,
    inspecting,
    control_records,
    state,
    models,
    log,
    dlq,
)
"""In the order in which the help shows their commands."""

app = group(_HELP)


def _show_version(wanted: bool) -> None:
    if wanted:
        from consumers.metrics.registry import gsr_version

        typer.echo(f"gsr {gsr_version()}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    pass


for part in _PARTS:
    part.add_to(app)


def main() -> NoReturn:
    """Run the command line and exit."""
    try:
        app(prog_name="gsr")
    except OSError as error:  # the help text meets it outside of all commands
        raise SystemExit(say_system_error(error)) from None
    raise SystemExit(0)
