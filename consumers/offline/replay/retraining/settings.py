"""Shape of the encoders of a model that is learned anew: that of `gsr evaluate`."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from consumers.errors import ConfigError
from gsr.config import ModelConfig
from gsr.counters.interactions import Interactions
from gsr.learning.batch_defaults import batch_model

ONE_KIND: Final = (1.0,)
"""Weights of events, where encoders read only those that teach, and none apart."""


def encoder_shape(
    interactions: Interactions, ends: npt.NDArray[np.int64], changes: Mapping[str, Any]
) -> ModelConfig:
    """Return the shape in which encoders learn: what `gsr evaluate` takes.

    Parameters
    ----------
    interactions, ends
        The clicks that are learned from, see `gsr.learning.batch_defaults.batch_model`.
    changes
        Settings that differ, by name.

    Raises
    ------
    ConfigError
        A changed setting does not exist or cannot be.
    """
    suggested = batch_model(interactions, ends)
    try:
        return replace(suggested, **changes, event_weights=ONE_KIND, graph_encoder=False)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"shape of the retrained model: {error}") from error
