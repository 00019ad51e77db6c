"""`gsr run`, and each role by itself."""

from pathlib import Path
from typing import Annotated

import typer

from consumers.cli.commands import command
from consumers.cli.options import (
    MOST_RATE,
    ColumnNames,
    ConfigFile,
    Header,
    LogFormat,
    LogUrl,
    QuotingRule,
    Settings,
    StateDirectory,
    TimestampFormat,
    TimestampUnit,
    column_names,
    file_dialect,
    given_flags,
    is_usual_dialect,
    resolve,
)
from consumers.runtime.garbage import uncollected


def add_to(app: typer.Typer) -> None:
    """Add the commands of this file."""
    command(
        app,
        "run",
        "gsr run --demo",
        "gsr run --demo --events clicks.csv.gz",
        "gsr run --log embedded:/data/log --state /data/state",
    )(run)
    command(app, "ingest", "gsr ingest --config gsr.toml")(ingest)
    command(app, "train", "gsr train --config gsr.toml")(train)
    command(app, "publish", "gsr publish --config gsr.toml")(publish)
    command(
        app,
        "serve",
        "gsr serve --config gsr.toml",
        "gsr serve --set serve.host=0.0.0.0 --set serve.token_file=token",
    )(serve)


def run(
    config: ConfigFile = None,
    settings: Settings = None,
    log: LogUrl = None,
    state: StateDirectory = None,
    log_format: LogFormat = None,
    demo: Annotated[
        bool, typer.Option("--demo", help="Feed simulated shoppers and show what happens.")
    ] = False,
    events: Annotated[
        Path | None,
        typer.Option("--events", metavar="FILE", help="With --demo: clicks of this file instead."),
    ] = None,
    rate: Annotated[
        float, typer.Option("--rate", min=1, max=MOST_RATE, help="With --demo: clicks per second.")
    ] = 150.0,
    columns: ColumnNames = None,
    header: Header = None,
    quoting: QuotingRule = "auto",
    time_unit: TimestampUnit = None,
    time_format: TimestampFormat = None,
    with_api: Annotated[
        bool, typer.Option("--serve/--no-serve", help="Answer over HTTP, too.")
    ] = True,
) -> None:
    """Run ingest, trainer, publisher and the API on this machine until Ctrl-C."""
    dialect = file_dialect(header, quoting, time_unit, time_format, columns)
    about_a_file = not is_usual_dialect(dialect, columns)
    if not demo and (events is not None or about_a_file):
        raise typer.BadParameter("only together with --demo; see also: gsr produce FILE")
    if events is None and about_a_file:
        raise typer.BadParameter("options of event files need --events FILE")
    flags = given_flags(settings, log, state, log_format)
    if demo:
        from consumers.demo.show import DemoOptions, run_demo

        run_demo(
            DemoOptions(
                config=config,
                flags=flags,
                events=events,
                columns=column_names(columns),
                dialect=dialect,
                rate=rate,
                serve=with_api,
            )
        )
    else:
        from consumers.runtime.all_roles import run_all

        run_all(config, flags, serve=with_api)


def ingest(
    config: ConfigFile = None,
    settings: Settings = None,
    log: LogUrl = None,
    state: StateDirectory = None,
    log_format: LogFormat = None,
) -> None:
    """Run the ingest role: clicks to durable state, checkpoints and sequences."""
    loaded = resolve(config, settings, log, state, log_format)
    with uncollected():
        from consumers.roles.ingest.role import IngestRole
        from consumers.runtime.role_process import run_role

    run_role("ingest", IngestRole, loaded)


def train(
    config: ConfigFile = None,
    settings: Settings = None,
    log: LogUrl = None,
    state: StateDirectory = None,
    log_format: LogFormat = None,
) -> None:
    """Run the trainer role: tests, learns, judges; publishes models and views."""
    loaded = resolve(config, settings, log, state, log_format)
    from consumers.runtime.threads import limit_threads, step_back

    limit_threads(loaded.trainer.threads)
    step_back(loaded.trainer.nice)
    with uncollected():
        from consumers.roles.trainer.role import TrainerRole
        from consumers.runtime.role_process import run_role

    run_role("trainer", TrainerRole, loaded)


def publish(
    config: ConfigFile = None,
    settings: Settings = None,
    log: LogUrl = None,
    state: StateDirectory = None,
    log_format: LogFormat = None,
) -> None:
    """Run the publisher role: sequences to recommendation lists."""
    loaded = resolve(config, settings, log, state, log_format)
    from consumers.runtime.threads import limit_threads

    limit_threads(loaded.publisher.threads)
    with uncollected():
        from consumers.roles.publisher.role import PublisherRole
        from consumers.runtime.role_process import run_role

    run_role("publisher", PublisherRole, loaded)


def serve(
    config: ConfigFile = None,
    settings: Settings = None,
    log: LogUrl = None,
    state: StateDirectory = None,
    log_format: LogFormat = None,
) -> None:
    """Run the API: lists, users and items over HTTP, from topics, models and views."""
    loaded = resolve(config, settings, log, state, log_format)
    from consumers.runtime.threads import limit_threads

    limit_threads(loaded.serve.threads)
    with uncollected():
        from consumers.roles.serve.role import ServeRole
        from consumers.runtime.role_process import run_role

    run_role("serve", ServeRole, loaded)
