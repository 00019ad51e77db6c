"""The table of baselines that one may have: a row for each, in plain words."""

from consumers.offline.replay.report.against import IN_WORDS, against
from consumers.offline.replay.rivals import IN_LOOP, BaselineSelection
from tests.consumers.offline.replay.test_verdict import difference, document


def test_every_baseline_has_its_verdict_and_interval() -> None:
    """The strongest first, by either metric, with what it is."""
    rates = {"popularity": (0.1, 0.3), "ranker": (0.2, 0.2), "graph": (0.3, 0.1)}
    found = [
        difference(name, theirs[at], metric=metric)
        for at, metric in enumerate(("hr@20", "mrr@20"))
        for name, theirs in rates.items()
    ]
    told = document(*found)
    told["overall"]["joint"]["mrr@20"] = 0.05
    text = against(told)
    rows = text.split("<tr>")[2:]
    assert [row.split("<b>")[1].split("</b>")[0] for row in rows] == [
        *("joint", "graph", "ranker", "popularity")
    ]
    assert "what people click after the user&#x27;s newest items" in rows[1]
    assert "<span class='worse'><b>worse</b> -0.1000</span><small>-0.1100 to -0.0850" in rows[1]
    assert "<span class='better'><b>better</b> +0.1000</span>" in rows[1]
    assert rows[2].count("<b>unclear</b> +0.0000") == 2


def test_what_too_few_windows_leave_open_is_said() -> None:
    found = [difference("graph", 0.1, metric=metric) for metric in ("hr@20", "mrr@20")]
    told = document(*found)
    told["overall"]["joint"]["mrr@20"] = 0.2
    assert "too few windows" not in against(told)
    told["differences"]["baselines"] = [one | {"windows": None} for one in found]
    assert "too few windows" in against(told)


def test_without_baselines_there_is_no_table() -> None:
    assert against(document()) == ""


def test_all_that_is_measured_in_a_replay_has_words() -> None:
    names = BaselineSelection(IN_LOOP).baselines(lambda: 0.0).names
    assert {name.partition("@")[0] for name in names} == set(IN_WORDS)
