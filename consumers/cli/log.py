"""`gsr log`: the topics of the event log, their retention, and tidying up."""

from typing import TYPE_CHECKING

import typer

from consumers.cli.commands import command, confirm, group
from consumers.cli.log_access import known_topics, open_configured_log
from consumers.cli.options import AsJson, ConfigFile, DryRun, LogUrl, Settings, Yes, resolve
from consumers.cli.output import print_json, print_table, say

if TYPE_CHECKING:  # it would slow `gsr --help` down
    from stream.log.interface import TopicSpec


def add_to(app: typer.Typer) -> None:
    """Add the commands of this file."""
    log = group("Look at the event log, and tidy it up.")
    command(log, "topics", "gsr log topics")(topics)
    command(log, "retain", "gsr log retain --dry-run", "gsr log retain --yes")(retain)
    command(log, "clean", "gsr log clean")(clean)
    app.add_typer(log, name="log")


def topics(
    config: ConfigFile = None,
    settings: Settings = None,
    log: LogUrl = None,
    as_json: AsJson = False,
) -> None:
    """List topics: partitions, records from and to which offset, and how they are kept."""
    loaded = resolve(config, settings, log)
    rows = []
    with open_configured_log(loaded) as log_opened:
        found = known_topics(loaded, log_opened)
        missing = [spec.name for spec in loaded.log.topics() if spec.name not in found]
        for name, spec in sorted(found.items()):
            starts, ends = log_opened.start_offsets(name), log_opened.end_offsets(name)
            rows.append(
                {
                    "topic": name,
                    "partitions": spec.partitions,
                    "offsets": sum(ends.values()),
                    "kept_from": sum(starts.values()),
                    "kept": "newest of each key" if spec.compacted else _retention(spec),
                }
            )
    if as_json:
        print_json(rows)
    else:
        print_table(tuple(rows[0]), [tuple(row.values()) for row in rows])
    if missing:
        say(f"not there: {', '.join(missing)}; gsr run and gsr ingest make them")


def retain(
    config: ConfigFile = None,
    settings: Settings = None,
    log: LogUrl = None,
    dry_run: DryRun = False,
    yes: Yes = False,
) -> None:
    """Give topics the retention that the configuration says, after it was changed there.

    A shorter one deletes what is past it. Roles that run heed it at once; they refuse to start
    where topic and configuration differ.
    """
    loaded = resolve(config, settings, log)
    with open_configured_log(loaded) as log_opened:
        found = known_topics(loaded, log_opened)
        changes = [
            (found[spec.name], spec)
            for spec in loaded.log.topics()
            if spec.name in found and _kept(found[spec.name]) != _kept(spec)
        ]
        for old, new in changes:
            say(f"{new.name}: {_retention(old)} becomes {_retention(new)}")
        if not changes:
            say("every topic keeps what the configuration says")
        if dry_run or not changes:
            return
        confirm(f"Change {len(changes)} topics?", yes=yes)
        for _, new in changes:
            log_opened.set_retention(
                new.name, seconds=new.retention_seconds, size_bytes=new.retention_bytes
            )
    say("done")


def clean(config: ConfigFile = None, settings: Settings = None, log: LogUrl = None) -> None:
    """Delete and compact now what the embedded log no longer needs; ingest also does it."""
    loaded = resolve(config, settings, log)
    from consumers.errors import ConfigError
    from stream.log.embedded.log import EmbeddedLog

    with open_configured_log(loaded) as log_opened:
        if not isinstance(log_opened, EmbeddedLog):
            raise ConfigError(f"{loaded.log.url} tidies itself up: only embedded logs need this")
        found = known_topics(loaded, log_opened)
        for name in (spec.name for spec in loaded.log.topics() if spec.name in found):
            while log_opened.clean(name).more:
                pass
    say("clean")


def _kept(spec: "TopicSpec") -> tuple[float | None, int | None]:
    return spec.retention_seconds, spec.retention_bytes


def _retention(spec: "TopicSpec") -> str:
    age, size = spec.retention_seconds, spec.retention_bytes
    parts = [f"{age / 86_400:g} days"] if age else []
    parts += [f"{size:,} bytes per partition"] if size else []
    return ", at most ".join(parts) or "all"
