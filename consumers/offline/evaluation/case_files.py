"""Ranks of all targets as a Parquet file, by which runs are compared."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from consumers.errors import ArtifactError, NotFoundError
from consumers.runtime.outputs import written_aside

CASES_NAME: Final = "cases.parquet"

Part: TypeAlias = Literal["valid", "test"]
Graph: TypeAlias = Literal["frozen", "live"]

SCHEMA: Final = pa.schema(
    [
        pa.field("user_id", pa.string(), nullable=False),
        pa.field("seed", pa.int64(), nullable=False),
        pa.field("rank", pa.int32(), nullable=False),
        pa.field("item_id", pa.string(), nullable=False),
        pa.field("history_length", pa.int32(), nullable=False),
        pa.field("cold_item", pa.bool_(), nullable=False),
        pa.field("cold_user", pa.bool_(), nullable=False),
        pa.field("part", pa.dictionary(pa.int8(), pa.string()), nullable=False),
        pa.field("graph", pa.dictionary(pa.int8(), pa.string()), nullable=False),
    ]
)
_NEEDED: Final = {"user_id": pa.string(), "item_id": pa.string(), "rank": pa.int32()}
_ASSUMED: Final[dict[str, tuple[pa.DataType, int | str]]] = {
    "seed": (pa.int64(), 0),
    "part": (pa.string(), "test"),
    "graph": (pa.string(), "frozen"),
}
"""What a file of another program may leave out, and what it then means."""

IDENTITY: Final = b"gsr"
"""Key of the file's metadata that holds protocol and data, as JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RankedCases:
    """The ranks of m targets: one part, one graph, one seed.

    Parameters
    ----------
    part
        Validation or test.
    graph
        Whether the model's graph was frozen after learning, or live.
    seed
        Of the run.
    user_ids, item_ids
        m each; the items are the targets.
    ranks
        int32 [m], from 1; see `gsr.quality.ranking_metrics.MISS`.
    history_lengths
        int64 [m], how many clicks were known of each user.
    cold_items, cold_users
        bool [m], see `gsr.quality.protocols.case_slices`.
    """

    part: Part
    graph: Graph
    seed: int
    user_ids: list[str]
    item_ids: list[str]
    ranks: npt.NDArray[np.int32]
    history_lengths: npt.NDArray[np.int64]
    cold_items: npt.NDArray[np.bool_]
    cold_users: npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class CaseTable:
    """The ranks that a file holds of one part and one graph, all seeds; n rows.

    Parameters
    ----------
    path
        The file.
    user_ids, item_ids
        n strings each, as objects.
    seeds
        int64 [n].
    ranks
        int32 [n].
    identity
        Protocol and data, as the writer told them; None where the file does not say.
    """

    path: Path
    user_ids: npt.NDArray[np.object_]
    item_ids: npt.NDArray[np.object_]
    seeds: npt.NDArray[np.int64]
    ranks: npt.NDArray[np.int32]
    identity: Mapping[str, Any] | None


def write_cases(path: Path, runs: Iterable[RankedCases], identity: Mapping[str, Any]) -> None:
    """Write a file of ranks; it is there whole or not at all.

    Parameters
    ----------
    path
        The file.
    runs
        Each becomes a row group.
    identity
        Protocol and data, as JSON values: only runs that agree in them can be compared.
    """
    schema = with_identity(SCHEMA, identity)
    with (
        written_aside(path) as aside,
        pq.ParquetWriter(aside, schema, compression="zstd") as writer,
    ):
        for run in runs:
            writer.write_table(_table(run, schema))


def case_file(path: Path) -> Path:
    """Return the file of ranks that is meant by itself, or by the directory that holds it."""
    return path / CASES_NAME if path.is_dir() else path


def identity_in(schema: pa.Schema) -> Mapping[str, Any] | None:
    """Return protocol and data as the writer told them; None where the file does not say."""
    stored = (schema.metadata or {}).get(IDENTITY)
    return None if stored is None else dict(json.loads(stored))


def with_identity(schema: pa.Schema, identity: Mapping[str, Any]) -> pa.Schema:
    """Return a schema that says protocol and data, as JSON values."""
    return schema.with_metadata({IDENTITY: json.dumps(identity, sort_keys=True).encode()})


def read_cases(path: Path, part: Part, graph: Graph) -> CaseTable:
    """Read the ranks of one part and one graph.

    Parameters
    ----------
    path
        A Parquet file with at least user_id, item_id and rank; or a directory that holds
        `cases.parquet`.
    part, graph
        Which rows.

    Raises
    ------
    NotFoundError
        There is no such file, or it has no such rows.
    ArtifactError
        It cannot be read, or columns are missing or of useless types.
    """
    file = case_file(path)
    if not file.is_file():
        raise NotFoundError(
            f"there is no {file}: name the directory that gsr evaluate wrote, or a file of ranks"
        )
    try:
        table = pq.read_table(file)
        missing = [name for name in _NEEDED if name not in table.column_names]
        if missing:
            raise ArtifactError(f"{file} has no column {', '.join(missing)}: it holds no ranks")
        columns = {name: table[name].cast(kind) for name, kind in _NEEDED.items()}
        for name, (kind, assumed) in _ASSUMED.items():
            given = name in table.column_names
            columns[name] = (
                table[name].cast(kind) if given else pa.chunked_array([_repeated(assumed, table)])
            )
    except (pa.ArrowException, OSError) as error:
        raise ArtifactError(f"{file} cannot be read as ranks: {error}") from None
    if any(column.null_count for column in columns.values()):
        raise ArtifactError(f"{file} has rows with nothing in them: it was not written whole")
    chosen = pa.table(columns)
    chosen = chosen.filter(
        pc.and_(pc.equal(chosen["part"], part), pc.equal(chosen["graph"], graph))
    )
    if not len(chosen):
        raise NotFoundError(f"{file} holds no ranks of {part} with the {graph} graph")
    return CaseTable(
        file,
        chosen["user_id"].to_numpy(),
        chosen["item_id"].to_numpy(),
        chosen["seed"].to_numpy(),
        chosen["rank"].to_numpy(),
        identity_in(table.schema),
    )


def _table(run: RankedCases, schema: pa.Schema) -> pa.Table:
    rows = len(run.ranks)
    return pa.table(
        [
            pa.array(run.user_ids, pa.string()),
            pa.array(np.full(rows, run.seed, dtype=np.int64)),
            pa.array(run.ranks, pa.int32()),
            pa.array(run.item_ids, pa.string()),
            pa.array(run.history_lengths.astype(np.int32)),
            pa.array(run.cold_items),
            pa.array(run.cold_users),
            pa.array([run.part] * rows, pa.string()).dictionary_encode().cast(schema.types[7]),
            pa.array([run.graph] * rows, pa.string()).dictionary_encode().cast(schema.types[8]),
        ],
        schema=schema,
    )


def _repeated(value: int | str, table: pa.Table) -> pa.Array:
    return pa.array([value] * len(table))
