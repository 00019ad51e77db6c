"""Scored clicks as a Parquet file: all of them, in order, whole or not at all."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from consumers.errors import ArtifactError, ConfigError, NotFoundError
from consumers.offline.evaluation.case_files import CASES_NAME, identity_in
from consumers.offline.replay import cases
from consumers.offline.replay.case_columns import (
    is_replay,
    models_in,
    open_replay_cases,
)
from consumers.offline.replay.cases import CaseWriter
from gsr.loop import reports

NAMES = ("joint", "popularity@3600", "popularity@86400", "ranker")
SHOWN = {"joint": "joint", "popularity": "popularity@86400", "ranker": "ranker"}


def scored(first: int, count: int, version: int = 0, shift: int = 0) -> reports.TestedClicks:
    """Clicks whose ranks tell their offset and column."""
    offsets = np.arange(first, first + count)
    ranks = 10 * offsets[:, None] + np.arange(len(NAMES)) + 1 + shift
    return reports.TestedClicks(
        offsets=offsets,
        times=1e9 + offsets / 2,
        ranks=ranks.astype(np.int32),
        user_clicks=offsets % 13,
        item_clicks=offsets % 11,
        version=version,
    )


def write(path: Path, parts: list[reports.TestedClicks]) -> None:
    with CaseWriter(path, NAMES, {"protocol": {"warmup": 0.1}}) as writer:
        for part in parts:
            users = [f"u{n}" for n in part.offsets]
            writer.add(part, users, [f"i{n}" for n in part.offsets])
        writer.finish(SHOWN)


def test_every_click_has_its_facts_and_the_shown_ranks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the sizes of the parts: row groups are full but for the last."""
    monkeypatch.setattr(cases, "GROUP_ROWS", 8)
    path = tmp_path / CASES_NAME
    write(path, [scored(0, 3), scored(3, 18, version=2), scored(21, 0), scored(21, 1, version=3)])
    table = pq.read_table(path)
    offsets = np.arange(22)
    assert table["offset"].to_pylist() == offsets.tolist()
    assert table["time"].to_pylist() == (1e9 + offsets / 2).tolist()
    assert table["user_id"].to_pylist() == [f"u{n}" for n in offsets]
    assert table["item_id"].to_pylist() == [f"i{n}" for n in offsets]
    assert table["version"].to_pylist() == [0] * 3 + [2] * 18 + [3]
    for column, name in enumerate(NAMES):
        for shown in [key for key, of in SHOWN.items() if of == name]:
            assert table[f"rank_{shown}"].to_pylist() == (10 * offsets + column + 1).tolist()
    names = ["0", "1", "2", *["3-9"] * 7, *["10+"] * 3]
    assert table["user_slice"].to_pylist() == [names[n % 13] for n in offsets]
    names = ["0", *["1-4"] * 4, *["5-9"] * 5, "10+"]
    assert table["item_slice"].to_pylist() == [names[n % 11] for n in offsets]
    with open_replay_cases(tmp_path) as file:
        groups = [file.metadata.row_group(n).num_rows for n in range(file.num_row_groups)]
        assert groups == [8, 8, 6]
        assert models_in(file.schema_arrow) == list(SHOWN)
        assert identity_in(file.schema_arrow) == {"protocol": {"warmup": 0.1}}
    assert [entry.name for entry in tmp_path.iterdir()] == [CASES_NAME]


def test_other_configurations_stand_beside_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They may come later, and in parts of other sizes."""
    monkeypatch.setattr(cases, "GROUP_ROWS", 8)
    with CaseWriter(tmp_path / CASES_NAME, NAMES, {}) as writer:
        writer.add(scored(0, 20), ["u"] * 20, ["i"] * 20)
        for first in (0, 5, 10, 15):
            writer.add_other("deep", scored(first, 5, shift=3))
        writer.finish(SHOWN)
    table = pq.read_table(tmp_path / CASES_NAME)
    assert table["rank_joint:deep"].to_pylist() == (10 * np.arange(20) + 4).tolist()


@pytest.mark.parametrize(("first", "count"), [(0, 19), (1, 20)])
def test_other_configurations_must_have_scored_the_same(
    tmp_path: Path, first: int, count: int
) -> None:
    """Too few clicks, or others: the error names the configuration, and nothing is written."""
    with CaseWriter(tmp_path / CASES_NAME, NAMES, {}) as writer:
        writer.add(scored(0, 20), ["u"] * 20, ["i"] * 20)
        writer.add_other("deep", scored(first, count))
        with pytest.raises(ConfigError, match="'deep' scored other clicks"):
            writer.finish(SHOWN)
    assert list(tmp_path.iterdir()) == []


def test_a_replay_without_scored_clicks_has_an_empty_file(tmp_path: Path) -> None:
    write(tmp_path / CASES_NAME, [])
    assert len(pq.read_table(tmp_path / CASES_NAME)) == 0
    assert is_replay(tmp_path)


def test_what_is_interrupted_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither a result nor what waited for it."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)

    def interrupt(writer: CaseWriter) -> None:
        with writer:
            writer.add(scored(0, 20), ["u"] * 20, ["i"] * 20)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupt(CaseWriter(tmp_path / CASES_NAME, NAMES, {}))
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_case_file_of_a_replay_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="gsr replay wrote"):
        open_replay_cases(tmp_path)
    write(tmp_path / CASES_NAME, [scored(0, 3)])
    other = tmp_path / "other.parquet"
    pq.write_table(pq.read_table(tmp_path / CASES_NAME).drop_columns(["offset"]), other)
    with pytest.raises(ArtifactError, match="no column offset"):
        open_replay_cases(other)
    other.write_bytes(b"no Parquet")
    with pytest.raises(ArtifactError, match="cannot be read"):
        open_replay_cases(other)
    assert not is_replay(other)


def test_where_parts_were_cut_does_not_show(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that stopped twice and went on writes the file of an undisturbed one."""
    monkeypatch.setattr(cases, "GROUP_ROWS", 8)
    parts = [scored(0, 5), scored(5, 6), scored(11, 10)]
    write(tmp_path / CASES_NAME, parts)
    cut = 0
    for number, part in enumerate(parts):
        path, scratch = tmp_path / "again.parquet", tmp_path / "scratch"
        with CaseWriter(
            path, NAMES, {"protocol": {"warmup": 0.1}}, scratch=scratch, parts=cut
        ) as writer:
            ids = part.offsets
            writer.add(part, [f"u{n}" for n in ids], [f"i{n}" for n in ids])
            cut = writer.cut()
            if number == len(parts) - 1:
                writer.finish(SHOWN)
    assert cut == len(parts)
    assert path.read_bytes() == (tmp_path / CASES_NAME).read_bytes()
