"""Settings of a model that is learned anew: its encoders' shape, and what reads the live counters.

Its encoders are those of `gsr evaluate`. What stands beside them, and how far either is trusted,
is of the stream: the channels of the live counters, on the time scales of the state.
"""

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from consumers.config.settings import GsrConfig
from consumers.errors import ConfigError
from gsr.config import ModelConfig
from gsr.counters.interactions import Interactions
from gsr.learning.batch_defaults import batch_model


def serving_config(config: GsrConfig) -> ModelConfig:
    """Return the shape of the model that ranks before the first was learned, and of its channels.

    All of a user's buffer is read, because encoders that are learned may read as far back.
    """
    return ModelConfig(
        half_lives=config.state.half_lives_seconds,
        event_weights=tuple(config.events.weights.values()),
        history_length=config.state.buffer_length,
        graph_encoder=False,
        context_sees_user=False,
    )


def encoder_shape(
    interactions: Interactions,
    ends: npt.NDArray[np.int64],
    config: GsrConfig,
    changes: Mapping[str, Any],
) -> ModelConfig:
    """Return the shape in which encoders learn: what `gsr evaluate` takes, without channels.

    Parameters
    ----------
    interactions, ends
        The clicks that are learned from, see `gsr.learning.batch_defaults.batch_model`.
    config
        Names the events.
    changes
        Settings that differ, by name.

    Raises
    ------
    ConfigError
        A changed setting does not exist or cannot be.
    """
    suggested = batch_model(interactions, ends)
    try:
        return replace(
            suggested,
            **changes,
            event_weights=config.model.event_weights,
            graph_encoder=False,
            graph_channels=False,
            popularity_channels=False,
        )
    except (TypeError, ValueError) as error:
        raise ConfigError(f"shape of the retrained model: {error}") from error


def serving_shape(encoders: ModelConfig, stream: ModelConfig) -> ModelConfig:
    """Return the shape of the model that ranks: such encoders, beside the channels of a stream's.

    Parameters
    ----------
    encoders
        See `encoder_shape`.
    stream
        Of `serving_config`.
    """
    live = asdict(stream)
    of_stream = (
        *("half_lives", "event_weights", "popularity_channels", "graph_channels"),
        *("channel_history", "channel_decay", "new_item_boost"),
        *("context_weights", "context_width", "context_sees_user"),
    )
    return replace(encoders, **{name: live[name] for name in of_stream})
