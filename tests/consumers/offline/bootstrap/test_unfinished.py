"""A bootstrap that did not come to its end leaves a mark, and the mark is refused."""

from pathlib import Path

import pytest

from consumers.config.settings import GsrConfig
from consumers.errors import ConfigError
from consumers.offline.bootstrap.unfinished import refuse_unfinished, unfinished


@pytest.fixture
def config(tmp_path: Path) -> GsrConfig:
    return GsrConfig().with_values({"state": {"directory": tmp_path / "state"}})


def test_a_finished_bootstrap_leaves_no_mark(config: GsrConfig) -> None:
    """While it is at work, others are refused."""
    refuse_unfinished(config)
    with unfinished(config), pytest.raises(ConfigError, match="gsr bootstrap"):
        refuse_unfinished(config)
    refuse_unfinished(config)


def test_a_failed_bootstrap_is_refused_by_what_to_delete(config: GsrConfig) -> None:
    """The way out names everything that it may have made."""
    with pytest.raises(KeyboardInterrupt), unfinished(config):
        raise KeyboardInterrupt
    with pytest.raises(ConfigError) as refusal:
        refuse_unfinished(config)
    for made in (config.ingest_directory, f"{config.artifacts_url}/trainer"):
        assert str(made) in str(refusal.value)
    (config.state.directory / "bootstrap-unfinished").unlink()
    refuse_unfinished(config)
