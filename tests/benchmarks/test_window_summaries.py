"""Summaries of published protocols, and pieces of them that are joined."""

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.window_summaries import join, summarise
from consumers.offline.windows.options import PROTOCOLS, protocol_options
from consumers.offline.windows.run import replay_windows
from gsr.baselines.counters import BaselineCounters
from gsr.baselines.interface import Baseline
from gsr.baselines.item_to_item import ItemToItem
from gsr.baselines.together import BaselinesTogether
from stream.clock import ManualClock
from tests.consumers.offline.windows.tables import random_rows, write_table

MODES = ("frozen", "live")
MACHINE = {"cores": 2}


def measure(path: Path, baselines: dict[str, Baseline], **changes: Any) -> dict[str, Any]:
    """Return the whole document of news by the hour on a made-up log."""
    options = protocol_options(
        "news-by-the-hour", path, **{"window_sessions": 1, "joint": False, "modes": MODES} | changes
    )
    document = replay_windows(options, BaselinesTogether(baselines, ManualClock().monotonic))
    return document | {"protocol": "news-by-the-hour", "machine": MACHINE}


def with_joint(document: dict[str, Any]) -> dict[str, Any]:
    """Return the document as though its first column were the joint model's."""
    first = document["models"][0]
    text = json.dumps(document).replace(json.dumps(first), '"joint"')
    found: dict[str, Any] = json.loads(text)
    return found


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a made-up log."""
    return write_table(
        tmp_path_factory.mktemp("log") / "t.csv", random_rows(0, sessions=40, items=60)
    )


@pytest.fixture(scope="module")
def counters(log: Path) -> dict[str, Any]:
    """Return a document with counters at two half-lives."""
    return measure(log, {"counters": BaselineCounters((900.0, 86_400.0))})


def test_a_summary_has_the_best_column_of_each_kind(counters: dict[str, Any]) -> None:
    """It is JSON, with how many columns there were, every window and the published rows."""
    found = json.loads(json.dumps(summarise(counters)))
    assert found["columns"] == {"popularity": 2, "graph": 2, "mix": 2}
    for mode in MODES:
        exact, short = counters["over_windows"][mode], found["over_windows"][mode]
        assert [column.partition("@")[0] for column in short] == ["popularity", "graph", "mix"]
        for column, means in short.items():
            kind = column.partition("@")[0]
            best = max(exact[c]["hr@20"] for c in exact if c.startswith(kind))
            assert exact[column]["hr@20"] == best
            assert means == {m: round(exact[column][m], 5) for m in ("hr@20", "ndcg@20", "mrr@20")}
        assert set(found["over_cases"][mode]) == {"cases", *short}
        strongest = max(short, key=lambda column: short[column]["hr@20"])
        assert found["windows"][0][mode] == {"cases": 0}
        for window in found["windows"][2:]:
            assert set(window[mode]) == {"cases", strongest}
            assert set(window[mode][strongest]) == {"hr@20", "ndcg@20"}
    assert [window["window"] for window in found["windows"]] == [0, 1, 2, 3, 4]
    assert set(found["published"]) == set(PROTOCOLS["news-by-the-hour"].published)
    assert found["published"]["STAN"] == {"hr@20": 0.6681, "ndcg@20": 0.357}


def test_pieces_of_the_same_cases_are_joined(log: Path, counters: dict[str, Any]) -> None:
    """As though all had been measured in one run, whatever the order."""
    others = measure(log, {"item-to-item": ItemToItem()})
    joint = with_joint(counters)
    together = summarise(
        joint
        | {
            "models": [*joint["models"], *others["models"]],
            **{
                key: {mode: joint[key][mode] | others[key][mode] for mode in MODES}
                for key in ("over_windows", "over_cases")
            },
            "windows": [
                one | {mode: one[mode] | other[mode] for mode in MODES}
                for one, other in zip(joint["windows"], others["windows"], strict=True)
            ],
        }
    )
    for pieces in ([joint, others], [others, joint]):
        found = join([summarise(piece) for piece in pieces])
        for key in ("counts", "columns", "over_windows", "over_cases", "windows", "published"):
            assert found[key] == together[key], key
        assert {name for piece in found["pieces"] for name in piece["measured"]} == {
            "joint",
            "popularity",
            "graph",
            "mix",
            "rules",
            "item-knn",
        }
        assert set(found["options"]["baselines"]) == {"counters", "item-to-item"}
    assert "joint" in found["windows"][-1]["frozen"]


def test_summaries_with_every_column_can_be_joined(log: Path, counters: dict[str, Any]) -> None:
    """Those whose columns are all kept, with one cost and no list of pieces."""
    joint = with_joint(counters)
    long = summarise(joint)
    long["over_windows"] = joint["over_windows"]
    del long["models"], long["pieces"], long["options"]["baselines"], long["options"]["repeats"]
    long |= {"cost": joint["cost"], "machine": MACHINE}
    found = join([long, summarise(measure(log, {"item-to-item": ItemToItem()}))])
    assert found["columns"] == {
        "joint": 1,
        "popularity": 1,
        "graph": 2,
        "mix": 2,
        "rules": 2,
        "item-knn": 2,
    }
    assert found["pieces"][0]["machine"] == MACHINE


def test_pieces_of_other_cases_are_refused(log: Path, counters: dict[str, Any]) -> None:
    """By what differs; and the joint model cannot be in both."""
    one = summarise(counters)
    fewer = summarise(measure(log, {"item-to-item": ItemToItem()}, windows=4))
    with pytest.raises(ValueError, match="counts"):
        join([one, fewer])
    with pytest.raises(ValueError, match="option seed"):
        join([one, one | {"options": one["options"] | {"seed": 7}}])
    unsaid = {name: value for name, value in one["options"].items() if name != "repeats"}
    excluding = one["options"] | {"repeats": "exclude"}
    with pytest.raises(ValueError, match="option repeats is include and exclude"):
        join([one | {"options": unsaid}, one | {"options": excluding}])
    with pytest.raises(ValueError, match="joint model"):
        join([summarise(with_joint(counters))] * 2)
    moved = json.loads(json.dumps(one))
    moved["windows"][3]["frozen"]["cases"] += 1
    with pytest.raises(ValueError, match="some windows, frozen"):
        join([one, moved])
