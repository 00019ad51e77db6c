"""`gsr models`: the kept models, and the way back to an older one."""

from typing import Annotated, Final

import typer

from consumers.cli.commands import command, confirm, group
from consumers.cli.options import (
    AsJson,
    ConfigFile,
    DryRun,
    Settings,
    StateDirectory,
    Yes,
    resolve,
)
from consumers.cli.output import print_json, print_table, say

Version = Annotated[int, typer.Argument(metavar="VERSION", min=1, help="A model's version.")]

_LARGEST_VERSION: Final = 1_000_000_000


def add_to(app: typer.Typer) -> None:
    """Add the commands of this file."""
    models = group("List, show and roll back models.")
    command(models, "list", "gsr models list")(list_models)
    command(models, "show", "gsr models show 42")(show_model)
    command(models, "rollback", "gsr models rollback 41 --yes", "gsr models rollback 3 --above 42")(
        rollback
    )
    app.add_typer(models, name="models")


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
    dry_run: DryRun = False,
    yes: Yes = False,
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
