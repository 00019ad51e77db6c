"""Columns of a replay's `cases.parquet`, and how the file is opened."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from consumers.errors import ArtifactError, NotFoundError
from consumers.offline.evaluation.case_files import case_file, with_identity
from gsr.counters.ids.id_column import IdColumn

RANK_PREFIX: Final = "rank_"
"""Before the name of a model, in the name of the column with its ranks."""

CLICK_FIELDS: Final = (
    pa.field("user_id", pa.string(), nullable=False),
    pa.field("item_id", pa.string(), nullable=False),
    pa.field("time", pa.float64(), nullable=False),
    pa.field("offset", pa.int64(), nullable=False),
    pa.field("version", pa.int64(), nullable=False),
    pa.field("user_clicks", pa.int32(), nullable=False),
    pa.field("item_clicks", pa.int32(), nullable=False),
)
"""What is known of a scored click whoever ranked it; times are seconds since the epoch."""

USER_GROUPS: Final = 4096
"""Groups that users are summed up in; an interval's width is off by about a hundredth for it."""

SLICE_FIELDS: Final = (
    pa.field("user_slice", pa.dictionary(pa.int8(), pa.string()), nullable=False),
    pa.field("item_slice", pa.dictionary(pa.int8(), pa.string()), nullable=False),
)
"""Names of `USER_SLICES` and `ITEM_SLICES` of `gsr.quality.ranking_metrics`."""


def rank_fields(models: Sequence[str]) -> list[pa.Field]:
    """Return the columns of the models' ranks."""
    return [pa.field(RANK_PREFIX + name, pa.int32(), nullable=False) for name in models]


def case_schema(models: Sequence[str], identity: Mapping[str, Any]) -> pa.Schema:
    """Return the columns of a file with the ranks of `models`.

    Parameters
    ----------
    models
        Names as they are shown.
    identity
        Protocol and data, as JSON values: only files that agree in them can be compared.
    """
    schema = pa.schema([*CLICK_FIELDS, *rank_fields(models), *SLICE_FIELDS])
    return with_identity(schema, identity)


def models_in(schema: pa.Schema) -> list[str]:
    """Return the names of the models whose ranks a file holds."""
    return [n.removeprefix(RANK_PREFIX) for n in schema.names if n.startswith(RANK_PREFIX)]


def user_groups(user_ids: pa.Array | pa.ChunkedArray) -> npt.NDArray[np.int64]:
    """Return each user's group, int64 [n], by a hash of the id: memory does not grow with users.

    Whole users go into a group, so groups are as independent as users are.
    """
    hashes = IdColumn.of(user_ids.to_pylist()).hashes
    return (hashes % USER_GROUPS).astype(np.int64)


def is_replay(path: Path) -> bool:
    """Return whether `path` is a case file of a replay, or a directory with one."""
    try:
        names = set(pq.read_schema(case_file(path)).names)
    except (pa.ArrowException, OSError):
        return False
    return {"offset", "user_slice"} <= names


def open_replay_cases(path: Path) -> pq.ParquetFile:
    """Open the case file of a replay; close it, or use it in a ``with`` block.

    Parameters
    ----------
    path
        The file, or a directory that holds `cases.parquet`.

    Raises
    ------
    NotFoundError
        There is no such file.
    ArtifactError
        It cannot be read, or is no case file of a replay.
    """
    file = case_file(path)
    if not file.is_file():
        raise NotFoundError(f"there is no {file}: name the directory that gsr replay wrote")
    try:
        opened = pq.ParquetFile(file)
    except (pa.ArrowException, OSError) as error:
        raise ArtifactError(f"{file} cannot be read as a replay's cases: {error}") from None
    fields = (*CLICK_FIELDS, *SLICE_FIELDS)
    missing = [field.name for field in fields if field.name not in opened.schema_arrow.names]
    if missing:
        opened.close()
        raise ArtifactError(f"{file} has no column {', '.join(missing)}: no gsr replay wrote it")
    return opened
