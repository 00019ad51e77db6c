"""Comparison of the configuration with the settings that artifacts were written with.

Commands that only read take the artifacts' own (`as_written`); those that write refuse others by
name before they do anything (the functions `refuse_…`).
"""

import dataclasses
from collections.abc import Mapping
from typing import Any, Final

from consumers.artifacts.store import LEARN_ANEW, ArtifactStore
from consumers.config.loading import DERIVED
from consumers.config.sections.state import StateSection
from consumers.config.settings import GsrConfig
from consumers.errors import ArtifactError
from gsr.counters.items.item_graph import ItemGraph
from gsr.errors import SnapshotError
from gsr.ranker.config import UNLEARNED
from gsr.ranker.snapshot import FORMAT
from stream.errors import StateMismatchError
from stream.state.meta import StateMeta, as_setting, refuse_mismatch, setting_name

EVENT_NAMES: Final = "event_names"
"""Under this name a snapshot's manifest says what its event weights are the weights of."""

_WEIGHTS: Final = "event_weights"


def refuse_other_model(written: Mapping[str, Any], config: GsrConfig, what: str) -> None:
    """Refuse a model that was made with other settings than the configuration says.

    Parameters
    ----------
    written
        The model's settings, as a manifest has them.
    config
        All settings.
    what
        What holds the model, for the message.

    Raises
    ------
    SnapshotError
        Names each setting as users write it, with both values, and the ways out.
    """
    wanted = dataclasses.asdict(config.model)
    different = [
        f"{_setting(name)} = {as_setting(value)}, the configuration says "
        f"{as_setting(wanted.get(name))}"
        for name, value in written.items()
        if name not in UNLEARNED and as_setting(wanted.get(name)) != as_setting(value)
    ]
    if different:
        raise SnapshotError(
            f"{what} was made with {'; with '.join(different)}. Name the file or the settings that "
            f"it was made with (--config FILE, or --set). To give it up, {LEARN_ANEW}."
        )


def refuse_other_state(meta: StateMeta, partition: int, config: GsrConfig, place: str) -> None:
    """Refuse a state or checkpoint of another shape than the configuration says.

    Raises
    ------
    StateMismatchError
        Names the setting, both values and the way out.
    """
    names = tuple(config.events.weights)
    refuse_mismatch(meta, partition, config.state.shape(), names, place)


def refuse_other_journal(store: ArtifactStore, config: GsrConfig) -> None:
    """Refuse an artifact store whose trainer learns a model of other settings.

    A journal that cannot be read, torn or of another kind of model, is left to the trainer, who
    needs it.

    Raises
    ------
    SnapshotError
        See `refuse_other_model`.
    """
    try:
        journal = store.journal_manifest() or {}
    except ArtifactError:
        return
    model = journal.get("model", {})
    if model.get("model_format") == FORMAT:  # the trainer refuses others by their format
        refuse_other_model(model.get("config", {}), config, "the trainer's model")


def refuse_other_scales(graph: ItemGraph, config: GsrConfig) -> None:
    """Refuse a serving view whose counters have other time scales than the configuration says.

    Close clicks that the configuration does not ask for are scales too, and so are those that the
    view lacks.

    Raises
    ------
    StateMismatchError
        Names the setting, both values and the way out.
    """
    shape = config.state.shape()
    scales = {
        "half_lives": (graph.half_lives.tolist(), list(shape.half_lives)),
        "close_half_lives": (graph.close_half_lives.tolist(), list(shape.close_half_lives)),
    }
    for name, (written, wanted) in scales.items():
        if written == wanted:
            continue
        setting, value = setting_name(name), as_setting(written)
        way_out = f"{setting}={value}" if written else f"{setting_name('close_clicks')}=0"
        raise StateMismatchError(
            f"the serving view in {config.artifacts_url} was made with {setting} = "
            f"{value}, the configuration says {as_setting(wanted)}: name the file "
            f"or the settings that it was made with (--config FILE, or --set '{way_out}')"
        )


def as_written(config: GsrConfig, store: ArtifactStore, graph: ItemGraph | None) -> GsrConfig:
    """Return the configuration with the settings that view and model were made with.

    Parameters
    ----------
    config
        Says everything else.
    store
        Has the model, if any.
    graph
        That of the view, which has its own time scales; None: the configuration's.
    """
    values: dict[str, dict[str, Any]] = {}
    if graph is not None:
        close = tuple(graph.close_half_lives.tolist())
        values["state"] = {"half_lives_seconds": tuple(graph.half_lives.tolist())}
        values["state"] |= _close_clicks(close, config)
    version = store.current_snapshot()
    if version:
        manifest = store.snapshot_manifest(version)
        model = dict(manifest["config"])
        values["events"] = _events(manifest, config)
        values["model"] = {name: value for name, value in model.items() if name in _settings()}
    return config.with_values(values)


def _close_clicks(half_lives: tuple[float, ...], config: GsrConfig) -> dict[str, Any]:
    """Return settings with these scales of close clicks; no view says how far apart they are."""
    if not half_lives:
        return {"close_clicks": 0}
    reach = config.state.close_clicks or StateSection().close_clicks
    return {"close_clicks": reach, "close_half_lives_seconds": half_lives}


def _events(manifest: Mapping[str, Any], config: GsrConfig) -> dict[str, Any]:
    weights = manifest["config"][_WEIGHTS]
    # Models from before manifests had names: what comes first in the configuration came first then.
    known = manifest.get(EVENT_NAMES) or list(config.events.weights)
    names = [*known, *(f"event-{code}" for code in range(len(known), len(weights)))][: len(weights)]
    events: dict[str, Any] = {"weights": dict(zip(names, weights, strict=True))}
    if config.events.default_event not in names:
        events["default_event"] = names[0]
    return events


def _settings() -> set[str]:
    names = {field.name for field in dataclasses.fields(GsrConfig().model)}
    return names - {name.removeprefix("model.") for name in DERIVED}


def _setting(name: str) -> str:
    return DERIVED.get(f"model.{name}", f"model.{name}")
