"""A leading `~` is the home directory; everything else stays as it was written."""

from pathlib import Path

import pytest

from consumers.config.home_paths import home_location, home_path
from consumers.errors import ConfigError


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize(
    ("text", "below"),
    [("~", ""), ("~/state", "/state"), ("embedded:~/log", "/log"), ("embedded:~", "")],
)
def test_home_at_the_beginning(text: str, below: str, home: Path) -> None:
    """Of a path, and of the path in the URL of an embedded log."""
    scheme = "embedded:" if text.startswith("embedded:") else ""
    assert home_location(text) == f"{scheme}{home}{below}"


@pytest.mark.parametrize(
    "text", ["", "a/~/b", "./~", "embedded:a/~", "kafka://~:9092", "s3://~/x", "$HOME/x"]
)
def test_what_else_has_a_tilde(text: str) -> None:
    """Is left alone, as a shell would."""
    assert home_location(text) == text


@pytest.mark.parametrize("text", ["~nobody-here/x", "embedded:~nobody-here"])
def test_nobodys_home_is_named(text: str) -> None:
    """Not made as a directory of that name."""
    with pytest.raises(ConfigError, match="~nobody-here is nobody's home"):
        home_location(text)
    with pytest.raises(ConfigError, match="write out the directory in full"):
        home_path(Path("~nobody-here/x"))
