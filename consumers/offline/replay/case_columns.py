"""Columns of a replay's `cases.parquet`, and how the file is opened."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from consumers.errors import ArtifactError, NotFoundError
from consumers.offline.evaluation.case_files import CASES_NAME, IDENTITY

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
    stored = {IDENTITY: json.dumps(identity, sort_keys=True).encode()}
    return pa.schema([*CLICK_FIELDS, *rank_fields(models), *SLICE_FIELDS], metadata=stored)


def models_in(schema: pa.Schema) -> list[str]:
    """Return the names of the models whose ranks a file holds."""
    return [n.removeprefix(RANK_PREFIX) for n in schema.names if n.startswith(RANK_PREFIX)]


def identity_in(schema: pa.Schema) -> Mapping[str, Any] | None:
    """Return protocol and data as the writer told them; None where the file does not say."""
    stored = (schema.metadata or {}).get(IDENTITY)
    return None if stored is None else dict(json.loads(stored))


def is_replay(path: Path) -> bool:
    """Return whether `path` is a case file of a replay, or a directory with one."""
    file = path / CASES_NAME if path.is_dir() else path
    try:
        names = set(pq.read_schema(file).names)
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
    file = path / CASES_NAME if path.is_dir() else path
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
