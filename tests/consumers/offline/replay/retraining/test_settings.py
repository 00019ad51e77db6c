"""The shape of a retrained model's encoders is that of an evaluation's."""

import numpy as np
import pytest

from consumers.errors import ConfigError
from consumers.offline.replay.retraining.settings import encoder_shape
from gsr.learning.batch_defaults import batch_model
from tests.gsr.world import one_click_a_minute

CLICKS = one_click_a_minute(np.arange(40).reshape(4, 10) % 12, 12)
ENDS = CLICKS.starts[1:]


def test_encoders_are_those_of_an_evaluation() -> None:
    """But for the events, of which there is one kind."""
    shape, suggested = encoder_shape(CLICKS, ENDS, {}), batch_model(CLICKS, ENDS)
    for name in ("dimension", "ensemble", "blocks", "heads", "history_length", "dropout"):
        assert getattr(shape, name) == getattr(suggested, name)
    assert len(shape.event_weights) == 1
    assert not shape.graph_encoder


@pytest.mark.parametrize("changes", [{"width": 3}, {"dimension": 7}, {"event_weights": (1.0,)}])
def test_a_shape_that_cannot_be_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="shape of the retrained model"):
        encoder_shape(CLICKS, ENDS, changes)
