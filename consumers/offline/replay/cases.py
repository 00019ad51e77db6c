"""Every scored click of a replay with all models' ranks, written to a Parquet file.

Which of a baseline's half-lives is shown is known at the end only. Until then the ranks of all
columns wait in a scratch file; neither file is ever held in memory.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from consumers.errors import ConfigError
from consumers.offline.replay.case_columns import (
    CLICK_FIELDS,
    RANK_PREFIX,
    case_schema,
    rank_fields,
)
from consumers.runtime.outputs import output_errors, written_aside
from consumers.runtime.scratch import scratch_directory
from gsr.loop.reports import TestedClicks
from gsr.quality.ranking_metrics import ITEM_SLICES, USER_SLICES, slice_numbers

GROUP_ROWS: Final = 2**16
"""Clicks of a row group, in every file: 20 MiB with 80 columns of ranks."""

_OFFSET: Final = pa.field("offset", pa.int64(), nullable=False)


class CaseWriter:
    """Takes scored clicks as they come, and writes `cases.parquet` at the end.

    Use it in a ``with`` block: what waits is gone after it, whether `finish` was called or not.

    Parameters
    ----------
    path
        The file.
    names
        Of the M columns of ranks: `LearningLoop.names`.
    identity
        Protocol and data, as JSON values: only files that agree in them can be compared.
    scratch
        Where clicks wait; None: somewhere, and what waits is lost with the writer.
    parts
        How many parts a run that stopped has left there (see `cut`).
    """

    def __init__(
        self,
        path: Path,
        names: Sequence[str],
        identity: Mapping[str, Any],
        *,
        scratch: Path | None = None,
        parts: int = 0,
    ) -> None:
        self._path = path
        self._names = tuple(names)
        self._identity = dict(identity)
        self._given = scratch
        self._parts = parts
        self._stack = ExitStack()
        self._others: dict[str, _Spool] = {}

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._scratch = self._given or stack.enter_context(scratch_directory())
            self._scratch.mkdir(parents=True, exist_ok=True)
            self._spool = self._opened("clicks", [*CLICK_FIELDS, *rank_fields(self._names)], stack)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def add(self, tested: TestedClicks, user_ids: Sequence[str], item_ids: Sequence[str]) -> None:
        """Take s clicks, with the ids of each.

        Raises
        ------
        StorageFullError
            The scratch file cannot be written.
        """
        columns = [
            pa.array(list(user_ids), pa.string()),
            pa.array(list(item_ids), pa.string()),
            tested.times,
            tested.offsets,
            np.full(len(tested), tested.version, dtype=np.int64),
            tested.user_clicks.astype(np.int32),
            tested.item_clicks.astype(np.int32),
            *np.ascontiguousarray(tested.ranks.T),
        ]
        self._spool.add(columns)

    def add_other(self, name: str, tested: TestedClicks) -> None:
        """Take the same clicks as another configuration's joint model ranked them.

        They may come before or after those of `add`, in the same order. `finish` shows the ranks
        as those of ``joint:NAME``.
        """
        if name not in self._others:
            fields = [_OFFSET, pa.field("rank", pa.int32(), nullable=False)]
            self._others[name] = self._opened(f"other-{len(self._others)}", fields, self._stack)
        self._others[name].add([tested.offsets, np.ascontiguousarray(tested.ranks[:, 0])])

    def cut(self) -> int:
        """End a part of what waits; return how many there are, for a run that goes on from here."""
        for spool in self._others.values():
            spool.cut()
        return self._spool.cut()

    def finish(self, shown: Mapping[str, str]) -> None:
        """Write the file; it is there whole or not at all.

        Parameters
        ----------
        shown
            Name of a model as it is to be shown → name of its column.

        Raises
        ------
        ConfigError
            Another configuration ranked other clicks.
        StorageFullError
            The file cannot be written.
        """
        models = [*shown, *(f"joint:{name}" for name in self._others)]
        schema = case_schema(models, self._identity)
        self.cut()
        wanted = [field.name for field in CLICK_FIELDS]
        wanted += dict.fromkeys(RANK_PREFIX + column for column in shown.values())
        others = {n: s.groups(("offset", "rank")) for n, s in self._others.items()}
        with (
            written_aside(self._path) as aside,
            pq.ParquetWriter(aside, schema, compression="zstd") as writer,
        ):
            for table in self._spool.groups(wanted):
                columns = [table[field.name] for field in CLICK_FIELDS]
                columns += [table[RANK_PREFIX + column] for column in shown.values()]
                for name, groups in others.items():
                    ranks = next(groups, None)
                    if ranks is None or not ranks["offset"].equals(table["offset"]):
                        raise _other_clicks(name)
                    columns.append(ranks["rank"])
                columns.append(_slices(table["user_clicks"], USER_SLICES))
                columns.append(_slices(table["item_clicks"], ITEM_SLICES))
                writer.write_table(pa.table(columns, schema=schema))
            for name, groups in others.items():
                if next(groups, None) is not None:
                    raise _other_clicks(name)

    def _opened(self, name: str, fields: Sequence[pa.Field], stack: ExitStack) -> "_Spool":
        spool = _Spool(self._scratch, name, pa.schema(fields), self._parts)
        stack.callback(spool.close)
        return spool


class _Spool:
    """Scratch files of one table, read back in row groups of one size wherever parts were cut.

    Parameters
    ----------
    directory, name
        Of the files.
    schema
        Their columns.
    parts
        How many whole ones there are of a run that stopped.
    """

    def __init__(self, directory: Path, name: str, schema: pa.Schema, parts: int) -> None:
        self._directory = directory
        self._name = name
        self._schema = schema
        self._parts = parts
        self._waiting: list[pa.Table] = []
        self._rows = 0
        self._writer: pq.ParquetWriter | None = None

    def add(self, columns: Sequence[pa.Array | npt.NDArray[Any]]) -> None:
        """Take rows; write those that fill row groups."""
        self._waiting.append(pa.table(list(columns), schema=self._schema))
        self._rows += len(self._waiting[-1])
        if self._rows >= GROUP_ROWS:
            self._write(self._rows - self._rows % GROUP_ROWS)

    def cut(self) -> int:
        """Write what waits and end the part; return how many whole parts there are."""
        if self._rows:
            self._write(self._rows)
        if self._writer is not None:
            self.close()
            self._parts += 1
        return self._parts

    def groups(self, columns: Sequence[str]) -> Iterator[pa.Table]:
        """Yield all rows, `GROUP_ROWS` at a time but for the last; `cut` before."""
        waiting: pa.Table | None = None
        for stored in self._stored(columns):
            waiting = stored if waiting is None else pa.concat_tables((waiting, stored))
            while len(waiting) >= GROUP_ROWS:
                yield waiting.slice(0, GROUP_ROWS).combine_chunks()
                waiting = waiting.slice(GROUP_ROWS)
        if waiting is not None and len(waiting):
            yield waiting.combine_chunks()

    def close(self) -> None:
        """Let the file go; what waits is not written."""
        if self._writer is not None:
            with output_errors(self._directory):
                self._writer.close()
            self._writer = None

    def _stored(self, columns: Sequence[str]) -> Iterator[pa.Table]:
        """Yield the row groups of all parts, short ones among them."""
        for part in range(self._parts):
            with pq.ParquetFile(self._path(part)) as file:
                for number in range(file.num_row_groups):
                    yield file.read_row_group(number, columns=list(columns))

    def _path(self, part: int) -> Path:
        return self._directory / f"{self._name}-{part}.parquet"

    def _write(self, rows: int) -> None:
        table = pa.concat_tables(self._waiting).combine_chunks()
        with output_errors(self._directory):
            if self._writer is None:
                # Written once, read once: what is quickest.
                self._writer = pq.ParquetWriter(
                    self._path(self._parts), self._schema, compression="lz4", use_dictionary=False
                )
            self._writer.write_table(table.slice(0, rows), row_group_size=GROUP_ROWS)
        self._waiting = [table.slice(rows)]
        self._rows -= rows


def _slices(clicks: pa.ChunkedArray, slices: Mapping[str, int]) -> pa.Array:
    return pa.DictionaryArray.from_arrays(slice_numbers(clicks.to_numpy(), slices), list(slices))


def _other_clicks(name: str) -> ConfigError:
    return ConfigError(
        f"configuration {name!r} scored other clicks than the first one: they can only be "
        "compared on the same ones. Give it the same events, state and rules of repeats."
    )
