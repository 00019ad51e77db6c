"""`gsr replay` and `gsr bootstrap`: from event files, without a running service."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from consumers.cli.commands import command
from consumers.cli.log_access import say_made_topics
from consumers.cli.options import (
    EVENTS_HELP,
    MOST_SEED,
    AsJson,
    ColumnNames,
    ConfigFile,
    EventPaths,
    Header,
    Limit,
    LogUrl,
    QuotingRule,
    Settings,
    SkipBad,
    StateDirectory,
    TimestampFormat,
    TimestampUnit,
    column_names,
    file_dialect,
    is_usual_dialect,
    resolve,
)
from consumers.cli.output import print_json, print_table, say, say_skipped
from consumers.cli.window_replay import (
    WINDOW_ROLES,
    ReplayColumns,
    ReplayProtocol,
    WindowHours,
    WindowMode,
    WindowTested,
    by_session,
    refuse_windows,
    replay_by_windows,
)
from consumers.config.home_paths import home_path

if TYPE_CHECKING:  # pydantic would slow `gsr --help` down
    from consumers.config.settings import GsrConfig

CycleClicks = Annotated[
    int, typer.Option("--cycle-clicks", min=1, help="Clicks per learning cycle.")
]


def add_to(app: typer.Typer) -> None:
    """Add the commands of this file."""
    command(
        app,
        "replay",
        "gsr replay clicks.csv.gz --out report",
        "gsr replay log.parquet --out report --column user=uid --column timestamp=ts",
        "gsr replay clicks.csv.gz --out report --limit 100000 --seed 1",
        "gsr replay clicks.csv.gz --out report --compare sequence-only.toml --baselines all",
        "gsr replay kafka://localhost:9092 --out report --from 2026-01-31T00:00:00Z",
        "gsr replay embedded:run/log --out report --from 0:1500,1:1620 --to 0:9000,1:9000",
        "gsr replay clicks.csv.gz --out report --protocol windows --column session=session_id",
        "gsr replay clicks.csv.gz --out report --protocol news-by-the-hour --mode both",
    )(replay)
    command(app, "bootstrap", "gsr bootstrap history.csv.gz", "gsr run")(bootstrap)


def replay(
    context: typer.Context,
    events: Annotated[
        list[str],
        typer.Argument(metavar="EVENTS", help=f"{EVENTS_HELP} Or the URL of a log."),
    ],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where results go.")],
    protocol: ReplayProtocol = "prequential",
    config: ConfigFile = None,
    settings: Settings = None,
    columns: ReplayColumns = None,
    header: Header = None,
    quoting: QuotingRule = "auto",
    time_unit: TimestampUnit = None,
    time_format: TimestampFormat = None,
    window_hours: WindowHours = 1.0,
    mode: WindowMode = "frozen",
    tested: WindowTested = "last",
    start: Annotated[
        str | None,
        typer.Option("--from", metavar="WHERE", help="With a log: first time, or P:OFFSET,…"),
    ] = None,
    stop: Annotated[
        str | None,
        typer.Option("--to", metavar="WHERE", help="With a log: time or offsets to stop before."),
    ] = None,
    warmup: Annotated[
        float, typer.Option("--warmup", min=0, max=0.99, help="Share learned before scoring.")
    ] = 0.1,
    repeats: Annotated[
        Literal["exclude", "include"] | None,
        typer.Option(
            "--repeats",
            help="Clicks on items that the user clicked before [exclude; with windows include].",
        ),
    ] = None,
    seed: Annotated[
        int, typer.Option("--seed", min=0, max=MOST_SEED, help="Of everything random.")
    ] = 0,
    limit: Limit = None,
    cycle_clicks: CycleClicks = 200,
    baselines: Annotated[
        str,
        typer.Option(
            "--baselines",
            metavar="NAMES",
            help="Which to measure: names with commas between them, default, all or none; with "
            "warmup half-lives and mixes are chosen on the warm-up, else on the scored clicks. "
            "retrained, which needs processes and hours, is not in all.",
        ),
    ] = "default",
    retrain_hours: Annotated[
        float,
        typer.Option(
            "--retrain-hours",
            metavar="HOURS",
            help="Of event time, between two models of the baseline retrained.",
        ),
    ] = 24.0,
    retrain_passes: Annotated[
        int | None,
        typer.Option(
            "--retrain-passes",
            min=1,
            help="Passes of retrained over its clicks at most (default: validation ends them).",
        ),
    ] = None,
    compare: Annotated[
        list[Path] | None,
        typer.Option(
            "--compare",
            metavar="TOML",
            help="Another configuration that learns beside, on the same reading; may be repeated.",
        ),
    ] = None,
    recommendations: Annotated[
        Literal["none", "final", "all"],
        typer.Option("--recommendations", help="Which lists to write."),
    ] = "final",
    resume: Annotated[
        bool,
        typer.Option("--resume", help="Go on where the same replay into this folder stopped."),
    ] = False,
    skip_bad: SkipBad = False,
    as_json: AsJson = False,
) -> None:
    """Replay event files, or a stretch of the clicks topic, in event time.

    Every click is first a test, then learned. Writes metrics.json, report.html and the
    recommendations; prints the quality beside baselines that are updated after every click. With
    --protocol a file's sessions are tested window by window instead, beside published figures.
    """
    from consumers.runtime.threads import limit_threads
    from consumers.topics.click_export import LOG_URL

    named = column_names(columns, *WINDOW_ROLES)
    _say_what_goes(out)
    if protocol != "prequential":
        loaded = resolve(config, settings)
        limit_threads(loaded.trainer.threads)
        replay_by_windows(
            context,
            protocol,
            events,
            out,
            named,
            baselines,
            as_json=as_json,
            window_seconds=window_hours * 3600.0,
            tested=tested,
            modes=("frozen", "live") if mode == "both" else (mode,),
            repeats=repeats or "include",
            time_unit=time_unit,
            seed=seed,
            limit=limit,
            cycle_clicks=cycle_clicks,
            config=loaded,
        )
        return
    refuse_windows(context, named)
    dialect = file_dialect(header, quoting, time_unit, time_format, columns, *WINDOW_ROLES)
    urls = [text for text in events if LOG_URL.match(text)]
    if urls and len(events) > 1:
        raise typer.BadParameter("give one log, or files: a log is not read together with others")
    url = urls[0] if urls else None
    if url is None and (start is not None or stop is not None):
        raise typer.BadParameter("--from and --to need a log instead of a file")
    if url is not None:
        if skip_bad or not is_usual_dialect(dialect, columns):
            raise typer.BadParameter(
                "a log knows its columns and times: leave the options of files out (--column, "
                "--header, --quoting, --time-unit, --time-format, --skip-bad)"
            )
        dialect = file_dialect(None, "auto", "s", None, None)  # as clicks are on the topic
    loaded = resolve(config, settings, url)
    limit_threads(loaded.trainer.threads)
    compared = _compared(compare or [], settings)
    from consumers.cli.progress_bar import progress_bar
    from consumers.offline.replay.options import ReplayOptions
    from consumers.offline.replay.retraining.plan import RetrainingOptions
    from consumers.offline.replay.rivals import BaselineSelection
    from consumers.offline.replay.run import replay as replay_events
    from consumers.runtime.interruption import Interruption

    with ExitStack() as stack:
        interruption = Interruption()
        stack.enter_context(interruption.caught())
        stack.enter_context(_stop_told(out))
        files = [home_path(Path(text)) for text in events]
        if url is not None:
            files = [stack.enter_context(_exported(loaded, start, stop))]
        progress = stack.enter_context(progress_bar())
        result = replay_events(
            ReplayOptions(
                events=files,
                out=out,
                columns=by_session(named),
                dialect=dialect,
                config=loaded,
                warmup=warmup,
                repeats=repeats or "exclude",
                seed=seed,
                limit=limit,
                cycle_clicks=cycle_clicks,
                recommendations=recommendations,
                baselines=BaselineSelection.parse(baselines),
                retraining=RetrainingOptions(hours=retrain_hours, passes=retrain_passes),
                compare=compared,
                on_bad="skip" if skip_bad else "fail",
                judged=url is not None,
                resume=resume,
            ),
            progress,
            interruption=interruption,
        )
    if as_json:
        print_json(result)
    else:
        _print_quality(result)
    found = result["options"]
    say_skipped(found["skipped_rows"], found["skipped_examples"])
    say(f"wrote {out / 'metrics.json'} and {out / 'report.html'}")


def _say_what_goes(out: Path) -> None:
    """Say that an earlier report is going to be replaced, while there is time to stop."""
    if (out / "metrics.json").exists():
        say(f"{out} holds the report of an earlier replay: this one's takes its place at the end")


@contextmanager
def _stop_told(out: Path) -> Iterator[None]:
    """Say, where the block is interrupted, how to go on."""
    from consumers.offline.replay.resuming import DIRECTORY

    try:
        yield
    except (KeyboardInterrupt, SystemExit):
        if (out / DIRECTORY).is_dir():
            say("stopped; the same command with --resume goes on from here")
        raise


def _compared(files: list[Path], settings: list[str] | None) -> "dict[str, GsrConfig]":
    """Return name -> settings of each file; the flags count for all of them."""
    named = {file.stem: resolve(file, settings) for file in map(home_path, files)}
    if len(named) < len(files) or not named.keys().isdisjoint(("frozen", "retrained")):
        raise typer.BadParameter(
            "name the files of --compare differently: their names without .toml are what the "
            "configurations are called, and frozen and retrained are baselines",
            param_hint="--compare",
        )
    return named


def bootstrap(
    events: EventPaths,
    config: ConfigFile = None,
    settings: Settings = None,
    log: LogUrl = None,
    state: StateDirectory = None,
    columns: ColumnNames = None,
    header: Header = None,
    quoting: QuotingRule = "auto",
    time_unit: TimestampUnit = None,
    time_format: TimestampFormat = None,
    limit: Limit = None,
    cycle_clicks: CycleClicks = 200,
    skip_bad: SkipBad = False,
    as_json: AsJson = False,
) -> None:
    """Turn history into state and a first model; then go live with the same settings."""
    loaded = resolve(config, settings, log, state)
    dialect = file_dialect(header, quoting, time_unit, time_format, columns)
    from consumers.cli.progress_bar import progress_bar
    from consumers.offline.bootstrap.run import bootstrap as bootstrap_from
    from consumers.offline.click_history import ClickHistoryOptions
    from consumers.runtime.interruption import Interruption
    from consumers.runtime.threads import limit_threads
    from stream.clock import SystemClock

    limit_threads(loaded.trainer.threads)
    with Interruption().caught(), progress_bar() as progress:
        result = bootstrap_from(
            ClickHistoryOptions(
                events=events,
                config=loaded,
                columns=column_names(columns),
                dialect=dialect,
                limit=limit,
                cycle_clicks=cycle_clicks,
                on_bad="skip" if skip_bad else "fail",
            ),
            SystemClock(),
            progress,
        )
    if as_json:
        print_json(result)
    else:
        counts = [(name, value) for name, value in result.items() if isinstance(value, int)]
        print_table(("what", "value"), counts)
    say_made_topics(loaded, result["topics_made"])
    say_skipped(result["skipped_rows"], result["skipped_examples"])
    say("state and model are in place: continue with gsr run and the same settings")


@contextmanager
def _exported(loaded: "GsrConfig", start: str | None, stop: str | None) -> Iterator[Path]:
    """Write the stretch of the topic to a file that is gone after the block."""
    from consumers.runtime.outputs import output_errors
    from consumers.runtime.scratch import scratch_directory
    from consumers.topics.click_export import TopicRange, export_clicks
    from stream.clock import SystemClock
    from stream.log.opening import open_log

    topic = loaded.log.clicks
    with scratch_directory() as scratch:
        path = scratch / f"{topic}.jsonl.zst"
        log = open_log(loaded.log.url, SystemClock(), loaded.kafka)
        try:
            with output_errors(scratch.parent):
                found = export_clicks(
                    log, topic, TopicRange(start=start, stop=stop), loaded.events.rules(), path
                )
        finally:
            log.close()
        say(
            f"{found.clicks:,} clicks of {topic}; left out: {found.refused.total():,} refused, "
            f"{found.forgets:,} forget records"
        )
        yield path


def _print_quality(result: dict[str, Any]) -> None:
    from consumers.offline.replay.verdict import verdict

    overall = {model: result["overall"][model] for model in result["models"]}
    names = sorted({name for metrics in overall.values() for name in metrics}, key=_by_kind)
    print_table(
        ("model", *names),
        [(model, *(metrics[name] for name in names)) for model, metrics in overall.items()],
    )
    say(verdict(result))


def _by_kind(name: str) -> tuple[str, int]:
    kind, _, cut = name.partition("@")
    return kind, int(cut) if cut.isdecimal() else 0
