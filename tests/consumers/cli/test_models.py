"""Models are listed, shown and rolled back."""

import json

import pytest

from consumers.artifacts.store import open_artifacts
from consumers.config.settings import GsrConfig
from stream.clock import SystemClock
from tests.consumers.command_line import gsr


@pytest.mark.usefixtures("terminal")
def test_models_are_listed_shown_and_rolled_back() -> None:
    """The registry of models from the outside."""
    assert json.loads(gsr("models", "list", "--json").stdout) == []
    store = open_artifacts(GsrConfig(), SystemClock())
    store.publish_snapshot(b"one", {"loss": 1.0})
    store.publish_snapshot(b"two", {"loss": 2.0})
    assert (
        "would restore model 1 in place of 2" in gsr("models", "rollback", "1", "--dry-run").stderr
    )
    assert gsr("models", "rollback", "1", answer="n\n").exit_code == 1
    assert store.current_snapshot() == 2
    assert "as version 3" in gsr("models", "rollback", "1", "--yes").stderr
    listed = json.loads(gsr("models", "list", "--json").stdout)
    assert [(model["version"], model["current"]) for model in listed] == [
        (1, False),
        (2, False),
        (3, True),
    ]
    assert json.loads(gsr("models", "show", "3").stdout)["restored_from"] == 1
    assert "yes" in gsr("models", "list").stdout.splitlines()[-1]
    assert "as version 43" in gsr("models", "rollback", "1", "--above", "42", "--yes").stderr


def test_a_model_of_other_settings_is_not_rolled_back_to() -> None:
    """Neither trainer nor publisher could use it; the setting is named as users write it."""
    store = open_artifacts(GsrConfig(), SystemClock())
    store.publish_snapshot(b"one", {"config": {"dimension": 8, "event_weights": [1.0]}})
    refused = gsr("models", "rollback", "1", "--yes")
    assert refused.exit_code == 11
    assert "model.dimension = 8, the configuration says 64" in refused.stderr
    assert "events.weights = [1.0]" in refused.stderr
    assert store.current_snapshot() == 1
