"""An installation keeps its name, and nobody else has it."""

import os
from pathlib import Path

import pytest

from consumers.config.settings import GsrConfig
from consumers.runtime.all_roles import member_flags
from consumers.runtime.instance import instance_of
from stream.errors import StateLockedError, StorageFullError
from stream.log.kafka.cluster.settings import KafkaSettings


def test_the_name_stays_with_the_state_directory(tmp_path: Path) -> None:
    """A restart is known by it; another directory has another one."""
    names = []
    for directory in (tmp_path / "here", tmp_path / "here", tmp_path / "there"):
        with instance_of(directory) as name:
            names.append(name)
    assert names[0] == names[1] != names[2]
    assert KafkaSettings(group_instance_id=names[0]).group_instance_id == names[0]


def test_a_name_that_was_cut_off_is_made_anew(tmp_path: Path) -> None:
    """A power cut while it was written leaves an empty file."""
    file = tmp_path / "instance" / "name"
    file.parent.mkdir()
    file.write_text("")
    with instance_of(tmp_path) as name:
        assert file.read_text().strip() == name != ""


def test_nobody_else_goes_by_the_name(tmp_path: Path) -> None:
    """A second `gsr run` on the directory would only take the partitions from the first."""
    with (
        instance_of(tmp_path),
        pytest.raises(StateLockedError, match=f"in use by process {os.getpid()}"),
        instance_of(tmp_path),
    ):
        pass
    with instance_of(tmp_path):
        pass


def test_a_directory_that_cannot_be_made(tmp_path: Path) -> None:
    """It is said what to do."""
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageFullError, match="--state"), instance_of(tmp_path / "file"):
        pass


def test_a_name_that_was_set_rules() -> None:
    """In a fleet, each process has got its own."""
    config = GsrConfig()
    assert member_flags(config, "made") == {"kafka.group_instance_id": "made"}
    config = config.with_values({"kafka": {"group_instance_id": "pod-3"}})
    assert member_flags(config, "made") == {}
