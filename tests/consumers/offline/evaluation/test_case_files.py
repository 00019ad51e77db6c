"""Files of ranks: written whole or not at all, read with care."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from consumers.errors import ArtifactError, NotFoundError
from consumers.offline.evaluation.case_files import (
    CASES_NAME,
    SCHEMA,
    Graph,
    Part,
    RankedCases,
    read_cases,
    write_cases,
)


def ranked(part: Part = "test", graph: Graph = "frozen", seed: int = 0) -> RankedCases:
    return RankedCases(
        part=part,
        graph=graph,
        seed=seed,
        user_ids=["ann", "bob"],
        item_ids=["tea", f"{part}-{graph}"],
        ranks=np.array([3, 100 + seed], dtype=np.int32),
        history_lengths=np.array([4, 7]),
        cold_items=np.array([False, True]),
        cold_users=np.array([False, False]),
    )


def test_what_is_written_is_read_part_by_part(tmp_path: Path) -> None:
    """A directory is as good as its file; the identity comes along."""
    path = tmp_path / CASES_NAME
    runs = [
        ranked("valid"),
        ranked(),
        ranked(graph="live"),
        ranked(seed=5),
    ]
    write_cases(path, runs, {"protocol": {"name": "leave-one-out"}})
    table = read_cases(tmp_path, "test", "frozen")
    assert table.identity == {"protocol": {"name": "leave-one-out"}}
    assert table.seeds.tolist() == [0, 0, 5, 5]
    assert table.ranks.tolist() == [3, 100, 3, 105]
    assert table.user_ids.tolist() == ["ann", "bob", "ann", "bob"]
    assert read_cases(path, "test", "live").item_ids.tolist() == ["tea", "test-live"]
    assert read_cases(path, "valid", "frozen").item_ids.tolist() == ["tea", "valid-frozen"]
    with pytest.raises(NotFoundError, match="no ranks of valid with the live graph"):
        read_cases(path, "valid", "live")
    whole = pq.read_table(path)
    assert whole.schema.equals(SCHEMA)
    assert whole["history_length"].to_pylist() == [4, 7] * 4
    assert whole["cold_item"].to_pylist() == [False, True] * 4


def test_a_file_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    """A run that fails half-way leaves what was there before, and nothing else."""
    path = tmp_path / CASES_NAME
    write_cases(path, [ranked()], {})
    before = path.read_bytes()

    def failing() -> Iterator[RankedCases]:
        yield ranked(seed=1)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_cases(path, failing(), {})
    assert path.read_bytes() == before
    assert [found.name for found in tmp_path.iterdir()] == [CASES_NAME]


def test_another_program_may_leave_columns_out(tmp_path: Path) -> None:
    """Then it is one seed's test with a frozen graph; whole numbers pass as ids."""
    path = tmp_path / "theirs.parquet"
    pq.write_table(pa.table({"user_id": [1, 2], "item_id": [7, 8], "rank": [4, 9]}), path)
    table = read_cases(path, "test", "frozen")
    assert table.user_ids.tolist() == ["1", "2"]
    assert table.item_ids.tolist() == ["7", "8"]
    assert (table.ranks.tolist(), table.seeds.tolist()) == ([4, 9], [0, 0])
    assert table.identity is None


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"there is no .*cases\.parquet: name the directory"):
        read_cases(tmp_path, "test", "frozen")
    with pytest.raises(NotFoundError, match=r"there is no .*none\.parquet"):
        read_cases(tmp_path / "none.parquet", "test", "frozen")


def test_a_file_that_is_no_file_of_ranks_is_said(tmp_path: Path) -> None:
    torn = tmp_path / "torn.parquet"
    write_cases(torn, [ranked()], {})
    torn.write_bytes(torn.read_bytes()[:-20])
    with pytest.raises(ArtifactError, match=r"torn\.parquet cannot be read as ranks"):
        read_cases(torn, "test", "frozen")

    clicks = tmp_path / "clicks.parquet"
    pq.write_table(pa.table({"user_id": ["a"], "item_id": ["b"]}), clicks)
    with pytest.raises(ArtifactError, match="has no column rank: it holds no ranks"):
        read_cases(clicks, "test", "frozen")

    words = tmp_path / "words.parquet"
    pq.write_table(pa.table({"user_id": ["a"], "item_id": ["b"], "rank": ["first"]}), words)
    with pytest.raises(ArtifactError, match=r"words\.parquet cannot be read as ranks"):
        read_cases(words, "test", "frozen")

    holes = tmp_path / "holes.parquet"
    pq.write_table(pa.table({"user_id": ["a", None], "item_id": ["b", "c"], "rank": [1, 2]}), holes)
    with pytest.raises(ArtifactError, match="rows with nothing in them"):
        read_cases(holes, "test", "frozen")
