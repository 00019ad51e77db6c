"""Compressed event files are known by content and must be whole."""

import gzip
from pathlib import Path

import numpy as np
import pytest
import zstandard

from tests.stream.events.click_records import NOW
from tests.stream.events.files.event_files import ROWS, Rows, as_csv, as_jsonl, error_of, read


def test_compression_is_known_by_content(tmp_path: Path) -> None:
    """A wrong suffix does no harm."""
    path = tmp_path / "events.csv"
    path.write_bytes(gzip.compress(as_csv(ROWS)))
    assert read(path) == ROWS
    path = tmp_path / "events.csv.gz"
    path.write_bytes(as_csv(ROWS))
    assert read(path) == ROWS


@pytest.mark.parametrize("kind", ["gzip", "zstd"])
@pytest.mark.parametrize("name", ["events.csv", "events.jsonl"])
def test_a_cut_off_archive_is_an_error(tmp_path: Path, kind: str, name: str) -> None:
    """Half a download is not read as a whole file; the line says how far it went."""
    rng = np.random.default_rng(1)
    rows: Rows = [(f"u{n}", "i", NOW, None, None) for n in rng.integers(10**9, size=50_000)]
    plain = as_csv(rows, review="5") if name.endswith("csv") else as_jsonl(rows)
    packed = (gzip.compress if kind == "gzip" else zstandard.compress)(plain)
    path = tmp_path / name
    for kept, least_line in ((0.1, 1), (0.9, 10_000)):
        path.write_bytes(packed[: int(len(packed) * kept)])
        error = error_of(path)
        assert f"the {kind} data is cut off" in error.reason
        assert (error.line or 0) >= least_line
    path.write_bytes(packed[: len(packed) // 2] + b"????" + packed[len(packed) // 2 + 4 :])
    assert f"the {kind} data is damaged" in error_of(path, on_bad="skip").reason
