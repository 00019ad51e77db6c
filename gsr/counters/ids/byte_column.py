"""A column of byte strings that share one buffer."""

from collections.abc import Iterator, Sequence
from typing import Any, Final, cast, overload

import numpy as np
import numpy.typing as npt

NONE: Final = -1
"""The length that stands for None."""


class ByteColumn(Sequence[bytes | None]):
    """Immutable byte strings, some of them perhaps None, that share one buffer.

    Kernels read the arrays; everything else reads it like a list. Entries may lie anywhere in the
    buffer, in any order, with anything between them, so that a slice, or the values of a fetched
    block, need no copy.

    Parameters
    ----------
    data
        uint8 [m], the bytes.
    starts
        int64 [n], where each entry begins in `data`; of no meaning where the entry is None.
    lengths
        int64 [n], the bytes of each entry; -1 = None.

    Raises
    ------
    ValueError
        `starts` and `lengths` differ in length. That entries lie inside `data` is the maker's
        promise; `of` and the decoder keep it.

    Examples
    --------
    >>> column = ByteColumn.of([b"click", None, b""])
    >>> column[0], column[1], list(column[1:])
    (b'click', None, [None, b''])
    >>> column.lengths.tolist()
    [5, -1, 0]
    """

    __slots__ = ("data", "lengths", "starts")

    def __init__(
        self,
        data: npt.NDArray[np.uint8],
        starts: npt.NDArray[np.int64],
        lengths: npt.NDArray[np.int64],
    ) -> None:
        if len(starts) != len(lengths):
            raise ValueError(f"{len(starts)} starts and {len(lengths)} lengths make no column")
        self.data: Final = data
        self.starts: Final = starts
        self.lengths: Final = lengths

    @classmethod
    def of(cls, entries: Sequence[bytes | None]) -> "ByteColumn":
        """Return `entries` as a column; a column is returned as it is.

        Parameters
        ----------
        entries
            The byte strings; they are copied once.
        """
        if isinstance(entries, ByteColumn):
            return entries
        present: Sequence[bytes]
        if None in entries:
            present = [b"" if entry is None else entry for entry in entries]
            missing = np.fromiter((entry is None for entry in entries), np.bool_, len(entries))
        else:
            present = cast("Sequence[bytes]", entries)
            missing = None
        data = b"".join(present)
        lengths = np.fromiter(map(len, present), np.int64, len(present))
        starts = np.zeros(len(lengths), np.int64)
        np.cumsum(lengths[:-1], out=starts[1:])
        if missing is not None:
            lengths[missing] = NONE
        return cls(np.frombuffer(data, np.uint8), starts, lengths)

    @classmethod
    def joined(cls, columns: "Sequence[ByteColumn]") -> "ByteColumn":
        """Return the entries of `columns`, one after another.

        Columns that share their buffer go on sharing it; else the bytes are copied once, of each
        buffer only the range that its column uses.

        Examples
        --------
        >>> list(ByteColumn.joined([ByteColumn.of([b"a"]), ByteColumn.of([None, b"b"])]))
        [b'a', None, b'b']
        """
        if not columns:
            return cls.of(())
        if len(columns) == 1:
            return columns[0]
        lengths = np.concatenate([column.lengths for column in columns])
        if all(column.data is columns[0].data for column in columns):
            starts = np.concatenate([column.starts for column in columns])
            return cls(columns[0].data, starts, lengths)
        ranges = [_used_range(column) for column in columns]
        shifts = np.cumsum([0] + [stop - start for start, stop in ranges])
        starts = np.concatenate(
            [
                column.starts + (shift - start)
                for column, (start, _), shift in zip(columns, ranges, shifts[:-1], strict=True)
            ]
        )
        data = np.concatenate(
            [column.data[start:stop] for column, (start, stop) in zip(columns, ranges, strict=True)]
        )
        data.flags.writeable = False
        return cls(data, starts, lengths)

    @property
    def nbytes(self) -> int:
        """The bytes of all entries together."""
        return int(self.lengths[self.lengths > 0].sum())

    def __len__(self) -> int:
        return len(self.lengths)

    @overload
    def __getitem__(self, index: int) -> bytes | None: ...
    @overload
    def __getitem__(self, index: slice) -> "ByteColumn": ...
    def __getitem__(self, index: int | slice) -> "bytes | ByteColumn | None":
        if isinstance(index, slice):
            return ByteColumn(self.data, self.starts[index], self.lengths[index])
        length = self.lengths[index]
        if length < 0:
            return None
        start = self.starts[index]
        return self.data[start : start + length].tobytes()

    def __iter__(self) -> Iterator[bytes | None]:
        view = memoryview(self.data.data)
        for start, length in zip(self.starts.tolist(), self.lengths.tolist(), strict=True):
            yield None if length < 0 else view[start : start + length].tobytes()

    def __eq__(self, other: object) -> bool:
        if isinstance(other, ByteColumn) and not np.array_equal(self.lengths, other.lengths):
            return False
        if not isinstance(other, Sequence) or isinstance(other, str | bytes | bytearray):
            return NotImplemented
        return len(self) == len(other) and all(
            mine == theirs for mine, theirs in zip(self, other, strict=True)
        )

    # Equal to a list, which has no hash, and too large to be hashed by accident.
    __hash__: Any = None

    def __repr__(self) -> str:
        return f"ByteColumn({len(self)} entries, {self.nbytes} bytes)"


def _used_range(column: ByteColumn) -> tuple[int, int]:
    used = column.lengths > 0
    if not used.any():
        return 0, 0
    starts = column.starts[used]
    return int(starts.min()), int((starts + column.lengths[used]).max())
