"""Read what `gsr replay EVENTS --out DIR` wrote as tables.

    python replay_tables.py DIR

`table.to_pandas()` makes a data frame of a table where pandas is installed, and
`polars.from_arrow(table)` where Polars is.
"""

import json
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow.json import ParseOptions, read_json

MODELS = ("joint", "graph", "popularity")
ITEM = pa.struct([("item_id", pa.string()), ("score", pa.float64())])
LIST = pa.schema([("user_id", pa.string()), ("items", pa.list_(ITEM))])


def quality(directory: Path) -> pa.Table:
    """Return the quality over time: a row for each window and model, a column for each metric."""
    document = json.loads((directory / "metrics.json").read_text())
    rows = [
        {"start": window["start"], "scored": window["scored"], "model": model, **window[model]}
        for window in document["windows"]
        for model in MODELS
    ]
    return pa.Table.from_pylist(rows)


def recommendations(directory: Path) -> pa.Table:
    """Return the lists, best item first: a row for each user, rank and item."""
    options = ParseOptions(explicit_schema=LIST, unexpected_field_behavior="ignore")
    with pa.input_stream(str(directory / "recommendations.jsonl.zst"), compression="zstd") as file:
        lists = read_json(file, parse_options=options)
    items = lists["items"].combine_chunks()
    parents = pc.list_parent_indices(items)
    starts = pc.take(items.offsets, parents)
    rows = pc.list_flatten(items)
    return pa.table(
        {
            "user_id": pc.take(lists["user_id"], parents),
            "rank": pc.subtract(pa.array(range(len(rows)), pa.int32()), starts),
            "item_id": pc.struct_field(rows, "item_id"),
            "score": pc.struct_field(rows, "score"),
        }
    )


def main(directory: Path) -> None:
    """Print the quality of each model over all windows, and what is recommended most."""
    print("hr@20, each window by its scored clicks:")
    table = quality(directory)
    for model in MODELS:
        own = table.filter(pc.field("model") == model)
        hits = pc.sum(pc.multiply(own["hr@20"], own["scored"])).as_py()
        print(f"  {model:12}{hits / pc.sum(own['scored']).as_py():.4f}")
    print("on most lists:")
    counts = recommendations(directory).group_by("item_id").aggregate([("rank", "count")])
    for row in counts.sort_by([("rank_count", "descending")]).slice(0, 5).to_pylist():
        print(f"  {row['item_id']:12}{row['rank_count']}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
