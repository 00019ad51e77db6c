"""Settings of a retrained model: encoders of an evaluation, channels of the stream."""

import numpy as np
import pytest

from consumers.config.settings import GsrConfig
from consumers.errors import ConfigError
from consumers.offline.replay.retraining.settings import (
    encoder_shape,
    serving_config,
    serving_shape,
)
from gsr.learning.batch_defaults import batch_model
from tests.gsr.world import one_click_a_minute

CLICKS = one_click_a_minute(np.arange(40).reshape(4, 10) % 12, 12)
ENDS = CLICKS.starts[1:]
CONFIG = GsrConfig().with_values({"state": {"buffer_length": 20}})


def test_encoders_are_those_of_an_evaluation() -> None:
    """But for the events, which are the stream's, and the channels, which learn elsewhere."""
    shape, suggested = encoder_shape(CLICKS, ENDS, CONFIG, {}), batch_model(CLICKS, ENDS)
    for name in ("dimension", "ensemble", "blocks", "heads", "history_length", "dropout"):
        assert getattr(shape, name) == getattr(suggested, name)
    assert shape.event_weights == CONFIG.model.event_weights
    assert not any((shape.graph_channels, shape.popularity_channels, shape.graph_encoder))


def test_what_ranks_reads_the_channels_of_the_stream() -> None:
    """The same encoders, on the state's time scales; all of a buffer is read."""
    encoders = encoder_shape(CLICKS, ENDS, CONFIG, {"dimension": 16, "ensemble": 2})
    stream = serving_config(CONFIG)
    shape = serving_shape(encoders, stream)
    assert (shape.dimension, shape.ensemble, shape.blocks) == (16, 2, encoders.blocks)
    assert shape.half_lives == CONFIG.state.half_lives_seconds
    assert shape.channel_history == stream.channel_history
    assert shape.event_weights == CONFIG.model.event_weights
    assert shape.graph_channels
    assert shape.popularity_channels
    assert not shape.context_sees_user
    assert stream.history_length == 20


@pytest.mark.parametrize("changes", [{"width": 3}, {"dimension": 7}, {"event_weights": (1.0,)}])
def test_a_shape_that_cannot_be_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="shape of the retrained model"):
        encoder_shape(CLICKS, ENDS, CONFIG, changes)
