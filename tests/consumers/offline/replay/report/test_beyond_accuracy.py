"""What lists are like, in the report: every measure of every model, with what it means."""

from typing import Any

from consumers.offline.replay.report.beyond_accuracy import MEASURES, beyond_accuracy
from gsr.loop.list_watch import ListWatch
from tests.gsr.loop.world import loop_of, ring


def watched() -> dict[str, Any]:
    """Return what a watch of the joint model's lists tells."""
    loop = loop_of()
    watch = ListWatch(loop, {})
    loop.advance(ring(150))
    loop.test()
    watch.look()
    return watch.document()


def test_every_measure_has_words_and_a_value() -> None:
    """The watch's own names: nothing is asked for that it does not tell."""
    lists = watched()
    assert {measure.key for measure in MEASURES} <= lists["models"]["joint"].keys()
    lists["models"]["joint"]["coverage"] = 0.25
    text = beyond_accuracy({"lists": lists})
    rows = text.split("<tr>")[2:]
    assert len(rows) == len(MEASURES)
    assert all("better" in row for row in rows)
    assert "<td>25.0%</td>" in rows[0]
    # No click was tested after the look, so no hit is known.
    assert "<td>&ndash;</td>" in rows[-1]


def test_fixed_settings_of_baselines_are_told() -> None:
    lists = watched()
    lists["models"]["mix@86400:14400:0.5"] = lists["models"]["joint"]
    text = beyond_accuracy({"lists": lists})
    assert "mix 50% graph of 1 d with 50% popularity of 4 h" in text
    assert "<th>mix</th>" in text


def test_without_a_look_there_is_no_section() -> None:
    assert beyond_accuracy({"lists": None}) == ""
    assert beyond_accuracy({"lists": watched() | {"looks": 0}}) == ""
