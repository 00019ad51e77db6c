"""Configurations as a model's manifest holds them, and their comparison with what is wanted."""

import dataclasses
from collections.abc import Collection, Mapping
from typing import Any, TypeVar

from gsr.errors import SnapshotError

Config = TypeVar("Config")


def config_as_json(config: Any) -> dict[str, Any]:
    """Return the fields of a dataclass as JSON values."""
    values = dataclasses.asdict(config)
    return {k: list(v) if isinstance(v, tuple) else v for k, v in values.items()}


def config_from_json(kind: type[Config], values: Mapping[str, Any]) -> Config:
    """Return the configuration of which `config_as_json` made values.

    Raises
    ------
    SnapshotError
        It has other fields, or values that no configuration takes.
    """
    settings = {
        name: tuple(value) if isinstance(value, list) else value for name, value in values.items()
    }
    try:
        return kind(**settings)
    except (TypeError, ValueError) as error:
        raise SnapshotError(f"the snapshot's configuration is unknown here: {error}") from error


def refuse_other_config(written: Any, wanted: Any, unlearned: Collection[str]) -> None:
    """Refuse a model that was made with another configuration.

    Parameters
    ----------
    written, wanted
        Of one dataclass.
    unlearned
        Fields that no weight depends on, which may differ.

    Raises
    ------
    SnapshotError
        Each differing setting is named with both values.
    """
    old, new = dataclasses.asdict(written), dataclasses.asdict(wanted)
    different = [
        f"{name} is {old[name]}, not {new[name]}"
        for name in old
        if name not in unlearned and old[name] != new[name]
    ]
    if different:
        msg = f"the snapshot was made with another configuration: {'; '.join(different)}"
        raise SnapshotError(f"{msg}. Restore these settings, or start a new model.")
