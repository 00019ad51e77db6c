"""The mark of an unfinished bootstrap, whose leavings are refused."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from consumers.artifacts.store import FOLDERS
from consumers.config.settings import GsrConfig
from consumers.errors import ConfigError
from stream.state.rocks import writable

_MARK: Final = "bootstrap-unfinished"


@contextmanager
def unfinished(config: GsrConfig) -> Iterator[None]:
    """Keep the mark in the state directory until the block is done; it stays where that fails."""
    mark = _mark(config)
    with writable(mark.parent):
        mark.parent.mkdir(parents=True, exist_ok=True)
        mark.write_text("gsr bootstrap began here and has not come to its end\n")
    yield
    mark.unlink()


def refuse_unfinished(config: GsrConfig) -> None:
    """Refuse what a bootstrap left that was stopped on its way.

    Raises
    ------
    ConfigError
        Names what to delete; repeating the bootstrap then is all that is needed.
    """
    if not _mark(config).exists():
        return
    # Not the directories themselves, which may hold what others put there.
    artifacts = [f"{config.artifacts_url}/{folder}" for folder in FOLDERS]
    made = [config.ingest_directory, *artifacts, _mark(config)]
    raise ConfigError(
        f"the state in {config.state.directory} was left by a `gsr bootstrap` that is still at "
        "work or was stopped before its end, and holds a part of the history only. If none is at "
        f"work, delete what it made ({', '.join(map(str, made))}) and repeat it; "
        "the log may stay"
    )


def _mark(config: GsrConfig) -> Path:
    return config.state.directory / _MARK
