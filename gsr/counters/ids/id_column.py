"""A column of ids that share one buffer, each with its hash."""

from collections.abc import Iterator, Sequence
from typing import Any, Final, overload

import numpy as np
import numpy.typing as npt
from xxhash import xxh3_64_intdigest

from gsr.compiled import lean_kernel
from gsr.counters.ids.byte_column import ByteColumn
from gsr.counters.ids.xxh3_kernel import LONGEST, xxh3

MAX_ID_BYTES: Final = 256


class IdColumn(Sequence[str]):
    """Immutable ids that share one buffer; reads like a list of strings.

    Parameters
    ----------
    data
        uint8 [m], UTF-8.
    starts, lengths
        int64 [n], where each id begins in `data`, and its bytes.
    hashes
        uint64 [n], the XXH3-64 of each id.

    Examples
    --------
    >>> ids = IdColumn.of(["u1", "u2"])
    >>> ids[1], list(ids[:1]), ids == ["u1", "u2"]
    ('u2', ['u1'], True)
    """

    __slots__ = ("data", "hashes", "lengths", "starts")

    def __init__(
        self,
        data: npt.NDArray[np.uint8],
        starts: npt.NDArray[np.int64],
        lengths: npt.NDArray[np.int64],
        hashes: npt.NDArray[np.uint64],
    ) -> None:
        self.data: Final = unchangeable(data)
        self.starts: Final = starts
        self.lengths: Final = lengths
        self.hashes: Final = hashes

    @classmethod
    def of(cls, ids: Sequence[str]) -> "IdColumn":
        """Return `ids` as a column; a column is returned as it is.

        Raises
        ------
        UnicodeEncodeError
            An id holds half of a surrogate pair.
        """
        if isinstance(ids, IdColumn):
            return ids
        return cls.of_bytes(ByteColumn.of(list(map(str.encode, ids))))

    @classmethod
    def of_bytes(cls, ids: ByteColumn) -> "IdColumn":
        """Return ids that are known to be UTF-8, none of them None, sharing the buffer."""
        starts, lengths = np.ascontiguousarray(ids.starts), np.ascontiguousarray(ids.lengths)
        return cls(ids.data, starts, lengths, hash_ids(ids.data, starts, lengths))

    def rows(self, rows: npt.NDArray[np.int64]) -> "IdColumn":
        """Return some of the ids, int64 [k] of them, sharing the buffer."""
        return IdColumn(self.data, self.starts[rows], self.lengths[rows], self.hashes[rows])

    def compact(self) -> "IdColumn":
        """Return the same ids in a buffer that holds nothing else."""
        return join_ids([self])

    @property
    def nbytes(self) -> int:
        """The bytes of all ids together."""
        return int(self.lengths.sum())

    def __len__(self) -> int:
        return len(self.lengths)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> "IdColumn": ...
    def __getitem__(self, index: int | slice) -> "str | IdColumn":
        if isinstance(index, slice):
            starts, lengths = self.starts[index], self.lengths[index]
            return IdColumn(
                self.data,
                np.ascontiguousarray(starts),
                np.ascontiguousarray(lengths),
                np.ascontiguousarray(self.hashes[index]),
            )
        start = self.starts[index]
        return self.data[start : start + self.lengths[index]].tobytes().decode()

    def __iter__(self) -> Iterator[str]:
        view = memoryview(self.data.data)
        for start, length in zip(self.starts.tolist(), self.lengths.tolist(), strict=True):
            yield str(view[start : start + length], "utf-8")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence) or isinstance(other, str):
            return NotImplemented
        return len(self) == len(other) and all(
            mine == theirs for mine, theirs in zip(self, other, strict=True)
        )

    # Equal to a list, which has no hash, and too large to be hashed by accident.
    __hash__: Any = None

    def __repr__(self) -> str:
        return f"IdColumn({len(self)} ids, {self.nbytes} bytes)"


def join_ids(columns: Sequence[IdColumn]) -> IdColumn:
    """Return the ids of `columns`, one column after another, in a buffer of their own."""
    lengths = np.concatenate([column.lengths for column in columns])
    starts = np.cumsum(lengths) - lengths
    data = np.empty(int(lengths.sum()), dtype=np.uint8)
    first = 0
    for column in columns:
        last = first + len(column)
        copy_ids(column.data, column.starts, column.lengths, data, starts[first:last])
        first = last
    return IdColumn(data, starts, lengths, np.concatenate([column.hashes for column in columns]))


def hash_ids(
    data: npt.NDArray[np.uint8],
    starts: npt.NDArray[np.int64],
    lengths: npt.NDArray[np.int64],
    seed: int = 0,
) -> npt.NDArray[np.uint64]:
    """Return uint64 [n], the XXH3-64 with a seed of n byte strings in `data`, uint8 [m]."""
    hashes = np.empty(len(starts), dtype=np.uint64)
    if _hash_short(unchangeable(data), starts, lengths, np.uint64(seed), hashes) > 0:
        for row in np.flatnonzero(lengths > LONGEST).tolist():
            long = data[starts[row] : starts[row] + lengths[row]].tobytes()
            hashes[row] = xxh3_64_intdigest(long, seed)
    return hashes


def unchangeable(data: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Return a view that cannot be written through.

    Kernels are compiled for what they are given: with this, always for the same.
    """
    if not data.flags.writeable:
        return data
    view = data.view()
    view.flags.writeable = False
    return view


@lean_kernel
def _hash_short(
    data: npt.NDArray[np.uint8],
    starts: npt.NDArray[np.int64],
    lengths: npt.NDArray[np.int64],
    seed: np.uint64,
    hashes: npt.NDArray[np.uint64],
) -> int:
    """Fill the hashes of ids that are not too long; return how many are."""
    long = 0
    for row in range(len(starts)):
        if lengths[row] > LONGEST:
            long += 1
        else:
            hashes[row] = xxh3(data, starts[row], lengths[row], seed)
    return long


@lean_kernel
def copy_ids(
    data: npt.NDArray[np.uint8],
    starts: npt.NDArray[np.int64],
    lengths: npt.NDArray[np.int64],
    out: npt.NDArray[np.uint8],
    targets: npt.NDArray[np.int64],
) -> None:
    """Copy ids of one buffer to the places `targets`, int64 [n], of another."""
    for row in range(len(starts)):
        start = starts[row]
        target = targets[row]
        for i in range(lengths[row]):
            out[target + i] = data[start + i]
