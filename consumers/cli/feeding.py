"""`gsr produce` and `gsr simulate`: clicks for the topic, from a file or made up."""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from consumers.cli.commands import command
from consumers.cli.options import (
    ColumnNames,
    ConfigFile,
    Limit,
    LogUrl,
    Settings,
    SkipBad,
    column_names,
    resolve,
)
from consumers.cli.output import say

if TYPE_CHECKING:  # they would slow `gsr --help` down
    from consumers.config import GsrConfig
    from consumers.topics.feeding import Pace
    from stream.events.click import EventColumns

Rate = Annotated[
    float | None,
    typer.Option("--rate", min=0.001, help="Events per second (default: as fast as possible)."),
]
HeadStart = Annotated[
    int, typer.Option("--head-start", min=0, help="Send so many at once before the rate applies.")
]
_PRINTED_BATCH = 10_000
_SENT_BATCH = 2000
_CSV_HEADER = "user_id,item_id,timestamp,event"


def add_to(app: typer.Typer) -> None:
    """Add the commands of this file."""
    command(
        app,
        "produce",
        "gsr produce clicks.csv.gz",
        "gsr produce clicks.csv.gz --rate 1000 --restamp",
        "gsr produce visits.jsonl --column user=visitor --column item=page",
    )(produce)
    command(
        app,
        "simulate",
        "gsr simulate --events 100000 > clicks.jsonl",
        "gsr simulate --events 5000 --format csv --seed 7",
        "gsr simulate --log embedded:run/log --rate 200 --restamp",
    )(simulate)


def produce(
    events: Annotated[
        Path,
        typer.Argument(metavar="EVENTS", help="CSV, JSON lines or Parquet; .gz and .zst too."),
    ],
    config: ConfigFile = None,
    settings: Settings = None,
    log: LogUrl = None,
    columns: ColumnNames = None,
    rate: Rate = None,
    restamp: Annotated[
        bool, typer.Option("--restamp", help="Stamp events with the time of sending.")
    ] = False,
    head_start: HeadStart = 0,
    limit: Limit = None,
    skip_bad: SkipBad = False,
) -> None:
    """Put an event file on the clicks topic, in the order of the file.

    Event times stay as they are unless --restamp is given.
    """
    loaded = resolve(config, settings, log)
    from consumers.topics.feeding import Pace
    from stream.events.columns import Columns
    from stream.events.files import EventFile

    try:
        mapping = Columns(**column_names(columns))  # type: ignore[arg-type]  # checked inside
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--column") from None
    file = EventFile(events, mapping, loaded.events.rules(), on_bad="skip" if skip_bad else "fail")
    pace = Pace(events_per_second=rate, restamp=restamp, head_start=head_start)
    count = _send(loaded, _first(file.read(), limit), pace, total=limit)
    skipped = sum(file.skipped.values())
    say(
        f"sent {count:,} events to {loaded.log.clicks}" + (f", skipped {skipped:,}" * (skipped > 0))
    )
    for example in file.examples[:3]:
        say(f"  {example}")


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
    users: Annotated[int, typer.Option("--users", min=1, help="Shoppers.")] = 5000,
    items: Annotated[int, typer.Option("--items", min=2, help="Items at the start.")] = 1000,
    drift_seconds: Annotated[
        float, typer.Option("--drift-seconds", min=0, help="How often tastes change; 0: never.")
    ] = 21_600.0,
    new_items: Annotated[
        float, typer.Option("--new-items", min=0, help="New items per hour.")
    ] = 20.0,
) -> None:
    """Make up shoppers with tastes, sessions, drift and new items; print or send their clicks."""
    if log is None and (rate is not None or restamp or head_start):
        raise typer.BadParameter("--rate, --restamp and --head-start need --log")
    loaded = resolve(config, settings, log)
    import numpy as np

    from consumers.topics.feeding import Pace
    from stream.events.simulator import Simulator, SimulatorConfig

    # Sent now at a given rate, the shop's time passes as fast as ours.
    pace_of_shop = rate if restamp and rate else SimulatorConfig().clicks_per_second
    try:
        shop = SimulatorConfig(
            users=users,
            items=items,
            clicks_per_second=pace_of_shop,
            drift_interval_seconds=drift_seconds or None,
            new_items_per_hour=new_items,
        )
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    simulator = Simulator(shop, np.random.default_rng(seed))
    if log is None:
        _print(simulator.events(events or 10_000, batch_rows=_PRINTED_BATCH), kind)
        return
    pace = Pace(events_per_second=rate, restamp=restamp, head_start=head_start)
    count = _send(loaded, simulator.events(events, batch_rows=_SENT_BATCH), pace, total=events)
    say(f"sent {count:,} events to {loaded.log.clicks}")


def _send(
    config: "GsrConfig", batches: "Iterable[EventColumns]", pace: "Pace", total: int | None
) -> int:
    import itertools
    import signal
    import threading
    import time

    from consumers.cli.log_access import fed_log
    from consumers.cli.progress_bar import progress_bar
    from consumers.process.parent_watch import parent_watched
    from consumers.process.progress import Progress
    from consumers.topics.feeding import feed
    from stream.clock import SystemClock

    # What cannot be read is found before a log is made for it.
    remaining = iter(batches)
    batches = itertools.chain(list(itertools.islice(remaining, 1)), remaining)
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda _number, _frame: stop.set())
    begun = time.monotonic()

    with (
        fed_log(config) as log,
        progress_bar() as progress,
        parent_watched(lambda _done: stop.set()),
    ):

        def sent(count: int) -> None:
            seconds = max(1e-9, time.monotonic() - begun)
            left = (total - count) * seconds / count if total and count else None
            progress(
                Progress(
                    stage="sending",
                    done=count,
                    total=total or 0,
                    events_per_second=count / seconds,
                    seconds_left=left,
                )
            )

        writer = log.writer(config.log.clicks)
        try:
            return feed(batches, writer, pace, SystemClock(), stop=stop, sent=sent)
        finally:
            writer.close()


def _first(batches: "Iterable[EventColumns]", limit: int | None) -> "Iterator[EventColumns]":
    from stream.events.click import EventColumns

    left = limit
    for events in batches:
        if left is not None and len(events) >= left:
            yield EventColumns(
                events.user_ids[:left],
                events.item_ids[:left],
                events.times[:left],
                events.events[:left],
                events.event_ids[:left],
            )
            return
        yield events
        if left is not None:
            left -= len(events)


def _print(batches: "Iterable[EventColumns]", kind: str) -> None:
    import csv

    from stream.events.click_encoding import encode_click

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
