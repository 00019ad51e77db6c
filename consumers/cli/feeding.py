"""`gsr produce` and `gsr simulate`: clicks for the topic, from files or simulated."""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from consumers.cli.commands import command
from consumers.cli.options import (
    MOST_RATE,
    ColumnNames,
    ConfigFile,
    EventPaths,
    Header,
    LogUrl,
    QuotingRule,
    Settings,
    SkipBad,
    TimestampFormat,
    TimestampUnit,
    column_names,
    file_dialect,
    resolve,
)
from consumers.cli.output import say, say_skipped
from consumers.cli.sending import Sent, send

if TYPE_CHECKING:  # they would slow `gsr --help` down
    from stream.events.clicks.event_columns import EventColumns

Rate = Annotated[
    float | None,
    typer.Option(
        "--rate", min=0.001, max=MOST_RATE, help="Events per second (default: as fast as possible)."
    ),
]
HeadStart = Annotated[
    int, typer.Option("--head-start", min=0, help="Send so many at once before the rate applies.")
]
_PRINTED_BATCH = 10_000
_SENT_BATCH = 2000
_SHOP_OPTIONS = {"clicks_per_second": "--rate", "drift_interval_seconds": "--drift-seconds"}
_CSV_HEADER = "user_id,item_id,timestamp,event"


def add_to(app: typer.Typer) -> None:
    """Add the commands of this file."""
    command(
        app,
        "produce",
        "gsr produce clicks.csv.gz",
        "gsr produce clicks.csv.gz --rate 1000 --restamp",
        "gsr produce visits.jsonl --column user=visitor --column item=page",
        "gsr produce newest-first.csv --sort",
        "gsr produce clicks.csv.gz --skip 12001     go on where an earlier one stopped",
        "gsr produce u.data --no-header --column user=1 --column item=2 --column timestamp=4",
        "unzip -p clicks.zip | gsr produce -",
    )(produce)
    command(
        app,
        "simulate",
        "gsr simulate --events 100000 > clicks.jsonl",
        "gsr simulate --events 5000 --format csv --seed 7",
        "gsr simulate --titles titles.csv > clicks.jsonl && gsr items load titles.csv",
        "gsr simulate --log embedded:run/log --rate 200 --restamp",
    )(simulate)


def produce(
    events: EventPaths,
    config: ConfigFile = None,
    settings: Settings = None,
    log: LogUrl = None,
    columns: ColumnNames = None,
    header: Header = None,
    quoting: QuotingRule = "auto",
    time_unit: TimestampUnit = None,
    time_format: TimestampFormat = None,
    rate: Rate = None,
    restamp: Annotated[
        bool, typer.Option("--restamp", help="Stamp events with the time of sending.")
    ] = False,
    head_start: HeadStart = 0,
    sort: Annotated[
        bool, typer.Option("--sort", help="Send in order of time; sorts on disk, in TMPDIR.")
    ] = False,
    skip: Annotated[
        int,
        typer.Option(
            "--skip",
            min=0,
            metavar="N",
            help="Leave out the first N events (of the sorted ones with --sort).",
        ),
    ] = 0,
    limit: Annotated[
        int | None,
        typer.Option("--limit", min=1, metavar="N", help="Only N events, behind --skip."),
    ] = None,
    skip_bad: SkipBad = False,
) -> None:
    """Put event files on the clicks topic, in their order.

    Event times stay as they are unless --restamp is given. Whatever ends it early, it says how many
    events are on the topic: the same command, with the --skip that it names, goes on behind them.
    """
    loaded = resolve(config, settings, log)
    dialect = file_dialect(header, quoting, time_unit, time_format, columns)
    from tempfile import gettempdir

    from consumers.offline.history_file import SKIPPED_EXAMPLES
    from consumers.topics.event_order import EventOrder
    from consumers.topics.feeding import Pace, sliced
    from stream.clock import SystemClock
    from stream.events.files.columns import Columns
    from stream.events.files.reading import EventFile
    from stream.events.files.sorting import sort_events

    try:
        mapping = Columns(**column_names(columns))
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--column") from None
    # Given new times, an event may have any time of its own.
    file = EventFile(
        events,
        mapping,
        loaded.events.rules(),
        dialect=dialect,
        on_bad="skip" if skip_bad else "fail",
        now=None if restamp else SystemClock().time,
    )
    order = EventOrder(file.name, loaded.state.buffer_length)
    if sort:
        say(f"sorting {file.name} in {gettempdir()}")
    batches = sort_events(file) if sort else file.read()
    # New times are in order; and what goes on behind an earlier part was judged when that began.
    if not restamp and not skip:
        batches = order.judged(batches)
    batches = sliced(batches, skip, limit, passed=order.look_at)
    if not restamp:
        batches = order.counted(batches)
    sent = Sent(loaded.log.clicks, skip, limit, restamp=restamp)
    pace = Pace(events_per_second=rate, restamp=restamp, head_start=head_start)
    try:
        send(loaded, batches, pace, sent)
    finally:
        warning = order.warning()
        if warning is not None:
            say(f"warning: {warning}")
        say_skipped(file.skipped, file.examples[:SKIPPED_EXAMPLES])
    say(f"sent {sent.count:,} events to {sent.topic}")
    if sent.count == limit:
        say(f"for those behind them: the same command --skip {sent.position}")


def simulate(
    config: ConfigFile = None,
    settings: Settings = None,
    log: Annotated[
        str | None,
        typer.Option("--log", metavar="URL", help="Send to this log instead of printing."),
    ] = None,
    events: Annotated[
        int | None, typer.Option("--events", min=1, help="How many (default: 10,000, or no end).")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Same seed, same events.")] = 0,
    kind: Annotated[
        Literal["jsonl", "csv"], typer.Option("--format", help="What is printed.")
    ] = "jsonl",
    rate: Rate = None,
    restamp: Annotated[
        bool, typer.Option("--restamp", help="Stamp events with the time of sending.")
    ] = False,
    head_start: HeadStart = 0,
    users: Annotated[int, typer.Option("--users", min=1, max=10_000_000, help="Shoppers.")] = 5000,
    items: Annotated[
        int, typer.Option("--items", min=1, max=10_000_000, help="Items at the start.")
    ] = 1000,
    drift_seconds: Annotated[
        float,
        typer.Option(
            "--drift-seconds", min=0, help="How often tastes change (1 or more); 0: never."
        ),
    ] = 21_600.0,
    new_items: Annotated[
        float, typer.Option("--new-items", min=0, max=1e6, help="New items per hour.")
    ] = 20.0,
    titles: Annotated[
        Path | None,
        typer.Option(
            "--titles", metavar="FILE", help="Write made-up titles of the items, as CSV, too."
        ),
    ] = None,
) -> None:
    """Make up shoppers with tastes, sessions, drift and new items; print or send their clicks."""
    if log is None and (rate is not None or restamp or head_start):
        raise typer.BadParameter("--rate, --restamp and --head-start need --log")
    loaded = resolve(config, settings, log)
    import numpy as np

    from consumers.topics.feeding import Pace
    from stream.events.simulator.config import SimulatorConfig
    from stream.events.simulator.shoppers import Simulator

    # Sent now at a given rate, the shop's time passes as fast as ours.
    usual = SimulatorConfig()
    pace_of_shop = rate if restamp and rate else usual.clicks_per_second
    try:
        shop = SimulatorConfig(
            users=users,
            items=items,
            tastes=min(usual.tastes, items),
            clicks_per_second=pace_of_shop,
            drift_interval_seconds=drift_seconds or None,
            new_items_per_hour=new_items,
        )
    except ValueError as error:
        option = _SHOP_OPTIONS.get(str(error).partition(" ")[0])
        raise typer.BadParameter(str(error), param_hint=option) from None
    simulator = Simulator(shop, np.random.default_rng(seed))
    if log is None:
        batches = simulator.events(events or 10_000, batch_rows=_PRINTED_BATCH)
    else:
        batches = simulator.events(events, batch_rows=_SENT_BATCH)
    if titles is not None:
        from stream.events.simulator.item_titles import with_titles

        batches = with_titles(batches, simulator.truth, titles)
    if log is None:
        _print(batches, kind)
        return
    pace = Pace(events_per_second=rate, restamp=restamp, head_start=head_start)
    sent = Sent(loaded.log.clicks, limit=events, restamp=restamp)
    send(loaded, batches, pace, sent)
    say(f"sent {sent.count:,} events to {sent.topic}")


def _print(batches: "Iterable[EventColumns]", kind: str) -> None:
    import csv

    from stream.events.clicks.encoding import encode_click

    rows = csv.writer(sys.stdout, lineterminator="\n")
    if kind == "csv":
        rows.writerow(_CSV_HEADER.split(","))
    for events in batches:
        for user, item, time, event in zip(
            events.user_ids, events.item_ids, events.times.tolist(), events.events, strict=True
        ):
            if kind == "csv":
                rows.writerow((user, item, time, event or ""))
            else:
                sys.stdout.write(encode_click(user, item, time, event).decode() + "\n")
