"""Settings that make no sense are refused, and those that were stored come back."""

from dataclasses import replace
from typing import Any

import pytest

from consumers.config.settings import GsrConfig
from consumers.learning.live_loop import loop_options
from gsr.errors import SnapshotError
from gsr.library.settings import StreamSettings
from tests.gsr.library.world import SETTINGS


def test_defaults_are_those_of_the_service() -> None:
    """A library user gets what an operator gets."""
    config, settings = GsrConfig(), StreamSettings()
    options = loop_options(config)
    assert settings.counters == options.state
    assert settings.ranker == options.model
    assert settings.learning == options.learner
    assert dict(settings.event_weights) == config.events.weights
    assert settings.default_event == config.events.default_event
    assert settings.allow_repeats == config.publisher.allow_repeats
    assert settings.threads == config.trainer.threads


def test_stored_settings_come_back() -> None:
    """The order of events included, which is their codes."""
    settings = replace(
        SETTINGS,
        event_weights={"z": 1.0, "a": -1.0},
        default_event="z",
        max_users=77,
    )
    again = StreamSettings.from_json(settings.to_json())
    assert again == settings
    assert list(again.event_weights) == ["z", "a"]


def test_settings_of_another_version_are_refused() -> None:
    """By name."""
    with pytest.raises(SnapshotError, match="unheard_of"):
        StreamSettings.from_json({**SETTINGS.to_json(), "unheard_of": 1})


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"event_weights": {}}, "1 to 255 names"),
        ({"event_weights": {"click": float("nan")}}, "is nan: give a finite number"),
        ({"default_event": "play"}, "which event_weights does not list"),
        ({"cycle_clicks": 0}, "cycle_clicks is 0: give a number from 1"),
        ({"max_users": 1}, "max_users is 1"),
        ({"threads": 0}, "threads is 0"),
    ],
)
def test_what_makes_no_sense_is_refused(changes: dict[str, Any], words: str) -> None:
    """With what to give."""
    with pytest.raises(ValueError, match=words):
        StreamSettings(**changes)
