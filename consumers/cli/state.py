"""`gsr state`: whether the state is sound, and checkpoints in its place."""

from pathlib import Path
from typing import Annotated

import typer

from consumers.cli.commands import command, confirm, group
from consumers.cli.options import (
    AsJson,
    ConfigFile,
    DryRun,
    LogUrl,
    Settings,
    StateDirectory,
    resolve,
)
from consumers.cli.output import print_json, say


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
    dry_run: DryRun = False,
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
