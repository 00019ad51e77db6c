"""The committed manual of settings says what the code says."""

import dataclasses
from importlib.resources import files
from pathlib import Path

import pytest

from consumers.config.loading import DERIVED, known_settings, load_config
from consumers.config.manual import default_toml, read_docstring
from consumers.config.sections.events import EventsSection
from consumers.config.sections.state import StateSection
from consumers.config.settings import GsrConfig
from gsr.counters.config import CounterConfig
from stream.events.clicks.rules import EventRules


def committed() -> Path:
    return Path(str(files("consumers.config") / "default.toml"))


def test_the_committed_file_is_the_generated_one() -> None:
    """Run `python -m consumers.config.manual > consumers/config/default.toml` after a change."""
    assert committed().read_text() == default_toml()


def test_the_committed_file_holds_the_defaults() -> None:
    """Loading the file changes nothing."""
    assert load_config(committed()) == GsrConfig()


def test_every_setting_is_explained() -> None:
    """Each setting has words of its own or shares them with its neighbours."""
    config = GsrConfig()
    for section, names in known_settings().items():
        _, meanings = read_docstring(type(getattr(config, section)))
        for name in names:
            assert meanings.get(name) or f"{section}.{name}" in DERIVED, f"{section}.{name}"


@pytest.mark.parametrize(
    ("section", "target"),
    [(StateSection().shape(), CounterConfig()), (EventsSection().rules(), EventRules())],
)
def test_sections_agree_with_what_they_are_made_into(section: object, target: object) -> None:
    """The defaults of the configuration and of the library are the same."""
    assert section == target


def test_every_shape_setting_can_be_set() -> None:
    """No field of the state's shape is out of reach of the configuration."""
    reachable = {
        name.replace("half_lives_seconds", "half_lives") for name in known_settings()["state"]
    }
    assert {field.name for field in dataclasses.fields(CounterConfig)} <= reachable
