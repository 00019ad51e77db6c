"""`gsr state`, `gsr models`, `gsr log`: looking after a running service."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from consumers.cli.commands import command, confirm, group
from consumers.cli.log_access import known_topics, log_as_it_is
from consumers.cli.options import (
    AsJson,
    ConfigFile,
    LogUrl,
    Settings,
    StateDirectory,
    resolve,
)
from consumers.cli.output import print_json, print_table, say

if TYPE_CHECKING:  # it would slow `gsr --help` down
    from stream.log.interface import TopicSpec

Version = Annotated[int, typer.Argument(metavar="VERSION", min=1, help="A model's version.")]


_LARGEST_VERSION = 1_000_000_000


def add_to(app: typer.Typer) -> None:
    """Add the commands of this file."""
    state = group("Look after the state.")
    command(state, "check", "gsr state check", "gsr state check --live")(check)
    command(
        state,
        "restore",
        "gsr state restore --dry-run",
        "gsr state restore --partition 3 --yes",
        "gsr state restore --into /tmp/state",
    )(restore)
    app.add_typer(state, name="state")
    models = group("List, show and roll back models.")
    command(models, "list", "gsr models list")(list_models)
    command(models, "show", "gsr models show 42")(show_model)
    command(models, "rollback", "gsr models rollback 41 --yes", "gsr models rollback 3 --above 42")(
        rollback
    )
    app.add_typer(models, name="models")
    log = group("Look at the event log, and tidy it up.")
    command(log, "topics", "gsr log topics")(topics)
    command(log, "retain", "gsr log retain --dry-run", "gsr log retain --yes")(retain)
    command(log, "clean", "gsr log clean")(clean)
    app.add_typer(log, name="log")


def check(
    config: ConfigFile = None,
    settings: Settings = None,
    log: LogUrl = None,
    state: StateDirectory = None,
    live: Annotated[
        bool, typer.Option("--live", help="The state itself; ingest must not run.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Find out whether the state agrees with itself: the newest checkpoint of each partition.

    Where it does not, what mends it is found out from the checkpoints and the log.
    """
    loaded = resolve(config, settings, log, state)
    from consumers.artifacts.store import open_artifacts
    from consumers.errors import NotFoundError
    from consumers.inspect.state_advice import (
        find_problems,
        gather_facts,
        live_states,
        log_starts,
        repair_advice,
    )
    from consumers.offline.bootstrap.unfinished import refuse_unfinished
    from stream.clock import SystemClock
    from stream.errors import StateCorruptError

    refuse_unfinished(loaded)
    store = open_artifacts(loaded, SystemClock())
    if live:
        paths = dict(sorted(live_states(loaded.ingest_directory).items()))
    else:
        paths = {
            partition: store.checkpoint_path(partition, number)
            for partition, number in store.newest_checkpoints().items()
        }
    if not paths:
        where = loaded.ingest_directory if live else loaded.artifacts_url
        raise NotFoundError(
            f"there is no state in {where}: name the right directory with --state; gsr ingest "
            "makes it"
        )
    problems = {partition: find_problems(path) for partition, path in paths.items()}
    if as_json:
        print_json({f"partition-{partition}": found for partition, found in problems.items()})
    else:
        for partition, found in problems.items():
            say(f"partition-{partition}: {'; '.join(found) or 'sound'}")
    damaged = [partition for partition, found in problems.items() if found]
    if damaged:
        starts = log_starts(loaded)
        ways = [
            repair_advice(
                gather_facts(loaded, store, partition, live=live, log_start=starts.get(partition))
            )
            for partition in damaged
        ]
        raise StateCorruptError("\n".join(("the state contradicts itself", *ways)))


def restore(
    config: ConfigFile = None,
    settings: Settings = None,
    state: StateDirectory = None,
    partitions: Annotated[
        list[int] | None,
        typer.Option("--partition", min=0, metavar="N", help="Only this one; may be repeated."),
    ] = None,
    into: Annotated[
        Path | None,
        typer.Option("--into", metavar="DIR", help="Another state directory than the own one."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would happen.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Replace the state that is there.")] = False,
) -> None:
    """Put the newest checkpoints in place of the state; ingest must not run.

    Ingest then reads on from the log where the checkpoint ends, and comes to the same state. It
    does this by itself for a partition whose directory was moved away.
    """
    loaded = resolve(config, settings, state=state)
    from consumers.artifacts.restoring import plan_restore, refuse_other_shapes, restore_partition
    from consumers.artifacts.store import open_artifacts
    from stream.clock import SystemClock

    store = open_artifacts(loaded, SystemClock())
    target = loaded.ingest_directory if into is None else into / loaded.ingest_directory.name
    plan = plan_restore(store, target, partitions or ())
    refuse_other_shapes(loaded, store, plan)
    for step in plan:
        say(
            f"partition {step.partition}: checkpoint of offset {step.offset} to {step.directory}"
            f"{', which holds a state' if step.replaces else ''}"
        )
    if dry_run:
        return
    replaced = sum(step.replaces for step in plan)
    if replaced:
        confirm(f"Replace the state of {replaced} partitions?", yes=yes)
    for step in plan:
        offset = restore_partition(store, step)
        say(f"partition {step.partition}: restored; ingest reads on from offset {offset}")


def list_models(
    config: ConfigFile = None,
    settings: Settings = None,
    state: StateDirectory = None,
    as_json: AsJson = False,
) -> None:
    """List the kept models, oldest first; the serving one is marked."""
    loaded = resolve(config, settings, state=state)
    from consumers.artifacts.store import open_artifacts
    from consumers.inspect.times import iso_time
    from stream.clock import SystemClock

    store = open_artifacts(loaded, SystemClock())
    current = store.current_snapshot()
    manifests = store.snapshots()
    if as_json:
        print_json(
            [manifest | {"current": manifest["version"] == current} for manifest in manifests]
        )
        return
    if not manifests:
        say(
            f"there are no models in {loaded.artifacts_url} yet: the trainer makes the first one "
            "after some hundred clicks; --state names another directory"
        )
        return
    print_table(
        ("version", "made", "bytes", "restores", "serving"),
        [
            (
                manifest["version"],
                iso_time(manifest["created_at"]),
                manifest["bytes"],
                manifest.get("restored_from") or "",
                "yes" if manifest["version"] == current else "",
            )
            for manifest in manifests
        ],
    )


def show_model(
    version: Version,
    config: ConfigFile = None,
    settings: Settings = None,
    state: StateDirectory = None,
) -> None:
    """Print a model's manifest as JSON: parent, positions, quality, configuration."""
    loaded = resolve(config, settings, state=state)
    from consumers.artifacts.store import open_artifacts
    from stream.clock import SystemClock

    print_json(open_artifacts(loaded, SystemClock()).snapshot_manifest(version))


def rollback(
    version: Version,
    config: ConfigFile = None,
    settings: Settings = None,
    state: StateDirectory = None,
    above: Annotated[
        int,
        typer.Option(
            "--above",
            min=0,
            max=_LARGEST_VERSION,
            metavar="N",
            help="Give it a number above N: where lists of model N wait for a newer one.",
        ),
    ] = 0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would happen.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Serve an older model again, as a new version; the trainer goes on learning from it."""
    loaded = resolve(config, settings, state=state)
    from consumers.artifacts.store import open_artifacts
    from consumers.artifacts.written_settings import refuse_other_model
    from stream.clock import SystemClock

    store = open_artifacts(loaded, SystemClock())
    manifest = store.snapshot_manifest(version)
    refuse_other_model(manifest.get("config", {}), loaded, f"model {version}")
    current = store.current_snapshot()
    if dry_run:
        say(f"would restore model {version} in place of {current}")
        return
    confirm(f"Serve model {version} instead of {current}?", yes=yes)
    say(f"model {version} is served again, as version {store.rollback(version, above)}")


def topics(
    config: ConfigFile = None,
    settings: Settings = None,
    log: LogUrl = None,
    as_json: AsJson = False,
) -> None:
    """List topics: partitions, records from and to which offset, and how they are kept."""
    loaded = resolve(config, settings, log)
    rows = []
    with log_as_it_is(loaded) as log_opened:
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
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would happen.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Give topics the retention that the configuration says, after it was changed there.

    A shorter one deletes what is past it. Roles that run heed it at once; they refuse to start
    where topic and configuration differ.
    """
    loaded = resolve(config, settings, log)
    with log_as_it_is(loaded) as log_opened:
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

    with log_as_it_is(loaded) as log_opened:
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
