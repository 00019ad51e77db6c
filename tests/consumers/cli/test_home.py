"""`~` in what commands are given: the home directory, not one that is called so."""

from pathlib import Path

import pytest

from tests.consumers.command_line import gsr


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in an empty directory, with another one as home."""
    (tmp_path / "work").mkdir()
    (tmp_path / "home").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def test_files_settings_and_logs_are_found_at_home(home: Path) -> None:
    """Arguments and options alike; nothing is made where the command runs."""
    (home / "clicks.csv").write_text("user_id,item_id,timestamp\nann,tea,100\n")
    (home / "gsr.toml").write_text("[log]\npartitions = 2\n")
    sent = gsr("produce", "~/clicks.csv", "--config=~/gsr.toml", "--log=embedded:~/log")
    assert sent.exit_code == 0, sent.output
    assert "sent 1 events" in sent.stderr
    assert gsr("state", "restore", "--into=~/other", "--state=~/state").exit_code == 9
    assert (home / "log").is_dir()
    assert list(Path().iterdir()) == []


def test_a_user_without_a_home_is_named(home: Path) -> None:
    """Instead of a directory with that name."""
    refused = gsr("produce", "~nobody-here/clicks.csv")
    assert refused.exit_code == 2
    assert "~nobody-here" in refused.stderr
    assert "Traceback" not in refused.output
    assert list(Path().iterdir()) == []
