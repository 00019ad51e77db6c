"""Files are whole or not there, and what is no recommender is refused by name."""

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from gsr.errors import SnapshotError
from gsr.library.saving import FORMAT, Arrays, read_file, write_file
from gsr.library.stream_recommender import StreamRecommender
from tests.gsr.library.world import fitted

ARRAYS: Arrays = {
    "a": np.arange(3),
    "b": np.zeros((0, 2), dtype=np.float16),
    "c": np.array([2**64 - 1]),
}


def test_what_was_written_is_read(tmp_path: Path) -> None:
    """Arrays of every shape, and the document."""
    write_file(tmp_path / "one", ARRAYS, {"facts": [1, "é"]})
    arrays, document = read_file(tmp_path / "one")
    assert document["facts"] == [1, "é"]
    assert set(arrays) == set(ARRAYS)
    for name, array in ARRAYS.items():
        assert arrays[name].dtype == array.dtype
        np.testing.assert_array_equal(arrays[name], array)
    assert [path.name for path in tmp_path.iterdir()] == ["one"]


def test_what_cannot_be_written_leaves_the_file_before(tmp_path: Path) -> None:
    """Nothing half-made lies beside it."""
    write_file(tmp_path / "one", ARRAYS, {})
    before = (tmp_path / "one").read_bytes()
    with pytest.raises(OSError, match="cannot be written"):
        write_file(tmp_path / "gone" / "one", ARRAYS, {})
    with pytest.raises(TypeError):
        write_file(tmp_path / "one", ARRAYS, {"no": object()})
    assert (tmp_path / "one").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["one"]


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    """As Python names files that are missing."""
    with pytest.raises(FileNotFoundError, match=r"one: name one that save\(\) wrote"):
        StreamRecommender.load(tmp_path / "one")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 something", b"x" * 1000])
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    """Whatever they hold."""
    (tmp_path / "one").write_bytes(content)
    with pytest.raises(SnapshotError, match=r"is no recommender that save\(\) wrote"):
        StreamRecommender.load(tmp_path / "one")


def test_other_arrays_are_refused(tmp_path: Path) -> None:
    """A snapshot of the service is none of ours."""
    save_file(ARRAYS, tmp_path / "one")
    with pytest.raises(SnapshotError, match="it is of something else"):
        StreamRecommender.load(tmp_path / "one")


def test_a_directory_is_refused(tmp_path: Path) -> None:
    """With its name."""
    with pytest.raises(SnapshotError, match="is no recommender"):
        StreamRecommender.load(tmp_path)


def test_another_format_is_refused(tmp_path: Path) -> None:
    """Both are named."""
    write_file(tmp_path / "one", ARRAYS, {"format": 99})
    with pytest.raises(SnapshotError, match=f"has format 99, this version of gsr reads {FORMAT}"):
        StreamRecommender.load(tmp_path / "one")


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    """One bit is enough; so is a file that ends early."""
    path = tmp_path / "one"
    fitted(300).save(path)
    whole = path.read_bytes()
    path.write_bytes(whole[:-5] + bytes([whole[-5] ^ 1]) + whole[-4:])
    with pytest.raises(SnapshotError, match="is damaged: take a copy"):
        StreamRecommender.load(path)
    path.write_bytes(whole[:-1])
    with pytest.raises(SnapshotError, match="is no recommender"):
        StreamRecommender.load(path)


def test_what_does_not_fit_together_is_refused(tmp_path: Path) -> None:
    """A file that is whole, but was put together by somebody else."""
    path = tmp_path / "one"
    fitted(300).save(path)
    document = read_file(path)[1]
    arrays = load_file(path)
    for name in ("generations", "model.linear", "counters.items.neighbours"):
        rest = {other: array for other, array in arrays.items() if other != name}
        write_file(path, rest, document)
        with pytest.raises(SnapshotError):
            StreamRecommender.load(path)
    write_file(path, arrays, {**document, "settings": {}})
    with pytest.raises(SnapshotError, match="configuration is unknown here"):
        StreamRecommender.load(path)
