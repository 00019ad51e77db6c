"""The summary of a published protocol: its figures beside ours."""

import json
from pathlib import Path

from benchmarks.windows import summarise
from consumers.offline.windows.options import PROTOCOLS, protocol_options
from consumers.offline.windows.run import replay_windows
from tests.consumers.offline.windows.tables import random_rows, write_table


def test_a_summary_holds_every_window_and_the_published_rows(tmp_path: Path) -> None:
    """Of each window the first model and the best other one; it is JSON."""
    path = write_table(tmp_path / "t.csv", random_rows(0))
    options = protocol_options(
        "news-by-the-hour", path, window_sessions=1, joint=False, modes=("frozen", "live")
    )
    document = replay_windows(options)
    found = json.loads(json.dumps(summarise(document, "news-by-the-hour")))
    assert [window["window"] for window in found["windows"]] == [0, 1, 2, 3, 4]
    assert found["windows"][0]["frozen"] == {"cases": 0}
    first = document["models"][0]
    for window, exact in zip(found["windows"][2:], document["windows"][2:], strict=True):
        for mode in ("frozen", "live"):
            assert len(window[mode]) == 3
            assert set(window[mode][first]) == {"hr@20", "ndcg@20"}
            assert window[mode]["cases"] == exact[mode]["cases"] > 0
    assert set(found["published"]) == set(PROTOCOLS["news-by-the-hour"].published)
    assert found["published"]["STAN"] == {"hr@20": 0.6681, "ndcg@20": 0.357}
